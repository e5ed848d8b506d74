"""Who was given what, when, and how it ended: a band a patient, a lane a drug."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from becalm.core.digits import fixed
from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import ROW_EACH, Cohort, Row
from becalm.report.figures import crowd
from becalm.report.figures.infusions import infused
from becalm.report.text import age, by_then
from becalm.report.vega import LINK, Spec, category, flat, mark, quantity, values
from becalm.study.result import PER_PERSON

BEFORE: Final = 8.0
LONGEST: Final = 42.0
SHORTEST: Final = 10.0
JOINED: Final = 36.0
"""Hours between two doses of a drug over which its lane is drawn through."""
FOLLOW_UP: Final = "follow-up"
INFECTION: Final = "infection"
NOT_KNOWN: Final = "not known"
"""The organism where nobody knows whether anything grew."""


def window(cohort: Cohort) -> tuple[float, float]:
    """Return the days drawn: to the last death, discharge or end of infusion, 10 to 42."""
    ends = [cohort.hours(s["person_id"], s["end"]) / 24 for s in cohort.steps if s["rate"] > 0]
    for person, row in cohort.outcome.items():
        ends += [cohort.day_of_death(person), cohort.hours(person, row["discharged"]) / 24]
    known = [end for end in ends if not math.isnan(end)]
    return -BEFORE, float(math.ceil(min(LONGEST, max([SHORTEST, *known])) + 1))


def spec(cohort: Cohort) -> Spec | None:
    """Return the figure; None for an empty cohort."""
    if not cohort.n:
        return None
    if cohort.n > PER_PERSON:
        return crowd.given_by_day(cohort, window(cohort))
    return _each(cohort) if cohort.n <= ROW_EACH else _compact(cohort)


def lanes(cohort: Cohort, person: str, days: tuple[float, float]) -> tuple[list[Row], list[Row]]:
    """Return a patient's companion drugs: single doses, and stretches drawn through, in days."""
    low, high = days
    given: dict[str, list[tuple[float, float]]] = {}
    for step in cohort.steps:
        start = cohort.hours(person, step["start"])
        end = cohort.hours(person, step["end"])
        if step["person_id"] != person or math.isnan(start) or end < 24 * low or start > 24 * high:
            continue
        if step["drug"] != cohort.drug:
            given.setdefault(step["drug"], []).append((start, start if math.isnan(end) else end))
    ticks: list[Row] = []
    bars: list[Row] = []
    for drug, spans in sorted(given.items(), key=lambda pair: min(pair[1])):
        spans.sort()
        link = cohort.link("given", person, drug)
        ticks += [
            {"lane": labels.drug(drug), "start": max(s / 24, low), "link": link} for s, _ in spans
        ]
        start, end = spans[0]
        for first, last in [*spans[1:], (math.inf, math.inf)]:
            if first - end > JOINED:
                bar = {
                    "lane": labels.drug(drug),
                    "start": max(start / 24, low),
                    "end": min(end / 24, high),
                }
                bars.append(bar)
                start, end = first, last
            end = max(end, last)
    return ticks, bars


def grown(cohort: Cohort, person: str, days: tuple[float, float]) -> list[Row]:
    """Return what grew in a patient's cultures, from the first positive sample to the last, in days.

    `kind` is `counts` for an infection, else `other`: it does not count, or nobody can tell. Growth without a
    date is not drawn, nor is a sample in which growth would not count.
    """
    low, high = days
    rows: list[Row] = []
    for i, row in enumerate(cohort.rows("infections")):
        if row["person_id"] != person or row["onset_is"] == "unknown":
            continue
        if row["counts"] is False and row["organism"] == NOT_KNOWN:
            continue
        first, last = (cohort.hours(person, row[name]) / 24 for name in ("onset", "last_positive"))
        last = first if math.isnan(last) else max(first, last)
        if last < low or first > high:
            continue
        rows.append(
            {
                "lane": INFECTION, "person": person, "start": max(first, low), "end": min(last, high),
                "kind": "counts" if row["counts"] is True else "other",
                "link": cohort.link("infection", person, str(i)),
            }
        )  # fmt: skip
    return rows


def _growth(x: Spec, y: Spec, offset: float = 0) -> list[Spec]:
    """Return the marks of what grew: a disc for an infection, a ring for what does not count."""
    at = {"x": x, "y": y}
    place: Spec = {"yOffset": offset, "filled": True, "opacity": 1, "size": 52}
    return [
        mark("bar", at | {"x2": {"field": "end"}}, color=theme.VERMILION, height=2.5, yOffset=offset),
        mark("point", at | LINK, where="datum.kind === 'counts'", color=theme.VERMILION, **place),
        mark("point", at | LINK, where="datum.kind === 'other'", fill=theme.WHITE,
             stroke=theme.VERMILION, strokeWidth=1.4, **place),
    ]  # fmt: skip


def follow_up(cohort: Cohort, person: str) -> list[Row]:
    """Return what a patient's follow-up shows: the bar, and death or discharge upon it, in days."""
    low, high = window(cohort)
    row = cohort.outcome.get(person, {})
    day = {
        name: cohort.hours(person, row[name]) / 24 if row else math.nan
        for name in ("discharged", "last_contact")
    }
    day["death_time"] = cohort.day_of_death(person)
    known = [d for d in (*day.values(), row.get("follow_up_days", math.nan)) if not math.isnan(d)]
    last = day["death_time"] if not math.isnan(day["death_time"]) else max(known, default=math.nan)
    rows: list[Row] = []
    if not math.isnan(last):
        rows.append({"kind": "seen", "start": 0.0, "end": max(0.0, min(last, high))})
        if last > high and row.get("died") is not True:
            seen = "last seen" if row.get("died") is None else "alive"
            rows.append({"kind": "beyond", "start": high, "text": f"{seen}, day {fixed(last)}"})
        elif row.get("died") is not True:
            rows.append(
                {"kind": "alive", "start": last, "text": f"last seen, day {fixed(last, 1)}"}
            )
    if row.get("died") is True:
        at = day["death_time"]
        if math.isnan(at) or at > high:
            text = "died, day unknown" if math.isnan(at) else f"died, {by_then(row)}day {fixed(at)}"
            rows.append({"kind": "beyond", "start": high, "text": text})
        else:
            rows.append(
                {"kind": "died", "start": at, "text": f"died, {by_then(row)}day {fixed(at, 1)}"}
            )
    elif low < day["discharged"] < high:
        rows.append({"kind": "discharged", "start": day["discharged"], "text": ""})
    link = cohort.link("end", person)
    return [{"lane": FOLLOW_UP, "person": person, "link": link, **row} for row in rows]


def patient_title(cohort: Cohort, person: str) -> str:
    """Return a patient's heading: id, sex, age, background."""
    row = cohort.person[person]
    parts = [
        person,
        f"{row['sex']} {age(row['age'])}".strip(),
        labels.conditions(row["underlying"]),
    ]
    return " · ".join(part for part in parts if part)


def _x(cohort: Cohort, field: str, *, labelled: bool) -> Spec:
    low, high = window(cohort)
    ticks = [day for day in range(int(low), int(high) + 1) if day % 7 == 0]
    axis = {"values": ticks, "labels": labelled, "ticks": labelled, "domain": labelled}
    text = f"days from {cohort.zero}{' (t0)' if cohort.drug else ''}" if labelled else None
    return quantity(field, scale=flat(low, high), title=text, axis=axis)


def _endings(x: Spec, y: Spec) -> list[Spec]:
    """Return the marks of a follow-up lane."""
    at = {"x": x, "y": y} | LINK
    text = at | {"text": {"field": "text"}}
    point: Spec = {"filled": True, "opacity": 1, "color": theme.BLACK}
    return [
        mark("bar", at | {"x2": {"field": "end"}}, where="datum.kind === 'seen'",
             color=theme.PALE, height=7),
        mark("point", at, where="datum.kind === 'discharged'", shape="diamond", size=70,
             filled=True, fill=theme.WHITE, stroke=theme.BLACK, strokeWidth=1.4, opacity=1),
        mark("point", at, where="datum.kind === 'died'", shape="cross", angle=45, size=110, **point),
        mark("point", at, where="datum.kind === 'beyond'", shape="triangle-right", size=60, **point),
        mark("text", text, where="datum.kind !== 'seen' && datum.text !== ''", align="left", dx=9,
             fontSize=10.5),
    ]  # fmt: skip


def _each(cohort: Cohort) -> Spec:
    """Return a band a patient: dose height, follow-up, then a lane for each companion drug."""
    width = theme.WIDTH - 300
    most = max((s["rate"] for s in cohort.steps if s["drug"] == cohort.drug and s["rate"] > 0),
               default=1.0)  # fmt: skip
    bands: list[Spec] = []
    for i, person in enumerate(cohort.ids):
        final = i == cohort.n - 1
        head = {"title": {"text": patient_title(cohort, person), "frame": "bounds", "offset": 4}}
        if cohort.drug:
            bands.append({**_dose(cohort, person, most), "width": width, "height": 44, **head})
            head = {}
        ticks, bars = lanes(cohort, person, window(cohort))
        found = grown(cohort, person, window(cohort))
        names = list(dict.fromkeys([FOLLOW_UP, *(row["lane"] for row in (*found, *ticks))]))
        y = category("lane", sort=names, title=None, scale={"domain": names},
                     axis={"domain": False, "ticks": False, "grid": False, "labelPadding": 6,
                           "minExtent": 130, "maxExtent": 130})  # fmt: skip
        x = _x(cohort, "start", labelled=final)
        at = {"x": x, "y": y}
        layers = [
            {**layer, "data": values(follow_up(cohort, person))} for layer in _endings(x, y)
        ] + [
            {**mark("bar", at | {"x2": {"field": "end"}}, color="#b9c2ca", height=2.5),
             "data": values(bars)},
            {**mark("tick", at | LINK, color=theme.BLACK, thickness=1.6, size=8), "data": values(ticks)},
            *[{**layer, "data": values(found)} for layer in _growth(x, y) if found],
            _zero(cohort),
        ]  # fmt: skip
        bands.append({"width": width, "height": {"step": 13}, "layer": layers, **head})
    return {"vconcat": bands, "spacing": 5}


def _dose(cohort: Cohort, person: str, most: float) -> Spec:
    low, high = window(cohort)
    rates, singles = [], []
    link = cohort.link("given", person, cohort.drug)
    for step in cohort.rates:
        start, end = (cohort.hours(person, step[name]) / 24 for name in ("start", "end"))
        if step["person_id"] == person and end >= low and start <= high:
            span = {"start": max(start, low), "end": min(end, high)}
            assumed = bool(step["end_assumed"])
            rates.append(span | {"rate": step["rate"], "zero": 0, "assumed": assumed, "link": link})
    for step in cohort.singles:
        start = cohort.hours(person, step["start"]) / 24
        if step["person_id"] == person and low <= start <= high:
            singles.append({"start": start, "rate": most * 1.2, "link": link})
    x = _x(cohort, "start", labelled=False)
    axis = {"tickCount": 2, "domain": False, "ticks": False, "titleAngle": 0, "minExtent": 130,
            "maxExtent": 130, "titleAlign": "right", "titleBaseline": "middle", "titlePadding": 8}  # fmt: skip
    y = quantity("rate", scale=flat(0, most * 1.35), title=[labels.heading(labels.drug(cohort.drug)), f"{cohort.unit}/h"],
                 axis=axis | {"minExtent": 30, "maxExtent": 30})  # fmt: skip
    box = {"x": x, "x2": {"field": "end"}, "y": y, "y2": {"field": "zero"}} | LINK
    return {
        "layer": [
            *[{**each, "data": values(rates)} for each in infused(box)],
            {
                **mark("point", {"x": x, "y": y} | LINK, shape="triangle-down", size=46, filled=True,
                       color=theme.BLACK, opacity=1),
                "data": values(singles),
            },
            _zero(cohort),
        ]
    }  # fmt: skip


def _zero(cohort: Cohort) -> Spec:
    low, high = window(cohort)
    rule = mark("rule", {"x": quantity("day", scale=flat(low, high))}, color=theme.GREY)
    return {**rule, "data": values([{"day": 0}])}


def _compact(cohort: Cohort) -> Spec:
    """Return one line a patient, shortest follow-up first, doses coloured by class."""
    low, high = window(cohort)
    ends = [row for person in cohort.ids for row in follow_up(cohort, person)]
    seen = {row["person"]: row["end"] for row in ends if row["kind"] == "seen"}
    order = sorted(cohort.ids, key=lambda person: (seen.get(person, low), person))
    given = []
    for step in cohort.steps:
        day = cohort.hours(step["person_id"], step["start"]) / 24
        if low <= day <= high:
            kind = labels.heading(step["drug_class"] or labels.drug(step["drug"]))
            link = cohort.link("given", step["person_id"], step["drug"])
            row = {"person": step["person_id"], "start": day, "class": kind, "link": link}
            given.append(row)
    step_size = max(2.0, min(13.0, 1100 / cohort.n))
    y = category("person", sort=order, scale={"domain": order}, title=None,
                 axis={"domain": False, "ticks": False, "labels": step_size > 9})  # fmt: skip
    x = _x(cohort, "start", labelled=True)
    classes = sorted({row["class"] for row in given})
    colour = category("class", title="Immunotherapy given", scale={
        "domain": classes, "range": [theme.OKABE_ITO[i % 8] for i in range(len(classes))]})  # fmt: skip
    shapes = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross"]
    shape = category("class", title="Immunotherapy given", scale={
        "domain": classes, "range": [shapes[i % 6] for i in range(len(classes))]})  # fmt: skip
    layers = [
        {**layer, "data": values(ends)} for layer in _endings(x, y)[: 4 if step_size < 9 else 5]
    ]
    dots = mark("point", {"x": x, "y": y, "color": colour, "shape": shape} | LINK, size=34, filled=True,
                opacity=0.95)  # fmt: skip
    if given:
        layers.append({**dots, "data": values(given)})
    found = [row for person in cohort.ids for row in grown(cohort, person, (low, high))]
    if found:
        layers += [{**layer, "data": values(found)} for layer in _growth(x, y, 4.0)]
    layers.append(_zero(cohort))
    return {"width": theme.WIDTH - 420, "height": {"step": step_size}, "layer": layers}


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield treatment and follow-up."""
    treated = bool(cohort.drug)
    lane = f"Blue: rate of {labels.drug(cohort.drug)} in {cohort.unit}/h; ▼ single dose by any route; dashed: end assumed. "
    signs = "◇\u00a0discharge, ✖\u00a0death, ▶\u00a0follow-up goes beyond the figure."
    if cohort.n <= PER_PERSON and any(
        grown(cohort, person, window(cohort)) for person in cohort.ids
    ):
        signs += " ●\u00a0infection by culture, from the first positive sample to the last; ○\u00a0growth that does not count, or a sample of which nobody can tell."
    if cohort.n <= ROW_EACH:
        others = "Ticks: single doses of other immunotherapies, joined if at most 36 h apart. "
        caption = (lane if treated else "") + others + signs
    else:
        caption = (
            "Each line: one patient, from shortest to longest follow-up. Coloured marks: doses. "
            + signs
        )
    yield Chart(
        "swimmer",
        "Treatment and follow-up" if treated else "Immunotherapies given and follow-up",
        crowd.SWIMMER if cohort.n > PER_PERSON else caption,
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(30, charts)
