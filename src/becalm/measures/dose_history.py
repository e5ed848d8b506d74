"""The dose before each moment, in bands: in the previous 24 h, days at a high dose, the total so far.

A band is a step function, and it changes where the amount reaches an edge, to the microsecond. All of it
can be moved later by a lag: what a patient had been given so long before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import FAR_FUTURE, Floats, Pair, Persons, Times
from becalm.core.clock import DAY
from becalm.protocol import PersonTime
from becalm.timeline import Cumulative, Intervals, Timeline, combine

METRICS: Final = ("dose_24h", "days_high", "cumulative")
UNKNOWN_BAND: Final = 99
"""The band of a dose that has no known amount."""
BELOW: Final = 1e-6
"""An amount is exact to six decimals: 50 mg/h for 24 h reaches 1,200 mg."""
_DAYS_BELOW: Final = 1e-9
"""The same for days: less than a tenth of a second."""


@dataclass(frozen=True, eq=False)
class DoseHistory:
    """What each person had been given of one drug, from time zero on.

    person : int32[n], ascending; t0 : int64[n] in µs. amounts : the drug's amounts. unknown : when it was
    given in an amount that nobody knows: the previous 24 h are unknown for a day after it, and the totals
    from there on.
    """

    person: Persons
    t0: Times
    amounts: Cumulative
    unknown: Intervals
    rule: PersonTime

    @cached_property
    def total(self) -> Cumulative:
        """The amount from time zero on."""
        return self.amounts.since(self.person, self.t0)

    @cached_property
    def days_high(self) -> Cumulative:
        """The days from time zero on at or above the high dose in the previous 24 h."""
        high = self.amounts.bands(DAY, (self.rule.high_24h - BELOW,))
        high = high.clip(Intervals(self.person, self.t0, np.full(len(self.t0), FAR_FUTURE)))
        reached = high.where(lambda low, _: low >= 1)
        a_day = Timeline.build(reached.person, reached.start, reached.end, _ones(reached) / 24)
        return Cumulative.build(a_day, None)

    @cached_property
    def bands(self) -> dict[str, Timeline]:
        """The band of each measure of dose, where any amount counts; no segment is no dose."""
        rule = self.rule
        return {
            "dose_24h": self.amounts.bands(DAY, edges(rule.bands_24h)),
            "days_high": self.days_high.bands(FAR_FUTURE, edges(rule.bands_days_high, _DAYS_BELOW)),
            "cumulative": self.total.bands(FAR_FUTURE, edges(rule.bands_cumulative)),
        }

    @cached_property
    def dark(self) -> dict[str, Intervals]:
        """When each measure of dose is not known."""
        of = self.unknown
        ever = Intervals.build(of.person, of.start, np.full(len(of), FAR_FUTURE))
        brief = Intervals.build(of.person, of.start, of.end + DAY)
        return {"dose_24h": brief, "days_high": ever, "cumulative": ever}

    def codes(self, risk: Intervals, lag: int) -> Timeline:
        """Return the bands of all three measures in one number, for the time in `risk`, `lag` µs earlier.

        The number is read by `decoded`.
        """
        during = Timeline.build(risk.person, risk.start, risk.end, _zeros(risk))
        parts = [self.bands[name].shift(lag) for name in METRICS]
        dark = [self.dark[name].shift(lag) for name in METRICS]
        unknown = [Timeline.build(d.person, d.start, d.end, _ones(d)) for d in dark]

        def coded(_: Pair, *pairs: Pair) -> tuple[ArrayLike, ArrayLike]:
            number = np.zeros(len(pairs[0][0]))
            for band, hidden in zip(pairs[:3], pairs[3:], strict=True):
                known = np.where(np.isfinite(band[0]), band[0], 0.0)
                number = number * 100 + np.where(np.isfinite(hidden[0]), UNKNOWN_BAND, known)
            return number, number

        return combine(coded, during, *parts, *unknown).clip(risk)

    def values(self, person: Persons, time: Times, lag: int) -> dict[str, Floats]:
        """Return the three amounts at moments, `lag` µs earlier; NaN where they are not known."""
        when = time - lag
        found = {
            "dose_24h": self.amounts.amount(person, when - DAY, when),
            "days_high": self.days_high.at(person, when),
            "cumulative": self.total.at(person, when),
        }
        return {
            name: np.where(self.dark[name].contains(person, when), np.nan, np.round(value, 5))
            for name, value in found.items()
        }


def edges(upto: Sequence[float], below: float = BELOW) -> tuple[float, ...]:
    """Return the edges of bands as `Cumulative.bands` takes them: none, and then at or above each."""
    return (0.0, *(edge - below for edge in upto))


def labels(upto: Sequence[float]) -> tuple[str, ...]:
    """Return the names of the bands, lowest first.

    >>> labels((400, 1200))
    ('0', '(0, 400)', '[400, 1,200)', '≥1,200')
    """
    if not upto:
        return ("0", ">0")
    names = ["0", f"(0, {upto[0]:,g})"]
    names += [f"[{low:,g}, {high:,g})" for low, high in pairwise(upto)]
    return (*names, f"≥{upto[-1]:,g}")


def decoded(code: Floats) -> dict[str, Times]:
    """Return the band of each measure from the numbers of `DoseHistory.codes`."""
    number = code.astype(np.int64)
    return {
        "dose_24h": number // 10_000,
        "days_high": number // 100 % 100,
        "cumulative": number % 100,
    }


def _ones(of: Intervals) -> Floats:
    return np.ones(len(of))


def _zeros(of: Intervals) -> Floats:
    return np.zeros(len(of))
