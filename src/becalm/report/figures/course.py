"""Laboratory values over time, aligned to a clock, with the dose beneath."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Any, Final

from becalm import vocabulary
from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort, Row
from becalm.report.figures import crowd
from becalm.report.figures.infusions import infused
from becalm.report.text import limit_sign, unit
from becalm.report.vega import LINK, Spec, flat, mark, quantity, values
from becalm.study.result import PER_PERSON

EACH: Final = 6
"""Up to so many patients have a column each; more are drawn over each other with their median."""
BEFORE: Final = 4.0
"""Days before the clock that are drawn."""
SHORTEST: Final = 8.0
LONGEST: Final = 21.0
SIDE: Final[Spec] = {
    "titleAngle": 0, "titleAlign": "right", "titleBaseline": "middle", "titlePadding": 8,
}  # fmt: skip
PLAIN: Final[Spec] = {"minExtent": 38, "maxExtent": 38, "domain": False, "ticks": False}


def title(cohort: Cohort) -> str:
    """Return the heading over the course: whose it is."""
    return "Course" if cohort.of_everybody else "Course of treated patients"


def variables_drawn(cohort: Cohort) -> list[str]:
    """Return the variables that are drawn: those whose response or change the protocol asks for."""
    return list(cohort.result.protocol.response.variables)


def _is_log(name: str) -> bool:
    return vocabulary.load().variable(name).log


def window(cohort: Cohort, clock: str) -> tuple[float, float]:
    """Return the days drawn: from four before the clock to the end of treatment, 8 to 21 after.

    Of the treated only, from the day before the landmark to a week after it.
    """
    if not cohort.of_everybody:
        return -1.0, 7.0
    ends = [
        cohort.hours(step["person_id"], step["end"], clock) / 24
        for step in cohort.steps
        if step["drug"] == cohort.drug and step["rate"] > 0
    ]
    last = max([SHORTEST, *(end for end in ends if not math.isnan(end))])
    return -BEFORE, float(math.ceil(min(LONGEST, last)))


def points(cohort: Cohort, clock: str) -> list[Row]:
    """Return every value drawn: day from the clock, the number or bound, and which it is."""
    low, high = window(cohort, clock)
    rows: list[Row] = []
    names, persons = set(variables_drawn(cohort)), set(cohort.described)
    for i, row in enumerate(cohort.series):
        day = cohort.hours(row["person_id"], row["time"], clock) / 24
        sign = limit_sign(row["low"], row["high"])
        bounds = {">": [row["low"]], "<": [row["high"]]}.get(sign, [row["low"], row["high"]])
        if row["variable"] not in names or row["person_id"] not in persons:
            continue
        if not low <= day <= high or not all(map(math.isfinite, bounds)):
            continue
        rows.append(
            {
                "person": row["person_id"], "variable": row["variable"], "unit": row["unit"],
                "day": day, "value": max(sum(bounds) / len(bounds), 1e-3),
                "kind": {">": "above", "<": "below"}.get(sign, "exact"), "link": f"#v{i}",
            }
        )  # fmt: skip
    return rows


def doses(cohort: Cohort, clock: str) -> list[Row]:
    """Return the drug's rates (kind `rate`, from start to end) and single doses, in days."""
    low, high = window(cohort, clock)
    rows: list[Row] = []
    for kind, steps in (("rate", cohort.rates), ("single", cohort.singles)):
        for step in steps:
            start = cohort.hours(step["person_id"], step["start"], clock) / 24
            end = cohort.hours(step["person_id"], step["end"], clock) / 24
            if math.isnan(start) or end < low or start > high:
                continue
            row = {"person": step["person_id"], "start": max(start, low), "end": min(end, high)}
            if kind == "rate":
                row |= {"rate": step["rate"], "zero": 0, "assumed": bool(step["end_assumed"])}
            rows.append(row | {"kind": kind})
    return rows


def spec(cohort: Cohort, clock: str) -> Spec | None:
    """Return the figure; None when nothing was measured in its window."""
    if len(cohort.described) > PER_PERSON:
        return _crowd(cohort, clock)
    drawn = points(cohort, clock)
    if not drawn:
        return None
    return (
        _each(cohort, clock, drawn) if len(cohort.described) <= EACH else _all(cohort, clock, drawn)
    )


def _each(cohort: Cohort, clock: str, drawn: list[Row]) -> Spec:
    """Return a grid: a column a patient, a row a variable, the dose beneath."""
    shown = [
        name for name in variables_drawn(cohort) if any(row["variable"] == name for row in drawn)
    ]
    lines = _clock_lines(cohort, clock)
    width = min(300.0, (theme.WIDTH - 130 - 14 * len(cohort.described)) / len(cohort.described))
    grid = []
    for i, name in enumerate(shown):
        mine = [row for row in drawn if row["variable"] == name]
        x = _x(cohort, clock, labelled=not cohort.drug and i == len(shown) - 1)
        layers = [_rules(x), *_marks(x, _y(name, mine, beside=True), mine)]
        grid.append(columns(layers, mine + lines, width, 74, named=i == 0))
    if cohort.drug:
        given = doses(cohort, clock)
        beside = [labels.heading(labels.drug(cohort.drug)), f"{cohort.unit}/h"]
        below = dose_layers(cohort, clock, given, beside)
        grid.append(columns(below, given + lines, width, 52, named=False))
    return {"vconcat": grid, "spacing": 8}


def columns(
    layers: list[Spec], rows: Sequence[Row], width: float, height: float, *, named: bool
) -> Spec:
    """Return one row of a grid: the same layers once a patient, the rows' `person`."""
    header = {"title": None, "labels": named, "labelAnchor": "middle"}
    return {
        "data": values(rows),
        "facet": {"column": {"field": "person", "type": "nominal", "header": header}},
        "spacing": 14,
        "bounds": "flush",
        "spec": {"width": width, "height": height, "layer": layers},
    }


def _x(cohort: Cohort, clock: str, *, labelled: bool, field: str = "day") -> Spec:
    low, high = window(cohort, clock)
    step = 7 if high > 10 else 2
    ticks = [day for day in range(int(low), int(high) + 1) if day % step == 0]
    shown = {"values": ticks, "labels": labelled, "ticks": labelled, "domain": labelled}
    title = (
        f"days from {cohort.clock_label(clock) if cohort.drug else cohort.zero}"
        if labelled
        else None
    )
    return quantity(field, scale=flat(low, high), title=title, axis=shown)


def _y(name: str, drawn: list[Row], *, beside: bool) -> Spec:
    known = [row["value"] for row in drawn]
    units = {row["unit"] for row in drawn}
    words = [
        labels.heading(labels.variable(name)),
        *([unit(units.pop())] if len(units) == 1 else []),
    ]
    axis = PLAIN | (SIDE if beside else {"minExtent": 54, "maxExtent": 54})
    if _is_log(name):
        low, high = _decades(min(known), max(known))
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        axis |= {"values": [10.0**n for n in powers if low <= 10.0**n <= high], "format": ","}
        scale = flat(low, high, type="log")
    else:
        axis |= {"tickCount": 3}
        scale = flat(0, max(known) * 1.12)
    title = words if beside else ", ".join(words) + (" (log scale)" if _is_log(name) else "")
    return quantity("value", scale=scale, title=title, axis=axis)


def x_axis(cohort: Cohort, clock: str) -> Spec:
    """Return the labelled axis of days from a clock."""
    return _x(cohort, clock, labelled=True)


def y_axis(name: str, drawn: list[Row]) -> Spec:
    """Return the axis of a variable, wide enough for some of its values; logarithmic where the vocabulary says so."""
    return _y(name, drawn, beside=False)


def _decades(low: float, high: float) -> tuple[float, float]:
    """Widen a range so that it shows at least two powers of ten, and arrows beside it fit."""
    bottom, top = math.log10(low) - 0.25, math.log10(high) + 0.3
    if math.floor(top) - math.ceil(bottom) < 1:
        bottom, top = min(bottom, math.floor(bottom)), max(top, math.ceil(top))
    return 10**bottom, 10**top


def _marks(x: Spec, y: Spec, drawn: list[Row]) -> list[Spec]:
    """Return the line through the values, the values, and arrows where only a bound is known."""
    at = {"x": x, "y": y}
    linked = at | LINK
    kinds = {row["kind"] for row in drawn}
    layers = [
        mark("line", at, where="isValid(datum.value)", color=theme.BLACK, strokeWidth=1.2),
        mark("point", linked, where="datum.kind === 'exact'", size=18, filled=True, opacity=1,
             color=theme.BLACK),
    ]  # fmt: skip
    for kind, angle, away in (("above", 0, -8), ("below", 180, 8)):
        if kind in kinds:
            where = f"datum.kind === '{kind}'"
            layers += [
                mark("point", linked, where=where, shape="arrow", size=200, filled=True, opacity=1,
                     color=theme.VERMILION, angle=angle, yOffset=away),
                mark("point", linked, where=where, size=24, filled=True, fill=theme.WHITE,
                     stroke=theme.VERMILION, strokeWidth=1.5, opacity=1),
            ]  # fmt: skip
    return layers


def _clock_lines(cohort: Cohort, clock: str) -> list[Row]:
    """Return each patient's clocks in days: this one, and the other where it differs."""
    lines: list[Row] = []
    other = {"t0": "infusion_start", "infusion_start": "t0"}.get(clock, "")
    low, high = window(cohort, clock)
    for person in cohort.described:
        lines.append({"person": person, "day": 0.0, "start": 0.0, "kind": "this"})
        if other in cohort.clocks:
            day = cohort.hours(person, cohort.time_zero(person, other), clock) / 24
            if abs(day) > 0.02 and low < day < high:
                lines.append({"person": person, "day": day, "start": day, "kind": "other"})
    return lines


def _rules(x: Spec) -> Spec:
    """Return the clocks' lines: solid for the figure's own, dashed for the other."""
    dash = {"condition": {"test": "datum.kind === 'other'", "value": [3, 3]}, "value": [1, 0]}
    where = "datum.kind === 'this' || datum.kind === 'other'"
    return mark("rule", {"x": x, "strokeDash": dash}, where=where, color=theme.GREY, strokeWidth=1)


def x_axis_bare(cohort: Cohort, clock: str) -> Spec:
    """Return the same axis without its labels, for a row of a grid that stands above another one."""
    return _x(cohort, clock, labelled=False)


def marker_layers(cohort: Cohort, clock: str, name: str, drawn: list[Row]) -> list[Spec]:
    """Return the layers of a variable in a row of a grid that stands above another one."""
    x = x_axis_bare(cohort, clock)
    return [_rules(x), *_marks(x, _y(name, drawn, beside=True), drawn)]


def dose_layers(cohort: Cohort, clock: str, given: list[Row], title: list[str]) -> list[Spec]:
    """Return a drug's rate as an area, and single doses as triangles at their hour; the lowest row of a grid."""
    most = max([row["rate"] for row in given if row["kind"] == "rate"], default=1.0)
    scale = flat(0, most * 1.3)
    y = quantity("rate", scale=scale, title=title, axis=PLAIN | SIDE | {"tickCount": 2})
    x = _x(cohort, clock, labelled=True, field="start")
    box = {"x": x, "x2": {"field": "end"}, "y": y, "y2": {"field": "zero"}}
    above = {"x": x, "y": {"datum": most * 1.18, "type": "quantitative", "scale": scale}}
    return [
        _rules(x),
        *infused(box, "datum.kind === 'rate' && "),
        mark("point", above, where="datum.kind === 'single'", shape="triangle-down", size=42,
             filled=True, color=theme.BLACK, opacity=1),
    ]  # fmt: skip


def _all(cohort: Cohort, clock: str, drawn: list[Row]) -> Spec:
    """Return a panel a variable: every patient in grey, the median of each day in black."""
    width = (theme.WIDTH - 190) / 2
    panels = []
    for name in variables_drawn(cohort):
        mine = [row for row in drawn if row["variable"] == name]
        if not mine:
            continue
        at = {"x": _x(cohort, clock, labelled=True), "y": _y(name, mine, beside=False)}
        each = at | {"detail": {"field": "person", "type": "nominal"}}
        arrow: Spec = {"shape": "arrow", "size": 90, "filled": True, "color": theme.VERMILION}
        layers = [
            mark("line", each, color="#8b959d", strokeWidth=0.8, opacity=0.7),
            mark("point", each, color="#6d777f", filled=True, size=9, opacity=0.85),
            mark("point", at, where="datum.kind === 'above'", yOffset=-6, **arrow),
            mark("point", at, where="datum.kind === 'below'", angle=180, yOffset=6, **arrow),
            {
                **mark("line", at, color=theme.BLACK, strokeWidth=2.2),
                "data": values(_medians(mine, window(cohort, clock)[1])),
            },
        ]
        panels.append({"data": values(mine), "width": width, "height": 165, "layer": layers})
    if cohort.drug:
        rates = [row for row in doses(cohort, clock) if row["kind"] == "rate"]
        y = quantity(
            "rate",
            title=f"{labels.heading(labels.drug(cohort.drug))}, {cohort.unit}/h",
            axis={"tickCount": 3, **PLAIN},
        )
        x = _x(cohort, clock, labelled=True, field="start")
        line = mark("rule", {"x": x, "x2": {"field": "end"}, "y": y}, color=theme.BLUE,
                    opacity=0.5, strokeWidth=2)  # fmt: skip
        panels.append({"data": values(rates), "width": width, "height": 90, **line})
    return {"concat": panels, "columns": 2, "spacing": {"row": 14, "column": 26}}


def _crowd(cohort: Cohort, clock: str) -> Spec | None:
    """Return a panel a variable: quartiles of the patients' last value of each day."""
    width = (theme.WIDTH - 190) / 2
    panels = []
    for name in variables_drawn(cohort):
        rows, written = crowd.course(cohort, clock, name, window(cohort, clock))
        if rows:
            spread: list[Row] = [
                {"value": row[end], "unit": written} for row in rows for end in ("low", "high")
            ]
            at = {"x": _x(cohort, clock, labelled=True), "y": _y(name, spread, beside=False)}
            panels.append({"width": width, "height": 165, "layer": crowd.band(at, rows)})
    if not panels:
        return None
    return {"concat": panels, "columns": 2, "spacing": {"row": 14, "column": 26}}


def _medians(drawn: list[Row], end: float) -> list[Row]:
    """Return the median of the patients' last value in each day, where at least five have one."""
    last: dict[int, dict[str, Any]] = {}
    for row in drawn:
        last.setdefault(math.floor(row["day"]), {})[row["person"]] = row["value"]
    return [
        {"day": day + 0.5, "value": statistics.median(known.values())}
        for day, known in sorted(last.items())
        if len(known) >= 5 and day + 0.5 < end
    ]


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield the values over time, from each clock."""
    treated, each = bool(cohort.drug), len(cohort.described) <= EACH
    crowded = len(cohort.described) > PER_PERSON
    clocks = [c for c in ("t0", "infusion_start") if c in cohort.clocks] or ["t0"]
    if not treated:
        clocks = ["t0"]
    for clock in clocks if cohort.n else []:
        other = (
            " Solid vertical line: this clock; dashed: the other clock."
            if len(clocks) > 1 and each
            else ""
        )
        many = (
            ""
            if each
            else " Each grey line: one patient. Black: median of the patients' last values of each "
            "day, if five patients or more have one."
        )
        beneath = (
            f" Bottom: {labels.drug(cohort.drug)} in {cohort.unit}/h; ▼ single dose."
            if treated
            else ""
        )
        yield Chart(
            f"course_{clock}",
            f"{title(cohort)} from {cohort.clock_from(clock)}",
            _logs(cohort)
            + (
                crowd.COURSE
                if crowded
                else f"Arrow: the laboratory reported only a limit, and the true value lies beyond it.{other}{many}{beneath}"
            ),
            spec(cohort, clock),
        )


def _logs(cohort: Cohort) -> str:
    """Say which variables are drawn on log scales: `Log scale: ferritin, AST and CRP. `."""
    names = [labels.variable(name) for name in variables_drawn(cohort) if _is_log(name)]
    if not names:
        return ""
    text = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"Log scale: {text}. "


CHARTS: Final = DeclaredCharts(60, charts)
