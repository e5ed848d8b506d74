"""Changes of a marker from one draw to a later one: what the spread of changes is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Index, Mask, Persons, Times
from becalm.timeline import Points

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
SHORTEST: Final = 18 * HOUR
"""µs: draws nearer to each other are one state of the patient, and are not a change."""
LONGEST: Final = 84 * HOUR
"""µs: beyond it nothing was measured, so nothing is said."""
EARLIER: Final = (12 * HOUR, 96 * HOUR)
"""µs before the last value: where the earlier value stands that gives a direction."""
STEADY: Final = 0.05
"""Change of the logarithm in a day, up to which a marker is steady."""
NONE, FALLING, STEADY_, RISING = range(4)
DIRECTIONS: Final = ("none", "falling", "steady", "rising")
"""The direction before the last value, by its code; none where no exact earlier value stands."""


@dataclass(frozen=True, eq=False)
class MarkerChanges:
    """Last values and the values that followed, on the logarithmic scale; a bound may be infinite.

    start, end : when the two were drawn, µs. low, high : logarithm of the last value. next_low, next_high : of the
    value that followed. slope : change of the logarithm in a day before the last value, NaN where not known.
    """

    person: Persons
    start: Times
    end: Times
    low: Floats
    high: Floats
    next_low: Floats
    next_high: Floats
    slope: Floats

    def __len__(self) -> int:
        return len(self.person)

    @property
    def days(self) -> Floats:
        """How much later the second value was drawn."""
        return np.asarray((self.end - self.start) / DAY, np.float64)

    @property
    def known(self) -> Mask:
        """Whether the last value is a number, so that its change can be measured."""
        return np.asarray((self.low == self.high) & np.isfinite(self.low))

    @property
    def exact(self) -> Mask:
        """Whether both values are numbers."""
        both: Mask = self.known & (self.next_low == self.next_high) & np.isfinite(self.next_low)
        return both

    def take(self, which: Mask | Index) -> MarkerChanges:
        """Keep the changes of a mask or of positions."""
        return MarkerChanges(**{name: values[which] for name, values in vars(self).items()})


def changes(points: Points) -> MarkerChanges:
    """Return the changes between draws that are 18 to 84 h apart; no two of them overlap in time.

    From the first draw on, the next is the first that is at least 18 h later, and so on; where it is more than
    84 h later there is no change.
    """
    points = usable(points)
    person, time = points.person, points.time
    first = np.flatnonzero(_chained(points))
    later = _at_or_after(points, SHORTEST)[first]
    there = later < len(points)
    first, later = first[there], later[there]
    pair = (person[later] == person[first]) & (time[later] - time[first] <= LONGEST)
    first, later = first[pair], later[pair]
    low, high = logarithms(points)
    return MarkerChanges(
        person=person[first],
        start=time[first],
        end=time[later],
        low=low[first],
        high=high[first],
        next_low=low[later],
        next_high=high[later],
        slope=slopes(points)[first],
    )


def last_values(points: Points) -> MarkerChanges:
    """Return the last value of each person; what follows is not known."""
    points = usable(points)
    last = np.flatnonzero(np.append(points.person[1:] != points.person[:-1], [True] * bool(len(points))))  # fmt: skip
    low, high = logarithms(points)
    open_ = np.full(len(last), np.inf)
    return MarkerChanges(
        points.person[last], points.time[last], points.time[last], low[last], high[last],
        -open_, open_, slopes(points)[last],
    )  # fmt: skip


def usable(points: Points) -> Points:
    """Leave out values that cannot be above zero: they have no logarithm."""
    return points.where(lambda _, high: high > 0)


def logarithms(points: Points) -> tuple[Floats, Floats]:
    """Return the logarithm of the lowest and the highest possible value; of zero it is -inf."""
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(points.low, 0.0)), np.log(points.high)


def slopes(points: Points) -> Floats:
    """Return the change of the logarithm in a day before each value; NaN where it is not known.

    It is that from the latest value drawn 12 to 96 h before; both must be numbers.
    """
    low, high = logarithms(points)
    at = np.arange(len(points))
    before = points.count_until(points.person, points.time - EARLIER[0]) - 1
    some = before >= 0
    before = np.where(some, before, at)
    apart = points.time - points.time[before]
    some &= (points.person[before] == points.person) & (apart <= EARLIER[1]) & (apart > 0)
    some &= (low == high) & (low[before] == high[before])
    some &= np.isfinite(low) & np.isfinite(low[before])
    found = np.full(len(points), np.nan)
    found[some] = (low[some] - low[before[some]]) / (apart[some] / DAY)
    return found


def directions(slope: Floats) -> Index:
    """Return the code of each direction (`DIRECTIONS`).

    >>> directions(np.array([np.nan, -0.2, 0.05, 0.2])).tolist()
    [0, 1, 2, 3]
    """
    moved = np.where(slope > STEADY, RISING, np.where(slope < -STEADY, FALLING, STEADY_))
    return np.where(np.isnan(slope), NONE, moved).astype(np.intp)


def _at_or_after(points: Points, apart: int) -> Index:
    """Return the position of the first point at least so much later, which may be another person's."""
    return points.count_until(points.person, points.time + (apart - 1))


def _chained(points: Points) -> Mask:
    """Tell which draws are in the chain of each person: the first, and each that is 18 h after the one before."""
    person = points.person
    later = _at_or_after(points, SHORTEST)
    chained = np.zeros(len(points), np.bool_)
    at = np.flatnonzero(np.append([True] * bool(len(points)), person[1:] != person[:-1]))
    while len(at):
        chained[at] = True
        follow = later[at]
        there = follow < len(points)
        follow, at = follow[there], at[there]
        at = follow[person[follow] == person[at]]
    return chained
