"""All persons one after another on one int64 axis, so that every search is one-dimensional."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from becalm.core.arrays import LIMIT, Index, Mask, Persons, Times, firsts, plus

_SPREAD: Final = 8
"""Times as many numbers as persons that a table of all numbers between theirs may have."""


@dataclass(frozen=True, eq=False)
class Axis:
    """Maps (person, time) to one number; the numbers sort by person, then by time.

    Each person's part of the axis is as long as their own records: dates that were shifted by
    centuries (de-identified records) would overflow a common calendar. A time outside the
    person's part is placed just before or just after it, in the gap to the next person, so a
    look-back of any length never reaches another person. If the parts together are too long for
    int64, the ranks of the times are used instead of the times: only the order matters.
    """

    persons: Persons
    first: Times
    last: Times
    begin: Times
    ticks: Times | None

    def place(self, person: NDArray[Any], time: NDArray[Any]) -> Times:
        """Position on the axis; -1, before everything, for a person who is not on it."""
        if not len(self.persons):
            return np.full(np.shape(person), -1, np.int64)
        index, known = self._of(person)
        ranked = time if self.ticks is None else _rank(self.ticks, time)
        return _unknown(self._inside(index, ranked), known)

    def earlier(
        self, person: NDArray[Any], time: NDArray[Any]
    ) -> Callable[[int], NDArray[np.int64]]:
        """Return a function that gives the positions of the times so many µs before some moments.

        For one length it is `place(person, time - length)`; of several it looks up the persons once.
        """
        if self.ticks is not None or not len(self.persons):
            return lambda by: self.place(person, plus(time, -by))
        index, known = self._of(person)
        shift = (self.begin - self.first)[index]
        least, most = (self.begin - 1)[index], (self.begin + self.last - self.first + 1)[index]
        placed = time + shift

        def back(by: int) -> Times:
            moved = placed - by
            np.maximum(moved, least, out=moved)
            np.minimum(moved, most, out=moved)
            return _unknown(moved, known)

        return back

    def _of(self, person: NDArray[Any]) -> tuple[Index, Mask | None]:
        """Return the position of each person, and who is on the axis; None if all are."""
        lowest, count = int(self.persons[0]), len(self.persons)
        span = int(self.persons[-1]) - lowest + 1
        if span == count:
            index = person.astype(np.intp) - lowest
            if not index.size or (index.min() >= 0 and index.max() < count):
                return index, None
            known = (index >= 0) & (index < count)
            return np.where(known, index, 0), known
        if span <= _SPREAD * count:
            place = np.clip(person, lowest - 1, lowest + span) - (lowest - 1)
            index = self._numbered[place]
        else:
            index = np.minimum(np.searchsorted(self.persons, person), count - 1)
        return index, self.persons[index] == person

    @cached_property
    def _numbered(self) -> Index:
        """The position of each number from one below the lowest person to one above the highest; 0 of nobody."""
        lowest = int(self.persons[0]) - 1
        numbered = np.zeros(int(self.persons[-1]) - lowest + 2, np.intp)
        numbered[self.persons - lowest] = np.arange(len(self.persons))
        return numbered

    def _inside(self, index: Index, time: NDArray[Any]) -> Times:
        """Return the positions of times, those outside the part of a person just before or after it."""
        shift = (self.begin - self.first)[index]
        inside = np.clip(time, (self.first - 1)[index], (self.last + 1)[index])
        placed: Times = inside + shift
        return placed


def _unknown(placed: Times, known: Mask | None) -> Times:
    return placed if known is None else np.where(known, placed, -1)


def axis(*columns: tuple[Persons, Times]) -> Axis:
    """Make the axis of several (person, time) columns, each sorted by person and time."""
    persons, first, last = _parts(columns)
    if not len(persons):
        none = np.empty(0, np.int64)
        return Axis(persons, none, none, none, None)
    ticks = None
    if float(np.sum(last.astype(np.float64) - first)) + 3.0 * len(persons) > LIMIT:
        ticks = np.unique(np.concatenate([t for _, t in columns]))
        first, last = _rank(ticks, first), _rank(ticks, last)
    stretch = last - first + 3
    begin = np.cumsum(stretch) - stretch + 1
    return Axis(persons, first, last, begin, ticks)


def _parts(columns: tuple[tuple[Persons, Times], ...]) -> tuple[Persons, Times, Times]:
    """Return the persons of the columns, and the first and the last time of each."""
    ends: dict[int, tuple[Index, Index]] = {}  # columns often have their persons in common
    for each, _ in columns:
        if id(each) not in ends:
            begin = firsts(each)
            ends[id(each)] = begin, np.append(begin[1:], len(each))[: len(begin)] - 1
    first = [t[ends[id(p)][0]] for p, t in columns]
    last = [t[ends[id(p)][1]] for p, t in columns]
    if len(ends) == 1:
        one = columns[0][0]
        return one[ends[id(one)][0]], np.minimum.reduce(first), np.maximum.reduce(last)
    person = np.concatenate([p[ends[id(p)][0]] for p, _ in columns])
    order = np.argsort(person, kind="stable")
    starts = firsts(person[order])
    if not len(starts):
        return person, first[0], last[0]
    return (
        person[order][starts],
        np.minimum.reduceat(np.concatenate(first)[order], starts),
        np.maximum.reduceat(np.concatenate(last)[order], starts),
    )


def _rank(ticks: Times, time: NDArray[Any]) -> Times:
    """Return an odd rank for a time among the ticks, an even rank for a time between two of them."""
    rank: Times = np.searchsorted(ticks, time, "left") + np.searchsorted(ticks, time, "right")
    return rank


def distinct_times(*columns: tuple[Persons, Times]) -> tuple[Persons, Times]:
    """Return every (person, time) that occurs in any of the sorted columns, once, in order."""
    line = axis(*columns)
    place = np.concatenate([line.place(p, t) for p, t in columns])
    order = np.argsort(place, kind="stable")
    place = place[order]
    keep = order[np.concatenate(([True], place[1:] != place[:-1]))] if len(order) else order
    person = np.concatenate([p for p, _ in columns])[keep]
    return person, np.concatenate([t for _, t in columns])[keep]
