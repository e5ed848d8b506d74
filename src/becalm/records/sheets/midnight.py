"""Dates and midnights: 00:00 in a cell is a midnight or a date without a time of day; its column decides."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, TypeAlias

from becalm.core.clock import from_us
from becalm.records.possible import is_placeholder
from becalm.records.sheets.cells import Sheet
from becalm.records.sheets.moments import Moment, moment_of, offset_text, with_column
from becalm.records.sheets.plausible import rules
from becalm.records.sheets.schema import SHEETS

_DATE: Final = "all {n} times are 00:00, so they are read as dates without a time of day. "
_DATE_HINT: Final = "If midnight is meant, write 24:00 of the day before"
_ONE_DATE: Final = "its only time is 00:00, so it is read as a date without a time of day. "
_MIDNIGHT: Final = (
    "{n} of {all} times are 00:00; they are read as midnight, as others have a time of day. "
)
_MIDNIGHT_HINT: Final = "Where the hour is not known, write the date alone"

_WITH_CLOCK: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d{1,2}:[0-5]\d")
_MAY_BE_MIDNIGHT: Final = re.compile(r".{10}[T ](?:0?0|24):00.*")

Place: TypeAlias = tuple[str, str]
"""A file (or a sheet of a workbook) and the title of a column in it."""


@dataclass
class _Clocks:
    """How many times of a column are 00:00, and how many have another time of day."""

    midnights: int = 0
    others: int = 0
    day: bool = False
    read: dict[str, Moment] = field(default_factory=dict)


def dates_and_midnights(
    sheets: Mapping[str, Sequence[Sheet]],
) -> tuple[dict[str, list[Sheet]], list[str]]:
    """Return the sheets with `2020-03-05` where 00:00 means a date, and what the user should know of it.

    In a column whose other cells have a time of day, 00:00 is midnight; a column of nothing else holds
    dates; a day (`SheetColumn.day`) is always a date. 24:00 is always the midnight at the end of its day.
    Two sheets that were made from one column of one file are judged together.
    """
    columns: dict[Place, _Clocks] = {}
    for sheet in (each for parts in sheets.values() for each in parts):
        for name in _times(sheet):
            _count(sheet, name, columns.setdefault(_place(sheet, name), _Clocks()))
    settled = {
        name: [_settled(sheet, columns) for sheet in parts] for name, parts in sheets.items()
    }
    return settled, list(_notices(columns))


def _times(sheet: Sheet) -> Iterator[str]:
    return (name for name in SHEETS[sheet.name].times() if name in sheet.columns)


def _place(sheet: Sheet, name: str) -> Place:
    return sheet.file, sheet.titles.get(name, name)


def _count(sheet: Sheet, name: str, clocks: _Clocks) -> None:
    clocks.day |= SHEETS[sheet.name].columns[name].day
    for text, n in Counter(sheet.texts(name)).items():
        if len(text) <= len("2020-01-31") or _no_date(text[: len("2020-01-31")]):
            continue
        if not _MAY_BE_MIDNIGHT.fullmatch(text):
            clocks.others += n * bool(_WITH_CLOCK.match(text))
        elif moment := moment_of(text):
            if moment.midnight or moment.end_of_day:
                clocks.read[text] = moment
            clocks.midnights += n * moment.midnight
            clocks.others += n * (not moment.midnight)


@cache
def _no_date(day: str) -> bool:
    return is_placeholder(day)


def _settled(sheet: Sheet, columns: Mapping[Place, _Clocks]) -> Sheet:
    for name in _times(sheet):
        clocks = columns[_place(sheet, name)]
        day = SHEETS[sheet.name].columns[name].day
        meant = {
            text: _day(moment, text) if day or moment.midnight else moment.text(offset_text(text))
            for text, moment in clocks.read.items()
            if day or not clocks.others or moment.end_of_day
        }
        if meant:
            sheet = with_column(sheet, name, [meant.get(t, t) for t in sheet.texts(name)])
    return sheet


def _day(moment: Moment, text: str) -> str:
    """Return the date as it is written."""
    return (
        text[: len("2020-01-31")] if moment.end_of_day else from_us(moment.wall).date().isoformat()
    )


def _notices(columns: Mapping[Place, _Clocks]) -> Iterator[str]:
    """Yield what stays ambiguous: a column of midnights only, and many midnights beside other times."""
    for (file, title), clocks in columns.items():
        n, every = clocks.midnights, clocks.midnights + clocks.others
        if not n or clocks.day:
            continue
        where = f"{file}, column {title}: "
        if not clocks.others:
            yield where + (_ONE_DATE if n == 1 else _DATE.format(n=n)) + _DATE_HINT
        elif n > every * rules().midnight.share:
            yield where + _MIDNIGHT.format(n=n, all=every) + _MIDNIGHT_HINT
