"""The number formats of a workbook's cells: which show a percentage, and which show a date without a clock.

A workbook keeps a date and its midnight as one number; only the format of the cell says which is meant. The
part `xl/styles.xml` of the file lists the formats: a code such as `yyyy-mm-dd hh:mm`, or the number of a
format that is built in (ECMA-376, part 1, 18.8.30).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from xml.etree import ElementTree

_PERCENT: Final = frozenset({9, 10})  # built in: 0% and 0.00%
_DAYS: Final = frozenset({14, 15, 16, 17, *range(27, 32), 36, *range(50, 55), 57, 58})
"""Built in formats of a date without a clock, in every language; 34, 35, 55 and 56 differ between languages."""
_WRITTEN_OUT: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[\$[^\]]*\]')
_BRACKETS: Final = re.compile(r"\[(?![hms]+\])[^\]]*\]", re.IGNORECASE)
_CLOCK: Final = re.compile(r"[hs]|AM/PM|A/P|\[m+\]", re.IGNORECASE)
_DATE: Final = re.compile(r"[ymd]", re.IGNORECASE)
_STYLES: Final = "xl/styles.xml"


class NumberFormats(NamedTuple):
    """The styles of a workbook, by what they show: each is the number of a style as cells write it.

    percent : a percentage. days : a date without a clock.
    """

    percent: frozenset[bytes]
    days: frozenset[bytes]

    @classmethod
    def of(cls, parts: zipfile.ZipFile) -> NumberFormats:
        """Read the styles of a workbook; one without styles has none of both."""
        if _STYLES not in parts.namelist():
            return cls(frozenset(), frozenset())
        root = ElementTree.fromstring(parts.read(_STYLES))
        codes = {
            int(element.attrib["numFmtId"]): element.attrib["formatCode"]
            for element in elements(root, "numFmt")
        }
        styles = [
            int(style.attrib.get("numFmtId", "0"))
            for style in next(elements(root, "cellXfs"), ElementTree.Element("cellXfs"))
        ]
        percent = _PERCENT - set(codes) | {n for n, code in codes.items() if shows_percent(code)}
        days = _DAYS - set(codes) | {n for n, code in codes.items() if shows_day_only(code)}
        return cls(_numbers(styles, percent), _numbers(styles, days))


def shows_percent(code: str) -> bool:
    """Return whether a format shows a number as a percentage.

    >>> shows_percent("0.0%"), shows_percent('0.0" %"')
    (True, False)
    """
    return "%" in _WRITTEN_OUT.sub("", code)


def shows_day_only(code: str) -> bool:
    """Return whether a format shows a date and no clock.

    >>> shows_day_only("yyyy-mm-dd"), shows_day_only('d. mmmm yyyy;@'), shows_day_only("yyyy-mm-dd hh:mm")
    (True, True, False)
    >>> shows_day_only('dd.mm.yyyy" um "hh'), shows_day_only('yyyy"h"'), shows_day_only("0.00")
    (False, True, False)
    """
    first = _WRITTEN_OUT.sub("", code).split(";")[0]
    shown = _BRACKETS.sub("", first)
    return bool(_DATE.search(shown)) and not _CLOCK.search(shown)


def _numbers(styles: Iterable[int], formats: Iterable[int]) -> frozenset[bytes]:
    """Return the numbers of the styles that have one of these formats."""
    wanted = set(formats)
    return frozenset(str(i).encode() for i, style in enumerate(styles) if style in wanted)


def elements(root: ElementTree.Element, tag: str) -> Iterator[ElementTree.Element]:
    """Yield the elements of a tag, whatever its namespace."""
    for element in root.iter():
        if element.tag.rpartition("}")[2] == tag:
            yield element
