"""What levels say of a patient is what a grid and a plain particle filter say; and what a moving clearance adds."""

from typing import Final

import numpy as np
import pytest

from becalm.pk.covariates import CovariateCourse, read_courses
from becalm.pk.levels.course import PkDose, PkLevel, TreatmentCourse
from becalm.pk.levels.likelihood import LevelError
from becalm.pk.levels.posterior import Problem, Weighted, standard_noise
from becalm.pk.levels.transfer import CourseGrid, curves
from becalm.pk.levels.updating import UpdateSettings, updated
from becalm.pk.levels.walk import Deviations
from becalm.pk.loading import load, parse
from becalm.pk.model import PkModel
from tests.reference.levels import Given, Patient, filtered, static_posterior

ONE: Final = """
name = "one"
title = "One compartment"
drug = "one"
routes = ["iv"]
[covariate.creatinine_clearance]
unit = "mL/min"
studied = [0, 200]
source = "a test"
verified = true
[parameter.clearance]
part_of = "clearance"
value = 4.0
unit = "L/h"
scaled_by.creatinine_clearance = { at = 80.0, exponent = 1.0 }
status = "assumed"
source = "a test"
verified = true
[parameter.volume]
part_of = "central_volume"
value = 40.0
unit = "L"
status = "assumed"
source = "a test"
verified = true
[spread.clearance]
value = 0.35
status = "assumed"
source = "a test"
verified = true
[spread.central_volume]
value = 0.25
status = "assumed"
source = "a test"
verified = true
[walk.clearance]
value = 0.2
status = "assumed"
source = "a test"
verified = true
[residual.proportional]
value = 15.0
unit = "%"
status = "assumed"
source = "a test"
verified = true
[residual.additive]
value = 0.5
unit = "mg/L"
status = "assumed"
source = "a test"
verified = true
"""
KIDNEY: Final = [(0.0, 80.0), (30.0, 40.0), (60.0, 20.0)]
DOSES: Final = [Given(12.0 * n, 800.0, 1.0) for n in range(7)]
INF: Final = float("inf")
LEVELS: Final = {
    "exact": [(11.0, 6.0, 6.0), (35.0, 14.0, 14.0), (59.0, 22.0, 22.0), (83.0, 24.0, 24.0)],
    "limits": [(11.0, 0.0, 5.0), (35.0, 10.0, 10.0), (83.0, 25.0, INF)],
    "range": [(11.0, 4.0, 7.0), (59.0, 18.0, 18.0)],
}
PATIENT: Final = Patient([(h, 4 * c / 80) for h, c in KIDNEY], 40.0, 0.35, 0.25, 0.2, 0.15, 0.5)


def one() -> PkModel:
    return parse(ONE, "one.toml")


def course(levels: list[tuple[float, float, float]]) -> TreatmentCourse:
    covariates, _ = read_courses(one(), {"creatinine_clearance": KIDNEY}, 100, "last")
    doses = tuple(PkDose(each.hours, each.mg, each.over) for each in DOSES)
    return TreatmentCourse(doses, tuple(PkLevel(*each) for each in levels), covariates)


def problem(levels: list[tuple[float, float, float]], *, walks: bool) -> Problem:
    given, until = course(levels), max(hours for hours, _, _ in levels)
    deviations = Deviations.of(one(), until, frozenset({"central_volume"}), walks=walks)
    times = [each.hours for each in given.levels]
    grid = CourseGrid.of(
        one(), given.plan, given.covariates, deviations, times=times, horizon=until
    )
    return Problem(grid, deviations, LevelError.of(one()), given.levels, grid.border(times))


@pytest.mark.parametrize("name", LEVELS)
def test_a_fixed_clearance_is_that_of_a_grid(name: str) -> None:
    asked = problem(LEVELS[name], walks=False)
    used = range(len(asked.levels))
    draws, _ = asked.draws(used, standard_noise(20_000, asked.deviations.size, 3))
    eta = asked.deviations.log_clearance(draws.normal)[:, 0]
    mean = float(draws.weight @ eta)
    spread = float(np.sqrt(draws.weight @ (eta - mean) ** 2))
    volume = float(draws.weight @ draws.normal[:, 0]) * 0.25
    slow = static_posterior(PATIENT, DOSES, LEVELS[name], points=41)
    assert (mean, spread, volume) == pytest.approx(slow, abs=0.006)


@pytest.mark.parametrize("name", LEVELS)
def test_a_moving_clearance_is_that_of_a_plain_filter(name: str) -> None:
    """Each level's concentration before it is known, and the clearance after the last one."""
    asked = problem(LEVELS[name], walks=True)
    before, (mean, spread) = filtered(PATIENT, DOSES, LEVELS[name], particles=60_000)
    noise = standard_noise(20_000, asked.deviations.size, 3)
    for number in range(len(asked.levels)):
        draws, _ = asked.draws(range(number), noise, asked.at[number : number + 1])
        found = Weighted(draws.levels[:, 0], draws.weight).quantiles((0.05, 0.5, 0.95))
        assert found.tolist() == pytest.approx(before[number], rel=0.035)
    draws, _ = asked.draws(range(len(asked.levels)), noise)
    eta = asked.deviations.log_clearance(draws.normal)[:, -1]
    middle = float(draws.weight @ eta)
    assert middle == pytest.approx(mean, abs=0.02)
    assert float(np.sqrt(draws.weight @ (eta - middle) ** 2)) == pytest.approx(spread, abs=0.02)


def test_slopes_are_those_of_small_changes() -> None:
    asked = problem(LEVELS["exact"], walks=True)
    z = np.linspace(-0.8, 0.9, asked.deviations.size)
    used = range(len(asked.levels))
    _, slopes = asked._with_slopes(asked.grid, z, used)
    step = 1e-5
    for at in range(len(z)):
        moved = np.stack([z, z])
        moved[0, at] -= step
        moved[1, at] += step
        low, high = np.log(asked.concentrations(moved)[0])
        assert slopes[:, at] == pytest.approx((high - low) / (2 * step), abs=2e-4)


def test_bands_ahead_are_those_of_one_calculation_to_the_end() -> None:
    """From what is left now, as if the whole course had been calculated at once."""
    given = course(LEVELS["range"])
    settings = UpdateSettings(draws=10_000, then="", ahead=48.0)
    found = updated(one(), given, settings)
    last = [each for each in found.curves if each.future == "stays"][-1]
    whole = problem(LEVELS["range"], walks=True)
    deviations = Deviations.of(one(), found.now + 48, frozenset({"central_volume"}))
    times = [*(each.hours for each in given.levels), found.now + 48]
    grid = CourseGrid.of(
        one(), given.plan, given.covariates, deviations, times=times, horizon=found.now + 48
    )
    longer = Problem(grid, deviations, whole.error, given.levels, grid.border(times[:-1]))
    draws, _ = longer.draws(
        range(2), standard_noise(10_000, deviations.size, 5), grid.border(times[-1:])
    )
    expected = Weighted(draws.levels[:, 0], draws.weight).quantiles((0.05, 0.25, 0.5, 0.75, 0.95))
    assert last.band == pytest.approx(expected.tolist(), rel=0.06)


def test_without_levels_a_patient_keeps_the_prior() -> None:
    model = load("vancomycin")
    kidney = CovariateCourse("creatinine_clearance", np.array([0.0, 24.0]), np.array([90.0, 30.0]))
    weight = CovariateCourse("weight", np.empty(0), np.array([70.0]))
    doses = tuple(PkDose(12.0 * n, 1000.0, 1.0) for n in range(6))
    found = updated(model, TreatmentCourse(doses, (), {"creatinine_clearance": kidney, "weight": weight}), UpdateSettings(draws=4000))  # fmt: skip
    assert found.learned.shrinkage == 1.0
    assert found.learned.now == pytest.approx(found.learned.prior, rel=0.03)
    assert found.learned.effective == pytest.approx(4000)
    assert found.learned.fixed == pytest.approx(found.learned.model)


def test_draws_are_the_same_for_a_seed_and_whatever_is_computed_together() -> None:
    asked = problem(LEVELS["exact"], walks=True)
    noise = standard_noise(500, asked.deviations.size, 3)
    first, _ = asked.draws(range(4), noise)
    again, _ = asked.draws(range(4), standard_noise(500, asked.deviations.size, 3))
    assert (first.normal == again.normal).all()
    alone = curves(asked.grid, asked.deviations.factors(first.normal[7:8]), asked.deviations.log_clearance(first.normal[7:8]), asked.at)  # fmt: skip
    assert asked.concentrations(first.normal)[0][7] == pytest.approx(alone[0][0], rel=1e-12)
