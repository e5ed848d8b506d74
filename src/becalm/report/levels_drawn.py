"""The figures of levels: a band of concentration, the levels on it, the futures of the kidney, and the doses beneath."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from becalm.pk import NOT_ADVICE, LevelUpdate
from becalm.report import theme
from becalm.report.vega import Spec, category, flat, mark, quantity, values

_WIDTH: Final = 760
_HIGH: Final = 300
_LOW: Final = 70
_LONG: Final = 4.0
"""Hours: a longer infusion is drawn as an area from its start to its end."""
_SIDE: Final[Spec] = {"minExtent": 48, "maxExtent": 48}
_FUTURES: Final = {
    "goes_on": ("kidney goes on as now", theme.VERMILION),
    "stays": ("kidney stays", theme.BLACK),
    "recovers": ("kidney recovers", theme.GREEN),
}
_SEEN: Final = {
    "used": ("level, used", theme.BLACK, "circle"),
    "not used": ("level, not used", theme.VERMILION, "cross"),
}


def figures(found: LevelUpdate, most: int) -> Iterator[theme.Figure]:
    """Yield a figure for each course whose levels could be looked at, the first ones of many."""
    drawn = [each for each in found.courses if each.update is not None]
    for each in drawn[:most]:
        name = re.sub(r"[^a-z0-9]+", "_", f"levels_{each.person_id}_{each.number}".lower()).strip(
            "_"
        )
        title = f"{found.model.drug}: {each.person_id}, course {each.number}"
        svg, pixels = theme.drawn(_spec(found, each.person_id, each.number, title))
        yield theme.Figure(name, title, NOT_ADVICE, svg, pixels)


def _spec(found: LevelUpdate, person: str, course: int, title: str) -> Spec:
    def of(frame: Any) -> list[dict[str, Any]]:
        return [
            dict(row)
            for row in frame.rows()
            if row["person_id"] == person and row["course"] == course
        ]

    curves, levels, doses = of(found.curves), of(found.levels), of(found.doses)
    end = max(row["hours"] for row in curves)
    scale, unit = (24.0, "Days") if end > 96 else (1.0, "Hours")
    for row in (*curves, *levels, *doses):
        row["t"] = row["hours"] / scale
    time = quantity("t", title=unit, scale=flat(0, end / scale))
    above: Spec = {**time, "axis": {"labels": False, "title": None}}
    top = max([row["p95"] for row in curves] + [_height(row) for row in levels])
    axis = {"title": f"{found.model.drug} (mg/L)", "scale": flat(0, top * 1.05), "axis": _SIDE}
    past = [row for row in curves if row["future"] == "past"]
    layers = [
        *_band(above, axis, past, theme.SKY, theme.BLUE),
        *_futures(above, axis, [row for row in curves if row["future"] != "past"]),
        *_points(above, axis, levels),
    ]
    now = next(row["hours"] for row in of(found.updates))
    layers.append({**mark("rule", {"x": above}, color=theme.GREY, strokeDash=[2, 2]), "data": values([{"t": now / scale}])})  # fmt: skip
    whole: Spec = {
        "width": _WIDTH,
        "height": _HIGH,
        "layer": layers,
        "title": {"text": title, "subtitle": [*_notes(found), NOT_ADVICE]},
    }
    return {
        "vconcat": [whole, _doses(time, [*doses, *_next(found, person, course, scale)], scale)],
        "resolve": {"scale": {"x": "shared"}},
    }


def _notes(found: LevelUpdate) -> list[str]:
    """Return what a reader of the figure needs to know."""
    then = found.settings["then"] or "no further doses"
    notes = [
        found.model.title,
        "Given the levels used: median (line), half (dark), nine tenths (pale); bars: what was predicted of a level before it (90 %)",
        f"After the dotted line: three futures of the kidney with {then}",
    ]
    if any("extrapolated" in each for course in found.courses for each in course.course.remarks):
        notes.append(
            "Some covariates lie outside those in which the model was studied: extrapolated"
        )
    return notes


def _band(time: Spec, axis: Spec, rows: list[dict[str, Any]], pale: str, dark: str) -> list[Spec]:
    layers = [
        mark("area", {"x": time, "y": quantity("p05", **axis), "y2": {"field": "p95"}}, color=pale, opacity=0.45),
        mark("area", {"x": time, "y": quantity("p25", **axis), "y2": {"field": "p75"}}, color=pale),
        mark("line", {"x": time, "y": quantity("p50", **axis)}, color=dark, strokeWidth=1.5),
    ]  # fmt: skip
    return [{**each, "data": values(rows)} for each in layers]


def _futures(time: Spec, axis: Spec, rows: list[dict[str, Any]]) -> list[Spec]:
    """Return the bands of the futures, and their medians in colours with a legend."""
    for row in rows:
        row["name"] = _FUTURES[row["future"]][0]
    names = [
        name for key, (name, _) in _FUTURES.items() if any(row["future"] == key for row in rows)
    ]
    colours = [colour for name, colour in _FUTURES.values() if name in names]
    colour = category(
        "name",
        title=None,
        scale={"domain": names, "range": colours},
        legend={"orient": "bottom", "symbolOpacity": 1},
    )
    band = mark(
        "area",
        {
            "x": time,
            "y": quantity("p05", **axis),
            "y2": {"field": "p95"},
            "color": colour,
        },
        opacity=0.13,
    )
    line = mark("line", {"x": time, "y": quantity("p50", **axis), "color": colour}, strokeWidth=1.8)
    return [{**each, "data": values(rows)} for each in (band, line)]


def _height(row: dict[str, Any]) -> float:
    """Return where a level stands: its value, or the limit that it is beyond."""
    return float(
        row["low"] if row["high"] == float("inf") or row["low"] == row["high"] else row["high"]
    )


def _points(time: Spec, axis: Spec, rows: list[dict[str, Any]]) -> list[Spec]:
    """Return the levels: filled where they were used, crosses where they were not, triangles for limits."""
    shown = []
    for row in rows:
        limit = "" if row["low"] == row["high"] else "<" if row["low"] <= 0 else ">"
        shown.append({"t": row["t"], "level": _height(row), "seen": "used" if row["used"] else "not used", "limit": limit,
                      "walk_p05": row["walk_p05"], "walk_p95": row["walk_p95"]})  # fmt: skip
    shape = category(
        "seen",
        title="level",
        scale={"domain": list(_SEEN), "range": [each[2] for each in _SEEN.values()]},
        legend={"orient": "bottom"},
    )
    expected = [row for row in shown if row["walk_p05"] == row["walk_p05"]]
    bars = mark("rule", {"x": time, "y": quantity("walk_p05", **axis), "y2": {"field": "walk_p95"}}, color=theme.GREY, strokeWidth=1)  # fmt: skip
    points = mark("point", {"x": time, "y": quantity("level", **axis), "shape": shape}, filled=True, size=60, opacity=1, color=theme.BLACK)  # fmt: skip
    limits = mark("text", {"x": time, "y": quantity("level", **axis), "text": category("limit")}, dx=10, fontSize=13, color=theme.BLACK)  # fmt: skip
    return [
        {**bars, "data": values(expected)},
        {**points, "data": values(shown)},
        {**limits, "data": values([row for row in shown if row["limit"]])},
    ]


def _next(found: LevelUpdate, person: str, course: int, scale: float) -> list[dict[str, Any]]:
    """Return the single doses of the regimen that the user named, from now on; those per kg are not drawn."""
    (one,) = (each for each in found.courses if (each.person_id, each.number) == (person, course))
    if one.update is None:
        return []
    now = one.update.now
    return [
        {"hours": now + d.hours, "t": (now + d.hours) / scale, "mg": d.amount, "over_h": d.over, "ahead": True}
        for d in one.update.then.doses
        if not d.per_kg
    ]  # fmt: skip


def _doses(time: Spec, rows: list[dict[str, Any]], scale: float) -> Spec:
    """Return the doses as bars of mg, pale ones ahead; those of unknown amount as an open mark on the axis."""
    known = [row for row in rows if row["mg"] == row["mg"]]
    unknown = [{"t": row["t"], "none": 0.0} for row in rows if row["mg"] != row["mg"]]
    for row in known:
        row["end"] = (row["hours"] + max(row["over_h"], 0.0)) / scale
        row["ink"] = 0.4 if row.get("ahead") else 1.0
    highest = max([row["mg"] for row in known], default=1.0)
    axis = {
        "title": "Dose (mg)",
        "scale": flat(0, highest * 1.15),
        "axis": _SIDE | {"tickCount": 3},
    }
    bars = mark(
        "rule",
        {
            "x": time,
            "y": quantity("mg", **axis),
            "y2": {"datum": 0},
            "opacity": quantity("ink", scale=None, legend=None),
        },
        color=theme.ORANGE,
        strokeWidth=3,
    )
    layers = [{**bars, "data": values(known)}]
    long = [row for row in known if row["over_h"] > _LONG]
    if long:
        spans = mark("rect", {"x": time, "x2": {"field": "end"}, "y": quantity("mg", **axis), "y2": {"datum": 0}}, color=theme.ORANGE, opacity=0.3)  # fmt: skip
        layers.append({**spans, "data": values(long)})
    if unknown:
        open_mark = mark("point", {"x": time, "y": quantity("none", **axis)}, shape="triangle-up", size=50, color=theme.VERMILION)  # fmt: skip
        layers.append({**open_mark, "data": values(unknown)})
    return {"width": _WIDTH, "height": _LOW, "layer": layers}
