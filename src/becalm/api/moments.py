"""Calendar times and names of persons in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from becalm.core import clock
from becalm.core.errors import UsageError, did_you_mean


def moment(when: str | datetime | date) -> int:
    """Return µs of a local time of the hospital: ISO text, a `datetime` or a `date` (its 00:00).

    Raises `UsageError` if it cannot be read.

    >>> moment("2016-10-18T08:00") == moment(datetime(2016, 10, 18, 8))
    True
    """
    if isinstance(when, datetime):
        return clock.to_us(when.replace(tzinfo=None))
    if isinstance(when, date):
        return clock.to_us(datetime(when.year, when.month, when.day))
    try:
        return clock.parse(when)[0]
    except ValueError as error:
        raise UsageError(
            f"{when!r} is not a time", hint="Write it as 2016-10-18T08:00 or 2016-10-18"
        ) from error


def length(text: str) -> int:
    """Return µs of a length of time: `72h`, `7d`, `30min`. Raises `UsageError`."""
    try:
        return clock.Length(text).us
    except ValueError as error:
        raise UsageError(str(error)) from error


def known_person(person: str, persons: Sequence[str]) -> int:
    """Return the position of a person among ids. Raises `UsageError` for an unknown person."""
    try:
        return persons.index(person)
    except ValueError as error:
        raise UsageError(
            f"no person is called {person!r}", hint=did_you_mean(person, persons)
        ) from error
