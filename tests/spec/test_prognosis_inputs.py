"""What published calculators ask for at time zero: the last value until then, with its age; no result."""

from __future__ import annotations

import math
from typing import Any

import pytest

from becalm import vocabulary
from tests.records import Row, finding, infusion, lab, measured
from tests.spec.edges import MINUTE, hours, read

STORM = (
    lab("ferritin", 20_000, -4), lab("triglycerides", 5, -4), lab("fibrinogen", 1.0, -4), lab("ast", 400, -4),
    lab("temperature", 39.8, -4), lab("wbc", 1.0, -4), lab("haemoglobin", 7, -4), infusion(0, 96),
)  # fmt: skip
"""A definite storm without any of the values that are asked for."""


def given(name: str, *rows: Row) -> dict[str, Any]:
    found = measured("anakinra_mas", *STORM, *rows, only="prognosis_inputs")
    return next(row for row in found if row["prognosis_input"] == name)


def test_each_input_has_a_row_also_where_nothing_was_measured() -> None:
    """Nothing measured is said, and is neither zero nor no; who asks for it stands beside it."""
    for each in read("measures/prognosis_inputs.toml")["input"]:
        row = given(each["name"])
        assert row["input_of"] == "|".join(each["asked_by"])
        if each["name"] != "age":
            assert row["input_state"] == "not measured"
            assert math.isnan(row["input_value"])
            assert math.isnan(row["input_age_h"])
            assert row["source_row"] == ""


def test_the_last_value_until_time_zero_with_its_age_and_row() -> None:
    """Drawn at time zero it counts, a minute later it does not."""
    earlier = lab("albumin", 2.5, -30)
    assert (row := given("albumin", earlier, lab("albumin", 1.9, 0)))["input_value"] == 1.9
    assert row["input_age_h"] == 0
    row = given("albumin", earlier, lab("albumin", 1.9, MINUTE))
    assert (row["input_value"], row["input_age_h"], row["input_limit"]) == (2.5, 30, "")
    assert row["unit"] == vocabulary.load().variable("albumin").unit
    assert row["source_row"] == "labs:9"  # after the head and the seven results of the storm


@pytest.mark.parametrize(("name", "value"), [("sil2r", 9000), ("albumin", 2.5), ("platelets", 30)])
def test_a_value_that_no_longer_counts_is_given_and_said_to_be_expired(
    name: str, value: float
) -> None:
    """It counts for as long as the vocabulary says, as in every definition; the end is not part of it."""
    valid = hours(str(vocabulary.load().variable(name).valid))
    for age, state in (
        (valid - MINUTE, "in force"),
        (valid, "expired"),
        (valid + MINUTE, "expired"),
    ):
        row = given(name, lab(name, value, -age))
        assert (row["input_state"], row["input_value"]) == (state, value)
        assert row["input_age_h"] == pytest.approx(age)


def test_a_limit_is_given_with_its_sign() -> None:
    """`>7500` of a laboratory is not 7,500."""
    row = given("sil2r", lab("sil2r", ">7500", -4))
    assert (row["input_value"], row["input_limit"]) == (7500, ">")


@pytest.mark.parametrize(("seen", "value"), [("yes", 1), ("no", 0)])
def test_haemophagocytosis_is_a_sign_that_was_looked_for(seen: str, value: int) -> None:
    """Seen, or looked for and not seen: 1 or 0. Not looked for is neither."""
    assert (
        given("haemophagocytosis", finding("haemophagocytosis", seen, -20))["input_value"] == value
    )


def test_age_is_that_of_the_cohort() -> None:
    """In completed years at time zero."""
    [person] = measured("anakinra_mas", *STORM, only="persons")
    row = given("age")
    assert (row["input_value"], row["unit"], row["input_state"]) == (
        person["age"],
        "completed years",
        "in force",
    )
