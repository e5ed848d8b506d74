"""The one place that opens DuckDB: what a connection may do, and what it may not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from becalm.core.database import connect
from becalm.records.mimic4.tables import Release
from becalm.tables import writing

SPILLS = "SELECT i, md5(i::VARCHAR) AS t FROM range(600000) r(i) ORDER BY hash(i)"


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    inside = tmp_path / "it's inside"
    inside.mkdir()
    (inside / "a.csv").write_text("x\n1\n")
    (tmp_path / "b.csv").write_text("x\n2\n")
    with connect(threads=1, within=[inside]) as con:
        yield con


def setting(con: duckdb.DuckDBPyConnection, name: str) -> str:
    [(value,)] = con.execute(
        "SELECT value FROM duckdb_settings() WHERE name = ?", [name]
    ).fetchall()
    return str(value)


def test_memory_has_a_limit_and_the_temporary_folder_is_ours(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert setting(con, "memory_limit") == "1.0 GiB"
    assert re.fullmatch(
        rf"becalm-{os.getpid()}-[0-9a-f]{{16}}", Path(setting(con, "temp_directory")).parent.name
    )
    assert setting(con, "TimeZone") == "UTC"


@pytest.mark.parametrize(
    "name",
    [
        "autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions",
        "allow_unsigned_extensions", "allow_persistent_secrets", "enable_external_access",
        "python_enable_replacements",
    ],
)  # fmt: skip
def test_nothing_comes_from_outside(con: duckdb.DuckDBPyConnection, name: str) -> None:
    assert setting(con, name) == "false"


@pytest.mark.parametrize(
    "sql",
    [
        "INSTALL httpfs",
        "LOAD httpfs",
        "FROM read_csv('https://example.org/a.csv')",
        "FROM read_csv('{outside}')",
        "FROM read_csv('{inside}/../b.csv')",
        "COPY (SELECT 1) TO '{outside}'",
        "ATTACH '{outside}.duckdb'",
        "SET memory_limit = '2GB'",
        "SET GLOBAL enable_external_access = true",
        "FROM a_variable_of_python",
    ],
)
def test_what_a_connection_may_not_do(
    con: duckdb.DuckDBPyConnection, sql: str, tmp_path: Path
) -> None:
    a_variable_of_python = {"x": [1]}
    inside = str(tmp_path / "it's inside").replace("'", "''")
    with pytest.raises(duckdb.Error):
        con.execute(sql.format(outside=tmp_path / "b.csv", inside=inside)).fetchall()
    assert (tmp_path / "b.csv").read_text() == "x\n2\n"
    assert a_variable_of_python == {"x": [1]}


def test_a_file_within_is_read(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = str(tmp_path / "it's inside" / "a.csv").replace("'", "''")
    assert con.execute(f"FROM read_csv('{file}')").fetchall() == [(1,)]


def test_tables_of_records_may_be_links_to_another_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "records" / "hosp").mkdir(parents=True)
    (tmp_path / "disk" / "big.csv").write_text("subject_id\n7\n")
    link = tmp_path / "records" / "hosp" / "patients.csv"
    link.symlink_to(tmp_path / "disk" / "big.csv")
    release = Release(tmp_path / "records")
    with connect(threads=1, within=release.folders()) as con:
        table = release.required("hosp", "patients")
        assert con.execute(f"FROM {table.read('subject_id')}").fetchall() == [("7",)]


def test_tables_are_written_with_the_same_limits(tmp_path: Path) -> None:
    """They were written by an engine with all memory, the network and `.tmp` in the current folder."""
    with writing._writer(tmp_path).cursor() as con:
        assert setting(con, "memory_limit") == "1.0 GiB"
        assert setting(con, "enable_external_access") == "false"
        folder = Path(setting(con, "temp_directory")).parent
        assert folder.name.startswith(f"becalm-{os.getpid()}-")


def test_the_temporary_folder_of_the_writer_goes_with_the_process(tmp_path: Path) -> None:
    code = f"""
from becalm.core import database
database.MEMORY = "60MB"
database.connect.__defaults__ = ("60MB", None)
from pathlib import Path
from becalm.tables import writing
con = writing._writer(Path({str(tmp_path)!r})).cursor()
rows = con.execute({SPILLS!r})
assert rows.fetchone()
print(len([each for each in Path({str(tmp_path)!r}).glob("becalm-*/*") if each.is_dir()]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert list(tmp_path.iterdir()) == []
