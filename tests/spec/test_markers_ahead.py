"""The next value of a marker on open records: learned on one set, tested on another, by person."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy import stats as scipy_stats

import becalm as bc
from becalm.markers import (
    FEWEST,
    LEVELS,
    MarkerChanges,
    MarkerModel,
    MarkerToLearn,
    changes,
    fit,
    judged_on,
    learn,
    measured,
)
from becalm.timeline import Points
from tests.reference import markers as plain

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
SETS = {"wuhan-covid": "wuhan2020", "mimic-iv-demo": None}
MARKERS = [each.variable for each in measured().marker]
VALIDATED = ("ast", "alt", "ldh", "platelets", "creatinine")


@cache
def of_records(name: str) -> dict[str, MarkerChanges]:
    """Return the changes of every marker in a set of open records."""
    if not (DATA / name).is_dir():
        pytest.skip(f"{name} is not here")
    patients = bc.understand(bc.open_records(DATA / name, mapping=SETS[name]))
    found = {}
    for variable in MARKERS:
        ids, parts = 0, []
        for persons, points, _ in patients.values(variable).batches:
            parts.append((points.person + ids, points.taken, points.low, points.high))
            ids += len(persons)
        found[variable] = changes(Points.build(*map(np.concatenate, zip(*parts, strict=True))))
    return found


def marker(model: MarkerModel) -> MarkerToLearn:
    return MarkerToLearn(model.variable, model.unit, model.limit, model.side)


def shipped(variable: str) -> MarkerModel:
    return next(each for each in measured().marker if each.variable == variable)


@pytest.mark.parametrize("variable", MARKERS)
def test_what_ships_is_what_the_open_records_give(variable: str) -> None:
    """The file's numbers come from the records: nothing in it was written by hand."""
    model, records = shipped(variable), of_records("wuhan-covid")[variable]
    again = learn(marker(model), records, model.source)
    if again.form != model.form:  # it lost on the other set, so the last value is kept
        lost = judged_on(again, of_records("mimic-iv-demo")[variable], "")
        assert lost.score > lost.last_value
        assert model.form == "last"
        again = fit(marker(model), records, "last", model.source)
    for field in msgspec.structs.fields(model):
        was, now = getattr(model, field.name), getattr(again, field.name)
        if field.name in {"quantiles", "last_value_quantiles", "lag_spread"}:
            np.testing.assert_allclose(was, now, atol=1e-5)
        elif field.name in {"drift", "spread", "slope"}:
            assert was == pytest.approx(now, abs=1e-5)
        elif field.name not in {"tested", "carried_over"}:
            assert was == pytest.approx(now, abs=1e-5), field.name


@pytest.mark.parametrize("variable", VALIDATED)
def test_learned_on_one_set_it_is_no_worse_than_the_last_value_on_another(variable: str) -> None:
    """Learned on Wuhan's patients, tested on those of MIMIC; the quantiles come from other persons there."""
    model, others = shipped(variable), of_records("mimic-iv-demo")[variable]
    test = judged_on(model, others, "")
    assert test.pairs >= FEWEST
    assert test.score <= test.last_value
    exact = scipy_stats.binomtest(test.covered, test.intervals).proportion_ci(method="exact")
    assert exact.low <= 0.9 <= exact.high
    assert test.objection() == ""
    assert model.tested is not None
    assert (test.pairs, test.persons, test.covered) == (
        model.tested.pairs,
        model.tested.persons,
        model.tested.covered,
    )
    assert test.score == pytest.approx(model.tested.score, abs=1e-5)


def test_ast_is_better_than_the_last_value_by_the_promised_part() -> None:
    """At AST the score is at most 0.92 of that of the last value with its measured spread."""
    test = judged_on(shipped("ast"), of_records("mimic-iv-demo")["ast"], "")
    assert test.ratio <= 0.92
    assert test.ratio == pytest.approx(0.908, abs=0.001)


def test_the_other_way_round_the_gain_is_not_found() -> None:
    """What does not carry over is kept beside what does: Wuhan's patients gain 1 % at AST, not 8 %."""
    model = shipped("ast")
    learned = learn(marker(model), of_records("mimic-iv-demo")["ast"], "")
    test = judged_on(learned, of_records("wuhan-covid")["ast"], "")
    assert test.ratio == pytest.approx(0.988, abs=0.001)
    low, high = test.coverage
    assert low <= 0.9 <= high


def test_a_marker_with_fewer_than_thirty_pairs_is_not_shown() -> None:
    """Under 30 pairs of values a marker is neither learned nor shown: CRP on intensive care patients."""
    model = shipped("crp")
    test = judged_on(model, of_records("mimic-iv-demo")["crp"], "")
    assert test.pairs < FEWEST
    assert "fewer than 30" in test.objection()
    with pytest.raises(ValueError, match="5 pairs of values, fewer than 30"):
        learn(marker(model), of_records("mimic-iv-demo")["crp"], "")


def test_the_score_is_that_of_the_definition_computed_pair_by_pair() -> None:
    """Without calibration: each pair's distribution is written out, and its score integrated."""
    model, others = shipped("ast"), of_records("mimic-iv-demo")["ast"]
    exact = others.take(others.exact)
    some = exact.take(np.arange(0, len(exact), 10))
    scores, inside = [], []
    for at in range(len(some)):
        middle, spread = model.moved(some.low[at : at + 1], some.slope[at : at + 1], some.days[at : at + 1])  # fmt: skip
        sample = [float(middle[0] + spread[0] * z) for z in model.quantiles]
        scores.append(plain.crps(sample, float(some.next_low[at])))
        low, high = (sample[int(np.argmin(np.abs(LEVELS - level)))] for level in (0.05, 0.95))
        inside.append(low <= some.next_low[at] <= high)
    test = judged_on(model, some, "", calibrated=False)
    assert test.score == pytest.approx(float(np.mean(scores)), abs=1e-9)
    assert test.covered == sum(inside)
