"""Exact concentrations of many draws of one patient, whose clearance differs from step to step.

What one mg in a compartment becomes in an interval is asked of `propagate` for all intervals at once; then amounts are
carried from interval to interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Index
from becalm.pk.covariates import CovariateCourse
from becalm.pk.grid import DoseArrays, breakpoints, doses_on, hours_of
from becalm.pk.levels.walk import Deviations
from becalm.pk.model import PkModel
from becalm.pk.propagation import CENTRAL, DEPOT, FIRST_DEPOT, RateConstants, propagate
from becalm.pk.regimen import DosePlan

TOGETHER: Final = 150_000
"""PatientDraws × intervals that are computed together."""


@dataclass(frozen=True, eq=False)
class CourseGrid:
    """The borders of a course's intervals, h, with what holds between them for the typical patient.

    step : of the walk, for each interval. compartments : 2 without depots, else 4.
    """

    model: PkModel
    hours: Floats
    constants: RateConstants
    volume: Floats
    fraction: Floats
    given: DoseArrays
    step: Index
    compartments: int

    @classmethod
    def of(
        cls,
        model: PkModel,
        plan: DosePlan,
        courses: Mapping[str, CovariateCourse],
        deviations: Deviations,
        *,
        times: Sequence[float],
        horizon: float,
    ) -> CourseGrid:
        """Return the grid of a course. times : those at which a concentration is asked.

        A dose that begins at the horizon belongs to what comes later.
        """
        plan = plan._replace(doses=tuple(each for each in plan.doses if each.hours < horizon))
        every = [*times, *hours_of(plan), *deviations.borders.tolist()]
        found = breakpoints(model, courses, "last", every, horizon)
        given = doses_on(found.hours, plan, courses.get("weight"), "last")
        constants = RateConstants(*(each[found.which] for each in found.constants.arrays()))
        depots = bool(given.skin.any())
        return cls(
            model,
            found.hours,
            constants,
            found.volume,
            found.fraction,
            given,
            deviations.step_of(found.hours[:-1]),
            4 if depots else 2,
        )

    def border(self, times: Sequence[float]) -> Index:
        """Return the border of each time; the last one for what comes later."""
        found = np.searchsorted(self.hours, np.asarray(times, np.float64) - 1e-9)
        return np.minimum(found, len(self.hours) - 1)

    def until(self, border: int) -> CourseGrid:
        """Return the grid up to a border."""
        return CourseGrid(
            self.model,
            self.hours[: border + 1],
            RateConstants(*(each[:border] for each in self.constants.arrays())),
            self.volume[: border + 1],
            self.fraction[: border + 1],
            DoseArrays(
                self.given.bolus[:border], self.given.skin[:border], self.given.rate[:border]
            ),
            self.step[:border],
            self.compartments,
        )

    def own(self, factors: Mapping[str, Floats], log_clearance: Floats) -> RateConstants:
        """Return the rate constants of draws, [draw, interval]. log_clearance : [draw, interval]."""

        def by(part: str) -> Floats | float:
            return factors[part][:, None] if part in factors else 1.0

        k = self.constants
        clearance = np.exp(log_clearance)
        return RateConstants(
            k.elimination * (clearance / by("central_volume")),
            k.outward * (by("exchange") / np.asarray(by("central_volume"))),
            k.inward * (by("exchange") / np.asarray(by("peripheral_volume"))),
            k.absorption * by("absorption"),
            k.before * by("first_absorption"),
        )


@dataclass(frozen=True, eq=False)
class Transfers:
    """What intervals do. amounts : [interval, draw, to, from], for one mg; infused : [interval, draw, to], for 1 mg/h."""

    amounts: Floats
    infused: Floats

    @classmethod
    def of(cls, grid: CourseGrid, constants: RateConstants) -> Transfers:
        """Return it for the rate constants of draws, [draw, interval]."""
        size = grid.compartments
        units = np.zeros((size + 1, 1, 1, 4))
        for at, compartment in enumerate((CENTRAL, CENTRAL + 1, DEPOT, FIRST_DEPOT)[:size]):
            units[at, ..., compartment] = 1.0
        rate = np.zeros((size + 1, 1, 1, 1))
        rate[size] = 1.0
        spread = RateConstants(*(np.asarray(each)[..., None] for each in constants.arrays()))
        found = propagate(
            spread,
            np.diff(grid.hours)[:, None],
            rate=rate,
            start=units,
            two_depots=grid.model.two_depots,
        ).before[..., 1, :size]  # [unit, draw, interval, to]
        return cls(
            np.ascontiguousarray(np.moveaxis(found[:size], (2, 1, 3, 0), (0, 1, 2, 3))),
            np.ascontiguousarray(np.moveaxis(found[size], 1, 0)),
        )


def carried(
    grid: CourseGrid,
    transfers: Transfers,
    volume: Floats,
    absorbed: Floats,
    *,
    at: Index,
    start: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return the concentration of each draw at some borders, [draw, border], and what is left at the last border.

    volume : the factor of each draw's central volume. absorbed : the factor of its bioavailability. Doses that are given
    at a border at once are not in its concentration yet. start : amounts at the first border, [draw, compartment].
    """
    draws, size = transfers.infused.shape[1], grid.compartments
    amount = np.zeros((draws, size)) if start is None else _fitted(start, size)
    entry = 3 if grid.model.two_depots else 2
    central = np.empty((len(grid.hours), draws))
    central[0] = amount[:, 0]
    bolus, skin, rate = grid.given.bolus, grid.given.skin, grid.given.rate
    for j in range(len(grid.hours) - 1):
        if bolus[j]:
            amount[:, 0] += bolus[j]
        if skin[j]:
            amount[:, entry] += skin[j] * np.minimum(grid.fraction[j] * absorbed, 1.0)
        amount = (transfers.amounts[j] @ amount[:, :, None])[:, :, 0]
        if rate[j]:
            amount += transfers.infused[j] * rate[j]
        central[j + 1] = amount[:, 0]
    until = np.concatenate([grid.volume[:1], grid.volume[:-1]])
    found: Floats = (central[at] / until[at, None]).T / volume[:, None]
    return found, amount


def _fitted(start: Floats, size: int) -> Floats:
    """Return a copy of amounts with as many compartments as the grid has."""
    found = np.zeros((len(start), size))
    found[:, : start.shape[1]] = start[:, :size]
    return found


def curves(
    grid: CourseGrid,
    factors: Mapping[str, Floats],
    log_clearance: Floats,
    at: Index,
    start: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return concentrations at borders and the amounts at the last one, for draws; see `carried`.

    log_clearance : [draw, step of the walk].
    """
    draws = len(log_clearance)
    ones = np.ones(draws)
    block = max(1, TOGETHER // max(len(grid.step), 1))
    found, left = [], []
    for first in range(0, draws, block):
        rows = slice(first, first + block)
        some = {name: each[rows] for name, each in factors.items()}
        own = grid.own(some, log_clearance[rows][:, grid.step])
        own = RateConstants(
            *(np.broadcast_to(each, own.elimination.shape) for each in own.arrays())
        )
        levels, amounts = carried(
            grid,
            Transfers.of(grid, own),
            factors.get("central_volume", ones)[rows],
            factors.get("bioavailability", ones)[rows],
            at=at,
            start=None if start is None else start[rows],
        )
        found.append(levels)
        left.append(amounts)
    return np.concatenate(found), np.concatenate(left)
