"""What the clocks of the world's time zones show, from the IANA time zone database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from becalm.core.arrays import Floats, Mask, Times
from becalm.core.clock import DAY, HOUR, MINUTE, from_us

CLOCK_CHANGE: Final = 60
"""Minutes by which a clock is put forward in spring and back in autumn."""
_USUAL: Final = ("Europe/Paris", "America/New_York", "Australia/Sydney")
"""Zones whose clocks change on the same nights as those of most of Europe, North America and Australia."""
_NIGHT: Final = 4 * HOUR
"""Clocks change before four in the morning."""


def offset_at(zone: str, instant: int) -> int:
    """Return the minutes east of UTC that a zone's clock shows at an instant (µs of UTC).

    >>> from becalm.core.clock import parse
    >>> offset_at("Europe/Paris", parse("2021-06-05T09:00")[0])
    120
    """
    return _shown(zone, instant)[0]


def _shown(zone: str, instant: int) -> tuple[int, int]:
    """Return the minutes east of UTC that a zone's clock shows, and those it shows out of summer time."""
    there = from_us(instant).replace(tzinfo=UTC).astimezone(_zone(zone))
    offset, summer = there.utcoffset(), there.dst()
    assert offset is not None
    assert summer is not None
    return round(offset / timedelta(minutes=1)), round((offset - summer) / timedelta(minutes=1))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def one_clock(shown: Iterable[tuple[int, int]]) -> bool:
    """Return whether one clock can have shown all of these: pairs of a time (µs) and its offset (minutes).

    That is one offset, or two that differ by the hour of a clock change, each in its season: a zone exists
    whose clock shows them at these times, one of the two as its summer time.

    >>> from becalm.core.clock import parse
    >>> january, june = parse("2021-01-05T09:00")[0], parse("2021-06-05T09:00")[0]
    >>> one_clock([(january, 60), (june, 120)]), one_clock([(june, 60), (june, 120)])
    (True, False)
    """
    pairs = {((wall - offset * MINUTE) // HOUR, offset) for wall, offset in shown}
    offsets = {offset for _, offset in pairs}
    if len(offsets) <= 1:
        return True
    if len(offsets) > 2 or max(offsets) - min(offsets) != CLOCK_CHANGE:
        return False
    left: frozenset[tuple[str, int]] | None = None
    for hour, offset in sorted(pairs):
        zones = _zones_that_show(hour, offset)
        left = zones if left is None else left & zones
        if not left:
            return False
    return True


@lru_cache(maxsize=1 << 16)
def _zones_that_show(hour: int, offset: int) -> frozenset[tuple[str, int]]:
    """Return the zones whose clock shows an offset in an hour, each with its offset out of summer time."""
    shown = ((zone, _shown(zone, hour * HOUR)) for zone in _zones())
    return frozenset((zone, standard) for zone, (now, standard) in shown if now == offset)


@cache
def _zones() -> tuple[str, ...]:
    """Return the zones of places; a zone that is only an offset changes no clock."""
    return tuple(
        sorted(
            z for z in available_timezones() if "/" in z and not z.startswith(("Etc/", "SystemV/"))
        )
    )


def changes(zone: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the changes of a zone's clock between two days: where on the wall clock, and by how many µs.

    The clock is put forward at the first time, which is then followed by time + µs; a negative number is
    the hour that the clock shows twice, and the time is the end of its first showing.

    >>> [(from_us(at).isoformat(), us // HOUR) for at, us in changes("Europe/Paris", 0, 365 * DAY * 10)][:2]
    [('1976-03-28T01:00:00', 1), ('1976-09-26T01:00:00', -1)]
    """
    changed: list[tuple[int, int]] = []
    for day in range(start // DAY, end // DAY + 1):
        before, after = (offset_at(zone, each * DAY) for each in (day, day + 1))
        if before != after:
            low, high = day * DAY, (day + 1) * DAY
            while high - low > MINUTE:
                middle = (low + high) // 2 // MINUTE * MINUTE
                low, high = (middle, high) if offset_at(zone, middle) == before else (low, middle)
            changed.append((high + before * MINUTE, (after - before) * MINUTE))
    return changed


@dataclass(frozen=True, eq=False)
class ClockChanges:
    """Where the wall clock skips an hour or shows one twice.

    start, end : int64, µs of the wall clock, ascending. factor : how much time passes in each for an hour that
    the clock shows: 0 where it is skipped, 2 where it is shown twice. stated : whether the time zone is known.
    If not, `start` to `end` are nights in which clocks of many zones change, and no time is corrected.
    """

    start: Times
    end: Times
    factor: Floats
    stated: bool = True

    @classmethod
    def none(cls) -> ClockChanges:
        """Return a clock that is never changed."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

    @classmethod
    def of(cls, zone: str, start: int, end: int) -> ClockChanges:
        """Return the changes of a zone's clock between two times; '' is a zone that is not stated."""
        if zone:
            hours = [(min(at, at + us), abs(us), us < 0) for at, us in changes(zone, start, end)]
        else:
            nights = {at // DAY * DAY for usual in _USUAL for at, _ in changes(usual, start, end)}
            hours = [(night, _NIGHT, False) for night in sorted(nights)]
        if not hours:
            return cls.none()
        begun, length, twice = (np.array(each) for each in zip(*hours, strict=True))
        return cls(begun, begun + length, np.where(twice, 2.0, 0.0), bool(zone))

    def beyond(self, start: Times, end: Times) -> Times:
        """Return by how many µs more than the clock shows passes between two times; 0 without a stated zone.

        >>> from becalm.core.clock import parse
        >>> paris = ClockChanges.of("Europe/Paris", parse("2021-01-01")[0], parse("2021-12-31")[0])
        >>> night = np.array([parse("2021-03-28T00:00")[0], parse("2021-03-28T07:00")[0]])
        >>> (paris.beyond(night[:1], night[1:]) / HOUR).tolist()
        [-1.0]
        """
        return self._gained(end) - self._gained(start)

    def real(self, time: Times) -> Times:
        """Return times on an axis on which an hour is an hour, for differences; the same without a stated zone."""
        return time + self._gained(time)

    def _gained(self, time: Times) -> Times:
        """Return the µs that all changes before a time add to what the clock shows."""
        known = np.asarray(time, np.int64)
        if not len(self.start) or not self.stated:
            return np.zeros(known.shape, np.int64)
        number = np.searchsorted(self.start, known, "right")
        lengths = (self.end - self.start) * (self.factor - 1)
        before = np.concatenate(([0.0], np.cumsum(lengths)))[number]
        last = np.maximum(number - 1, 0)
        missing = np.where(number > 0, np.maximum(self.end[last] - known, 0), 0) * (
            self.factor[last] - 1
        )
        gained: Times = (before - missing).astype(np.int64)
        return gained

    def within(self, start: Times, end: Times) -> Mask:
        """Return whether a change lies between two times, or begins or ends between them."""
        if not len(self.start):
            return np.zeros(len(start), np.bool_)
        reached = np.searchsorted(self.start, end, "left") > np.searchsorted(
            self.end, start, "right"
        )
        return np.asarray(reached, np.bool_)
