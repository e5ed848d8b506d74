"""Propagation at its corners: steady state, equal rate constants, no clearance, bad numbers, many patients."""

import math

import numpy as np
import pytest

from becalm.pk import RateConstants, exp_difference, propagate
from becalm.pk.propagation import CENTRAL, DEPOT, FIRST_DEPOT, PERIPHERAL

ANAKINRA = RateConstants.of(8.4, 5.0, 3.5, 6.0, 0.6, 0.2)


def test_steady_state_is_rate_by_clearance() -> None:
    found = propagate(ANAKINRA, [5000.0], rate=[84.0])
    assert found.before[-1, CENTRAL] / 5.0 == pytest.approx(10.0, rel=1e-13)


def test_a_dose_is_clearance_times_the_area_under_its_curve() -> None:
    for given in ({"bolus": [100.0]}, {"depot": [100.0]}):
        found = propagate(ANAKINRA, [5000.0], two_depots=True, **given)
        assert 8.4 * found.area.sum() / 5.0 == pytest.approx(100.0, rel=1e-13)


def test_without_clearance_nothing_leaves() -> None:
    still = RateConstants.of(0.0, 5.0, 3.5, 6.0, 0.6, 0.2)
    found = propagate(still, [10.0, 1e4], rate=[3.0, 0.0], depot=[100.0, 0.0], two_depots=True)
    assert found.before[-1].sum() == pytest.approx(130.0, rel=1e-13)
    assert found.before[-1, CENTRAL] == pytest.approx(130.0 * 5 / 11, rel=1e-12)


def test_clearance_that_falls_to_zero_does_so_without_a_jump() -> None:
    def central(clearance: float) -> float:
        constants = RateConstants.of(clearance, 5.0, 3.5, 6.0)
        return float(propagate(constants, [10.0], rate=[3.0]).before[-1, CENTRAL])

    assert central(1e-14) == pytest.approx(central(0.0), rel=1e-13)


@pytest.mark.parametrize("apart", [0.0, 1e-15, 1e-12, 1e-9, 1e-6])
def test_equal_rates_of_absorption_and_elimination(apart: float) -> None:
    """With ka = k the curve is dose × k × t × exp(-k t)."""
    constants = RateConstants.of(1.0, 1.0, absorption=1.0 + apart)
    found = propagate(constants, [3.0], depot=[10.0])
    assert found.before[-1, CENTRAL] == pytest.approx(30 * math.exp(-3), rel=2e-15 + 2 * apart)


def test_three_equal_rates() -> None:
    """First depot, depot and elimination alike: dose × (k t)²/2 × exp(-k t)."""
    constants = RateConstants.of(0.5, 1.0, absorption=0.5, before=0.5)
    found = propagate(constants, [4.0], depot=[10.0], two_depots=True)
    assert found.before[-1, CENTRAL] == pytest.approx(20 * math.exp(-2), rel=2e-15)


def test_one_compartment_has_an_empty_second_one() -> None:
    found = propagate(RateConstants.of(2.0, 4.0), [3.0], bolus=[8.0])
    assert found.before[-1, CENTRAL] == pytest.approx(8 * math.exp(-1.5), rel=1e-15)
    assert found.before[-1, PERIPHERAL] == 0


def test_a_dose_is_there_after_its_moment_and_not_before() -> None:
    found = propagate(ANAKINRA, [1.0, 1.0], bolus=[0.0, 7.0], depot=[0.0, 9.0], two_depots=True)
    assert found.before[1, CENTRAL] == found.before[1, FIRST_DEPOT] == 0
    assert (found.after[1, CENTRAL], found.after[1, FIRST_DEPOT]) == (7, 9)
    assert found.after[1, DEPOT] == 0


def test_an_interval_of_no_length_changes_nothing() -> None:
    found = propagate(ANAKINRA, [5.0, 0.0], bolus=[10.0, 0.0], rate=[1.0, 99.0])
    assert found.before[2].tolist() == found.before[1].tolist()
    assert found.area[1] == 0


def test_many_patients_at_once_are_each_as_alone() -> None:
    clearance = np.array([[0.0, 1.0, 9.0], [8.0, 8.0, 0.5]])
    constants = RateConstants.of(clearance, 5.0, 3.5, 6.0, 0.6, 0.2)
    both = propagate(constants, [2.0, 3.0, 4.0], rate=[1.0, 0.0, 2.0], depot=[9.0], two_depots=True)
    for person in (0, 1):
        alone = RateConstants.of(clearance[person], 5.0, 3.5, 6.0, 0.6, 0.2)
        one = propagate(alone, [2.0, 3.0, 4.0], rate=[1.0, 0.0, 2.0], depot=[9.0], two_depots=True)
        assert both.before[person].tolist() == one.before.tolist()
        assert both.area[person].tolist() == one.area.tolist()


def test_going_on_from_what_is_there_is_the_same_as_one_run() -> None:
    whole = propagate(ANAKINRA, [2.0, 3.0], depot=[9.0, 0.0], rate=[1.0, 2.0], two_depots=True)
    first = propagate(ANAKINRA, [2.0], depot=[9.0], rate=[1.0], two_depots=True)
    rest = propagate(ANAKINRA, [3.0], rate=[2.0], start=first.before[-1], two_depots=True)
    assert rest.before[-1].tolist() == whole.before[-1].tolist()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"rate": [-1.0]}, "an infusion rate is below 0"),
        ({"bolus": [-1.0]}, "a bolus is below 0"),
        ({"depot": [float("nan")]}, "a dose under the skin is below 0 or no number"),
        ({"hours": [-1.0]}, "a length of time is below 0"),
        ({"rate": [float("inf")]}, "an infusion rate is below 0 or no number"),
    ],
)
def test_numbers_that_cannot_be(given: dict[str, list[float]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        propagate(ANAKINRA, **{"hours": [1.0], **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((-1.0, 5.0), "below 0"),
        ((1.0, 0.0), "volume"),
        ((1.0, 5.0, -1.0), "below 0"),
        ((1.0, 5.0, 1.0, 0.0), "volume"),
        ((float("nan"), 5.0), "below 0"),
    ],
)
def test_constants_that_cannot_be(given: tuple[float, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        RateConstants.of(*given)


def test_a_difference_of_equal_points_is_the_limit() -> None:
    assert float(exp_difference(-2.0, -2.0, -2.0)) == pytest.approx(math.exp(-2) / 2, rel=1e-15)
    assert float(exp_difference(0.0, -2.0)) == pytest.approx((1 - math.exp(-2)) / 2, rel=1e-15)
    for spread in (2.0 - 1e-9, 2.0, 2.0 + 1e-9):  # both sides of where the series ends
        direct = (1 - math.exp(-spread)) / spread
        assert float(exp_difference(0.0, -spread)) == pytest.approx(direct, rel=1e-15)
