"""Numbers of a paper as fields: each has a name, its text, and the place in the results from which it comes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from becalm.core.spreadsheets import csv_text
from becalm.report.printed import found_in
from becalm.report.release.sheets import HIDDEN, ReleaseSheet

LONGEST: Final = 180
"""Letters of a field's name."""
COLUMNS: Final = ("field", "text", "table", "line", "column")


class Number(NamedTuple):
    """A number in a text: the name of its field, and what is printed."""

    field: str
    text: str


Text = Sequence[str | Number]
"""Words and numbers, one after the other."""


def plain(text: Text) -> str:
    """Return a text without its fields.

    >>> plain(["in ", Number("n", "5"), " patients"])
    'in 5 patients'
    """
    return "".join(each if isinstance(each, str) else each.text for each in text)


@dataclass
class Fields:
    """The fields of a paper: a number of one cell of the results is one field wherever it stands."""

    _names: dict[tuple[str, ...], str] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        """What each field prints, by its name."""
        return dict(self._texts)

    def csv(self) -> str:
        """Return all fields as CSV: the name, what it prints, and the cell of the results."""
        rows = [
            (name, self._texts[name], key[0], "; ".join(key[1:-2]), key[-2])
            for key, name in self._names.items()
        ]
        return csv_text(COLUMNS, rows)

    def cell(self, sheet: ReleaseSheet, row: Sequence[str], head: str) -> Text:
        """Return one cell of a table with its numbers as fields; the columns before it name the line."""
        at = list(sheet.head).index(head)
        return self.text(row[at], (sheet.name, *row[: labels_of(sheet)], head))

    def text(self, text: str, where: tuple[str, ...]) -> Text:
        """Return a text with its numbers as fields. where : table, line and column."""
        if text == HIDDEN:
            return [self._number((*where, "0"), text)]
        made: list[str | Number] = []
        at = 0
        for i, each in enumerate(found_in(text)):
            start = each.start
            made += [text[at:start], self._number((*where, str(i)), text[start : each.end])]
            at = each.end
        return [part for part in [*made, text[at:]] if part]

    def _number(self, key: tuple[str, ...], text: str) -> Number:
        if key not in self._names:
            name = _slug(key if key[-1] != "0" else key[:-1])
            while name in self._texts:
                name += "_"
            self._names[key] = name
            self._texts[name] = text
        return Number(self._names[key], text)


def labels_of(sheet: ReleaseSheet) -> int:
    """Return how many columns of a table name its lines."""
    return 2 if {"variable", "count"} & set(sheet.head) else 1


def _slug(parts: Sequence[str]) -> str:
    """Return a name that any word processor takes: letters, digits, dots and underscores.

    >>> _slug(["patients", "sex", "women", "low95"]), _slug(["primary", "48 h from t0", "n"])
    ('patients.sex.women.low95', 'primary.48_h_from_t0.n')
    """
    ascii_ = (
        unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode() for part in parts
    )
    words = (re.sub(r"[^A-Za-z0-9]+", "_", part).strip("_") for part in ascii_)
    return ".".join(word for word in words if word)[:LONGEST]
