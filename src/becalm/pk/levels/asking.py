"""The update of one patient for a notebook: doses, levels and covariates as numbers or as people write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from becalm.core.errors import UsageError
from becalm.pk.covariates import GivenCovariate, read_courses
from becalm.pk.levels.course import (
    ChartedCourse,
    PkDose,
    PkLevel,
    TreatmentCourse,
    checked_doses,
    checked_levels,
)
from becalm.pk.levels.result import LevelUpdate, UpdatedCourse, of_courses
from becalm.pk.levels.updating import UpdateSettings, regimen_then, updated
from becalm.pk.loading import load
from becalm.pk.model import PkModel
from becalm.pk.regimen import Regimen
from becalm.pk.simulation import origin_remarks
from becalm.pk.words import read_quantity

GivenDoses: TypeAlias = "str | Sequence[tuple[float, ...] | tuple[float, float, float, str]]"
GivenLevel: TypeAlias = "tuple[float, float | str]"


def update(
    model: str | PkModel,
    *,
    doses: GivenDoses,
    levels: Sequence[GivenLevel],
    covariates: Mapping[str, GivenCovariate],
    then: str = "",
    ahead: float = 48.0,
    draws: int = 1000,
    seed: int = 20,
    recovers_to: float | None = None,
    parameters: Mapping[str, float] | None = None,
    keep_all: bool = False,
) -> LevelUpdate:
    """Update one patient by measured concentrations, and look ahead. Simulated, not a dosing recommendation.

    Parameters
    ----------
    model : a model that ships with becalm, a file of your own, or one that was loaded.
    doses : for each dose the hour, mg, and how many hours it ran (0, or left out: at once); or a regimen in words.
    levels : for each level the hour and mg/L: a number, or a text such as `14.2`, `<2` or `400 ng/mL`.
    covariates : see `becalm.pk.simulate`. then : the regimen from the last dose or level on; '' for no further doses.
    ahead : how far to look, h. draws : of the patient. recovers_to : mL/min, by default the highest clearance so far.
    keep_all : levels that contradict the model are used as the others are.

    Raises
    ------
    UsageError
        For a dose, level, covariate or regimen that cannot be, with its place.
    DefinitionError
        For a model's file with mistakes.

    >>> found = update(
    ...     "vancomycin",
    ...     doses=[(0, 1000, 1), (12, 1000, 1), (24, 1000, 1)],
    ...     levels=[(11.5, 9.0), (23.5, "16 mg/L"), (35.5, 24)],
    ...     covariates={"weight": 70, "creatinine_clearance": [(0, 90), (24, 45)]},
    ...     then="1000 mg IV over 1 h every 24 h", draws=200,
    ... )
    >>> [bool(used) for used in found.levels["used"]]
    [True, True, True]
    >>> bool(found.updates["shrinkage"][0] < 1)
    True
    """
    chosen = load(model) if isinstance(model, str) else model
    chosen = chosen.replaced(parameters or {})
    settings = UpdateSettings(draws, seed, then, ahead, recovers_to, keep_all).checked()
    drawn = checked_levels([_level(each, number) for number, each in enumerate(levels, 1)])
    given = _doses(chosen, doses, max([each.hours for each in drawn], default=0.0) + 1e-6)
    if not given:
        raise UsageError("no dose was given", hint="Levels are compared with what was given")
    end = TreatmentCourse(given, drawn, {}).end
    courses, remarks = read_courses(chosen, covariates, max(end, 1e-3), "last")
    course = TreatmentCourse(given, drawn, courses, tuple(remarks))
    row = UpdatedCourse("patient", 1, None, course, updated(chosen, course, settings))
    return of_courses(
        chosen, [row], origin_remarks(chosen), {"model": chosen.name, **settings._asdict()}
    )


def update_charted(
    model: PkModel,
    courses: Sequence[ChartedCourse],
    settings: UpdateSettings,
    remarks: Sequence[str] = (),
) -> LevelUpdate:
    """Update every course that was read from records; see `becalm.measures.charted_levels`.

    remarks : on the records, said before those on the model.
    """
    settings.checked()
    regimen_then(model, settings)
    found = []
    for each in courses:
        update, refused = None, each.refused
        if not refused:
            try:
                update = updated(model, each.course, settings)
            except UsageError as error:
                refused = error.what
        found.append(
            UpdatedCourse(each.person_id, each.number, each.start, each.course, update, refused)
        )
    return of_courses(
        model,
        found,
        [*remarks, *origin_remarks(model)],
        {"model": model.name, **settings._asdict()},
    )


def _level(given: GivenLevel, number: int) -> PkLevel:
    """Read a level. Raises `UsageError` with its place."""
    where = f"level {number}"
    hours, value = given
    if not isinstance(value, str):
        return PkLevel(float(hours), float(value), float(value))
    text = value.strip()
    sign = text[:1] if text[:1] in "<>" else ""
    amount = read_quantity(text[len(sign) :], "mg/L", where)
    if not amount > 0:
        raise UsageError(f"a level of {value} says nothing", where=where)
    if sign == "<":
        return PkLevel(float(hours), 0.0, amount)
    return PkLevel(float(hours), amount, float("inf") if sign else amount)


def _doses(model: PkModel, given: GivenDoses, horizon: float) -> tuple[PkDose, ...]:
    if not isinstance(given, str):
        return checked_doses(given, model.routes)
    regimen = Regimen.of(given, "doses")
    plan = regimen.plan(horizon)
    if any([*(d.per_kg for d in plan.doses), *(change.per_kg for change in plan.rates)]):
        raise UsageError("doses per kg", where="doses", hint="Write what was given, in mg")
    found = [PkDose(d.hours, d.amount, d.over, d.route) for d in plan.doses]
    for at, change in enumerate(plan.rates):
        until = plan.rates[at + 1].hours if at + 1 < len(plan.rates) else horizon
        if change.rate and until > change.hours:
            found.append(PkDose(change.hours, change.rate * (until - change.hours), until - change.hours))  # fmt: skip
    return checked_doses(sorted(found), model.routes)
