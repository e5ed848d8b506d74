"""`becalm doctor`: what it prints, what it writes, and how long it takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.staging import MANIFEST
from becalm.doctor import TABLES
from becalm.records.template import copy_template

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"


def test_doctor_prints_tables_and_writes_nothing_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = copy_template(tmp_path / "records", True, "csv")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["doctor", str(records)])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("sheets: 5 persons, ")
    assert "nk_activity_low absent" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["records"]


def test_doctor_writes_every_table_as_csv(tmp_path: Path) -> None:
    records = copy_template(tmp_path / "records.xlsx", True, "xlsx")
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["doctor", str(records), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {f"{name}.csv" for name in TABLES} | {MANIFEST}


def test_doctor_of_records_that_are_damaged(tmp_path: Path) -> None:
    records = copy_template(tmp_path / "records", True, "csv")
    (records / "labs.csv").write_bytes(b"person_id,time,name,value,unit\n1,\xff\n")
    result = CliRunner().invoke(main, ["doctor", str(records), "--out", str(tmp_path / "out")])
    assert result.exit_code == 3
    assert "labs.csv, row 2" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not DEMO.is_dir(), reason=f"{DEMO.name} is absent")
def test_doctor_looks_at_a_hundred_real_patients() -> None:
    result = CliRunner().invoke(main, ["doctor", str(DEMO)])
    assert result.exit_code == 0
    assert re.search(r"\b100 persons\b", result.stdout + result.stderr)
