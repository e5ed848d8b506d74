"""What a mapping file says: which columns of which flat tables fill the chart-review sheets."""

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
"""Sheets that a table may spread over columns, one a variable, and what its cells fill."""


def token(text: str) -> str:
    """Return text as it is compared: without case, and numbers by their value (`1.0` is `1`)."""
    if PLAIN_NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return f"{float(text):.17g}"
    return text.casefold()


@dataclass(frozen=True)
class Cell:
    """Where the cells of one column of a sheet come from.

    `column` of the table, or the text that is `always` so. `words` replaces what the table writes,
    `nothing` are further cells that say nothing. The cell counts only `where` other columns hold one
    of some texts and `only_with` another column that says something. `carry_down` fills a blank with
    the cell above; `whole` writes 12.0 as 12. A number equal to `ceiling` or `floor` is where the
    assay stopped counting. `at` is the place in the mapping.
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

    `spread` is the column of the table that stands for one variable, '' where rows do. `where` says
    which rows of the table count.
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

    def said(self, column: str) -> str:
        """Return what the mapping itself says for a column of the sheet, '' where the table does."""
        return self.cells[column].always if column in self.cells else ""


@dataclass(frozen=True)
class FlatTable:
    """A file, the cells in it that say nothing, and what separates them."""

    name: str
    file: str
    nothing: tuple[str, ...] = ()
    separator: str = ""


@dataclass(frozen=True)
class Mapped:
    """A mapping file as it was read: nothing in it is unknown."""

    file: str
    text: str
    tables: Mapping[str, FlatTable]
    parts: tuple[SheetPart, ...]
    notices: tuple[str, ...]
    citations: tuple[str, ...]
    info: StudyInfo
