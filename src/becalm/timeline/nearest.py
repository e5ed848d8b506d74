"""Blood draws near a moment: the last before it, the nearest after it, the highest in a window.

Questions are arrays of equal length, one entry for each question. A draw is identified by its
position in the `Points`; -1 means no draw. Windows use the clock of the `Points`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Floats, Index, Mask, Pair, Persons, Times, expand
from becalm.core.clock import UNKNOWN_TIME
from becalm.timeline import Intervals, Points
from becalm.timeline.windows import extreme, latest


@dataclass(frozen=True, eq=False)
class Draws:
    """One draw for each question, or none.

    found : whether there is a draw. low and high : its bounds, (-inf, inf) if there is none. time : on
    the clock of the question, drawn : when the blood was taken, both `UNKNOWN_TIME` if none.
    row : its row in the records, -1 if none.
    """

    found: Mask
    low: Floats
    high: Floats
    time: Times
    drawn: Times
    row: Times

    @property
    def bounds(self) -> Pair:
        """Lowest and highest possible value."""
        return self.low, self.high


def within(
    points: Points, person: Persons, start: Times, end: Times, *, after: bool = False
) -> tuple[Index, Index]:
    """Return the positions [first, stop) of the draws in [start, end], or in (start, end] when `after`."""
    first = points.count_until(person, start if after else start - 1)
    return first, np.maximum(points.count_until(person, end), first)


def by_question(points: Points, person: Persons, start: Times, end: Times) -> Points:
    """Return the draws of each question in [start, end]; `person` holds the number of the question.

    So two questions about one person (two episodes) have separate draws.
    """
    owner, at = expand(*within(points, person, start, end))
    low = points.low[at]
    return Points(
        owner.astype(np.int32),
        points.time[at],
        low,
        low if points.exact else points.high[at],
        points.row[at],
        None if points.drawn is None else points.drawn[at],
        replaced=None if points.replaced is None else points.replaced[at],
    )


def stretches(intervals: Intervals, person: Persons, start: Times, end: Times) -> Intervals:
    """Return the intervals of each question that touch [start, end]; its number is the person."""
    owner, at = intervals.overlaps(person, start, end + 1)
    return Intervals(owner.astype(np.int32), intervals.start[at], intervals.end[at])


def last(points: Points, first: Index, stop: Index) -> Draws:
    """Return the draw that is valid at the end of each window: the one taken last."""
    position = np.full(len(first), -1, np.int64)
    some = np.flatnonzero(stop > first)
    position[some] = latest(points.rank, first[some], stop[some])
    return chosen(points, position)


def nearest(points: Points, at: Times, first: Index, stop: Index) -> Draws:
    """Return the draw nearest to `at` in each window; of two equally near draws the earlier."""
    position = np.full(len(at), -1, np.int64)
    some = np.flatnonzero(stop > first)
    first, stop, at = first[some], stop[some], at[some]
    who, time = points.person[first], points.time
    after = np.clip(points.count_until(who, at), first, stop)  # the first draw later than `at`
    earlier, later = time[np.maximum(after - 1, first)], time[np.minimum(after, stop - 1)]
    near = np.where(at - earlier <= later - at, earlier, later)
    begin = np.maximum(points.count_until(who, near - 1), first)
    end = np.minimum(points.count_until(who, near), stop)
    position[some] = latest(points.rank, begin, end)
    return chosen(points, position)


def highest(points: Points, first: Index, stop: Index) -> Draws:
    """Return the draw with the highest value of each window, the earliest of equal ones.

    Of two limits (`>15000`, `>30000`), which have no upper bound, the one with the higher lower bound.
    """
    rank = np.empty(len(points), np.int64)
    rank[np.lexsort((-np.arange(len(points)), points.low, points.high))] = np.arange(len(points))
    position = np.full(len(first), -1, np.int64)
    some = np.flatnonzero(stop > first)
    position[some] = latest(rank, first[some], stop[some])
    return chosen(points, position)


def greatest(points: Points, first: Index, stop: Index) -> Pair:
    """Return the bounds of the highest value in each window; (-inf, inf) where there is no draw."""
    low, high = np.full(len(first), -np.inf), np.full(len(first), np.inf)
    some = np.flatnonzero(stop > first)
    low[some] = extreme(points.low, first[some], stop[some], np.maximum)
    high[some] = extreme(points.high, first[some], stop[some], np.maximum)
    return low, high


def lowest(points: Points, first: Index, stop: Index) -> Pair:
    """Return the bounds of the lowest value in each window; (-inf, inf) where there is no draw."""
    low, high = np.full(len(first), -np.inf), np.full(len(first), np.inf)
    some = np.flatnonzero(stop > first)
    windows = first[some], stop[some]
    low[some] = extreme(points.low, *windows, np.minimum)
    high[some] = low[some] if points.exact else extreme(points.high, *windows, np.minimum)
    return low, high


def chosen(points: Points, position: Times) -> Draws:
    """Return the draws at some positions; -1 means none."""
    exists = position >= 0
    at = position[exists]

    def filled(values: npt.NDArray[Any], blank: float | int) -> npt.NDArray[Any]:
        column = np.full(len(position), blank, dtype=values.dtype)
        column[exists] = values[at]
        return column

    return Draws(
        exists,
        filled(points.low, -np.inf),
        filled(points.high, np.inf),
        filled(points.time, UNKNOWN_TIME),
        filled(points.taken, UNKNOWN_TIME),
        filled(points.row, -1),
    )
