"""Values at single moments: blood draws, boluses, findings, cultures."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from becalm.core.arrays import (
    FAR_FUTURE,
    Floats,
    Index,
    Mask,
    Persons,
    Times,
    applied,
    check_lengths,
    check_order,
    check_pair,
    check_times,
    expand,
    firsts,
    frozen,
    frozen_pair,
    is_sorted,
    plus,
)
from becalm.timeline.axis import Axis, axis
from becalm.timeline.intervals import Intervals
from becalm.timeline.item_rows import attaining
from becalm.timeline.steps import Timeline
from becalm.timeline.windows import extreme, latest, total

Take: TypeAlias = Literal["last", "max", "min", "sum", "count"]
"""How the values in a window become one value."""


@dataclass(frozen=True, eq=False, repr=False)
class Points:
    """Values of one quantity at single moments, of many persons.

    person : int32[n], time : int64[n] in µs, low and high : float64[n] in the quantity's unit,
    row : int64[n], the row in the records. Sorted by person and time, one value for each instant.
    Exact values share one array; `>x` and `<x` have an infinite or a zero bound.

    If `time` is when a result became available, `drawn` is when the blood was drawn: then several
    results may have the same time (released together), sorted by `drawn`. One draw may have several
    values then, one after the other: each holds until `replaced`, when a later report of the draw
    corrected it or made a range of it (`FAR_FUTURE` where none did).

    conflicts : number of instants with different values; `build` made a range of them.
    """

    person: Persons
    time: Times
    low: Floats
    high: Floats
    row: Times
    drawn: Times | None = None
    conflicts: int = 0
    replaced: Times | None = None

    def __post_init__(self) -> None:
        low, high = frozen_pair(self.low, self.high)
        object.__setattr__(self, "person", frozen(self.person, np.int32))
        object.__setattr__(self, "time", frozen(self.time, np.int64))
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "row", frozen(self.row, np.int64))
        check_lengths("Points", self.person, self.time, low, high, self.row)
        check_times("Points", self.time)
        late = self.time[1:] <= self.time[:-1]
        if self.drawn is not None:
            drawn: Times = frozen(self.drawn, np.int64)
            object.__setattr__(self, "drawn", drawn)
            check_lengths("Points", self.person, drawn)
            check_times("Points", drawn)
            together = self.time[1:] == self.time[:-1]
            late &= ~(together & (drawn[1:] > drawn[:-1]))
        if self.replaced is not None:
            replaced: Times = frozen(self.replaced, np.int64)
            object.__setattr__(self, "replaced", replaced)
            check_lengths("Points", self.person, replaced)
            if np.any(replaced <= self.time):
                raise ValueError("Points: a value is replaced before it is known")
        check_order("Points", self.person, late)
        check_pair(low, high, "Points")

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"Points({len(self)} of {len(firsts(self.person))} persons)"

    @classmethod
    def empty(cls) -> "Points":
        return cls.build([], [], [])

    @classmethod
    def build(
        cls,
        person: ArrayLike,
        time: ArrayLike,
        low: ArrayLike,
        high: ArrayLike | None = None,
        row: ArrayLike | None = None,
        *,
        drawn: ArrayLike | None = None,
    ) -> "Points":
        """Make from results in any order.

        Equal results of one instant are one result, with the smallest row; different ones become
        the range from the lowest to the highest, a conflict. On the available clock, results
        released together but drawn at different times are different results.
        """
        columns, exact = _sorted(person, time, low, high, row, drawn=drawn)
        who, when, lower, upper, source, taken = columns
        start = _instants(who, when, taken)
        if len(start) == len(who):
            return cls(who, when, lower, lower if exact else upper, source, taken)
        least, most = np.minimum.reduceat(lower, start), np.maximum.reduceat(upper, start)
        differs = (np.maximum.reduceat(lower, start) != least) | (
            np.minimum.reduceat(upper, start) != most
        )
        return cls(
            who[start],
            when[start],
            least,
            most,
            source[start],
            None if taken is None else taken[start],
            int(differs.sum()),
        )

    @classmethod
    def of_doses(
        cls, person: ArrayLike, time: ArrayLike, amount: ArrayLike, row: ArrayLike | None = None
    ) -> "Points":
        """Make from doses: two doses at one instant were both administered, so they are added up."""
        columns, _ = _sorted(person, time, amount, None, row)
        who, when, each, _, source, _ = columns
        start = _instants(who, when, None)
        together = np.add.reduceat(each, start) if len(start) < len(who) else each
        return cls(who[start], when[start], together, together, source[start])

    @property
    def exact(self) -> bool:
        """Whether no value is a range."""
        return self.low is self.high

    def take(self, which: NDArray[Any]) -> "Points":
        """Keep the rows of a mask or of ascending positions."""
        low = self.low[which]
        return Points(
            self.person[which],
            self.time[which],
            low,
            low if self.exact else self.high[which],
            self.row[which],
            None if self.drawn is None else self.drawn[which],
            replaced=None if self.replaced is None else self.replaced[which],
        )

    def where(self, holds: Callable[[Floats, Floats], Mask]) -> "Points":
        """Keep the points for which `holds(low, high)` is true."""
        return self.take(
            np.broadcast_to(np.asarray(holds(self.low, self.high), np.bool_), len(self))
        )

    def clip(self, windows: Intervals) -> "Points":
        """Keep the points inside the windows."""
        return self.take(windows.contains(self.person, self.time))

    def map(self, f: Callable[[Floats, Floats], tuple[ArrayLike, ArrayLike]]) -> "Points":
        """Replace each (low, high) by `f(low, high)`, which returns the new bounds."""
        low, high = applied(f, len(self), self.low, self.high)
        return Points(
            self.person,
            self.time,
            low,
            high,
            self.row,
            self.drawn,
            self.conflicts,
            self.replaced,
        )

    def hold(self, for_: int) -> Timeline:
        """Keep each value until the next one, for at most `for_` µs: then the value is unknown."""
        return self.trailing("last", for_)

    def trailing(self, take: Take, within: int) -> Timeline:
        """Return at every t the last, greatest, least, sum or number of the values in (t − within, t].

        within : µs. A value leaves the window at its time + within; an empty window is unknown,
        so a count is never 0. Greatest and least are taken of low and high separately. On the
        available clock the last value is the one drawn last: an older sample with a late result
        never replaces a newer one, and a value that a later report of its draw replaced counts only
        until then.
        """
        if within <= 0:
            raise ValueError(f"the length of a window must be above 0, not {within} µs")
        sources = (FromPoints(self, take, within),)
        if take == "last" and self.drawn is None:
            end = plus(self.time, within)
            same = self.person[1:] == self.person[:-1]
            end[:-1] = np.where(same, np.minimum(end[:-1], self.time[1:]), end[:-1])
            return Timeline.merged(
                self.person, self.time, end, self.low, self.high, sources=sources
            )
        person, start, end, first, stop = self._windows(within)
        standing, first, stop = self.standing(first, stop, start)
        some = np.flatnonzero(stop > first)
        person, start, end = person[some], start[some], end[some]
        first, stop = first[some], stop[some]
        lows, highs = self.low[standing], self.high[standing]
        if take == "count":
            low = high = (stop - first).astype(np.float64)
        elif take == "last":
            index = latest(self.rank[standing], first, stop)
            low = lows[index]
            high = low if self.exact else highs[index]
        elif take == "sum":
            low = total(lows, first, stop)
            high = low if self.exact else total(highs, first, stop)
        else:
            best = np.maximum if take == "max" else np.minimum
            low = extreme(lows, first, stop, best)
            high = low if self.exact else extreme(highs, first, stop, best)
        return Timeline.merged(person, start, end, low, high, sources=sources)

    def _windows(self, within: int) -> tuple[Persons, Times, Times, Index, Index]:
        """Return segments with the same points in the window, and these points as [first, stop)."""
        count = len(self)
        leave = plus(self.time, within)
        who, until = self._replacements()
        line = axis((self.person, self.time), (self.person, leave), (who, until))
        place = np.concatenate(
            (
                line.place(self.person, self.time),
                line.place(self.person, leave),
                line.place(who, until),
            )
        )
        order = np.argsort(place, kind="stable")
        place = place[order]
        done = np.flatnonzero(np.append(place[1:] != place[:-1], [True] * bool(count)))
        entered: Index = np.cumsum(order < count, dtype=np.intp)[done]
        left: Index = np.cumsum((order >= count) & (order < 2 * count), dtype=np.intp)[done]
        time = np.concatenate((self.time, leave, until))[order[done]]
        some = np.flatnonzero(entered > left)
        return self.person[entered[some] - 1], time[some], time[some + 1], left[some], entered[some]

    def _replacements(self) -> tuple[Persons, Times]:
        """Return when values were replaced, by person and time."""
        if self.replaced is None:
            return np.empty(0, np.int32), np.empty(0, np.int64)
        who, until = self.person[self._gone], self.replaced[self._gone]
        order = np.lexsort((until, who))
        return who[order], until[order]

    @property
    def until(self) -> Times:
        """Until when each value stands: `FAR_FUTURE` unless a later report replaced it."""
        return np.full(len(self), FAR_FUTURE) if self.replaced is None else self.replaced

    @cached_property
    def _gone(self) -> Index:
        """The positions of the values that a later report of their draw replaced."""
        if self.replaced is None:
            return np.empty(0, np.intp)
        return np.flatnonzero(self.replaced < FAR_FUTURE)

    def standing(self, first: Index, stop: Index, time: Times) -> tuple[Index, Index, Index]:
        """Leave out, of the values [first, stop) of each question, those replaced by its time.

        Returns positions in these points, and where those of each question begin and end among them.
        """
        everything = np.arange(len(self), dtype=np.intp)
        if self.replaced is None or not len(self._gone):
            return everything, first, stop
        before = np.searchsorted(self._gone, first), np.searchsorted(self._gone, stop)
        some = np.flatnonzero(before[1] > before[0])
        number, at = expand(first[some], stop[some])
        still = self.replaced[at] > time[some][number]
        number, at = number[still], at[still]
        kept = np.bincount(number, minlength=len(some))
        first, stop = first.copy(), stop.copy()
        stop[some] = len(self) + np.cumsum(kept)
        first[some] = stop[some] - kept
        return np.concatenate((everything, at)), first, stop

    @property
    def taken(self) -> Times:
        """When the blood was drawn, on either clock."""
        return self.time if self.drawn is None else self.drawn

    @cached_property
    def rank(self) -> Times:
        """Which value replaces which: of two in one window, the one of the higher rank is valid.

        It is the one drawn last; of two drawn at one time, the one that became available last. Whoever
        needs the value that is valid asks here, so that there is one rule.
        """
        rank = np.empty(len(self), np.int64)
        rank[np.argsort(self.taken, kind="stable")] = np.arange(len(self))
        return rank

    @cached_property
    def _axis(self) -> Axis:
        return axis((self.person, self.time))

    @cached_property
    def _placed(self) -> Times:
        return self._axis.place(self.person, self.time)

    def count_until(self, person: Persons, time: Times) -> Index:
        """Count the points before or at each (person, time), with those of all earlier persons."""
        return np.searchsorted(self._placed, self._axis.place(person, time), "right")


@dataclass(frozen=True, eq=False)
class FromPoints:
    """The points in the window before a moment, and those from which its value was computed."""

    points: Points
    take: Take
    within: int

    def rows(self, person: Persons, time: Times) -> tuple[Index, Times]:
        points = self.points
        first = points.count_until(person, plus(time, -self.within))
        number, at = expand(first, points.count_until(person, time))
        if points.replaced is not None:
            still = points.replaced[at] > time[number]
            number, at = number[still], at[still]
        if self.take == "last":
            number, at = attaining(number, at, points.rank, np.maximum)
        elif self.take in ("max", "min"):
            best = np.maximum if self.take == "max" else np.minimum
            by_low = attaining(number, at, points.low, best)
            by_high = attaining(number, at, points.high, best)
            number = np.concatenate((by_low[0], by_high[0]))
            at = np.concatenate((by_low[1], by_high[1]))
            order = np.lexsort((at, number))
            number, at = number[order], at[order]
        return number, points.row[at]


def _sorted(
    person: ArrayLike,
    time: ArrayLike,
    low: ArrayLike,
    high: ArrayLike | None,
    row: ArrayLike | None,
    *,
    drawn: ArrayLike | None = None,
) -> tuple[tuple[Persons, Times, Floats, Floats, Times, Times | None], bool]:
    """Sort results by person, time, drawn, row; return also whether all are exact."""
    who: Persons = np.asarray(person, dtype=np.int32)
    when: Times = np.asarray(time, dtype=np.int64)
    lower, upper = frozen_pair(low, high)
    source = np.arange(len(who)) if row is None else np.asarray(row, dtype=np.int64)
    taken = None if drawn is None else np.asarray(drawn, dtype=np.int64)
    check_lengths("Points", who, when, lower, upper, source, who if taken is None else taken)
    check_pair(lower, upper, "Points")
    keys = (source, when, who) if taken is None else (source, taken, when, who)
    if is_sorted(*keys):
        return (who, when, lower, upper, source, taken), upper is lower
    order = np.lexsort(keys)
    columns = (
        who[order],
        when[order],
        lower[order],
        upper[order],
        source[order],
        None if taken is None else taken[order],
    )
    return columns, upper is lower


def _instants(person: Persons, time: Times, drawn: Times | None) -> Index:
    """Position of the first result of every instant in sorted rows."""
    if not len(person):
        return np.empty(0, np.intp)
    fresh = (person[1:] != person[:-1]) | (time[1:] != time[:-1])
    if drawn is not None:
        fresh |= drawn[1:] != drawn[:-1]
    return np.flatnonzero(np.append(True, fresh))
