"""A flat table as text: the columns that a mapping reads, with their row numbers."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from becalm.core.errors import RecordsError, UnreadableFileError, place
from becalm.core.files import LONGEST_CELL
from becalm.records.mapped.model import (
    SEPARATED,
    WORKBOOK,
    Cell,
    FlatTable,
    extension,
    token,
    unnamed,
)
from becalm.records.sheets.cells import Cell as FileCell
from becalm.records.sheets.cells import cell_text, clean, too_long
from becalm.records.sheets.marks import decimal_mark
from becalm.records.sheets.read import csv_rows, parquet_rows
from becalm.records.sheets.reading import PLAIN_NUMBER
from becalm.records.sheets.workbook import tab_rows
from becalm.vocabulary.numbers import certain, spelling

_SEPARATOR: Final = {".tsv": "\t"}


@dataclass(frozen=True)
class Flat:
    """One table: the names of all columns, the cells of those that are read, and the row numbers.

    `stem` is the table's name in `source_row`. `broken` says what is wrong with a cell without a usable
    value (an error of a spreadsheet), by the position of its row and the name of its column. `notice` is the
    sentence about numbers that had two readings, '' without any.
    """

    file: str
    stem: str
    header: tuple[str, ...]
    columns: Mapping[str, list[str]]
    rows: Sequence[int]
    nothing: frozenset[str]
    broken: Mapping[tuple[int, str], str]
    notice: str = ""

    def broken_for(self, cell: Cell) -> dict[int, str]:
        """Return what is wrong in a row with one of the columns that a cell reads."""
        read = set(cell.read_columns())
        return {i: what for (i, column), what in self.broken.items() if column in read}

    def texts(self, cell: Cell) -> list[str]:
        """Return a cell's text in every row of the table."""
        texts = [cell.always] * len(self.rows) if not cell.column else self._read(cell)
        if not cell.where and not cell.only_with:
            return texts
        return [text if kept else "" for text, kept in zip(texts, self.kept(cell), strict=True)]

    def kept(self, cell: Cell) -> list[bool]:
        """Return the rows that meet the cell's conditions on other columns."""
        kept = [True] * len(self.rows)
        if cell.only_with:
            beside = self._read(Cell("", column=cell.only_with))
            kept = [bool(text) for text in beside]
        for column, allowed in cell.where.items():
            fits = {text: token(text) in allowed for text in set(self.columns[column])}
            kept = [
                so_far and fits[text]
                for so_far, text in zip(kept, self.columns[column], strict=True)
            ]
        return kept

    def _read(self, cell: Cell) -> list[str]:
        written = self.columns[cell.column]
        means = {text: self._meant(cell, text) for text in set(written)}
        texts = [means[text] for text in written]
        if cell.carry_down:
            above = ""
            for i, text in enumerate(texts):
                above = texts[i] = text or above
        return texts

    def _meant(self, cell: Cell, text: str) -> str:
        """Return the meaning of one text of a column."""
        known = token(text)
        if not text:
            return cell.words.get("", "")
        if known in self.nothing or known in cell.nothing:
            return ""
        if known in cell.words:
            return cell.words[known]
        return _number_meant(cell, text) if PLAIN_NUMBER.fullmatch(text) else text


def _number_meant(cell: Cell, text: str) -> str:
    """Return the meaning of a number."""
    if cell.whole and float(text).is_integer():
        return f"{float(text):.0f}"
    if cell.ceiling is not None and float(text) == cell.ceiling:
        return f">={text}"
    if cell.floor is not None and float(text) == cell.floor:
        return f"<={text}"
    return text


def read_flat(
    path: Path, table: FlatTable, used: Iterable[str], numeric: Container[str] = ()
) -> Flat:
    """Read the columns of one table that are used; missing columns are left out.

    The numbers of the columns `numeric` have a decimal point from here on, because sentinels and limits are
    compared as numbers; one with two readings that the file's other cells do not decide stays as typed.

    Raises `UnreadableFileError` for a file of another kind and a damaged one, and `RecordsError`
    for a used column that exists twice.
    """
    suffix, file = extension(path.name), path.name
    stem = path.name.removesuffix(".gz").rpartition(".")[0]
    separator = ""
    rows: Iterable[Sequence[FileCell]]
    broken: Mapping[tuple[int, int], str] = {}
    if suffix in SEPARATED:
        header, rows, separator = csv_rows(path, table.separator or _SEPARATOR.get(suffix, ""))
    elif suffix == ".parquet" and not path.name.endswith(".gz"):
        header, rows = parquet_rows(path, set(used))
    elif suffix == WORKBOOK and not path.name.endswith(".gz"):
        tab, header, rows, broken = tab_rows(path, table.sheet)
        file, stem = f"{path.name}, sheet {tab}", f"{stem} {tab}" if table.sheet else stem
    else:
        raise UnreadableFileError(
            "this file format cannot be read with a mapping",
            where=path.name,
            hint="Save it as .csv (UTF-8; or .csv.gz), .parquet or .xlsx",
        )
    titles = [clean(title) for title in header]
    names = tuple(title or unnamed(i) for i, title in enumerate(titles, start=1))
    wanted = {name: names.index(name) for name in dict.fromkeys(used) if name in names}
    for name in wanted:
        if names.count(name) > 1:
            raise RecordsError(
                f"the column {name} exists twice",
                where=place(file, 1),
                hint="Rename or remove one",
            )
    numbers: list[int] = []
    written: dict[str, list[FileCell]] = {name: [] for name in wanted}
    wrong: dict[tuple[int, str], str] = {}
    broken_rows = {row for row, _ in broken}
    for number, row in enumerate(rows, start=2):
        if not any(row) and number not in broken_rows:
            continue
        numbers.append(number)
        for name, position in wanted.items():
            cell = row[position]
            if isinstance(cell, str) and len(cell) > LONGEST_CELL:
                raise too_long(len(cell), place(file, number, name))
            written[name].append(cell)
            if (number, position) in broken:
                wrong[len(numbers) - 1, name] = broken[number, position]
    columns, notice = as_texts(written, numeric, separator)
    notice = notice and f"{file}: {notice}"
    return Flat(file, stem, names, columns, numbers, frozenset(table.nothing), wrong, notice)


def as_texts(
    written: Mapping[str, Sequence[FileCell]], numeric: Container[str], separator: str
) -> tuple[dict[str, list[str]], str]:
    """Return the columns as text, and the sentence about numbers that had two readings."""
    distinct = {name: set(cells) for name, cells in written.items()}
    decimal = decimal_mark(
        clean(cell)
        for name, cells in distinct.items()
        if name in numeric
        for cell in cells
        if isinstance(cell, str)
    )
    chosen: dict[str, str] = {}
    columns: dict[str, list[str]] = {}
    for name, cells in written.items():
        texts: dict[FileCell, str] = {}
        for cell in distinct[name]:
            text = texts[cell] = cell_text(cell, numeric=name in numeric)
            if not isinstance(cell, str) or (name not in numeric and separator != ";"):
                continue
            number = spelling(text)
            reading = decimal.decides(number) if number and not number.flag else ""
            if number and reading and (name in numeric or number.proves == ","):
                texts[cell] = certain(reading)
                if number.otherwise and reading != text:
                    chosen[text] = reading
        columns[name] = [texts[cell] for cell in cells]
    return columns, decimal.why(*min(chosen.items())) if chosen else ""
