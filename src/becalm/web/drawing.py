"""The figure of one patient: every kind of row in a lane of its own, on one axis of days."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final

from becalm import vocabulary
from becalm.report import labels, theme
from becalm.report.text import unit
from becalm.report.vega import LINK, Spec, flat, mark, quantity, values
from becalm.web.patient import PatientView, ShownRow

WIDTH: Final = 560.0
HEIGHT: Final = 62
BAR: Final = 17
SHORTEST: Final = 0.005
"""The part of the axis from which on a bar can be seen."""
_STYLE: Final = re.compile(r' style="[^"]*"')


def anchor(number: int) -> str:
    """Return the name of a row of the table, which a mark leads to."""
    return f"row-{number}"


def figure(view: PatientView) -> str:
    """Return the drawing as SVG for the page; '' where nothing has a time."""
    spec = timeline(view)
    if spec is None:
        return ""
    drawn = theme.Figure("patient", "All rows of the patient over time", "", theme.draw(spec))
    return _STYLE.sub("", drawn.inline)


def timeline(view: PatientView) -> Spec | None:
    """Return the lanes under each other; None where there is nothing to draw."""
    numbered = list(enumerate(view.rows))
    lanes = [*_definitions(view), *_variables(view, numbered), *_bars(view, numbered)]
    if not lanes:
        return None
    last = lanes[-1]
    for layer in last["layer"]:
        layer["encoding"]["x"] = _x(view, labelled=True)
    return {"vconcat": lanes, "spacing": 8}


def _x(view: PatientView, *, labelled: bool = False) -> Spec:
    low, high = view.first_day, view.last_day
    axis = {"labels": labelled, "ticks": labelled, "domain": labelled, "tickCount": 12}
    title = f"days from {view.zero}" if labelled else None
    return quantity("day", scale=flat(low, high), title=title, axis=axis)


def _left(words: Sequence[str] | str) -> Spec:
    return {
        "title": words, "axis": {"titleAngle": 0, "titleAlign": "right", "titleBaseline": "middle", "titlePadding": 8,
                                 "minExtent": 44, "maxExtent": 44, "domain": False, "ticks": False, "tickCount": 3},
    }  # fmt: skip


def _definitions(view: PatientView) -> list[Spec]:
    """Return a lane for each definition: from its lowest to its highest total, and its cut-off."""
    lanes = []
    for name in dict.fromkeys(each.definition for each in view.stretches):
        mine = [each for each in view.stretches if each.definition == name]
        cut_off = mine[0].cut_off
        top = max(cut_off, *(each.high for each in mine if math.isfinite(each.high))) * 1.08
        rows: list[dict[str, Any]] = [
            {"day": each.day, "end": each.end, "low": each.low, "high": min(each.high, top), "status": each.status}
            for each in mine
        ]  # fmt: skip
        left = _left(mine[0].title)
        if top < 2:
            left["axis"] |= {"values": [0, 1], "format": "d"}
        y = quantity("low", scale=flat(0, top), **left)
        box = {"x": _x(view), "x2": {"field": "end"}, "y": y, "y2": {"field": "high"}}
        lanes.append(
            {
                "data": values(rows), "width": WIDTH, "height": HEIGHT,
                "layer": [
                    mark("rect", box, color=theme.SKY, stroke=theme.BLUE, strokeWidth=1),
                    mark("rule", {"x": _x(view), "x2": {"field": "end"}, "y": y | {"field": "low"}}, color=theme.BLUE,
                         strokeWidth=2),
                    {"data": values([{"low": cut_off, "day": view.first_day, "end": view.last_day}]),
                     **mark("rule", {"x": _x(view), "x2": {"field": "end"}, "y": y}, color=theme.VERMILION, strokeDash=[4, 3])},
                ],
            }
        )  # fmt: skip
    return lanes


def _variables(view: PatientView, numbered: Sequence[tuple[int, ShownRow]]) -> list[Spec]:
    """Return a lane for each variable: its values, and arrows where only a limit is known."""
    lanes = []
    for name in dict.fromkeys(row.lane for row in view.rows if row.group == "measured"):
        rows = [
            made for i, row in numbered
            if row.lane == name and row.group == "measured" and (made := _point(i, row))
        ]  # fmt: skip
        if not rows:
            continue
        variable = vocabulary.load().variable(name)
        known = [row["value"] for row in rows]
        words = [labels.heading(labels.variable(name)), unit(variable.unit)]
        if variable.log and min(known) > 0:
            scale = flat(min(known) / 1.5, max(known) * 1.5, type="log")
        else:
            spread = (max(known) - min(known)) or abs(max(known)) or 1.0
            scale = flat(min(known) - 0.15 * spread, max(known) + 0.15 * spread)
        at = {"x": _x(view), "y": quantity("value", scale=scale, **_left(words))}
        lanes.append(
            {
                "data": values(rows), "width": WIDTH, "height": HEIGHT,
                "layer": [
                    mark("line", at, color=theme.GREY, strokeWidth=1),
                    mark("point", at | LINK, where="datum.kind === 'exact'", filled=True, size=30, opacity=1,
                         color=theme.BLACK),
                    mark("point", at | LINK, where="datum.kind === 'above'", shape="triangle-up", filled=True, size=60,
                         opacity=1, color=theme.VERMILION),
                    mark("point", at | LINK, where="datum.kind === 'below'", shape="triangle-down", filled=True, size=60,
                         opacity=1, color=theme.VERMILION),
                ],
            }
        )  # fmt: skip
    return lanes


def _point(number: int, row: ShownRow) -> dict[str, Any] | None:
    """Return a value as it is drawn: the number, or the limit that is known of it."""
    kind = "above" if math.isinf(row.high) else "below" if math.isinf(row.low) else "exact"
    value = {"above": row.low, "below": row.high}.get(kind, (row.low + row.high) / 2)
    if not math.isfinite(value):
        return None
    return {"day": row.day, "value": value, "kind": kind, "link": f"#{anchor(number)}"}


def _bars(view: PatientView, numbered: Sequence[tuple[int, ShownRow]]) -> list[Spec]:
    """Return a lane for doses, and one for each of the small tables: bars, or points for moments."""
    lanes = []
    for group, title in (
        ("doses", "Drugs"), ("procedures", "Organ support, lines, procedures"), ("cultures", "Cultures"),
        ("findings", "Findings"), ("stays", "Stays"), ("end", "End"),
    ):  # fmt: skip
        mine = [(i, row) for i, row in numbered if row.group == group]
        if not mine:
            continue
        rows = [
            {
                "day": max(row.day, view.first_day), "end": min(row.end, view.last_day), "kind": _kind(row, view.last_day - view.first_day),
                "name": row.lane if group == "doses" else row.label, "link": f"#{anchor(i)}",
            }
            for i, row in mine
        ]  # fmt: skip
        names = list(dict.fromkeys(row["name"] for row in rows))
        y = {
            "field": "name", "type": "nominal", "sort": names, "title": None,
            "axis": {"domain": False, "ticks": False, "labelLimit": 150, "labelPadding": 4, "grid": False},
        }  # fmt: skip
        at = {"x": _x(view), "y": y}
        lanes.append(
            {
                "title": {"text": title, "anchor": "start", "frame": "group", "fontSize": 11, "offset": 2},
                "data": values(rows), "width": WIDTH, "height": BAR * len(names),
                "layer": [
                    mark("bar", at | {"x2": {"field": "end"}} | LINK, where="datum.kind === 'long'", height=8,
                         color=theme.BLUE),
                    mark("point", at | LINK, where="datum.kind === 'moment'", shape="diamond", filled=True, size=48,
                         opacity=1, color=theme.BLACK),
                ],
            }
        )  # fmt: skip
    return lanes


def _kind(row: ShownRow, days: float) -> str:
    """Return how a row is drawn: what is too short to be seen as a bar is a point."""
    return "long" if row.end - row.day > days * SHORTEST else "moment"
