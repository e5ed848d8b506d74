"""Rows as the sheets of a chart review: a folder of CSV or a workbook; and sheets cell by cell.

A test of what is in records says rows: `sheets(folder, lab("ferritin", 9000, 5))`. A test of how cells are
read writes them as they are: `write(folder, labs="person_id,time,...")`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm.core.clock import from_us, parse
from becalm.records import Records
from becalm.records.sheets import SheetsSource, open_sheets
from becalm.records.sheets.schema import SHEETS
from tests.records.memory import SCHEMAS
from tests.records.rows import Row, at, persons_of

_SHEET: Final = {"measurements": "labs", "administrations": "doses"}
"""The sheets that have another name than their raw table."""
_COLUMN: Final = {
    "persons": {"birth": "birth_date"},
    "stays": {"origin": "from", "destination": "to"},
    "measurements": {"code": "loinc"},
    "administrations": {"label": "drug"},
}
"""The columns that have another name than in their raw table."""
Cell = str | float | date | None


def said(*rows: Row) -> dict[str, list[dict[str, Cell]]]:
    """Return the cells of each sheet: texts, numbers, dates and times.

    Raises ValueError for a cell that a chart review has no column for.
    """
    persons = persons_of(rows)
    found: dict[str, list[dict[str, Cell]]] = {name: [] for name in SHEETS}
    found["persons"] = [_cells("persons", cells) for cells in persons]
    for row in rows:
        if row.table == "persons":
            continue
        cells = dict(row.cells)
        whose = cells.pop("person", 0)
        name = whose if isinstance(whose, str) else persons[whose]["person_id"]
        if row.table == "measurements" and cells.get("system") == "LOINC":
            del cells["system"]
        sheet = _SHEET.get(row.table, row.table)
        found[sheet].append({"person_id": name, **_cells(row.table, cells)})
    return found


def _cells(table: str, cells: Mapping[str, Any]) -> dict[str, Cell]:
    sheet = SHEETS[_SHEET.get(table, table)]
    found: dict[str, Cell] = {}
    for name, value in cells.items():
        column = _COLUMN.get(table, {}).get(name, name)
        if column in sheet.columns:
            timed = SCHEMAS[table].get(name) == "time"
            day = sheet.columns[column].day
            found[column] = _moment(value, always_date=day) if timed else value
        elif value not in (None, "") and (table, name) != ("stays", "table"):
            raise ValueError(f"a chart review has no column for {name} of {table}")
    return found


def _moment(moment: Any, *, always_date: bool) -> date | str | None:
    """Return a time as a cell; a midnight as 24:00 of the day before, which is no date."""
    if moment is None or moment == "":
        return None
    when = from_us(at(moment))
    if isinstance(moment, str) and parse(moment)[1]:
        return when.date()
    if when.time() == time() and not always_date:
        return f"{when - timedelta(days=1):%Y-%m-%dT}24:00"
    return when


def sheets(folder: Path, *rows: Row, leave_out: str = "") -> Path:
    """Write rows as a folder of CSV files.

    A sheet without rows has its header only; leave_out : names of sheets that are not there.
    """
    for name, lines in said(*rows).items():
        if name in leave_out.split():
            continue
        columns = list(SHEETS[name].columns)
        rows_of_sheet = [[line.get(column) for column in columns] for line in lines]
        table(folder / f"{name}.csv", ",".join(columns), rows_of_sheet)
    return folder


def table(path: Path, columns: str, rows: Iterable[Sequence[Cell]]) -> Path:
    """Write one CSV file of any layout from cells as `said` returns them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.split(","))
        writer.writerows([_text(cell) for cell in row] for row in rows)
    return path


def _text(cell: Cell) -> str:
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return "" if cell is None else str(cell)


def workbook(path: Path, *rows: Row) -> Path:
    """Write rows as a workbook, its times and numbers typed.

    A midnight is written as text.
    """
    tabs: dict[str, list[list[object]]] = {}
    for name, lines in said(*rows).items():
        columns = list(SHEETS[name].columns)
        cells = [[_typed(line.get(column)) for column in columns] for line in lines]
        tabs[name] = [[*columns], *cells]
    return write_book(path, **tabs)


def _typed(cell: Cell) -> object:
    return _text(cell) if isinstance(cell, datetime) and cell.time() == time() else cell


PERSONS = "person_id,sex\nP1,F\nP2,M\n"


def write(folder: Path, **sheets: str) -> Path:
    """Write CSV sheets; `persons` has two persons where it is not given."""
    folder.mkdir(exist_ok=True)
    for name, text in {"persons": PERSONS, **sheets}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def write_bytes(folder: Path, name: str, content: bytes) -> Path:
    """Write persons.csv and one sheet of exactly these bytes."""
    write(folder)
    (folder / name).write_bytes(content)
    return folder


def write_book(path: Path, **sheets: list[list[object]]) -> Path:
    """Write a workbook from rows of cells, each sheet's header first."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        tab = book.create_sheet(name)
        for row in rows:
            tab.append(row)
    book.save(path)
    return path


def write_parquet(folder: Path, sheets: Mapping[str, list[list[object]]]) -> Path:
    """Write typed Parquet sheets: dates, times, whole numbers, numbers and text."""
    import duckdb

    folder.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        for name, (header, *rows) in sheets.items():
            kinds = [_sql_type([row[i] for row in rows]) for i in range(len(header))]
            columns = ", ".join(f'"{h}" {k}' for h, k in zip(header, kinds, strict=True))
            connection.execute(f"CREATE TABLE {name} ({columns})")
            if rows:
                marks = ", ".join("?" for _ in header)
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
            connection.execute(f"COPY {name} TO '{folder / name}.parquet' (FORMAT parquet)")
    return folder


def _sql_type(cells: list[object]) -> str:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {date}:
        return "DATE"
    if kinds == {datetime}:
        return "TIMESTAMP"
    if kinds == {int}:
        return "INTEGER"
    return "DOUBLE" if kinds and kinds <= {int, float} else "VARCHAR"


def read_sheets(path: Path) -> Records:
    """Return the one chunk of a chart review."""
    (chunk,) = source(path).chunks()
    return chunk


def source(path: Path) -> SheetsSource:
    """Open a chart review."""
    return open_sheets(path)


def differences(one: Records, other: Records) -> list[str]:
    """Name every column in which two chunks differ."""
    unlike = [] if one.kinds == other.kinds else ["kinds"]
    for table in SCHEMAS:
        left, right = getattr(one, table), getattr(other, table)
        for column in left.columns:
            numbers = left[column].dtype.kind == "f"
            if not np.array_equal(left[column], right[column], equal_nan=numbers):
                unlike.append(f"{table}.{column}")
    return unlike
