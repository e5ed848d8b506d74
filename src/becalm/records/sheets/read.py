"""Reading a folder of CSV and Parquet sheets as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Final

from becalm.core.database import connect
from becalm.core.errors import RecordsError, UnreadableFileError, place
from becalm.core.files import LARGEST_TEXT, require_file
from becalm.core.machine import shortage
from becalm.records.duck import quoted_path
from becalm.records.files import read_text
from becalm.records.sheets.cells import Cell, Sheet, TypedNumber, make_sheet, misspelt_sheet
from becalm.records.sheets.schema import SHEETS

_SEPARATORS: Final = (",", ";")
_WITH_A_POINT: Final = ("FLOAT", "DOUBLE", "DECIMAL")
_NEARLY: Final = frozenset({".xlsx", ".xls", ".ods", ".tsv", ".txt", ".gz", ".json"})
_ALSO_TABLES: Final = frozenset({".xlsx", ".xls", ".ods", ".tsv", ".gz"})
"""Formats in which a sheet may stand beside the one that is read, with other rows."""


def would_be_a_sheet(name: str) -> bool:
    """Return whether a file of this name is read as a sheet, or is a mistake among sheets."""
    stem, suffix = name.split(".", maxsplit=1)[0].casefold(), Path(name).suffix.lower()
    if suffix in {".csv", ".parquet"}:
        return stem in SHEETS or misspelt_sheet(name, stem, ()) is not None
    return stem in SHEETS and suffix in _NEARLY


def sheet_files(folder: Path) -> tuple[dict[str, Path], list[RecordsError]]:
    """Return the file of every sheet in a folder, and what is wrong with the folder.

    A sheet that exists twice, has a format that is not read, or has a misspelt name is a mistake:
    otherwise these sheets would count as missing.
    """
    files: dict[str, Path] = {}
    others: list[Path] = []
    wrong: list[RecordsError] = []
    for path in sorted(folder.iterdir()):
        name = path.stem.casefold()
        if path.suffix.lower() in {".csv", ".parquet"} and name in SHEETS:
            require_file(path, where=path.name)
        elif path.is_dir():
            continue
        if path.suffix.lower() not in {".csv", ".parquet"} or name not in SHEETS:
            others.append(path)
        elif name in files:
            wrong.append(
                RecordsError(
                    f"the sheet {name} exists twice: {files[name].name} and {path.name}",
                    where=folder.name,
                    hint="Remove one",
                )
            )
        else:
            files[name] = path
    for path in others:
        stem, suffix = path.name.split(".")[0].casefold(), path.suffix.lower()
        if stem in files and suffix in _ALSO_TABLES:
            wrong.append(
                RecordsError(
                    f"the sheet {stem} exists twice: {files[stem].name} and {path.name}",
                    where=folder.name,
                    hint="Move the one that does not count away",
                )
            )
        elif stem in SHEETS and stem not in files and suffix in _NEARLY:
            wrong.append(
                RecordsError(
                    f"the sheet {stem} is in a format that is not read here",
                    where=path.name,
                    hint=f"Save it as {stem}.csv (UTF-8) or {stem}.parquet",
                )
            )
        if suffix in {".csv", ".parquet"} and (mistake := misspelt_sheet(path.name, stem, files)):
            wrong.append(mistake)
    return files, wrong


def read_sheet(name: str, path: Path) -> Sheet:
    """Read one sheet from its file."""
    return (read_csv if path.suffix.lower() == ".csv" else read_parquet)(name, path)


def read_csv(name: str, path: Path) -> Sheet:
    """Read a UTF-8 CSV separated by `,` or, as Excel writes in much of Europe, by `;`."""
    header, rows, _ = csv_rows(path)
    return make_sheet(name, path.name, header, rows)


def csv_rows(path: Path, separator: str = "") -> tuple[list[str], Iterator[list[str]], str]:
    """Return a CSV's header, its rows with the same number of cells, and its separator.

    Without `separator` it is `,` or `;`, whichever is more frequent in the header.
    """
    text = read_text(path)
    if not text.strip():
        raise UnreadableFileError(
            "the file is empty", where=path.name, hint="Row 1 must name the columns"
        )
    first = text[: text.find("\n")] if "\n" in text else text
    separator = separator or max(_SEPARATORS, key=first.count)
    csv.field_size_limit(max(csv.field_size_limit(), LARGEST_TEXT))
    rows = _records(
        path.name, csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    )
    header = next(rows)
    return header, _as_wide(path.name, rows, len(header)), separator


def _records(file: str, reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Yield rows; a quotation mark without an end means a damaged file."""
    number = 0
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFileError(
                f"a quotation mark has no partner ({error})",
                where=place(file, number),
                hint="The file may be cut off: export it again",
            ) from error
        yield row


def _as_wide(file: str, rows: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    """Yield rows with as many cells as the header; a shorter row may be the end of a cut-off file."""
    blank = [""] * width
    for number, row in enumerate(rows, start=2):
        if len(row) == width:
            yield row
        elif not any(row):
            yield blank
        elif len(row) > width and not any(row[width:]):
            yield row[:width]
        else:
            raise UnreadableFileError(
                f"{len(row)} cells where the header has {width}",
                where=place(file, number),
                hint="Put text with the separator in quotation marks; if the file was cut off, export it again",
            )


def read_parquet(name: str, path: Path) -> Sheet:
    """Read a Parquet file, each cell as its text."""
    return make_sheet(name, path.name, *parquet_rows(path, SHEETS[name].columns))


def parquet_rows(path: Path, used: Container[str]) -> tuple[list[str], list[tuple[Cell, ...]]]:
    """Return a Parquet file's header and its rows, read with DuckDB, each cell as its text.

    A cell of a column of numbers is a `TypedNumber`. Rows count as in a spreadsheet: the first is row 2. A time with a time zone in a column that is
    used is refused, because it does not have the hospital's local time.
    """
    import duckdb

    try:
        with connect(within=[path.parent, path.resolve().parent]) as connection:
            table = connection.sql(f"SELECT * FROM read_parquet({quoted_path(path)})")
            header, types = table.columns, [str(kind) for kind in table.types]
            for column, kind in zip(header, types, strict=True):
                if kind == "TIMESTAMP WITH TIME ZONE" and column in used:
                    raise RecordsError(
                        "the times are instants of UTC, not of the hospital's wall clock",
                        where=place(path.name, None, column),
                        hint="Write it as a timestamp without time zone",
                    )
            cells = ", ".join(
                _as_text(column, kind) for column, kind in zip(header, types, strict=True)
            )
            rows = table.project(cells).fetchall()
            typed = [at for at, kind in enumerate(types) if kind.startswith(_WITH_A_POINT)]
    except duckdb.Error as error:
        if too_little := shortage(error):
            raise too_little from error
        raise UnreadableFileError(
            f"not a whole Parquet file ({str(error).splitlines()[0]})",
            where=path.name,
            hint="The file may be cut off: export it again",
        ) from error
    return header, [_typed(row, typed) for row in rows] if typed else rows


def _typed(row: Sequence[str], typed: Sequence[int]) -> tuple[Cell, ...]:
    """Return a row with the cells of columns of numbers marked as such; a blank stays blank."""
    cells: list[Cell] = list(row)
    for at in typed:
        if row[at]:
            cells[at] = TypedNumber(row[at])
    return tuple(cells)


def _as_text(column: str, kind: str) -> str:
    """Return SQL for a column's cells as a spreadsheet shows them: 12 for 12.0, '' for NaN."""
    quoted = '"' + column.replace('"', '""') + '"'
    text = f"coalesce(CAST({quoted} AS VARCHAR), '')"
    if kind in {"FLOAT", "DOUBLE"}:
        return f"CASE WHEN isnan({quoted}) THEN '' ELSE regexp_replace({text}, '\\.0$', '') END"
    return text
