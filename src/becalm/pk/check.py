"""What a model gives beside what is published: a table of checks, those that the model was set to apart from the others."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np

from becalm.core import toml
from becalm.core.arrays import Floats
from becalm.core.errors import UsageError
from becalm.pk import units
from becalm.pk.covariates import read_courses
from becalm.pk.given import GivenDoses, PatientCurves, patient_curves
from becalm.pk.grid import weight_at
from becalm.pk.model import PkModel
from becalm.pk.regimen import Regimen
from becalm.pk.virtual import VirtualPatients

CHECKS: Final = Path(__file__).parent / "checks"
SPREADS: Final = 2.0
"""A row agrees where it lies within so many standard deviations of what is published ..."""
WITHOUT_SPREAD: Final = 0.25
"""... or within this part of it, where no standard deviation is published."""
DAY: Final = 24.0
_STEP: Final = 0.05
_EVENING: Final = 12.0
"""The half-life of a curve is taken from this hour to 24 h."""
Measure = Literal[
    "clearance", "apparent_clearance", "clearance_per_kg", "volume_per_kg", "area_ratio", "peak", "time_of_peak", "half_life", "level",
]  # fmt: skip


class PublishedCheck(toml.TomlTable, frozen=True):
    """One published number and what the model gave when the file was written. low, high : where a range is published.

    beside : the covariates to which the area is compared. regimen, hour : of a curve.
    """

    title: str
    measure: Measure
    covariates: dict[str, float]
    unit: str
    calculated: float
    fitted: bool
    fails: bool
    source: str
    published: float | None = None
    spread: float | None = None
    low: float | None = None
    high: float | None = None
    beside: dict[str, float] = msgspec.field(default_factory=dict)
    regimen: str = ""
    hour: float = 0.0

    @property
    def printed(self) -> str:
        """What is published, as it is written."""
        if self.published is None:
            return f"{self.low:g} to {self.high:g}"
        return f"{self.published:g}" + (f" ± {self.spread:g}" if self.spread is not None else "")

    def agrees(self, value: float) -> bool:
        """Whether a value lies as near to what is published as a check asks."""
        if self.published is None:
            assert self.low is not None
            assert self.high is not None
            return self.low <= value <= self.high
        near = WITHOUT_SPREAD * self.published if self.spread is None else SPREADS * self.spread
        return abs(value - self.published) <= near


class CheckFile(toml.TomlTable, frozen=True):
    """A file of checks, called like the model."""

    check: tuple[PublishedCheck, ...]


class CheckedRow(NamedTuple):
    """A check with what the model gives now. as_recorded : whether value and verdict are those of the file."""

    check: PublishedCheck
    value: float
    agrees: bool
    as_recorded: bool


def checked(model: PkModel) -> list[CheckedRow]:
    """Return every check of a model that ships with becalm.

    Raises `UsageError` for a model without checks.

    >>> from becalm.pk import load
    >>> [row.check.title for row in checked(load("anakinra")) if not row.agrees]
    ['skin (CL/F), end-stage renal disease']
    """
    path = CHECKS / f"{model.name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in CHECKS.glob("*.toml")))
        raise UsageError(f"no published numbers are kept for {model.name}", hint=f"For: {known}")
    found = []
    for each in toml.load(path, CheckFile).check:
        value = _value(model, each)
        # As many digits as the file has: 136 is 136, 0.77 is 0.77.
        digits = len(f"{each.calculated:g}".partition(".")[2])
        agrees = each.agrees(value)
        same = abs(value - each.calculated) <= 0.5 * 10.0**-digits + 1e-9 and agrees != each.fails
        found.append(CheckedRow(each, value, agrees, same))
    return found


def _value(model: PkModel, check: PublishedCheck) -> float:
    if check.measure in {"peak", "time_of_peak", "half_life", "level"}:
        return _of_curve(model, check)
    parts = _parts(model, check.covariates)
    clearance = parts["clearance"] / units.factor("mL/min", "L/h")
    weight = check.covariates.get("weight", 1.0)
    if check.measure == "clearance":
        return clearance
    if check.measure == "apparent_clearance":
        return clearance / parts["bioavailability"]
    if check.measure == "clearance_per_kg":
        return clearance / weight
    if check.measure == "volume_per_kg":
        return (parts["central_volume"] + parts.get("peripheral_volume", 0.0)) / weight
    return _parts(model, check.beside)["clearance"] / parts["clearance"]


def _parts(model: PkModel, covariates: dict[str, float]) -> dict[str, float]:
    courses, _ = read_courses(model, covariates, DAY, "last")
    used = {name: courses[name].values[0] for name in model.used_covariates}
    return {name: float(value) for name, value in model.typical(used).items()}


def _of_curve(model: PkModel, check: PublishedCheck) -> float:
    """Return a measure of the curve of the typical patient in the first day."""
    courses, _ = read_courses(model, check.covariates, DAY, "last")
    plan = Regimen.of(check.regimen).plan(DAY)
    weight = courses.get("weight")
    doses: dict[str, list[tuple[float, float]]] = {"iv": [], "sc": []}
    for dose in plan.doses:
        mg = dose.amount * weight_at(weight, dose.hours, "last", dose.per_kg)
        doses[dose.route].append((dose.hours, mg))
    ends = [each.hours for each in plan.rates[1:]] + [DAY]
    rates = [
        (each.hours, end, each.rate * weight_at(weight, each.hours, "last", each.per_kg))
        for each, end in zip(plan.rates, ends, strict=True)
    ] if plan.rates else []  # fmt: skip
    given = GivenDoses(_table(rates, 3), _table(doses["iv"], 2), _table(doses["sc"], 2))
    hours = np.arange(0, DAY, _STEP)
    curve = patient_curves(
        VirtualPatients(model, 0, 0), given, courses, [*hours, _EVENING, check.hour], DAY
    )
    return _said(curve, check)


def _said(curve: PatientCurves, check: PublishedCheck) -> float:
    level = curve.curves.after[0]
    if check.measure == "peak":
        return float(level.max()) / units.factor(check.unit, "mg/L")
    if check.measure == "time_of_peak":
        return float(curve.hours[level.argmax()])
    if check.measure == "level":
        return float(curve.at(np.array([check.hour]))[0, 0]) / units.factor(check.unit, "mg/L")
    first, last = curve.at(np.array([_EVENING, DAY]))[0]
    return float(log(2) * (DAY - _EVENING) / log(first / last))


def _table(rows: Sequence[tuple[float, ...]], width: int) -> Floats:
    return np.array(rows, np.float64).reshape(-1, width)
