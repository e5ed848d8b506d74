"""What the figures of patient by patient become where there are too many to tell apart: counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from becalm.core import stats
from becalm.core.arrays import Array
from becalm.core.clock import HOUR
from becalm.report import labels, theme
from becalm.report.cohort import Cohort, Row
from becalm.report.text import change
from becalm.report.vega import Spec, category, flat, mark, quantity, values

STATES: Final = ("met", "not assessed", "not met")
COLOURS: Final = (theme.BLUE, theme.WHITE, "#e3e8ec")
BINS: Final = 14
COUNTS: Final = 20
"""Totals that reach no further are counts of items, and each has a bin of its own."""

CHANGES: Final = (0.05, 0.1, 0.25, 0.5, 0.85, 1.0, 1.5, 2.0, 4.0)
"""Edges of the ratio to baseline; 0.5 and 0.85 are the graded falls of 50 and 15 %."""
CRITERIA: Final = (
    "Left: number of patients in whom each item was met (blue), not assessed (white) and not met (grey). "
    "Right: number of patients by lowest and by highest possible total; dashed red line: cut-off."
)
SWIMMER: Final = (
    "Number of patients given at least one dose of each class of immunotherapy, day by day. "
    "No colour: no patient."
)
COURSE: Final = (
    "Black line: median of the patients' last values of each day. Band: middle half of these values. "
    "Both need values of ten patients or more. A value that the laboratory reported as a limit is "
    "counted as the limit."
)
CHANGES_BY_COUNT: Final = (
    "Number of patients by change of the value nearest to each horizon from the last value before the "
    "clock, if both are known. Blue: fell; orange: did not fall."
)
FEWEST: Final = stats.SD_FROM
"""Patients that a day needs for its quartiles to be drawn."""


def items_met(
    cohort: Cohort, criterion: str, totals: Sequence[Row], met: Counter[tuple[str, ...]]
) -> Spec:
    """Return how many patients met each item, and how their totals are spread.

    met : the number of patients by item and state.
    """
    names = list(dict.fromkeys(name for name, _ in met))
    cells = [
        {
            "item": labels.heading(cohort.item_label(criterion, name)),
            "state": state,
            "order": i,
            "n": met[name, state],
        }
        for name in names
        for i, state in enumerate(STATES)
    ]
    shown = [labels.heading(cohort.item_label(criterion, name)) for name in names]
    y = category("item", sort=shown, scale={"domain": shown}, title=None,
                 axis={"domain": False, "ticks": False, "labelLimit": 190})  # fmt: skip
    x = quantity("n", stack="zero", scale=flat(0, cohort.n), title="patients",
                 axis={"tickCount": 5, "domain": False})  # fmt: skip
    colour = category("state", scale={"domain": list(STATES), "range": list(COLOURS)}, title=None,
                      legend={"orient": "top", "symbolStrokeColor": theme.GREY})  # fmt: skip
    bars = mark("bar", {"x": x, "y": y, "color": colour, "order": quantity("order")},
                stroke="#9aa3ab", strokeWidth=0.6, height={"band": 0.75})  # fmt: skip
    return {
        "hconcat": [
            {"data": values(cells), "width": 420, "height": {"step": 22}, **bars},
            _spread(cohort, criterion, totals, 22.0 * len(names)),
        ],
        "spacing": 40,
        "resolve": {
            "scale": {"color": "independent", "strokeDash": "independent"},
            "legend": {"color": "independent"},
        },
    }


def _spread(cohort: Cohort, criterion: str, totals: Sequence[Row], height: float) -> Spec:
    """Return the spread of the lowest and of the highest possible totals, and the cut-off."""
    cut = cohort.cutoff(criterion)
    ends = [row[end] for row in totals for end in ("low", "high") if math.isfinite(row[end])]
    bottom, width, bins = _bins([*ends, *([cut] if math.isfinite(cut) else [])])
    top = bottom + width * bins
    rows = []
    for end, told in (("low", "lowest possible"), ("high", "highest possible")):
        tally = Counter(min(bins - 1, int((row[end] - bottom) / width)) for row in totals
                        if math.isfinite(row[end]))  # fmt: skip
        rows += [{"end": told, "from": bottom + width * i, "n": tally[i]} for i in range(bins)]
        rows.append({"end": told, "from": top, "n": tally[bins - 1]})
    colour = category("end", title=None, legend={"orient": "top"}, scale={
        "domain": ["lowest possible", "highest possible"], "range": [theme.BLUE, theme.ORANGE]})  # fmt: skip
    dash = category("end", legend=None, scale={
        "domain": ["lowest possible", "highest possible"], "range": [[1, 0], [5, 3]]})  # fmt: skip
    x = quantity("from", scale=flat(bottom, top), title=f"{cohort.definition_label(criterion)}: total",
                 axis={"tickCount": 6, **({"values": _integers(bottom, top), "format": "d"} if width == 1.0 else {})})  # fmt: skip
    y = quantity(
        "n",
        title="patients",
        axis={"tickCount": 4, "tickMinStep": 1, "domain": False, "ticks": False},
    )
    layers = [
        mark("line", {"x": x, "y": y, "color": colour, "strokeDash": dash},
             interpolate="step-after", strokeWidth=2),
    ]  # fmt: skip
    if math.isfinite(cut):
        rule = mark("rule", {"x": {"datum": cut, "type": "quantitative"}}, color=theme.VERMILION,
                    strokeDash=[4, 3], strokeWidth=1.3)  # fmt: skip
        layers.append({**rule, "data": values([{}])})
    return {"data": values(rows), "width": 330, "height": max(120.0, height), "layer": layers}


def _integers(bottom: float, top: float) -> list[int]:
    """Return at most ten whole numbers between two, as ticks of a count."""
    step = math.ceil((top - bottom) / 10)
    return list(range(math.ceil(bottom), math.floor(top) + 1, step))


def _bins(ends: Sequence[float]) -> tuple[float, float, int]:
    """Return where the bins of totals begin, how wide they are and how many: one for each count."""
    bottom, top = min([0.0, *ends]), max([1.0, *ends])
    if top - bottom <= COUNTS and all(end == round(end) for end in ends):
        return bottom - 0.5, 1.0, round(top - bottom) + 1
    return bottom, (top - bottom) / BINS, BINS


def counts_by_change(panels: Sequence[tuple[str, Sequence[Row]]]) -> Spec | None:
    """Return how many patients changed by how much, of those in whom the change is known.

    panels : title and the bars of the patients, with `ratio` and `kind` ('', '<', '>' or 'none').
    """
    edges = [0.0, *CHANGES, math.inf]
    shown = [_band(low, high) for low, high in pairwise(edges)]
    grid = []
    for title, rows in panels:
        known = [row["ratio"] for row in rows if row["ratio"] is not None and not row["kind"]]
        if not known:
            continue
        bound = sum(row["ratio"] is not None and bool(row["kind"]) for row in rows)
        tally = Counter(max(i for i, edge in enumerate(edges) if ratio >= edge) for ratio in known)
        fell = CHANGES.index(1.0)
        cells = [{"change": name, "n": tally[i], "fell": i <= fell} for i, name in enumerate(shown)]
        x = category("change", sort=shown, scale={"domain": shown}, title=None,
                     axis={"labelAngle": -50, "domain": False, "ticks": False})  # fmt: skip
        y = quantity(
            "n",
            title="patients",
            axis={"tickCount": 4, "tickMinStep": 1, "domain": False, "ticks": False},
        )
        colour = {
            "condition": {"test": "datum.fell", "value": theme.BLUE}, "value": theme.ORANGE
        }  # fmt: skip
        said = f"known in {len(known):,} of {len(rows):,}; only a limit in {bound:,}"
        grid.append(
            {"title": {"text": title, "subtitle": said, "frame": "group"}, "data": values(cells),
             "width": {"step": 30}, "height": 150,
             **mark("bar", {"x": x, "y": y, "color": colour}, width={"band": 0.8})}
        )  # fmt: skip
    if not grid:
        return None
    return {"concat": grid, "columns": 3, "spacing": {"row": 26, "column": 30}}


def _band(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{change(low)} % or more"
    return f"{change(low)} to {change(high)} %"


def given_by_day(cohort: Cohort, days: tuple[float, float]) -> Spec | None:
    """Return how many patients were given a dose of each class of immunotherapy on each day."""
    low, high = days
    found: dict[tuple[str, int], set[str]] = {}
    for step in cohort.steps:
        begin = cohort.hours(step["person_id"], step["start"]) / 24
        end = cohort.hours(step["person_id"], step["end"]) / 24
        if math.isnan(begin) or begin > high or max(begin, end) < low:
            continue
        kind = labels.heading(step["drug_class"] or labels.drug(step["drug"]))
        last = begin if math.isnan(end) else min(end, high)
        for day in range(math.floor(max(begin, low)), math.floor(last) + 1):
            found.setdefault((kind, day), set()).add(step["person_id"])
    if not found:
        return None
    cells = [{"class": kind, "day": day, "n": len(who)} for (kind, day), who in found.items()]
    axis = {"values": [day for day in range(int(low), int(high) + 1) if day % 7 == 0],
            "labelAngle": 0, "domain": False, "ticks": False}  # fmt: skip
    x = {"field": "day", "type": "ordinal", "axis": axis,
         "scale": {"domain": list(range(int(low), int(high) + 1))},
         "title": f"day from {cohort.zero}"}  # fmt: skip
    y = category("class", title=None, axis={"domain": False, "ticks": False})
    colour = quantity("n", title="patients given it", legend={"orient": "top"}, scale={
        "interpolate": "rgb", "range": ["#e8f2f9", "#00456e"]})  # fmt: skip
    drawn = mark("rect", {"x": x, "y": y, "color": colour})
    return {"data": values(cells), "width": {"step": 16}, "height": {"step": 22}, **drawn}


def course(
    cohort: Cohort, clock: str, name: str, days: tuple[float, float]
) -> tuple[list[Row], str]:
    """Return the quartiles of one variable by day from a clock, and the unit; a limit as the limit."""
    series = cohort.result.frames["series"]
    series = series.take(np.flatnonzero(series.coded("variable").among([name])))
    since = {
        who: (cohort.time_zero(who, clock) - cohort.time_zero(who)) / HOUR
        for who in cohort.described
    }
    person = series.coded("person_id")
    day = (
        series["hours_from_t0"] - person.map(lambda who: since.get(who, math.nan), np.float64)
    ) / 24
    low, high = series["low"], series["high"]
    low = np.where((low <= 0) & (low < high), -np.inf, low)  # `<5` is from 0, or from -inf
    ends = np.stack([low, high])
    known = np.isfinite(ends)
    with np.errstate(invalid="ignore"):
        value = np.where(known, ends, 0.0).sum(axis=0) / known.sum(axis=0)
    inside = (day >= days[0]) & (day <= days[1]) & known.any(axis=0)
    units = list(dict.fromkeys(series["unit"][inside].tolist()))
    rows = quartiles(person.code[inside], day[inside], np.maximum(value[inside], 1e-3), days[1])
    return rows, units[0] if len(units) == 1 else ""


def quartiles(person: Array, day: Array, value: Array, end: float) -> list[Row]:
    """Return median and quartiles of the persons' last values in each day, ten or more having one."""
    whole = np.floor(day)
    order = np.lexsort((day, whole, person))
    person, whole, value = person[order], whole[order], value[order]
    last = np.append((person[1:] != person[:-1]) | (whole[1:] != whole[:-1]), True)[: len(order)]
    whole, value = whole[last], value[last]
    found: list[Row] = []
    for each in np.unique(whole).tolist():
        mine = value[whole == each]
        if len(mine) >= FEWEST and each + 0.5 < end:
            low, middle, high = np.quantile(mine, (0.25, 0.5, 0.75), method="weibull").tolist()
            found.append({"day": each + 0.5, "low": low, "value": middle, "high": high})
    return found


def band(at: Spec, rows: Sequence[Row]) -> list[Spec]:
    """Return the middle half of the patients as a band and their median as a line."""
    half = at | {"y": at["y"] | {"field": "low"}, "y2": {"field": "high"}}
    return [
        {**mark("area", half, color=theme.SKY, opacity=0.7), "data": values(rows)},
        {**mark("line", at, color=theme.BLACK, strokeWidth=2.2), "data": values(rows)},
    ]
