"""Two versions of one table: the pairing of rows against a slow reference, and tables of unlike shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.comparison import table_sql
from becalm.comparison.persons_sql import STATUSES
from becalm.core.database import connect
from becalm.core.frame import BLANK, Frame
from becalm.tables import WRITTEN, Table, writing
from becalm.tables.schema import PERSON_ID, SOURCE_ROW, text
from tests.reference import two_runs

COLUMNS = {
    "person_id": PERSON_ID,
    "item": text("An item."),
    "value": text("A value."),
    "source_row": SOURCE_ROW,
}
BY_ITEM = Table("ours", "For tests.", "item", COLUMNS, key=("person_id", "item"))
BY_ROW = Table("ours", "For tests.", "row", COLUMNS, key=("person_id", "item", "source_row"))
Rows = Sequence[tuple[str | None, ...]]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    folder = tmp_path_factory.mktemp("tables")
    with connect(within=[folder]) as opened:
        yield opened, folder


def written(con: Any, file: Path, rows: Rows, columns: Sequence[str] = tuple(COLUMNS)) -> Path:
    """Write a Parquet file of texts; '' is NULL, as in the tables of a study."""
    named = ", ".join(f"nullif(c{n}, '') AS {name}" for n, name in enumerate(columns))
    of = ", ".join(f"c{n} VARCHAR" for n in range(len(columns)))
    con.execute(f"CREATE OR REPLACE TEMP TABLE held ({of})")
    for row in rows:
        con.execute(f"INSERT INTO held VALUES ({', '.join('?' * len(row))})", list(row))
    con.execute(f"COPY (SELECT {named} FROM held) TO '{file}' (FORMAT parquet)")
    return file


def compared(
    con: tuple[Any, Path], table: Table, old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> table_sql.TableDifference:
    monkeypatch.setattr(table_sql, "WRITTEN", {table.name: table})
    con[0].execute(f"CREATE OR REPLACE TEMP TABLE found {table_sql.FOUND}")
    return table_sql.compare_table(con[0], table.name, old, new)


row = st.tuples(
    st.sampled_from(["P1", "P2"]),
    st.sampled_from(["a", "b", ""]),
    st.sampled_from(["1", "2", ""]),
    st.sampled_from(["labs:1", "labs:2", "labs:3", ""]),
)
rows = st.lists(row, max_size=6)


@settings(max_examples=60)
@given(old=rows, new=rows, by_row=st.booleans())
def test_rows_are_paired_as_a_plain_reading_pairs_them(
    con: tuple[Any, Path], old: Rows, new: Rows, by_row: bool
) -> None:
    files = [
        written(con[0], con[1] / f"{name}.parquet", rows)
        for name, rows in (("old", old), ("new", new))
    ]
    table = BY_ROW if by_row else BY_ITEM
    with pytest.MonkeyPatch.context() as patched:
        found = compared(con, table, files[0], files[1], patched)
    key = (0, 1, 3) if by_row else (0, 1)
    expected = two_runs.paired(old, new, key, source=3)  # type: ignore[arg-type]
    assert found.same == expected.pop("same", 0)
    assert dict(found.changes) == dict(expected)
    assert (found.old, found.new) == (len(old), len(new))


def test_twins_are_counted_and_never_guessed(
    con: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two rows of one key that both changed nobody knows which became which."""
    old = written(con[0], con[1] / "o.parquet", [("P", "a", "1", "x:1"), ("P", "a", "2", "x:2")])
    new = written(con[0], con[1] / "n.parquet", [("P", "a", "3", "x:1"), ("P", "a", "4", "x:2")])
    assert compared(con, BY_ITEM, old, new, monkeypatch).changes == {"gone": 2, "new": 2}
    assert compared(con, BY_ROW, old, new, monkeypatch).changes == {"changed": 2}


def test_a_row_that_only_moved_is_no_changed_result(
    con: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = written(con[0], con[1] / "o.parquet", [("P", "a", "1", "labs:2"), ("P", "b", "", "")])
    new = written(con[0], con[1] / "n.parquet", [("P", "a", "1", "labs:3"), ("P", "b", "1", "")])
    found = compared(con, BY_ROW, old, new, monkeypatch)
    assert (found.same, found.changes) == (0, {"changed": 1, "source rows only": 1})
    assert found.columns == {"value": 1}
    assert con[0].execute(
        'SELECT change, "key", "column", "old", "new" FROM found ORDER BY ALL'
    ).fetchall() == [
        ("changed", "item=b, source_row=", "value", None, "1"),
        ("source rows only", "item=a, source_row=labs:3", "source_row", "labs:2", "labs:3"),
    ]


def test_tables_of_unlike_shape_are_told(
    con: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What both have is compared; a key that one lacks leaves nothing to compare by."""
    one = [("P", "a", "1", "labs:2")]
    old = written(con[0], con[1] / "o.parquet", one, ("person_id", "item", "worth", "source_row"))
    new = written(con[0], con[1] / "n.parquet", one)
    found = compared(con, BY_ITEM, old, new, monkeypatch)
    assert (found.compared, found.same) == (True, 1)
    assert found.remarks == (
        "column worth only in the old run: not compared",
        "column value only in the new run: not compared",
    )
    old = written(con[0], con[1] / "o.parquet", one, ("person_id", "thing", "value", "source_row"))
    found = compared(con, BY_ITEM, old, new, monkeypatch)
    assert not found.compared
    assert found.remarks[0] == "its key has item, which are not alike in both runs"
    con[0].execute(
        f"COPY (SELECT 'P' AS person_id, 'a' AS item, 1 AS value) TO '{old}' (FORMAT parquet)"
    )
    found = compared(con, BY_ITEM, old, new, monkeypatch)
    assert found.compared
    assert "column value of another kind in each run: not compared" in found.remarks
    monkeypatch.setattr(table_sql, "WRITTEN", {})
    assert table_sql.compare_table(con[0], "ours", old, new).remarks == (
        "this version of becalm does not know it",
    )


def test_every_table_of_a_study_can_be_compared(con: tuple[Any, Path]) -> None:
    """Whatever its columns are called; a row that has nothing but blanks is a row."""
    for name, table in WRITTEN.items():
        blank = Frame.of_rows(table, [{column: BLANK[kind] for column, kind in table.items()}])
        files: list[Path] = []
        for version, frame in (("old", table.empty()), ("new", blank)):
            folder = con[1] / version
            folder.mkdir(exist_ok=True)
            files += writing.write(name, frame, folder, formats=("parquet",)).paths
        con[0].execute(f"CREATE OR REPLACE TEMP TABLE found {table_sql.FOUND}")
        found = table_sql.compare_table(con[0], name, *files)
        assert (found.old, found.new, found.changes, found.remarks) == (0, 1, {"new": 1}, ()), name


def test_columns_that_name_source_rows_are_those_that_say_so() -> None:
    for table in WRITTEN.values():
        for name, column in table.columns.items():
            told = column.kind == "text" and table_sql.names_source_rows(name)
            assert told == (
                "table:key" in column.meaning
                or "rows from which" in column.meaning
                or "row of the records that" in column.meaning
            ), f"{table.name}.{name}"


def test_statuses_are_columns_of_tables() -> None:
    for table, columns in STATUSES.items():
        assert set(columns) <= set(WRITTEN[table])
    assert WRITTEN["criteria_items"].key == (*WRITTEN["criteria"].key, "item")
