"""A sheet as text: every cell and row number as in a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from becalm.core.errors import RecordsError, place
from becalm.core.files import LONGEST_CELL
from becalm.records.sheets.marks import UNDECIDED, DecimalMark, decimal_mark
from becalm.records.sheets.schema import SHEETS
from becalm.vocabulary.numbers import certain

_INVISIBLE: Final = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")
_LIKELY: Final = 0.8


@dataclass(frozen=True)
class BrokenCell:
    """A cell without a usable value, such as an Excel error or a formula that was not calculated.

    Mistakes of one `kind` in one column are told in one line.
    """

    row: int
    column: str
    what: str
    hint: str = "Correct it, or clear the cell if the value is unknown"
    kind: str = "broken"


@dataclass(frozen=True, slots=True)
class TypedNumber:
    """A cell that a file holds as a number, so that nobody typed its decimal mark."""

    text: str

    def __str__(self) -> str:
        return self.text


Cell: TypeAlias = str | TypedNumber


@dataclass(frozen=True)
class Sheet:
    """One sheet: named columns of text, the rows that are not blank, and their row numbers.

    `decimal` is the decimal mark of its numbers, as far as its cells decide it. `titles` are the file's
    own names of columns, if different. `label` is the name of the table in `source_row`, by default
    the sheet's name; `beyond` is added to row numbers there, so that several sheets of one name have
    different numbers. `elapsed` has the µs from start to end of rows whose offsets give it, by row number.
    """

    name: str
    file: str
    columns: dict[str, list[str]]
    rows: list[int]
    decimal: DecimalMark = UNDECIDED
    broken: tuple[BrokenCell, ...] = ()
    unread: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    beyond: int = 0
    elapsed: Mapping[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def texts(self, column: str) -> list[str]:
        """Return a column; a column that the sheet does not have is blank."""
        return self.columns.get(column) or [""] * len(self.rows)

    def where(self, row: int | None = None, column: str | None = None) -> str:
        """Return a place in this sheet in the form of messages."""
        return place(self.file, row, column and self.titles.get(column, column))

    @property
    def table(self) -> str:
        """The name of the table in `source_row`."""
        return self.label or self.name

    @property
    def keys(self) -> list[int]:
        """Each row's own key in `table`."""
        return [row + self.beyond for row in self.rows] if self.beyond else self.rows


def clean(text: str) -> str:
    """Return text without surrounding blanks and without invisible characters."""
    return text.strip() if text.isascii() else _INVISIBLE.sub("", text).strip()


def cell_text(cell: Cell, *, numeric: bool) -> str:
    """Return a cell's text; in a column of numbers a typed number has a form with only one reading."""
    if isinstance(cell, str):
        return clean(cell)
    return certain(cell.text) if numeric else cell.text


def make_sheet(
    name: str,
    file: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    broken: Sequence[tuple[int, int, str]] = (),
) -> Sheet:
    """Build a sheet from its header (row 1) and the rows beneath it, blank rows included.

    Each row is as long as the header. `broken` holds (row, position, what) of broken cells.
    Raises `RecordsError` for a header that cannot be understood.
    """
    names = _names(name, file, [clean(title) for title in header])
    kept: list[Sequence[Cell]] = []
    numbers: list[int] = []
    for number, row in enumerate(rows, start=2):
        if any(row):
            kept.append(row)
            numbers.append(number)
    across = list(zip(*kept, strict=True)) if kept else [()] * len(header)
    columns: dict[str, list[str]] = {}
    typed_by_hand: set[str] = set()
    too_long: list[RecordsError] = []
    for position, column in enumerate(names):
        if column in SHEETS[name].columns:
            numeric = SHEETS[name].columns[column].has_numbers
            too_long += _too_long(file, column, across[position], numbers)
            seen = {cell: cell_text(cell, numeric=numeric) for cell in set(across[position])}
            columns[column] = [seen[cell] for cell in across[position]]
            if numeric:
                typed_by_hand |= {text for cell, text in seen.items() if isinstance(cell, str)}
    if too_long:
        raise RecordsError.of(too_long)
    return Sheet(
        name,
        file,
        columns,
        numbers,
        decimal_mark(typed_by_hand),
        tuple(
            BrokenCell(row, names[position], what)
            for row, position, what in broken
            if position < len(names) and names[position] in columns
        ),
        tuple(column for column in names if column and column not in columns),
    )


def _too_long(
    file: str, column: str, cells: Sequence[Cell], rows: Sequence[int]
) -> list[RecordsError]:
    """Return the mistake of a column with a cell that is longer than a cell can be, the first of them."""
    for cell, row in zip(cells, rows, strict=True):
        if isinstance(cell, str) and len(cell) > LONGEST_CELL:
            return [too_long(len(cell), place(file, row, column))]
    return []


def too_long(length: int, where: str) -> RecordsError:
    """Return the mistake of a cell that is longer than a cell can be."""
    return RecordsError(
        f"the cell has {length:,} characters, more than {LONGEST_CELL:,}",
        where=where,
        hint="Shorten it; a quotation mark without its partner may have joined many rows",
    )


def _names(sheet: str, file: str, header: list[str]) -> list[str]:
    """Check the header: no column twice, all required columns, one of the alternatives.

    Raises one `RecordsError` with all its mistakes.
    """
    schema = SHEETS[sheet]
    known = {column.casefold(): column for column in schema.columns}
    names = [known.get(title.casefold(), title) for title in header]
    if not any(names):
        raise RecordsError(
            "row 1 has no column names",
            where=file,
            hint=f"Row 1 must name the columns: {', '.join(schema.required())}",
        )
    wrong = [
        RecordsError(
            f"the column {column} exists twice", where=place(file, 1), hint="Rename or remove one"
        )
        for column in schema.columns
        if names.count(column) > 1
    ]
    others = [name for name in names if name and name not in schema.columns]
    wrong += [
        _missing(file, column, [column], others)
        for column in schema.required()
        if column not in names
    ]
    if schema.either and not any(set(group) <= set(names) for group in schema.either):
        groups = " or ".join(" with ".join(group) for group in schema.either)
        lacking = [c for group in schema.either for c in group if c not in names]
        wrong.append(_missing(file, groups, lacking, others))
    if wrong:
        raise RecordsError.of(wrong)
    return names


def _missing(file: str, what: str, lacking: list[str], others: list[str]) -> RecordsError:
    """Return the error for a missing required column, with the column that is perhaps meant."""
    hint = "Add it to row 1, which names the columns"
    for column in lacking:
        if meant := near(column, others):
            hint = f"Is {meant!r} meant? Rename it to {column!r}"
    return RecordsError(f"the required column {what} is missing", where=place(file, 1), hint=hint)


def near(word: str, candidates: Iterable[str]) -> str:
    """Return the candidate that is probably a misspelling of `word`, or ''."""
    import difflib

    folded = {candidate.casefold(): candidate for candidate in candidates}
    similar = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=_LIKELY)
    return folded[similar[0]] if similar else ""


def misspelt_sheet(file: str, stem: str, present: Iterable[str]) -> RecordsError | None:
    """Return the mistake of a file or tab that is probably a sheet with a misspelt name."""
    meant = near(stem, set(SHEETS) - set(present))
    if not meant:
        return None
    return RecordsError(
        f"{stem!r} is not the name of a sheet",
        where=file,
        hint=f"Did you mean {meant!r}? Rename it, or move it away if it is something else",
    )
