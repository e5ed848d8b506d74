"""What is known of a patient over time: weight, creatinine clearance. How it is carried is an explicit choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from becalm.core.arrays import Floats, frozen
from becalm.core.errors import UsageError, did_you_mean
from becalm.pk.model import ALWAYS_ABOVE_ZERO, PkModel
from becalm.pk.words import WordReader

CarryPolicy = Literal["last", "next", "linear"]
POLICIES: Final[tuple[CarryPolicy, ...]] = get_args(CarryPolicy)
"""last: a value holds until the next one (default). next: the next value holds already. linear: between them."""
GivenCovariate: TypeAlias = "float | str | Sequence[tuple[float, float]]"


@dataclass(frozen=True, eq=False)
class CovariateCourse:
    """Values of one covariate in the unit of the model's file. hours : from the start; () for one that holds always."""

    name: str
    hours: Floats
    values: Floats

    @property
    def constant(self) -> bool:
        """Whether one value holds for all time."""
        return not len(self.hours)

    def over(self, start: Floats, end: Floats, policy: str) -> Floats:
        """Return the value in each interval; every time of the course is a border of intervals.

        linear : the value in the middle; `at` gives those in between.
        """
        if self.constant:
            return np.full(len(start), self.values[0])
        if policy == "linear":
            return self.at((start + end) / 2)
        if policy == "last":
            index = np.searchsorted(self.hours, start, side="right") - 1
        else:
            index = np.searchsorted(self.hours, end, side="left")
        found: Floats = self.values[np.clip(index, 0, len(self.values) - 1)]
        return found

    def at(self, hours: Floats) -> Floats:
        """Return the value on the straight line between the values before and after."""
        if self.constant:
            return np.full(len(hours), self.values[0])
        found: Floats = np.interp(hours, self.hours, self.values)
        return found


def read_courses(
    model: PkModel,
    given: Mapping[str, GivenCovariate],
    horizon: float,
    policy: str,
) -> tuple[dict[str, CovariateCourse], list[str]]:
    """Return the course of every covariate that the model has, and remarks: extrapolated, carried forward.

    given : a number, pairs of hours and values, or a text such as `120 mL/min, 24 h: 60, 2 d: 15`.

    Raises
    ------
    UsageError
        For a covariate that the model does not have or that is missing; times out of order; a value that
        cannot be (a weight of 0); a course that begins or ends where the policy needs a value.

    >>> from becalm.pk import load
    >>> found, remarks = read_courses(load("vancomycin"), {"weight": 70, "creatinine_clearance": "90, 24 h: 30"}, 28, "last")
    >>> found["creatinine_clearance"].values.tolist(), remarks
    ([90.0, 30.0], [])
    """
    if policy not in POLICIES:
        raise UsageError(f"no policy is called {policy!r}", hint=did_you_mean(policy, POLICIES))
    for name in given:
        model.covariate(name)
    courses: dict[str, CovariateCourse] = {}
    remarks: list[str] = []
    for name, covariate in model.covariates.items():
        if name in given:
            course = _course(model, name, given[name])
            remarks += _covered(course, horizon, policy)
            low, high = float(course.values.min()), float(course.values.max())
            if low < covariate.studied[0] or high > covariate.studied[1]:
                shown = f"{low:g}" if low == high else f"{low:g} to {high:g}"
                remarks.append(
                    f"extrapolated: {name} {shown} {_named(covariate.unit)}lies outside the studied "
                    f"{covariate.studied[0]:g} to {covariate.studied[1]:g}"
                )
            courses[name] = course
        elif name not in model.used_covariates:
            continue
        elif covariate.otherwise is not None:
            courses[name] = CovariateCourse(name, np.empty(0), np.array([covariate.otherwise]))
        else:
            raise UsageError(
                f"{model.name} needs the covariate {name} ({covariate.unit})",
                hint=f"Add --covariate '{name}=...'",
            )
    return courses, remarks


def _named(unit: str) -> str:
    return "" if unit == "1" else f"{unit} "


def _course(model: PkModel, name: str, given: GivenCovariate) -> CovariateCourse:
    """Read one covariate and check its values and the order of its times."""
    unit = model.covariate(name).unit
    if isinstance(given, str):
        hours, values = _read(name, given, unit)
    elif isinstance(given, int | float):
        hours, values = [], [float(given)]
    else:
        hours, values = [float(h) for h, _ in given], [float(v) for _, v in given]
        if not values:
            raise UsageError(f"the covariate {name} has no value")
    for value in values:
        if not np.isfinite(value) or value < 0 or (value == 0 and unit in ALWAYS_ABOVE_ZERO):
            raise UsageError(f"the covariate {name} cannot be {value:g} {unit}")
    for before, after in pairwise(hours):
        if not before < after:
            raise UsageError(
                f"times of the covariate {name} are out of order: {after:g} h stands after {before:g} h"
            )
    return CovariateCourse(name, frozen(hours, np.float64), frozen(values, np.float64))


def _read(name: str, text: str, unit: str) -> tuple[list[float], list[float]]:
    """Read `120 mL/min, 24 h: 60`: a value that holds from 0 h, then values from their times."""
    hours: list[float] = []
    values: list[float] = []
    column = 1
    for number, part in enumerate(text.split(",")):
        when, colon, value = part.partition(":")
        if colon:
            reader = WordReader(when, f"covariate {name}", column)
            hours.append(reader.number("a time") * reader.unit("h"))
            if reader:
                raise reader.error("a time ends here", hint="Write 24 h: 60")
            column += len(when) + 1
        elif number:
            reader = WordReader(part, f"covariate {name}", column)
            raise reader.error("a value after the first needs its time", hint="Write 24 h: 60")
        else:
            value = part
            hours.append(0.0)
        reader = WordReader(value, f"covariate {name}", column)
        values.append(reader.number(f"the covariate {name}"))
        if reader:
            values[-1] *= reader.unit(unit)
        if reader:
            raise reader.error(f"{reader.next().text!r} is not understood")
        column += len(value) + 1
    if len(values) == 1 and ":" not in text:
        return [], values
    return hours, values


def _covered(course: CovariateCourse, horizon: float, policy: str) -> list[str]:
    """Refuse a course that does not reach as far as the policy needs; say where a value is carried on."""
    if course.constant:
        return []
    first, last = float(course.hours[0]), float(course.hours[-1])
    if first > 0 and policy != "next":
        raise UsageError(
            f"the covariate {course.name} begins at {first:g} h, after the regimen does",
            hint="Give a value at 0 h",
        )
    if last >= horizon:
        return []
    if policy == "last":
        if last <= 0.8 * horizon:
            return [f"{course.name}: the value of {last:g} h is carried on to {horizon:g} h"]
        return []
    raise UsageError(
        f"the covariate {course.name} ends at {last:g} h, before {horizon:g} h",
        hint=f"Give a value at {horizon:g} h, or choose the policy last",
    )
