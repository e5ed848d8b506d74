"""Time: int64 microseconds of the hospital's wall clock since 1970-01-01, and windows on it.

A date without a time is drawn at 00:00 and available at 24:00, and is flagged `date_only`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Times

MICROSECOND: Final = 1
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
YEAR: Final = 365.2425 * DAY
"""Mean Gregorian year, only for ages that are recorded as a number."""

UNKNOWN_TIME: Final = np.iinfo(np.int64).min
"""The time of something whose time is not known."""


LONGEST: Final = 365_250 * DAY
"""No length of time is longer: a thousand years, so that sums of times stay within int64."""


_EPOCH = datetime(1970, 1, 1)
_LENGTH = re.compile(r"(<=)?\s*(\d+(?:\.\d+)?)\s*(min|h|d)")
_UNITS: Final = {"min": MINUTE, "h": HOUR, "d": DAY}


class Length(str):
    """A length of time as it is written, `72h`, `7d`, `90min`, with its microseconds in `us`.

    A guideline's inclusive "within 48 h" is written `<=48h`: one microsecond more, because
    windows are open at their far end. It is a text, so that it is printed as it was written.

    Raises `ValueError` for a text that is no length of time, or one of more than a thousand years.

    >>> Length("90min"), Length("90min").us
    ('90min', 5400000000)
    """

    us: int

    def __new__(cls, text: str) -> Self:
        length = super().__new__(cls, text)
        length.us = cls._microseconds(text.strip())
        return length

    @classmethod
    def _microseconds(cls, text: str) -> int:
        match = _LENGTH.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a length of time such as '72h', '7d' or '<=48h'")
        inclusive, number, unit = match.groups()
        if float(number) * _UNITS[unit] > LONGEST:
            raise ValueError(f"{text[:30]!r} is longer than 1000 years: write a shorter one")
        return round(float(number) * _UNITS[unit]) + (MICROSECOND if inclusive else 0)

    @property
    def inclusive(self) -> bool:
        """Whether the moment at its end still belongs to it."""
        return self.strip().startswith("<=")

    def times(self, factor: float) -> Self:
        """Return a length that is longer or shorter by a factor, inclusive as before."""
        hours = (self.us - (MICROSECOND if self.inclusive else 0)) / HOUR * factor
        return type(self)(f"{'<=' if self.inclusive else ''}{hours!r}h")


class Offset(Length):
    """A length of time that may lie before or after a moment: `-24h`, `0h`, `+7d`.

    >>> Offset("-24h").us
    -86400000000
    """

    @classmethod
    def _microseconds(cls, text: str) -> int:
        if text.startswith("-"):
            return -super()._microseconds(text[1:])
        return super()._microseconds(text.removeprefix("+"))


@lru_cache(maxsize=65536)
def parse(text: str) -> tuple[int, bool]:
    """Read an ISO 8601 date or time; return microseconds and whether it was a date only.

    An offset is dropped: becalm counts on the hospital's wall clock.
    """
    text = text.strip()
    if len(text) <= len("2020-01-31"):
        return to_us(datetime.combine(date.fromisoformat(text), datetime.min.time())), True
    return to_us(datetime.fromisoformat(text)), False


def to_us(moment: datetime) -> int:
    """Return a naive wall-clock datetime as microseconds."""
    delta = moment.replace(tzinfo=None) - _EPOCH
    return delta // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """Return microseconds as a naive wall-clock datetime."""
    return _EPOCH + timedelta(microseconds=int(us))


def iso(us: int) -> str:
    """Return ISO 8601 without offset, to the second; fractions only where there are any.

    >>> iso(0)
    '1970-01-01T00:00:00'
    """
    return "" if us == UNKNOWN_TIME else from_us(us).isoformat()


def completed_years(birth: npt.ArrayLike, at: npt.ArrayLike) -> Times:
    """Return ages in completed years, by calendar; a person born on 29 February becomes older on 1 March.

    birth and at : int64, µs, known times.
    """
    born, now = _calendar(birth), _calendar(at)
    years = now[0] - born[0]
    not_yet = (now[1] < born[1]) | ((now[1] == born[1]) & (now[2] < born[2]))
    result: Times = years - not_yet
    return result


def birthday(birth: npt.ArrayLike, years: int) -> Times:
    """Return the beginning of each person's birthday after so many years; of 29 February, 1 March in other years.

    birth : int64, µs, known times.

    >>> iso(int(birthday([parse("2000-02-29")[0]], 1)[0]))
    '2001-03-01T00:00:00'
    """
    days = np.asarray(birth, np.int64).astype("datetime64[us]").astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    of_month = days - months.astype("datetime64[D]")
    reached = (months + np.timedelta64(12 * years, "M")).astype("datetime64[D]") + of_month
    result: Times = reached.astype("datetime64[us]").astype(np.int64)
    return result


def _calendar(us: npt.ArrayLike) -> tuple[Times, Times, Times]:
    """Year, month and day of each time."""
    days = np.asarray(us, np.int64).astype("datetime64[us]").astype("datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    return (
        years.astype(np.int64) + 1970,
        months.astype(np.int64) % 12 + 1,
        (days - months.astype("datetime64[D]")).astype(np.int64) + 1,
    )


def calendar_year(us: npt.ArrayLike) -> Times:
    """Return the calendar year of each time."""
    return _calendar(us)[0]


def now_utc() -> str:
    """Return the wall clock of this machine, for manifests only; never in a table."""
    return datetime.now(UTC).isoformat(timespec="seconds")
