"""The moments at which a definition is reported.

`index` is the index time itself; `peak_to_index` is the time of the highest lowest-possible total in
the look-back before it, the earliest of equal ones; `peak_ever` is the same over all records;
`whole_stay` is the end of a stay, see `whole_stay`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from becalm.core.arrays import Floats, Mask, Persons, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.definitions.evaluation import Evaluation
from becalm.timeline import Intervals, Timeline

Moment: TypeAlias = Literal["index", "peak_to_index", "peak_ever", "whole_stay"]


@dataclass(frozen=True, eq=False)
class Moments:
    """The index time of every person, and the look-back for a peak.

    index : int64[n_persons], µs; `UNKNOWN_TIME` for persons without one, who get `peak_ever` only.
    look_back : µs; the window is [index − look_back, index], both ends included. stays : the stays of all
    persons, for `whole_stay`; without them it is not reported.
    """

    index: Times
    look_back: int
    stays: Intervals | None = None

    @classmethod
    def peak_only(cls, n_persons: int) -> Moments:
        """Return moments with only the peak over all records, for all persons."""
        return cls(np.full(n_persons, UNKNOWN_TIME), 0)


@dataclass(frozen=True, eq=False)
class Asked:
    """One kind of moment for many persons: its time, and results of its window.

    time : the time; `UNKNOWN_TIME` for a peak of a person without any value. first_met,
    first_possible : the first time in the window at which the lowest (the highest) total reaches the
    cut-off; `UNKNOWN_TIME` if none does; times without any value do not count. held_hours : hours of
    the window in which the lowest total was at or above the cut-off.
    """

    moment: Moment
    person: Persons
    time: Times
    first_met: Times
    first_possible: Times
    held_hours: Floats


def ask(evaluation: Evaluation, moments: Moments, who: Mask) -> Iterator[Asked]:
    """Yield the moments of the persons chosen by `who`, a mask over all of them."""
    persons = np.flatnonzero(who).astype(np.int32)
    indexed = persons[moments.index[persons] != UNKNOWN_TIME]
    if len(indexed):
        index = moments.index[indexed]
        window = Intervals(indexed, index - moments.look_back, index + 1)
        yield asked_in("index", evaluation, window, indexed, index)
        yield asked_in("peak_to_index", evaluation, window, indexed, None)
    yield asked_in("peak_ever", evaluation, None, persons, None)


def asked_in(
    moment: Moment,
    evaluation: Evaluation,
    window: Intervals | None,
    persons: Persons,
    time: Times | None,
) -> Asked:
    """Return a moment of some persons with what happened in its window; without a time it is the peak.

    window : by default all records. Its last microsecond is the moment itself, which has no duration.
    """
    count, cut_off = evaluation.inputs.n_persons, evaluation.definition.cut_off
    known = evaluation.observed if window is None else evaluation.observed.clip(window)
    met = known.where(lambda low, high: low >= cut_off)
    if window is not None:
        met = met.clip(_without_the_moment(window))
    held = np.bincount(met.person, met.durations() / HOUR, count)
    return Asked(
        moment,
        persons,
        _spread(*peak(known), count)[persons] if time is None else time,
        _spread(*known.first(lambda low, high: low >= cut_off), count)[persons],
        _spread(*known.first(lambda low, high: high >= cut_off), count)[persons],
        held[persons].astype(np.float64),
    )


def _without_the_moment(window: Intervals) -> Intervals:
    lasting = window.longer_than(1)
    return Intervals(lasting.person, lasting.start, lasting.end - 1)


def peak(known: Timeline) -> tuple[Persons, Times]:
    """Return when each person's lowest possible total is highest, the earliest of equal ones."""
    person, low = known.person, known.low
    if not len(person):
        return person, known.start
    begin = np.flatnonzero(np.append(True, person[1:] != person[:-1]))
    length = np.diff(np.append(begin, len(person)))
    highest = np.flatnonzero(low == np.repeat(np.maximum.reduceat(low, begin), length))
    first = highest[np.append(True, person[highest][1:] != person[highest][:-1])]
    return person[first], known.start[first]


def _spread(person: Persons, time: Times, count: int) -> Times:
    """Return one time for each person: those of some persons, `UNKNOWN_TIME` for the others."""
    everyone = np.full(count, UNKNOWN_TIME)
    everyone[person] = time
    return everyone
