"""Renal function from creatinine: five formulas, with their numbers in `equations.toml`.

Creatinine is in mg/dL, age in completed years, weight in kg, body surface in m². Arguments may be
arrays; the result is NaN if a creatinine or weight is 0 or an age or sex is unknown. The formulas
are not valid during renal replacement: the caller leaves those draws out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from becalm.core import toml
from becalm.core.arrays import Floats, Mask

FILE = Path(__file__).with_suffix(".toml")


class Formula(toml.TomlTable, frozen=True):
    """A formula; `verified` is False if a number was not in any source that was read."""

    source: str
    verified: bool


class CockcroftGault(Formula, frozen=True):
    numerator: float
    divisor: float
    female: float


class CkdEpi(Formula, frozen=True):
    factor: float
    kappa: dict[str, float]
    alpha: dict[str, float]
    beyond: float
    per_year: float
    female: float


class JelliffeStable(Formula, frozen=True):
    at_20: float
    per_year: float
    female: float
    female_source: str
    female_verified: bool


class JelliffeChanging(Formula, frozen=True):
    production: dict[str, tuple[float, float]]
    falls_with: tuple[float, float]
    volume_dl_per_kg: float


class Kinetic(Formula, frozen=True):
    max_rise_mg_dl_day: float
    body_water: dict[str, float]
    min_hours: float
    min_hours_source: str


class Mdrd(Formula, frozen=True):
    factor: float
    creatinine_exponent: float
    age_exponent: float
    female: float


class Formulas(toml.TomlTable, frozen=True):
    """The whole file."""

    cockcroft_gault: CockcroftGault
    ckd_epi_2021: CkdEpi
    jelliffe_1973: JelliffeStable
    jelliffe_2002: JelliffeChanging
    kegfr: Kinetic
    mdrd: Mdrd


def formulas() -> Formulas:
    """Return the numbers of every formula."""
    return toml.load(FILE, Formulas)


def cockcroft_gault(
    creatinine_mg_dl: ArrayLike, age: ArrayLike, weight_kg: ArrayLike, sex: ArrayLike
) -> Floats:
    """Return creatinine clearance in mL/min, by actual weight, as drug labels use it.

    >>> float(cockcroft_gault(1.0, 40, 72, "M"))
    100.0
    """
    rule = formulas().cockcroft_gault
    creatinine, weight = _positive(creatinine_mg_dl), _positive(weight_kg)
    woman = _sexed(sex, {"F": rule.female, "M": 1.0})
    return (rule.numerator - _years(age)) * weight / (rule.divisor * creatinine) * woman


def ckd_epi_2021(creatinine_mg_dl: ArrayLike, age: ArrayLike, sex: ArrayLike) -> Floats:
    """Return eGFR in mL/min/1.73 m² by the equation of 2021, which has no term for race."""
    rule = formulas().ckd_epi_2021
    relative = _positive(creatinine_mg_dl) / _sexed(sex, rule.kappa)
    below = np.minimum(relative, 1.0) ** _sexed(sex, rule.alpha)
    above = np.maximum(relative, 1.0) ** rule.beyond
    woman = _sexed(sex, {"F": rule.female, "M": 1.0})
    return rule.factor * below * above * rule.per_year ** _years(age) * woman


def mdrd(creatinine_mg_dl: ArrayLike, age: ArrayLike, sex: ArrayLike) -> Floats:
    """Return eGFR in mL/min/1.73 m² by MDRD with four variables, for IDMS-traceable creatinine."""
    at_one = _mdrd_at_one(age, sex)
    return at_one * _positive(creatinine_mg_dl) ** formulas().mdrd.creatinine_exponent


def mdrd_creatinine(egfr_ml_min: ArrayLike, age: ArrayLike, sex: ArrayLike) -> Floats:
    """Return the creatinine in mg/dL at which `mdrd` gives an eGFR in mL/min/1.73 m²."""
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = (_positive(egfr_ml_min) / _mdrd_at_one(age, sex)) ** (
            1 / formulas().mdrd.creatinine_exponent
        )
    return result


def _mdrd_at_one(age: ArrayLike, sex: ArrayLike) -> Floats:
    """Return the eGFR by MDRD at a creatinine of 1 mg/dL."""
    rule = formulas().mdrd
    years = np.where(_years(age) > 0, _years(age), np.nan)
    return rule.factor * years**rule.age_exponent * _sexed(sex, {"F": rule.female, "M": 1.0})


def jelliffe_stable(
    creatinine_mg_dl: ArrayLike, age: ArrayLike, bsa_m2: ArrayLike, sex: ArrayLike
) -> Floats:
    """Return creatinine clearance in mL/min from a stable creatinine (1973).

    bsa_m2 : body surface area.
    """
    rule = formulas().jelliffe_1973
    woman = _sexed(sex, {"F": rule.female, "M": 1.0})
    at_age = rule.at_20 - rule.per_year * (_years(age) - 20)
    return at_age * _positive(bsa_m2) / 1.73 / _positive(creatinine_mg_dl) * woman


def jelliffe_changing(
    first_creatinine_mg_dl: ArrayLike,
    second_creatinine_mg_dl: ArrayLike,
    hours: ArrayLike,
    *,
    age: ArrayLike,
    weight_kg: ArrayLike,
    sex: ArrayLike,
) -> Floats:
    """Return creatinine clearance in mL/min between two creatinines (2002), at least 0.

    hours : between the two. The formula itself counts in days.
    """
    rule = formulas().jelliffe_2002
    first, second, weight = (
        _positive(first_creatinine_mg_dl),
        _positive(second_creatinine_mg_dl),
        _positive(weight_kg),
    )
    days = _positive(hours) / 24
    mean = (first + second) / 2
    begin = _sexed(sex, {name: pair[0] for name, pair in rule.production.items()})
    per_year = _sexed(sex, {name: pair[1] for name, pair in rule.production.items()})
    produced = weight * (begin - per_year * _years(age))
    produced *= rule.falls_with[0] - rule.falls_with[1] * mean
    kept = rule.volume_dl_per_kg * weight * (second - first) / days
    return np.maximum(0.0, (produced - kept) / (14.4 * mean))  # 14.4: mg/dL and day to mL/min


def kegfr(
    baseline_creatinine_mg_dl: ArrayLike,
    baseline_clearance_ml_min: ArrayLike,
    first_creatinine_mg_dl: ArrayLike,
    second_creatinine_mg_dl: ArrayLike,
    hours: ArrayLike,
    *,
    max_rise_mg_dl_day: ArrayLike | None = None,
) -> Floats:
    """Return kinetic eGFR in mL/min between two creatinines, at least 0: lower while they rise.

    baseline_clearance_ml_min : clearance when creatinine was at its baseline. hours : between the two; the
    result is NaN where they are too close together. max_rise_mg_dl_day : the greatest rise in a day
    that anuria could cause; by default the published 1.5 (see `max_rise`). The result may exceed the
    clearance of the baseline while creatinine falls.
    """
    rule = formulas().kegfr
    first, second = _positive(first_creatinine_mg_dl), _positive(second_creatinine_mg_dl)
    apart = np.asarray(hours, np.float64)
    apart = np.where(apart >= rule.min_hours, apart, np.nan)
    greatest = _positive(
        rule.max_rise_mg_dl_day if max_rise_mg_dl_day is None else max_rise_mg_dl_day
    )
    produced = (
        _positive(baseline_creatinine_mg_dl)
        * _positive(baseline_clearance_ml_min)
        / ((first + second) / 2)
    )
    return np.maximum(0.0, produced * (1 - 24 * (second - first) / (apart * greatest)))


def max_rise(
    baseline_creatinine_mg_dl: ArrayLike,
    baseline_clearance_ml_min: ArrayLike,
    weight_kg: ArrayLike,
    sex: ArrayLike,
) -> Floats:
    """Return the greatest rise of creatinine in mg/dL a day, from the patient's own production.

    In anuria all creatinine that the kidneys would have cleared stays in the body's water.
    """
    litres = _positive(weight_kg) * _sexed(sex, formulas().kegfr.body_water)
    cleared = (
        _positive(baseline_creatinine_mg_dl) * _positive(baseline_clearance_ml_min) * 1.44
    )  # mL/min to L a day
    return cleared / litres


def _positive(value: ArrayLike) -> Floats:
    number = np.asarray(value, np.float64)
    return np.where(number > 0, number, np.nan)


def _years(age: ArrayLike) -> Floats:
    years = np.asarray(age, np.float64)
    return np.where(years >= 0, years, np.nan)


def _sexed(sex: ArrayLike, by: dict[str, Any]) -> Floats:
    """Return the number for each sex; NaN if the sex is neither F nor M."""
    sexes = np.asarray(sex, dtype=object)
    known: list[Mask] = [np.asarray(sexes == name, np.bool_) for name in by]
    return np.select(known, list(by.values()), np.nan)
