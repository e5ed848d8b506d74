"""Kidneys and weights side by side, and what is left of a difference when parameters lie at the ends of their ranges."""

from __future__ import annotations

from typing import Any

import pytest

from becalm.core.errors import UsageError
from becalm.pk import read_across, simulate

KIDNEYS = {
    "normal": 120,
    "none": 0,
    "failing": "120, 24 h: 60, 36 h: 10",
    "recovering": [(0, 10), (24, 90)],
}
ASKED: dict[str, Any] = {"hours": 48, "patients": 20}


def level(rows: list[dict[str, Any]], measure: str, **place: str) -> float:
    return float(next(row["p50"] for row in rows if row["measure"] == measure and all(row[key] == value for key, value in place.items())))  # fmt: skip


def test_every_combination_is_simulated_in_the_same_patients() -> None:
    across: dict[str, Any] = {"creatinine_clearance": KIDNEYS, "weight": [50, 100]}
    found = simulate(
        "anakinra", ["4 mg/h", "100 mg SC daily"], covariates={}, across=across, **ASKED
    )
    rows = list(found.grid.rows())
    places = {(row["row"], row["column"], row["regimen"]) for row in rows}
    assert len(places) == 4 * 2 * 2
    for kidney, weight in (("failing", 100), ("normal", 50)):
        alone = simulate(
            "anakinra", ["4 mg/h", "100 mg SC daily"],
            covariates={"weight": weight, "creatinine_clearance": KIDNEYS[kidney]}, **ASKED,  # type: ignore[dict-item]
        )  # fmt: skip
        expected = {(row["regimen"], row["measure"]): row["p50"] for row in alone.exposure.rows()}
        for row in rows:
            if (row["row"], row["column"]) == (kidney, f"{weight:g}"):
                assert row["p50"] == expected[row["regimen"], row["measure"]]
    average = [level(rows, "average", row=kidney, column="50", regimen="regimen 1") for kidney in ("normal", "failing", "none")]  # fmt: skip
    assert average == sorted(average)
    assert found.settings["across"]["creatinine_clearance"]["recovering"] == "0 h: 10, 24 h: 90"
    assert found.settings["covariates"]["creatinine_clearance"] == "120 mL/min"


def test_accumulation_is_what_falling_clearance_does_to_the_average() -> None:
    across: dict[str, Any] = {"creatinine_clearance": KIDNEYS}
    found = simulate("anakinra", "4 mg/h", covariates={"weight": 70}, across=across, **ASKED)
    rows = list(found.grid.rows())
    by = {kidney: level(rows, "accumulation", row=kidney) for kidney in KIDNEYS}
    assert by["recovering"] < 1 < by["normal"] < by["failing"]
    assert {row["column"] for row in rows} == {""}
    short = simulate("anakinra", "4 mg/h", covariates={"weight": 70, "creatinine_clearance": 9}, hours=47, patients=2)  # fmt: skip
    assert not any(row["measure"] == "accumulation" for row in short.exposure.rows())


def test_a_difference_is_shown_at_both_ends_of_each_range() -> None:
    """By vein nothing depends on the bioavailability, so the ratio of the averages moves as it does: 0.80 to 0.95."""
    adult: dict[str, Any] = {"weight": 70, "creatinine_clearance": 100}
    found = simulate(
        "anakinra", ["4 mg/h", "100 mg SC daily"], covariates=adult, ends=True, **ASKED
    )
    rows = [row for row in found.ends.rows() if row["parameter"] == "bioavailability" and row["measure"] == "average_ratio"]  # fmt: skip
    assert [(row["end"], row["value"], row["unit"]) for row in rows] == [("lowest", 80, "%"), ("highest", 95, "%")]  # fmt: skip
    assert rows[1]["p50"] / rows[0]["p50"] == pytest.approx(95 / 80, rel=1e-9)
    assert not len(simulate("anakinra", "4 mg/h", covariates=adult, **ASKED).ends)


def test_alternatives_in_words() -> None:
    name, found = read_across("creatinine_clearance = 120 | failing = 120, 24 h: 30 mL/min | 0")
    assert name == "creatinine_clearance"
    assert found == {"120": "120", "failing": "120, 24 h: 30 mL/min", "0": "0"}


@pytest.mark.parametrize(
    ("text", "told"),
    [("weight", "not understood"), ("weight = ", "not understood"), ("weight = 50 | | 70", "empty alternative"), ("weight = 50 | 50", "gives '50' twice"), ("weight = a = ", "empty alternative")],
)  # fmt: skip
def test_alternatives_that_are_not_understood(text: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        read_across(text)
    assert told in error.value.line()


@pytest.mark.parametrize(
    ("across", "told"),
    [
        ({"weight": [50]}, "the covariate weight is given by itself, and with alternatives"),
        ({"age": [1], "effluent_flow": [0], "haemodialysis": [0]}, "3 covariates with 1 combinations"),
        ({"creatinine_clearance": list(range(101))}, "1 covariates with 101 combinations"),
        ({"creatinine_clearance": []}, "1 covariates with 0 combinations"),
        ({"creatinine": [90]}, "no covariate 'creatinine'"),
        ({"creatinine_clearance": [90, -1]}, "cannot be -1"),
    ],
)  # fmt: skip
def test_alternatives_that_cannot_be(across: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        simulate("anakinra", "4 mg/h", covariates={"weight": 70}, across=across, **ASKED)
    assert told in error.value.line()
