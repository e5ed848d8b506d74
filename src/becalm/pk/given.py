"""Concentrations by the doses that a patient was really given: curves, and what is said of a stretch of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import inf, log
from typing import Final, NamedTuple

import numpy as np

from becalm.core.arrays import Floats
from becalm.core.errors import UsageError
from becalm.pk import units
from becalm.pk.covariates import CovariateCourse
from becalm.pk.grid import DoseArrays, breakpoints
from becalm.pk.model import PkModel, PkParameter
from becalm.pk.propagation import RateConstants
from becalm.pk.virtual import Curves, VirtualPatients

HALF_LIVES: Final = 10
"""After so many half-lives nothing of a dose is counted: a thousandth is left."""
REPLACEMENT: Final = ("haemodialysis", "effluent_flow")
"""The covariates by which a model knows dialysis, and replacement that goes on all the time."""


class GivenDoses(NamedTuple):
    """What one patient was given, in hours from any zero. infusions : float64[n, 3], start, end, mg/h, above each other
    where they overlap. vein, skin : float64[n, 2], hour and mg of doses that were given at once.
    """

    infusions: Floats
    vein: Floats
    skin: Floats

    @property
    def hours(self) -> list[float]:
        """Every hour at which something changes."""
        return [*self.infusions[:, :2].ravel().tolist(), *self.vein[:, 0].tolist(), *self.skin[:, 0].tolist()]  # fmt: skip

    def before(self, end: float) -> GivenDoses:
        """Return what was given before an hour."""
        parts = [each[each[:, 0] < end] for each in self]
        parts[0] = np.column_stack((parts[0][:, 0], np.minimum(parts[0][:, 1], end), parts[0][:, 2]))  # fmt: skip
        return GivenDoses(*parts)


@dataclass(frozen=True, eq=False)
class PatientCurves:
    """Concentrations (mg/L) of one patient from 0 h on: the typical patient of the model with these covariates and
    doses first, then virtual patients. hours : borders, ascending; stretches begin and end at borders.
    """

    hours: Floats
    curves: Curves
    rate: Floats

    def _between(self, start: float, end: float) -> slice:
        return slice(*np.searchsorted(self.hours, (start, end)).tolist())

    @cached_property
    def _edges(self) -> tuple[Floats, Floats]:
        """Concentrations at the begin and at the end of each interval."""
        return self.curves.after[:, :-1], self.curves.before[:, 1:]

    def area(self, start: float, end: float) -> Floats:
        """Return the area under the concentration in a stretch, mg·h/L, for each patient."""
        found: Floats = self.curves.area[:, self._between(start, end)].sum(axis=1)
        return found

    def peak(self, start: float, end: float) -> Floats:
        """Return the highest concentration at a border of a stretch, mg/L, for each patient."""
        inside = self._between(start, end)
        found: Floats = np.maximum(*(each[:, inside] for each in self._edges)).max(axis=1)
        return found

    def hours_above(self, target: float, start: float, end: float) -> Floats:
        """Return the hours of a stretch at or above a concentration; between two borders the curve is a straight line."""
        inside = self._between(start, end)
        begin, stop = (each[:, inside] for each in self._edges)
        low, high = np.minimum(begin, stop), np.maximum(begin, stop)
        with np.errstate(invalid="ignore", divide="ignore"):
            crossing = (high - target) / (high - low)
        part = np.where(low >= target, 1.0, np.where(high < target, 0.0, crossing))
        found: Floats = (part * np.diff(self.hours)[inside]).sum(axis=1)
        return found

    def at(self, hours: Floats) -> Floats:
        """Return the concentrations at some borders, after doses that are given there: [patient, hour]."""
        found: Floats = self.curves.after[:, np.searchsorted(self.hours, hours)]
        return found

    def rate_at(self, hours: Floats) -> Floats:
        """Return the infusion rate from some borders on, mg/h."""
        found: Floats = np.append(self.rate, self.rate[-1:])[np.searchsorted(self.hours, hours)]
        return found


def patient_curves(
    virtual: VirtualPatients,
    given: GivenDoses,
    courses: Mapping[str, CovariateCourse],
    printed: Iterable[float],
    end: float,
) -> PatientCurves:
    """Return the concentrations from 0 h to `end`, for doses from 0 h on; a covariate holds until its next value.

    courses : every covariate that the model uses, each known from 0 h on. printed : further borders.

    Raises `ValueError` for a dose or a rate that is below 0.
    """
    given = given.before(end)
    if any((each < 0).any() for each in given):
        raise ValueError("a time, a rate or a dose is below 0")
    grid = breakpoints(virtual.model, courses, "last", [*printed, *given.hours], end)
    begin, stop = (np.searchsorted(grid.hours, given.infusions[:, at]) for at in (0, 1))
    change = np.zeros(len(grid.hours))
    running = np.zeros(len(grid.hours), np.int64)
    for at, sign in ((begin, 1), (stop, -1)):
        np.add.at(change, at, sign * given.infusions[:, 2])
        np.add.at(running, at, sign)
    # A sum of differences leaves a residue, and nothing may be infused where nothing runs.
    rate = np.where(np.cumsum(running) > 0, np.maximum(np.cumsum(change), 0.0), 0.0)[:-1]
    vein, skin = np.zeros(len(rate)), np.zeros(len(rate))
    for into, doses in ((vein, given.vein), (skin, given.skin)):
        np.add.at(into, np.searchsorted(grid.hours, doses[:, 0]), doses[:, 1])
    return PatientCurves(grid.hours, virtual.curves(grid, DoseArrays(vein, skin, rate), 1), rate)


def washout(model: PkModel) -> float:
    """Return the hours after which nothing of a dose counts, even in the patient who clears slowest of those studied.

    Infinite where the clearance at the end of the studied range is 0.

    >>> from becalm.pk import load
    >>> round(washout(load("anakinra")))
    87
    """
    used = model.used_covariates
    slowest = inf
    for corner in product(*(model.covariates[name].studied for name in used)):
        parts = model.typical(dict(zip(used, corner, strict=True)))
        none = np.zeros(1)
        found = RateConstants.of(
            parts["clearance"], parts["central_volume"], parts.get("exchange", none), parts.get("peripheral_volume", none + 1)
        )  # fmt: skip
        rates = [found.exponents()[1 if "exchange" in parts else 0]]
        rates += [parts[name] for name in ("absorption", "first_absorption") if name in parts]
        slowest = min(slowest, *(float(np.min(each)) for each in rates))
    return HALF_LIVES * log(2) / slowest if slowest > 0 else inf


def by_replacement(model: PkModel) -> dict[str, PkParameter]:
    """Return the parameters that say what renal replacement clears, by name."""
    return {
        name: each
        for name, each in model.parameters.items()
        if not set(each.scaled_by).isdisjoint(REPLACEMENT)
    }


def at_ends(model: PkModel) -> tuple[PkModel, PkModel]:
    """Return the model with the least and with the most that renal replacement may clear, as its file says."""
    parts = by_replacement(model)
    low = {name: each.value if each.low is None else each.low for name, each in parts.items()}
    high = {name: each.value if each.high is None else each.high for name, each in parts.items()}
    return model.replaced(low), model.replaced(high)


def in_unit(model: PkModel, name: str, value: Floats, unit: str) -> Floats:
    """Return values of a covariate in the unit of the model's file. Raises `UsageError` for a unit of another kind."""
    wanted = model.covariate(name).unit
    try:
        return value * units.factor(unit, wanted)
    except UsageError as error:
        raise UsageError(f"{model.name}: the covariate {name} is in {wanted}: {error.what}") from error  # fmt: skip


def outside(model: PkModel, name: str, values: Floats) -> str:
    """Return in words how values of a covariate lie outside those of the studied patients; '' where they do not.

    What is not known (NaN) says nothing.
    """
    covariate = model.covariate(name)
    values = values[np.isfinite(values)]
    low, high = covariate.studied
    said = name.replace("_", " ")
    if not len(values) or (values.min() >= low and values.max() <= high):
        return ""
    shown = f"{values.min():.3g}" if values.min() == values.max() else f"{values.min():.3g} to {values.max():.3g}"  # fmt: skip
    unit = "" if covariate.unit == "1" else f" {covariate.unit}"
    if high == 0:
        return f"{said} up to {values.max():.3g}{unit}, never studied"
    return f"{said} {shown}{unit}, studied {low:g} to {high:g}"
