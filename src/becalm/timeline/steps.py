"""A step function whose values have an end time."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import (
    Floats,
    Mask,
    Pair,
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
    query,
)
from becalm.core.clock import HOUR
from becalm.timeline.axis import Axis, axis
from becalm.timeline.intervals import Intervals, check_positive
from becalm.timeline.item_rows import Inside, Later, OpenRows, RowSource

Predicate: TypeAlias = Callable[[Floats, Floats], Mask]
"""A condition on the lowest and the highest possible values; called for known segments only."""


@dataclass(frozen=True, eq=False, repr=False)
class Timeline:
    """The known values of one quantity of many persons, each valid on [start, end).

    person : int32[n], start and end : int64[n] in µs, low and high : float64[n] in the
    quantity's own unit. Sorted, without overlaps within a person; where there is no segment
    the value is unknown. Exact values share one array. Made by `Points.hold`, `Points.trailing`,
    `combine`, `overlay` or `Timeline.build`; the constructor itself takes finished segments only.
    """

    person: Persons
    start: Times
    end: Times
    low: Floats
    high: Floats
    _sources: tuple[RowSource, ...] = field(default=())

    def __post_init__(self) -> None:
        low, high = frozen_pair(self.low, self.high)
        object.__setattr__(self, "person", frozen(self.person, np.int32))
        object.__setattr__(self, "start", frozen(self.start, np.int64))
        object.__setattr__(self, "end", frozen(self.end, np.int64))
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        check_lengths("Timeline", self.person, self.start, self.end, low, high)
        check_times("Timeline", self.start, self.end)
        check_positive("Timeline", self.person, self.start, self.end)
        check_order("Timeline", self.person, self.start[1:] < self.end[:-1])
        check_pair(low, high, "Timeline")

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"Timeline({len(self)} segments, {len(self.persons)} persons)"

    @classmethod
    def empty(cls) -> "Timeline":
        return cls.build([], [], [], [])

    @classmethod
    def build(
        cls,
        person: ArrayLike,
        start: ArrayLike,
        end: ArrayLike,
        low: ArrayLike,
        high: ArrayLike | None = None,
        *,
        row: ArrayLike | None = None,
    ) -> "Timeline":
        """Make from segments in any order; `row` is the row in the records of each.

        Overlaps are refused (`overlay` adds them up). Segments of length 0 and segments with
        the value (-inf, inf) are dropped; equal neighbours become one segment.
        """
        who: Persons = np.asarray(person, dtype=np.int32)
        begin: Times = np.asarray(start, dtype=np.int64)
        stop: Times = np.asarray(end, dtype=np.int64)
        lower, upper = frozen_pair(low, high)
        rows = None if row is None else np.asarray(row, dtype=np.int64)
        check_lengths("Timeline", who, begin, stop, lower, upper, who if rows is None else rows)
        if not is_sorted(begin, who) or (begin == stop).any():
            order = np.lexsort((begin, who))
            order = order[begin[order] != stop[order]]
            who, begin, stop = who[order], begin[order], stop[order]
            rows = None if rows is None else rows[order]
            exact = upper is lower
            lower = lower[order]
            upper = lower if exact else upper[order]
        check_order("Timeline.build: segments overlap", who, begin[1:] < stop[:-1])
        sources: tuple[RowSource, ...] = ()
        if rows is not None:
            sources = (OpenRows(who, begin, stop, rows),)
        return cls.merged(who, begin, stop, lower, upper, sources=sources)

    @classmethod
    def merged(
        cls,
        person: Persons,
        start: Times,
        end: Times,
        low: Floats,
        high: Floats,
        *,
        sources: tuple[RowSource, ...],
    ) -> "Timeline":
        """Make from sorted segments: drop unknown ones, join equal neighbours."""
        check_pair(low, high, "Timeline")
        known = (low != -np.inf) | (high != np.inf)
        if not known.all():
            exact = high is low
            person, start, end, low = person[known], start[known], end[known], low[known]
            high = low if exact else high[known]
        if not len(person):
            return cls(person, start, end, low, high, sources)
        same = (person[1:] == person[:-1]) & (start[1:] == end[:-1]) & (low[1:] == low[:-1])
        if high is not low:
            same &= high[1:] == high[:-1]
        if same.any():
            fresh = np.flatnonzero(np.append(True, ~same))
            end = end[np.append(fresh[1:], len(person)) - 1]
            exact = high is low
            person, start, low = person[fresh], start[fresh], low[fresh]
            high = low if exact else high[fresh]
        return cls(person, start, end, low, high, sources)

    @property
    def exact(self) -> bool:
        """Whether the lowest and the highest value are equal everywhere."""
        return self.low is self.high

    @property
    def persons(self) -> Persons:
        """The persons with at least one segment, ascending."""
        return self.person[firsts(self.person)]

    @cached_property
    def _axis(self) -> Axis:
        return axis((self.person, self.start), (self.person, self.end))

    @cached_property
    def _placed(self) -> tuple[Times, Times]:
        line = self._axis
        return line.place(self.person, self.start), line.place(self.person, self.end)

    def find(self, person: ArrayLike, time: ArrayLike) -> Times:
        """Return the position of the segment at each (person, time); -1 where there is none."""
        who, when = query(person, time)
        if not len(self):
            return np.full(who.shape, -1, np.int64)
        return _segment(*self._placed, self._axis.place(who, when))

    def finder(self, person: Persons, time: Times) -> Callable[[int], Times]:
        """Return a function: for a length in µs, what `find(person, time - length)` gives; faster for several."""
        if not len(self):
            return lambda by: np.full(len(time), -1, np.int64)
        starts, ends = self._placed
        back = self._axis.earlier(person, time)

        def find(by: int) -> Times:
            return _segment(starts, ends, back(by))

        return find

    def at(self, person: ArrayLike, time: ArrayLike) -> Pair:
        """Return the lowest and highest possible value at each (person, time); (-inf, inf) where unknown."""
        return self.values(self.find(person, time))

    def values(self, index: Times) -> Pair:
        """Return the bounds of the segments at positions from `find`; (-inf, inf) for -1."""
        known = index >= 0
        if not len(self):
            return np.full(known.shape, -np.inf), np.full(known.shape, np.inf)
        low = np.where(known, self.low[index], -np.inf)
        if self.exact and known.all():
            return low, low
        return low, np.where(known, self.high[index], np.inf)

    def before(self, person: ArrayLike, time: ArrayLike) -> Pair:
        """Return the value just before each (person, time), before any change at that time."""
        return self.at(person, plus(np.asarray(time, dtype=np.int64), -1))

    def known_at(self, person: ArrayLike, time: ArrayLike) -> Mask:
        """Return whether the value is known at each (person, time)."""
        known: Mask = self.find(person, time) >= 0
        return known

    def known(self) -> Intervals:
        """Return the intervals in which the value is known."""
        return Intervals.build(self.person, self.start, self.end)

    def where(self, holds: Predicate) -> Intervals:
        """Return the intervals in which `holds(low, high)` is true; never where the value is unknown.

        `lambda low, high: low >= 38` asks for a certain fever, `high >= 38` for a possible one.
        """
        met = self._ask(holds)
        return Intervals.build(self.person[met], self.start[met], self.end[met])

    def first(self, holds: Predicate) -> tuple[Persons, Times]:
        """Return the first time of each person at which `holds(low, high)`, for those who have one."""
        met = np.flatnonzero(self._ask(holds))
        met = met[firsts(self.person[met])]
        return self.person[met], self.start[met]

    def _ask(self, holds: Predicate) -> Mask:
        return np.broadcast_to(np.asarray(holds(self.low, self.high), dtype=np.bool_), len(self))

    def shift(self, by: int) -> "Timeline":
        """Move later by `by` µs: the value at t is the former value at t - by."""
        return Timeline(
            self.person,
            plus(self.start, by),
            plus(self.end, by),
            self.low,
            self.high,
            tuple(Later(source, by) for source in self._sources),
        )

    def map(self, f: Callable[[Floats, Floats], tuple[ArrayLike, ArrayLike]]) -> "Timeline":
        """Replace each known (low, high) by `f(low, high)`, which returns the new bounds."""
        low, high = applied(f, len(self), self.low, self.high)
        return Timeline.merged(
            self.person, self.start, self.end, *frozen_pair(low, high), sources=self._sources
        )

    def resting_on(
        self, person: ArrayLike, start: ArrayLike, end: ArrayLike, row: ArrayLike
    ) -> "Timeline":
        """Add the rows from which the values come, each valid from its start to its end.

        They may overlap. For values not made from points: 28 days of a drug before an admission.
        """
        who: Persons = np.asarray(person, dtype=np.int32)
        begin: Times = np.asarray(start, dtype=np.int64)
        stop: Times = np.asarray(end, dtype=np.int64)
        rows: Times = np.asarray(row, dtype=np.int64)
        check_lengths("resting_on", who, begin, stop, rows)
        order = np.lexsort((rows, begin, who))
        named = OpenRows(who[order], begin[order], stop[order], rows[order])
        return replace(self, _sources=(*self._sources, named))

    def clip(self, windows: Intervals) -> "Timeline":
        """Return the timeline inside the windows; outside them it is unknown."""
        segment, window = windows.overlaps(self.person, self.start, self.end)
        low = self.low[segment]
        return Timeline.merged(
            self.person[segment],
            np.maximum(self.start[segment], windows.start[window]),
            np.minimum(self.end[segment], windows.end[window]),
            low,
            low if self.exact else self.high[segment],
            sources=tuple(Inside(source, windows) for source in self._sources),
        )

    def hours(self, person: int, start: int, end: int) -> tuple[Times, Floats, Floats]:
        """Return one person's values at every full hour in [start, end), for a figure.

        Only here does NaN mean unknown: a chart interrupts its line there.
        """
        time: Times = np.arange(start, end, HOUR, dtype=np.int64)
        low, high = self.at(person, time)
        known = self.known_at(person, time)
        return time, np.where(known, low, np.nan), np.where(known, high, np.nan)

    def integrate(self, person: ArrayLike, start: ArrayLike, end: ArrayLike) -> Pair:
        """Return the lowest and highest possible area over [start, end), in value × hours.

        mg/h gives mg. Unknown time adds 0: `covered` returns how much of the time is known.
        """
        asked, segment, length = self._parts(person, start, end)
        hours = length / HOUR
        shape = query(person, start, end)[0].shape
        count = int(np.prod(shape, dtype=np.int64))
        low = np.bincount(asked, self.low[segment] * hours, count).astype(np.float64).reshape(shape)
        if self.exact:
            return low, low
        high = np.bincount(asked, self.high[segment] * hours, count).astype(np.float64)
        return low, high.reshape(shape)

    def covered(self, person: ArrayLike, start: ArrayLike, end: ArrayLike) -> Times:
        """Return for how much of [start, end) the value is known, in µs."""
        asked, _, length = self._parts(person, start, end)
        shape = query(person, start, end)[0].shape
        total = np.zeros(int(np.prod(shape, dtype=np.int64)), np.int64)
        np.add.at(total, asked, length)
        return total.reshape(shape)

    def _parts(
        self, person: ArrayLike, start: ArrayLike, end: ArrayLike
    ) -> tuple[Times, Times, Times]:
        """Return pairs (number of the question, segment) that share time, and the shared µs."""
        who, begin, stop = (each.ravel() for each in query(person, start, end))
        if (stop < begin).any():
            at = int(np.argmax(stop < begin))
            raise ValueError(f"position {at} (person {who[at]}) ends before it starts")
        starts, ends = self._placed
        low = np.searchsorted(ends, self._axis.place(who, begin), "right")
        high = np.searchsorted(starts, self._axis.place(who, stop), "left")
        asked, segment = expand(low, high)
        length = np.minimum(self.end[segment], stop[asked]) - np.maximum(
            self.start[segment], begin[asked]
        )
        shared = length > 0
        return asked[shared], segment[shared], length[shared]

    def evidence(self, person: int, time: int) -> tuple[int, ...]:
        """Return the rows of the records from which one person's value at one time comes."""
        _, row = self.evidence_at([person], [time])
        return tuple(int(each) for each in row)

    def evidence_at(self, person: ArrayLike, time: ArrayLike) -> tuple[Times, Times]:
        """Return the rows from which the values at many (person, time) come.

        The result is pairs (number of the question, row) in the order of the questions, each row
        once for a question. A last value has one row; a minimum or maximum the earliest row with
        that value, for either bound; a sum or a count every row in its window. No row where the
        value is unknown.
        """
        who, when = (each.ravel() for each in query(person, time))
        asked = np.flatnonzero(self.find(who, when) >= 0)
        pairs_of_source = [
            source.rows(who[asked], when[asked]) for source in dict.fromkeys(self._sources)
        ]
        nothing = np.empty(0, np.int64)
        number = np.concatenate([nothing, *(asked[n] for n, _ in pairs_of_source)])
        row = np.concatenate([nothing, *(r for _, r in pairs_of_source)])
        pairs = np.column_stack((number, row))
        _, first = np.unique(pairs, axis=0, return_index=True)
        first = np.sort(first)
        first = first[np.argsort(number[first], kind="stable")]
        return number[first], row[first]


def _segment(starts: Times, ends: Times, placed: Times) -> Times:
    """Return which of the sorted segments holds each place on the axis; -1 where none does."""
    index = np.searchsorted(starts, placed, "right") - 1
    known = (index >= 0) & (placed < ends[np.maximum(index, 0)])
    position: Times = np.where(known, index, -1)
    return position
