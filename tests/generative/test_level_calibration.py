"""Simulation-based calibration: virtual patients are drawn from the model, and their truth is no surprise to it.

Talts S et al. Validating Bayesian inference algorithms with simulation-based calibration, 2018, arXiv:1804.06788. The
kidney fails, recovers, or is replaced by a machine. A tenth of the patients runs always; `-m long` runs all 2,000.
"""

from typing import Final, NamedTuple

import numpy as np
import pytest

from becalm.core.arrays import Floats
from becalm.pk.covariates import CovariateCourse
from becalm.pk.levels.course import PkDose, PkLevel, TreatmentCourse
from becalm.pk.levels.likelihood import LevelError
from becalm.pk.levels.posterior import Problem, standard_noise
from becalm.pk.levels.transfer import CourseGrid
from becalm.pk.levels.walk import Deviations
from becalm.pk.loading import load

PARTS: Final = frozenset({"central_volume", "exchange", "peripheral_volume"})
AHEAD: Final = 24.0
KINDS: Final = ("fails", "recovers", "replaced")


class Ranked(NamedTuple):
    """Where the truth lies among the draws, 0 to 1: clearance at the last level, a later concentration, a later level.

    kidney : creatinine clearance at the last level, mL/min.
    """

    clearance: float
    concentration: float
    measured: float
    kidney: float


def constant(name: str, value: float) -> CovariateCourse:
    return CovariateCourse(name, np.empty(0), np.array([value]))


def moving(name: str, values: list[tuple[float, float]]) -> CovariateCourse:
    return CovariateCourse(name, np.array([h for h, _ in values]), np.array([v for _, v in values]))


def kidney(kind: str, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Creatinine clearance by day: falls to a part of itself, or rises to a multiple, over some days."""
    start = float(np.exp(rng.normal(np.log(70), 0.4)))
    part, begin, days = rng.uniform(0.15, 0.7), rng.uniform(0, 2), rng.uniform(0.5, 4)
    change = np.clip((np.arange(8) - begin) / days, 0, 1)
    if kind == "fails":
        return [(24.0 * d, start * part ** float(c)) for d, c in enumerate(change)]
    return [(24.0 * d, start * part ** float(1 - c)) for d, c in enumerate(change)]


def virtual(number: int, draws: int = 1000) -> Ranked:
    """Draw a patient from the model, draw levels, and ask where the truth lies among draws given the levels."""
    rng = np.random.default_rng([26, number])
    kind = KINDS[number % 3]
    model = load("anakinra" if kind == "replaced" else "vancomycin")
    covariates = {"weight": constant("weight", float(rng.uniform(50, 110)))}
    if kind == "replaced":
        begin = float(rng.uniform(12, 60))
        covariates["creatinine_clearance"] = constant(
            "creatinine_clearance", float(rng.uniform(2, 15))
        )
        covariates["effluent_flow"] = moving(
            "effluent_flow", [(0, 0.0), (begin, float(rng.uniform(20, 45)))]
        )
        covariates["haemodialysis"] = constant("haemodialysis", 0.0)
        doses = [PkDose(12.0 * n, 100.0, float(rng.choice([0.5, 4.0]))) for n in range(10)]
    else:
        course = kidney(kind, rng)
        covariates["creatinine_clearance"] = moving("creatinine_clearance", course)
        every = 12.0 if course[0][1] > 50 else 24.0
        doses = [PkDose(every * n, 1000.0, 1.0) for n in range(int(120 / every))]
    times = sorted(
        float(t)
        for t in 24.0 * rng.choice(np.arange(1, 5), int(rng.integers(1, 5)), replace=False)
        - rng.uniform(0.2, 2.0)
    )
    end = times[-1] + AHEAD
    deviations = Deviations.of(model, end, PARTS)
    given = TreatmentCourse(tuple(doses), (), covariates)
    grid = CourseGrid.of(
        model, given.plan, covariates, deviations, times=[*times, end], horizon=end
    )
    error, at = LevelError.of(model), grid.border(times)
    plain = Problem(grid, deviations, error, (), at)
    truth = rng.standard_normal((1, deviations.size))
    levels = plain.concentrations(truth, grid.border([*times, end]))[0][0]
    logs = np.log(levels)
    seen = np.exp(logs + error.spread(logs) * rng.standard_normal(len(logs)))
    problem = Problem(grid, deviations, error, tuple(PkLevel(t, v, v) for t, v in zip(times, seen[:-1].tolist(), strict=True)), at)  # fmt: skip
    found, _ = problem.draws(
        range(len(times)), standard_noise(draws, deviations.size, number), grid.border([end])
    )
    step = int(deviations.step_of(np.array([times[-1]]))[0])

    def share(drawn: Floats, true: float) -> float:
        return float(found.weight @ (drawn < true))

    last = np.array(times[-1:])
    return Ranked(
        share(
            deviations.log_clearance(found.normal)[:, step],
            float(deviations.log_clearance(truth)[0, step]),
        ),
        share(found.levels[:, 0], float(levels[-1])),
        float(found.weight @ error.below(float(seen[-1]), np.log(found.levels[:, 0]))),
        float(covariates["creatinine_clearance"].over(last, last, "last")[0]),
    )


def chi_square_p(ranks: Floats, bins: int) -> float:
    from scipy.stats import chisquare

    return float(chisquare(np.histogram(ranks, bins, (0, 1))[0]).pvalue)


def check(patients: int, bins: int, low: float, high: float, third: tuple[float, float]) -> None:
    ranked = [virtual(number) for number in range(patients)]
    worst = np.array([each.kidney for each in ranked])
    poor = worst <= np.quantile(worst, 1 / 3)
    for name in ("clearance", "concentration", "measured"):
        ranks = np.array([getattr(each, name) for each in ranked])
        inside = (ranks >= 0.05) & (ranks <= 0.95)
        print(f"{name}: p {chi_square_p(ranks, bins):.3f}, in 90 % {inside.mean():.4f}, poorest third {inside[poor].mean():.4f}")  # fmt: skip
        assert chi_square_p(ranks, bins) > 0.01, name
        assert low <= inside.mean() <= high, name
        assert third[0] <= inside[poor].mean() <= third[1], name


def test_a_tenth_of_the_virtual_patients_is_no_surprise() -> None:
    """Of 200 patients a band of 90 % covers 84 to 96 % in 99 of 100 runs; of 67 of them, 80 to 99 %."""
    check(200, 10, 0.84, 0.96, (0.80, 0.99))


@pytest.mark.long
def test_all_virtual_patients_are_no_surprise() -> None:
    check(2000, 20, 0.88, 0.92, (0.88, 0.92))
