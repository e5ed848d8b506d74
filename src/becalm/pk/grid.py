"""The union of all breakpoints: of doses, rates, covariates and printed times; and what holds between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Index
from becalm.core.errors import UsageError
from becalm.pk.covariates import CovariateCourse
from becalm.pk.model import PkModel
from becalm.pk.propagation import RateConstants
from becalm.pk.regimen import DosePlan, SingleDose

LONGEST_STEP: Final = 0.25
"""Hours: intervals in which a covariate moves on a straight line are cut to this length."""
_NODE: Final = 3**0.5 / 6
_NEAR: Final = 0.5 + 2 * _NODE
_FAR: Final = 0.5 - 2 * _NODE
"""Two exponentials with these weights of the constants at the two Gauss points: a commutator-free Magnus step of
fourth order. Blanes S, Moan PC. Appl Numer Math 2006;56:1519-37."""
_STRUCTURE: Final = (
    "clearance", "central_volume", "exchange", "peripheral_volume", "absorption", "first_absorption",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Breakpoints:
    """Borders of intervals (h, ascending) and, for each interval, the constants of the typical patient.

    constants : one column for each different set; which : the column of each interval. volume : of the central
    compartment at each border, L. fraction : the bioavailability at each border. saturation : of a model that
    saturates, the most that is eliminated (mg/h) and the concentration at half of it (mg/L) in each interval.
    """

    hours: Floats
    constants: RateConstants
    which: Index
    volume: Floats
    fraction: Floats
    saturation: tuple[Floats, Floats] | None = None


def breakpoints(
    model: PkModel,
    courses: Mapping[str, CovariateCourse],
    policy: str,
    times: Sequence[float],
    horizon: float,
    *,
    saturable: bool = False,
) -> Breakpoints:
    """Return the borders of a simulation and what holds between them. times : of doses, rates and printed hours.

    Raises `UsageError` for a model that saturates, unless it is `saturable`; always where a covariate moves on a straight line.
    """
    moving = [each for each in courses.values() if not each.constant]
    changes = [hour for each in moving for hour in each.hours.tolist()]
    hours = np.unique([0.0, horizon, *(t for t in (*times, *changes) if 0 < t < horizon)])
    if policy == "linear" and moving:
        if model.saturable:
            raise UsageError(f"{model.name} saturates, so covariates cannot move on a straight line", hint="Choose the policy last or next")  # fmt: skip
        hours = _cut(hours)
        start, length = hours[:-1:2], hours[2::2] - hours[:-1:2]
        first = _typical(model, _at(courses, start + length * (0.5 - _NODE)))
        second = _typical(model, _at(courses, start + length * (0.5 + _NODE)))
        pairs = [_NEAR * a + _FAR * b for a, b in zip(first, second, strict=True)]
        other = [_FAR * a + _NEAR * b for a, b in zip(first, second, strict=True)]
        columns = [np.stack(two, axis=-1).ravel() for two in zip(pairs, other, strict=True)]
        there = _parts(model, _at(courses, hours))
    else:
        held = {name: each.over(hours[:-1], hours[1:], policy) for name, each in courses.items()}
        every = (len(hours) - 1,)  # a model without covariates has one value for all intervals
        columns = [np.broadcast_to(each, every) for each in _typical(model, held, saturable)]
        there = {
            name: np.append(np.broadcast_to(part, every), part[-1])
            for name, part in _parts(model, held, saturable).items()
        }
    different, which = np.unique(np.stack(columns), axis=1, return_inverse=True)
    return Breakpoints(
        hours,
        RateConstants(*different),
        which.ravel(),
        there["central_volume"],
        there.get("bioavailability", np.ones(len(hours))),
        (there["max_elimination"][:-1], there["half_elimination"][:-1])
        if model.saturable
        else None,
    )


def _cut(hours: Floats) -> Floats:
    """Cut intervals into an even number of equal parts, each pair no longer than `LONGEST_STEP`."""
    parts = [
        np.linspace(a, b, 2 * int(np.ceil((b - a) / LONGEST_STEP - 1e-9)) + 1)[:-1]
        for a, b in pairwise(hours.tolist())
    ]
    return np.concatenate([*parts, hours[-1:]])


def _at(courses: Mapping[str, CovariateCourse], hours: Floats) -> dict[str, Floats]:
    return {name: each.at(hours) for name, each in courses.items()}


def _parts(
    model: PkModel, covariates: Mapping[str, Floats], saturable: bool = False
) -> dict[str, Floats]:
    """Return the parts of the typical patient, one value for each interval or border."""
    size = len(next(iter(covariates.values()), np.zeros(1)))
    found = {
        name: np.broadcast_to(value, (size,)).astype(np.float64)
        for name, value in model.typical(covariates, saturable=saturable).items()
    }
    for name, value in found.items():
        if not np.isfinite(value).all() or (name != "clearance" and not (value > 0).all()):
            raise UsageError(
                f"{model.name}: these covariates give a {name} that cannot be ({value.min():g})"
            )
    return found


def _typical(
    model: PkModel, covariates: Mapping[str, Floats], saturable: bool = False
) -> tuple[Floats, ...]:
    """Return the five rate constants of the typical patient."""
    parts = _parts(model, covariates, saturable)
    none = np.zeros_like(parts["clearance"])
    given = [parts.get(name, none + (name == "peripheral_volume")) for name in _STRUCTURE]
    return RateConstants.of(*given).arrays()


@dataclass(frozen=True, eq=False)
class DoseArrays:
    """Doses and rates on the intervals of `Breakpoints`: mg, mg, mg/h."""

    bolus: Floats
    skin: Floats
    rate: Floats


def doses_on(
    hours: Floats, plan: DosePlan, weight: CovariateCourse | None, policy: str
) -> DoseArrays:
    """Return what a regimen gives in each interval. A rate per kg keeps the weight of the hour it was set.

    Raises `UsageError` for a dose per kg without a weight.
    """
    intervals = len(hours) - 1
    bolus, skin, rate = np.zeros(intervals), np.zeros(intervals), np.zeros(intervals)
    for number, change in enumerate(plan.rates):
        later = plan.rates[number + 1].hours if number + 1 < len(plan.rates) else np.inf
        during = (hours[:-1] >= change.hours) & (hours[:-1] < later)
        rate[during] = change.rate * weight_at(weight, change.hours, policy, change.per_kg)
    for dose in plan.doses:
        mg = dose.amount * weight_at(weight, dose.hours, policy, dose.per_kg)
        at = int(np.searchsorted(hours, dose.hours))
        if dose.over:
            rate[(hours[:-1] >= dose.hours) & (hours[:-1] < dose.hours + dose.over)] += (
                mg / dose.over
            )
        elif dose.route == "sc":
            skin[at] += mg
        else:
            bolus[at] += mg
    return DoseArrays(bolus, skin, rate)


def weight_at(weight: CovariateCourse | None, hour: float, policy: str, per_kg: bool) -> float:
    """Return the weight for a dose at an hour, kg; 1 for a dose that is not per kg."""
    if not per_kg:
        return 1.0
    if weight is None:
        raise UsageError(
            "a dose per kg needs the covariate weight", hint="Add --covariate weight=70"
        )
    at = np.array([hour])
    return float((weight.at(at) if policy == "linear" else weight.over(at, at, policy))[0])


def hours_of(plan: DosePlan) -> list[float]:
    """Return every hour at which a regimen changes something."""
    ends = [end_of(dose) for dose in plan.doses]
    return [*(dose.hours for dose in plan.doses), *ends, *(change.hours for change in plan.rates)]


def end_of(dose: SingleDose) -> float:
    """Return when the infusion of a dose ends, h; exactly as `doses_on` compares it."""
    return dose.hours + dose.over
