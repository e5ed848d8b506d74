"""`becalm ahead`: what it prints and writes, who is compared with whom, and mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner, Result

import becalm as bc
from becalm.api.ahead import NOTICE, OWN
from becalm.cli import main
from becalm.records.template import copy_template
from tests.records import Row, dose, lab, patient, sheets

TABLES: Final = ("marker_changes", "marker_tests", "markers_ahead")
LDH: Final = (300, 280, 310, 330, 290, 250)


def becalm(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["ahead", *arguments])


def ward(*more: Row, persons: int = 12) -> list[Row]:
    """Return persons with a value of LDH a day, and what else is given."""
    rng = np.random.default_rng(3)
    rows: list[Row] = []
    for number in range(persons):
        values = np.round(np.array(LDH) * np.exp(rng.normal(0, 0.2, len(LDH))))
        draws = (lab("ldh", float(value), 24 * day) for day, value in enumerate(values))
        rows += patient(f"P{number:02}", *draws)
    return [*rows, *more]


def falls(folder: Path, *, without: str = "anakinra") -> bc.api.MarkersAhead:
    return bc.markers_ahead(bc.understand(bc.open_records(folder)), without=(without,))


def test_what_is_printed_and_written(tmp_path: Path) -> None:
    book = copy_template(tmp_path / "five.xlsx", filled=True, kind="xlsx")
    done = becalm(str(book), "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert done.output.count(NOTICE) == 2
    assert "not validated" in done.output
    assert "these records have too few pairs of their own" in done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {f"{name}.{form}" for name in TABLES for form in ("csv", "parquet")} | {"manifest.json"}  # fmt: skip
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert "Research use only" in manifest["kind"]
    file = tmp_path / "out" / "marker_tests.parquet"
    told = dict(duckdb.execute(f"SELECT variable, shown FROM '{file}'").fetchall())
    assert told == {"alt": True, "ast": True, "creatinine": True, "ldh": True, "platelets": True, "crp": False, "ferritin": False}  # fmt: skip
    shown = {row[0] for row in duckdb.execute(f"SELECT variable FROM '{file.with_name('markers_ahead.parquet')}'").fetchall()}  # fmt: skip
    assert not shown & {"crp", "ferritin"}


def test_one_person_and_another_time(tmp_path: Path) -> None:
    folder = sheets(tmp_path / "in", *ward())
    done = becalm(str(folder), "--person", "P03", "--hours", "48")
    assert done.exit_code == 0, done.output
    assert "48 h after the last value, in patients without anakinra" in done.output
    found = bc.markers_ahead(bc.understand(bc.open_records(folder)), hours=48, person="P03")
    [row] = found.next.rows()
    assert row["person_id"] == "P03"
    assert row["p05"] < row["p50_low"] == row["p50_high"] < row["p95"]
    assert row["last_low"] == row["last_high"] == int(row["last_low"])
    assert set(found.changes["person_id"]) == {"P03"}
    assert row["compared_with"] == (12 - 2) * 5  # the persons of the other folds
    wider = row["p95"] / row["p05"]
    [day] = bc.markers_ahead(bc.understand(bc.open_records(folder)), person="P03").next.rows()
    assert day["p95"] / day["p05"] < wider


def test_patients_are_compared_with_others_before_the_drug_alone(tmp_path: Path) -> None:
    """Somebody whose LDH falls by nine tenths after anakinra is among no reference, and stands out of it."""
    treated = [
        row
        for number in range(4)
        for row in patient(
            f"T{number}", lab("ldh", 2000, 0), dose("anakinra", 1, amount="100 mg"), lab("ldh", 150, 24)
        )
    ]  # fmt: skip
    folder = sheets(tmp_path / "in", *ward(), *treated)
    found = falls(folder)
    [test] = [row for row in found.tests.rows() if row["variable"] == "ldh"]
    assert (test["shown"], test["pairs"], test["quantiles_from"]) == (True, 60, OWN)
    rows = [row for row in found.changes.rows() if row["person_id"].startswith("T")]
    assert [row["treated"] for row in rows] == [True] * 4
    for row in rows:
        assert row["share_low"] == 0
        assert row["share_high"] <= 1 / 46
    assert "4 persons had one" in found.remarks[0]
    counted = falls(folder, without="tocilizumab")
    [test] = [row for row in counted.tests.rows() if row["variable"] == "ldh"]
    assert test["pairs"] == 64


def test_a_change_that_ends_with_the_first_dose_is_untreated(tmp_path: Path) -> None:
    rows = [
        row
        for name, hour in (("at", 24), ("before", 23.9))
        for row in patient(name, lab("ldh", 300, 0), lab("ldh", 200, 24), dose("anakinra", hour, amount="100 mg"))
    ]  # fmt: skip
    found = falls(sheets(tmp_path / "in", *ward(), *rows))
    treated = {row["person_id"]: row["treated"] for row in found.changes.rows()}
    assert (treated["at"], treated["before"], treated["P01"]) == (False, True, False)


def test_without_doses_nobody_knows_who_was_treated(tmp_path: Path) -> None:
    found = falls(sheets(tmp_path / "in", *ward()))
    assert set(found.changes["treated"]) == {None}
    assert "nobody knows who was treated" in found.remarks[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--hours", "17"), "17 h ahead was not measured. Give 18 to 84 hours"),
        (("--hours", "nan"), "nan h ahead was not measured"),
        (("--without", "anakinre"), "no drug is called 'anakinre'"),
        (("--person", "P99"), "no person is called 'P99'"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    done = becalm(str(sheets(tmp_path / "in", *ward(persons=2))), *options)
    assert done.exit_code == 2
    assert said in done.output
    assert len(done.output.strip().splitlines()) == 1
