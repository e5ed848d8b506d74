"""What the clocks of the world's time zones show, from the IANA time zone database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from becalm.core.clock import DAY, HOUR, MINUTE, from_us

CLOCK_CHANGE: Final = 60
"""Minutes by which a clock is put forward in spring and back in autumn."""


def offset_at(zone: str, instant: int) -> int:
    """Return the minutes east of UTC that a zone's clock shows at an instant (µs of UTC).

    >>> offset_at("Europe/Paris", to_us(datetime(2021, 6, 5, 9)))
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

    >>> day = lambda month: to_us(datetime(2021, month, 5, 9))
    >>> one_clock([(day(1), 60), (day(6), 120)]), one_clock([(day(6), 60), (day(6), 120)])
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
