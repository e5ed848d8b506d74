"""One course updated by its levels: what was learned of the patient, and concentrations up to now and ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, sqrt
from typing import Final, NamedTuple

import numpy as np

from becalm.core.arrays import Floats
from becalm.core.errors import UsageError
from becalm.pk.covariates import CovariateCourse
from becalm.pk.grid import hours_of
from becalm.pk.levels import contradictions
from becalm.pk.levels.course import TreatmentCourse
from becalm.pk.levels.futures import futures
from becalm.pk.levels.likelihood import LevelError
from becalm.pk.levels.posterior import PatientDraws, Problem, Weighted, standard_noise
from becalm.pk.levels.predicting import PredictedLevel, in_turn
from becalm.pk.levels.transfer import CourseGrid, curves
from becalm.pk.levels.walk import Deviations
from becalm.pk.model import PkModel
from becalm.pk.regimen import DosePlan, Regimen, SingleDose

BAND: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
PAST: Final = "past"
FEWEST_DRAWS: Final = 50.0
"""PatientDraws of equal weight below which a remark says that the numbers are rough."""
MOST_DRAWS: Final = 20_000
LONGEST_COURSE: Final = 24.0 * 366
"""Hours of one course."""
_PRINTED: Final = 240
_VOLUMES: Final = frozenset({"central_volume", "exchange", "peripheral_volume"})
_SKIN: Final = frozenset({"absorption", "first_absorption", "bioavailability"})


class UpdateSettings(NamedTuple):
    """What a user chose. then : the regimen from now on; '' for no further doses. ahead : h. recovers_to : mL/min.

    keep_all : levels that contradict the model are used as the others are.
    """

    draws: int = 1000
    seed: int = 20
    then: str = ""
    ahead: float = 48.0
    recovers_to: float | None = None
    keep_all: bool = False

    def checked(self) -> UpdateSettings:
        """Return the settings. Raises `UsageError` for a number that cannot be."""
        if not 100 <= self.draws <= MOST_DRAWS:
            raise UsageError(f"{self.draws:,} draws", hint=f"Choose 100 to {MOST_DRAWS:,}")
        if not 0 < self.ahead <= 24.0 * 60:
            raise UsageError(f"{self.ahead:g} h ahead", hint="Choose up to 1,440 h")
        if self.recovers_to is not None and not 0 < self.recovers_to < 500:
            raise UsageError(f"a kidney cannot recover to {self.recovers_to:g} mL/min")
        return self


class CurvePoint(NamedTuple):
    """Concentrations at one hour: 5 %, 25 %, 50 %, 75 %, 95 %, mg/L. future : `past`, or the name of a future."""

    future: str
    hours: float
    band: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class LearnedClearance:
    """The clearance of the drug in one patient at the last moment, L/h.

    model : of the typical patient with these covariates. prior, now : 5 %, median and 95 % before and after the levels.
    fixed : the most probable clearance if it does not move (maximum a posteriori). volume : the most probable central
    volume, L. shrinkage : the variance of its logarithm that is left, as a share of that before: 1 where levels said
    nothing. effective : how many draws of equal weight the numbers rest on.
    """

    model: float
    prior: tuple[float, float, float]
    now: tuple[float, float, float]
    fixed: float
    volume: float
    shrinkage: float
    effective: float


@dataclass(frozen=True, eq=False)
class CourseUpdate:
    """A course with what its levels say. now : the last dose or level, h. curves : the past, and the futures after now.

    then : the doses of the futures, h from now.
    """

    course: TreatmentCourse
    levels: tuple[PredictedLevel, ...]
    reasons: tuple[str, ...]
    now: float
    learned: LearnedClearance
    curves: tuple[CurvePoint, ...]
    remarks: tuple[str, ...] = field(default=())
    then: DosePlan = field(default=DosePlan((), (), False))


def updated(model: PkModel, course: TreatmentCourse, settings: UpdateSettings) -> CourseUpdate:
    """Return a course updated by its levels.

    Raises `UsageError` for a route that the model does not know, and for a course without doses or too long for it.
    """
    settings.checked()
    whole, (until, missing) = course, course.known_until()
    course = replace(course, doses=tuple(d for d in course.doses if d.hours < until))
    now = _now(model, course, until, missing)
    then = _next_doses(model, course, settings, now)
    skin = "sc" in course.routes or any(each.route == "sc" for each in then.doses)
    parts = _VOLUMES | (_SKIN if skin else frozenset())
    walk, fixed = (_problem(model, course, now, parts, walks=walks) for walks in (True, False))
    refusals = [
        _beyond(each.hours, now, why)
        for each, why in zip(whole.levels, whole.refusals(), strict=True)
    ]
    levels = in_turn(
        walk, fixed, refusals, settings.draws, settings.seed, keep_all=settings.keep_all
    )
    used = [at for at, each in enumerate(levels) if each.used]
    printed = _printed_hours(0.0, now)
    if len(course.doses) <= _PRINTED // 2:  # a peak stands at the end of its dose
        ends = [each.end for each in course.doses if each.end < now]
        printed = sorted({*printed, *ends})
    noise = standard_noise(settings.draws, walk.deviations.size, settings.seed)
    draws, _ = walk.draws(used, noise, walk.grid.border([now]))
    learned = _learned(model, course, walk, fixed, draws, used=used, now=now)
    shown = _problem(model, course, now, parts, walks=True, printed=printed)
    past, _ = shown.concentrations(draws.normal, shown.grid.border(printed))
    points = [*_points(PAST, printed, past, draws.weight)]
    paths = futures(course.covariates, now, settings.ahead, settings.recovers_to)
    for name, covariates in paths.items() if not missing else ():
        points += _ahead(
            model, walk, draws, name, covariates, now=now, then=then, settings=settings
        )
    return CourseUpdate(
        whole,
        tuple(levels),
        tuple(_reason(model, course, walk, at, levels) for at in range(len(levels))),
        now,
        learned,
        tuple(points),
        (
            *_remarks(learned, settings),
            *((f"looked at until {now:.0f} h: {missing}",) if missing else ()),
        ),
        then if not missing else DosePlan((), (), False),
    )


def _remarks(learned: LearnedClearance, settings: UpdateSettings) -> tuple[str, ...]:
    if learned.effective >= FEWEST_DRAWS:
        return ()
    return (
        f"the levels are so far from the model that only {learned.effective:.0f} of {settings.draws:,} draws count: "
        "the numbers are rough",
    )


def _beyond(hours: float, now: float, refusal: str) -> str:
    return refusal or ("" if hours <= now else "after the moment that is looked at")


def _now(model: PkModel, course: TreatmentCourse, until: float, missing: str) -> float:
    """Return the moment that is looked at: the last dose or level up to which all doses are known."""
    if not course.plan.doses:
        raise UsageError(
            missing or "no dose is known", hint="Levels are compared with what was given"
        )
    unknown = course.routes - set(model.routes)
    if unknown:
        raise UsageError(f"{model.name} does not know doses by {', '.join(sorted(unknown))}")
    events = [*(d.hours for d in course.doses), *(level.hours for level in course.levels)]
    now = max(hours for hours in events if hours < until)
    if now > LONGEST_COURSE:
        raise UsageError(f"a course of {now:g} h is too long", hint=f"Up to {LONGEST_COURSE:g} h")
    return max(now, 1e-3)


def _problem(
    model: PkModel,
    course: TreatmentCourse,
    now: float,
    parts: frozenset[str],
    *,
    walks: bool,
    printed: Sequence[float] = (),
) -> Problem:
    deviations = Deviations.of(model, now, parts, walks=walks)
    times = [each.hours for each in course.levels]
    asked = [t for t in (*times, *printed, now) if t <= now]
    grid = CourseGrid.of(
        model, course.plan, course.covariates, deviations, times=asked, horizon=now
    )
    return Problem(grid, deviations, LevelError.of(model), course.levels, grid.border(times))


def _printed_hours(begin: float, end: float) -> list[float]:
    steps = (0.5, 1.0, 2.0, 4.0, 6.0, 12.0, 24.0, 48.0)
    step = next((each for each in steps if (end - begin) / each <= _PRINTED), steps[-1])
    return [begin + n * step for n in range(ceil((end - begin) / step - 1e-9))]


def _points(
    future: str, hours: Sequence[float], levels: Floats, weight: Floats
) -> list[CurvePoint]:
    return [
        CurvePoint(future, hour, tuple(Weighted(levels[:, at], weight).quantiles(BAND).tolist()))
        for at, hour in enumerate(hours)
    ]


def _learned(
    model: PkModel,
    course: TreatmentCourse,
    walk: Problem,
    fixed: Problem,
    draws: PatientDraws,
    *,
    used: Sequence[int],
    now: float,
) -> LearnedClearance:
    at = np.array([now])
    typical = model.typical({name: each.over(at, at, "last") for name, each in course.covariates.items()})  # fmt: skip
    clearance = float(np.ravel(typical["clearance"])[0])
    of = walk.deviations
    logs = of.log_clearance(draws.normal)[:, -1]
    three = (0.05, 0.5, 0.95)
    before = float((of.moving[-1] ** 2).sum())
    prior = tuple(clearance * float(np.exp(sqrt(before) * z)) for z in (-1.6448536, 0.0, 1.6448536))
    middle, _ = fixed.mode(used)
    volume = float(np.ravel(typical["central_volume"])[0])
    own = fixed.deviations.factors(middle[None, :]).get("central_volume", np.ones(1))
    mean = float(draws.weight @ logs)
    left = float(draws.weight @ (logs - mean) ** 2)
    return LearnedClearance(
        clearance,
        (prior[0], prior[1], prior[2]),
        tuple((clearance * np.exp(Weighted(logs, draws.weight).quantiles(three))).tolist()),
        clearance * float(np.exp(fixed.deviations.log_clearance(middle[None, :])[0, -1])),
        volume * float(own[0]),
        left / before if used and before else 1.0,
        draws.effective,
    )


# ------------------------------------------------------------ ahead


def _next_doses(
    model: PkModel, course: TreatmentCourse, settings: UpdateSettings, now: float
) -> DosePlan:
    """Return the doses from now on: the rest of an infusion that runs, and the regimen that the user names."""
    left = [
        SingleDose(0.0, d.route, d.amount * (d.end - now) / d.over, False, d.end - now)
        for d in course.doses
        if d.over and d.hours <= now < d.end and d.amount == d.amount
    ]
    begins_now = [
        SingleDose(0.0, d.route, d.amount, False, 0.0)
        for d in course.doses
        if not d.over and d.hours == now and d.amount == d.amount
    ]
    plan = regimen_then(model, settings)
    return DosePlan((*left, *begins_now, *plan.doses), plan.rates, plan.cut)


def regimen_then(model: PkModel, settings: UpdateSettings) -> DosePlan:
    """Return the doses that the user names for the time from now on; none for ''.

    Raises `UsageError` for what is not understood, another drug, a route that the model does not know, or a dose per kg
    without a weight in the model.
    """
    if not settings.then:
        return DosePlan((), (), False)
    regimen = Regimen.of(settings.then, "then")
    if regimen.drug and regimen.drug.lower() != model.drug.lower():
        what = f"{regimen.drug!r} is not the drug of the model ({model.drug})"
        raise UsageError(what, where="then")
    plan = regimen.plan(settings.ahead)
    routes = {each.route for each in plan.doses} | ({"iv"} if plan.rates else set())
    if routes - set(model.routes):
        raise UsageError(f"{model.name} does not know this route", where="then")
    if "weight" not in model.covariates and any(
        [*(d.per_kg for d in plan.doses), *(change.per_kg for change in plan.rates)]
    ):
        raise UsageError(f"{model.name} has no weight for a dose per kg", where="then")
    return plan


def _ahead(
    model: PkModel,
    walk: Problem,
    draws: PatientDraws,
    future: str,
    covariates: Mapping[str, CovariateCourse],
    *,
    now: float,
    then: DosePlan,
    settings: UpdateSettings,
) -> list[CurvePoint]:
    """Return the concentrations of one future, from what is in each draw now."""
    ahead = settings.ahead
    onward = walk.deviations.onward(now, ahead)
    hours = [*_printed_hours(0.0, ahead), ahead]
    used = [t for t in hours_of(then) if t <= ahead]
    grid = CourseGrid.of(model, then, covariates, onward, times=[*hours, *used], horizon=ahead)
    path = _onward(draws, walk.deviations, onward, settings.seed)
    levels, _ = curves(
        grid, walk.deviations.factors(draws.normal), path, grid.border(hours), draws.left
    )
    return _points(future, hours, levels, draws.weight)


def _onward(draws: PatientDraws, before: Deviations, onward: Deviations, seed: int) -> Floats:
    """Return how the clearance of each draw goes on, [draw, step]; it moves as it did before."""
    path = np.empty((len(draws.weight), onward.steps))
    path[:, 0] = before.log_clearance(draws.normal)[:, -1]
    noise = standard_noise(len(path), max(onward.steps - 1, 0), seed, key=2)
    for step in range(1, onward.steps):
        path[:, step] = path[:, step - 1] + onward.moves * noise[:, step - 1]
    return path


def _reason(
    model: PkModel,
    course: TreatmentCourse,
    walk: Problem,
    at: int,
    levels: Sequence[PredictedLevel],
) -> str:
    """Return in words why a level was not used, or what may be wrong with it."""
    each = levels[at]
    if each.refusal:
        return each.refusal
    if each.walk is None or not each.walk.far:
        return "a long infusion was running: make sure it was not drawn from its line" if course.infused(each.level.hours) else ""  # fmt: skip
    used = [number for number in range(at) if levels[number].used and not levels[number].confirmed]
    middle, _ = walk.mode(used)
    why = contradictions.reason(
        model,
        course,
        walk.deviations,
        middle,
        level=each.level,
        prediction=each.walk,
        error=walk.error,
    )
    if each.confirmed:
        return f"contradicts the levels before it, and the next or last one does too: used; {why}"
    return why
