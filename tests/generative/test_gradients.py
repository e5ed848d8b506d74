"""The propagation for JAX: equal to the reference, with gradients that finite differences confirm, times of doses too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

from becalm.core.errors import UsageError
from becalm.pk import PARTS, RateConstants, load, propagate
from becalm.pk.gradients import differentiable_levels, differentiable_propagate
from becalm.pk.propagation import CENTRAL
from tests.reference.random_regimens import random_regimens

TYPICAL = load("anakinra").typical(
    {"weight": 70, "creatinine_clearance": 60, "haemodialysis": 0, "effluent_flow": 0}
)
WANTED = [0.5, 3.0, 12.5, 30.0, 47.0]
DOSES: dict[str, Any] = {"bolus": ([0.25, 20.0], [50.0, 20.0]), "skin": ([2.0, 26.0], [100.0, 80.0]), "infusion": ([1.0, 10.0], [8.0, 40.0], [4.0, 2.0])}  # fmt: skip


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def test_random_regimens_are_as_the_reference_says() -> None:
    drawn = random_regimens(300, intervals=6, seed=11)
    doses: dict[str, Any] = {"rate": drawn.rate, "bolus": drawn.bolus, "depot": drawn.depot, "two_depots": True}  # fmt: skip
    truth = propagate(RateConstants(*drawn.constants), drawn.hours, **doses)
    found = jax.jit(partial(differentiable_propagate, two_depots=True))(
        drawn.constants, drawn.hours, rate=drawn.rate, bolus=drawn.bolus, depot=drawn.depot
    )
    for ours, theirs in ((found.before, truth.before), (found.after, truth.after), (found.area, truth.area)):  # fmt: skip
        there = theirs > 1e-290
        assert np.abs(np.asarray(ours)[there] / theirs[there] - 1).max() < 1e-12


def test_single_precision_is_right_to_1e_6_of_the_largest_amount_and_must_be_asked_for() -> None:
    drawn = random_regimens(50, intervals=4, seed=3)
    doses: dict[str, Any] = {"rate": drawn.rate, "bolus": drawn.bolus, "skin": False}
    truth = propagate(RateConstants(*drawn.constants), drawn.hours, rate=drawn.rate, bolus=drawn.bolus)  # fmt: skip
    with jax.enable_x64(False):
        with pytest.raises(UsageError, match="single precision"):
            differentiable_propagate(drawn.constants, drawn.hours, **doses)
        found = jax.jit(partial(differentiable_propagate, skin=False, single=True))(
            drawn.constants, drawn.hours, rate=drawn.rate, bolus=drawn.bolus
        )
    wrong = np.abs(np.asarray(found.after)[..., CENTRAL] - truth.after[..., CENTRAL]).max(axis=1)
    assert (wrong / truth.after[..., CENTRAL].max(axis=1)).max() < 1e-6


def levels(flat: Any) -> Any:
    """Concentrations as a function of every number: eight of doses' times, six of amounts, seven parameters."""
    parts = dict(zip(PARTS, flat[14:], strict=True))
    return differentiable_levels(
        parts, WANTED, bolus=(flat[0:2], flat[8:10]), skin=(flat[2:4], flat[10:12]),
        infusion=(flat[4:6], flat[6:8], flat[12:14]),
    )  # fmt: skip


POINT = np.array([*DOSES["bolus"][0], *DOSES["skin"][0], *DOSES["infusion"][0], *DOSES["infusion"][1],
                  *DOSES["bolus"][1], *DOSES["skin"][1], *DOSES["infusion"][2], *(float(TYPICAL[part]) for part in PARTS)])  # fmt: skip


def test_gradients_agree_with_finite_differences_times_of_doses_included() -> None:
    compiled = jax.jit(levels)
    slopes = np.asarray(jax.jit(jax.jacrev(levels))(POINT))
    for at in range(len(POINT)):
        step = 1e-5 * max(abs(POINT[at]), 0.1)
        around = [np.asarray(compiled(POINT + n * step * (np.arange(len(POINT)) == at))) for n in (-2, -1, 1, 2)]  # fmt: skip
        numeric = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / (12 * step)
        assert slopes[:, at] == pytest.approx(numeric, rel=1e-6, abs=1e-8)
    assert np.all(np.abs(slopes[-1, :8]) > 0)  # no time of a dose is without effect


@pytest.mark.parametrize("clearance", [0.0, 1e-12, 2.0])
def test_gradients_are_finite_where_rate_constants_are_equal_or_nothing(clearance: float) -> None:
    def level(cl: Any, ka: Any) -> Any:
        parts = {"clearance": cl, "central_volume": 2.0, "absorption": ka}
        return differentiable_levels(parts, [3.0], skin=([0.0], [10.0]))[0]

    slopes = jax.jit(jax.grad(level, (0, 1)))(clearance, 1.0)
    assert np.isfinite(np.asarray(slopes)).all()
    assert slopes[0] < 0 < slopes[1] or clearance


def test_levels_at_hours_are_those_of_a_simulation_step_by_step() -> None:
    found = np.asarray(jax.jit(levels)(POINT))
    borders = sorted({0.0, *WANTED, *DOSES["bolus"][0], *DOSES["skin"][0], *DOSES["infusion"][0], *DOSES["infusion"][1]})  # fmt: skip
    part = [float(TYPICAL[name]) for name in PARTS]
    constants = RateConstants.of(*part[:6])
    at = borders[:-1]
    truth = propagate(
        constants,
        np.diff(borders),
        bolus=[dict(zip(*DOSES["bolus"], strict=True)).get(t, 0.0) for t in at],
        depot=[part[6] * dict(zip(*DOSES["skin"], strict=True)).get(t, 0.0) for t in at],
        rate=[sum(r for a, b, r in zip(*DOSES["infusion"], strict=True) if a <= t < b) for t in at],
        two_depots=True,
    )
    expected = [truth.after[borders.index(t), CENTRAL] / part[1] for t in WANTED]
    assert found == pytest.approx(expected, rel=1e-12)
