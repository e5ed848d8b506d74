"""What regimens do to concentrations: the typical patient, and virtual patients who lie apart as the model says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

import numpy as np

from becalm import tables
from becalm.core.errors import UsageError
from becalm.core.frame import Frame
from becalm.pk.compiled import INSTALL, kernel
from becalm.pk.covariates import CovariateCourse, GivenCovariate, read_courses
from becalm.pk.grid import breakpoints, doses_on, hours_of
from becalm.pk.histogram import WIDEST_BIN
from becalm.pk.loading import load
from becalm.pk.measures import LAST_DAY
from becalm.pk.model import PkModel
from becalm.pk.regimen import Regimen
from becalm.pk.regimen_files import read_regimens
from becalm.pk.rows import (
    attainment_rows,
    concentration_rows,
    dose_rows,
    exposure_rows,
    parameter_rows,
)
from becalm.pk.saturable import MOST_PATIENTS as MOST_SATURABLE
from becalm.pk.saturable import TOLERANCE
from becalm.pk.scenarios import GivenAcross, alternatives, end_rows, grid_rows, label_of
from becalm.pk.summary import MOST_KEPT, PlannedCourse, summarise
from becalm.pk.virtual import VirtualPatients

NOT_ADVICE: Final = (
    "Simulated, not a dosing recommendation. Research use only: not a medical device."
)
MOST_PATIENTS: Final = 10_000_000
MOST_OUTPUTS: Final = 400
MOST_AT_ENDS: Final = 1000
LONGEST: Final = 24.0 * 366 * 3
_STEPS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 6.0, 12.0, 24.0, 48.0, 96.0)


@dataclass(frozen=True, eq=False)
class Simulation:
    """A finished simulation: seven tables, and remarks on what is extrapolated, assumed or not verified.

    concentration, exposure, attainment, doses, parameters : the tables `simulated_concentration`, `simulated_exposure`,
    `simulated_attainment`, `simulated_doses` and `model_parameters` (`becalm.tables`). grid : `simulated_grid`, of the
    covariates with alternatives. ends : `simulated_ends`, the comparison with parameters at the ends of their ranges.
    """

    model: PkModel
    regimens: tuple[Regimen, ...]
    concentration: Frame
    exposure: Frame
    attainment: Frame
    doses: Frame
    grid: Frame
    ends: Frame
    parameters: Frame
    remarks: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notice: str = NOT_ADVICE

    @property
    def frames(self) -> dict[str, Frame]:
        """The tables by name."""
        return {
            "simulated_concentration": self.concentration,
            "simulated_exposure": self.exposure,
            "simulated_attainment": self.attainment,
            "simulated_doses": self.doses,
            "simulated_grid": self.grid,
            "simulated_ends": self.ends,
            "model_parameters": self.parameters,
        }

    def __repr__(self) -> str:
        names = ", ".join(each.name for each in self.regimens)
        return f"<simulation of {self.model.name}: {names}. {self.notice}>"


def simulate(
    model: str | PkModel,
    regimens: str | Sequence[str],
    *,
    covariates: Mapping[str, GivenCovariate],
    hours: float = 168.0,
    patients: int = 1000,
    seed: int = 20,
    policy: str = "last",
    targets: Sequence[float] = (),
    parameters: Mapping[str, float] | None = None,
    group: str | None = None,
    threads: int = 1,
    across: GivenAcross | None = None,
    ends: bool = False,
) -> Simulation:
    """Simulate concentrations for one regimen or several, in the same virtual patients.

    Simulated, not a dosing recommendation.

    Parameters
    ----------
    model : a model that ships with becalm (`becalm.pk.shipped()`), a file of your own, or one that was loaded.
    regimens : see `becalm.pk.read_regimens`.
    covariates : for each covariate of the model a number in its unit, pairs of hours and numbers, or a text.
    hours : how long, h. patients : how many virtual patients, at most ten million. seed : of their draws.
    policy : what holds between two values of a covariate: `last`, `next`, or `linear`.
    targets : concentrations of your choice, mg/L. parameters : other values, in the units of the model's file.
    group : the group of the model that the patients belong to.
    threads : changes how long it takes, and no number.
    across : alternatives of one covariate or two, as a list or by names; the first ones are those of all tables but `grid`.
    ends : whether regimens are compared also with each parameter at the ends of its range, in at most 1,000 patients.

    Raises
    ------
    UsageError
        For a regimen, covariate, parameter, route, target or number that cannot be, with its place.
    DefinitionError
        For a model's file, or a file of regimens, with mistakes.

    >>> found = simulate("anakinra", "100 mg SC daily", covariates={"weight": 70, "creatinine_clearance": 100}, patients=20)
    >>> sorted(found.frames)
    ['model_parameters', 'simulated_attainment', 'simulated_concentration', 'simulated_doses', 'simulated_ends', 'simulated_exposure', 'simulated_grid']
    >>> next(row["typical"] for row in found.exposure.rows() if row["measure"] == "peak") > 0.5
    True
    """
    chosen = load(model) if isinstance(model, str) else model
    chosen = chosen.replaced(parameters or {})
    _check_numbers(hours, patients, targets, threads)
    read = read_regimens([regimens] if isinstance(regimens, str) else regimens)
    for each in read:
        check_route(chosen, each, hours)
    choices = alternatives(across, covariates) if across else {}
    covariates = {
        **covariates,
        **{name: next(iter(each.values())) for name, each in choices.items()},
    }
    courses, remarks = read_courses(chosen, covariates, hours, policy)
    remarks = [*_group_remarks(chosen, group), *remarks, *origin_remarks(chosen)]
    plans = [each.plan(hours) for each in read]
    remarks += [
        f"{regimen.name} goes on after {hours:g} h; what comes later is not simulated"
        for regimen, plan in zip(read, plans, strict=True)
        if plan.cut
    ]
    if chosen.saturable and patients > MOST_SATURABLE:
        raise UsageError(f"{chosen.name} saturates and is solved step by step, so {patients:,} virtual patients are too many", hint=f"Choose {MOST_SATURABLE:,} at most")  # fmt: skip
    printed = _printed_hours(hours)
    people = patients if chosen.spreads else 0
    fast = people > MOST_KEPT and kernel() is not None
    remarks += _many_remarks(people, fast)
    draws = VirtualPatients(chosen, people, seed, compiled=fast)
    day = [hours - LAST_DAY, LAST_DAY] if hours > LAST_DAY else []
    prepared: list[PlannedCourse] = []
    for plan in plans:
        grid = breakpoints(
            chosen, courses, policy, [*printed, *day, *hours_of(plan)], hours, saturable=True
        )
        given = doses_on(grid.hours, plan, courses.get("weight"), policy)
        prepared.append(PlannedCourse(grid, given, np.searchsorted(grid.hours, printed)))

    def again(other: PkModel, changed: Mapping[str, GivenCovariate], most: int) -> Simulation:
        return simulate(
            other, regimens, covariates={**covariates, **changed}, hours=hours, patients=min(patients, most), seed=seed,
            policy=policy, targets=targets, group=group, threads=threads,
        )  # fmt: skip

    grid_of = grid_rows(choices, lambda each: again(chosen, each, patients)) if choices else []
    at_ends = end_rows(chosen, lambda other: again(other, {}, MOST_AT_ENDS)) if ends else []
    concentration, attainment, exposure, doses = [], [], [], []
    summaries = summarise(draws, prepared, targets, threads)
    for regimen, plan, course, found in zip(read, plans, prepared, summaries, strict=True):
        concentration += concentration_rows(regimen, printed, course.printed, course.given, found)
        attainment += attainment_rows(regimen, printed, targets, found)
        exposure += exposure_rows(regimen, found)
        doses += dose_rows(regimen, plan, courses.get("weight"), policy)
    return Simulation(
        chosen,
        read,
        Frame.of_rows(tables.SIMULATED_CONCENTRATION, concentration),
        Frame.of_rows(tables.SIMULATED_EXPOSURE, exposure),
        Frame.of_rows(tables.SIMULATED_ATTAINMENT, attainment),
        Frame.of_rows(tables.SIMULATED_DOSES, doses),
        Frame.of_rows(tables.SIMULATED_GRID, list(grid_of)),
        Frame.of_rows(tables.SIMULATED_ENDS, list(at_ends)),
        Frame.of_rows(tables.MODEL_PARAMETERS, parameter_rows(chosen)),
        tuple(remarks),
        {
            "model": chosen.name, "regimens": {each.name: each.text for each in read}, "hours": hours,
            "covariates": {name: _shown(chosen, each) for name, each in courses.items()}, "policy": policy,
            "patients": people, "seed": seed, "targets": list(targets), "group": group or "",
            "parameters": dict(parameters or {}),
            "across": {name: {label: label_of(value) for label, value in each.items()} for name, each in choices.items()},
        },
    )  # fmt: skip


# ------------------------------------------------------------ what is asked


def _check_numbers(hours: float, patients: int, targets: Sequence[float], threads: int) -> None:
    if not 0 < hours <= LONGEST:
        raise UsageError(f"{hours:g} h cannot be simulated", hint=f"Choose up to {LONGEST:g} h")
    if not 1 <= patients <= MOST_PATIENTS:
        raise UsageError(f"{patients:,} virtual patients", hint=f"Choose 1 to {MOST_PATIENTS:,}")
    if threads < 1:
        raise UsageError(f"{threads} threads", hint="Choose 1 or more")
    for target in targets:
        if not 0 < target < float("inf"):
            raise UsageError(f"a target of {target:g} mg/L cannot be reached or missed")


def check_route(model: PkModel, regimen: Regimen, hours: float) -> None:
    """Refuse the drug of another model, and a route that the model does not know."""
    if regimen.drug and regimen.drug.lower() != model.drug.lower():
        raise UsageError(
            f"{regimen.drug!r} is not the drug of the model {model.name} ({model.drug})",
            where=regimen.name,
        )
    plan = regimen.plan(hours)
    routes = {dose.route for dose in plan.doses} | ({"iv"} if plan.rates else set())
    if not any(change.rate for change in plan.rates) and not plan.doses:
        raise UsageError("nothing is given", where=regimen.name)
    for route in sorted(routes - set(model.routes)):
        words = {"iv": "into a vein", "sc": "under the skin"}[route]
        reason = f": {model.apparent}" if model.apparent and route == "iv" else ""
        raise UsageError(f"{model.name} does not know doses {words}{reason}", where=regimen.name)


def _group_remarks(model: PkModel, group: str | None) -> list[str]:
    studied = "; ".join(each.title for each in model.groups.values() if each.studied)
    if group is None:
        return [f"no group was named: extrapolated for all but {studied or 'nobody'}"]
    named = model.group(group)
    return [] if named.studied else [f"extrapolated: not studied in {named.title}; studied in {studied}"]  # fmt: skip


def origin_remarks(model: PkModel) -> list[str]:
    """Return the notes of a model, and which of its numbers are assumed or were not verified."""
    found = list(model.notes)
    if model.saturable:
        found.append(f"the elimination saturates: concentrations are not in proportion to doses; solved step by step with a tolerance of {TOLERANCE:g}")  # fmt: skip
    if model.assumed:
        found.append(f"assumed: {', '.join(model.assumed)}")
    if model.unverified:
        found.append(f"not verified in their source: {', '.join(model.unverified)}")
    parts = list(dict.fromkeys(each.part_of for each in model.parameters.values()))
    without = [part for part in parts if part not in model.spreads]
    if not model.spreads:
        found.append("no spread between patients is given: only the typical patient is simulated")
    elif without:
        found.append(
            f"no spread between patients is given, so all have the same: {', '.join(without)}"
        )
    if any(each.between == "occasions" for each in model.spreads.values()):
        found.append("a spread between occasions is drawn once for each virtual patient")
    return found


def _many_remarks(people: int, fast: bool) -> list[str]:
    """Say how quantiles of many patients are known, and which code gave them."""
    if people <= MOST_KEPT:
        return []
    found = [f"quantiles come from bins that are at most {100 * WIDEST_BIN:.1f} % wide, because {people:,} virtual patients are not kept"]  # fmt: skip
    return found if fast else [*found, f"calculated by NumPy, because numba is not installed; it is faster with {INSTALL}"]  # fmt: skip


def _shown(model: PkModel, course: CovariateCourse) -> str:
    unit = model.covariates[course.name].unit.removeprefix("1")
    if course.constant:
        return f"{course.values[0]:g} {unit}".rstrip()
    pairs = zip(course.hours, course.values, strict=True)
    return ", ".join(f"{hour:g} h: {value:g} {unit}".rstrip() for hour, value in pairs)


def _printed_hours(hours: float) -> list[float]:
    """Return the hours that are printed: equal steps, at most some hundreds."""
    step = next((each for each in _STEPS if hours / each <= MOST_OUTPUTS), _STEPS[-1])
    return [*(n * step for n in range(ceil(hours / step - 1e-9))), hours]
