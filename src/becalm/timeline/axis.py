"""All persons one after another on one int64 axis, so that every search is one-dimensional."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from becalm.core.arrays import LIMIT, Persons, Times, firsts


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
        dense = int(self.persons[-1]) - int(self.persons[0]) + 1 == len(self.persons)
        if dense:
            index = person.astype(np.int64) - int(self.persons[0])
            known = (index >= 0) & (index < len(self.persons))
            index = np.where(known, index, 0)
        else:
            index = np.minimum(np.searchsorted(self.persons, person), len(self.persons) - 1)
            known = self.persons[index] == person
        first, last = self.first[index], self.last[index]
        ranked = time if self.ticks is None else _rank(self.ticks, time)
        inside = np.clip(ranked, first - 1, last + 1)
        placed: Times = np.where(known, inside - first + self.begin[index], -1)
        return placed


def axis(*columns: tuple[Persons, Times]) -> Axis:
    """Make the axis of several (person, time) columns, each sorted by person and time."""
    person = np.concatenate([p[firsts(p)] for p, _ in columns])
    first = np.concatenate([t[firsts(p)] for p, t in columns])
    last = np.concatenate(
        [t[np.append(firsts(p)[1:], len(p)) - 1] if len(p) else t for p, t in columns]
    )
    order = np.argsort(person, kind="stable")
    starts = firsts(person[order])
    persons = person[order][starts]
    if not len(persons):
        none = np.empty(0, np.int64)
        return Axis(persons, none, none, none, None)
    first = np.minimum.reduceat(first[order], starts)
    last = np.maximum.reduceat(last[order], starts)
    ticks = None
    if float(np.sum(last.astype(np.float64) - first)) + 3.0 * len(persons) > LIMIT:
        ticks = np.unique(np.concatenate([t for _, t in columns]))
        first, last = _rank(ticks, first), _rank(ticks, last)
    stretch = last - first + 3
    begin = np.cumsum(stretch) - stretch + 1
    return Axis(persons, first, last, begin, ticks)


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
