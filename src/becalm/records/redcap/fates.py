"""What became of every field and every cell of an export: nothing is without a fate.

Each cell has one fate. `used` cells are in a sheet, and whether the sheet's own checks refuse them is told where
all sheets tell it (`rows_refused`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core.arrays import Array
from becalm.core.spreadsheets import CsvWriter
from becalm.records import Refusal
from becalm.records.mapped.filling import rows_with_values
from becalm.records.mapped.flat import Flat
from becalm.records.mapped.model import Cell, Mapped, SheetPart
from becalm.records.mapped.texts import as_key, cell_texts
from becalm.records.redcap.export import STANDS_ELSEWHERE, RedcapExport
from becalm.records.redcap.export_cells import CellText
from becalm.records.redcap.header import ExportColumn, possible
from becalm.records.redcap.tables import rows_of, used_columns
from becalm.records.sheets.blanks import IDS, stands_for_blank
from becalm.records.sheets.schema import SHEETS

USED: Final = "used"
AS_WRITTEN: Final = "used as written"
NO_MEANING: Final = "no meaning in the mapping"
LEFT_OUT: Final = "left out by the mapping"
NOT_USED: Final = "not used by the mapping"
MISSING_CODE: Final = "missing code"
NOT_TICKED: Final = "not ticked"
BLANK: Final = "blank"
OTHER_ROW: Final = "not of this row"
NOT_UNDERSTOOD: Final = "not understood"
OWN: Final = "REDCap's own"
FATES: Final = (
    USED, AS_WRITTEN, NO_MEANING, LEFT_OUT, NOT_USED, MISSING_CODE, NOT_TICKED, BLANK, OTHER_ROW,
    NOT_UNDERSTOOD, OWN,
)  # fmt: skip
NOT_EXPORTED: Final = "not exported"
HIDDEN: Final = "(not shown: the field identifies a person)"
NO_CELLS: Final = "text for the person who enters data, without cells"


class _Use(IntEnum):
    """How a mapping uses a cell, the strongest last."""

    NONE = 0
    LEFT_OUT = 1
    NO_MEANING = 2
    MISSING = 3
    USED = 4


@dataclass(frozen=True)
class FieldFate:
    """What became of one field of the dictionary, one box of a checkbox field, or one column of REDCap's own.

    `fills` are the columns of sheets that the mapping fills from it. `cells` has the number of cells by their fate.
    """

    column: str
    field: str
    form: str
    kind: str
    label: str
    fate: str
    fills: tuple[str, ...]
    cells: Mapping[str, int]


@dataclass(frozen=True)
class UnexplainedCell:
    """A cell that the dictionary does not explain: where it stands, why, and whether it was used as it is."""

    row: int
    column: str
    text: str
    why: str
    used: bool

    @classmethod
    def of(
        cls, row: int, column: ExportColumn, cell: CellText, why: str, *, used: bool
    ) -> UnexplainedCell:
        """Return a cell; the text of a field that identifies a person is not shown."""
        hidden = column.field is not None and column.field.identifier
        return cls(row, column.name, HIDDEN if hidden else cell.text, why, used)


@dataclass(frozen=True)
class CellFates:
    """The fates of all fields and cells of an export."""

    file: str
    rows: int
    columns: int
    fields: tuple[FieldFate, ...]
    unexplained: tuple[UnexplainedCell, ...]

    def counts(self) -> Counter[str]:
        """Return the number of cells by their fate; they add up to rows × columns."""
        found: Counter[str] = Counter()
        for one in self.fields:
            found.update(one.cells)
        return found

    def sentence(self) -> str:
        """Return the counts as a sentence."""
        counted = self.counts()
        told = [f"{counted[fate]:,} {fate}" for fate in FATES if counted[fate]]
        text = (
            f"The REDCap export {self.file} has {self.rows:,} rows and {self.columns:,} columns, "
            f"{self.rows * self.columns:,} cells: {', '.join(told) or 'none'}."
        )
        if self.unexplained:
            first = self.unexplained[0]
            text += (
                f" {len(self.unexplained):,} cells are not explained by the dictionary, first in row "
                f"{first.row}, column {first.column}: {first.text!r} is {first.why}."
            )
        return text

    def refused(self) -> tuple[Refusal, ...]:
        """Return the cells that are not explained and not read, of columns that the mapping reads."""
        read = {one.column for one in self.fields if one.fills}
        found: dict[tuple[str, str], list[UnexplainedCell]] = {}
        for one in self.unexplained:
            if one.column in read and not one.used:
                found.setdefault((one.column, one.why), []).append(one)
        table = self.file.removesuffix(".gz").rpartition(".")[0]
        return tuple(
            Refusal(table, column, "", why, len(cells), f"{table}:{cells[0].row} {cells[0].text}")
            for (column, why), cells in sorted(found.items())
        )

    def lines(self) -> Iterator[str]:
        """Yield the summary that the command prints."""
        yield self.sentence()
        yield ""
        by_fate = Counter(one.fate for one in self.fields)
        yield f"{len(self.fields):,} fields, boxes and columns of REDCap's own:"
        yield from (f"  {n:>6,}  {fate}" for fate, n in by_fate.most_common())
        unused = [one for one in self.fields if one.fate == NOT_USED and one.cells.get(NOT_USED)]
        if unused:
            yield ""
            yield "Not used by the mapping, though cells have values:"
            for one in unused:
                yield f"  {one.cells[NOT_USED]:>6,}  {one.column} ({one.form}): {one.label}"

    def write(self, folder: Path) -> None:
        """Write `fields.csv`, `cells.csv` and `not_understood.csv` into a folder."""
        _write(
            folder / "fields.csv",
            ("column", "field", "instrument", "type", "label", "fate", "fills", *FATES),
            [
                (
                    one.column, one.field, one.form, one.kind, one.label, one.fate,
                    "; ".join(one.fills), *(one.cells.get(fate, 0) for fate in FATES),
                )
                for one in self.fields
            ],
        )  # fmt: skip
        _write(
            folder / "cells.csv",
            ("column", "fate", "cells"),
            [(one.column, fate, n) for one in self.fields for fate, n in sorted(one.cells.items())],
        )
        _write(
            folder / "not_understood.csv",
            ("row", "column", "text", "why", "used"),
            [
                (one.row, one.column, one.text, one.why, "as written" if one.used else "no")
                for one in self.unexplained
            ],
        )


def _write(file: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = CsvWriter(out)
        writer.row(header)
        writer.rows(rows)


def cell_fates(mapped: Mapped, export: RedcapExport, tables: Mapping[str, Flat]) -> CellFates:
    """Return what became of every field and cell of an export that a mapping reads."""
    uses = _Uses(export, tables)
    for part in mapped.parts:
        uses.mark(part)
    fills = {column: names for (_, column), names in _by_column(used_columns(mapped)).items()}
    unexplained: list[UnexplainedCell] = []
    counted: dict[str, Counter[str]] = {}
    for position, column in enumerate(export.columns):
        counted[column.name] = counts = Counter[str]()
        cells = export.cells[position]
        of_form = np.zeros(len(export.rows), np.bool_)
        of_form[export.rows_of_form.get(column.form, [])] = True
        elsewhere = export.stands_elsewhere(position)
        keys = list(
            zip(map(id, cells), uses.of(position), of_form.tolist(), elsewhere, strict=True)
        )
        by_id = {id(cell): cell for cell in cells}
        for key, n in Counter(keys).items():
            cell = by_id[key[0]]
            fate, why = _fate(column, cell, _Use(key[1]), of_form=key[2], elsewhere=key[3])
            counts[fate] += n
            if why:
                unexplained += (
                    UnexplainedCell.of(export.rows[row], column, cell, why, used=fate == AS_WRITTEN)
                    for row, each in enumerate(keys)
                    if each == key
                )
    fields = tuple(_fields(export, fills, counted))
    unexplained.sort(key=lambda one: (one.row, export.at[one.column]))
    return CellFates(export.file, len(export.rows), len(export.columns), fields, tuple(unexplained))


def _by_column(
    used: Mapping[tuple[str, str], Sequence[str]],
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Join what several tables read from one column."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for (_, column), names in used.items():
        found["", column] = tuple(dict.fromkeys((*found.get(("", column), ()), *names)))
    return found


def _fate(
    column: ExportColumn, cell: CellText, use: _Use, *, of_form: bool, elsewhere: bool
) -> tuple[str, str]:
    """Return the fate of a cell, and why the dictionary does not explain it ('' if it does).

    of_form : whether its row is one of its form. elsewhere : whether its row repeats another form.
    """
    nothing = {""} if column.role in {"value", "survey"} else {"", "0"}
    if elsewhere and cell.text not in nothing:
        return NOT_UNDERSTOOD, STANDS_ELSEWHERE
    if not column.holds_data:
        return OWN, ""
    is_box = column.role == "box" and cell.text == "0"
    if not cell.text or (is_box and use is not _Use.USED):
        said = NOT_TICKED if is_box else BLANK
        return (said if of_form else OTHER_ROW), ""
    if cell.is_missing or column.missing or (use is _Use.MISSING):
        return MISSING_CODE, ""
    if cell.odd and use is not _Use.NO_MEANING:
        return (AS_WRITTEN if use is _Use.USED else NOT_UNDERSTOOD), cell.odd
    return _OF_USE[use], ""


_OF_USE: Final = {
    _Use.NONE: NOT_USED,
    _Use.LEFT_OUT: LEFT_OUT,
    _Use.NO_MEANING: NO_MEANING,
    _Use.USED: USED,
}


def _fields(
    export: RedcapExport,
    fills: Mapping[str, tuple[str, ...]],
    counted: Mapping[str, Counter[str]],
) -> Iterator[FieldFate]:
    """Yield the fate of every field, box and column of REDCap's own, in the order of the dictionary."""
    columns = {column.name: column for column in possible(export.dictionary, {})}
    columns |= {column.name: column for column in export.columns}
    by_field: dict[str, list[ExportColumn]] = {}
    for column in columns.values():
        if column.field is not None:
            by_field.setdefault(column.field.name, []).append(column)
        elif column.name in counted:
            yield FieldFate(
                column.name, "", column.form, "", column.title, OWN,
                fills.get(column.name, ()), counted[column.name],
            )  # fmt: skip
    for one in export.dictionary.fields:
        if not one.is_exported:
            yield FieldFate("", one.name, one.form, one.kind, one.label, NO_CELLS, (), {})
        for column in by_field.get(one.name, ()):
            if column.name not in counted:
                fate = NOT_EXPORTED
            elif column.role == "record":
                fate = OWN
            else:
                fate = USED if fills.get(column.name) else NOT_USED
            yield FieldFate(
                column.name, one.name, column.form or one.form, one.kind, column.title, fate,
                fills.get(column.name, ()), counted.get(column.name, {}),
            )  # fmt: skip


class _Uses:
    """How the parts of a mapping use the cells of an export, by position of column and row."""

    def __init__(self, export: RedcapExport, tables: Mapping[str, Flat]) -> None:
        self._export = export
        self._tables = tables
        self._rows = {table: rows_of(export, table) for table in tables}
        self._found: dict[int, Array] = {}

    def of(self, position: int) -> list[int]:
        """Return the use of every cell of a column."""
        found = self._found.get(position)
        return [0] * len(self._export.rows) if found is None else found.tolist()

    def mark(self, part: SheetPart) -> None:
        """Note how one part of the mapping uses the cells of its tables."""
        flat = self._tables[part.table]
        cells = {}
        for name, cell in part.cells.items():
            told = SHEETS[part.sheet].columns[name].blank != "kept"
            cells[name] = cell_texts(cell, part.table, self._tables, blank_is_told=told)
        kept = set(rows_with_values(part, flat, cells))
        for column in part.where.read_columns():
            self._note(part.table, column, dict.fromkeys(range(len(flat.rows)), _Use.USED))
        for name, cell in part.cells.items():
            found = cells[name]
            blank = _blank_in(part, name)
            says = {
                i: _says(found.texts[i], blank(found.texts[i]), broken=i in found.broken)
                if i in kept
                else _Use.LEFT_OUT
                for i in range(len(flat.rows))
            }
            self._cell(cell, part.table, kept, says)

    def _cell(self, cell: Cell, table: str, kept: set[int], says: Mapping[int, _Use]) -> None:
        """Note the use of everything that a cell reads; `says` is what it gives in each row of its table."""
        decided = {i: _Use.USED if i in kept else _Use.LEFT_OUT for i in says}
        if cell.table:
            self._looked_up(cell, table, kept, decided)
        else:
            if cell.column:
                self._note(table, cell.column, says)
            for column in (cell.only_with, *cell.where):
                if column:
                    self._note(table, column, decided)
        if cell.since:
            self._cell(cell.since, table, kept, decided)

    def _looked_up(
        self, cell: Cell, table: str, kept: set[int], decided: Mapping[int, _Use]
    ) -> None:
        """Note the use of a look-up: of the rows of the other table that were asked for."""
        assert cell.by is not None
        assert cell.key is not None
        for own in (cell.by, cell.otherwise):
            if own is not None and own.column:
                self._note(table, own.column, decided)
        flat, other = self._tables[table], self._tables[cell.table]
        asked_of = flat.texts(cell.by)
        asked = {as_key(asked_of[i]) for i in kept}
        keys, values = other.texts(cell.key), other.texts(cell)
        found = {
            i: (_Use.USED if values[i] else _Use.NO_MEANING)
            if as_key(key) in asked
            else _Use.LEFT_OUT
            for i, key in enumerate(keys)
        }
        for column in (cell.key.column, *cell.read_columns()):
            self._note(cell.table, column, found)

    def _note(self, table: str, column: str, uses: Mapping[int, _Use]) -> None:
        position = self._export.at.get(column)
        if position is None:
            return
        found = self._found.setdefault(position, np.zeros(len(self._export.rows), np.int8))
        rows = np.array(self._rows[table], np.int64)[list(uses)]
        found[rows] = np.maximum(found[rows], np.fromiter(uses.values(), np.int8, len(uses)))


class _Blank:
    """Whether a text stands for a blank in a column of a sheet."""

    def __init__(self, part: SheetPart, name: str) -> None:
        column = SHEETS[part.sheet].columns[name]
        words = (*column.among, *column.spelled, *column.meant)
        self._meant = {" ".join(word.casefold().split()) for word in words}
        self._is_id = name in IDS

    def __call__(self, text: str) -> bool:
        return stands_for_blank(text, self._meant, identifier=self._is_id)


def _blank_in(part: SheetPart, name: str) -> _Blank:
    return _Blank(part, name)


def _says(text: str, is_blank: bool, *, broken: bool) -> _Use:
    """Return how a cell of a row that is kept was used."""
    if broken:
        return _Use.USED
    if not text:
        return _Use.NO_MEANING
    return _Use.MISSING if is_blank else _Use.USED
