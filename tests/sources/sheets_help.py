"""Write small chart reviews for tests, as CSV, Parquet or a workbook, and read them back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import numpy as np

from becalm.records import Records
from becalm.records.sheets import SheetsSource, open_sheets

TABLES = (
    "persons",
    "stays",
    "measurements",
    "administrations",
    "findings",
    "conditions",
    "procedures",
    "cultures",
)
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


def records(path: Path) -> Records:
    """Return the one chunk of a chart review."""
    (chunk,) = source(path).chunks()
    return chunk


def source(path: Path) -> SheetsSource:
    """Open a chart review."""
    return open_sheets(path)


def differences(one: Records, other: Records) -> list[str]:
    """Name every column in which two chunks differ."""
    unlike = [] if one.kinds == other.kinds else ["kinds"]
    for table in TABLES:
        left, right = getattr(one, table), getattr(other, table)
        for column in left.columns:
            numbers = left[column].dtype.kind == "f"
            if not np.array_equal(left[column], right[column], equal_nan=numbers):
                unlike.append(f"{table}.{column}")
    return unlike
