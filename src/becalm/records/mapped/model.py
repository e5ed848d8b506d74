"""A mapping file: the columns of flat tables that fill the chart-review sheets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from becalm.records import StudyInfo
from becalm.records.sheets.check import PLAIN_NUMBER

SPREAD: Final[Mapping[str, str]] = {
    "labs": "value",
    "doses": "amount",
    "findings": "present",
    "conditions": "status",
    "cultures": "result",
}
"""Sheets that a table may spread over columns, one for each variable, and the column they fill."""


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

    def used(self) -> Iterator[tuple[str, str]]:
        """Yield the columns that the cell reads, each with the place that names it."""
        if self.column:
            yield self.column, self.at
        if self.only_with:
            yield self.only_with, f"{self.at}.only_with"
        for column in self.where:
            yield column, f"{self.at}.where.{column}"


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

    def used(self) -> Iterator[tuple[str, str]]:
        """Yield the columns of the table that are read, each with the place that names it."""
        for cell in (*self.cells.values(), self.where):
            yield from cell.used()

    def constant(self, column: str) -> str:
        """Return the constant text of the mapping for a column of the sheet, '' if the table fills it."""
        return self.cells[column].always if column in self.cells else ""


@dataclass(frozen=True)
class FlatTable:
    """A file, the texts in it that mean no value, and its separator."""

    name: str
    file: str
    nothing: tuple[str, ...] = ()
    separator: str = ""


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
