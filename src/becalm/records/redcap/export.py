"""An export of a REDCap project as it is: rows, the form each belongs to, and what each cell says.

A row holds the data of one record at one event: of one instance of a repeating instrument, of one instance of a
repeating event, or of all instruments that do not repeat. So most cells of an export are blank because their
field is not of that row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core.arrays import Mask
from becalm.core.errors import RecordsError, place
from becalm.core.files import LONGEST_CELL
from becalm.records.files import read_text
from becalm.records.mapped.model import RedcapBlock
from becalm.records.redcap.dictionary import (
    RedcapDictionary,
    form_of_label,
    plain,
)
from becalm.records.redcap.events import event_names
from becalm.records.redcap.export_cells import CellText, ExportCells, form_of_cell
from becalm.records.redcap.header import COMPLETE, INSTRUMENT, ExportColumn, columns_of, possible
from becalm.records.sheets.cells import clean, too_long
from becalm.records.sheets.read import csv_rows

MISSING: Final = "(missing code)"
UNTICKED: Final = "(not ticked)"
NOTHING: Final = frozenset({MISSING, UNTICKED})
"""What stands in a column of a table for a cell that says nothing; no word of a mapping replaces it."""
STANDS_ELSEWHERE: Final = "a value of another instrument than the one its row repeats"


@dataclass(frozen=True)
class RedcapExport:
    """An export that was read: every row, every column.

    `columns` and `cells` have the same order; `rows` are the row numbers of a spreadsheet. `repeats` has the form that a
    row repeats, '' for the others.
    """

    file: str
    dictionary: RedcapDictionary
    columns: tuple[ExportColumn, ...]
    rows: Sequence[int]
    cells: Sequence[Sequence[CellText]]
    repeats: Sequence[str]
    values: str
    separator: str = ","
    at: Mapping[str, int] = field(default_factory=dict)

    def column(self, name: str) -> list[str]:
        """Return the texts of a column, blanks where the export does not have it."""
        position = self.at.get(name)
        if position is None:
            return [""] * len(self.rows)
        return [cell.text for cell in self.cells[position]]

    def role(self, role: str) -> list[str]:
        """Return the texts of the column with a role of REDCap's own."""
        name = next((column.name for column in self.columns if column.role == role), "")
        return self.column(name)

    @cached_property
    def visits(self) -> list[str]:
        """Return what the rows of one visit have in common: record, event, and the event's instance."""
        parts = zip(
            self.role("record"),
            self.role("event"),
            self.role("instance"),
            self.repeats,
            strict=True,
        )
        return [
            " | ".join(part for part in (record, event, "" if form else instance) if part)
            for record, event, instance, form in parts
        ]

    def stands_elsewhere(self, position: int) -> list[bool]:
        """Return the rows that repeat another instrument than that of a column."""
        form = self.columns[position].form
        return [bool(form) and repeated not in ("", form) for repeated in self.repeats]

    @cached_property
    def rows_of_form(self) -> Mapping[str, list[int]]:
        """The positions of the rows in which each form has something: a value, a tick, or a status above 0.

        An instance that was opened and left empty is none of them.
        """
        repeats = np.array(self.repeats, dtype=object)
        found = {form: np.zeros(len(self.rows), np.bool_) for form in self.dictionary.forms}
        for position, column in enumerate(self.columns):
            if column.role in {"value", "box", "status"}:
                nothing = {""} if column.role == "value" else {"", "0"}
                has = (cell.text not in nothing for cell in self.cells[position])
                found[column.form] |= np.fromiter(has, np.bool_, len(self.rows))
        return {
            form: np.flatnonzero(has & ((repeats == "") | (repeats == form))).tolist()
            for form, has in found.items()
        }

    @cached_property
    def first_rows(self) -> list[int]:
        """The position of the first row of each record."""
        first: dict[str, int] = {}
        for row, record in enumerate(self.role("record")):
            first.setdefault(record, row)
        return list(first.values())

    @cached_property
    def silent_boxes(self) -> Mapping[int, Mask]:
        """The rows in which a box says nothing though it is not ticked, by the position of its column.

        A box says something if another box of its question is ticked, or if the form is Complete. Beside a box
        for a missing data code the others say nothing.
        """
        groups: dict[str, list[int]] = {}
        for position, column in enumerate(self.columns):
            if column.role == "box" and column.field is not None:
                groups.setdefault(column.field.name, []).append(position)
        silent: dict[int, Mask] = {}
        for positions in groups.values():
            form = self.columns[positions[0]].form
            complete = self._equal_to(self.column(f"{form}{COMPLETE}"), "2")
            ticked = {p: self._equal_to((c.text for c in self.cells[p]), "1") for p in positions}
            coded = [ticked[p] for p in positions if self.columns[p].missing]
            answered = np.logical_or.reduce([complete, *ticked.values()])
            unknown = np.logical_or.reduce([~answered, *coded])
            for p in positions:
                silent[p] = unknown & ~ticked[p]
        return silent

    @staticmethod
    def _equal_to(texts: Iterable[str], text: str) -> Mask:
        return np.fromiter((each == text for each in texts), np.bool_)


def read_export(
    path: Path, dictionary: RedcapDictionary, block: RedcapBlock, events: Path | None = None
) -> RedcapExport:
    """Read an export, raw or labelled.

    block : what the mapping says of it. events : the project's table of events, if there is one.

    Raises `UnreadableFileError` for a damaged file and `RecordsError`, with file, row and column, where the
    dictionary does not fit, codes and labels are mixed, an instrument has no known name, or a row is there twice.
    """
    header, lines, separator = _lines(path, dictionary, block)
    columns = columns_of(path.name, header, dictionary, block.missing)
    rows: list[int] = []
    texts: list[list[str]] = [[] for _ in columns]
    for number, line in enumerate(lines, start=2):
        if not any(line):
            continue
        rows.append(number)
        for position, text in enumerate(line):
            if len(text) > LONGEST_CELL:
                raise too_long(len(text), place(path.name, number, columns[position].name))
            texts[position].append(clean(text))
    values = _values(path.name, columns, rows, texts, block)
    reader = ExportCells.of(
        path.name, values, block.missing, event_names(events) if events else None
    )
    cells = [
        reader.column(column, rows, column_texts)
        for column, column_texts in zip(columns, texts, strict=True)
    ]
    at = {column.name: position for position, column in enumerate(columns)}
    repeats = [""] * len(rows)
    for column, column_texts in zip(columns, texts, strict=True):
        if column.role == "instrument":
            repeats = _repeated(path.name, dictionary, rows, column_texts, block)
    export = RedcapExport(
        path.name, dictionary, columns, rows, cells, repeats, values, separator, at
    )
    _check_rows(export)
    return export


def _lines(
    path: Path, dictionary: RedcapDictionary, block: RedcapBlock
) -> tuple[Sequence[str], Iterator[list[str]], str]:
    """Return header, rows and separator; an export without any record is an empty file."""
    if not read_text(path).strip():
        expected = (c for c in possible(dictionary, block.missing) if c.holds_data)
        return [dictionary.record_id.name, *(c.name for c in expected)], iter(()), ","
    return csv_rows(path, block.separator)


# ------------------------------------------------------------ codes or labels


def _values(
    file: str,
    columns: Sequence[ExportColumn],
    rows: Sequence[int],
    texts: Sequence[Sequence[str]],
    block: RedcapBlock,
) -> str:
    """Return whether the cells of choices are codes (`raw`) or `labels`.

    Raises `RecordsError` where the cells do not decide it, or contradict what the mapping says.
    """
    shown: dict[str, str] = {}
    count = {"raw": 0, "labels": 0}
    both = ""
    for column, cells in zip(columns, texts, strict=True):
        for text in dict.fromkeys(cells):
            kind = form_of_cell(column, text)
            where = place(file, rows[cells.index(text)], column.name)
            if kind in count:
                count[kind] += cells.count(text)
                shown.setdefault(kind, f"{text!r} ({where})")
            elif kind:
                both = (
                    both or f"{where}: {text!r} is the code of one choice and the label of another"
                )
    stated = block.values
    other = {"raw": "labels", "labels": "raw"}
    if stated and count[other[stated]] > count[stated]:
        names = {"raw": "codes", "labels": "labels"}
        raise RecordsError(
            f"the cells of choices are {names[other[stated]]}, such as {shown[other[stated]]}, and the "
            f"mapping says that they are {names[stated]}",
            where=file,
            hint=f'Write values = "{other[stated]}" under [redcap], or export it again',
        )
    if stated:
        return stated
    if count["raw"] and count["labels"]:
        raise RecordsError(
            f"some cells of choices are codes, such as {shown['raw']}, and others labels, such as "
            f"{shown['labels']}",
            where=file,
            hint='Export it again, or write values = "raw" or "labels" under [redcap]',
        )
    if both and not (count["raw"] or count["labels"]):
        raise RecordsError(both, hint='Write values = "raw" or "labels" under [redcap]')
    return "labels" if count["labels"] else "raw"


# ------------------------------------------------------------ rows


def _repeated(
    file: str,
    dictionary: RedcapDictionary,
    rows: Sequence[int],
    texts: Sequence[str],
    block: RedcapBlock,
) -> list[str]:
    """Return the form that each row repeats, '' for rows of all instruments."""
    stated = {plain(label).casefold(): form for label, form in block.instruments.items()}
    found: dict[str, str] = {"": ""}
    for text in dict.fromkeys(texts):
        if not text:
            continue
        form = stated.get(plain(text).casefold(), text)
        if form not in dictionary.forms:
            form = form_of_label(form)
        if form not in dictionary.forms:
            raise RecordsError(
                f"no form of {dictionary.file} is known as {text!r}",
                where=place(file, rows[texts.index(text)], INSTRUMENT),
                hint=f"Write under [redcap]: instruments = {{ '{text}' = 'FORM' }}; "
                f"forms: {', '.join(dictionary.forms[:12])}",
            )
        found[text] = form
    return [found[text] for text in texts]


def _check_rows(export: RedcapExport) -> None:
    """Raise an error if one row of the project is there twice."""
    seen: dict[tuple[str, ...], int] = {}
    keys = zip(
        export.role("record"), export.role("event"), export.repeats, export.role("instance"),
        strict=True,
    )  # fmt: skip
    for row, key in zip(export.rows, keys, strict=True):
        if key in seen:
            named = ", ".join(part for part in key if part)
            raise RecordsError(
                f"the row {named} (record, event, instrument, instance) is already in row {seen[key]}",
                where=place(export.file, row),
                hint="Two exports may have been joined: keep one of the two rows",
            )
        seen[key] = row
