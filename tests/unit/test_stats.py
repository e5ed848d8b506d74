"""Exact intervals against scipy, and the rules for a handful of patients."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from becalm import stats


@pytest.mark.parametrize(
    ("events", "n", "low", "high"),
    [(0, 5, 0, 52.2), (1, 5, 0.5, 71.6), (2, 5, 5.3, 85.3), (3, 5, 14.7, 94.7), (4, 5, 28.4, 99.5),
     (5, 5, 47.8, 100)],
)  # fmt: skip
def test_five_patients_give_the_known_intervals(
    events: int, n: int, low: float, high: float
) -> None:
    found = stats.proportion(events, n)
    assert found is not None
    assert [round(100 * x, 1) for x in found] == [low, high]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(1, 400), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_proportion_is_clopper_pearson(n: int, share: float, level: float) -> None:
    events = round(share * n)
    exact = reference.binomtest(events, n).proportion_ci(level, method="exact")
    assert stats.proportion(events, n, level) == pytest.approx(
        (exact.low, exact.high), rel=1e-9, abs=1e-12
    )


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 3000), st.floats(0.1, 1e5))
def test_rate_is_garwood(events: int, exposure: float) -> None:
    low = reference.chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    high = reference.chi2.ppf(0.975, 2 * events + 2) / 2
    assert stats.rate(events, exposure) == pytest.approx(
        (low / exposure, high / exposure), rel=1e-8
    )


def test_nothing_observed_has_no_interval() -> None:
    assert stats.proportion(0, 0) is None
    assert stats.rate(0, 0.0) is None
    assert stats.rate(3, math.nan) is None
    assert stats.summary([math.nan]) is None


@pytest.mark.parametrize(("events", "n"), [(6, 5), (-1, 5)])
def test_more_events_than_persons_is_refused(events: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        stats.proportion(events, n)


def test_a_standard_deviation_needs_ten_values() -> None:
    nine, ten = stats.summary(range(9)), stats.summary(range(10))
    assert nine is not None
    assert nine.sd is None
    assert ten is not None
    assert ten.sd == pytest.approx(3.0276503540974917)
    assert stats.quartiles(range(9)) is None
    assert stats.quartiles(range(11)) == (2.5, 7.5)


def test_a_summary_is_of_the_known_values() -> None:
    found = stats.summary([64.0, math.nan, 38.0, 41.0, 39.0, 38.0])
    assert found is not None
    assert (found.n, found.median, found.minimum, found.maximum, found.mean) == (5, 39, 38, 64, 44)


def test_a_sign_test_of_five_pairs_cannot_reach_significance() -> None:
    assert stats.smallest_sign_p(5) == 0.0625
    assert (
        stats.smallest_sign_p(stats.TEST_FROM) < 0.05 < stats.smallest_sign_p(stats.TEST_FROM - 1)
    )
