"""Which definitions were met when: a lane each, patient by patient, and the cohort hour by hour."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from becalm.core.clock import HOUR
from becalm.core.columns import Categorical, listed
from becalm.core.frame import Frame
from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import Cohort, Row, tally
from becalm.report.figures.course import EACH, columns
from becalm.report.vega import LINK, Spec, category, flat, mark, quantity, values

BEFORE: Final = 14.0
"""Days before time zero that are drawn at most: the look-back of the storm."""
AFTER: Final = 14.0
STEP: Final = 6.0
"""Hours between the instants at which the cohort is counted."""
STATES: Final = ("met", "undetermined", "not met")
COLOURS: Final = (theme.BLUE, theme.SKY, "#c9ced3")
HEIGHTS: Final = {"met": 1.0, "undetermined": 0.62, "not met": 0.3}
"""What share of its lane a state fills, so that a grey print tells them apart."""


def stretches(cohort: Cohort) -> list[dict[str, Any]]:
    """Return what each definition said of whom, from start to end in days from time zero."""
    rows: list[dict[str, Any]] = []
    said = cohort.rows("criteria_over_time")
    for row in sorted(said, key=lambda r: (r["person_id"], r["criterion"], r["start"])):
        person = row["person_id"]
        start, end = (cohort.hours(person, row[name]) / 24 for name in ("start", "end"))
        if end <= -BEFORE or start >= AFTER:
            continue
        last = rows[-1] if rows else {}
        name, start, end = (
            cohort.definition_label(row["criterion"]),
            max(start, -BEFORE),
            min(end, AFTER),
        )
        if (last.get("person"), last.get("lane"), last.get("state"), last.get("end")) == (
            person, name, row["status"], start,
        ):  # fmt: skip
            last["end"] = end
            continue
        rows.append(
            {"person": person, "lane": name, "state": row["status"], "start": start, "end": end,
             "link": cohort.link("total", row["criterion"], person)}
        )  # fmt: skip
    return rows


def crowd(cohort: Cohort) -> Frame:
    """Return the same of many patients as columns; what follows on without a change is in two rows."""
    said = cohort.keep(cohort.result.tables["criteria_over_time"])
    said = said.sort("person_id", "criterion", "start")
    zeros = {person: cohort.time_zero(person) for person in cohort.ids}
    zero = said.coded("person_id").map(lambda person: zeros.get(person, 0), np.int64)
    start, end = ((said[name] - zero) / HOUR / 24 for name in ("start", "end"))
    near = (end > -BEFORE) & (start < AFTER)
    lane = said.coded("criterion")
    labelled = {name: cohort.definition_label(name) for name in cohort.result.definitions}
    return Frame(
        {
            "lane": Categorical(lane.code, listed(labelled.get(name, name) for name in lane.texts)),
            "state": said.coded("status"),
            "start": np.maximum(start, -BEFORE),
            "end": np.minimum(end, AFTER),
        }
    ).take(near)


def counts(drawn: Frame) -> list[Row]:
    """Count the patients in each state of each definition, every six hours."""
    times = [-BEFORE + STEP / 24 * i for i in range(round((BEFORE + AFTER) * 24 / STEP) + 1)]
    found: list[Row] = []
    for lane, state in tally(drawn, "lane", "state"):
        own = drawn.coded("lane").among([lane]) & drawn.coded("state").among([state])
        begun, ended = (
            np.searchsorted(np.sort(drawn[name][own]), times, "right") for name in ("start", "end")
        )
        found += [
            {"lane": lane, "state": state, "order": STATES.index(state), "day": day, "n": n}
            for day, n in zip(times, (begun - ended).tolist(), strict=True)
        ]
    return found


def spec(cohort: Cohort) -> Spec | None:
    """Return the figure; None where nothing was known of anybody around time zero."""
    drawn = crowd(cohort)
    if not len(drawn):
        return None
    names = [cohort.definition_label(name) for name in cohort.result.protocol.definitions.report]
    names = [name for name in names if drawn.coded("lane").among([name]).any()]
    low = math.floor(drawn["start"].min())
    everybody = _everybody(cohort, names, counts(drawn), low)
    if cohort.n > EACH:
        return everybody
    return {"vconcat": [_each(cohort, names, stretches(cohort), low), everybody], "spacing": 22}


def _colour() -> Spec:
    legend = {"orient": "top", "title": None, "symbolType": "square", "offset": 14}
    return category("state", scale={"domain": list(STATES), "range": list(COLOURS)}, legend=legend)


def _x(cohort: Cohort, field: str, low: float) -> Spec:
    ticks = [day for day in range(-int(BEFORE), int(AFTER) + 1) if day % 7 == 0]
    title = f"days from {'t0' if cohort.drug else cohort.zero}"
    return quantity(field, scale=flat(low, AFTER), title=title, axis={"values": ticks})


def _each(cohort: Cohort, names: list[str], drawn: list[dict[str, Any]], low: float) -> Spec:
    """Return a column a patient and a lane a definition; the higher and darker, the surer."""
    width = min(300.0, (theme.WIDTH - 130 - 14 * cohort.n) / cohort.n)
    y = category("lane", sort=names, scale={"domain": names}, title=None,
                 axis={"domain": False, "ticks": False, "grid": False, "minExtent": 70})  # fmt: skip
    at = {"x": _x(cohort, "start", low), "x2": {"field": "end"}, "y": y} | LINK
    layers = [
        mark("bar", at | {"color": _colour()}, where=f"datum.state === '{state}'",
             height={"band": HEIGHTS[state]})
        for state in STATES
    ]  # fmt: skip
    zero = [{"person": person, "state": "", "start": 0.0, "end": 0.0} for person in cohort.ids]
    layers.append(mark("rule", {"x": _x(cohort, "start", low)},
                       where="datum.state === ''", color=theme.GREY))  # fmt: skip
    return columns(layers, drawn + zero, width, 17.0 * len(names), named=True)


def _everybody(cohort: Cohort, names: list[str], rows: list[Row], low: float) -> Spec:
    """Return for each definition how many patients it was met in, open in and not met in."""
    beside = min(3, len(names))
    width = min(320.0, (theme.WIDTH - 60 - 60 * beside) / beside)
    ticks = sorted({0, math.ceil(cohort.n / 2), cohort.n})
    axis = {"values": ticks, "domain": False, "ticks": False, "format": "d"}
    panels = []
    for i, name in enumerate(names):
        y = quantity("n", stack="zero", scale=flat(0, cohort.n), axis=axis,
                     title="patients" if i % beside == 0 else None)  # fmt: skip
        area = {"x": _x(cohort, "day", low), "y": y, "color": _colour(),
                "order": quantity("order")}  # fmt: skip
        zero = {**mark("rule", {"x": quantity("day", scale=flat(low, AFTER))}, color=theme.GREY),
                "data": values([{"day": 0}])}  # fmt: skip
        panels.append(
            {"title": {"text": name, "frame": "group"}, "width": width, "height": 90,
             "data": values([row for row in rows if row["lane"] == name and row["day"] >= low]),
             "layer": [mark("area", area, interpolate="step-after"), zero]}
        )  # fmt: skip
    return {"concat": panels, "columns": beside, "spacing": {"row": 20, "column": 26}}


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield which definitions were met when."""
    counted = "number of patients in each status, every 6 h; patients of whom nothing was known are not counted."
    each = (
        "Top: each definition in each patient. Blue, full height: met; pale blue: undetermined, because "
        "tests are missing; grey, low: not met; blank: nothing known. Bottom: "
    )
    yield Chart(
        "standing",
        "Which definitions were met, and when",
        each + counted if cohort.n <= EACH else labels.heading(counted),
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(10, charts)
