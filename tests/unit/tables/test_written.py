"""Writing tables: what stands in the files, and that it is always the same."""

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from becalm import tables
from becalm.core.clock import to_us
from becalm.core.errors import OutputError
from becalm.core.frame import Frame
from becalm.core.spreadsheets import inert
from becalm.tables import writing


def persons(*rows: dict[str, Any]) -> Frame:
    return Frame.of_rows(tables.PERSONS, rows)


def csv(frame: Frame, folder: Path, name: str = "persons") -> list[str]:
    writing.write(name, frame, folder)
    return (folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()


def query(sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        rows: list[tuple[Any, ...]] = con.execute(sql).fetchall()
    return rows


def cell(folder: Path, column: str, value: Any) -> str:
    """What one value of `persons` looks like in CSV."""
    writing.write("persons", persons({"person_id": "P", column: value}), folder, formats=("csv",))
    path = folder / "persons.csv"
    [(text,)] = query(f"SELECT {column} FROM read_csv('{path}', all_varchar = true, nullstr = '')")
    return str(text or "")


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("age", None, ""),
        ("age", 0, "0"),
        ("sex", "", ""),
        ("underlying", "sle|aosd", "sle|aosd"),
        ("underlying", 'a,"b"\nc', 'a,"b"\nc'),
        ("underlying", "Ünïcode ≥ 5 💉", "Ünïcode ≥ 5 💉"),
        ("underlying", "NULL", "NULL"),
        ("left_truncated", True, "true"),
        ("left_truncated", np.bool_(False), "false"),
        ("left_truncated", None, ""),
        ("weight_kg", 61.4, "61.4"),
        ("weight_kg", np.nan, ""),
        ("weight_kg", np.inf, ""),
        ("weight_kg", -np.inf, ""),
        ("weight_kg", -0.0, "0.0"),
        ("weight_kg", 0.1 + 0.2, "0.30000000000000004"),
        ("t0", to_us(datetime(2020, 3, 4, 10, 30)), "2020-03-04T10:30:00"),
        ("t0", to_us(datetime(1960, 2, 29, 1, 2, 3, 4)), "1960-02-29T01:02:03.000004"),
        ("t0", to_us(datetime(2200, 12, 31, 23, 59, 59, 999999)), "2200-12-31T23:59:59.999999"),
        ("t0", None, ""),
    ],
)
def test_how_a_value_is_written(tmp_path: Path, column: str, value: Any, text: str) -> None:
    """Unknown is empty, and so is a bound that is none; times have no offset."""
    assert cell(tmp_path, column, value) == text


def test_rows_are_sorted_by_their_keys_and_ids_as_text(tmp_path: Path) -> None:
    keys: list[dict[str, Any]] = [
        {"person_id": person, "factor": factor}
        for person, factor in (("9", 2.0), ("10", 2.0), ("9", 0.5), ("a", 0.5))
    ]
    writing.write("criteria_look_backs", Frame.of_rows(tables.CRITERIA_LOOK_BACKS, keys), tmp_path)
    lines = (tmp_path / "criteria_look_backs.csv").read_text(encoding="utf-8").splitlines()
    at = list(tables.CRITERIA_LOOK_BACKS).index("factor")
    written = [(line.split(",")[0], float(line.split(",")[at])) for line in lines[1:]]
    assert written == [("10", 2.0), ("9", 0.5), ("9", 2.0), ("a", 0.5)]


@pytest.mark.parametrize("name", tables.WRITTEN)
def test_an_empty_table_still_has_its_header_and_types(tmp_path: Path, name: str) -> None:
    written = writing.write(name, tables.empty(name), tmp_path)
    assert written.rows == 0
    header = (tmp_path / f"{name}.csv").read_text(encoding="utf-8").strip()
    assert header.split(",") == list(tables.WRITTEN[name])
    types = query(f"DESCRIBE FROM '{tmp_path / name}.parquet'")
    kinds = {"text": "VARCHAR", "time": "TIMESTAMP", "number": "DOUBLE", "flag": "BOOLEAN",
             "count": "BIGINT", "answer": "BOOLEAN"}  # fmt: skip
    assert [row[1] for row in types] == [kinds[kind] for kind in tables.WRITTEN[name].values()]


def test_the_same_rows_always_give_the_same_bytes(tmp_path: Path) -> None:
    """Whatever order they come in, and whatever was written before by the same process."""
    rows = [
        {"person_id": f"P{i:03}", "age": i, "weight_kg": i / 3, "sex": "FM"[i % 2]}
        for i in range(500)
    ]
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, given in ((one, rows), (two, rows[::-1])):
        folder.mkdir()
        writing.write("persons", persons(*given), folder)
        writing.write("attrition", tables.empty("attrition"), folder)
    for form in ("csv", "parquet"):
        assert (one / f"persons.{form}").read_bytes() == (two / f"persons.{form}").read_bytes()


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    rows = [
        {
            "person_id": "Ü",
            "weight_kg": 61.4,
            "t0": to_us(datetime(2020, 1, 1)),
            "clinician": False,
        },
        {"person_id": "b", "age": 44, "clinician": True},
    ]
    writing.write("persons", persons(*rows), tmp_path)
    columns = "person_id, age, weight_kg, t0, clinician"
    asked = f"SELECT {columns} FROM '{tmp_path}/persons.{{}}' ORDER BY person_id"
    assert query(asked.format("csv")) == query(asked.format("parquet"))


def test_columns_of_another_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="persons: columns"):
        writing.write("persons", tables.empty("attrition"), tmp_path)
    more = persons({"person_id": "P"}).replace(extra=np.zeros(1))
    with pytest.raises(ValueError, match="extra"):
        writing.write("persons", more, tmp_path)


def test_a_folder_with_a_quote_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "o'brien's"
    folder.mkdir()
    assert len(csv(persons({"person_id": "P"}), folder)) == 2


def test_a_place_that_cannot_be_written_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        writing.write("persons", persons({"person_id": "P"}), tmp_path / "absent")


def test_one_engine_writes_all_tables_of_a_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starting one takes longer than writing a small table."""
    started: list[object] = []
    connect = duckdb.connect

    def counted(*given: Any, **more: Any) -> Any:
        started.append(given)
        return connect(*given, **more)

    monkeypatch.setattr(duckdb, "connect", counted)
    writing._writer.cache_clear()
    for name in tables.WRITTEN:
        writing.write(name, tables.empty(name), tmp_path)
    assert len(started) == 1


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "a;=1+1", "-x", "＝1"])
def test_a_name_that_a_spreadsheet_would_calculate(text: str, tmp_path: Path) -> None:
    """In CSV an apostrophe stands before it; Parquet has the text itself."""
    writing.write("persons", persons({"person_id": text}, {"person_id": "-5"}), tmp_path)
    csv_file, parquet = tmp_path / "persons.csv", tmp_path / "persons.parquet"
    sql = f"SELECT person_id FROM read_csv('{csv_file}', all_varchar = true)"
    assert {row[0] for row in query(sql)} == {inert(text), "-5"}
    assert {row[0] for row in query(f"SELECT person_id FROM '{parquet}'")} == {text, "-5"}


def test_a_table_is_written_where_the_process_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook changes its folder and writes to the same relative name again."""
    for name in ("one", "two"):
        (tmp_path / name / "out").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        writing.write("response", tables.WRITTEN["response"].empty(), Path("out"))
        assert (tmp_path / name / "out" / "response.parquet").is_file()
