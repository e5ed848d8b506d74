"""The checks of a model against published numbers: values, verdicts, and when the exit code changes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.errors import UsageError
from becalm.pk import check as checks
from becalm.pk import checked, load
from becalm.pk.check import PublishedCheck

ESRD = "skin (CL/F), end-stage renal disease"
FILE = checks.CHECKS / "anakinra.toml"


def test_every_row_is_as_recorded_and_one_is_said_to_fail() -> None:
    rows = checked(load("anakinra"))
    assert all(row.as_recorded for row in rows)
    assert [row.check.title for row in rows if not row.agrees] == [ESRD]
    assert [row.check.fitted for row in rows].count(False) == 3


def test_values_are_those_worked_out_by_hand() -> None:
    """Clearance is 20 mL/min for 70 kg, to the power 0.75, and creatinine clearance; bioavailability is 0.85."""
    value = {row.check.title: row.value for row in checked(load("anakinra"))}
    non_renal = 20 * (75 / 70) ** 0.75
    assert value["by vein, healthy"] == pytest.approx(non_renal + 115)
    assert value[ESRD] == pytest.approx((non_renal + 3) / 0.85)
    light, heavy = (20 * (kg / 70) ** 0.75 + renal for kg, renal in ((110, 125), (125, 169)))
    assert value["area by vein, heavier by lighter"] == pytest.approx(light / heavy)
    assert value["volume at steady state for each kg"] == pytest.approx(11 / 70)


def row(**more: object) -> PublishedCheck:
    given = {"title": "x", "measure": "clearance", "covariates": {}, "unit": "mL/min", "calculated": 1.0,
             "fitted": True, "fails": False, "source": "x"}  # fmt: skip
    return msgspec.convert({**given, **more}, PublishedCheck)


@pytest.mark.parametrize(
    ("more", "inside", "outside"),
    [
        ({"published": 100.0, "spread": 10.0}, (80.0, 120.0), (79.99, 120.01)),
        ({"published": 100.0}, (75.0, 125.0), (74.99, 125.01)),
        ({"low": 2.0, "high": 7.0}, (2.0, 7.0), (1.99, 7.01)),
    ],
)
def test_a_value_agrees_up_to_the_bound_and_not_beyond(
    more: dict[str, float], inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    assert all(row(**more).agrees(value) for value in inside)
    assert not any(row(**more).agrees(value) for value in outside)


def test_a_model_that_was_changed_is_no_longer_as_recorded() -> None:
    changed = checked(load("anakinra").replaced({"renal_slope": 1.02}))
    assert not all(each.as_recorded for each in changed)
    assert [each.as_recorded for each in changed if each.check.title == "volume at steady state for each kg"] == [True]  # fmt: skip


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["simulate", *words])
    return done.exit_code, done.output


def test_the_command_prints_what_was_set_apart_from_what_was_not() -> None:
    code, text = run("anakinra", "--check")
    assert code == 0
    fitted, held_out = text.split("Not set to these:")
    assert "Set to these numbers, so this is no validation" in fitted
    assert ESRD in fitted
    assert "FAILS" in fitted
    assert "FAILS" not in held_out
    assert "above 65 years" in held_out
    assert text.count("Simulated, not a dosing recommendation") == 2
    assert "18 of 19" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [("calculated = 136", "calculated = 137"), ("fails = true", "fails = false")],
)
def test_the_exit_code_changes_only_where_a_row_does(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "anakinra.toml").write_text(FILE.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")  # fmt: skip
    monkeypatch.setattr(checks, "CHECKS", tmp_path)
    code, text = run("anakinra", "--check")
    assert code == 5
    assert "CHANGED" in text
    assert "no longer gives what is recorded" in text


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(UsageError, match="no published numbers are kept for vancomycin"):
        checked(load("vancomycin"))
    assert run("anakinra", "--check", "--regimen", "4 mg/h")[0] == 2
    code, text = run("anakinra")
    assert code == 2
    assert "no regimen is given" in text
