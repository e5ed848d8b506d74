"""The first marker of the response in all patients together: a line each, on one logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort, Row
from becalm.report.figures import course
from becalm.report.vega import LINK, Spec, category, mark, values

CLOCK: Final = "t0"
DASHES: Final = ([1, 0], [4, 2], [1, 2], [7, 2, 1, 2], [9, 3], [2, 2])


def _variable(cohort: Cohort) -> str:
    return cohort.result.protocol.response.primary[0]


def drawn(cohort: Cohort) -> list[Row]:
    """Return the values drawn; `kind` is exact, above or below (a limit of the laboratory)."""
    return [row for row in course.points(cohort, CLOCK) if row["variable"] == _variable(cohort)]


def deaths(cohort: Cohort, rows: list[Row]) -> list[Row]:
    """Return a mark at the day of each death within the figure, at the height of the last value before it."""
    end = course.window(cohort, CLOCK)[1]
    found: list[Row] = []
    for person in cohort.described:
        day = cohort.day_of_death(person)
        before = [row for row in rows if row["person"] == person and row["day"] <= day]
        if before and not math.isnan(day) and day <= end:
            last = max(before, key=lambda row: row["day"])
            found.append({**last, "kind": "died", "before": last["day"], "day": day})
    return found


def without(cohort: Cohort, rows: list[Row]) -> list[str]:
    """Return who has no value in the figure."""
    seen = {row["person"] for row in rows}
    return [person for person in cohort.described if person not in seen]


def spec(cohort: Cohort) -> Spec | None:
    """Return the figure; None where the course already draws its patients over each other, or nothing was measured."""
    if not 2 <= len(cohort.described) <= course.EACH or not (rows := drawn(cohort)):
        return None
    people = list(cohort.described)
    dead = deaths(cohort, rows)
    x = course.x_axis(cohort, CLOCK)
    y = course.y_axis(_variable(cohort), rows)
    key: Spec = {"symbolType": "stroke", "symbolSize": 700, "symbolStrokeWidth": 2}
    colour = category("person", title="Patient", legend=key, scale={
        "domain": people, "range": [theme.OKABE_ITO[i % 8] for i in range(len(people))]})  # fmt: skip
    dash = category("person", title="Patient", legend=key, scale={
        "domain": people, "range": [DASHES[i % len(DASHES)] for i in range(len(people))]})  # fmt: skip
    at = {"x": x, "y": y, "color": colour}
    arrow: Spec = {"shape": "arrow", "size": 190, "filled": True, "opacity": 1}
    layers = [
        mark("rule", {"x": {**x, "field": "zero"}}, color=theme.GREY),
        mark("line", at | {"strokeDash": dash}, strokeWidth=1.7),
        mark("point", at | LINK, where="datum.kind === 'exact'", size=22, filled=True, opacity=1),
        mark("point", at | LINK, where="datum.kind === 'above'", yOffset=-8, **arrow),
        mark("point", at | LINK, where="datum.kind === 'below'", yOffset=8, angle=180, **arrow),
    ]  # fmt: skip
    layers[0] = {**layers[0], "data": values([{"zero": 0}])}
    if dead:
        last = {"x": {**x, "field": "before"}, "x2": {"field": "day"}, "y": y, "color": colour}
        layers += [
            {**mark("rule", last, strokeDash=[1, 3], strokeWidth=1.4), "data": values(dead)},
            {**mark("point", at, shape="cross", angle=45, size=110, filled=True, opacity=1), "data": values(dead)},
        ]  # fmt: skip
    return {"data": values(rows), "width": 760, "height": 260, "layer": layers}


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield the marker in all patients together."""
    what = labels.heading(labels.variable(_variable(cohort)))
    made = spec(cohort)
    none = without(cohort, drawn(cohort)) if made is not None else []
    yield Chart(
        "spaghetti",
        f"{what} of all patients from {cohort.clock_from(CLOCK)}",
        "Logarithmic axis. Arrow: the laboratory reported only a limit, and the true value lies beyond it. ✖\u00a0death, at the "
        "height of the last value. A line that ends without it: no later sample in the figure."
        + (f" No sample in the figure: {', '.join(none)}." if none else ""),
        made,
    )


CHARTS: Final = DeclaredCharts(62, charts)
