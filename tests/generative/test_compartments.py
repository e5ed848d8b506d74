"""Exact propagation against a matrix exponential of 60 digits, SciPy's, and a solver for stiff equations.

Every amount is compared with its own size to 1e-12 with the 60 digits. SciPy's exponential and the solver are
right to a fraction of the largest amount only: a trace left in a depot is beneath what they can resolve, so
their comparison is relative to the largest amount. An amount below 1e-290 mg has no digits left in float64.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.pk import RateConstants, exp_difference, propagate
from tests.reference.compartments import Step, by_digits, by_matrix, by_solver

CONSTANT = st.one_of(
    st.floats(-7, 2).map(lambda x: float(np.exp(x))), st.sampled_from([0.0, 0.2, 0.6, 1.0])
)
AMOUNT = st.sampled_from([0.0, 0.0, 10.0, 250.0])
HOURS = st.one_of(
    st.floats(-6, 4).map(lambda x: float(np.exp(x))), st.sampled_from([0.0, 1.0, 24.0])
)
STEP = st.builds(
    Step, HOURS, AMOUNT, AMOUNT, AMOUNT, CONSTANT, CONSTANT, CONSTANT, CONSTANT, CONSTANT
)
STEPS = st.tuples(st.lists(STEP, min_size=1, max_size=4), st.booleans())
GONE = 1e-290


def by_becalm(steps: list[Step], *, two_depots: bool) -> Any:
    c = np.array(steps).T
    before = c[8] if two_depots else np.zeros(len(steps))
    constants = RateConstants(c[4], c[5], c[6], c[7], before)
    found = propagate(constants, c[0], rate=c[1], bolus=c[2], depot=c[3], two_depots=two_depots)
    return np.concatenate([found.before[1:], np.cumsum(found.area)[:, None]], axis=1)


def one_depot(steps: list[Step], *, two_depots: bool) -> list[Step]:
    return steps if two_depots else [step._replace(before=0.0) for step in steps]


@given(STEPS)
@settings(max_examples=60)
def test_every_amount_is_right_in_twelve_digits(drawn: tuple[list[Step], bool]) -> None:
    steps, two = drawn
    truth = np.array(by_digits(one_depot(steps, two_depots=two), two_depots=two))
    found = by_becalm(steps, two_depots=two)
    there = truth > GONE
    assert np.all(found[~there] <= 2 * GONE)
    assert np.abs(found[there] / truth[there] - 1).max(initial=0) < 1e-12


@given(STEPS)
@settings(max_examples=100)
def test_a_matrix_exponential_gives_the_same(drawn: tuple[list[Step], bool]) -> None:
    steps, two = drawn
    truth = np.array(by_matrix(one_depot(steps, two_depots=two), two_depots=two))
    found = by_becalm(steps, two_depots=two)
    assert np.abs(found - truth).max() <= 1e-12 * max(truth.max(), 1.0)


@given(STEPS)
@settings(max_examples=40)
def test_a_solver_for_stiff_equations_gives_the_same(drawn: tuple[list[Step], bool]) -> None:
    steps, two = drawn
    truth = np.array(by_solver(one_depot(steps, two_depots=two), two_depots=two))
    found = by_becalm(steps, two_depots=two)
    assert np.abs(found - truth).max() <= 1e-8 * max(truth.max(), 1.0)


@pytest.mark.long
@given(STEPS)
@settings(max_examples=10_000)
def test_ten_thousand_regimens(drawn: tuple[list[Step], bool]) -> None:
    steps, two = drawn
    truth = np.array(by_matrix(one_depot(steps, two_depots=two), two_depots=two))
    found = by_becalm(steps, two_depots=two)
    assert np.abs(found - truth).max() <= 1e-12 * max(truth.max(), 1.0)


@pytest.mark.long
@given(STEPS)
@settings(max_examples=200)
def test_two_hundred_regimens_by_the_solver(drawn: tuple[list[Step], bool]) -> None:
    steps, two = drawn
    truth = np.array(by_solver(one_depot(steps, two_depots=two), two_depots=two))
    found = by_becalm(steps, two_depots=two)
    assert np.abs(found - truth).max() <= 1e-8 * max(truth.max(), 1.0)


@given(st.lists(STEP, min_size=1, max_size=4), st.data())
@settings(max_examples=40)
def test_a_step_that_is_split_changes_nothing(steps: list[Step], data: Any) -> None:
    at = data.draw(st.integers(0, len(steps) - 1))
    part = data.draw(st.floats(0, 1))
    one = steps[at]
    halves = [one._replace(hours=one.hours * part), one._replace(hours=one.hours * (1 - part), bolus=0.0, depot=0.0)]  # fmt: skip
    split = [*steps[:at], *halves, *steps[at + 1 :]]
    whole, parts = by_becalm(steps, two_depots=True)[-1], by_becalm(split, two_depots=True)[-1]
    assert whole == pytest.approx(parts, rel=1e-12, abs=GONE)


@given(st.lists(STEP, min_size=1, max_size=4))
@settings(max_examples=40)
def test_doses_add_up_and_no_milligram_is_lost(steps: list[Step]) -> None:
    """Superposition: what two regimens give together is the sum; given = in the body + clearance × AUC."""
    under = [step._replace(rate=0.0, bolus=0.0) for step in steps]
    vein = [step._replace(depot=0.0) for step in steps]
    both = by_becalm(steps, two_depots=True)
    sum_of_both = by_becalm(under, two_depots=True) + by_becalm(vein, two_depots=True)
    assert both == pytest.approx(sum_of_both, rel=1e-12, abs=GONE)
    dose = sum(step.bolus + step.depot + step.rate * step.hours for step in steps)
    area = np.diff(both[:, 4], prepend=0.0)
    gone = sum(step.elimination * a for step, a in zip(steps, area, strict=True))
    assert both[-1, :4].sum() + gone == pytest.approx(dose, rel=1e-12)


@given(st.lists(st.floats(-30, 2), min_size=1, max_size=6), st.randoms())
@settings(max_examples=100)
def test_points_in_any_order_have_one_difference(points: list[float], random: Any) -> None:
    mixed = list(points)
    random.shuffle(mixed)
    assert exp_difference(*mixed) == exp_difference(*points)
    assert exp_difference(*points) > 0
