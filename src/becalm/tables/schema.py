"""What a table is: its columns with kind, unit and meaning, its key, and what one row stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from becalm.core.frame import Frame, Kind


@dataclass(frozen=True)
class Column:
    """One column of a table.

    unit : what a number is counted in, as printed; `1` for a ratio or a score, and "as `unit`" where
    another column of the same row names it. Empty for what is no number.
    counts_persons : whether the number counts persons, or stays of persons, so that a small one may
    not be published.
    """

    kind: Kind
    unit: str
    meaning: str
    counts_persons: bool = False


@dataclass(frozen=True, eq=False)
class Table(Mapping[str, Kind]):
    """A table: its columns by name, in their order. Read as a mapping it gives the kind of each.

    row : what one row stands for. key : the columns that written rows are sorted by. A table without
    a key is not written: the report draws it or opens it.

    >>> table = Table("ages", "Ages.", "person", {"age": Column("count", "y", "Completed years.")})
    >>> dict(table)
    {'age': 'count'}
    """

    name: str
    meaning: str
    row: str
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Kind:
        return self.columns[name].kind

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def written(self) -> bool:
        """Whether a study writes it."""
        return bool(self.key)

    def empty(self) -> Frame:
        """Return the table without rows."""
        return Frame.of(self)


def text(meaning: str) -> Column:
    """Return a column of words."""
    return Column("text", "", meaning)


def time(meaning: str) -> Column:
    """Return a column of moments."""
    return Column("time", "", meaning)


def answer(meaning: str) -> Column:
    """Return a column of yes, no and unknown."""
    return Column("answer", "", meaning)


def number(unit: str, meaning: str) -> Column:
    """Return a column of numbers in a unit."""
    return Column("number", unit, meaning)


def count(unit: str, meaning: str, *, persons: bool = False) -> Column:
    """Return a column of whole numbers; `unit` says what is counted."""
    return Column("count", unit, meaning, persons)


PERSON_ID: Final = text("The person, as the records name them.")
DRUG: Final = text("The drug, by its name in the vocabulary.")
SOURCE_ROW: Final = text("The rows of the records that it rests on, as table:key, joined by |.")
VARIABLE: Final = text("The variable, by its name in the vocabulary.")
CRITERION: Final = text("The definition, by its name.")
MODIFIED_BY: Final = text(
    "What moves the value without the inflammation having moved, joined by |; the value stands as it is."
)
CENSORED: Final = text(
    "The columns that hold a limit instead of a value, each with its sign, joined by |: `h48>`."
)
