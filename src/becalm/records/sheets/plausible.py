"""What a cell of the sheets can be: plausible ranges, and the longest time between two cells of a row."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from becalm import vocabulary
from becalm.core import toml
from becalm.core.clock import Length

FILE: Final = Path(__file__).with_suffix(".toml")


class CellRange(toml.TomlTable, frozen=True):
    """The plausible numbers of one column, or the variable whose plausible numbers they are."""

    sheet: str
    column: str
    source: str
    verified: bool
    low: float | None = None
    high: float | None = None
    variable: str = ""

    def bounds(self) -> tuple[float, float]:
        """Return the lowest and the highest plausible number."""
        if self.low is not None and self.high is not None:
            return self.low, self.high
        plausible = vocabulary.load().variable(self.variable).plausible
        return plausible.low, plausible.high


class LongestTime(toml.TomlTable, frozen=True):
    """How long after another time of its row a time of one sheet can be."""

    sheet: str
    after: str
    column: str
    upto: Length
    source: str
    verified: bool


class Midnights(toml.TomlTable, frozen=True):
    """From when on it is said that a column has many times at 00:00 beside others."""

    share: float
    source: str


class CellRules(toml.TomlTable, frozen=True):
    """The rules of `plausible.toml`."""

    range: tuple[CellRange, ...]
    longest: tuple[LongestTime, ...]
    midnight: Midnights


def rules() -> CellRules:
    """Return the shipped rules."""
    return toml.load(FILE, CellRules)


@cache
def plausible_range(sheet: str, column: str) -> tuple[float, float] | None:
    """Return the lowest and the highest plausible number of a column, None if it has no rule."""
    found = (each for each in rules().range if (each.sheet, each.column) == (sheet, column))
    return next((each.bounds() for each in found), None)


@cache
def longest(sheet: str) -> tuple[LongestTime, ...]:
    """Return the times of a sheet that can be only so long after another time of their row."""
    return tuple(each for each in rules().longest if each.sheet == sheet)
