"""Rates of an infusion as they would be if its weight had not changed.

An infusion at 0.5 mg/kg/h goes from 35 to 45 mg/h when a weight of 70 kg is followed by one of 90 kg, and
nobody ordered it. Such a change is no step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from becalm.core.arrays import Floats, Index, Persons, Times
from becalm.core.frame import Frame
from becalm.timeline import Timeline, rounded


def weight_share(frame: Frame, rows: Index, group: Persons | Times) -> Floats:
    """Return by what factor the rate of each row changed, since the group's first, by weights alone.

    frame : the rows of `Doses`. rows : infusions, in any order. group : the person or the treatment episode of
    each. Of two rows that follow one another, both per kg, the rate and the rate per kg are compared: what they
    have in common was ordered, the rest is the weight. Where only the weight changed the rate, that is all of it.
    """
    share = np.ones(len(rows))
    dosed_by, rate = frame["dosed_by_kg"][rows], frame["dose_per_h"][rows]
    running = np.flatnonzero(rate > 0)
    order = running[np.lexsort((frame["start"][rows[running]], group[running]))]
    before, after = order[:-1], order[1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = dosed_by[after] / dosed_by[before]
    changed = (group[before] == group[after]) & np.isfinite(weights) & (weights != 1)
    if not changed.any():
        return share
    factor = np.ones(len(order))
    whole = rate[after[changed]] / rate[before[changed]]
    per_kg = rounded(whole / weights[changed])
    up, down = (whole > 1) & (per_kg > 1), (whole < 1) & (per_kg < 1)
    ordered = np.where(
        up, np.minimum(whole, per_kg), np.where(down, np.maximum(whole, per_kg), 1.0)
    )
    factor[1:][changed] = whole / ordered
    for one in np.unique(group[after[changed]]).tolist():
        own = np.flatnonzero(group[order] == one)
        share[order[own]] = np.cumprod(factor[own])
    return share


class Delivered(NamedTuple):
    """One infusion twice: as delivered, and at one weight; sorted segments."""

    start: Times
    rate: Floats
    steady_start: Times
    steady: Floats

    def from_rate(self, rate: float, time: int) -> float:
        """Return the delivered rate for a steady rate that was in force before a moment."""
        return rate * self._factor(time - 1)

    def to_rate(self, rate: float, time: int) -> float:
        """Return the delivered rate for a steady rate that is in force from a moment on."""
        return rate * self._factor(time)

    def _factor(self, time: int) -> float:
        """Return delivered / steady at a moment; in a pause that of the rate before it."""
        rates = []
        for start, rate in ((self.start, self.rate), (self.steady_start, self.steady)):
            known = np.flatnonzero((start <= time) & (rate > 0))
            rates.append(float(rate[known[-1]]) if len(known) else 1.0)
        return rates[0] / rates[1]


def delivered(line: Timeline, steady: Timeline, one: int) -> Delivered:
    """Return the segments of one group of two timelines."""
    own, same = (
        slice(*np.searchsorted(each.person, (one, one + 1)).tolist()) for each in (line, steady)
    )
    return Delivered(line.start[own], line.low[own], steady.start[same], steady.low[same])
