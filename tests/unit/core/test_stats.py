"""Exact intervals against scipy, and the rules for a handful of patients."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from becalm.core import stats


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


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=20),
    st.lists(st.integers(0, 6), min_size=1, max_size=20),
)
def test_an_area_under_the_curve_is_the_mann_whitney_statistic(a: list[int], b: list[int]) -> None:
    u = reference.mannwhitneyu(a, b).statistic
    area = stats.auc([(x, x) for x in a], [(x, x) for x in b])
    assert area == pytest.approx((u / len(a) / len(b),) * 2)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.booleans()), min_size=2, max_size=8)
)
def test_an_area_of_limits_holds_every_area_of_values_within_them(
    rows: list[tuple[int, int, bool]],
) -> None:
    """Whatever the values really were, the area lies between the two that are given."""
    sides = {which: [(x, w) for x, w, side in rows if side == which] for which in (True, False)}
    found = stats.auc(*([(x, x + w) for x, w in sides[which]] for which in (True, False)))
    if found is None:
        assert not sides[True] or not sides[False]
        return
    for pick in ((0, 0), (0, 1), (1, 0), (1, 1)):
        exact = [
            [(x + end * w,) * 2 for x, w in sides[which]]
            for which, end in zip((True, False), pick, strict=True)
        ]
        area = stats.auc(*exact)
        assert area is not None
        assert found[0] <= area[0] <= found[1]
    assert stats.auc([(5, math.inf)], [(5, 5)]) == (0.5, 1.0)


def test_the_error_of_an_area_is_that_of_exponential_values() -> None:
    """For which the formula is exact: values four times as high have an area of 4/5."""
    random = np.random.default_rng(2)
    higher, lower = 12, 25
    areas = []
    for _ in range(6000):
        a, b = random.exponential(4, (higher, 1)), random.exponential(1, (1, lower))
        areas.append((a > b).mean())
    assert np.mean(areas) == pytest.approx(0.8, abs=0.004)
    assert stats.auc_error(0.8, higher, lower) == pytest.approx(np.std(areas), rel=0.03)


def test_the_interval_of_an_area_covers_what_it_says() -> None:
    """Also where the two groups do not overlap at all: an area of 1 in ten and twenty is no certainty."""
    low, high = stats.auc_interval(1.0, 10, 20)
    assert high == 1
    assert 0.8 < low < 0.95
    assert stats.auc_interval(0.0, 20, 10) == pytest.approx((1 - high, 1 - low))
    random = np.random.default_rng(1)
    covered, apart = 0, 1.2
    truth = float(reference.norm.cdf(apart / math.sqrt(2)))
    for _ in range(600):
        a, b = random.normal(apart, 1, 12), random.normal(0, 1, 25)
        area = stats.auc([(x, x) for x in a], [(x, x) for x in b])
        assert area is not None
        low, high = stats.auc_interval(area[0], 12, 25)
        covered += low <= truth <= high
    assert 0.93 <= covered / 600 <= 0.98


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


PUBLISHED_KAPPAS = [
    # Two dermatologists, 88 patients: SAS/STAT User's Guide, The FREQ Procedure, Agreement Study (SkinCondition)
    ([[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]], 0.3449, (0.2030, 0.4868)),
    # Two raters, 100 persons in three classes: Fleiss, Statistical Methods for Rates and Proportions, 1981, p. 213
    ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.6765, (0.5046, 0.8484)),
]


@pytest.mark.parametrize(("table", "kappa", "ends"), PUBLISHED_KAPPAS)
def test_kappa_and_its_interval_are_those_of_published_examples(
    table: list[list[int]], kappa: float, ends: tuple[float, float]
) -> None:
    value, interval = stats.cohen_kappa(table)
    assert value == pytest.approx(kappa, abs=5e-5)
    assert interval == pytest.approx(ends, abs=5e-5)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 12), min_size=9, max_size=9))
def test_kappa_of_any_table_is_that_of_statsmodels(cells: list[int]) -> None:
    """Where it has a meaning: neither of the two gave everybody the same answer."""
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.array(cells).reshape(3, 3)
    value, interval = stats.cohen_kappa(table)
    several = (table.sum(axis=0) > 0).sum() > 1 and (table.sum(axis=1) > 0).sum() > 1
    assert (value is not None) == several
    if interval is None or value is None:
        return
    expected = cohens_kappa(table)
    assert value == pytest.approx(expected.kappa)
    ends = max(-1.0, expected.kappa_low), min(1.0, expected.kappa_upp)
    assert interval == pytest.approx(ends)
