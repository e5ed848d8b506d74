"""The compiled propagation beside the reference: random regimens, many patients, any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from becalm.pk import RateConstants, propagate
from becalm.pk.compiled import population_levels
from becalm.pk.propagation import CENTRAL
from tests.generative.test_compartments import GONE, STEPS
from tests.reference.compartments import Step


def constants(steps: list[Step], *, two_depots: bool) -> RateConstants:
    c = np.array(steps).T
    return RateConstants(c[4], c[5], c[6], c[7], c[8] if two_depots else np.zeros(len(steps)))


@given(STEPS)
@settings(max_examples=150)
def test_random_regimens_are_as_the_reference_says(drawn: tuple[list[Step], bool]) -> None:
    steps, two = drawn
    c = np.array(steps).T
    doses: dict[str, Any] = {"rate": c[1], "bolus": c[2], "depot": c[3], "two_depots": two}
    by = constants(steps, two_depots=two)
    found, truth = population_levels(by, c[0], **doses), propagate(by, c[0], **doses)
    for ours, theirs in (
        (found.before[:, 0], truth.before[:, CENTRAL]),
        (found.after[:, 0], truth.after[:, CENTRAL]),
        (found.area[:, 0], truth.area),
    ):
        there = theirs > GONE
        assert np.all(ours[~there] <= 2 * GONE)
        assert np.abs(ours[there] / theirs[there] - 1).max(initial=0) < 1e-12


def population(people: int, seed: int = 5) -> tuple[RateConstants, Any, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    by = RateConstants.of(np.linspace(7.2, 0.3, 28), 5.0, 3.5, 6.0, 0.6, 0.2)
    doses = {
        "rate": np.repeat([1.0, 2, 4, 8, 4, 2], 28),
        "bolus": np.where(np.arange(168) % 24 == 0, 10.0, 0.0),
        "depot": rng.uniform(50, 100, (people, 168)) * (np.arange(168) % 12 == 0),
        "two_depots": True,
        "which": np.arange(168) // 6,
    }
    return by, np.exp(rng.normal(0, 0.3, (5, people))), doses


def test_patients_with_their_own_factors_are_as_the_reference_says() -> None:
    by, factors, doses = population(700)
    found = population_levels(
        by, np.ones(168), factors=factors, volume=5.0, size=factors[0], **doses
    )
    own = RateConstants(
        *(np.atleast_1d(each) * factors[at][:, None] for at, each in enumerate(by.arrays()))
    )
    truth = propagate(own, np.ones(168), **doses)
    litres = 5.0 * factors[0][:, None]
    for ours, theirs in (
        (found.before.T[:, 1:], (truth.before[..., CENTRAL] / litres)[:, 1:]),
        (found.after.T, truth.after[..., CENTRAL] / litres),
        (found.area.T, truth.area / litres),
    ):
        assert np.abs(ours / theirs - 1).max() < 1e-12


def test_neither_threads_nor_the_other_patients_change_a_number() -> None:
    by, factors, doses = population(9000)
    one = population_levels(by, np.ones(168), factors=factors, **doses)
    three = population_levels(by, np.ones(168), factors=factors, threads=3, **doses)
    assert all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))
    few = population_levels(by, np.ones(168), factors=factors[:, :301], **doses | {"depot": doses["depot"][:301]})  # fmt: skip
    assert np.array_equal(few.after, one.after[:, :301])
    after = population_levels(by, np.ones(168), factors=factors, only_after=True, **doses)
    assert np.array_equal(after.after, one.after)
    assert not after.before.size
    assert not after.area.size


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"rate": [-1.0]}, "rate"), ({"volume": 0.0}, "volume"), ({"factors": [-1.0] * 5}, "factor"), ({"size": [0.0]}, "volume")],
)  # fmt: skip
def test_numbers_that_cannot_be(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        population_levels(RateConstants.of(1.0, 5.0), [1.0], **wrong)
