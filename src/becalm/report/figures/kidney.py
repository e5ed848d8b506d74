"""The stage of kidney injury over time by each arm, with clearance beneath; patients of a large cohort are counted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import ROW_EACH, Cohort, Row
from becalm.report.vega import LINK, Spec, category, flat, mark, quantity, values
from becalm.study.result import PER_PERSON

BEFORE: Final = 8
LONGEST: Final = 28
SHORTEST: Final = 7
COLOURS: Final = ("#e3e8ec", "#f6d7a0", theme.ORANGE, theme.VERMILION)
"""Of stage 0 to 3, darker from one to the next also in a grey print."""
LANES: Final = {
    "stage_by_creatinine": labels.variable("creatinine"),
    "stage_by_urine": "urine",
    "on_replacement": "replacement",
}
UNSURE: Final = "?"
STAGES: Final = ("0", "1", "2", "3")


def window(cohort: Cohort) -> tuple[int, int]:
    """Return the days drawn: from the first known stage to the last one, at most 8 before and 28 after time zero."""
    frame = cohort.keep(cohort.result.tables["kidney_over_time"])
    zero = _zeros(cohort)
    ids = frame["person_id"].tolist()
    since = frame["stage_from"] - np.array([zero[who] for who in ids], np.int64)
    until = frame["stage_until"] - np.array([zero[who] for who in ids], np.int64)
    if not len(frame):
        return -BEFORE, SHORTEST
    low = max(-BEFORE, math.floor(since.min() / DAY))
    high = min(LONGEST, max(SHORTEST, math.ceil(until.max() / DAY)))
    return min(low, -1), high


def _zeros(cohort: Cohort) -> dict[str, int]:
    return {person: cohort.time_zero(person) for person in cohort.ids}


def strips(cohort: Cohort, columns: tuple[str, ...]) -> list[Row]:
    """Return a bar for every stretch of a stage, in days; neighbours of one stage are one bar."""
    low, high = window(cohort)
    found: list[dict[str, Any]] = []
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for row in sorted(
        cohort.rows("kidney_over_time"), key=lambda r: (r["person_id"], r["stage_from"])
    ):
        person = row["person_id"]
        start = cohort.hours(person, row["stage_from"]) / 24
        end = cohort.hours(person, row["stage_until"]) / 24
        if end < low or start > high:
            continue
        for column in columns:
            stage = _stage(row, column)
            if not stage:
                continue
            before = last.get((person, column))
            if (
                before
                and before["stage"] == stage
                and math.isclose(before["until"], start, abs_tol=1e-6)
            ):
                before["until"], before["end"] = end, min(end, high)
                continue
            bar = {
                "person": person, "lane": LANES.get(column, "worst"), "start": max(start, low), "end": min(end, high),
                "until": end, "stage": stage, "link": cohort.link("kidney", person),
            }  # fmt: skip
            last[person, column] = bar
            found.append(bar)
    return list(found)


def _stage(row: Row, column: str) -> str:
    """Return the stage that a bar shows; '' where there is none."""
    value = row[column]
    if column == "on_replacement":
        return UNSURE if value is None else "3" if value else ""
    return str(value) if value >= 0 else ""


def clearances(cohort: Cohort) -> list[Row]:
    """Return clearance at each draw by Cockcroft and Gault, and the band of kinetic eGFR since the draw before."""
    low, high = window(cohort)
    rows: list[Row] = []
    before: dict[str, float] = {}
    for row in sorted(cohort.rows("clearance"), key=lambda r: (r["person_id"], r["drawn"])):
        person = row["person_id"]
        day = cohort.hours(person, row["drawn"]) / 24
        since = before.get(person, day)
        before[person] = day
        if not low <= day <= high:
            continue
        known = {
            name: round(row[column], 1) if math.isfinite(row[column]) else None
            for name, column in (
                ("value", "cockcroft_gault_ml_min"),
                ("least", "kinetic_low_ml_min"),
                ("most", "kinetic_high_ml_min"),
            )
        }
        at = {"person": person, "day": round(day, 3), "since": round(max(since, low), 3)}
        rows.append(at | known | {"link": cohort.link("kidney", person)})
    return rows


def _x(field: str, days: tuple[int, int], *, title: str | None, labelled: bool = True) -> Spec:
    ticks = [day for day in range(days[0], days[1] + 1) if day % 7 == 0]
    axis = {
        "values": ticks,
        "labels": labelled,
        "ticks": labelled,
        "domain": labelled,
        "format": "d",
    }
    return quantity(field, scale=flat(*days), title=title, axis=axis)


def _colour() -> Spec:
    return category(
        "stage", scale={"domain": [*STAGES, UNSURE], "range": [*COLOURS, theme.WHITE]}, legend=None
    )


def _zero(days: tuple[int, int]) -> Spec:
    line = mark(
        "rule", {"x": quantity("day", scale=flat(*days))}, color=theme.BLACK, strokeDash=[3, 2]
    )
    return {**line, "data": values([{"day": 0}])}


def _bars(x: Spec, y: Spec, rows: Sequence[Row], *, height: float, numbers: bool) -> list[Spec]:
    """Return the bars of stages, each with its number where there is room for it."""
    at = {"x": x, "x2": {"field": "end"}, "y": y, "color": _colour()} | LINK
    layers = [
        {**mark("bar", at, height=height, stroke="#9aa3ab", strokeWidth=0.5), "data": values(rows)}
    ]
    if numbers:
        wide = [
            {**row, "at": _label(row["start"], row["end"])}
            for row in rows
            if row["end"] - row["start"] >= 0.8
        ]
        text = {"x": x | {"field": "at"}, "y": y, "text": category("stage")} | LINK
        label = mark("text", text, align="left", dx=3, fontSize=9.5, color=theme.BLACK)
        layers.append({**label, "data": values(wide)})
    return layers


def _label(start: float, end: float) -> float:
    """Return where a number begins: at the start of its bar, or right of time zero where that would cut it."""
    return 0.0 if -0.7 < start < 0 and end >= 0.7 else start


def _each(cohort: Cohort) -> Spec:
    """Return a panel a patient: a lane for each arm, clearance beneath."""
    days = window(cohort)
    rows, cleared = strips(cohort, tuple(LANES)), clearances(cohort)
    top = max(
        (row[name] for row in cleared for name in ("value", "most") if row[name] is not None),
        default=100.0,
    )
    top = math.ceil(top / 20) * 20.0
    across = 2 if cohort.n > 1 else 1
    width = (theme.WIDTH - 60) / across - 110
    panels: list[Spec] = []
    for person in cohort.ids:
        mine = [row for row in rows if row["person"] == person]
        own = [row for row in cleared if row["person"] == person]
        names = list(LANES.values())
        y = category("lane", sort=names, title=None, scale={"domain": names},
                     axis={"domain": False, "ticks": False, "grid": False, "minExtent": 78, "maxExtent": 78})  # fmt: skip
        lanes = _bars(
            _x("start", days, title=None, labelled=False), y, mine, height=13, numbers=True
        )
        panels.append({"vconcat": [
            {"title": {"text": person, "frame": "group", "offset": 3}, "width": width, "height": {"step": 17},
             "layer": [*lanes, _zero(days)]},
            {"width": width, "height": 84, "layer": _clearance(cohort, own, days, top)},
        ], "spacing": 3})  # fmt: skip
    return {"concat": panels, "columns": across, "spacing": {"row": 20, "column": 24}}


def _clearance(cohort: Cohort, rows: list[Row], days: tuple[int, int], top: float) -> list[Spec]:
    x = _x("day", days, title=f"days from {cohort.clock_from('t0')}")
    axis = {"tickCount": 4, "domain": False, "minExtent": 78, "maxExtent": 78}
    scale = flat(0, top)
    title = ["clearance,", "mL/min"]
    side = {"titleAngle": 0, "titleAlign": "right", "titleBaseline": "middle", "titleX": -30}
    y = quantity("value", scale=scale, title=title, axis=axis | side)
    band = {
        "x": _x("since", days, title=x["title"]),
        "x2": {"field": "day"},
        "y": quantity("least", scale=scale, title=title, axis=axis | side),
        "y2": {"field": "most"},
    }
    with_data = {"data": values(rows)}
    return [
        {**mark("rect", band | LINK, where="isValid(datum.least)", color=theme.SKY, stroke=theme.SKY,
                strokeWidth=1.5), **with_data},
        {**mark("point", {"x": x, "y": y} | LINK, where="isValid(datum.value)", filled=True, size=13,
                color=theme.BLACK, opacity=1), **with_data},
        _zero(days),
    ]  # fmt: skip


def _compact(cohort: Cohort) -> Spec:
    """Return a line a patient: the worst stage of the arms that are known."""
    days = window(cohort)
    rows = strips(cohort, ("worst_stage",))
    step = max(4.0, min(14.0, 1100 / cohort.n))
    y = category("person", sort=cohort.ids, title=None, scale={"domain": cohort.ids},
                 axis={"domain": False, "ticks": False, "labels": step > 9})  # fmt: skip
    x = _x("start", days, title=f"days from {cohort.clock_from('t0')}")
    colour = _colour() | {
        "title": labels.scale(labels.KIDNEY_INJURY),
        "legend": {"values": list(STAGES)},
    }
    at = {"x": x, "x2": {"field": "end"}, "y": y, "color": colour} | LINK
    bars = {
        **mark("bar", at, height=step - 2, stroke="#9aa3ab", strokeWidth=0.4),
        "data": values(rows),
    }
    return {"width": theme.WIDTH - 260, "height": {"step": step}, "layer": [bars, _zero(days)]}


def _counts(cohort: Cohort) -> Spec:
    """Return how many patients have each worst stage at the same hour of each day."""
    days = window(cohort)
    frame = cohort.keep(cohort.result.tables["kidney_over_time"])
    zero = _zeros(cohort)
    at_zero = np.array([zero[who] for who in frame["person_id"].tolist()], np.int64)
    since, until, stage = (frame[name] for name in ("stage_from", "stage_until", "worst_stage"))
    rows: list[Row] = []
    for day in range(days[0], days[1] + 1):
        at = at_zero + day * DAY
        now = (since <= at) & (at < until) & (since != UNKNOWN_TIME)
        counted = np.bincount(stage[now], minlength=len(STAGES))
        rows += [
            {"day": day, "stage": name, "order": i, "n": int(counted[i])}
            for i, name in enumerate(STAGES)
        ]
    x = category(
        "day",
        type="ordinal",
        title=f"days from {cohort.clock_from('t0')}",
        axis={"labelAngle": 0, "ticks": False},
    )
    y = quantity("n", stack="zero", title="patients", axis={"tickCount": 5, "domain": False})
    colour = _colour() | {
        "title": labels.scale(labels.KIDNEY_INJURY),
        "legend": {"values": list(STAGES)},
    }
    bars = mark("bar", {"x": x, "y": y, "color": colour, "order": quantity("order")},
                stroke="#9aa3ab", strokeWidth=0.5)  # fmt: skip
    return {"data": values(rows), "width": {"step": 22}, "height": 240, **bars}


def spec(cohort: Cohort) -> Spec | None:
    """Return the figure; None where no stage is known."""
    if not cohort.n or not len(cohort.keep(cohort.result.tables["kidney_over_time"])):
        return None
    if cohort.n > PER_PERSON:
        return _counts(cohort)
    return _each(cohort) if cohort.n <= ROW_EACH else _compact(cohort)


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield the stage of kidney injury over time."""
    zero = f"Dashed line: {cohort.clock_from('t0')}. "
    creatinine = labels.variable("creatinine")
    white = "White: nothing is known, which is not stage 0. "
    if cohort.n <= ROW_EACH:
        caption = (
            f"The number on each bar is the certain {labels.scale(labels.KIDNEY_INJURY)}, 0 to 3, darker where it is higher. "
            f"{white}Replacement of the kidney is stage 3, and voids what {creatinine} says; “?”: a day with a session at an "
            f"unknown hour. Beneath: clearance at each {creatinine} by Cockcroft and Gault (dots), and kinetic eGFR since the "
            f"{creatinine} before (blue: between two assumptions of the greatest rise). {zero}"
        )
    elif cohort.n <= PER_PERSON:
        caption = (
            f"Each line: one patient; the worst stage of those arms that are known. {white}{zero}"
        )
    else:
        caption = (
            "Number of patients by the worst stage of those arms that are known, at the same hour of each day. Patients "
            "of whom nothing is known on a day are not counted on it."
        )
    yield Chart("kidney", "Stage of kidney injury over time", caption, spec(cohort))


CHARTS: Final = DeclaredCharts(75, charts)
