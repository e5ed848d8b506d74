"""How far each safety grade moved from before time zero to its worst after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from becalm.report import labels, theme
from becalm.report.chart import Chart, DeclaredCharts
from becalm.report.cohort import ROW_EACH, Cohort, Row
from becalm.report.vega import LINK, Spec, category, flat, mark, quantity, values

GRADES: Final = {labels.KIDNEY_INJURY: 3}
"""The highest grade of an event: three KDIGO stages, else four grades of CTCAE."""


def events(cohort: Cohort) -> list[str]:
    """Return the events that have rows, in the protocol's order."""
    seen = {row["event"] for row in cohort.safety}
    named = [event for event in cohort.result.protocol.safety.events if event in seen]
    return named + sorted(seen - set(named))


def spec(cohort: Cohort) -> Spec | None:
    """Return the figure; None when nothing was graded."""
    shown = events(cohort)
    if not shown:
        return None
    panel = _each if cohort.n <= ROW_EACH else _shift
    panels = [panel(cohort, event, i) for i, event in enumerate(shown)]
    if cohort.n <= ROW_EACH:
        return {"hconcat": panels, "spacing": 14}
    return {"concat": panels, "columns": 4, "spacing": {"row": 22, "column": 30}}


def _each(cohort: Cohort, event: str, i: int) -> Spec:
    """Return a patient a line: hollow before, filled after, an arrow between."""
    top = GRADES.get(event, 4)
    rows = []
    for row in cohort.safety:
        if row["event"] == event:
            before, after = row["grade_before"], row["grade_after"]
            known = before >= 0 and after >= 0
            rows.append(
                {"person": row["person_id"], "before": before if before >= 0 else None,
                 "after": after if after >= 0 else None, "same": known and before == after,
                 "moved": known and before != after, "worse": known and after > before,
                 "none": before < 0 and after < 0,
                 "link": cohort.link("safety", event, row["person_id"])}
            )  # fmt: skip
    labelled = i == 0
    y = category("person", sort=cohort.ids, scale={"domain": cohort.ids}, title=None,
                 axis={"domain": False, "ticks": False, "grid": True, "labels": labelled})  # fmt: skip
    axis = {"values": list(range(top + 1)), "domain": False, "format": "d", "labelOverlap": False}
    scale = flat(-0.4, top + 0.4)
    at = {
        "x": quantity("before", scale=scale, axis=axis, title=labels.grade(event)),
        "y": y,
    } | LINK
    to = {"x": quantity("after", scale=scale, axis=axis), "y": y} | LINK
    ink = {
        "color": {
            "condition": {"test": "datum.worse", "value": theme.VERMILION},
            "value": theme.BLUE,
        }
    }
    missing = {
        "x": {"datum": top / 2, "type": "quantitative", "scale": scale, "axis": axis},
        "y": y,
        "text": {"value": "not graded"},
    } | LINK
    layers = [
        mark("rule", at | {"x2": {"field": "after"}} | ink, where="datum.moved", strokeWidth=2),
        mark("point", at, where="isValid(datum.before)", filled=True, fill=theme.WHITE, opacity=1,
             stroke=theme.BLACK, strokeWidth=1.3, size=64),
        mark("point", to | ink, where="datum.moved && datum.worse", shape="triangle-right",
             filled=True, opacity=1, size=90),
        mark("point", to | ink, where="datum.moved && !datum.worse", shape="triangle-left",
             filled=True, opacity=1, size=90),
        mark("point", to, where="datum.same", filled=True, color=theme.BLACK, opacity=1, size=14),
        mark("point", to, where="!isValid(datum.before) && isValid(datum.after)", shape="square",
             filled=True, color=theme.BLACK, opacity=1, size=50),
        mark("text", missing, where="datum.none", fontSize=9.5, color=theme.GREY),
    ]  # fmt: skip
    width = min(150.0, (theme.WIDTH - 90) / 7 - 14)
    return {
        "title": {"text": labels.heading(labels.event(event)), "frame": "group", "anchor": "middle"},
        "data": values(rows), "width": width, "height": {"step": 24}, "layer": layers,
    }  # fmt: skip


def _shift(cohort: Cohort, event: str, i: int) -> Spec:
    """Return a shift table as a heat map: grade before by worst grade after, persons counted."""
    top = GRADES.get(event, 4)
    grades = [*(str(g) for g in range(top + 1)), "?"]
    tally: dict[tuple[str, str], int] = {}
    for row in cohort.safety:
        if row["event"] == event:
            key = tuple(
                str(g) if g >= 0 else "?" for g in (row["grade_before"], row["grade_after"])
            )
            tally[key[0], key[1]] = tally.get((key[0], key[1]), 0) + 1
    rows: list[Row] = [
        {"before": before, "after": after, "n": n, "link": cohort.link("shift", event, before)}
        for (before, after), n in tally.items()
    ]
    axis = {"domain": False, "ticks": False, "labelAngle": 0}
    x = category(
        "after",
        sort=grades,
        scale={"domain": grades},
        axis=axis,
        title=f"worst {labels.grade(event)} after",
    )
    y = category(
        "before", sort=grades[::-1], scale={"domain": grades[::-1]}, axis=axis, title="before"
    )
    colour = quantity(
        "n",
        legend=None,
        scale={"domain": [0, cohort.n], "interpolate": "rgb", "range": ["#eef4f9", theme.BLUE]},
    )
    ink = {
        "condition": {"test": f"datum.n > {0.55 * cohort.n}", "value": theme.WHITE},
        "value": theme.BLACK,
    }
    layers = [
        mark("rect", {"x": x, "y": y, "color": colour} | LINK, stroke=theme.WHITE),
        mark("text", {"x": x, "y": y, "text": quantity("n"), "color": ink} | LINK, fontSize=10.5),
    ]
    return {
        "title": {"text": labels.heading(labels.event(event)), "frame": "group"}, "data": values(rows),
        "width": {"step": 34}, "height": {"step": 24}, "layer": layers,
    }  # fmt: skip


def charts(cohort: Cohort) -> Iterator[Chart]:
    """Yield the shift of grades."""
    zero = cohort.clock_from("t0")
    scales = "; ".join(
        f"{labels.heading(labels.event(event)) if event == labels.KIDNEY_INJURY else 'other events'}: {labels.scale(event)}"
        for event in {labels.scale(event): event for event in events(cohort)}.values()
    )
    yield Chart(
        "safety",
        f"Safety: grade before {zero} and worst grade after it",
        f"{scales}. "
        + (
            "○\u00a0before; arrowhead: worst after (red: worse, blue: better); ◉\u00a0unchanged; ■\u00a0known only after."
            if cohort.n <= ROW_EACH
            else "Number of patients by grade before and worst grade after. ?: not graded."
        ),
        spec(cohort),
    )


CHARTS: Final = DeclaredCharts(90, charts)
