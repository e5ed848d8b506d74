"""Death in hospital and discharge over the days after time zero, with the numbers at risk."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from becalm.report import theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort
from becalm.report.vega import Spec, flat, mark, quantity, values

COLOURS: Final = {"death in hospital": theme.VERMILION, "discharge alive": theme.BLUE}


def spec(cohort: Cohort) -> Spec | None:
    """Return steps with their intervals as bands; under the axis the numbers at risk."""
    table = cohort.result.tables["incidence"]
    if not len(table):
        return None
    rows = [
        {"event": row["end_event"], "day": row["day_after"], "share": 100 * row["incidence"],
         "low": _known(row["incidence_low"]), "high": _known(row["incidence_high"]), "n": row["still_at_risk"]}
        for row in table.rows()
    ]  # fmt: skip
    last = max(row["day"] for row in rows)
    every = 7 if last > 14 else 1
    risk = [row for row in rows if row["event"] == next(iter(COLOURS)) and row["day"] % every == 0]
    x = quantity("day", scale=flat(0, last), title=f"days after {cohort.clock_from('t0')}",
                 axis={"values": list(range(0, last + 1, every)), "grid": False})  # fmt: skip
    y = quantity("share", scale=flat(0, 100), title="% of patients")
    colour: Spec = {
        "field": "event", "type": "nominal", "title": None, "legend": {"orient": "top"},
        "scale": {"domain": list(COLOURS), "range": list(COLOURS.values())},
    }  # fmt: skip
    curves: Spec = {
        "width": 760, "height": 260, "data": values(rows),
        "layer": [
            mark("area", {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour}, interpolate="step-after", opacity=0.18),
            mark("line", {"x": x, "y": y, "color": colour, "strokeDash": {**colour, "scale": {"domain": list(COLOURS), "range": [[1, 0], [6, 3]]}}},
                 interpolate="step-after", strokeWidth=2),
        ],
    }  # fmt: skip
    there = {"x": {**x, "axis": None}, "text": {"field": "n"}, "href": {"value": "#incidence"}}
    numbers: Spec = {
        "width": 760, "height": 24, "data": values(risk), "title": {"text": "in hospital and followed", "fontWeight": "normal"},
        **mark("text", there, fontSize=10.5, color=theme.BLACK),
    }  # fmt: skip
    return {"vconcat": [curves, numbers], "spacing": 6}


def _known(share: float) -> float | None:
    return None if math.isnan(share) else 100 * share


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield death and discharge over time."""
    yield Chart(
        "incidence",
        f"Death in hospital and discharge after {cohort.clock_from('t0')}",
        "Estimated share of all patients (Aalen-Johansen), each event competing with the other; bands: 95 % intervals. Who is still in "
        "hospital, or was last seen there, has neither event yet.",
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(101, charts)
