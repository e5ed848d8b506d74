"""Death and discharge over the days after time zero, with the numbers at risk."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from becalm.measures.incidence import ANYWHERE
from becalm.report import theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort, Row
from becalm.report.vega import Spec, flat, mark, quantity, values

COLOURS: Final = {
    "death in hospital": theme.VERMILION,
    "discharge alive": theme.BLUE,
    ANYWHERE: theme.BLACK,
}
PANELS: Final = {
    "in hospital and followed": ("death in hospital", "discharge alive"),
    "followed": (ANYWHERE,),
}
"""The events of each panel, by what the numbers under it count."""


def spec(cohort: Cohort) -> Spec | None:
    """Return a panel of the two that compete and one of death anywhere; under each axis the numbers at risk."""
    table = cohort.result.tables["incidence"]
    if not len(table):
        return None
    rows = [
        {"event": row["end_event"], "day": row["day_after"], "share": 100 * row["incidence"],
         "low": _known(row["incidence_low"]), "high": _known(row["incidence_high"]), "n": row["still_at_risk"]}
        for row in table.rows()
    ]  # fmt: skip
    zero = cohort.clock_from("t0")
    parts = [part for words, events in PANELS.items() for part in _panel(rows, words, events, zero)]
    separate = {"scale": {"color": "independent", "strokeDash": "independent"}}
    return {"vconcat": parts, "spacing": 6, "resolve": separate}


def _panel(rows: Sequence[Row], words: str, events: tuple[str, ...], zero: str) -> list[Spec]:
    """Return the curves of some events as steps with bands, and their numbers at risk."""
    last = max(row["day"] for row in rows)
    every = 7 if last > 14 else 1
    mine = [row for row in rows if row["event"] in events]
    x = quantity("day", scale=flat(0, last), title=f"days after {zero}",
                 axis={"values": list(range(0, last + 1, every)), "grid": False})  # fmt: skip
    y = quantity("share", scale=flat(0, 100), title="% of patients")
    colour: Spec = {
        "field": "event", "type": "nominal", "title": None, "legend": {"orient": "top"},
        "scale": {"domain": list(events), "range": [COLOURS[event] for event in events]},
    }  # fmt: skip
    dash: Spec = {
        **colour,
        "scale": {"domain": list(events), "range": [[1, 0], [6, 3]][: len(events)]},
    }
    curves: Spec = {
        "width": 760, "height": 240 if len(events) > 1 else 160, "data": values(mine),
        "layer": [
            mark("area", {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour}, interpolate="step-after", opacity=0.18),
            mark("line", {"x": x, "y": y, "color": colour, "strokeDash": dash}, interpolate="step-after", strokeWidth=2),
        ],
    }  # fmt: skip
    there = {"x": {**x, "axis": None}, "text": {"field": "n"}, "href": {"value": "#incidence"}}
    numbers: Spec = {
        "width": 760, "height": 24, "title": {"text": words, "fontWeight": "normal"},
        "data": values([row for row in mine if row["event"] == events[0] and row["day"] % every == 0]),
        **mark("text", there, fontSize=10.5, color=theme.BLACK),
    }  # fmt: skip
    return [curves, numbers]


def _known(share: float) -> float | None:
    return None if math.isnan(share) else 100 * share


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield death and discharge over time."""
    yield Chart(
        "incidence",
        f"Death and discharge after {cohort.clock_from('t0')}",
        "Estimated share of all patients: death in hospital and discharge, each competing with the other (Aalen-Johansen), and death "
        "anywhere (Kaplan-Meier); bands: 95 % intervals. Who is still in hospital, or was last seen there, has neither of the first two yet.",
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(101, charts)
