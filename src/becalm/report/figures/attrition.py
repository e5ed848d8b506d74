"""How many persons, stays and rows were left after each step, and why the others were not."""

from __future__ import annotations

import html
import textwrap
from typing import Final

from becalm.report import labels, theme
from becalm.report.cohort import Cohort, Row, anchor

BOX: Final = 430
SIDE: Final = 400
GAP: Final = 18
LINE: Final = 16
LETTERS: Final = 54
"""Letters that fit on one line of a box at the figure's type size."""


def draw(cohort: Cohort) -> str:
    """Return the flow of persons as SVG: who was left, and beside the arrow who left and why."""
    steps = sorted(cohort.result.tables["attrition"].light_rows(), key=lambda row: row["step"])
    parts: list[str] = []
    y = 8.0
    for i, step in enumerate(steps):
        final = i == len(steps) - 1
        if i:
            lost = [
                *textwrap.wrap(_capital(cohort.reason(step["reason"])), LETTERS),
                _lost(steps[i - 1], step),
            ]
            told_at = len(lost) - 1
            if step["undetermined"] > 0:
                lost.append(f"undetermined in {_plural(step['undetermined'], 'person')}, who stay")
            height = LINE * len(lost) + 10
            down = y + height + 12
            parts.append(_line(BOX / 2, y, BOX / 2, down))
            middle = y + 6 + height / 2
            parts.append(_arrow(BOX / 2, middle, BOX + 36, middle))
            box = _box(BOX + 38, y + 6, SIDE, height, lost, bold=told_at, pale=True)
            parts.append(_linked(step, box))
            y = down
            if not final and not _moved(steps[i - 1], step):
                continue
        told = [
            _capital(cohort.reason(step["reason"]))
            if not i
            else "Cohort"
            if final
            else "Remaining",
            _kept(step),
        ]
        height = LINE * len(told) + 12
        if i:
            parts.append(_arrow(BOX / 2, y, BOX / 2, y + 8))
            y += 8
        parts.append(_linked(step, _box(2, y, BOX, height, told, bold=1, last=final)))
        y += height
    size = (BOX + SIDE + 44, y + 8)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{size[0]}" height="{size[1]:g}" '
        f'viewBox="0 0 {size[0]} {size[1]:g}"><rect width="100%" height="100%" fill="{theme.WHITE}"/>'
        f'<g font-family="{theme.FONT}" font-size="11" fill="{theme.BLACK}">{"".join(parts)}</g></svg>'
    )


def _linked(step: Row, box: str) -> str:
    """Lead a box to its row of the table that names the persons."""
    return f'<a href="#{anchor("step", str(step["step"]))}">{box}</a>'


def _capital(text: str) -> str:
    return labels.heading(text)


def _moved(before: Row, step: Row) -> bool:
    return bool(before["persons"] != step["persons"] or before["stays"] != step["stays"])


def _plural(n: int, one: str) -> str:
    return f"{n:,} {one}{'' if n == 1 else 's'}"


def _kept(step: Row) -> str:
    counts = [
        _plural(step[f"{name}s"], name)
        for name in ("person", "stay", "row")
        if step[f"{name}s"] >= 0
    ]
    return " · ".join(counts)


def _lost(before: Row, step: Row) -> str:
    """Say how many a step took away; a count that is unknown on either side is left out."""
    return " · ".join(
        _plural(before[f"{name}s"] - step[f"{name}s"], name)
        for name in ("person", "stay", "row")
        if min(before[f"{name}s"], step[f"{name}s"]) >= 0
    )


def _box(
    x: float, y: float, width: float, height: float, told: list[str],
    *, bold: int = -1, pale: bool = False, last: bool = False,
) -> str:  # fmt: skip
    stroke = theme.GREY if pale else theme.BLACK
    fill = "#e8f2f9" if last else theme.WHITE
    lines = "".join(
        f'<text x="{x + 12:g}" y="{y + 7 + LINE * (i + 0.72):.1f}"'
        f"{' font-weight=' + chr(34) + '600' + chr(34) if i == bold else ''}>{html.escape(word)}</text>"
        for i, word in enumerate(told)
    )
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width}" height="{height:g}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="{0.8 if pale else 1.2}"/>{lines}'
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:g},{y1:g}L{x2:g},{y2:g}" stroke="{theme.BLACK}" fill="none"/>'


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    head = "l-7,-3.5v7z" if y1 == y2 else "l-3.5,-7h7z"
    return _line(x1, y1, x2, y2) + f'<path d="M{x2:g},{y2:g}{head}" fill="{theme.BLACK}"/>'
