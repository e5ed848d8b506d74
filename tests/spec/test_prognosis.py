"""Ferritin as a marker of death: baseline, peak and the fall by day 3, described and never a prediction.

Baseline is the last value of the 48 h before time zero, the peak the highest of the 72 h before it, day
3 the value nearest to 72 h between 54 and 84 h.
"""

import math
from typing import Any

import pytest

from becalm.measures.response import prognosis, small_fall
from tests.spec.patients import patients

Row = dict[str, Any]


def marked(values: str, **known: Any) -> Row:
    table = "hour | ferritin\n" + "\n".join(v.replace(" ", " | ", 1) for v in values.split("|"))
    given = patients(table if values else "", **known)
    [row] = prognosis(given.cohort, given.events, given.outcome_table(), given.protocol).rows()
    return row


def test_the_fall_is_the_share_of_the_baseline() -> None:
    """From 10,000 to 4,000 on day 3 is a fall of 60 %, from 10,000 to 12,000 a rise of 20 %."""
    fell, rose = marked("-4 10000|72 4000"), marked("-4 10000|72 12000")
    assert (fell["fall_day3"], fell["small_fall"]) == (0.6, False)
    assert (rose["fall_day3"], rose["small_fall"]) == (-0.2, True)
    assert fell["status"] == "measured"


@pytest.mark.parametrize(("day3", "small"), [(8501, True), (8500, False), (8499, False)])
def test_a_fall_of_less_than_15_percent_by_day_3_is_small(day3: int, small: bool) -> None:
    """In sepsis with features of MAS a fall of less than 15 % by day 3 went with a poor outcome (Kyriazopoulou 2017); exactly 15 % is not less."""
    assert marked(f"-4 10000|72 {day3}")["small_fall"] is small
    share, source = small_fall()
    assert share == 0.15
    assert "Kyriazopoulou 2017" in source


def test_the_peak_is_the_highest_before_time_zero_and_names_its_row() -> None:
    """12,000 at −60 h is the peak of 72 h, though the baseline is the 9,000 drawn last."""
    row = marked("-60 12000|-4 9000|72 3000")
    assert (row["baseline"], row["peak"], row["day3"]) == (9000, 12000, 3000)
    assert len(row["source_row"].split("|")) == 3


@pytest.mark.parametrize(
    ("values", "fall", "sign", "small"),
    [
        ("-4 >40000|72 15000", 0.625, "fall_day3>=", False),
        ("-4 >40000|72 38000", 0.05, "fall_day3>=", None),
        ("-4 10000|72 >15000", -0.5, "fall_day3<=", True),
        ("-4 >40000|72 >40000", math.nan, "", None),
    ],
)
def test_a_limit_stays_a_limit(values: str, fall: float, sign: str, small: bool | None) -> None:
    """A baseline printed as `>40,000` gives a fall of at least so much; whether it is small is known only where every possible value agrees."""
    row = marked(values)
    if math.isnan(fall):
        assert math.isnan(row["fall_day3"])
    else:
        assert row["fall_day3"] == pytest.approx(fall, abs=1e-6)
    assert (sign in row["censored"].split("|")) == bool(sign)
    assert row["small_fall"] is small


@pytest.mark.parametrize(
    ("values", "known", "status"),
    [
        ("-4 9000", {}, "no sample"),
        ("72 9000", {}, "no baseline"),
        ("-4 9000", {"death_time": 50}, "died before"),
        ("-4 9000", {"discharge": 60}, "discharged before"),
        ("", {}, "no sample"),
    ],
)
def test_why_there_is_no_fall_is_said(values: str, known: dict[str, float], status: str) -> None:
    """Who died before day 3 has no fall at all, neither a small one nor a large one."""
    row = marked(values, **known)
    assert row["status"] == status
    assert row["small_fall"] is None
    assert math.isnan(row["fall_day3"])


def test_who_died_is_what_the_outcome_says() -> None:
    """Died, survived, and not known are three states."""
    values = "-4 9000|72 3000"
    assert marked(values, death_time=200)["died"] is True
    assert marked(values, last_contact=300, last_contact_status="alive")["died"] is False
    assert marked(values, last_contact=300)["died"] is None
    assert marked(values)["died"] is None
