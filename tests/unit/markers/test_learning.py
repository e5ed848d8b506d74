"""Learning how a marker changes: it finds what was planted, and nothing where nothing was."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from becalm.core.errors import UsageError
from becalm.markers import (
    MarkerTest,
    MarkerToLearn,
    changes,
    how_usual,
    in_use,
    judged_on,
    last_values,
    learn,
    measured,
    next_values,
)
from becalm.timeline import Points

HOUR = 3_600_000_000
AST = MarkerToLearn("ast", "U/L", 40)


def walk(persons: int, days: int, pull: float = 0.0, seed: int = 1, spread: float = 0.3) -> Points:
    """Return daily values that wander, drawn back to the limit by a part of their height in a day."""
    rng = np.random.default_rng(seed)
    logs = [np.log(40) + np.abs(rng.normal(0, 1.5, persons))]
    for _ in range(days - 1):
        height = np.maximum(logs[-1] - np.log(40), 0)
        logs.append(logs[-1] - pull * height + rng.normal(0, spread, persons))
    person = np.repeat(np.arange(persons), days)
    time = np.tile(np.arange(days) * 24 * HOUR, persons)
    return Points.build(person, time, np.exp(np.array(logs).T.ravel()))


def test_what_was_planted_is_found_and_helps_on_other_persons() -> None:
    found = learn(AST, changes(walk(60, 8, pull=0.3)), "planted")
    assert "height" in found.form
    day = 1 - np.exp(-1)
    assert found.pull * day == pytest.approx(-0.3, abs=0.08)
    test = judged_on(found, changes(walk(60, 8, pull=0.3, seed=2)), "others")
    assert test.ratio < 0.97
    assert test.objection() == ""


def test_where_nothing_was_planted_the_last_value_is_kept() -> None:
    found = learn(AST, changes(walk(60, 8)), "nothing planted")
    assert found.form == "last"
    test = judged_on(found, changes(walk(60, 8, seed=2)), "others")
    assert test.ratio == 1


@pytest.mark.parametrize(("pairs", "shown"), [(29, False), (30, True)])
def test_thirty_pairs_are_needed(pairs: int, shown: bool) -> None:
    few = changes(walk(pairs, 2))
    assert len(few) == pairs
    if shown:
        assert learn(AST, few, "few").pairs == 30
    else:
        with pytest.raises(ValueError, match="29 pairs of values, fewer than 30"):
            learn(AST, few, "few")


def result(**more: float) -> MarkerTest:
    usual = {"pairs": 100, "persons": 20, "score": 1.0, "last_value": 1.0, "covered": 90, "intervals": 100}  # fmt: skip
    return msgspec.convert({"source": "", **usual, **more}, MarkerTest)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (result(), ""),
        (result(score=1.0001), "loses to the last value"),
        (result(pairs=30), ""),
        (result(pairs=29), "fewer than 30"),
        (result(covered=84), ""),  # exact interval 75.3 to 90.6 %
        (result(covered=83), "contradicts 90 %"),
        (result(covered=95), ""),
        (result(covered=96), "contradicts 90 %"),
    ],
)
def test_what_speaks_against_showing_a_marker(test: MarkerTest, said: str) -> None:
    assert said in test.objection()
    assert bool(test.objection()) == bool(said)


def test_own_records_hold_the_coverage_that_a_shipped_spread_would_not() -> None:
    """Changes ten times as large as the shipped ones: the own spread covers them, the shipped one does not."""
    model = next(each for each in measured().marker if each.variable == "creatinine")
    wild = changes(walk(50, 6, spread=1.0))
    carried = judged_on(model, wild, "", calibrated=False)
    assert "contradicts" in carried.objection()
    use = in_use(model, wild, "own")
    assert use.shown
    assert use.test is not None
    assert use.test.covered / use.test.intervals == pytest.approx(0.9, abs=0.05)


def test_own_changes_of_a_person_are_never_what_the_person_is_compared_with() -> None:
    """One person's values jump by a factor of a million; nobody else's distribution contains it for that person."""
    points = walk(50, 6)
    odd = np.where(points.person == 7, 10.0 ** (6 * (points.time // (24 * HOUR) % 2)), points.low)
    points = Points.build(points.person, points.time, odd)
    model = next(each for each in measured().marker if each.variable == "ldh")
    use = in_use(model, changes(points), "own")
    last = last_values(points)
    low, high = next_values(use, last, 24, np.array([0.01, 0.99]))
    at = last.person.tolist().index(7)
    assert high[at, 1] / low[at, 0] < 1e3


def test_a_fall_like_none_before_is_surprising_and_a_rise_is_not() -> None:
    points = walk(50, 6)
    use = in_use(measured().marker[1], changes(points), "own")
    assert use.shown
    fallen = Points.build([900, 900, 901, 901], [0, 24 * HOUR] * 2, [400, 4, 400, 4000])
    least, most = how_usual(use, changes(fallen))
    assert (least[0], most[0]) == (0, pytest.approx(1 / 251))
    assert least[1] > 0.99


def test_a_value_below_a_limit_of_the_assay_gives_a_range() -> None:
    points = Points.build([1, 2, 3], [0, 0, 0], [5, 0, 30], [5, 5, np.inf])
    model = next(each for each in measured().marker if each.variable == "ldh")
    use = in_use(model, changes(points), "own")
    low, high = next_values(use, last_values(points), 24, np.array([0.05, 0.5, 0.95]))
    assert (low[0] == high[0]).all()
    assert (low[1] == 0).all()
    np.testing.assert_allclose(high[1], high[0])
    assert np.isinf(high[2]).all()
    assert (low[2] > low[0]).all()


def test_a_range_counts_for_coverage_where_it_is_certain() -> None:
    model = next(each for each in measured().marker if each.variable == "ldh")
    certain, outside, open_ = (100, 101), (0, 1), (100, 1e9)
    for (low, high), counted in ((certain, (1, 1)), (outside, (0, 1)), (open_, (0, 0))):
        points = Points.build([1, 1], [0, 24 * HOUR], [100, low], [100, high])
        test = judged_on(model, changes(points), "", calibrated=False)
        assert (test.covered, test.intervals, test.pairs) == (*counted, 0)


@pytest.mark.parametrize(("hours", "measured_"), [(17.9, False), (18, True), (84, True), (84.1, False)])  # fmt: skip
def test_only_times_that_were_measured_are_said(hours: float, measured_: bool) -> None:
    points = Points.build([1], [0], [5])
    use = in_use(measured().marker[3], changes(points), "own")
    if measured_:
        next_values(use, last_values(points), hours, np.array([0.5]))
    else:
        with pytest.raises(UsageError, match="was not measured"):
            next_values(use, last_values(points), hours, np.array([0.5]))


@pytest.mark.parametrize(("minutes", "pair"), [(18 * 60 - 1, False), (18 * 60, True), (84 * 60, True), (84 * 60 + 1, False)])  # fmt: skip
def test_draws_are_a_pair_18_to_84_hours_apart(minutes: int, pair: bool) -> None:
    found = changes(Points.build([1, 1], [0, minutes * HOUR // 60], [5, 6]))
    assert len(found) == pair


@pytest.mark.parametrize(("minutes", "known"), [(12 * 60 - 1, False), (12 * 60, True), (96 * 60, True), (96 * 60 + 1, False)])  # fmt: skip
def test_a_direction_needs_a_value_12_to_96_hours_before(minutes: int, known: bool) -> None:
    found = last_values(Points.build([1, 1], [0, minutes * HOUR // 60], [5, 6]))
    assert np.isfinite(found.slope[0]) == known


def test_a_value_of_zero_has_no_change() -> None:
    assert len(changes(Points.build([1, 1], [0, 24 * HOUR], [0, 6]))) == 0


def test_ferritin_is_said_to_be_not_validated() -> None:
    assert "not validated at daily spacing" in measured().not_validated["ferritin"]
    assert "ferritin" not in [each.variable for each in measured().marker]


@pytest.mark.parametrize(("persons", "own"), [(9, False), (10, True)])
def test_ten_persons_are_needed_to_stand_for_others(persons: int, own: bool) -> None:
    """Nine persons with ninety pairs are nine patients; the file's quantiles are used, and it is said."""
    use = in_use(measured().marker[1], changes(walk(persons, 11)), "own")
    assert (use.everybody is not None) == own


@pytest.mark.parametrize(("persons", "own"), [(37, False), (38, True)])
def test_thirty_pairs_of_other_persons_are_needed(persons: int, own: bool) -> None:
    """One pair a person; the largest fold that is left out has eight persons."""
    use = in_use(measured().marker[1], changes(walk(persons, 2)), "own")
    assert (use.everybody is not None) == own


def test_a_model_that_loses_on_the_own_records_gives_way_to_the_last_value() -> None:
    """AST that keeps on rising away from the limit, where the shipped model draws it back."""
    model = next(each for each in measured().marker if each.variable == "ast")
    assert model.form == "direction, height"
    use = in_use(model, changes(walk(60, 8, pull=-0.3, spread=0.1)), "own")
    assert use.model.form == "last"
    assert use.shown
    assert use.test is not None
    assert use.test.ratio == 1


def test_a_slope_that_goes_on_is_found() -> None:
    """Each person has an own slope, half of which is left after each day."""
    rng = np.random.default_rng(4)
    logs, step = [np.full(120, np.log(20.0))], rng.normal(0, 0.5, 120)
    for _ in range(6):
        logs.append(logs[-1] + step + rng.normal(0, 0.05, 120))
        step = step * 0.7 + rng.normal(0, 0.1, 120)
    time = np.tile(np.arange(7) * 24 * HOUR, 120)
    points = Points.build(np.repeat(np.arange(120), 7), time, np.exp(np.array(logs).T.ravel()))
    found = learn(MarkerToLearn("ast", "U/L", 1e6), changes(points), "planted")
    assert "slope" in found.form
    day = 1 - np.exp(-1)
    assert found.slope["rising"] * day == pytest.approx(0.7, abs=0.15)
    assert found.slope["falling"] * day == pytest.approx(0.7, abs=0.15)
