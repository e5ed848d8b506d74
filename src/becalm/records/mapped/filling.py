"""Filling chart-review sheets from flat tables with a mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from becalm.core.errors import RecordsError
from becalm.records.mapped.flat import Flat
from becalm.records.mapped.model import SPREAD, Cell, Mapped, SheetPart
from becalm.records.mapped.texts import CellTexts, cell_texts
from becalm.records.sheets.cells import BrokenCell, Sheet
from becalm.records.sheets.schema import SHEETS
from becalm.vocabulary.numbers import certain

_ONCE: Final = frozenset({"persons", "stays", "conditions"})
"""Sheets whose rows a flat table often repeats in every row: equal rows become one."""

_STATED: Final[Mapping[str, tuple[str, ...]]] = {
    "conditions": ("code", "name"), "procedures": ("code", "name"),
}  # fmt: skip
"""Columns that a mapping may fill for all persons, also for rows with only a person id."""

_TRACED: Final = frozenset({"labs", "doses"})
"""Sheets whose rows are identified by file name and number, not only by a number."""

_BEYOND: Final = 1_000_000_000
"""Added to row numbers from the second part of other sheets on, so that each is unique."""


def fill(mapped: Mapped, flats: Mapping[str, Flat]) -> dict[str, list[Sheet]]:
    """Return the sheets of each name, one for each part of the mapping.

    Raises `RecordsError` where the rows of one person disagree about that person.
    """
    read: dict[tuple[str, str], CellTexts] = {}
    labels: Counter[str] = Counter()
    sheets: dict[str, list[Sheet]] = {}
    for part in mapped.parts:
        flat = flats[part.table]
        cells: dict[str, CellTexts] = {}
        for name, cell in part.cells.items():
            if (cell.at, part.table) not in read:
                told = SHEETS[part.sheet].columns[name].blank != "kept"
                read[cell.at, part.table] = cell_texts(cell, part.table, flats, blank_is_told=told)
            cells[name] = read[cell.at, part.table]
        columns = {name: _stated(part, name, cell.texts) for name, cell in cells.items()}
        kept = _rows(part, flat, cells)
        label, beyond = "", _BEYOND * len(sheets.get(part.sheet, []))
        if part.sheet in _TRACED:
            label, beyond = _label(part, flat), 0
            labels[label] += 1
            label += f"#{labels[label]}" if labels[label] > 1 else ""
        sheet = Sheet(
            part.sheet,
            flat.file,
            {name: [texts[i] for i in kept] for name, texts in columns.items()},
            [flat.rows[i] for i in kept],
            broken=tuple(_broken(part, flat, cells, kept)),
            titles={
                name: _title(cell, flat, flats) for name, cell in part.cells.items() if cell.own
            },
            label=label,
            beyond=beyond,
        )
        sheets.setdefault(part.sheet, []).append(sheet)
    _agree(sheets["persons"][0])
    return sheets


def _title(cell: Cell, flat: Flat, flats: Mapping[str, Flat]) -> str:
    """Return the column that a message names; where another table is in the same file also the column there."""
    beside = bool(cell.table) and flats[cell.table].file == flat.file
    return f"{cell.column} of {cell.table}, looked up by {cell.own}" if beside else cell.own


def _stated(part: SheetPart, name: str, texts: list[str]) -> list[str]:
    """Return the texts of a column; a number that the mapping itself states has a decimal point."""
    stated = part.constant(name)
    if not stated or not SHEETS[part.sheet].columns[name].has_numbers:
        return texts
    return [certain(text) if text == stated else text for text in texts]


def rows_with_values(part: SheetPart, flat: Flat, cells: Mapping[str, CellTexts]) -> list[int]:
    """Return the positions of the table's rows that have values for the part, or cells that are broken."""
    if part.spread:
        counted = [cells[SPREAD[part.sheet]]]
    else:
        everybody = part.sheet == "persons" or any(map(part.constant, _STATED.get(part.sheet, ())))
        counted = [
            cells[name]
            for name, cell in part.cells.items()
            if cell.column and (name != "person_id" or everybody)
        ] or [cells["person_id"]]
    has_value = [any(row) for row in zip(*(cell.texts for cell in counted), strict=True)]
    for cell in counted:
        for i in cell.broken:
            has_value[i] = True
    return [i for i, kept in enumerate(flat.kept(part.where)) if kept and has_value[i]]


def _rows(part: SheetPart, flat: Flat, cells: Mapping[str, CellTexts]) -> list[int]:
    """Return the positions of the rows of the sheet: equal rows count once where that is usual."""
    rows = rows_with_values(part, flat, cells)
    if part.sheet not in _ONCE:
        return rows
    first: dict[tuple[object, ...], int] = {}
    for i in rows:
        row = tuple((cell.texts[i], i in cell.broken) for cell in cells.values())
        first.setdefault(row, i)
    return list(first.values())


def _broken(
    part: SheetPart, flat: Flat, cells: Mapping[str, CellTexts], kept: Sequence[int]
) -> Iterator[BrokenCell]:
    """Yield the broken cells of the rows that are kept, and those that decide which rows are kept."""
    rows = set(kept)
    for name, cell in cells.items():
        for i, wrong in cell.broken.items():
            if i in rows:
                yield BrokenCell(flat.rows[i], name, wrong.what, wrong.hint, wrong.kind)
    for i, what in flat.broken_for(part.where).items():
        yield BrokenCell(flat.rows[i], next(iter(part.where.where)), what)


def _label(part: SheetPart, flat: Flat) -> str:
    """Return the name that identifies rows: the file and, if spread over columns, the column."""
    text = f"{flat.stem}[{part.spread}]" if part.spread else flat.stem
    return text.replace("|", " ").replace(":", " ")


def _agree(persons: Sheet) -> None:
    """Raise an error if rows of one person have different values for that person."""
    first: dict[str, int] = {}
    for i, person in enumerate(persons.columns["person_id"]):
        before = first.setdefault(person, i)
        if not person or before == i:
            continue
        column = next(
            name for name in SHEETS["persons"].columns
            if persons.texts(name)[before] != persons.texts(name)[i]
        )  # fmt: skip
        was, now = persons.texts(column)[before], persons.texts(column)[i]
        raise RecordsError(
            f"person {person!r} has {column} {now or 'blank'!r} here and {was or 'blank'!r} in row "
            f"{persons.rows[before]}",
            where=persons.where(persons.rows[i], column),
            hint="Rows of one person must be equal in the columns of [persons]; correct one, or read "
            "the column into another sheet",
        )
