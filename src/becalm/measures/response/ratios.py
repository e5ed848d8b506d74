"""One variable around a clock: baseline, peak, horizons, and the ratio of the 48-hour value.

If a laboratory reported only a limit, the value is a range, so a ratio is a range too; a statement
about it is made only if it is true for the whole range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from becalm.core.arrays import Floats, Mask, Pair, Texts, Times
from becalm.core.clock import HOUR
from becalm.measures.response.questions import Questions
from becalm.protocol import Horizon, Protocol
from becalm.timeline import Points, nearest, ratio
from becalm.timeline.nearest import Draws


@dataclass(frozen=True, eq=False)
class Compared:
    """A later value as a multiple of the baseline, lowest and highest possible.

    measured : whether both values exist; the ratio is (-inf, inf) if not.
    """

    measured: Mask
    low: Floats
    high: Floats

    @classmethod
    def of(cls, baseline: Draws, later: Draws) -> Compared:
        """Divide; rounded to 9 decimals, so that equal values give exactly 1."""
        measured = baseline.found & later.found
        low, high = ratio(later.bounds, baseline.bounds)
        return cls(measured, np.where(measured, low, -np.inf), np.where(measured, high, np.inf))

    def at_most(self, bound: float) -> tuple[Mask, Mask]:
        """Return whether each ratio is certainly, and possibly, at or below a bound."""
        bound = round(bound, 9)
        return self.high <= bound, self.low <= bound

    def below_one(self) -> tuple[Mask, Mask]:
        """Return whether each value certainly, and possibly, fell: an equal value did not fall."""
        return self.high < 1, self.low < 1

    def status(self) -> Texts:
        """Return the status of each ratio; '' if not measured.

        fell / did not fall: certain. at least: the baseline was only a lower limit (or the later
        value only an upper limit), so the printed ratio is the greatest possible one and the fall is
        at least that much. both censored: limits leave the direction undecided.
        """
        status = np.full(len(self.low), "", dtype=object)
        ranged = self.low != self.high
        bounded = ranged & (self.low <= 0) & np.isfinite(self.high)
        status[self.measured] = "both censored"
        status[self.measured & bounded] = "at least"
        status[self.measured & (self.high < 1) & ~bounded] = "fell"
        status[self.measured & (self.low >= 1)] = "did not fall"
        return status

    def number(self) -> Floats:
        """Return the ratio, or its known bound; NaN if there is none."""
        upper = np.isfinite(self.high) & (self.low < 1)
        number = np.where(upper, self.high, np.where(self.low > 0, self.low, np.nan))
        return np.where(self.measured & np.isfinite(number), number, np.nan)


def baseline(points: Points, asked: Questions, variable: str, protocol: Protocol) -> Draws:
    """Return the last value before or exactly at the clock."""
    back = protocol.baseline.ferritin if variable == "ferritin" else protocol.baseline.other
    return nearest.last(
        points, *nearest.within(points, asked.person, asked.time - back.us, asked.time)
    )


def peak(points: Points, asked: Questions, protocol: Protocol) -> Pair:
    """Return the highest value before the clock, also of a variable that falls in a storm."""
    start = asked.time - protocol.baseline.peak.us
    return nearest.greatest(points, *nearest.within(points, asked.person, start, asked.time))


def at_horizon(points: Points, asked: Questions, horizon: Horizon) -> Draws:
    """Return the value nearest to a horizon in its window, the earlier of two equally near."""
    first, stop = nearest.within(
        points,
        asked.person,
        asked.time + round(horizon.from_h * HOUR),
        asked.time + round(horizon.to_h * HOUR),
        after=horizon.open,
    )
    return nearest.nearest(points, asked.time + round(horizon.at * HOUR), first, stop)


def strictly_within(points: Points, asked: Questions, protocol: Protocol) -> Draws:
    """Return the last value after the clock and no later than the strict horizon."""
    first, stop = nearest.within(
        points, asked.person, asked.time, strict_end(asked, protocol), after=True
    )
    return nearest.last(points, first, stop)


def strict_end(asked: Questions, protocol: Protocol) -> Times:
    """Return the last moment of the strict horizon."""
    end: Times = asked.time + protocol.response.strict_horizon.us - 1
    return end
