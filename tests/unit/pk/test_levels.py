"""Levels: which can be used, which contradict the model, what is refused, and what comes next."""

from __future__ import annotations

from math import inf, nan
from typing import Any, Final

import numpy as np
import pytest

import becalm as bc
from becalm.core.errors import DefinitionError, UsageError
from becalm.pk import NOT_ADVICE, update
from becalm.pk.covariates import CovariateCourse
from becalm.pk.levels import contradictions, normal
from becalm.pk.levels.course import (
    DOSES_MISSING,
    DURING_A_DOSE,
    NO_DOSE_YET,
    ROSE_WITHOUT_A_DOSE,
    UNKNOWN_AMOUNT,
    PkDose,
    PkLevel,
    TreatmentCourse,
)
from becalm.pk.levels.futures import GOES_ON, RECOVERS, STAYS, futures, rules, slope
from becalm.pk.levels.likelihood import LevelError
from becalm.pk.levels.posterior import Weighted
from becalm.pk.levels.scores import compared, scores
from becalm.pk.levels.walk import Deviations
from becalm.pk.loading import MODELS, load, parse

KIDNEY: Final = {"weight": 70, "creatinine_clearance": 60}
EVERY_12: Final = [(12.0 * n, 1000.0, 1.0) for n in range(6)]


def level(hours: float, low: float, high: float | None = None) -> PkLevel:
    return PkLevel(hours, low, low if high is None else high)


def refusals(doses: list[PkDose], *levels: PkLevel) -> list[str]:
    return TreatmentCourse(tuple(doses), levels, {}).refusals()


# ------------------------------------------------------------ which levels can be used


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        (0.0, NO_DOSE_YET),
        (0.01, DURING_A_DOSE),
        (0.99, DURING_A_DOSE),
        (1.0, ""),
        (11.9, ""),
        (12.0, ""),
        (12.1, DURING_A_DOSE),
    ],
)
def test_a_level_is_used_after_a_dose_and_not_while_it_runs(hours: float, why: str) -> None:
    doses = [PkDose(0, 1000, 1.0), PkDose(12, 1000, 1.0)]
    assert refusals(doses, level(hours, 10)) == [why]


def test_a_long_infusion_runs_beside_a_level() -> None:
    assert refusals([PkDose(0, 1000, 4.0)], level(2, 10)) == [DURING_A_DOSE]
    long = [PkDose(0, 1000, 4.01)]
    assert refusals(long, level(2, 10)) == [""]
    found = update("vancomycin", doses=[(0, 2000, 24.0)], levels=[(20, 15.0)], covariates=KIDNEY, draws=200)  # fmt: skip
    assert found.levels["reason"][0].startswith("a long infusion was running")


def test_a_measurable_level_before_the_first_dose_shows_that_doses_are_missing() -> None:
    doses = [PkDose(10, 1000, 1.0)]
    assert refusals(doses, level(5, 8), level(20, 15)) == [NO_DOSE_YET, DOSES_MISSING]
    assert refusals(doses, level(5, 0, 2), level(20, 15)) == [NO_DOSE_YET, ""]
    with pytest.raises(UsageError, match="doses that are not in the records"):
        update(
            "vancomycin", doses=[(10, 1000, 1)], levels=[(5, 8.0), (20, 15.0)], covariates=KIDNEY
        )


@pytest.mark.parametrize(("second", "why"), [(15.0, ""), (15.1, ROSE_WITHOUT_A_DOSE)])
def test_a_level_does_not_rise_without_a_dose(second: float, why: str) -> None:
    doses = [PkDose(0, 1000, 1.0)]
    assert refusals(doses, level(12, 10), level(36, second)) == ["", why]
    assert refusals([*doses, PkDose(24, 1000, 1.0)], level(12, 10), level(36, second)) == ["", ""]
    assert refusals(doses, level(1.5, 10), level(12, second)) == ["", ""]  # it may not have spread


def test_nothing_is_said_after_a_dose_of_unknown_amount() -> None:
    doses = [(0.0, 1000.0, 1.0), (24.0, nan, 1.0), (48.0, 1000.0, 1.0)]
    found = update("vancomycin", doses=doses, levels=[(20, 9.0), (24, 8.5), (40, 14.0)], covariates=KIDNEY, draws=200)  # fmt: skip
    # A dose at that very hour begins after the level.
    assert found.levels["reason"].tolist()[0] == ""
    assert found.levels["reason"].tolist()[2] == UNKNOWN_AMOUNT
    assert set(found.curves["future"]) == {"past"}
    assert found.curves["hours"].max() <= 24
    assert "looked at until" in found.updates["remarks"][0]


# ------------------------------------------------------------ contradictions


def test_a_level_from_the_line_is_flagged_and_not_used() -> None:
    found = update("vancomycin", doses=EVERY_12, levels=[(11.5, 9.0), (25.2, 300.0), (47.5, 16.0)], covariates=KIDNEY)  # fmt: skip
    assert found.levels["used"].tolist() == [True, False, True]
    assert found.levels["reason"][1] == contradictions.LINE
    assert found.levels["innovation"][1] > 3


def test_a_level_drawn_at_another_time_says_which_time_would_fit() -> None:
    """An hour after the infusion for one that is said to be a trough."""
    doses = [(24.0 * n, 2000.0, 1.0) for n in range(5)]
    stable = [(23.5, 13.0), (47.5, 18.0), (71.5, 20.0)]
    found = update("vancomycin", doses=doses, levels=[*stable, (95.5, 72.0)], covariates=KIDNEY)
    assert not found.levels["used"][3]
    assert "later: a wrong time, or the wrong patient" in found.levels["reason"][3]


def test_a_level_that_nothing_explains_may_be_another_patients() -> None:
    found = update("vancomycin", doses=EVERY_12, levels=[(11.5, 9.0), (35.5, 14.0), (71.9, 0.4)], covariates=KIDNEY)  # fmt: skip
    assert not found.levels["used"][2]
    assert found.levels["reason"][2] == contradictions.NOTHING


def test_two_that_contradict_on_the_same_side_are_used() -> None:
    asked: dict[str, Any] = {
        "doses": [(12.0 * n, 1000.0, 1.0) for n in range(10)],
        "covariates": KIDNEY,
    }
    found = update("vancomycin", levels=[(11.5, 9.0), (35.5, 14.0), (59.5, 95.0), (83.5, 110.0)], **asked)  # fmt: skip
    assert found.levels["used"].tolist() == [True, True, True, True]
    assert "does too: used" in found.levels["reason"][3]
    alone = update("vancomycin", levels=[(11.5, 9.0), (35.5, 14.0), (59.5, 95.0)], **asked)
    assert alone.levels["used"].tolist() == [True, True, False]
    kept = update(
        "vancomycin", levels=[(11.5, 9.0), (35.5, 14.0), (59.5, 95.0)], keep_all=True, **asked
    )
    assert kept.levels["used"].all()


# ------------------------------------------------------------ what is asked


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"levels": [(11.5, "14 mg/mL")]}, "level 1, column 4: the unit 'mg/mL' is not known"),
        ({"levels": [(11.5, "14 mL/min")]}, "level 1, column 4: the unit 'mL/min' is a unit of flow"),
        ({"levels": [(35.5, 14.0), (11.5, 9.0)]}, "level 2: times are out of order: 11.5 h stands after 35.5 h"),
        ({"levels": [(11.5, -1.0)]}, "level 1: a level of -1 to -1 mg/L"),
        ({"levels": [(11.5, nan)]}, "level 1: a level of nan"),
        ({"levels": [(nan, 5.0)]}, "level 1: a level has no time"),
        ({"levels": [(11.5, "<0")]}, "level 1: a level of <0 says nothing"),
        ({"doses": [(0, -5, 1)]}, "dose 1: a dose of -5 mg"),
        ({"doses": [(0, 0, 1)]}, "dose 1: a dose of 0 mg"),
        ({"doses": [(0, 100, -1)]}, "dose 1: a dose over -1 h"),
        ({"doses": [(12, 100, 1), (0, 100, 1)]}, "dose 2: times are out of order"),
        ({"doses": [(0, 100, 0, "sc")]}, "dose 1: the model does not know the route 'sc'"),
        ({"doses": []}, "no dose was given"),
        ({"doses": "15 mg/kg IV over 1 h"}, "doses: doses per kg"),
        ({"covariates": {"weight": 0, "creatinine_clearance": 60}}, "the covariate weight cannot be 0 kg"),
        ({"covariates": {"weight": 70}}, "vancomycin needs the covariate creatinine_clearance"),
        ({"draws": 99}, "99 draws"),
        ({"ahead": 0}, "0 h ahead"),
        ({"recovers_to": 0}, "a kidney cannot recover to 0 mL/min"),
        ({"then": "gentamicin 100 mg IV bolus"}, "'gentamicin' is not the drug of the model"),
        ({"then": "100 mg SC"}, "then: vancomycin does not know this route"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(change: dict[str, Any], said: str) -> None:
    asked: dict[str, Any] = {"doses": EVERY_12, "levels": [(11.5, 9.0)], "covariates": KIDNEY, "draws": 200}  # fmt: skip
    with pytest.raises(UsageError) as error:
        update("vancomycin", **asked | change)
    assert said in str(error.value)


def test_limits_are_intervals() -> None:
    """Below a limit pulls down, above one pulls up, and a level within both says little."""

    def clearance(*levels: tuple[float, float | str]) -> float:
        found = update("vancomycin", doses=EVERY_12, levels=levels, covariates=KIDNEY, draws=400)
        return float(found.updates["clearance_p50"][0])

    none = clearance()
    assert clearance((59.5, "<5")) > 1.2 * none
    assert clearance((59.5, ">40")) < 0.8 * none
    assert clearance((59.5, "<80 mg/L")) == pytest.approx(none, rel=0.05)
    assert clearance((59.5, "15000 ng/mL")) == pytest.approx(clearance((59.5, 15.0)))


def test_a_regimen_in_words_is_the_same_as_its_doses() -> None:
    words = update("vancomycin", doses="1000 mg IV over 1 h every 12 h", levels=[(35.5, 14.0)], covariates=KIDNEY, draws=200)  # fmt: skip
    numbers = update("vancomycin", doses=EVERY_12[:3], levels=[(35.5, 14.0)], covariates=KIDNEY, draws=200)  # fmt: skip
    assert words.updates["clearance_p50"][0] == numbers.updates["clearance_p50"][0]
    rate = update("anakinra", doses="100 mg IV bolus; 4 mg/h", levels=[(20, "0.9 mg/L")], covariates=KIDNEY, draws=200)  # fmt: skip
    assert len(rate.doses) == 2
    assert rate.notice == NOT_ADVICE
    assert NOT_ADVICE in repr(rate)


def test_a_dose_under_the_skin_updates_too() -> None:
    found = bc.pk.update("anakinra", doses=[(24.0 * n, 100.0, 0.0, "sc") for n in range(4)], levels=[(76, 0.5), (95, 0.1)], covariates=KIDNEY, then="100 mg SC daily", draws=300)  # fmt: skip
    assert found.levels["used"].all()
    last = [row for row in found.curves.rows() if row["future"] == "stays"]
    assert max(row["p50"] for row in last) > 0.2


@pytest.mark.parametrize("route", ["iv", "sc"])
def test_a_dose_at_the_last_moment_is_ahead(route: str) -> None:
    """Given at once at the hour of the last level: not in that level, and in all that follows."""
    doses = [(0.0, 100.0, 0.0, route), (24.0, 100.0, 0.0, route)]
    found = update("anakinra", doses=doses, levels=[(23.9, 0.05)], covariates=KIDNEY, draws=200)
    assert found.updates["hours"][0] == 24
    stays = [row["p50"] for row in found.curves.rows() if row["future"] == "stays"]
    assert max(stays) > 0.3


def test_what_is_given_next_counts_from_now() -> None:
    asked: dict[str, Any] = {"doses": EVERY_12, "levels": [(71.5, 18.0)], "covariates": KIDNEY, "draws": 300}  # fmt: skip
    nothing = update("vancomycin", **asked)
    more = update("vancomycin", then="1000 mg IV over 1 h every 12 h", **asked)
    first = {
        row["future"]: row for row in reversed(list(more.curves.rows())) if row["future"] != "past"
    }
    none = {
        row["future"]: row
        for row in reversed(list(nothing.curves.rows()))
        if row["future"] != "past"
    }
    assert {name: row["p50"] for name, row in first.items()} == {name: row["p50"] for name, row in none.items()}  # fmt: skip
    last = {row["future"]: row["p50"] for row in more.curves.rows()}
    assert last["stays"] > 2 * {row["future"]: row["p50"] for row in nothing.curves.rows()}["stays"]


# ------------------------------------------------------------ futures


def course(*pairs: tuple[float, float]) -> dict[str, CovariateCourse]:
    hours, values = np.array([h for h, _ in pairs]), np.array([v for _, v in pairs])
    return {
        "creatinine_clearance": CovariateCourse("creatinine_clearance", hours, values),
        "weight": CovariateCourse("weight", np.empty(0), np.array([70.0])),
    }


def test_three_futures_of_the_kidney() -> None:
    found = futures(course((0, 80.0), (24, 60.0), (48, 40.0)), 50.0, 96.0)
    ends = {name: float(each["creatinine_clearance"].values[-1]) for name, each in found.items()}
    assert ends[GOES_ON] < 20
    assert ends[STAYS] == 40
    assert ends[RECOVERS] == 80
    assert float(futures(course((0, 80.0), (24, 40.0)), 30.0, 96.0, 100.0)[RECOVERS]["creatinine_clearance"].values[-1]) == 100  # fmt: skip
    assert all(float(each["weight"].values[0]) == 70 for each in found.values())
    weight = {"weight": course((0, 1.0))["weight"]}
    assert list(futures(weight, 10.0, 24.0)) == [STAYS]


@pytest.mark.parametrize(
    ("apart", "known"), [(5.9, False), (6.0, True), (72.0, True), (72.1, False)]
)
def test_a_slope_needs_two_values_not_too_near_and_not_too_far(apart: float, known: bool) -> None:
    assert rules().slope_at_least_h == 6 and rules().slope_over_h == 72
    found = slope(course((0, 80.0), (apart, 79.0))["creatinine_clearance"], 100.0)
    assert (found != 0) == known


def test_a_slope_is_at_most_a_factor_of_two_in_a_day() -> None:
    falls = course((0, 80.0), (12, 5.0))["creatinine_clearance"]
    assert slope(falls, 12.0) * 24 == pytest.approx(-np.log(2))
    assert slope(falls, 11.0) == 0  # the second value is not known yet
    rises = futures(course((0, 60.0), (12, 120.0)), 12.0, 240.0)[GOES_ON]["creatinine_clearance"]
    assert rises.values[-1] == rules().highest_ml_min
    lowest = futures(course((0, 60.0), (12, 20.0)), 12.0, 240.0)[GOES_ON]["creatinine_clearance"]
    assert lowest.values[-1] == rules().lowest_ml_min
    below = futures(course((0, 9.0), (12, 3.0)), 12.0, 240.0)[GOES_ON]["creatinine_clearance"]
    assert below.values[-1] == 3.0


# ------------------------------------------------------------ parts


def test_the_walk_is_as_wide_as_the_model_says() -> None:
    of = Deviations.of(load("vancomycin"), 48.0, frozenset({"central_volume"}))
    assert (of.moving**2).sum(axis=1) == pytest.approx(
        [0.35**2 + 0.15**2 * n / 2 for n in range(4)]
    )
    fixed = Deviations.of(load("vancomycin"), 48.0, frozenset(), walks=False)
    assert (fixed.moving == 0.35).all()
    ahead = of.onward(40.0, 24.0)
    assert ahead.borders.tolist() == [8.0, 20.0]
    assert Deviations.of(load("canakinumab"), 48.0, frozenset()).size == 0


def test_a_score_is_that_of_its_definition() -> None:
    """CRPS = E|X - truth| - E|X - X'| / 2."""
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=60), rng.uniform(0.1, 1, 60)
    w /= w.sum()
    for truth in (-4.0, 0.1, 5.0):
        slow = w @ np.abs(x - truth) - 0.5 * (w[:, None] * w * np.abs(x[:, None] - x)).sum()
        assert Weighted(x, w).score(truth) == pytest.approx(slow)


def test_the_normal_distribution_is_scipys() -> None:
    from scipy.special import log_ndtr, ndtr

    x = np.array([-60.0, -36.0, -34.9, -8.0, -1.0, 0.0, 2.0, 9.0])
    assert normal.below(x) == pytest.approx(ndtr(x), rel=1e-12)
    assert normal.log_below(x) == pytest.approx(log_ndtr(x), rel=1e-6)


def test_the_error_of_a_level() -> None:
    error = LevelError(0.18, 1.0)
    assert error.spread(np.log(np.array([10.0]))) == pytest.approx(
        [np.sqrt(np.log1p(0.18**2 + 0.01))]
    )
    at = np.log(np.array([10.0, 20.0]))
    whole = np.exp(error.log_density(level(0, 0, inf), at))
    assert whole == pytest.approx([1.0, 1.0])
    parts = [np.exp(error.log_density(each, at)) for each in (level(0, 0, 12), level(0, 12, 15), level(0, 15, inf))]  # fmt: skip
    assert sum(parts) == pytest.approx([1.0, 1.0])
    with pytest.raises(UsageError, match="does not say how far a measured level lies"):
        LevelError.of(load("canakinumab"))


def test_scores_compare_the_same_levels() -> None:
    found = update("vancomycin", doses=EVERY_12, levels=[(11.5, 9.0), (35.5, 14.0), (59.5, "<40"), (71.5, 17.0)], covariates=KIDNEY, draws=300)  # fmt: skip
    rows = {row["method"]: row for row in found.scores.rows()}
    assert {row["levels"] for row in rows.values()} == {
        2
    }  # the first and the limit are not compared
    assert rows["walk"]["walk_ratio"] == 1
    assert np.isnan(rows["fixed"]["walk_ratio_low"])  # one person alone
    update_ = found.courses[0].update
    assert update_ is not None
    many = compared([(f"p{n}", update_.levels) for n in range(6)])
    by = {each.method: each for each in scores(many)}
    assert by["last"].persons == 6
    assert by["last"].low == pytest.approx(by["last"].walk_ratio)  # all persons alike
    assert scores([]) == []


def test_a_model_file_with_mistakes_in_what_moves_is_refused() -> None:
    text = (MODELS / "vancomycin.toml").read_text("utf-8")
    for old, new, said in (
        ("[walk.clearance]", "[walk.central_volume]", "'central_volume' cannot move"),
        ("value = 0.15", "value = 0", "lies above 0 and up to 1"),
        ("[assumption.infusion_rate]", "[assumption.infusion_rat]", "no assumption is called"),
        ('unit = "mg/h"', 'unit = "mg"', "is a unit of mass"),
        ('level = "vancomycin_level"', "level = 3", "needs a text in quotes"),
    ):
        assert old in text
        with pytest.raises(DefinitionError, match=said):
            parse(text.replace(old, new), "m.toml")
