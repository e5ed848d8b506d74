"""What so many persons or events can show: against scipy, published examples and evidence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from becalm.core import power


def by_scipy(n: int, other_n: int, share: float, other: float) -> float:
    """Add up the probability of each pair of counts in which scipy's Fisher test is below 0.05."""
    found = 0.0
    for a in range(n + 1):
        for b in range(other_n + 1):
            if reference.fisher_exact([[a, n - a], [b, other_n - b]])[1] < 0.05:
                found += reference.binom.pmf(a, n, share) * reference.binom.pmf(b, other_n, other)
    return found


@pytest.mark.parametrize(("arm", "shown"), [(5, 0.07), (20, 0.41), (50, 0.85)])
def test_eighty_against_fifty_per_cent(arm: int, shown: float) -> None:
    """The power by Fisher's exact test at 5, 20 and 50 patients an arm."""
    assert round(power.power_of_two_groups(arm, arm, 0.8, 0.5, 0.05), 2) == shown


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(1, 12), st.integers(1, 12), st.floats(0, 1), st.floats(0, 1))
def test_power_is_that_of_fishers_test(n: int, other_n: int, share: float, other: float) -> None:
    found = power.power_of_two_groups(n, other_n, share, other, 0.05)
    assert found == pytest.approx(by_scipy(n, other_n, share, other), abs=1e-9)


@pytest.mark.parametrize(("share", "other"), [(0.6, 0.5), (0.75, 0.68), (0.3, 0.25)])
def test_large_groups_have_about_the_exact_power(share: float, other: float) -> None:
    """Fisher's test is a little conservative, so the approximation is never far below it."""
    n = 400
    assert n * n == power.EXACT_UP_TO
    exact = power.power_of_two_groups(n, n, share, other, 0.05)
    about = power.power_of_two_groups(n + 1, n + 1, share, other, 0.05)
    assert exact <= about + 0.005
    assert about - exact < 0.05


def test_power_of_large_groups_is_the_published_formula() -> None:
    """60 against 50 %, 388 an arm, two-sided 5 %: 80 % (Fleiss, without correction for continuity)."""
    assert power._about(388, 388, 0.6, 0.5, 0.05) == pytest.approx(0.80, abs=0.005)


@pytest.mark.parametrize(("ratio", "events"), [(2, 72), (3, 30), (4, 20)])
def test_the_events_that_a_question_of_dose_needs(ratio: float, events: int) -> None:
    """The exact binomial test by scipy reaches 80 % with so many events, and with no fewer."""
    assert power.events_needed(ratio, 0.05, 0.8) == events
    assert power.events_needed(1 / ratio, 0.05, 0.8) == events

    def seen(n: int) -> float:
        share = ratio / (1 + ratio)
        return sum(
            float(reference.binom.pmf(k, n, share))
            for k in range(n + 1)
            if reference.binomtest(k, n, 0.5).pvalue < 0.05
        )

    assert seen(events) >= 0.8
    assert all(seen(fewer) < 0.8 for fewer in range(1, events))


def test_three_events_can_never_show_a_ratio() -> None:
    """All three in one group have p = 0.25, whatever the true ratio is; six are the fewest."""
    assert power.fewest_events(0.05) == 6
    for events in range(1, 6):
        assert reference.binomtest(events, events, 0.5).pvalue >= 0.05
    assert reference.binomtest(6, 6, 0.5).pvalue < 0.05
    # 2 x 0.5 ^ 5 is 0.0625: at exactly that error five do not suffice, because p is not below it.
    assert power.fewest_events(0.0625) == 6
    assert power.fewest_events(0.0626) == 5


def test_equal_rates_are_never_told_apart() -> None:
    assert power.events_needed(1, 0.05, 0.8) is None
    assert power.events_needed(1.0001, 0.05, 0.8) is None


@pytest.mark.parametrize(("n", "other_n", "other"), [(5, 41, 28 / 41), (5, 5, 0.5), (0, 9, 0.5), (9, 0, 0.5)])  # fmt: skip
def test_a_handful_of_patients_sees_no_difference(n: int, other_n: int, other: float) -> None:
    """Not even a response of everybody would be told, with a probability of 80 %, from the others'."""
    assert power.smallest_share_seen(n, other_n, other, 0.05, 0.8) is None


@pytest.mark.parametrize(("n", "other_n", "other"), [(20, 20, 0.3), (50, 50, 0.5), (40, 41, 28 / 41), (900, 300, 0.5)])  # fmt: skip
def test_the_smallest_share_seen_has_the_power(n: int, other_n: int, other: float) -> None:
    found = power.smallest_share_seen(n, other_n, other, 0.05, 0.8)
    assert found is not None
    assert found > other
    assert power.power_of_two_groups(n, other_n, found, other, 0.05) >= 0.8
    assert power.power_of_two_groups(n, other_n, found - 0.001, other, 0.05) < 0.8


def test_the_power_is_how_often_a_simulated_study_sees_it() -> None:
    """Of 4,000 studies of 20 and 20 patients, the share in which scipy's test is below 0.05."""
    random = np.random.default_rng(5)
    pairs = np.stack([random.binomial(20, 0.9, 4000), random.binomial(20, 0.5, 4000)])
    seen = {
        pair: reference.fisher_exact([[pair[0], 20 - pair[0]], [pair[1], 20 - pair[1]]])[1] < 0.05
        for pair in set(map(tuple, pairs.T.tolist()))
    }
    share = np.mean([seen[pair] for pair in map(tuple, pairs.T.tolist())])
    exact = power.power_of_two_groups(20, 20, 0.9, 0.5, 0.05)
    assert share == pytest.approx(exact, abs=3 * math.sqrt(exact * (1 - exact) / 4000))
