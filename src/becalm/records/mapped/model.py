"""A mapping file: the columns of flat tables that fill the chart-review sheets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from becalm.records import StudyInfo
from becalm.records.sheets.reading import PLAIN_NUMBER
from becalm.records.sheets.schema import SHEETS
from becalm.vocabulary import Vocabulary, load
from becalm.vocabulary.site_words import SiteWords

SPREAD: Final[Mapping[str, str]] = {
    "labs": "value",
    "doses": "amount",
    "findings": "present",
    "conditions": "status",
    "cultures": "result",
}
"""Sheets that a table may spread over columns, one for each variable, and the column they fill."""


WORKBOOK: Final = ".xlsx"
SEPARATED: Final = (".csv", ".tsv", ".txt")
UNITS_OF_TIME: Final = ("minutes", "hours", "days")


def unnamed(position: int) -> str:
    """Return the name that is used for a column without one; its position counts from 1."""
    return f"{position} (without a name)"


def position_of(column: str) -> int | None:
    """Return the position in a name made by `unnamed`, None for another name."""
    digits = column.partition(" ")[0]
    return int(digits) if digits.isdecimal() and column == unnamed(int(digits)) else None


def extension(file: str) -> str:
    """Return the extension of a file's name in lower case, without that of a compressed file."""
    return Path(file.removesuffix(".gz")).suffix.lower()


def token(text: str) -> str:
    """Return a text in the form for comparison: lower case, numbers by value (`1.0` is `1`)."""
    if PLAIN_NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return f"{float(text):.17g}"
    return text.casefold()


@dataclass(frozen=True)
class Cell:
    """The origin of the cells of one column of a sheet.

    They come from a `column` of the table, or are `always` one text. `words` replaces texts of the
    table, '' an empty cell; `nothing` are texts that mean no value. The cell counts only `where` other columns have
    certain texts, and `only_with` a value in another column. `carry_down` fills a blank with the cell
    above; `whole` writes 12.0 as 12. A number equal to `ceiling` or `floor` is the limit of the assay.
    `at` is the place in the mapping.

    With `table` the cell is looked up in that other table: in the row whose `key` is equal to `by` of the
    part's own table; where no row has that key it is `otherwise`, a cell of the own table, and without one that
    is a mistake. With `counted_in` (minutes, hours, days) its number is a length of time `since` another
    cell; the number `first` is that time itself.
    """

    at: str
    column: str = ""
    always: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    nothing: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only_with: str = ""
    carry_down: bool = False
    whole: bool = False
    ceiling: float | None = None
    floor: float | None = None
    verified: bool = True
    source: str = ""
    table: str = ""
    key: Cell | None = None
    by: Cell | None = None
    otherwise: Cell | None = None
    counted_in: str = ""
    since: Cell | None = None
    first: float = 0.0

    @property
    def own(self) -> str:
        """The column of the part's own table that the cell begins with, '' if none."""
        return self.by.column if self.by else self.column

    def read_columns(self) -> Iterator[str]:
        """Yield the columns that the cell itself reads, all of one table."""
        yield from (name for name in (self.column, self.only_with, *self.where) if name)

    def used(self, own_table: str) -> Iterator[tuple[str, str, str]]:
        """Yield table and column of everything that is read, each with the place that names it."""
        table = self.table or own_table
        if self.column:
            yield table, self.column, self.at
        if self.only_with:
            yield table, self.only_with, f"{self.at}.only_with"
        for column in self.where:
            yield table, column, f"{self.at}.where.{column}"
        if self.key:
            yield from self.key.used(table)
        for cell in (self.by, self.otherwise):
            if cell:
                yield from cell.used(own_table)
        if self.since:
            yield from self.since.used(own_table)

    def inner(self) -> Iterator[Cell]:
        """Yield the cell and the cells within it."""
        yield self
        for cell in (self.key, self.by, self.otherwise, self.since):
            if cell:
                yield from cell.inner()


@dataclass(frozen=True)
class SheetPart:
    """One sheet, or a piece of one, filled from one table.

    `spread` is the column of the table for one variable, '' if each row has its own variable. `where`
    selects the rows of the table.
    """

    at: str
    sheet: str
    table: str
    cells: Mapping[str, Cell]
    where: Cell
    spread: str = ""

    def used(self) -> Iterator[tuple[str, str, str]]:
        """Yield table and column of everything that is read, each with the place that names it."""
        for cell in (*self.cells.values(), self.where):
            yield from cell.used(self.table)

    def numeric(self) -> Iterator[tuple[str, str]]:
        """Yield table and column of what is read as a number."""
        for name, cell in self.cells.items():
            counted = cell.counted_in
            if cell.column and (counted or SHEETS[self.sheet].columns[name].has_numbers):
                yield cell.table or self.table, cell.column

    def constant(self, column: str) -> str:
        """Return the constant text of the mapping for a column of the sheet, '' if the table fills it."""
        return self.cells[column].always if column in self.cells else ""


@dataclass(frozen=True)
class FlatTable:
    """A file, the texts in it that mean no value, its separator, and the sheet of a workbook."""

    name: str
    file: str
    nothing: tuple[str, ...] = ()
    separator: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class RedcapBlock:
    """What `[redcap]` says: the files of an export, and what its dictionary does not say.

    `missing` are the missing data codes of the project, with what each means. `values` is `raw` or `labels`,
    '' where the cells decide it. `instruments` gives the form of a label in the column Repeat Instrument.
    """

    data: str
    dictionary: str
    record_id: str
    events: str = ""
    separator: str = ""
    values: str = ""
    missing: Mapping[str, str] = field(default_factory=dict)
    instruments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mapped:
    """A mapping file that was read and checked."""

    file: str
    text: str
    tables: Mapping[str, FlatTable]
    parts: tuple[SheetPart, ...]
    notices: tuple[str, ...]
    citations: tuple[str, ...]
    info: StudyInfo
    words_file: str = ""
    site: SiteWords | None = None
    redcap: RedcapBlock | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary, with the words of `words_file` above it."""
        return self.site.applied(load()) if self.site else load()
