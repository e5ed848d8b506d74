"""Clearance at each creatinine, three ways, and held over time: Cockcroft-Gault, CKD-EPI 2021, kinetic eGFR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from becalm.core.arrays import Floats, Mask, Texts, Times
from becalm.core.clock import HOUR
from becalm.kidney import equations
from becalm.timeline import Intervals, Points, Timeline


@dataclass(frozen=True, eq=False)
class Clearances:
    """Clearance at each draw of creatinine, NaN where it is not known; never a number during replacement.

    draws : the creatinine, mg/dL. void : whether replacement voids the draw. cockcroft_gault : mL/min.
    ckd_epi_2021 : mL/min/1.73 m². kinetic_low, kinetic_high : mL/min between the draw and the one
    before it, by the two choices of the greatest rise that anuria can cause: it is the choice that
    decides most, so both bounds are given.
    """

    draws: Points
    void: Mask
    cockcroft_gault: Floats
    ckd_epi_2021: Floats
    kinetic_low: Floats
    kinetic_high: Floats

    def timeline(self, name: str, valid: int, courses: Intervals) -> Timeline:
        """Return one of them over time: each value until the next draw, for at most `valid` µs.

        name : a column, or `kinetic` for the band. courses : of replacement, during which it is unknown.
        """
        low, high = (
            (self.kinetic_low, self.kinetic_high)
            if name == "kinetic"
            else (getattr(self, name),) * 2
        )
        known = np.isfinite(low)
        points = Points(
            self.draws.person,
            self.draws.time,
            np.where(known, low, -np.inf),
            np.where(known, high, np.inf),
            self.draws.row,
        )
        line = points.hold(valid)
        return line.clip(line.known().without(courses)) if len(courses) else line


def clearances(
    draws: Points,
    *,
    age: Floats,
    sex: Texts,
    kg: Floats,
    baseline_mg_dl: Floats,
    courses: Intervals,
    valid: int,
) -> Clearances:
    """Return the clearance at each draw.

    Kinetic eGFR needs a pair: the draw and the last one at least the shortest time before it, not
    older than `valid`, with no replacement between them; the first value of a series has none. It is at
    least 0.

    draws : exact creatinine; a range has no clearance. age, sex, kg, baseline_mg_dl : one for each
    draw, NaN or '' where unknown. courses : of replacement. valid : µs.
    """
    rule = equations.formulas().kegfr
    void = courses.contains(draws.person, draws.time)
    usable = ~void & (draws.low == draws.high)
    value = np.where(usable, draws.low, np.nan)
    first = _before(draws, usable, round(rule.min_hours * HOUR))
    paired = usable & (first >= 0)
    one = np.maximum(first, 0)
    hours = np.where(paired, draws.time - draws.time[one], 0) / HOUR
    paired &= hours * HOUR <= valid
    at = np.flatnonzero(paired)
    crossed, _ = courses.overlaps(draws.person[at], draws.time[one[at]], draws.time[at])
    paired[at[crossed]] = False
    stable = equations.cockcroft_gault(baseline_mg_dl, age, kg, sex)
    own = equations.max_rise(baseline_mg_dl, stable, kg, sex)
    bands = [
        equations.kegfr(
            baseline_mg_dl, stable, value[one], value, hours, max_rise_mg_dl_day=greatest
        )
        for greatest in (None, own)
    ]
    low, high = (np.where(paired, of(*bands), np.nan) for of in (np.minimum, np.maximum))
    return Clearances(
        draws,
        void,
        equations.cockcroft_gault(value, age, kg, sex),
        equations.ckd_epi_2021(value, age, sex),
        low,
        high,
    )


def _before(draws: Points, usable: Mask, apart: int) -> Times:
    """Return the last usable draw of the same person at least `apart` µs before each; -1 if none."""
    some = np.flatnonzero(usable)
    kept = draws.take(some)
    count = kept.count_until(draws.person, draws.time - apart)
    place = np.maximum(count - 1, 0)
    if not len(some):
        return np.full(len(draws), -1, np.int64)
    mine = (count > 0) & (kept.person[place] == draws.person)
    return np.where(mine, some[place], -1)
