"""New bacterial infections for each 100 days at risk, by the dose in the 24 h before, at each lag."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from becalm.report import theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort
from becalm.report.sections.infection_by_dose import INFECTION, rates, row_id, shown_events
from becalm.report.text import number
from becalm.report.vega import LINK, Spec, flat, mark, quantity, values

BEYOND: Final = 4.0
"""The axis ends at so many times the highest rate, or interval, that has an event."""


def spec(cohort: Cohort) -> Spec | None:
    """Return a panel a lag and a row a band: the rate as a point, its exact interval as a line."""
    if not cohort.drug:
        return None
    found = [
        row
        for row in rates(cohort)
        if (row["metric"], row["end_event"]) == ("dose_24h", INFECTION)
        and not math.isnan(row["per_100_days"])
    ]
    if not found:
        return None
    top = max(row["per_100_days_high"] for row in found) or min(row["rate_high"] for row in found)
    top = min(max(row["rate_high"] for row in found), BEYOND * top)
    bands = list(
        dict.fromkeys(row["band"] for row in sorted(found, key=lambda r: r["band_number"]))
    )
    rows = [
        {
            "lag": f"lag {number(row['lag_h'])} h",
            "band": row["band"],
            "rate": min(row["per_100_days"], top),
            "rate_high": min(row["per_100_days_high"], top),
            "possible": row["events_possible"] > 0,
            "low": min(row["rate_low"], top),
            "high": min(row["rate_high"], top),
            "more": row["rate_high"] > top,
            "end": top,
            "link": f"#{row_id(row)}",
            "n": f"{shown_events(row)} in {number(row['person_days'])} d",
        }
        for row in found
    ]
    x = quantity(
        "rate",
        scale=flat(0, top),
        axis={"tickCount": 5},
        title="new bacterial infections per 100 days at risk",
    )
    y: Spec = {
        "field": "band", "type": "nominal", "sort": bands, "axis": {"ticks": False, "domain": False},
        "title": f"{cohort.unit} in the previous 24 h",
    }  # fmt: skip
    layers = [
        mark("rule", {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y} | LINK, strokeWidth=2, color=theme.BLUE),
        mark("point", {"x": {**x, "field": "high"}, "y": y} | LINK, where="datum.more", shape="triangle-right",
             filled=True, size=70, opacity=1, color=theme.BLUE),
        mark("point", {"x": x, "y": y} | LINK, filled=True, size=70, opacity=1, color=theme.BLACK),
        mark("point", {"x": {**x, "field": "rate_high"}, "y": y} | LINK, where="datum.possible", filled=True, size=70, opacity=1,
             fill=theme.WHITE, stroke=theme.BLACK, strokeWidth=1.4),
        mark("text", {"x": {**x, "field": "end"}, "y": y, "text": {"field": "n"}} | LINK, align="right", dy=-11, color=theme.GREY),
    ]  # fmt: skip
    return {
        "data": values(rows),
        "facet": {"column": {"field": "lag", "type": "nominal", "header": {"title": None}, "sort": [row["lag"] for row in rows]}},
        "spacing": 24,
        "spec": {"width": 280, "height": {"step": 44}, "layer": layers},
    }  # fmt: skip


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield the rates by dose."""
    yield Chart(
        "infection_by_dose",
        "New bacterial infections by the dose before them",
        "Point: infections for each 100 days at risk; line: exact 95 % interval, with an arrowhead where it goes on; number: "
        "infections in days at risk. Ring: if every sample of which nobody can tell shows an infection. With a lag, the dose of so long before counts. Bands of the dose are compared "
        "without regard to how ill the patients were.",
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(94, charts)
