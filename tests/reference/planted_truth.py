"""Cohorts of known truth: doses by the hour, and infections and deaths drawn from known hazards.

All of it is NumPy on a grid of hours; nothing of the package is used, so that what the package computes
can be held against what was planted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

DAYS = 24
HOURS = 24 * DAYS
FROM = 48
HIGH = 1200.0
RATES = np.array([0.0, 25.0, 50.0, 100.0])
Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Truth:
    """What is planted. Hazards are for a day.

    infection, death : of a person at a low dose. ratio : by how much a high dose (1,200 mg or more in the
    24 h before, `lag` hours ago) multiplies the hazard of infection; fatal : that of death. severity : by
    how much a severe illness, which half of the persons have, multiplies the hazard of infection. driven :
    whether a severe illness brings high doses. suspected : whether the dose stops 6 to 24 h before the culture.
    """

    infection: float = 0.012
    death: float = 0.004
    ratio: float = 1.0
    fatal: float = 1.0
    lag: int = 0
    severity: float = 1.0
    driven: bool = False
    suspected: bool = False


@dataclass(frozen=True, eq=False)
class Cohort:
    """Persons of many studies one after another: `study` is the number of each person's study.

    rate : float[persons, hours], mg/h in each hour from time zero on. infected and died : the hour of the
    event, infinite where there is none in the time that was followed. severe : whether the illness is severe.
    """

    study: Whole
    rate: Floats
    infected: Floats
    died: Floats
    severe: npt.NDArray[np.bool_]


def planted(truth: Truth, studies: int, persons: int, seed: int) -> Cohort:
    """Draw a cohort."""
    rng = np.random.default_rng(seed)
    n = studies * persons
    severe = rng.random(n) < 0.5
    days = np.zeros((n, DAYS), np.int64)
    days[:, 0] = rng.integers(1, 4, n)
    for day in range(1, DAYS):
        step = rng.choice([-1, 0, 1], n, p=[0.2, 0.6, 0.2])
        if truth.driven:
            pulled = np.where(severe, 1, -1)
            step = np.where(rng.random(n) < 0.35, pulled, step)
        days[:, day] = np.clip(days[:, day - 1] + step, 0, 3)
    rate = np.repeat(RATES[days], 24, axis=1)
    high = dose_before(rate) >= HIGH
    late = np.zeros_like(high)
    late[:, truth.lag :] = high[:, : HOURS - truth.lag] if truth.lag else high
    hazard = truth.infection / 24 * np.where(late, truth.ratio, 1.0)
    hazard *= np.where(severe, truth.severity, 1.0)[:, None]
    hazard[:, :FROM] = 0.0  # what happens before the risk begins is another illness
    infected = first(hazard, rng)
    died = first(truth.death / 24 * np.where(high, truth.fatal, 1.0), rng)
    if truth.suspected:
        stop = np.floor(infected - rng.uniform(6, 24, n))
        cut = np.arange(HOURS)[None, :] >= stop[:, None]
        rate = np.where(cut, 0.0, rate)
    return Cohort(np.repeat(np.arange(studies), persons), rate, infected, died, severe)


def dose_before(rate: Floats) -> Floats:
    """The dose in the 24 h before the middle of each hour, rounded to whole hours: rates are by the hour."""
    total = np.concatenate([np.zeros((len(rate), 1)), np.cumsum(rate, axis=1)], axis=1)
    hour = np.arange(HOURS)
    # In the middle of an hour a dose of whole hours has reached an edge for half of it; the edge of
    # 1,200 mg is only ever reached at a whole hour, so the later of both ends says it.
    begin, end = np.maximum(hour - 24, 0), np.maximum(hour - 23, 0)
    before = total[:, hour] - total[:, begin]
    after = total[:, hour + 1] - total[:, end]
    inside: Floats = np.minimum(before, after)
    return inside


def first(hazard: Any, rng: np.random.Generator) -> Floats:
    """The hour of the first event of a hazard an hour, at a random moment of its hour."""
    risen = np.cumsum(np.broadcast_to(hazard, hazard.shape), axis=1)
    drawn = rng.exponential(size=len(risen))
    hour = (risen < drawn[:, None]).sum(axis=1)
    begin = np.where(
        hour > 0, np.take_along_axis(risen, np.maximum(hour - 1, 0)[:, None], 1)[:, 0], 0
    )
    there = np.take_along_axis(hazard, np.minimum(hour, HOURS - 1)[:, None], 1)[:, 0]
    at: Floats = hour + (drawn - begin) / np.where(there > 0, there, 1.0)
    return np.where(hour < HOURS, at, np.inf)


def without_early(cohort: Cohort) -> Cohort:
    """Leave out who died before the risk begins."""
    kept = cohort.died > FROM
    return Cohort(
        cohort.study[kept],
        cohort.rate[kept],
        cohort.infected[kept],
        cohort.died[kept],
        cohort.severe[kept],
    )


def naive_ratio(cohort: Cohort, days: float = 3.0) -> Floats:
    """The ratio of rates by whether a person ever had so many days at a high dose, for each study.

    All time from the begin of the risk on is given to the group that a person ends up in: the mistake.
    """
    end = np.minimum(np.minimum(cohort.infected, cohort.died), HOURS)
    hour = np.arange(HOURS)[None, :]
    high = (dose_before(cohort.rate) >= HIGH) & (hour < end[:, None])
    ever = high.sum(axis=1) >= 24 * days
    event = (cohort.infected <= end) & (cohort.infected < HOURS)
    time = np.maximum(end - FROM, 0)
    studies = int(cohort.study.max()) + 1

    def rate(group: Any) -> Floats:
        counted = np.bincount(cohort.study[group], event[group], studies)
        spent: Floats = counted / np.bincount(cohort.study[group], time[group], studies)
        return spent

    ratio: Floats = np.divide(rate(ever), rate(~ever))
    return ratio


def of(truth: Truth, **changed: Any) -> Truth:
    """Another truth."""
    return replace(truth, **changed)
