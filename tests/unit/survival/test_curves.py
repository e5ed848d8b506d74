"""Curves of time to an event, against a statistics library."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from becalm.core import stats
from becalm.survival.curves import aalen_johansen, at_risk, enough, kaplan_meier, rules

PERSONS = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 2)), min_size=4, max_size=40)


@settings(max_examples=60)
@given(PERSONS)
def test_kaplan_meier_is_that_of_a_library(persons: list[tuple[int, int]]) -> None:
    """Estimate, error and number at risk at each event; ties and censoring at one time."""
    time = np.array([t for t, _ in persons], float)
    event = np.array([c > 0 for _, c in persons])
    ours = kaplan_meier(time, event)
    if not event.any():
        assert not len(ours.time)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = SurvfuncRight(time, event.astype(int))
    np.testing.assert_allclose(ours.time, theirs.surv_times)
    np.testing.assert_allclose(ours.estimate, theirs.surv_prob, atol=1e-12)
    np.testing.assert_array_equal(ours.at_risk, theirs.n_risk)
    alive = ours.estimate > 0
    np.testing.assert_allclose(
        ours.error[alive], np.asarray(theirs.surv_prob_se)[alive], atol=1e-12
    )


@settings(max_examples=60)
@given(PERSONS)
def test_aalen_johansen_is_that_of_a_library(persons: list[tuple[int, int]]) -> None:
    """The estimate of each cause at each of its events."""
    time = np.array([t for t, _ in persons], float)
    cause = np.array([c for _, c in persons])
    if not {1, 2} <= set(cause.tolist()):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = CumIncidenceRight(time, cause)
    for of in (1, 2):
        ours = aalen_johansen(time, cause, of)
        at = np.searchsorted(theirs.times, ours.time)
        np.testing.assert_allclose(ours.estimate, theirs.cinc[of - 1][at], atol=1e-12)
        assert (ours.low <= ours.estimate + 1e-12).all()
        assert (ours.high >= ours.estimate - 1e-12).all()


def test_both_causes_and_who_is_free_make_everybody() -> None:
    """The shares add up to one, whatever is censored."""
    rng = np.random.default_rng(3)
    time, cause = rng.integers(1, 30, 200).astype(float), rng.integers(0, 3, 200)
    first, second = (aalen_johansen(time, cause, of).at([29], 0.0)[0][0] for of in (1, 2))
    free = kaplan_meier(time, cause > 0).at([29], 1.0)[0][0]
    assert first + second + free == pytest.approx(1)


def test_without_censoring_it_is_a_proportion() -> None:
    """With the error of a proportion at the end."""
    time, cause = np.arange(1.0, 41), np.array([1, 2] * 20)
    curve = aalen_johansen(time, cause, 1)
    assert curve.estimate[-1] == pytest.approx(0.5)
    assert curve.error[-1] == pytest.approx(np.sqrt(0.25 / 40), rel=1e-9)


def test_intervals_cover_the_planted_share() -> None:
    """Death within 28 days with discharge competing, and half of the persons lost: 95 % of 400 intervals."""
    rng = np.random.default_rng(20)
    covered = 0
    truth = 0.01 / 0.06 * (1 - np.exp(-0.06 * 28))
    for _ in range(400):
        ends = rng.exponential([1 / 0.01, 1 / 0.05, 1 / 0.02], (150, 3))
        cause = np.where(ends.argmin(axis=1) == 2, 0, ends.argmin(axis=1) + 1)
        _, low, high = aalen_johansen(ends.min(axis=1), cause, 1).at([28], 0.0)
        covered += bool(low[0] <= truth <= high[0])
    ends_of = stats.proportion(covered, 400)
    assert ends_of is not None
    assert ends_of[1] >= 0.95


def test_who_is_at_risk_and_who_is_too_few() -> None:
    """A time that ends at a moment is still at risk just before it; below ten patients there is no curve."""
    assert at_risk([1, 2, 2, 5], [0, 1, 2, 3, 6]).tolist() == [4, 4, 3, 1, 0]
    least = rules().patients.fewest
    assert least == 10
    assert (enough(least), enough(least - 1)) == (True, False)


@pytest.mark.parametrize("time", [[1, np.nan], [1, -1]])
def test_a_time_that_cannot_be_is_refused(time: list[float]) -> None:
    """Missing or negative; and two lists of different persons."""
    with pytest.raises(ValueError, match="missing or negative"):
        kaplan_meier(time, [True, True])
    with pytest.raises(ValueError, match="not of the same persons"):
        kaplan_meier([1, 2, 3], [True, True])
