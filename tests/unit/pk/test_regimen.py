"""Regimens in words: what each clause does, and every mistake with its column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from becalm.core.errors import DefinitionError, UnreadableFileError, UsageError
from becalm.pk import Regimen, read_regimens


def rates(text: str, horizon: float = 240.0) -> list[tuple[float, float]]:
    return [(each.hours, each.rate) for each in Regimen.of(text).plan(horizon).rates]


def doses(text: str, horizon: float = 240.0) -> list[tuple[float, str, float, float]]:
    return [(d.hours, d.route, d.amount, d.over) for d in Regimen.of(text).plan(horizon).doses]


def test_an_infusion_that_is_escalated_held_and_halved() -> None:
    text = "10 mg IV bolus; 1 mg/h; x2 every 6 h to 8 mg/h; hold 48 h; halve daily"
    assert doses(text) == [(0, "iv", 10, 0)]
    assert rates(text, 120) == [(0, 1), (6, 2), (12, 4), (18, 8), (66, 4), (90, 2), (114, 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 mg/h; x2 every 6 h to 3 mg/h", [(0, 1), (6, 2), (12, 3)]),  # the last step is smaller
        ("1 mg/h for 12 h; x2 every 6 h 2 times", [(0, 1), (12, 2), (18, 4)]),
        ("1 mg/h; double every 6 h 2 times; halve every 12 h 1 times", [(0, 1), (6, 2), (12, 4), (24, 2)]),
        ("8 mg/h; halve daily to 3 mg/h", [(0, 8), (24, 4), (48, 3)]),
        ("8 mg/h; hold 10 h; stop", [(0, 8), (10, 0)]),
        ("8 mg/h for 10 h; stop for 2 h; 4 mg/h", [(0, 8), (10, 0), (12, 4)]),
        ("wait 6 h; 1 mg/h", [(6, 1)]),
        ("48 mg/day", [(0, 2)]),
        ("0.1 g/h", [(0, 100)]),
        ("1 mg/h; x 1.5 every 6 h 1 times", [(0, 1), (6, 1.5)]),
    ],
)  # fmt: skip
def test_rates(text: str, expected: list[tuple[float, float]]) -> None:
    assert np.array(rates(text)) == pytest.approx(np.array(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100 mg SC daily for 3 d", [(0, "sc", 100, 0), (24, "sc", 100, 0), (48, "sc", 100, 0)]),
        ("100 mg SC every 24 h for 49 h", [(0, "sc", 100, 0), (24, "sc", 100, 0), (48, "sc", 100, 0)]),
        ("100mg IV over 30min every 6h 2 times; 50 mg bolus", [(0, "iv", 100, 0.5), (6, "iv", 100, 0.5), (12, "iv", 50, 0)]),
        ("1 g IV over 1 h; 100 mg IV bolus", [(0, "iv", 1000, 1), (1, "iv", 100, 0)]),
        ("100 mg sc twice daily 2 times", [(0, "sc", 100, 0), (12, "sc", 100, 0)]),
    ],
)  # fmt: skip
def test_doses(text: str, expected: list[tuple[float, str, float, float]]) -> None:
    assert doses(text) == expected


def test_a_dose_belongs_to_the_plan_only_before_its_end() -> None:
    regimen = Regimen.of("100 mg SC daily")
    assert [len(regimen.plan(hours).doses) for hours in (24.0, 24.01)] == [1, 2]
    assert regimen.plan(24.0).cut
    done = Regimen.of("100 mg SC daily 2 times")
    assert [done.plan(hours).cut for hours in (24.0, 24.01)] == [True, False]


def test_the_drug_may_be_named_first() -> None:
    assert Regimen.of("anakinra 100 mg SC daily").drug == "anakinra"
    assert Regimen.of("X 1 mg/h").drug == "X"
    assert Regimen.of("1 mg/h").drug == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("100 mg SC evry 24 h", "regimen, column 11: 'evry' is not understood. Did you mean 'every'?"),
        ("1 mg/h; x2 every 6 hh to 8 mg/h", "column 20: the unit 'hh' is not known"),
        ("100 mgg SC daily", "column 5: the unit 'mgg' of a dose is not known. Did you mean 'mg'?"),
        ("100 IU SC daily", "column 5: the unit 'IU' of a dose is not known"),
        ("100 mg IV", "how fast is not said. Write 'IV bolus' or 'IV over 30 min'"),
        ("-1 mg/h", "column 1: a dose cannot be -1"),
        ("0 mg IV bolus", "a dose of 0"),
        ("IV bolus", "column 1: a dose without an amount"),
        ("mg IV bolus; 1 mg/h", "a dose without an amount"),
        ("bolus", "column 1: a dose without an amount"),
        ("1,5 mg/h", "column 1: '1,5' has a comma"),
        ("2,400 mg/day", "'2,400' has a comma"),
        ("100 mg SC daily; 4 mg/h", "column 1: '100 mg SC daily' has no end, and other clauses follow. Add 'for 3 d'"),
        ("4 mg/h; halve daily; stop", "column 9: 'halve daily' has no end"),
        ("1 mg/h; x2 every 6 h to 8 mg/kg/h", "column 9: one rate is per kg and the other is not"),
        ("1 mg/h; x2 every 6 h to 8 mg", "the rate to reach is above 0 and has a unit such as mg/h"),
        ("x2 every 6 h to 8 mg/h", "no infusion runs that could be changed"),
        ("8 mg/h; x2 every 6 h to 8 mg/h", "the rate is 8 already, and rises to 8"),
        ("8 mg/h; halve daily to 9 mg/h", "the rate is 8 already, and falls to 9"),
        ("1 mg/h; x1 every 6 h", "a factor of 1 is no change"),
        ("1 mg/h; 2 mg/h", "a rate of 1 never runs"),
        ("1 mg/h; x2", "ends here. Expected: every, daily"),
        ("1 mg/h;", "column 8: an empty clause"),
        ("", "an empty clause"),
        ("4 mg/h for 0 h", "the time of the rate is not above 0"),
        ("4 mg/h for", "the time of the rate needs a number"),
        ("100 mg IV over 8 h every 6 h", "overlaps the next one"),
        ("100 mg SC daily 2.5 times", "2.5 times is no number of times"),
        ("1 mg/h; hold", "the time to hold needs a number"),
        ("1 mg/h; x1.0000001 every 1 h to 9 mg/h", "more than 20,000"),
        ("1 mg SC every 1 min for 99 d", "more than 20,000"),
        ("1 mg/h; pause 6 h", "'pause' is not understood"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_column(text: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        Regimen.of(text)
    assert told in error.value.line()
    assert "\n" not in error.value.line()


def test_regimens_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text('[regimen.skin]\nsteps = ["100 mg SC daily"]\n[regimen.vein]\ndrug = "X"\nsteps = ["10 mg IV bolus", "4 mg/h"]\n')  # fmt: skip
    both = read_regimens([str(file)])
    assert [(each.name, each.drug) for each in both] == [("skin", ""), ("vein", "X")]
    assert [each.name for each in read_regimens([f"{file}#vein"])] == ["vein"]
    with pytest.raises(UsageError, match=r"no regimen is called 'vien'.*'vein'"):
        read_regimens([f"{file}#vien"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[regimen.a]\nsteps = ["100 mgg SC"]', "r.toml, row 2, regimen.a.steps: a, column 5: the unit 'mgg'"),
        ('[regimen.a]\nstep = ["1 mg/h"]', "row 2, regimen.a.step: unknown key 'step'. Did you mean 'steps'?"),
        ('[regimen.a]\nsteps = "1 mg/h"', "needs a list of texts"),
        ("[regimens.a]\nsteps = []", "has no table [regimen.NAME]"),
        ("[regimen.a", "is not valid TOML"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_file_is_told_with_its_row(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text(text)
    with pytest.raises(DefinitionError) as error:
        read_regimens([str(file)])
    assert told in error.value.line()


def test_names_of_regimens() -> None:
    assert [each.name for each in read_regimens(["1 mg/h"])] == ["regimen"]
    assert [each.name for each in read_regimens(["1 mg/h", "b = 2 mg/h"])] == ["regimen 1", "b"]
    with pytest.raises(UsageError, match="two regimens are called 'a'"):
        read_regimens(["a = 1 mg/h", "a = 2 mg/h"])
    with pytest.raises(UsageError, match="no regimen"):
        read_regimens([])
    with pytest.raises(UnreadableFileError):
        read_regimens(["nowhere.toml"])
