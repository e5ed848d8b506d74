"""The change of the marker for each day before and after time zero, patient by patient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort, anchor
from becalm.report.sections.slopes import pairs
from becalm.report.vega import LINK, Spec, category, mark, quantity, values
from becalm.study.result import PER_PERSON

LEAST, MOST = 0.125, 8.0


def spec(cohort: Cohort) -> Spec | None:
    """Return a patient a line: the slope before as a ring, after as a disc with its interval."""
    if not cohort.described or cohort.n > PER_PERSON:
        return None
    variable = cohort.result.protocol.response.variables[0]
    rows = []
    for (person, name), sides in pairs(cohort).items():
        if name != variable:
            continue
        factor = {side: _factor(row["percent_per_day"]) for side, row in sides.items()}
        after = sides["after"]
        rows.append(
            {"person": person, "before": factor["before"], "after": factor["after"],
             "low": _factor(after["percent_low"]), "high": _factor(after["percent_high"]),
             "both": None not in factor.values(), "none": factor["before"] is None and factor["after"] is None,
             "why": after["slope_state"], "middle": 1.0, "link": f"#{anchor('slope', person, variable)}"}
        )  # fmt: skip
    if not rows or all(row["none"] for row in rows):
        return None
    ids = [row["person"] for row in rows]
    axis = {
        "values": [0.125, 0.25, 0.5, 1, 2, 4, 8],
        "labelExpr": "'×' + datum.value",
        "grid": True,
    }
    x = quantity("after", scale={"type": "log", "domain": [LEAST, MOST]}, axis=axis,
                 title=f"change of {labels.variable(variable)} for each day (×1: none)")  # fmt: skip
    y = category(
        "person",
        sort=ids,
        scale={"domain": ids},
        title=None,
        axis={"domain": False, "ticks": False, "grid": True},
    )
    layers: list[Spec] = [
        {"mark": {"type": "rule", "color": theme.GREY, "strokeDash": [4, 3]}, "encoding": {"x": {**x, "field": "middle"}}},
        mark("rule", {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y} | LINK,
             where="isValid(datum.low) && isValid(datum.high)", color=theme.SKY, strokeWidth=5),
        mark("rule", {"x": {**x, "field": "before"}, "x2": {"field": "after"}, "y": y} | LINK, where="datum.both", color=theme.BLACK),
        mark("point", {"x": {**x, "field": "before"}, "y": y} | LINK, where="isValid(datum.before)", filled=True, fill=theme.WHITE,
             stroke=theme.BLACK, strokeWidth=1.4, size=70, opacity=1),
        mark("point", {"x": x, "y": y} | LINK, where="isValid(datum.after)", filled=True, color=theme.BLUE, size=80, opacity=1),
        mark("text", {"x": {**x, "field": "middle"}, "y": y, "text": {"field": "why"}} | LINK, where="datum.none", color=theme.GREY, dx=40),
    ]  # fmt: skip
    return {
        "data": values(rows),
        "width": 620,
        "height": {"step": 26 if len(rows) < 30 else 12},
        "layer": layers,
    }


def _factor(percent: float) -> float | None:
    """Return the change as a factor within the axis; None where it is not known."""
    return None if math.isnan(percent) else min(max(1 + percent / 100, LEAST), MOST)


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield the slopes of the first variable of the response."""
    name = labels.variable(cohort.result.protocol.response.variables[0])
    yield Chart(
        "slopes",
        f"Change of {name} for each day before and after {cohort.clock_from('t0')}",
        "○\u00a0before; ●\u00a0after, with its 95 % interval as a band where there are three draws; logarithmic axis: ×0.5 is a fall to half a "
        "day. Values beyond the axis stand at its end.",
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(61, charts)
