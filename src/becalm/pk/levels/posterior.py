"""What levels say of one patient: the most probable parameters, and weighted draws from all that are possible.

The likelihood is not normal (concentrations are curved in the parameters, levels may be limits), so draws come from a
normal distribution around the most probable parameters, and each is weighted by how much more probable it is than that
distribution says. `effective` says how many draws of equal weight they are worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Index
from becalm.pk.levels.course import PkLevel
from becalm.pk.levels.likelihood import LevelError
from becalm.pk.levels.transfer import CourseGrid, Transfers, carried, curves
from becalm.pk.levels.walk import Deviations
from becalm.pk.propagation import RateConstants

WIDER: Final = 1.15
"""The proposal is wider than the posterior by this factor where levels say something, so that no weight is great."""
_MOST_ROUNDS: Final = 40
_DONE: Final = 1e-7
_STEP: Final = 1e-4
_LEAST_CONCENTRATION: Final = 1e-12


@dataclass(frozen=True, eq=False)
class PatientDraws:
    """Weighted draws of one patient.

    normal : standard normal numbers, [draw, number]. weight : adds up to 1. levels : concentrations at the times that were
    asked, [draw, time], mg/L. left : amounts at the last border. effective : how many equal draws they are worth.
    """

    normal: Floats
    weight: Floats
    levels: Floats
    left: Floats

    @property
    def effective(self) -> float:
        """How many draws of equal weight these are worth."""
        return float(1 / (self.weight**2).sum())


@dataclass(frozen=True, eq=False)
class Problem:
    """One course whose levels are to be explained. at : the border of each level."""

    grid: CourseGrid
    deviations: Deviations
    error: LevelError
    levels: tuple[PkLevel, ...]
    at: Index

    def concentrations(self, normal: Floats, at: Index | None = None) -> tuple[Floats, Floats]:
        """Return the concentrations of draws at borders (by default those of the levels), and what is left."""
        wanted = self.at if at is None else at
        grid = self.grid.until(int(wanted.max(initial=1)))
        return curves(
            grid, self.deviations.factors(normal), self.deviations.log_clearance(normal), wanted
        )

    # ------------------------------------------------------------ the most probable parameters

    def mode(self, used: Sequence[int], start: Floats | None = None) -> tuple[Floats, Floats]:
        """Return the most probable normal numbers, and the curvature there (the inverse of a covariance).

        used : the levels that count, by position. Newton's method with the curvature of the levels alone; a step that
        makes it less probable is halved.
        """
        z = np.zeros(self.deviations.size) if start is None else start.copy()
        if not len(used):
            return z, np.eye(len(z))
        grid = self.grid.until(int(self.at[list(used)].max()))
        value, slope, bend = self._local(grid, z, used)
        for _ in range(_MOST_ROUNDS):
            change = np.linalg.solve(bend, slope - z)
            share = 1.0
            while True:
                new = z + share * change
                after = self._local(grid, new, used)
                if after[0] >= value - 1e-9 or share < 1e-3:
                    break
                share /= 2
            moved, z = float(np.abs(new - z).max()), new
            value, slope, bend = after
            if moved < _DONE:
                break
        return z, bend

    def _local(
        self, grid: CourseGrid, z: Floats, used: Sequence[int]
    ) -> tuple[float, Floats, Floats]:
        """Return the logarithm of the posterior, the slope of the likelihood, and the curvature of both."""
        log_level, jacobian = self._with_slopes(grid, z, used)
        value, slope, bend = -0.5 * float(z @ z), np.zeros(len(z)), np.eye(len(z))
        h = 1e-3
        for row, number in enumerate(used):
            near = log_level[row] + np.array([-h, 0.0, h])
            low, here, high = self.error.log_density(self.levels[number], near)
            curvature = max((2 * here - low - high) / h**2, 1e-9)
            value += float(here)
            slope += jacobian[row] * (high - low) / (2 * h)
            bend += curvature * np.outer(jacobian[row], jacobian[row])
        return value, slope, bend

    def _with_slopes(
        self, grid: CourseGrid, z: Floats, used: Sequence[int]
    ) -> tuple[Floats, Floats]:
        """Return log concentrations at some levels, and their slopes in every normal number.

        A change of the clearance of one step changes its own intervals alone, so few transfers are needed.
        """
        of = self.deviations
        one = z[None, :]
        log_clearance = of.log_clearance(one)[0]
        variants = [(of.factors(one), log_clearance), (of.factors(one), log_clearance + _STEP)]
        for name, _ in of.fixed:
            changed = of.factors(one)
            changed[name] = changed[name] * np.exp(_STEP)
            variants.append((changed, log_clearance))
        factors = {
            name: np.concatenate([each[0][name] for each in variants]) for name, _ in of.fixed
        }
        paths = np.stack([each[1] for each in variants])[:, grid.step]
        own = grid.own(factors, paths)
        full = RateConstants(*(np.broadcast_to(each, paths.shape) for each in own.arrays()))
        transfers = Transfers.of(grid, full)
        steps = int(grid.step.max(initial=0)) + 1
        which = np.zeros((len(grid.step), 1 + len(of.fixed) + steps), np.intp)
        which[:, 1 : 1 + len(of.fixed)] = 2 + np.arange(len(of.fixed))
        which[np.arange(len(grid.step)), 1 + len(of.fixed) + grid.step] = 1
        rows = np.arange(len(grid.step))[:, None]
        chosen = Transfers(transfers.amounts[rows, which], transfers.infused[rows, which])
        of_draw = np.zeros(which.shape[1], np.intp)
        of_draw[1 : 1 + len(of.fixed)] = 2 + np.arange(len(of.fixed))
        ones = np.ones(len(variants))
        levels, _ = carried(
            grid,
            chosen,
            factors.get("central_volume", ones)[of_draw],
            factors.get("bioavailability", ones)[of_draw],
            at=self.at[list(used)],
        )
        logs = np.log(np.maximum(levels, _LEAST_CONCENTRATION))
        slopes = (logs[1:] - logs[0]) / _STEP
        jacobian = np.zeros((len(used), of.size))
        for at, (_, spread) in enumerate(of.fixed):
            jacobian[:, at] = slopes[at] * spread
        jacobian[:, len(of.fixed) :] = slopes[len(of.fixed) :].T @ of.moving[:steps]
        return logs[0], jacobian

    # ------------------------------------------------------------ all that is possible

    def draws(
        self,
        used: Sequence[int],
        noise: Floats,
        at: Index | None = None,
        start: Floats | None = None,
    ) -> tuple[PatientDraws, Floats]:
        """Return weighted draws given some levels, and the most probable normal numbers.

        noise : standard normal numbers, [draw, number]. at : the borders at which concentrations are asked.
        """
        middle, bend = self.mode(used, start)
        normal, log_proposal = _proposed(middle, bend, noise)
        asked = self.at[:0] if at is None else at
        borders = np.concatenate([self.at[list(used)], asked])
        levels, left = self.concentrations(normal, borders)
        log_weight = -0.5 * (normal**2).sum(axis=1) - log_proposal
        for row, number in enumerate(used):
            log_level = np.log(np.maximum(levels[:, row], _LEAST_CONCENTRATION))
            log_weight += self.error.log_density(self.levels[number], log_level)
        weight = np.exp(log_weight - log_weight.max())
        return PatientDraws(normal, weight / weight.sum(), levels[:, len(used) :], left), middle


def _proposed(middle: Floats, bend: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Return draws around the most probable parameters, and the logarithm of how often they are proposed.

    The root of the covariance is the symmetric one, so that it does not hang on how directions are chosen of which the
    levels say nothing.
    """
    size, axes = np.linalg.eigh(bend)
    wide = np.where(size > 1 + 1e-3, WIDER, 1.0) / np.sqrt(size)
    normal = middle + noise @ ((axes * wide) @ axes.T)
    return normal, -0.5 * (noise**2).sum(axis=1) - float(np.log(wide).sum())


def standard_noise(draws: int, numbers: int, seed: int, key: int = 0) -> Floats:
    """Return standard normal numbers in pairs of opposite sign, the same for the same seed.

    A number keeps its place if there are more of them.
    """
    half = (draws + 1) // 2
    columns = [
        np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(key, at)))).standard_normal(half)
        for at in range(numbers)
    ]  # fmt: skip
    once = np.stack(columns, axis=1) if columns else np.zeros((half, 0))
    found: Floats = np.concatenate([once, -once])[:draws]
    return found


@dataclass(frozen=True, eq=False)
class Weighted:
    """Numbers with weights, to be asked for shares and scores."""

    values: Floats
    weight: Floats

    @cached_property
    def _sorted(self) -> tuple[Floats, Floats]:
        order = np.argsort(self.values, kind="stable")
        return self.values[order], np.cumsum(self.weight[order])

    def quantiles(self, shares: Sequence[float]) -> Floats:
        """Return the values that shares of the weight lie below."""
        values, total = self._sorted
        middle = total - self.weight[np.argsort(self.values, kind="stable")] / 2
        found: Floats = np.interp(shares, middle / total[-1], values)
        return found

    def score(self, truth: float) -> float:
        """Return the continuous ranked probability score of the distribution for what was seen.

        Gneiting T, Raftery AE. J Am Stat Assoc 2007;102:359-78.
        """
        values, total = self._sorted
        share = total[:-1] / total[-1]
        length = np.diff(values)
        edges = values[:-1]
        part = np.clip((truth - edges) / np.where(length > 0, length, 1.0), 0.0, 1.0) * length
        inside = (share**2 * part + (1 - share) ** 2 * (length - part)).sum()
        outside = max(values[0] - truth, 0.0) + max(truth - values[-1], 0.0)
        return float(inside + outside)
