"""Each level as it was predicted before it was known, by the levels before it; and which levels contradict the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Index
from becalm.pk.levels import normal
from becalm.pk.levels.course import PkLevel
from becalm.pk.levels.likelihood import LevelError
from becalm.pk.levels.posterior import PatientDraws, Problem, Weighted, standard_noise

FAR: Final = 3.0
"""A level this many standard deviations from what was predicted contradicts the model: 1 of 370 would by chance."""
SHARES: Final = (0.05, 0.5, 0.95)
_LEAST: Final = 1e-12


@dataclass(frozen=True, eq=False)
class Prediction:
    """What was expected of a level: 5 %, median and 95 % of what would be measured, mg/L.

    innovation : how many standard deviations the level lies from it; 0 for a level that is a limit and agrees with it.
    score : of the logarithm of the level (CRPS), NaN for a level that is a limit. effective : draws that it rests on.
    """

    low: float
    middle: float
    high: float
    innovation: float
    score: float
    effective: float

    @property
    def far(self) -> bool:
        """Whether the level contradicts it."""
        return abs(self.innovation) > FAR

    def covers(self, level: PkLevel) -> bool:
        """Return whether an exact level lies between 5 % and 95 %."""
        return self.low <= level.low <= self.high


@dataclass(frozen=True, eq=False)
class PredictedLevel:
    """One level: why it cannot be used, or what was predicted of it, and whether it was used.

    prior : by the model alone. walk : by a clearance that moves. fixed : by one that does not. confirmed : a level that was
    far from the prediction and is used because the next one is far on the same side.
    """

    level: PkLevel
    refusal: str = ""
    used: bool = False
    confirmed: bool = False
    prior: Prediction | None = None
    walk: Prediction | None = None
    fixed: Prediction | None = None


def predicted(
    level: PkLevel, error: LevelError, draws: PatientDraws, column: int, noise: Floats
) -> Prediction:
    """Return what draws expect of a level. noise : standard normal numbers, one for each draw."""
    log_level = np.log(np.maximum(draws.levels[:, column], _LEAST))
    measured = Weighted(log_level + error.spread(log_level) * noise, draws.weight)
    low, middle, high = np.exp(measured.quantiles(SHARES)).tolist()
    score = measured.score(float(np.log(level.low))) if level.exact else np.nan
    return Prediction(low, middle, high, _innovation(level, error, log_level, draws.weight), score, draws.effective)  # fmt: skip


def _innovation(level: PkLevel, error: LevelError, log_level: Floats, weight: Floats) -> float:
    """Return where a level lies in its distribution, as a standard normal number."""

    def share(value: float) -> float:
        return 1.0 if value == np.inf else float(weight @ error.below(value, log_level))

    if level.exact:
        return normal.quantile(share(level.low))
    upper, lower = share(level.high), share(level.low)
    if upper < 0.5:
        return normal.quantile(upper)
    return normal.quantile(lower) if lower > 0.5 else 0.0


def in_turn(
    walk: Problem,
    fixed: Problem,
    refusals: Sequence[str],
    draws: int,
    seed: int,
    *,
    keep_all: bool = False,
) -> list[PredictedLevel]:
    """Return every level with what was predicted of it by the levels before it that were used.

    A level that contradicts the prediction is not used, unless the next one contradicts it on the same side: then both are.
    keep_all : such levels are used as the others are.
    """
    found = [PredictedLevel(level, refusal) for level, refusal in zip(walk.levels, refusals, strict=True)]  # fmt: skip
    usable = [at for at, refusal in enumerate(refusals) if not refusal]
    if not usable:
        return found
    assay = standard_noise(draws, len(walk.levels), seed, key=1)
    before, after = _Sequence(walk, draws, seed), _Sequence(fixed, draws, seed)
    used: list[int] = []
    doubted: int | None = None
    nothing, _ = walk.draws([], standard_noise(draws, walk.deviations.size, seed), walk.at)
    for at in usable:
        level = walk.levels[at]
        prior = predicted(level, walk.error, nothing, at, assay[:, at])
        now = predicted(level, walk.error, before.given(used, at), 0, assay[:, at])
        static = predicted(level, walk.error, after.given(used, at), 0, assay[:, at])
        accepted = keep_all or not now.far
        found[at] = replace(found[at], prior=prior, walk=now, fixed=static, used=accepted)
        if accepted:
            used.append(at)
            doubted = None
        elif doubted is not None and _same_side(found[doubted], now):
            for each in (doubted, at):
                found[each] = replace(found[each], used=True, confirmed=True)
            used += [doubted, at]
            doubted = None
        else:
            doubted = at
    return found


def _same_side(before: PredictedLevel, now: Prediction) -> bool:
    return before.walk is not None and before.walk.innovation * now.innovation > 0


class _Sequence:
    """PatientDraws given more and more levels; the search for the most probable parameters begins where it ended before."""

    def __init__(self, problem: Problem, draws: int, seed: int) -> None:
        self._problem = problem
        self._noise = standard_noise(draws, problem.deviations.size, seed)
        self._start: Floats | None = None

    def given(self, used: Sequence[int], at: int) -> PatientDraws:
        """Return draws given some levels, with the concentrations at another level."""
        asked: Index = self._problem.at[at : at + 1]
        found, self._start = self._problem.draws(sorted(used), self._noise, asked, self._start)
        return found
