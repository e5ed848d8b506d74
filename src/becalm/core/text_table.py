"""Tables of words and numbers for a terminal of 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

WIDTH: Final = 100
"""Columns of a terminal that printed text keeps to."""
_NARROWEST: Final = 12
_GAP: Final = "  "


def text_table(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table; text is wrapped to fit, numbers are aligned to the right.

    >>> text_table(["drug", "rows"], [["anakinra", "12"], ["ruxolitinib", "3"]])
    ['drug         rows', 'anakinra       12', 'ruxolitinib     3']
    """
    widths = [max(len(text) for text in column) for column in zip(heads, *cells, strict=True)]
    numeric = [all(_is_number(row[at]) for row in cells) for at in range(len(heads))]
    least = [_least(heads[at], [row[at] for row in cells]) for at in range(len(heads))]
    room = WIDTH - len(_GAP) * (len(heads) - 1)
    while sum(widths) > room:
        spare = [0 if numeric[at] else width - least[at] for at, width in enumerate(widths)]
        widest = max(range(len(widths)), key=lambda at: (spare[at] > 0, widths[at]))
        if spare[widest] <= 0:
            least = [min(each, _NARROWEST) for each in least]
            if not any(
                w > n for w, n, right in zip(widths, least, numeric, strict=True) if not right
            ):
                break
            continue
        widths[widest] -= 1
    lines = _lines(heads, widths, numeric)
    for row in cells:
        lines += _lines(row, widths, numeric)
    return lines


def _least(head: str, column: Sequence[str]) -> int:
    """Return the length of the longest word, so that text is wrapped between words if possible."""
    words = [word for text in (head, *column) for word in text.split()]
    return min(max((len(word) for word in words), default=1), 32)


def _lines(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> list[str]:
    wrapped = [textwrap.wrap(text, width) or [""] for text, width in zip(row, widths, strict=True)]
    lines = []
    for at in range(max(len(each) for each in wrapped)):
        parts = []
        for each, width, right in zip(wrapped, widths, numeric, strict=True):
            text = each[at] if at < len(each) else ""
            parts.append(text.rjust(width) if right else text.ljust(width))
        lines.append(_GAP.join(parts).rstrip())
    return lines


def _is_number(text: str) -> bool:
    return not text or text[0] in "0123456789<>" or text == "–"
