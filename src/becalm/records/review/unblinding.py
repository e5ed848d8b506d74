"""Who was shown what a protocol hides from those who judge: written down before it is shown.

Whoever judges a question must not know what the protocol hides meanwhile. The sheets and the names of drugs tell it. So
the page shows them only after it was written down who wants to see them; from then on the answers of this reviewer to
the questions that hide it are refused for these patients. Answers that were given before hold.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from becalm.core.errors import UsageError
from becalm.core.files import exists
from becalm.records.review.folder import added_rows
from becalm.records.review.log import add_row, now

FILE: Final = "unblinded.csv"
HEADER: Final = ("time", "reviewer", "person_id", "shown")
EVERYBODY: Final = ""
"""The id that stands for all patients."""


@dataclass(frozen=True)
class Unblinding:
    """The file of who was shown what. folder : `NAME.becalm`."""

    folder: Path

    @property
    def file(self) -> Path:
        """The file that rows are added to."""
        return self.folder / FILE

    def shown(self, reviewer: str, person: str) -> frozenset[str]:
        """Return what a reviewer was shown of a patient."""
        if not exists(self.file):
            return frozenset()
        name = reviewer_key(reviewer)
        return frozenset(
            each
            for row in added_rows(self.file).rows
            if len(row) == len(HEADER)
            and reviewer_key(row[1]) == name
            and row[2] in {EVERYBODY, person}
            for each in row[3].split()
        )

    def add(self, reviewer: str, person: str, things: AbstractSet[str]) -> None:
        """Write down that somebody is shown something; it is on the disk when this returns."""
        if not reviewer.strip():
            raise UsageError("the reviewer has no name", hint="Write your name or initials")
        cells = [now(), reviewer.strip(), person, " ".join(sorted(things))]
        add_row(self.file, HEADER, cells)


def reviewer_key(name: str) -> str:
    """Return the name of a reviewer as it is compared: without capitals and spaces at its ends.

    >>> reviewer_key(" Dr  A") == reviewer_key("dr a")
    True
    """
    return " ".join(name.casefold().split())
