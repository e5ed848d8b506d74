"""Intervals of time per person during which something was true."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from becalm.core.arrays import (
    Index,
    Mask,
    Persons,
    Times,
    check_lengths,
    check_order,
    check_times,
    expand,
    firsts,
    frozen,
    plus,
    query,
)
from becalm.timeline.axis import Axis, axis


@dataclass(frozen=True, eq=False, repr=False)
class Intervals:
    """Sorted intervals [start, end) that do not overlap within a person: episodes, stays, fever.

    person : int32[n], start and end : int64[n] in µs, each of positive length.
    """

    person: Persons
    start: Times
    end: Times

    def __post_init__(self) -> None:
        object.__setattr__(self, "person", frozen(self.person, np.int32))
        object.__setattr__(self, "start", frozen(self.start, np.int64))
        object.__setattr__(self, "end", frozen(self.end, np.int64))
        check_lengths("Intervals", self.person, self.start, self.end)
        check_times("Intervals", self.start, self.end)
        check_positive("Intervals", self.person, self.start, self.end)
        check_order("Intervals", self.person, self.start[1:] < self.end[:-1])

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"Intervals({len(self)} of {len(firsts(self.person))} persons)"

    @classmethod
    def empty(cls) -> "Intervals":
        return cls.build([], [], [])

    @classmethod
    def build(cls, person: ArrayLike, start: ArrayLike, end: ArrayLike) -> "Intervals":
        """Make from rows in any order; those that overlap or touch become one."""
        who: Persons = np.asarray(person, dtype=np.int32)
        begin: Times = np.asarray(start, dtype=np.int64)
        stop: Times = np.asarray(end, dtype=np.int64)
        check_lengths("Intervals", who, begin, stop)
        check_times("Intervals", begin, stop)
        real = begin != stop
        who, begin, stop = who[real], begin[real], stop[real]
        check_positive("Intervals", who, begin, stop)
        order = np.lexsort((begin, who))
        who, begin, stop = who[order], begin[order], stop[order]
        if not len(who):
            return cls(who, begin, stop)
        by_end = np.lexsort((stop, who))
        line = axis((who, begin), (who[by_end], stop[by_end]))
        reach = np.maximum.accumulate(line.place(who, stop))
        fresh = np.flatnonzero(np.append(True, line.place(who, begin)[1:] > reach[:-1]))
        return cls(who[fresh], begin[fresh], np.maximum.reduceat(stop, fresh))

    @cached_property
    def _axis(self) -> Axis:
        return axis((self.person, self.start), (self.person, self.end))

    @cached_property
    def _placed(self) -> tuple[Times, Times]:
        line = self._axis
        return line.place(self.person, self.start), line.place(self.person, self.end)

    def overlaps(
        self, person: NDArray[Any], start: NDArray[Any], end: NDArray[Any]
    ) -> tuple[Index, Index]:
        """Return pairs (position in the arguments, position here) of intervals that share time."""
        starts, ends = self._placed
        low = np.searchsorted(ends, self._axis.place(person, start), "right")
        high = np.searchsorted(starts, self._axis.place(person, end), "left")
        return expand(low, high)

    def durations(self) -> Times:
        """Return the length of each interval, in µs."""
        return self.end - self.start

    def contains(self, person: ArrayLike, time: ArrayLike) -> Mask:
        """Return whether each (person, time) is inside; the start is inside, the end is not."""
        who, when = query(person, time)
        placed = self._axis.place(who, when)
        starts, ends = self._placed
        index = np.searchsorted(starts, placed, "right") - 1
        if not len(self):
            return np.zeros(who.shape, np.bool_)
        inside: Mask = (index >= 0) & (placed < ends[np.maximum(index, 0)])
        return inside

    def bridge(self, gap: int) -> "Intervals":
        """Join neighbours of one person that are at most `gap` µs apart."""
        if not len(self):
            return self
        same = self.person[1:] == self.person[:-1]
        near = same & (self.start[1:] <= plus(self.end[:-1], gap))
        fresh = np.flatnonzero(np.append(True, ~near))
        last = np.append(fresh[1:], len(self)) - 1
        return Intervals(self.person[fresh], self.start[fresh], self.end[last])

    def clip(self, other: "Intervals") -> "Intervals":
        """Return the time that lies in both."""
        own, match = other.overlaps(self.person, self.start, self.end)
        return Intervals(
            self.person[own],
            np.maximum(self.start[own], other.start[match]),
            np.minimum(self.end[own], other.end[match]),
        )

    def union(self, *others: "Intervals") -> "Intervals":
        """Return the time that lies in this or in any of the others."""
        all_of = (self, *others)
        return Intervals.build(
            np.concatenate([each.person for each in all_of]),
            np.concatenate([each.start for each in all_of]),
            np.concatenate([each.end for each in all_of]),
        )

    def without(self, other: "Intervals") -> "Intervals":
        """Return the time that does not lie in `other`."""
        own, match = other.overlaps(self.person, self.start, self.end)
        everyone = np.arange(len(self))
        cut = np.concatenate((everyone, own))
        start = np.concatenate((self.start, other.end[match]))
        order = np.lexsort((start, cut))
        until = np.concatenate((own, everyone))
        end = np.concatenate((other.start[match], self.end))
        end = end[np.lexsort((end, until))]
        cut, start = cut[order], start[order]
        keep = start < end
        return Intervals(self.person[cut[keep]], start[keep], end[keep])

    def shift(self, by: int) -> "Intervals":
        """Move later by `by` µs."""
        return Intervals(self.person, plus(self.start, by), plus(self.end, by))

    def take(self, index: NDArray[Any]) -> "Intervals":
        """Keep the rows of a mask or of ascending positions."""
        return Intervals(self.person[index], self.start[index], self.end[index])

    def at_least(self, duration: int) -> "Intervals":
        """Return the intervals that last `duration` µs or more."""
        return self.take(self.durations() >= duration)

    def longer_than(self, duration: int) -> "Intervals":
        """Return the intervals that last more than `duration` µs."""
        return self.take(self.durations() > duration)


def check_positive(what: str, person: Persons, start: Times, end: Times) -> None:
    wrong = end <= start
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ValueError(
            f"{what}: position {at} (person {person[at]}) ends at {end[at]}, "
            f"not after its start {start[at]}"
        )
