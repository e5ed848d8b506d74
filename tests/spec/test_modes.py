"""Continuous, intermittent, or nobody says: who enters a study of continuous infusions, and what is never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import becalm
from becalm import protocol as protocols
from becalm.doses import EpisodeRules, treatments
from becalm.protocol import Protocol
from tests.records import Row, chunk, condition, dose, infusion, lab, left, person, stay

CASES = Path(__file__).parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
MINUTE = 1 / 60
STORM = (condition("HLH", -1), lab("ferritin", 20000, -1), stay(-10, 400))
UNKNOWN = "anakinra: nobody says whether it was given continuously"
NOT_LONG = "no continuous intravenous anakinra for 6h"


def mode(*rows: Row) -> list[str]:
    rules = EpisodeRules.of(protocols.load("anakinra_mas"))
    found = treatments(chunk(person(weight_kg=60.0), *rows).doses, ["anakinra"], rules).episodes
    return [str(each) for each in found["mode"]]


def ran(folder: str) -> Any:
    return becalm.run(becalm.open_records(str(CASES / folder)), protocol="anakinra_mas").result


@needs_cases
def test_the_styles_of_hurried_charts_enter_only_where_somebody_says_continuous() -> None:
    """Of nineteen ways to write a dose four are continuous infusions, nine leave the mode open, six are none."""
    result = ran("doses-styles")
    entered = {str(person).partition("_")[0] for person in result.tables["persons"]["person_id"]}
    assert entered == set("HIPQ")
    step = {row["reason"]: row["step"] for row in result.tables["attrition"].rows()}
    left_at = {
        row["person_id"].partition("_")[0]: row["step"] for row in result.frames["left"].rows()
    }
    assert {one for one, at in left_at.items() if at == step[UNKNOWN]} == set("ABEGJKNOR")
    assert {one for one, at in left_at.items() if at == step[NOT_LONG]} == set("CDFLMS")


@needs_cases
def test_an_implausible_rate_enters_and_is_no_headline() -> None:
    """2,400 mg/h is a slip for 2,400 mg a day: no ceiling, no total and no day of it is printed."""
    result = ran("doses-styles")
    [row] = [r for r in result.tables["episodes"].rows() if r["person_id"] == "I_2400mgh_typo"]
    numbers = ("cumulative_mg", "peak_mg_day", "max_24h_mg", "peak_rate_mg_h")
    assert all(row[name] != row[name] for name in numbers)
    days = [r for r in result.tables["daily_dose"].rows() if r["person_id"] == "I_2400mgh_typo"]
    assert days
    assert all(r["mg"] != r["mg"] and r["peak_rate_mg_h"] != r["peak_rate_mg_h"] for r in days)
    [who] = [r for r in result.tables["persons"].rows() if r["person_id"] == "I_2400mgh_typo"]
    assert who["high_rate"] < 0


@needs_cases
def test_one_treatment_has_one_answer_or_is_called_ambiguous() -> None:
    """20 mg/day and 20 mg q24h are one treatment and failed; 20 mg from one date to another is ambiguous."""
    found = {r["person_id"]: r for r in ran("doses-range").tables["previous_therapy"].rows()}
    assert {who: row["refractory"] for who, row in found.items()} == {
        "iv_day": True,
        "iv_q24": True,
        "iv_range": None,
        "po_range": None,
        "blank_range": None,
    }
    assert found["iv_day"]["peak_equivalent"] == found["iv_q24"]["peak_equivalent"]
    remarks = ran("doses-range").tables["dose_remarks"].rows()
    assert {r["person_id"] for r in remarks if r["remark"].startswith("ambiguous")} == {
        "iv_range",
        "po_range",
        "blank_range",
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (dose("anakinra", 0, 48, rate="25 mg/h"), ""),
        (dose("anakinra", 0, 48, rate="0.5 mg/min"), ""),
        (dose("anakinra", 0, 48, rate="25 mg/h", route=""), ""),
        (dose("anakinra", 0, 48, rate="2400 mg/day", route="IV drip"), ""),
        (dose("anakinra", 0, 24, amount="2400 mg", route="IV continuous infusion"), ""),
        (dose("anakinra", 0, 24, amount="2400 mg", route="syringe pump"), ""),
        (dose("anakinra", 0, 24, route="IV infusion"), ""),
        (dose("anakinra", 0, 48, rate="2400 mg/day"), UNKNOWN),
        (dose("anakinra", 0, 48, rate="2400 mg/24h"), UNKNOWN),
        (dose("anakinra", 0, 48, rate="600 mg/6h"), UNKNOWN),
        (dose("anakinra", 0, 24, amount="2400 mg"), UNKNOWN),
        (dose("anakinra", 0, 24, amount="2400 mg", route=""), UNKNOWN),
        (dose("anakinra", 0, 24), UNKNOWN),
        (dose("anakinra", 0, 48, rate="25 furlongs/h"), UNKNOWN),
        (dose("anakinra", 0, 48, rate="25 mg/h", route="IV bolus"), UNKNOWN),
        (dose("anakinra", 0, 48, rate="400 mg/day", route="IV push"), UNKNOWN),
        (dose("anakinra", 0, 3, amount="100 mg"), NOT_LONG),
        (dose("anakinra", 0, amount="100 mg"), NOT_LONG),
        (dose("anakinra", 0, 48, amount="100 mg q6h"), NOT_LONG),
        (dose("anakinra", 0, 48, rate="25 mg/h", route="SC"), NOT_LONG),
        (dose("anakinra", 0, 48, rate="100 mg/day", route="SC"), NOT_LONG),
    ],
)
def test_who_enters_a_study_of_continuous_infusions(given: Row, reason: str) -> None:
    """An hourly rate, a pump or the word infusion is continuous; an amount per day or from when to when is not."""
    assert left("anakinra_mas", person(weight_kg=60.0), given, *STORM) == [reason]


def test_rows_that_touch_do_not_make_a_continuous_infusion() -> None:
    """Four amounts over six hours each, end to start: nobody says that they ran without a pause."""
    bags = [dose("anakinra", 6 * i, 6 * i + 6, amount="150 mg") for i in range(4)]
    assert left("anakinra_mas", person(), *bags, *STORM) == [UNKNOWN]
    assert mode(*bags, lab("crp", 5, 500)) == [""]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(3 - MINUTE, "intermittent IV"), (3, "intermittent IV"), (3 + MINUTE, "")],
)
def test_an_amount_over_at_most_three_hours_is_intermittent(hours: float, expected: str) -> None:
    """Over three hours is a planned dose; longer, nobody says how it ran."""
    assert mode(dose("anakinra", 0, hours, amount="100 mg")) == [expected]


@pytest.mark.parametrize(("gap", "episodes"), [(36, 1), (36 + MINUTE, 2)])
def test_episodes_of_unknown_mode_end_like_subcutaneous_ones(gap: float, episodes: int) -> None:
    """After 36 h without drug."""
    later = dose("anakinra", 12 + gap, 24 + gap, amount="100 mg")
    assert mode(dose("anakinra", 0, 12, amount="100 mg"), later) == [""] * episodes


def entering(**entry: str) -> Protocol:
    study = protocols.load("anakinra_mas")
    assert study.entry is not None
    return msgspec.structs.replace(study, entry=msgspec.structs.replace(study.entry, **entry))


def test_a_protocol_may_let_unknown_modes_enter() -> None:
    """Then an infusion of which nobody says how it ran counts as continuous."""
    given = dose("anakinra", 0, 48, rate="2400 mg/day")
    assert left(entering(unknown_mode="leaves"), person(), given, *STORM) == [UNKNOWN]
    assert left(entering(unknown_mode="enters"), person(), given, *STORM) == [""]


def test_a_certain_infusion_beside_an_uncertain_one_enters() -> None:
    """Whose pump ran at 25 mg/h enters, whatever else was charted."""
    given = (dose("anakinra", -24, -10, amount="400 mg"), infusion(0, 48, 25))
    assert left("anakinra_mas", person(), *given, *STORM) == [""]


@pytest.mark.parametrize(
    ("given", "ambiguous"),
    [
        (dose("dexamethasone", 0, 24, amount="20 mg"), False),
        (dose("dexamethasone", 0, 24 + MINUTE, amount="20 mg"), True),
        (dose("dexamethasone", 0, 72, amount="20 mg", route="PO"), True),
        (dose("dexamethasone", 0, 72, amount="20 mg", route=""), True),
        (dose("dexamethasone", 0, 72, amount="20 mg", route="IV infusion"), False),
        (dose("dexamethasone", 0, 72, rate="20 mg/day"), False),
        (dose("dexamethasone", 0, 72, amount="20 mg q24h"), False),
        (dose("dexamethasone", 0, amount="20 mg"), False),
    ],
)
def test_one_amount_over_days_may_be_the_total_or_that_of_each_day(
    given: Row, ambiguous: bool
) -> None:
    """Over more than 24 h, without a rate and without a word for infusion: how much was given is unknown."""
    doses = chunk(person(), given).doses
    assert bool(len(doses.unknown("dexamethasone"))) is ambiguous
    assert any("ambiguous" in flag for flag in doses.frame["flag"]) is ambiguous


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("IV", ""),
        ("IV drip", "continuous"),
        ("i.v. pump", "continuous"),
        ("continuous IV infusion", "continuous"),
        ("IV bolus", "intermittent"),
        ("IVPB", "intermittent"),
        ("short infusion IV", ""),
        ("", ""),
    ],
)
def test_a_route_may_say_how_a_drug_was_given(route: str, expected: str) -> None:
    """A route with words for both, such as a short infusion, says nothing."""
    assert becalm.vocabulary.load().mode_of_route(route) == expected
