"""How well levels were predicted: by the model alone, by a fixed and by a moving clearance, and by the last level kept.

Compared are the same levels: exact ones that could be used, with an earlier one in their course.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Final

import numpy as np

from becalm.core.arrays import Floats
from becalm.pk.levels.posterior import Weighted
from becalm.pk.levels.predicting import PredictedLevel

METHODS: Final = ("model", "fixed", "walk", "last")
RESAMPLED: Final = 4000
FEWEST_PERSONS: Final = 5
"""Persons below whom there is no interval."""
_NORMAL: Final = 1001


@dataclass(frozen=True)
class ComparedLevel:
    """One level and how each method predicted it: scores (CRPS of the logarithm), medians, whether 90 % covered it."""

    person_id: str
    value: float
    scores: Mapping[str, float]
    medians: Mapping[str, float]
    covered: Mapping[str, bool]


@dataclass(frozen=True)
class MethodScore:
    """The score of one method. ratio : of its CRPS to that of the walk is told by `low` and `high`, 95 % over persons.

    crps : mean. fold : median fold error. coverage : share of levels inside the 90 % interval; NaN where there is none.
    walk_ratio : CRPS of the moving clearance by that of this method.
    """

    method: str
    levels: int
    persons: int
    crps: float
    fold: float
    coverage: float
    walk_ratio: float
    low: float
    high: float


def compared(courses: Sequence[tuple[str, Sequence[PredictedLevel]]]) -> list[ComparedLevel]:
    """Return the levels that all methods predicted. courses : the person of each and its levels in their order.

    The last level kept has the spread of the changes between two levels in all other persons, so that it is no worse
    than it has to be.
    """
    pairs = [(person, before, now) for person, levels in courses for before, now in _pairs(levels)]
    changes = [
        (person, float(np.log(now.level.low / before.level.low))) for person, before, now in pairs
    ]
    found = []
    for person, before, now in pairs:
        assert now.prior is not None and now.walk is not None and now.fixed is not None
        others = np.array([change for who, change in changes if who != person])
        spread = float(np.sqrt((others**2).mean())) if len(others) else np.nan
        kept, covered = _kept(before.level.low, now.level.low, spread)
        by = {"model": now.prior, "fixed": now.fixed, "walk": now.walk}
        found.append(
            ComparedLevel(
                person,
                now.level.low,
                {**{name: each.score for name, each in by.items()}, "last": kept},
                {**{name: each.middle for name, each in by.items()}, "last": before.level.low},
                {**{name: each.covers(now.level) for name, each in by.items()}, "last": covered},
            )
        )
    return found


def _pairs(levels: Sequence[PredictedLevel]) -> list[tuple[PredictedLevel, PredictedLevel]]:
    usable = [each for each in levels if not each.refusal and each.level.exact]
    return list(pairwise(usable))


def _kept(before: float, now: float, spread: float) -> tuple[float, bool]:
    """Return the score of the last level with a normal spread of its logarithm, and whether 90 % covers."""
    change = float(np.log(now / before))
    if not np.isfinite(spread):
        return abs(change), False
    shares = (np.arange(_NORMAL) + 0.5) / _NORMAL
    steps = Weighted(_normal_quantiles(shares) * spread, np.full(_NORMAL, 1 / _NORMAL))
    return steps.score(change), abs(change) <= 1.6448536 * spread


def _normal_quantiles(shares: Floats) -> Floats:
    return np.array([NormalDist().inv_cdf(float(share)) for share in shares])


def scores(levels: Sequence[ComparedLevel], seed: int = 20) -> list[MethodScore]:
    """Return the score of every method, with the moving clearance's CRPS by its own as a ratio.

    The interval of the ratio draws persons with replacement.
    """
    if not levels:
        return []
    names = sorted({each.person_id for each in levels})
    place = {name: at for at, name in enumerate(names)}
    who = np.array([place[each.person_id] for each in levels])
    logs = np.log([each.value for each in levels])
    by = {name: np.array([each.scores[name] for each in levels]) for name in METHODS}
    drawn = _resampled(len(names), seed)
    found = []
    for name in METHODS:
        medians = np.log([each.medians[name] for each in levels])
        low, high = _interval(by["walk"], by[name], who, drawn)
        found.append(
            MethodScore(
                name,
                len(levels),
                len(names),
                float(by[name].mean()),
                float(np.exp(np.median(np.abs(logs - medians)))),
                float(np.mean([each.covered[name] for each in levels])),
                float(by["walk"].mean() / by[name].mean()),
                low,
                high,
            )
        )
    return found


def _resampled(persons: int, seed: int) -> Floats:
    """Return how often each person is drawn, [draw, person]."""
    source = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(3,))))
    chosen = source.integers(0, persons, (RESAMPLED, persons))
    return np.stack([np.bincount(each, minlength=persons) for each in chosen]).astype(np.float64)


def _interval(walk: Floats, other: Floats, who: Floats, drawn: Floats) -> tuple[float, float]:
    persons = drawn.shape[1]
    if persons < FEWEST_PERSONS:
        return np.nan, np.nan
    above = drawn @ np.bincount(who, walk, persons)
    below = drawn @ np.bincount(who, other, persons)
    low, high = np.quantile(above / below, [0.025, 0.975]).tolist()
    return low, high
