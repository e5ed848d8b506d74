"""Real hours of an infusion: the wall clock skips an hour in spring and shows one twice in autumn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from becalm.core.arrays import Array, Floats, Index, Mask, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.core.time_zones import ClockChanges
from becalm.timeline import Timeline, overlay


@dataclass(frozen=True, eq=False)
class RealTime:
    """How much time passes in each row, where that is not what the wall clock shows.

    clock : the changes of the ward's clock. elapsed_h : hours from start to `end` by the row's own offsets,
    NaN if it has none. by_hour : rows given by the hour; a dose per day by mouth is that of a date, however
    many hours it has.
    """

    clock: ClockChanges
    elapsed_h: Floats
    end: Times
    by_hour: Mask

    def own(self, end: Times) -> Mask:
        """Return the rows that end as written and whose offsets give the elapsed time."""
        own: Mask = self.by_hour & ~np.isnan(self.elapsed_h) & (end == self.end)
        return own

    def beyond(self, start: Times, end: Times) -> Times:
        """Return by how many µs more than the clock shows passes from start to end of each row."""
        timed = self.by_hour & (start != UNKNOWN_TIME) & (end != UNKNOWN_TIME)
        begun, over = np.where(timed, start, 0), np.where(timed, end, 0)
        own = self.own(end) & timed
        elapsed = np.round(np.where(own, self.elapsed_h, 0.0) * HOUR).astype(np.int64)
        found: Times = np.where(own, elapsed - (over - begun), self.clock.beyond(begun, over))
        # Nobody can be infused within an hour that did not exist: the row was typed by the wall clock.
        return np.where(timed & (over - begun + found > 0), found, 0)

    def uncertain(self, start: Times, end: Times) -> Mask:
        """Return the rows that may span a change of a clock whose zone is not stated."""
        if self.clock.stated:
            return np.zeros(len(start), np.bool_)
        timed = self.by_hour & (start != UNKNOWN_TIME) & (end != UNKNOWN_TIME) & ~self.own(end)
        begun, over = np.where(timed, start, 0), np.where(timed, end, 0)
        spans: Mask = timed & self.clock.within(begun, over)
        return spans


def wall_clock_flow(f: Frame, clock: ClockChanges, rows: Index, owner: Array) -> Timeline:
    """Return the amount of infusions per hour of the wall clock: what a window on that clock adds up.

    owner : who or what each row belongs to. It is the rate, but in a row across a change of the clock nothing
    flows in an hour that was skipped and twice as much in one that was shown twice; where only the row's own
    offsets tell of the change, the difference is spread over the row.
    """
    start, until, rate = f["start"][rows], f["until"][rows], f["dose_per_h"][rows]
    beyond, by_clock = f["beyond_h"][rows], f["by_clock"][rows]
    by_clock = by_clock & clock.within(start, until) & clock.stated
    shown = (f["end"][rows] - start) / HOUR
    even = ~by_clock & (beyond != 0) & (shown > 0)
    if not (even | by_clock).any():
        return overlay(owner, start, until, rate, rows)
    rate = np.where(even, rate * (1 + beyond / np.where(even, shown, 1.0)), rate)
    for begin, end, factor in zip(clock.start, clock.end, clock.factor, strict=True):
        hit = by_clock & (start < end) & (until > begin)
        pieces = (
            (~hit, start, until, 1.0),
            (hit & (start < begin), start, np.minimum(until, begin), 1.0),
            (hit, np.maximum(start, begin), np.minimum(until, end), factor),
            (hit & (until > end), np.maximum(start, end), until, 1.0),
        )
        which = np.concatenate([np.flatnonzero(where) for where, *_ in pieces])
        start, until, rate = (
            np.concatenate([part[where] for (where, *_), part in zip(pieces, parts, strict=True)])
            for parts in (
                [begun for _, begun, _, _ in pieces],
                [over for _, _, over, _ in pieces],
                [rate * times for *_, times in pieces],
            )
        )
        owner, rows, by_clock = owner[which], rows[which], by_clock[which]
    return overlay(owner, start, until, rate, rows)
