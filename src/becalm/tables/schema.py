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
    a key is not written: the report draws it or opens it. position : a column that only says where a row
    stands among the others, so that rows before it change it; two runs are compared without it.
    command : which command writes it.

    >>> table = Table("ages", "Ages.", "person", {"age": Column("count", "y", "Completed years.")})
    >>> dict(table)
    {'age': 'count'}
    """

    name: str
    meaning: str
    row: str
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    position: str = ""
    command: str = "study"

    def __getitem__(self, name: str) -> Kind:
        return self.columns[name].kind

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def written(self) -> bool:
        """Whether a study writes it."""
        return bool(self.key) and self.command == "study"

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
DRUG: Final = text("The drug, by its name in the vocabulary; empty for a drug that is not in it.")
SOURCE_ROW: Final = text(
    "The rows of the records from which the row comes, as table:key, joined by |."
)
VARIABLE: Final = text("The variable, by its name in the vocabulary.")
UNIT_CANONICAL: Final = text(
    "The unit in which the drug's doses are added up: mg, units, mL, mmol, mEq or a counted unit."
)
WEIGHT_USED: Final = number(
    "kg",
    "The body weight in force, with which amounts and rates per kg and the clearance of the row are "
    "calculated.",
)
WEIGHT_KG: Final = number(
    "kg",
    "The weight in force at time zero; in doses at the start of the row, whether it is per kg or not.",
)
WEIGHT_SOURCE: Final = text(
    "The source of the weight: own (the row's), measured before or measured after (within 24 h), "
    "persons sheet, older measurement, or later in the stay; empty if no weight is known."
)
WEIGHT_AGE: Final = number(
    "h",
    "From the measurement of the weight to the dose, in persons to time zero; negative if it was measured later; empty for own and persons sheet.",
)
WEIGHT_REMARK: Final = text(
    "What speaks against the weight: another one that was set aside because it is far from those beside it, or one "
    "that contradicts it where nothing else stands; empty if nothing does."
)
DIED: Final = answer(
    "Whether the person died; false only where a word at the last contact, a stay that ended at home or by "
    "transfer, or a value after the last contact says that the person was alive; else empty."
)
BASELINE: Final = number(
    "as `unit`",
    "The last value in the protocol's window that ends with the clock, the moment of the clock "
    "included. In prognosis the clock is time zero.",
)
PEAK: Final = number(
    "as `unit`",
    "The highest value in the protocol's window that ends with the clock, the moment of the clock "
    "included. In prognosis the clock is time zero.",
)
HOURS_FROM_T0: Final = number(
    "h", "From time zero to the moment of the row; negative before time zero."
)
DRUG_CLASS: Final = text("The class of the drug, as the vocabulary names it.")
CRITERION: Final = text("The definition, by its name.")
MODIFIED_BY: Final = text(
    "Treatments or illnesses that could change the value without a change of the inflammation, joined by |; "
    "the value is not corrected."
)
MOMENT: Final = text(
    "index, peak_to_index (highest lowest-possible total of the definition in the look-back that ends at "
    "the index), peak_ever (the same over all records) or whole_stay (every item at its worst value of one "
    "stay, for definitions derived so: the stay of the index, else of all stays the one with the highest lowest-possible "
    "total; the time is its end). A stay is an admission and the day before it; without an admission it "
    "lasts from the first row to the last; nothing after death counts."
)
STATE: Final = text(
    "met, not met or not assessed; in serial_changes met means that the value certainly changed as in a storm."
)
CENSORED: Final = text(
    "The columns that hold a limit instead of a value, each with its sign, joined by |: `h48>`."
)
