"""Filling chart-review sheets from flat tables with a mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from becalm.core.errors import RecordsError
from becalm.records.mapped.flat import Flat
from becalm.records.mapped.model import SPREAD, Mapped, SheetPart
from becalm.records.sheets.cells import Sheet
from becalm.records.sheets.schema import SHEETS

_ONCE: Final = frozenset({"persons", "stays", "conditions"})
"""Sheets whose rows a flat table often repeats in every row: equal rows become one."""

_STATED: Final[Mapping[str, tuple[str, ...]]] = {
    "conditions": ("code", "name"), "procedures": ("name",),
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
    read: dict[str, list[str]] = {}
    labels: Counter[str] = Counter()
    sheets: dict[str, list[Sheet]] = {}
    for part in mapped.parts:
        flat = flats[part.table]
        for cell in part.cells.values():
            if cell.at not in read:
                read[cell.at] = flat.texts(cell)
        columns = {name: read[cell.at] for name, cell in part.cells.items()}
        kept = _rows(part, flat, columns)
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
            titles={name: cell.column for name, cell in part.cells.items() if cell.column},
            label=label,
            beyond=beyond,
        )
        sheets.setdefault(part.sheet, []).append(sheet)
    _agree(sheets["persons"][0])
    return sheets


def _rows(part: SheetPart, flat: Flat, columns: Mapping[str, list[str]]) -> list[int]:
    """Return the positions of the table's rows that have values for the part."""
    if part.spread:
        has_value = [bool(text) for text in columns[SPREAD[part.sheet]]]
    else:
        everybody = part.sheet == "persons" or any(map(part.constant, _STATED.get(part.sheet, ())))
        values = [
            columns[name]
            for name, cell in part.cells.items()
            if cell.column and (name != "person_id" or everybody)
        ] or [columns["person_id"]]
        has_value = [any(row) for row in zip(*values, strict=True)]
    rows = [i for i, kept in enumerate(flat.kept(part.where)) if kept and has_value[i]]
    if part.sheet not in _ONCE:
        return rows
    first: dict[tuple[str, ...], int] = {}
    for i in rows:
        first.setdefault(tuple(texts[i] for texts in columns.values()), i)
    return list(first.values())


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
