"""The marker chain: against a solver, at its ends, above its floor; and falls that no breakdown explains."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.cli import main
from becalm.core.errors import UsageError
from becalm.pk import NOT_ADVICE, MarkerCourses, falls_too_fast, load, marker_courses
from becalm.pk.loading import parse
from becalm.report import theme, turned_over
from tests.reference import turnover
from tests.spec.test_exposure import ONE_COMPARTMENT

ADULT = {"weight": 70, "creatinine_clearance": 100}
FASTEST = {"ferritin": 30.0, "crp": 19.0}


def courses(regimen: str = "4 mg/h", **more: Any) -> MarkerCourses:
    options = {"covariates": ADULT, "patients": 20, "hours": 72.0, **more}
    return marker_courses("anakinra", regimen, **options)


def typical(found: MarkerCourses, marker: str) -> dict[float, float]:
    return {row["hours"]: row["typical"] for row in found.frame.rows() if row["marker"] == marker}


@pytest.mark.parametrize(
    ("half_effect", "driven", "mediator"), [(0.25, 0.8, 6.0), (0.003, 1.0, 2.0), (5.0, 0.3, 40.0)]
)
def test_the_course_is_that_of_a_solver(half_effect: float, driven: float, mediator: float) -> None:
    """A peripheral compartment that exchanges nothing leaves one, whose concentration is known in closed form."""
    model = load("anakinra").replaced({"exchange": 1e-12})
    found = marker_courses(
        model,
        "4 mg/h",
        covariates=ADULT,
        hours=72,
        patients=1,
        values={"half_effect": half_effect, "driven": driven, "mediator_half_life": mediator},
    )
    hours = [float(hour) for hour in range(0, 73, 6)]
    for marker, half_life in (("ferritin", 30.0), ("crp", 19.0), ("ast", 17.0), ("alt", 42.0)):
        expected = turnover.marker(
            hours, rate=4, clearance=7.2, volume=5, half_effect=half_effect, driven=driven,
            mediator_half_life=mediator, half_life=half_life,
        )  # fmt: skip
        of = typical(found, marker)
        assert [of[hour] for hour in hours] == pytest.approx(expected, rel=2e-5)


def test_without_a_part_that_interleukin_1_drives_nothing_moves() -> None:
    found = courses(values={"driven": 0.0})
    assert {round(row["typical"], 12) for row in found.frame.rows()} == {1.0}
    assert {round(row["p05"], 12) for row in found.frame.rows()} == {1.0}


def test_no_course_lies_below_what_a_stop_of_production_leaves() -> None:
    found = courses("100 mg IV bolus; 100 mg/h", values={"driven": 1.0, "half_effect": 1e-6, "mediator_half_life": 1.0})  # fmt: skip
    for row in found.frame.rows():
        assert row["typical"] >= row["floor"] - 1e-12
        if row["marker"] == "ferritin":
            assert row["typical"] < row["floor"] * 1.06
            assert row["p05"] >= row["floor"] - 1e-12


def test_the_floor_of_ferritin_at_48_h_is_a_third() -> None:
    floor = next(row["floor"] for row in courses().frame.rows() if row["marker"] == "ferritin" and row["hours"] == 48)  # fmt: skip
    assert floor == pytest.approx(0.3299, abs=1e-4)


def test_draws_are_the_same_in_every_run_and_do_not_depend_on_how_many_follow() -> None:
    one, again, more = courses(), courses(), courses(patients=60)
    assert [*one.frame.rows()] == [*again.frame.rows()]
    assert typical(one, "crp") == typical(more, "crp")


def test_several_regimens_are_refused_because_no_dose_is_compared(tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text('[regimen.a]\nsteps = ["1 mg/h"]\n[regimen.b]\nsteps = ["2 mg/h"]\n')
    with pytest.raises(UsageError, match="one regimen at a time"):
        courses(str(file))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"values": {"half_efect": 1.0}}, "no 'half_efect'"),
        ({"values": {"driven": 1.01}}, "driven cannot be 1.01"),
        ({"values": {"driven": math.nan}}, "driven cannot be nan"),
        ({"values": {"mediator_half_life": 0.99}}, "cannot be 0.99"),
        ({"hours": 673.0}, "673 h cannot be simulated"),
        ({"hours": 0.0}, "0 h cannot be simulated"),
        ({"patients": 5001}, "5,001 virtual patients"),
        ({"observed": {"ferritine": "0 h: 1"}}, "'ferritine'"),
    ],
)
def test_what_cannot_be_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        courses(**more)


def test_the_bounds_themselves_are_accepted() -> None:
    courses(values={"driven": 1.0, "mediator_half_life": 1.0}, hours=1.0, patients=1)


def test_a_drug_without_a_chain_is_refused() -> None:
    with pytest.raises(UsageError, match="no chain of markers is kept for vancomycin"):
        marker_courses("vancomycin", "1 g IV over 1 h", covariates={"weight": 70, "creatinine_clearance": 90})  # fmt: skip
    with pytest.raises(UsageError, match="no chain of markers"):
        marker_courses(parse(ONE_COMPARTMENT, "own.toml"), "1 mg/h", covariates={})


def test_a_drug_that_is_not_given_into_a_vein_is_refused_there() -> None:
    with pytest.raises(UsageError, match="into a vein"):
        marker_courses("anakinra_urien_2013", "4 mg/h", covariates={"weight": 20})


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.floats(0.5, 200), st.floats(1, 1e6), st.floats(0.01, 1.5))
def test_a_fall_is_flagged_exactly_below_what_breakdown_leaves(
    hours: float, before: float, part: float
) -> None:
    text = f"0 h: {before:.12f}, {hours:.12f} h: {before * part:.12f}"
    found = falls_too_fast({"ferritin": text}, FASTEST)
    least = 2 ** (-hours / 30)
    if abs(part - least) > 1e-9:
        assert bool(found) == (part < least)


def test_the_earlier_value_that_says_most_is_named() -> None:
    found = falls_too_fast({"crp": "0 h: 100, 19 h: 300, 38 h: 149, 57 h: 75"}, FASTEST)
    assert [(fall.begin, fall.end) for fall in found] == [(19.0, 38.0)]
    assert falls_too_fast({"crp": "0 h: 100, 19 h: 300, 38 h: 150, 57 h: 75"}, FASTEST) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("12000", "a time and a value|needs a number|unit"),
        ("0 h: 12000, 0 h: 3000", "out of order"),
        ("48 h: 12000, 24 h: 3000", "out of order"),
        ("0 h: 0", "a value of 0 cannot be"),
        ("0 h: 12,000", "unit|number|time"),
        ("0 h: 12000 ng", "'ng' is not understood"),
        ("0 h: >15000", "needs a number"),
    ],
)
def test_an_observed_value_that_is_not_understood_is_refused_with_its_place(
    text: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        falls_too_fast({"ferritin": text}, FASTEST)


def test_the_command_prints_the_marks_and_writes_the_table(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(
        main,
        ["turnover", "anakinra", "--regimen", "4 mg/h", "--covariate", "weight=70", "--covariate",
         "creatinine_clearance=90", "--patients", "20", "--hours", "48", "--observed",
         "ferritin=0 h: 12000, 48 h: 3000", "--out", str(out)],
        catch_exceptions=False,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.output.count(NOT_ADVICE) == 2
    assert turned_over.NO_FORECAST in done.output
    assert "not verified in their source: half_effect" in done.output
    assert "FASTER THAN BREAKDOWN: ferritin 12000 at 0 h, 3000 at 48 h" in done.output
    assert "not validated at daily spacing" in done.output
    with duckdb.connect() as con:
        count = con.execute(f"SELECT count(*) FROM '{out}/tables/simulated_markers.parquet'")
        assert count.fetchall() == [(4 * 49,)]
    manifest = json.loads((out / "manifest.json").read_text())
    assert len(manifest["faster_than_breakdown"]) == 1


def test_the_figure_says_that_it_is_no_forecast() -> None:
    svg = theme.draw(turned_over.spec(courses(), "markers"))
    assert "A chain of assumptions, not a forecast" in svg
    assert "not a dosing recommendation" in svg
    assert all(marker in svg for marker in ("Ferritin", "CRP", "AST", "ALT"))
