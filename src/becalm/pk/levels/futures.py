"""What comes next: the clearance goes on as now, stays, or recovers. Assumptions to look at, not forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import log
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Floats
from becalm.pk.covariates import CovariateCourse

FILE: Final = Path(__file__).with_suffix(".toml")
GOES_ON: Final = "goes_on"
STAYS: Final = "stays"
RECOVERS: Final = "recovers"
CLEARANCE: Final = "creatinine_clearance"


class FutureRules(toml.TomlTable, frozen=True):
    """The assumptions of the futures, from `futures.toml`."""

    slope_over_h: float
    slope_at_least_h: float
    most_per_day: float
    lowest_ml_min: float
    highest_ml_min: float
    recovers_in_h: float
    step_h: float
    verified: bool
    source: str


@cache
def rules() -> FutureRules:
    """Return the assumptions."""
    return toml.load(FILE, FutureRules)


def futures(
    courses: Mapping[str, CovariateCourse],
    now: float,
    ahead: float,
    recovers_to: float | None = None,
) -> dict[str, dict[str, CovariateCourse]]:
    """Return the covariates of each future, hours from now. Where no clearance of the kidney is known, there is one.

    recovers_to : mL/min; by default the highest clearance up to now.
    """
    held = {
        name: each.over(np.array([now]), np.array([now]), "last")[0]
        for name, each in courses.items()
    }
    stay = {
        name: CovariateCourse(name, np.empty(0), np.array([value])) for name, value in held.items()
    }
    if CLEARANCE not in courses:
        return {STAYS: stay}
    kidney, value = courses[CLEARANCE], float(held[CLEARANCE])
    hours = np.arange(0.0, ahead, rules().step_h)
    middle = hours + rules().step_h / 2
    back = float(kidney.values.max()) if recovers_to is None else recovers_to
    paths = {
        GOES_ON: _on(value, slope(kidney, now), middle),
        STAYS: np.full(len(hours), value),
        RECOVERS: _recovered(value, max(back, value), middle),
    }
    return {
        name: {**stay, CLEARANCE: CovariateCourse(CLEARANCE, hours, path)}
        for name, path in paths.items()
    }


def slope(kidney: CovariateCourse, now: float) -> float:
    """Return how the logarithm of clearance changed lately, 1/h; 0 where that is not known.

    >>> course = CovariateCourse(CLEARANCE, np.array([0.0, 24.0]), np.array([80.0, 40.0]))
    >>> round(slope(course, 30.0) * 24, 3)
    -0.693
    """
    if kidney.constant:
        return 0.0
    known = kidney.hours <= now
    hours, values = kidney.hours[known], kidney.values[known]
    if len(hours) < 2 or values[-1] <= 0:
        return 0.0
    apart = hours[-1] - hours[:-1]
    before = np.flatnonzero((apart >= rules().slope_at_least_h) & (apart <= rules().slope_over_h) & (values[:-1] > 0))  # fmt: skip
    if not len(before):
        return 0.0
    most = log(rules().most_per_day) / 24
    found = log(values[-1] / values[before[-1]]) / apart[before[-1]]
    return float(np.clip(found, -most, most))


def _on(value: float, change: float, hours: Floats) -> Floats:
    """Return a clearance that goes on changing, within bounds that it has not passed already."""
    low, high = min(rules().lowest_ml_min, value), max(rules().highest_ml_min, value)
    found: Floats = np.clip(value * np.exp(change * hours), low, high)
    return found


def _recovered(value: float, back: float, hours: Floats) -> Floats:
    """Return a clearance on its way back, on a straight line."""
    share = np.clip(hours / rules().recovers_in_h, 0.0, 1.0)
    found: Floats = value + (back - value) * share
    return found
