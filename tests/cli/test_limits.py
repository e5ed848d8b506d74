"""Limits that a machine sets: size of files, memory, threads. One line, the right exit code, nothing left."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.database import connect
from becalm.core.errors import RecordsError
from becalm.core.machine import shortage
from becalm.records import duck
from becalm.records.sheets.read import read_parquet
from becalm.tables import writing

MIB: Final = 1 << 20
PERSONS: Final = "".join(f"P{i},F\n" for i in range(300))
LABS: Final = "".join(f"P{i},2020-03-04T10:00,ferritin,{900 + i},ng/mL\n" for i in range(300))


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "persons.csv").write_text(f"person_id,sex\n{PERSONS}")
    (folder / "labs.csv").write_text(f"person_id,time,name,value,unit\n{LABS}")
    return folder


def limited(
    limit: int, size: int, tmp_path: Path, *words: object
) -> tuple[int, list[str], list[str]]:
    """Run a command under a limit; return its exit code, the lines it says, and what it leaves."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def bind() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(limit, (size, size))

    done = subprocess.run(
        [sys.executable, "-m", "becalm", *map(str, words)],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=bind, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    left = [*temporary.rglob("*"), *(tmp_path / "out").rglob("*")]
    return done.returncode, done.stderr.splitlines(), [str(path) for path in left]


@pytest.mark.parametrize("command", ["study", "screen", "doctor", "hospital", "demo"])
def test_files_may_not_be_large(command: str, records: Path, tmp_path: Path) -> None:
    """`ulimit -f`: the results cannot be written, exit code 6."""
    out = tmp_path / "out"
    words: list[object] = {
        "study": ["study", records, "--protocol", "hyperinflammation", "--out", out],
        "screen": ["screen", records, "--out", out / "peaks.csv"],
        "doctor": ["doctor", records, "--out", out],
        "hospital": ["hospital", out, "--persons", "60"],
        "demo": ["demo", "--out", out, "--persons", "60"],
    }[command]
    code, said, left = limited(resource.RLIMIT_FSIZE, 3000, tmp_path, *words)
    assert (code, left) == (6, []), said
    assert "cannot be written (" in said[-1]
    assert "large" in said[-1]
    assert not [line for line in said if "Traceback" in line or "bug" in line]


@pytest.mark.parametrize(
    ("command", "size"), [("doctor", 100 * MIB), ("screen", 280 * MIB), ("study", 1200 * MIB)]
)
def test_memory_may_not_be_used(command: str, size: int, records: Path, tmp_path: Path) -> None:
    """`ulimit -v`: exit code 9; the figures alone need many addresses, and say so."""
    out = tmp_path / "out"
    words: list[object] = [command, records, "--out", out / "p.csv" if command == "screen" else out]
    if command == "study":
        words += ["--protocol", "hyperinflammation"]
    code, said, left = limited(resource.RLIMIT_AS, size, tmp_path, *words)
    assert (code, left) == (9, []), said
    assert "limit" in said[-1]
    assert not [line for line in said if not line.startswith("becalm: ")]


def test_no_thread_can_be_started(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    done = CliRunner().invoke(
        main, ["screen", str(records), "--out", str(tmp_path / "out" / "p.csv")]
    )
    assert done.exit_code == 9, done.output
    assert "too little memory or too few threads" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_memory_that_ends_in_the_middle(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        np.empty(1 << 50)

    monkeypatch.setattr(writing, "copy", full)
    done = CliRunner().invoke(
        main, ["screen", str(records), "--out", str(tmp_path / "out" / "p.csv")]
    )
    assert done.exit_code == 9, done.output
    assert not (tmp_path / "out").exists()


def test_a_query_that_needs_more_memory_than_its_limit() -> None:
    with connect("8MB", threads=1) as con, pytest.raises(duckdb.Error) as caught:
        for _ in duck.stream(
            con, "SELECT string_agg(i::VARCHAR, '') AS x FROM range(9000000) r(i)"
        ):
            pass
    told = shortage(caught.value)
    assert told is not None
    assert told.exit_code == 9


def test_a_sheet_that_needs_more_memory_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block")

    monkeypatch.setattr("becalm.records.sheets.read.connect", full)
    with pytest.raises(Exception, match="too little memory"):
        read_parquet("persons", tmp_path / "persons.parquet")


@pytest.mark.parametrize(
    "error",
    [ValueError("out of range"), KeyError("memory"), ImportError("no module"), OSError(5, "I/O")],
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    assert shortage(error) is None
    assert shortage(RecordsError("the diagnosis 'out of memory' is not known")) is None


def test_a_file_that_may_not_grow_while_sorting_is_no_bug() -> None:
    told = duck.known_error('IO Error: Could not write file "/tmp/x.tmp": File too large')
    assert told is not None
    assert told.exit_code == 6
    assert "a file may not be as large as sorting needs" in told.line()
