"""Pairs of draws, CRPS and quantiles of markers, beside the plain definitions."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.markers import changes, crps, quantiles, shares, weighted
from becalm.timeline import Points
from tests.reference import markers as plain

HOUR = 3_600_000_000
DRAWS = st.dictionaries(st.integers(0, 400), st.floats(0.1, 1e4), max_size=25)
NUMBERS = st.lists(st.integers(-40, 40).map(lambda n: n / 8), min_size=1, max_size=40)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(DRAWS, min_size=1, max_size=4))
def test_pairs_and_slopes_are_those_of_the_plain_rules(persons: list[dict[int, float]]) -> None:
    rows = [(who, h, v) for who, draws in enumerate(persons) for h, v in sorted(draws.items())]
    who, hour, value = np.array(rows, np.float64).reshape(-1, 3).T
    found = changes(Points.build(who.astype(int), hour.astype(np.int64) * HOUR, value))
    expected = [
        (who, *pair, plain.slope(list(draws.items()), pair[0]))
        for who, draws in enumerate(persons)
        for pair in plain.pairs(list(draws.items()))
    ]
    assert found.person.tolist() == [each[0] for each in expected]
    assert (found.start // HOUR).tolist() == [each[1] for each in expected]
    assert (found.end // HOUR).tolist() == [each[2] for each in expected]
    np.testing.assert_allclose(found.slope, [each[3] for each in expected], atol=1e-12)
    for at, (person, start, end, _) in enumerate(expected):
        assert math.isclose(found.low[at], math.log(persons[person][int(start)]), abs_tol=1e-12)
        assert math.isclose(found.next_high[at], math.log(persons[person][int(end)]), abs_tol=1e-12)
    assert found.exact.all()


@settings(derandomize=True, deadline=None, max_examples=150)
@given(NUMBERS, st.floats(-9, 9), st.floats(0.1, 5), st.floats(-9, 9))
def test_crps_is_the_area_between_the_two_steps(
    z: list[float], middle: float, spread: float, value: float
) -> None:
    got = crps(np.array([middle]), np.array([spread]), np.sort(z), np.array([value]))[0]
    assert math.isclose(
        got, plain.crps([middle + spread * each for each in z], value), abs_tol=1e-9
    )


@settings(derandomize=True, deadline=None, max_examples=150)
@given(NUMBERS, st.sampled_from([0.01, 0.05, 0.25, 0.75, 0.95, 0.99]))
def test_quantiles_are_the_ranks_of_the_plain_rule(z: list[float], level: float) -> None:
    sample = np.array(z)
    got = quantiles(*weighted(sample, sample), np.array([level]))[0]
    assert got == plain.quantile(z, level)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(NUMBERS, st.lists(st.tuples(st.integers(-40, 40), st.integers(0, 30)), max_size=8))
def test_ranges_keep_their_weight_and_lie_where_they_may(
    z: list[float], ranges: list[tuple[int, int]]
) -> None:
    low = np.array([*z, *(least / 8 for least, _ in ranges)])
    high = np.array([*z, *((least + more) / 8 for least, more in ranges)])
    values, weights = weighted(low, high)
    assert math.isclose(weights.sum(), len(low), rel_tol=1e-9)
    for edge in values:  # never more below an edge than the ranges allow, never fewer
        below = weights[values <= edge].sum()
        assert (high <= edge).sum() - 1e-6 <= below <= (low <= edge).sum() + 1e-6
    least, most = shares(low, values, weights)
    assert ((least >= 0) & (most <= 1) & (least < most)).all()
