"""Months and years as a date: 2021, 2021-03, 03/2021, March 2021. What they leave open stays open."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from becalm.core.clock import parse
from becalm.records.possible import no_year

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_FORMS: Final = (
    re.compile(r"(?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})"),
    re.compile(r"(?P<month>\d{1,2})[-/.](?P<year>\d{4})"),
    re.compile(r"(?P<name>[a-z]{3,9})\.?,? ?(?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4}),? (?P<name>[a-z]{3,9})\.?"),
)


class Span(NamedTuple):
    """The first and the last moment of a month or a year, in µs."""

    first: int
    last: int


def read_span(text: str) -> Span | None:
    """Return the month or the year that a text names; None for any other text.

    >>> read_span("2021") == read_span(" 2021 "), read_span("03/2021") == read_span("2021-03")
    (True, True)
    >>> read_span("2021-13"), read_span("2021-03-04")
    (None, None)
    """
    found = _year_and_month(text)
    if found is None or no_year(found[0]):
        return None
    year, month = found
    after = (year + 1, 1) if month in {0, len(_MONTHS)} else (year, month + 1)
    first, _ = parse(f"{year:04}-{month or 1:02}-01")
    next_first, _ = parse(f"{after[0]:04}-{after[1]:02}-01")
    return Span(first, next_first - 1)


def year_of_span(text: str) -> int | None:
    """Return the year of a month or a year, also of one that cannot be true; None for any other text.

    >>> year_of_span("9999"), year_of_span("12/2999"), year_of_span("2021-03-04")
    (9999, 2999, None)
    """
    found = _year_and_month(text)
    return found[0] if found else None


def _year_and_month(text: str) -> tuple[int, int] | None:
    """Return the year and the month that a text names, the month 0 where it names none."""
    plain = text.strip().casefold()
    found = next((match for form in _FORMS if (match := form.fullmatch(plain))), None)
    if found is None:
        return None
    parts = found.groupdict()
    month = int(parts["month"]) if parts.get("month") else 0
    if name := parts.get("name"):
        month = next((i for i, full in enumerate(_MONTHS, 1) if full.startswith(name)), 0)
        month = month or (9 if name == "sept" else 0)
        if not month:
            return None
    if month > len(_MONTHS) or (parts.get("month") and not month):
        return None
    return int(parts["year"]), month
