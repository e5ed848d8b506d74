"""How many persons, stays and rows were left after each step, and why the others were not."""

from __future__ import annotations

import html
import textwrap
from typing import Final

from becalm.report import theme
from becalm.report.cohort import Cohort, Row

BOX: Final = 430
SIDE: Final = 400
GAP: Final = 18
LINE: Final = 16
LETTERS: Final = 54
"""Letters that fit on one line of a box at the figure's type size."""


def draw(cohort: Cohort) -> str:
    """Return the flow of persons as SVG: a box a step, what it took away beside the arrow."""
    steps = sorted(cohort.result.tables["attrition"].rows(), key=lambda row: row["step"])
    parts: list[str] = []
    y = 8
    for i, step in enumerate(steps):
        before = steps[i - 1] if i else None
        if before is not None:
            lost = _lost(before, step)
            height = LINE * len(lost) + 10
            drop = height + GAP
            middle = y + drop / 2
            parts.append(_arrow(BOX / 2, y, BOX / 2, y + drop))
            if before["persons"] != step["persons"] or before["rows"] != step["rows"]:
                parts.append(_arrow(BOX / 2, middle, BOX + 36, middle))
                parts.append(_box(BOX + 38, middle - height / 2, SIDE, height, lost, pale=True))
            y += drop
        words = textwrap.wrap(_reason(step), LETTERS) + [_kept(step)]
        height = LINE * len(words) + 12
        parts.append(_box(2, y, BOX, height, words, bold=len(words) - 1, last=i == len(steps) - 1))
        y += height
    size = (BOX + SIDE + 44, y + 8)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {size[0]} {size[1]}"><rect width="100%" height="100%" fill="{theme.WHITE}"/>'
        f'<g font-family="{theme.FONT}" font-size="11" fill="{theme.BLACK}">{"".join(parts)}</g></svg>'
    )


def _reason(step: Row) -> str:
    return str(step["reason"])[:1].upper() + str(step["reason"])[1:]


def _plural(n: int, one: str) -> str:
    return f"{n:,} {one}{'' if n == 1 else 's'}"


def _kept(step: Row) -> str:
    counts = [
        _plural(step[f"{name}s"], name)
        for name in ("person", "stay", "row")
        if step[f"{name}s"] >= 0
    ]
    return " · ".join(counts)


def _lost(before: Row, step: Row) -> list[str]:
    """Say what a step took away; a count that is unknown on either side is left out."""
    lost = [
        _plural(before[f"{name}s"] - step[f"{name}s"], name)
        for name in ("person", "stay", "row")
        if min(before[f"{name}s"], step[f"{name}s"]) >= 0
    ]
    return [f"left out: {' · '.join(lost)}"]


def _box(
    x: float, y: float, width: float, height: float, words: list[str],
    *, bold: int = -1, pale: bool = False, last: bool = False,
) -> str:  # fmt: skip
    stroke = theme.GREY if pale else theme.BLACK
    fill = "#e8f2f9" if last else theme.WHITE
    lines = "".join(
        f'<text x="{x + 12:g}" y="{y + 7 + LINE * (i + 0.72):.1f}"'
        f"{' font-weight=' + chr(34) + '600' + chr(34) if i == bold else ''}>{html.escape(word)}</text>"
        for i, word in enumerate(words)
    )
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width}" height="{height:g}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="{0.8 if pale else 1.2}"/>{lines}'
    )


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    across = y1 == y2
    head = f"M{x2:g},{y2:g}l-7,-3.5v7z" if across else f"M{x2:g},{y2:g}l-3.5,-7h7z"
    return (
        f'<path d="M{x1:g},{y1:g}L{x2:g},{y2:g}" stroke="{theme.BLACK}" fill="none"/>'
        f'<path d="{head}" fill="{theme.BLACK}"/>'
    )
