"""The drug of interest as it was given: rate, amount in 24 hours, sum, and what ran beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import ROW_EACH, Cohort, Row
from becalm.report.figures import swimmer
from becalm.report.figures.course import PLAIN, SIDE, columns
from becalm.report.figures.infusions import infused
from becalm.report.vega import LINK, Spec, category, flat, mark, quantity

COLUMNS: Final = 5
"""Patients beside each other; more stand beneath."""
BEFORE: Final = 5.0
SHORTEST: Final = 8.0
LONGEST: Final = 28.0
LANE: Final = 118
"""Pixels that the names of the companion drugs may take."""
AXIS: Final[Spec] = (
    PLAIN
    | SIDE
    | {"minExtent": 42, "maxExtent": 42, "tickCount": 3, "format": ",~f", "labelPadding": 4}
)


def window(cohort: Cohort) -> tuple[float, float]:
    """Return the days drawn: from five before t0 to a day after the last infusion, 8 to 28."""
    ends = [cohort.hours(s["person_id"], s["end"]) / 24 for s in cohort.rates]
    last = max([SHORTEST, *(end + 1 for end in ends if not math.isnan(end))])
    return -BEFORE, float(math.ceil(min(LONGEST, last)))


def rates(cohort: Cohort) -> list[Row]:
    """Return rates (kind `rate`, start to end), single doses (`single`) and what ran at no known rate
    (`unknown`), in days.
    """
    low, high = window(cohort)
    found: list[Row] = []
    for kind, steps in (
        ("rate", cohort.rates),
        ("single", cohort.singles),
        ("unknown", cohort.unrated),
    ):
        for step in steps:
            person = step["person_id"]
            start, end = (cohort.hours(person, step[name]) / 24 for name in ("start", "end"))
            if math.isnan(start) or (end < low or start > high):
                continue
            found.append(
                {"person": person, "kind": kind, "start": max(start, low), "end": min(end, high),
                 "top": step["rate"] if kind == "rate" else None, "zero": 0,
                 "assumed": bool(kind == "rate" and step["end_assumed"]),
                 "link": cohort.link("given", person, cohort.drug)}
            )  # fmt: skip
    return found


def daily(cohort: Cohort) -> list[Row]:
    """Return the amount of every 24 hours from t0; None where the amount is not known."""
    _, high = window(cohort)
    return [
        {"person": row["person_id"], "kind": "known" if row["amount_canonical"] >= 0 else "unknown",
         "start": row["day"] - 1, "end": row["day"],
         "top": row["amount_canonical"] if row["amount_canonical"] >= 0 else None, "zero": 0,
         "link": cohort.link("given", row["person_id"], cohort.drug)}
        for row in cohort.rows("daily_dose")
        if row["drug"] == cohort.drug and 1 <= row["day"] <= high
    ]  # fmt: skip


def sums(cohort: Cohort) -> list[Row]:
    """Return the sum from t0, as far as every amount is known."""
    _, high = window(cohort)
    found: list[Row] = []
    for person in cohort.ids:
        given: list[tuple[float, float, float]] = []  # start and end in hours, amount
        for step in [*cohort.rates, *cohort.singles, *cohort.unrated]:
            if step["person_id"] == person:
                start, end = (cohort.hours(person, step[name]) for name in ("start", "end"))
                rated = step["rate"] > 0
                given.append((start, end, step["rate"] * (end - start) if rated else step["amount"]))  # fmt: skip
        edges = sorted({0.0, *(t for start, end, _ in given for t in (start, end) if t >= 0)})
        for hour in [t for t in edges if t < 24 * high] + [24 * high]:
            total = sum(_until(hour, *dose) for dose in given if 0 <= dose[0] <= hour)
            if math.isnan(total):
                break
            if found and found[-1]["person"] == person and _jumps(given, hour):
                before = sum(_until(hour, *dose) for dose in given if 0 <= dose[0] < hour)
                found.append({"person": person, "kind": "sum", "start": hour / 24, "top": before})
            found.append({"person": person, "kind": "sum", "start": hour / 24, "top": total})
    return found


def _jumps(given: list[tuple[float, float, float]], hour: float) -> bool:
    return any(start == end == hour for start, end, _ in given)


def _until(hour: float, start: float, end: float, mg: float) -> float:
    return mg if hour >= end or end <= start else mg * (hour - start) / (end - start)


def spec(cohort: Cohort) -> Spec | None:
    """Return the figure; None without a drug of interest, its doses, or for large cohorts."""
    if not cohort.drug or cohort.n > ROW_EACH or not rates(cohort):
        return None
    groups = [cohort.ids[i : i + COLUMNS] for i in range(0, cohort.n, COLUMNS)]
    panels = [_group(cohort, people) for people in groups]
    return {"vconcat": panels, "spacing": 26} if len(panels) > 1 else panels[0]


def _group(cohort: Cohort, people: list[str]) -> Spec:
    beside = min(COLUMNS, cohort.n)
    width = min(380.0, (theme.WIDTH - LANE - 60 - 14 * beside) / beside)
    zero = [{"person": person, "kind": "zero", "start": 0.0} for person in people]
    x = _x(cohort, labelled=False)
    rows: list[Spec] = []

    def row(drawn: list[Row], layers: list[Spec], height: float, *, last: bool = False) -> None:
        mine = [each for each in drawn if each["person"] in people] + zero
        at = _x(cohort, labelled=last)
        rule = mark("rule", {"x": at}, where="datum.kind === 'zero'", color=theme.GREY)
        rows.append(columns([*layers, rule], mine, width, height, named=not rows))

    lanes = _lanes(cohort, people)
    rate, day, total = rates(cohort), daily(cohort), sums(cohort)
    most = _most(rate)
    y = quantity("top", scale=flat(0, most * 1.3), title=["rate", f"{cohort.unit}/h"], axis=AXIS)
    above = {
        "x": x,
        "y": {"datum": most * 1.18, "type": "quantitative", "scale": flat(0, most * 1.3)},
    } | LINK
    row(rate, [
        *infused(_box(x, y), "datum.kind === 'rate' && "),
        mark("point", above, where="datum.kind === 'single'", shape="triangle-down", size=34,
             filled=True, color=theme.BLACK, opacity=1),
        mark("text", {"x": x, "y": {"datum": 0, "type": "quantitative"}},
             where="datum.kind === 'unknown'", text="?", align="left", dx=1, dy=-6),
    ], 70)  # fmt: skip
    y = quantity(
        "top",
        scale=flat(0, _most(day) * 1.1),
        title=["every 24 h", cohort.unit],
        axis=AXIS,
    )
    row(day, [
        mark("rect", _box(x, y), where="datum.kind === 'known'", color=theme.SKY, stroke=theme.WHITE,
             strokeWidth=0.7, opacity=1),
        mark("text", {"x": x, "y": {"datum": 0, "type": "quantitative"}},
             where="datum.kind === 'unknown'", text="?", align="left", dx=1, dy=-6),
    ], 60)  # fmt: skip
    y = quantity(
        "top",
        scale=flat(0, _most(total) * 1.1),
        title=["sum from t0", cohort.unit],
        axis=AXIS,
    )
    last = not lanes
    row(total, [mark("line", {"x": _x(cohort, labelled=last), "y": y}, where="datum.kind === 'sum'",
                     color=theme.BLACK, strokeWidth=1.4)], 60, last=last)  # fmt: skip
    if lanes:
        names = list(dict.fromkeys(each["lane"] for each in lanes))
        y = category("lane", sort=names, scale={"domain": names}, title=None,
                     axis={"domain": False, "ticks": False, "grid": False, "minExtent": 42,
                           "labelPadding": 6})  # fmt: skip
        at = {"x": _x(cohort, labelled=True), "y": y}
        row(lanes, [
            mark("bar", at | {"x2": {"field": "end"}}, where="datum.kind === 'stretch'",
                 color="#b9c2ca", height=2.5),
            mark("tick", at | LINK, where="datum.kind === 'dose'", color=theme.BLACK, thickness=1.4, size=8),
        ], 13.0 * len(names), last=True)  # fmt: skip
    return {"vconcat": rows, "spacing": 9}


def _lanes(cohort: Cohort, people: list[str]) -> list[Row]:
    """Return the companions of some patients, those given to most patients first."""
    found: list[Row] = []
    users: dict[str, set[str]] = {}
    for person in people:
        ticks, bars = swimmer.lanes(cohort, person, window(cohort))
        found += [{"person": person, "kind": "dose", **row} for row in ticks]
        found += [{"person": person, "kind": "stretch", **row} for row in bars]
        for row in ticks:
            users.setdefault(row["lane"], set()).add(person)
    return sorted(found, key=lambda row: (-len(users[row["lane"]]), row["lane"]))


def _most(rows: list[Row]) -> float:
    return max((row["top"] for row in rows if row["top"]), default=1.0)


def _box(x: Spec, y: Spec) -> Spec:
    return {"x": x, "x2": {"field": "end"}, "y": y, "y2": {"field": "zero"}} | LINK


def _x(cohort: Cohort, *, labelled: bool) -> Spec:
    low, high = window(cohort)
    step = 7 if high > 10 else 2
    ticks = [day for day in range(int(low), int(high) + 1) if day % step == 0]
    axis = {"values": ticks, "labels": labelled, "ticks": labelled, "domain": labelled}
    return quantity("start", scale=flat(low, high), axis=axis,
                    title="days from t0" if labelled else None)  # fmt: skip


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield the doses of the drug of interest as given."""
    yield Chart(
        "dose",
        f"{labels.heading(labels.drug(cohort.drug))} as given",
        f"From top: rate (▼ single dose), {cohort.unit} given in every 24 h from t0, sum from t0, and other "
        "immunotherapies (each tick: one dose). Patients in one row have the same scale. ?: rate or amount "
        "not known. White with a dashed line: a rate whose end is assumed.",
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(40, charts)
