"""What a cell of the sheets can be: plausible ranges, the longest time, and dates that are none."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from becalm import vocabulary
from becalm.core import toml
from becalm.core.clock import Length

FILE: Final = Path(__file__).with_suffix(".toml")
_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?")
_DAY_LAST_OR_FIRST: Final = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:[T ].*)?")


class CellRange(toml.TomlTable, frozen=True):
    """The plausible numbers of one column, or the variable whose plausible numbers they are."""

    sheet: str
    column: str
    source: str
    verified: bool
    low: float | None = None
    high: float | None = None
    variable: str = ""

    def bounds(self) -> tuple[float, float]:
        """Return the lowest and the highest plausible number."""
        if self.low is not None and self.high is not None:
            return self.low, self.high
        plausible = vocabulary.load().variable(self.variable).plausible
        return plausible.low, plausible.high


class LongestTime(toml.TomlTable, frozen=True):
    """How long after its start a row of one sheet can end."""

    sheet: str
    column: str
    upto: Length
    source: str
    verified: bool


class Placeholder(toml.TomlTable, frozen=True):
    """Dates and words that stand for a time that is not known."""

    years: tuple[int, ...]
    dates: tuple[str, ...]
    words: tuple[str, ...]
    source: str


class Midnights(toml.TomlTable, frozen=True):
    """From when on it is said that a column has many times at 00:00 beside others."""

    share: float
    source: str


class CellRules(toml.TomlTable, frozen=True):
    """The rules of `plausible.toml`."""

    range: tuple[CellRange, ...]
    longest: tuple[LongestTime, ...]
    placeholder: Placeholder
    midnight: Midnights


def rules() -> CellRules:
    """Return the shipped rules."""
    return toml.load(FILE, CellRules)


@cache
def plausible_range(sheet: str, column: str) -> tuple[float, float] | None:
    """Return the lowest and the highest plausible number of a column, None if it has no rule."""
    found = (each for each in rules().range if (each.sheet, each.column) == (sheet, column))
    return next((each.bounds() for each in found), None)


@cache
def longest(sheet: str, column: str) -> Length | None:
    """Return how long after its start a row can end, None if there is no rule."""
    found = (each for each in rules().longest if (each.sheet, each.column) == (sheet, column))
    return next((each.upto for each in found), None)


def is_placeholder(text: str) -> bool:
    """Return whether a text is a date that stands for no date.

    >>> is_placeholder("9999-12-31T00:00"), is_placeholder("31.12.9999"), is_placeholder("2021-12-31")
    (True, True, False)
    """
    rule = rules().placeholder
    if text.casefold() in rule.words:
        return True
    if day := _DAY.fullmatch(text):
        days = [day[1]]
    elif swapped := _DAY_LAST_OR_FIRST.fullmatch(text):
        one, two, year = (int(part) for part in swapped.groups())
        days = [f"{year:04}-{two:02}-{one:02}", f"{year:04}-{one:02}-{two:02}"]
    else:
        return False
    return any(int(day[:4]) in rule.years or day in rule.dates for day in days)
