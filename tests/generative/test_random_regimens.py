"""Random regimens by all ways of calculation, beside a batched matrix exponential and a solver of tight tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from becalm.pk import RateConstants, population_levels, propagate
from becalm.pk.propagation import CENTRAL
from tests.reference.compartments import Step, by_solver
from tests.reference.random_regimens import RandomRegimens, by_batched_matrix, random_regimens


def doses(drawn: RandomRegimens) -> dict[str, Any]:
    return {"rate": drawn.rate, "bolus": drawn.bolus, "depot": drawn.depot, "two_depots": True}


def compare(count: int, seed: int) -> None:
    """Against the largest amount of the regimen so far: what SciPy's exponential can resolve."""
    drawn = random_regimens(count, intervals=8, seed=seed)
    truth, areas = by_batched_matrix(drawn)
    largest = np.maximum.accumulate(truth.max(axis=2), axis=1) + 1.0
    constants = RateConstants(*drawn.constants)
    found = propagate(constants, drawn.hours, **doses(drawn))
    assert (np.abs(found.before[:, 1:] - truth) / largest[..., None]).max() < 1e-10
    assert (np.abs(np.cumsum(found.area, axis=1) - areas) / np.maximum(areas, 1.0)).max() < 1e-10
    compiled = population_levels(constants, drawn.hours, **doses(drawn))
    assert (np.abs(compiled.before.T[:, 1:] - truth[..., CENTRAL]) / largest).max() < 1e-10
    assert np.array_equal(compiled.after.T > 0, found.after[..., CENTRAL] > 0)
    there = found.area > 1e-290
    assert np.abs(compiled.area.T[there] / found.area[there] - 1).max() < 1e-12


def test_a_thousand_regimens_by_a_matrix_exponential() -> None:
    compare(1000, seed=1)


@pytest.mark.long
def test_ten_thousand_regimens_by_a_matrix_exponential() -> None:
    compare(10_000, seed=2)


def by_a_solver(count: int, seed: int) -> None:
    drawn = random_regimens(count, intervals=4, seed=seed)
    found = propagate(RateConstants(*drawn.constants), drawn.hours, **doses(drawn))
    for person in range(count):
        rows = zip(*(each[person] for each in (drawn.hours, drawn.rate, drawn.bolus, drawn.depot, *drawn.constants)), strict=True)  # fmt: skip
        truth = np.array(by_solver([Step(*map(float, row)) for row in rows], two_depots=True))
        ours = np.concatenate([found.before[person, 1:], np.cumsum(found.area[person])[:, None]], axis=1)  # fmt: skip
        assert np.abs(ours - truth).max() <= 1e-8 * max(truth.max(), 1.0)


def test_twenty_regimens_by_a_solver() -> None:
    by_a_solver(20, seed=3)


@pytest.mark.long
def test_two_hundred_regimens_by_a_solver_of_tight_tolerance() -> None:
    by_a_solver(200, seed=4)


def test_breakpoints_that_change_nothing_may_stand_in_any_order() -> None:
    """The doses of a regimen, each at its hour, give the same whichever others are cut in beside them."""
    rng = np.random.default_rng(8)
    clearance = np.where(np.arange(12) < 5, 6.0, 1.5)
    hours, rate = np.full(12, 2.0), np.repeat([1.0, 4.0, 2.0], 4)
    bolus = np.where(np.arange(12) % 3 == 0, 20.0, 0.0)
    whole = propagate(RateConstants.of(clearance, 5.0, 3.5, 6.0), hours, rate=rate, bolus=bolus)
    for _ in range(20):
        cuts = np.sort(rng.uniform(0, 24, 9))
        borders = np.unique(np.concatenate([np.arange(13) * 2.0, cuts]))
        of = np.minimum((borders[:-1] // 2).astype(int), 11)
        starts = np.isin(borders[:-1], np.arange(12) * 2.0)
        cut = propagate(
            RateConstants.of(clearance[of], 5.0, 3.5, 6.0), np.diff(borders), rate=rate[of], bolus=np.where(starts, bolus[of], 0.0)
        )  # fmt: skip
        there = np.isin(borders, np.arange(13) * 2.0)
        assert cut.after[there][:, CENTRAL] == pytest.approx(whole.after[:, CENTRAL], rel=1e-13)
        assert cut.area.sum() == pytest.approx(whole.area.sum(), rel=1e-13)


def test_a_population_far_from_steady_state_is_the_sum_of_its_doses() -> None:
    """The end of an infusion changes nothing but the infusion, and a clearance that changes is not a steady state."""
    clearance = [8.0, 8.0, 1.0, 1.0]
    constants = RateConstants.of(clearance, 5.0, 3.5, 6.0)
    given: dict[str, Any] = {"rate": [10.0, 0.0, 0.0, 0.0], "bolus": [0.0, 0.0, 30.0, 0.0]}
    both = propagate(constants, [3.0, 9.0, 6.0, 6.0], **given)
    parts = [propagate(constants, [3.0, 9.0, 6.0, 6.0], **{name: values}) for name, values in given.items()]  # fmt: skip
    assert both.after == pytest.approx(parts[0].after + parts[1].after, rel=1e-13)
    late = propagate(RateConstants.of([8.0, 1.0], 5.0, 3.5, 6.0), [12.0, 12.0], rate=[10.0, 10.0])
    level = late.after[:, CENTRAL] / 5.0
    assert level[1] < level[2] < 10.0
    assert abs(level[1] - 1.25) < 0.05
