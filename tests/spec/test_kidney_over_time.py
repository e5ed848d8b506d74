"""The stage of kidney injury at every moment: of each arm, and the worst of all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.records import Row, at, condition, lab, measured, procedure
from tests.spec.test_cell_lines import STORM
from tests.spec.test_kidney_course import BEFORE, KG, kidney, labs, ml

TABLE = "kidney_over_time"


def stages(*rows: Row) -> list[dict[str, Any]]:
    return kidney(*rows, only=TABLE)


def moment(rows: list[dict[str, Any]], hour: float) -> dict[str, Any]:
    [row] = known_at(rows, hour)
    return row


def known_at(rows: list[dict[str, Any]], hour: float) -> list[dict[str, Any]]:
    return [row for row in rows if row["stage_from"] <= at(hour) < row["stage_until"]]


def test_the_worst_of_the_arms_that_are_known_counts() -> None:
    """Urine low for 6 h at hour 8 is stage 1 while creatinine stays at 0; doubled at hour 24 it is stage 2."""
    rows = stages(*BEFORE, *labs((24, 2.0)), ml(2, 300), ml(8, 100), lab("weight", KG, -1, "kg"))
    before, urine, both = (moment(rows, hour) for hour in (7, 9, 25))
    arms = ("worst_stage", "stage_by_creatinine", "stage_by_urine")
    assert [before[name] for name in arms] == [0, 0, -1]
    assert [urine[name] for name in arms] == [1, 0, 1]
    assert [both[name] for name in arms] == [2, 2, 1]
    assert urine["urine_row"].startswith("labs:")
    assert urine["creatinine_row"] != both["creatinine_row"]


def test_an_arm_ends_when_its_value_no_longer_holds() -> None:
    """A volume for 24 h, a creatinine for 48 h: afterwards the arm is empty, not 0."""
    rows = stages(*BEFORE, *labs((10, 2.0), (140, 1.0)), ml(2, 300), ml(8, 100), lab("weight", KG, -1, "kg"))  # fmt: skip
    assert moment(rows, 31)["stage_by_urine"] == 1
    assert moment(rows, 33)["stage_by_urine"] == -1
    assert moment(rows, 57)["worst_stage"] == 2
    assert not known_at(rows, 59)


def test_replacement_is_stage_3_and_ends_what_creatinine_said() -> None:
    """From its start; after it the value from before it no longer holds."""
    rows = stages(*BEFORE, *labs((24, 1.6)), procedure("haemodialysis", 30, 34))
    assert moment(rows, 29)["worst_stage"] == 1
    running = moment(rows, 31)
    assert (running["worst_stage"], running["on_replacement"]) == (3, True)
    assert running["stage_by_creatinine"] == -1
    assert running["replacement_row"].startswith("procedures:")
    assert not known_at(rows, 35)


def test_a_session_of_which_only_the_date_is_known_leaves_a_range() -> None:
    """On that day the stage may be 3 at every hour; nobody knows when."""
    dated = procedure("haemodialysis", 24, date_only=True)
    rows = stages(*BEFORE, *labs((20, 1.0)), dated)
    unsure = [row for row in rows if row["on_replacement"] is None]
    assert unsure
    assert {(row["worst_stage"], row["worst_stage_high"]) for row in unsure} == {(0, 3)}


def test_end_stage_kidney_disease_has_no_stage() -> None:
    """Neither by creatinine nor by dialysis."""
    assert (
        stages(
            *BEFORE,
            procedure("haemodialysis", 30, 34),
            condition(code="N18.6", system="ICD10CM", onset=-500),
        )
        == []
    )


def test_the_stage_at_the_last_moment_of_the_records_is_kept() -> None:
    """The last row of the records is the creatinine that shows the injury."""
    rows = measured("anakinra_mas", *STORM, *BEFORE, *labs((60, 1.0), (100, 3.1)), only=TABLE)
    last = rows[-1]
    assert (last["stage_from"], last["worst_stage"]) == (at(100), 3)
    assert last["stage_until"] == last["stage_from"]


@pytest.mark.parametrize("only", [TABLE, "kidney_stages"])
def test_it_says_the_same_as_the_stage_of_each_draw(only: str) -> None:
    """Drawn hours and their stages, from both tables."""
    drawn = ((2, 1.0), (20, 1.4), (44, 2.1), (90, 3.2), (160, 1.1))
    rows = kidney(*BEFORE, *labs(*drawn), only=only)
    if only == TABLE:
        found = [moment(rows, hour + 0.01)["stage_by_creatinine"] for hour, _ in drawn]
    else:
        by_time = {row["time"]: row["stage"] for row in rows}
        found = [by_time[at(hour)] for hour, _ in drawn]
    assert found == [0, 1, 2, 3, 0]
