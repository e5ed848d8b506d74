"""The parts of a time as a cell writes it: its day, its clock and its offset from UTC."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, NamedTuple

from becalm.core.clock import DAY, from_us, parse
from becalm.records.possible import no_date
from becalm.records.sheets.cells import Sheet

_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d{1,2}):([0-5]\d)(?::([0-5]\d)(?:[.,](\d+))?)? ?(Z|[+-]\d\d(?::?\d\d)?)?"
)


class Moment(NamedTuple):
    """A time with a clock. wall : µs as written, without the offset. offset : minutes east of UTC, None
    if none is written. hour : 0 to 24.
    """

    wall: int
    offset: int | None
    hour: int

    @property
    def midnight(self) -> bool:
        """Whether the clock shows 00:00 exactly."""
        return self.wall % DAY == 0 and self.hour == 0

    @property
    def end_of_day(self) -> bool:
        """Whether it is written as 24:00, the midnight at the end of its day."""
        return self.hour == 24

    def text(self, offset: str = "") -> str:
        """Return it as ISO 8601 with a clock."""
        return from_us(self.wall).isoformat() + offset


def moment_of(text: str) -> Moment | None:
    """Return a time with a clock; None for a date, a blank, what is not a time, and a date that cannot be.

    >>> moment_of("2020-03-04 9:30+02:00").offset, moment_of("2020-03-04T24:00").text()
    (120, '2020-03-05T00:00:00')
    >>> moment_of("2020-03-04") is None
    True
    """
    match = _MOMENT.fullmatch(text)
    if match is None or no_date(text, birth=True):
        return None
    day, hour, minute, second, fraction, offset = match.groups()
    over = int(hour) == 24
    if over and (int(minute) or int(second or 0) or int(fraction or 0)):
        return None
    clock = f"{0 if over else int(hour):02}:{minute}:{second or '00'}.{(fraction or '0')[:6]:0<6}"
    try:
        wall, _ = parse(f"{day}T{clock}")
    except ValueError:
        return None
    return Moment(wall + (DAY if over else 0), _minutes(offset) if offset else None, int(hour))


def _minutes(offset: str) -> int:
    """Return an offset in minutes east of UTC.

    >>> _minutes("Z"), _minutes("+0530"), _minutes("-05")
    (0, 330, -300)
    """
    if offset == "Z":
        return 0
    digits = offset[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return -minutes if offset[0] == "-" else minutes


def offset_text(text: str) -> str:
    """Return the offset as it is written, '' if there is none."""
    match = _MOMENT.fullmatch(text)
    return (match.group(6) or "") if match else ""


def with_column(sheet: Sheet, name: str, texts: list[str]) -> Sheet:
    """Return a sheet with other texts in one column."""
    return replace(sheet, columns={**sheet.columns, name: texts})
