"""The exact cumulative amount of a drug at any moment."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import (
    LIMIT,
    Floats,
    Persons,
    Times,
    check_order,
    expand,
    firsts,
    plus,
    query,
)
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.timeline.axis import Axis, axis, distinct_times
from becalm.timeline.points import Points
from becalm.timeline.rounding import rounded
from becalm.timeline.steps import Timeline

Side: TypeAlias = Literal["left", "right"]
"""Just before a moment, or at it."""


@dataclass(frozen=True, eq=False, repr=False)
class Cumulative:
    """A(t), the mg administered up to and including t: linear between knots, a jump at every bolus.

    person : int32[n], time : int64[n] in µs, the knots, sorted; total : float64[n], mg at and
    including the knot; rate : float64[n], mg/h from the knot on. 0 before the first knot.
    """

    person: Persons
    time: Times
    total: Floats
    rate: Floats

    def __post_init__(self) -> None:
        check_order("Cumulative", self.person, self.time[1:] <= self.time[:-1])
        for array in (self.person, self.time, self.total, self.rate):
            array.flags.writeable = False

    def __repr__(self) -> str:
        return f"Cumulative({len(self.time)} knots, {len(firsts(self.person))} persons)"

    @classmethod
    def build(cls, rate: Timeline | None, boluses: Points | None) -> "Cumulative":
        """Add up a rate in mg/h (an unknown rate counts as 0) and boluses in mg.

        Both must be exact and finite: an uncertain dose has no single cumulative amount. Doses at
        one instant are added up before, by `Points.of_doses`.
        """
        rate = Timeline.empty() if rate is None else rate
        boluses = Points.empty() if boluses is None else boluses
        for name, values in (("rate", rate), ("boluses", boluses)):
            if not values.exact or not np.isfinite(values.low).all():
                raise ValueError(f"{name}: an amount needs exact numbers, not ranges")
        person, time = distinct_times(
            (rate.person, rate.start), (rate.person, rate.end), (boluses.person, boluses.time)
        )
        low, _ = rate.at(person, time)
        slope = np.where(np.isfinite(low), low, 0.0)
        line = axis((person, time))
        jump = np.zeros(len(time))
        knots = line.place(person, time)
        jump[np.searchsorted(knots, line.place(boluses.person, boluses.time))] = boluses.low
        flow = np.zeros(len(time))
        flow[1:] = slope[:-1] * (np.diff(time) / HOUR)
        starts = firsts(person)
        flow[starts] = 0.0
        steps = np.column_stack((flow, jump)).ravel()
        for begin, end in zip(starts, np.append(starts, len(time))[1:], strict=True):
            # One person at a time, so that the sums do not depend on the other persons in the chunk.
            np.cumsum(steps[2 * begin : 2 * end], out=steps[2 * begin : 2 * end])
        return cls(person, time, steps[1::2].copy(), slope)

    @cached_property
    def _axis(self) -> Axis:
        return axis((self.person, self.time))

    @cached_property
    def _placed(self) -> Times:
        return self._axis.place(self.person, self.time)

    def at(self, person: ArrayLike, time: ArrayLike) -> Floats:
        """Return the mg administered in (-∞, time]; a bolus at `time` is included."""
        return self._until(person, time, "right")

    def amount(self, person: ArrayLike, start: ArrayLike, end: ArrayLike) -> Floats:
        """Return the mg in (start, end]: a bolus at the start does not count, one at the end does."""
        return rounded(self.at(person, end) - self.at(person, start))

    def _until(self, person: ArrayLike, time: ArrayLike, side: Side) -> Floats:
        who, when = query(person, time)
        if not len(self.time):
            return np.zeros(who.shape)
        position = np.searchsorted(self._placed, self._axis.place(who, when), side) - 1
        index = np.maximum(position, 0)
        hours = (when - self.time[index]) / HOUR
        known = (position >= 0) & (self.person[index] == who)
        result: Floats = np.where(known, self.total[index] + self.rate[index] * hours, 0.0)
        return result

    def max_within(self, person: ArrayLike, window: int) -> tuple[Floats, Times]:
        """Return the greatest mg of each person in any `window` µs, and when the first such window ends.

        One end of a window is closed, the other open: a dose every 24 h counts once in 24 h. The
        greatest amount is at a knot or a knot + window. Without any dose: 0 at `UNKNOWN_TIME`.
        """
        if window <= 0:
            raise ValueError(f"the length of a window must be above 0, not {window} µs")
        who = query(person)[0]
        persons, time = distinct_times(
            (self.person, self.time), (self.person, plus(self.time, window))
        )
        if not len(persons):
            return np.zeros(who.shape), np.full(who.shape, UNKNOWN_TIME)
        back = plus(time, -window)
        with_end = self._until(persons, time, "right") - self._until(persons, back, "right")
        with_start = self._until(persons, time, "left") - self._until(persons, back, "left")
        mg = rounded(np.maximum(with_end, with_start))
        starts = firsts(persons)
        most = np.maximum.reduceat(mg, starts)
        count = np.diff(np.append(starts, len(mg)))
        hit = np.flatnonzero(mg == np.repeat(most, count))
        when = time[hit[firsts(persons[hit])]]
        listed = persons[starts]
        index = np.minimum(np.searchsorted(listed, who), len(listed) - 1)
        dosed = (listed[index] == who) & (most[index] > 0)
        return np.where(dosed, most[index], 0.0), np.where(dosed, when[index], UNKNOWN_TIME)

    def bands(self, window: int, upto: ArrayLike) -> Timeline:
        """Return, as a step function, the band of the mg in the previous `window` µs.

        upto : ascending mg, inclusive: with (0, 400, 1200), band 0 is no drug, 1 is
        (0, 400], 2 is (400, 1200] and 3 is above. The mg change linearly, and the band changes
        where they cross its edge, to the microsecond. Known from the first dose until no dose
        is in the window any more.
        """
        edges = np.asarray(upto, dtype=np.float64)
        person, time = distinct_times(
            (self.person, self.time), (self.person, plus(self.time, window))
        )
        piece = np.flatnonzero(person[1:] == person[:-1])
        person, start, end = person[piece], time[piece], time[piece + 1]
        begin = self._window(person, start, window, "right")
        stop = self._window(person, end, window, "left")
        hours = (end - start) / HOUR
        number, edge = expand(
            np.searchsorted(edges, np.minimum(begin, stop), "right"),
            np.searchsorted(edges, np.maximum(begin, stop), "left"),
        )
        share = (edges[edge] - begin[number]) / (stop - begin)[number]
        crossing = start[number] + np.ceil(share * hours[number] * HOUR).astype(np.int64)
        order = np.lexsort((crossing, person[number]))
        who, when = distinct_times(
            (person, start), (person, end), (person[number][order], crossing[order])
        )
        same = np.flatnonzero(who[1:] == who[:-1])
        who, start, end = who[same], when[same], when[same + 1]
        middle = (
            self._window(who, start, window, "right") + self._window(who, end, window, "left")
        ) / 2
        band = np.searchsorted(edges, rounded(middle), "left").astype(np.float64)
        return Timeline.merged(who, start, end, band, band, sources=())

    def since(self, person: Persons, time: Times) -> "Cumulative":
        """Return what was administered from a moment of each person on; a bolus at the moment counts.

        person : int32[k], ascending, each once; time : int64[k] in µs. Persons who are not listed have
        no amount.
        """
        begins = np.full(int(max([*person[-1:], *self.person[-1:], -1])) + 1, LIMIT)
        begins[person] = time
        kept = self.time > begins[self.person]
        who, when = distinct_times((person, time), (self.person[kept], self.time[kept]))
        before = self._until(who, begins[who], "left")
        index = np.searchsorted(self._placed, self._axis.place(who, when), "right") - 1
        if len(self.time):
            known = (index >= 0) & (self.person[np.maximum(index, 0)] == who)
            rate = np.where(known, self.rate[np.maximum(index, 0)], 0.0)
        else:
            rate = np.zeros(len(who))
        return Cumulative(who, when, self.at(who, when) - before, rate)

    def _window(self, person: Persons, time: Times, window: int, side: Side) -> Floats:
        back = plus(time, -window)
        return rounded(self._until(person, time, side) - self._until(person, back, side))
