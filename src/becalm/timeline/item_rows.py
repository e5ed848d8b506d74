"""The rows of the records from which a value was computed; they are looked up only when needed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from becalm.core.arrays import Index, Persons, Times, expand, firsts, plus
from becalm.timeline.axis import Axis, axis
from becalm.timeline.intervals import Intervals


class RowSource(Protocol):
    """An input that can name its rows."""

    def rows(self, person: Persons, time: Times) -> tuple[Index, Times]:
        """Return pairs (number of the question, row) for questions (person, time), in that order."""
        ...


@dataclass(frozen=True, eq=False)
class Later:
    """An input whose values were moved later by `by` µs."""

    source: RowSource
    by: int

    def rows(self, person: Persons, time: Times) -> tuple[Index, Times]:
        return self.source.rows(person, plus(time, -self.by))


@dataclass(frozen=True, eq=False)
class Inside:
    """An input that counts only inside windows."""

    source: RowSource
    windows: Intervals

    def rows(self, person: Persons, time: Times) -> tuple[Index, Times]:
        asked = np.flatnonzero(self.windows.contains(person, time))
        number, row = self.source.rows(person[asked], time[asked])
        return asked[number], row


@dataclass(frozen=True, eq=False)
class OpenRows:
    """Rows that hold from a start to an end and may overlap, sorted by person and start."""

    person: Persons
    start: Times
    end: Times
    row: Times

    @cached_property
    def _axis(self) -> Axis:
        return axis((self.person, self.start))

    @cached_property
    def _placed(self) -> Times:
        return self._axis.place(self.person, self.start)

    def rows(self, person: Persons, time: Times) -> tuple[Index, Times]:
        begun = np.searchsorted(self._placed, self._axis.place(person, time), "right")
        own = np.searchsorted(self.person, person, "left")
        number, at = expand(own, begun)
        still = self.end[at] > time[number]
        return number[still], self.row[at[still]]


def attaining(number: Index, at: Index, value: NDArray[Any], best: np.ufunc) -> tuple[Index, Index]:
    """Return, for each question, the earliest of its candidates with the best value."""
    begin = firsts(number)
    if not len(begin):
        return number, at
    count = np.diff(np.append(begin, len(number)))
    hit = np.flatnonzero(value[at] == np.repeat(best.reduceat(value[at], begin), count))
    first = hit[firsts(number[hit])]
    return number[first], at[first]
