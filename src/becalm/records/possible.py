"""What can be true in any records: dates that are none, the plausible dates, the longest life."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.core.clock import DAY, Length, parse

FILE: Final = Path(__file__).with_suffix(".toml")
PLACEHOLDER: Final = "a placeholder, not a date: read as blank"
"""Why a date that stands for no date is not used."""
_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?")
_DAY_LAST_OR_FIRST: Final = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:[T ].*)?")


class Dates(toml.TomlTable, frozen=True):
    """The first and the last plausible day; shifted : from when on a day may be one of a data set that hides dates."""

    first: str
    last: str
    shifted: str
    source: str
    verified: bool


class Life(toml.TomlTable, frozen=True):
    """The highest age, in completed years."""

    longest_years: int
    source: str
    verified: bool


class LongestStay(toml.TomlTable, frozen=True):
    """How long a stay in hospital can be."""

    longest: Length
    source: str
    verified: bool


class Reporting(toml.TomlTable, frozen=True):
    """How long after its draw or collection a result can be reported."""

    within: Length
    source: str
    verified: bool


class Placeholder(toml.TomlTable, frozen=True):
    """Dates, years and words that stand for a time that is not known; births : also where a birth is meant."""

    source: str
    verified: bool
    years: tuple[int, ...] = ()
    dates: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    births: bool = True


class PossibleRules(toml.TomlTable, frozen=True):
    """The rules of `possible.toml`."""

    dates: Dates
    life: Life
    stays: LongestStay
    results: Reporting
    placeholder: tuple[Placeholder, ...]


def rules() -> PossibleRules:
    """Return the shipped rules."""
    return toml.load(FILE, PossibleRules)


@cache
def range_of_dates() -> tuple[int, int]:
    """Return the first moment of the plausible dates and the first one after them, µs."""
    return parse(rules().dates.first)[0], parse(rules().dates.last)[0] + DAY


@cache
def outside_dates() -> str:
    """Return why a date outside the plausible ones is not used."""
    return f"outside plausible dates ({rules().dates.first} to {rules().dates.last}): cell not used"


def no_date(text: str, *, birth: bool = False) -> str:
    """Return why the date that a text writes is not used; '' if it can be true, and for any other text.

    birth : whether it is that of a birth: somebody may be born on the day 0 of a program.

    >>> no_date("9999-12-31T00:00"), no_date("31.12.9999") == PLACEHOLDER, no_date("2021-12-31")
    ('a placeholder, not a date: read as blank', True, '')
    >>> no_date("2921-03-04"), no_date("1970-01-01", birth=True)
    ('outside plausible dates (1900-01-01 to 2299-12-31): cell not used', '')
    """
    if is_placeholder(text, birth=birth):
        return PLACEHOLDER
    first, last = rules().dates.first, rules().dates.last
    days = list(_days(text))
    return outside_dates() if days and all(not first <= day <= last for day in days) else ""


def is_placeholder(text: str, *, birth: bool = False) -> bool:
    """Return whether a text is a date that stands for no date.

    >>> is_placeholder("9999-12-31T00:00"), is_placeholder("31.12.9999"), is_placeholder("2021-12-31")
    (True, True, False)
    """
    years, dates, words = _placeholders(birth)
    if text.casefold() in words:
        return True
    return any(int(day[:4]) in years or day in dates for day in _days(text))


def no_year(year: int) -> str:
    """Return why a year that stands for a date is not used; '' if it can be true.

    >>> no_year(9999), no_year(2021)
    ('a placeholder, not a date: read as blank', '')
    """
    if year in _placeholders(birth=False)[0]:
        return PLACEHOLDER
    first, last = (int(day[:4]) for day in (rules().dates.first, rules().dates.last))
    return "" if first <= year <= last else outside_dates()


@cache
def _placeholders(birth: bool) -> tuple[frozenset[int], frozenset[str], frozenset[str]]:
    """Return the years, dates and words of all placeholders."""
    groups = [each for each in rules().placeholder if each.births or not birth]
    return (
        frozenset(year for each in groups for year in each.years),
        frozenset(date for each in groups for date in each.dates),
        frozenset(word for each in groups for word in each.words),
    )


@cache
def before_shifted_dates() -> tuple[str, ...]:
    """Return the placeholders within the plausible dates that no data set reaches by hiding its dates.

    Data sets that hide dates shift them into the future, where any day may be a true one.
    """
    dates = _placeholders(birth=False)[1]
    return tuple(sorted(day for day in dates if rules().dates.first <= day < rules().dates.shifted))


def _days(text: str) -> Iterator[str]:
    """Yield the days that a text may mean, as year-month-day."""
    if day := _DAY.fullmatch(text):
        yield day[1]
    elif swapped := _DAY_LAST_OR_FIRST.fullmatch(text):
        one, two, year = (int(part) for part in swapped.groups())
        yield f"{year:04}-{two:02}-{one:02}"
        yield f"{year:04}-{one:02}-{two:02}"
