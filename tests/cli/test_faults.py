"""What goes wrong while reading or writing: one line, the right exit code, nothing half-written."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.frame import Frame
from becalm.records.mimic4.source import Mimic4
from becalm.records.template import copy_template
from tests.records.mimic_files import COLUMNS, FileRow, mimic_folder

RESULTS: list[FileRow] = [
    {
        "labevent_id": i, "subject_id": 2, "itemid": 50924, "value": "812", "valuenum": "812",
        "valueuom": "ng/mL", "charttime": f"2150-01-0{1 + i % 9} 10:00:00",
    }
    for i in range(1, 400)
]  # fmt: skip
COMMANDS = ("study", "screen", "doctor")


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return mimic_folder(tmp_path / "records", {"hosp/labevents": RESULTS})


def labs(records: Path) -> Path:
    return records / "hosp" / "labevents.csv.gz"


def fails(command: str, records: Path, out: Path, code: int) -> str:
    """Run a command that must fail, and return the one line it says."""
    place = out / "peaks.parquet" if command == "screen" else out
    words = [command, str(records), "--out", str(place)]
    if command == "study":
        words += ["--protocol", "hyperinflammation"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.stderr.splitlines()[-1]


def empty(out: Path) -> bool:
    return not out.exists() or not list(out.iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_gzip_cut_short(command: str, records: Path, tmp_path: Path) -> None:
    labs(records).write_bytes(labs(records).read_bytes()[:-40])
    said = fails(command, records, tmp_path / "out", 3)
    assert said.startswith("becalm: labevents.csv.gz: ") or "hosp/labevents.csv.gz: " in said
    assert empty(tmp_path / "out")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_gzip_whose_checksum_does_not_fit(command: str, records: Path, tmp_path: Path) -> None:
    packed = bytearray(labs(records).read_bytes())
    packed[-8] ^= 1
    labs(records).write_bytes(packed)
    said = fails(command, records, tmp_path / "out", 3)
    assert "hosp/labevents.csv.gz: the compressed file is damaged" in said
    assert empty(tmp_path / "out")


def test_a_row_with_a_cell_too_many(records: Path, tmp_path: Path) -> None:
    content = gzip.decompress(labs(records).read_bytes()).splitlines()
    content[99] += b",surplus"
    labs(records).write_bytes(gzip.compress(b"\n".join(content), mtime=0))
    said = fails("screen", records, tmp_path / "out", 3)
    assert "labevents.csv.gz, row 100: 13 cells where the header has 12 columns" in said
    assert empty(tmp_path / "out")


def test_a_renamed_column(records: Path, tmp_path: Path) -> None:
    header = COLUMNS["hosp/labevents"].replace("valueuom", "value_uom").replace(" ", ",")
    labs(records).write_bytes(gzip.compress(header.encode() + b"\n", mtime=0))
    said = fails("study", records, tmp_path / "out", 4)
    assert (
        "hosp/labevents.csv.gz, row 1: has no column 'valueuom'. Did you mean 'value_uom'" in said
    )
    assert empty(tmp_path / "out")


def test_a_table_of_something_else(records: Path, tmp_path: Path) -> None:
    labs(records).write_bytes((records / "icu" / "inputevents.csv.gz").read_bytes())
    assert "this is not labevents of MIMIC-IV" in fails("study", records, tmp_path / "out", 4)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_changes_during_the_run(
    command: str, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_out = Mimic4._chunk_persons

    def meanwhile(*given: object) -> Frame:
        os.utime(labs(records), ns=(0, 0))
        return handed_out(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Mimic4, "_chunk_persons", meanwhile)
    said = fails(command, records, tmp_path / "out", 3)
    assert "hosp/labevents.csv.gz: changed while it was being read" in said
    assert empty(tmp_path / "out")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_place_under_a_file(command: str, records: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert "cannot be written" in fails(command, records, tmp_path / "file" / "out", 6)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 kB, where one may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("command", ["study", "doctor"])
def test_a_disk_that_fills_with_results(command: str, disk: Path, tmp_path: Path) -> None:
    five = copy_template(tmp_path / "five", True, "csv")
    place = disk / "out"
    result = CliRunner().invoke(main, [command, str(five), "--out", str(place)])
    assert result.exit_code == 6, result.output
    said = result.stderr.splitlines()[-1]
    assert "disk is full" in said or "No space left on device" in said
    assert empty(place)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_read_only_place(command: str, disk: Path, records: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert "Read-only file system" in fails(command, records, disk / "out", 6)
    assert empty(disk / "out")
