"""Data shared by the tables of one chart review while they are built."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from becalm.core.arrays import Array, Mask
from becalm.core.errors import did_you_mean
from becalm.records.sheets.cells import Sheet
from becalm.records.sheets.check import Checked, Mistakes
from becalm.records.sheets.reading import Wrong


@dataclass
class Building:
    """Shared data: the mistakes, the persons and the refused rows.

    person_at : None if the sheet persons could not be read. stays : the stay_ids of each person, None if that
    sheet could not be read. denied : who did not die, says that sheet. lost_stays : those of rows that were
    left out. notices : what the user should know of how cells were read.
    """

    mistakes: Mistakes = field(default_factory=Mistakes)
    person_at: dict[str, int] | None = None
    stays: dict[str, set[str]] | None = None
    denied: set[str] = field(default_factory=set)
    refused: dict[tuple[str, str, str, str], tuple[int, str]] = field(default_factory=dict)
    lost_stays: dict[str, set[str]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    def refuse(
        self,
        sheet: Sheet,
        at: int,
        reason: str,
        *,
        variable: str = "",
        unit: str = "",
        as_: str = "",
    ) -> None:
        """Count a row that is not used; the first one is the example."""
        key = (sheet.table, variable, unit, reason)
        before, first = self.refused.get(key, (0, f"{sheet.table}:{sheet.keys[at]} {as_}".strip()))
        self.refused[key] = before + 1, first

    def refuse_cells(self, checked: Checked) -> None:
        """Count the cells that are not used, after all columns were read."""
        for (i, column), reason in checked.cells.items():
            text = checked.sheet.texts(column)[i]
            self.refuse(checked.sheet, i, reason, variable=column, as_=text)

    def used(self, checked: Checked, *, variable: Array) -> Mask:
        """Return the rows that are not left out, after all columns were read; count the others."""
        keep = np.ones(len(checked.sheet), dtype=np.bool_)
        for i, column in sorted(checked.left_out.items()):
            keep[i] = False
            reason = f"the row is not used ({checked.unused[i]}), and its {column} is wrong"
            text = checked.sheet.texts(column)[i]
            self.refuse(checked.sheet, i, reason, variable=variable[i], as_=text)
        return keep

    def stays_of(self, checked: Checked) -> Array:
        """Return the stay of each row as written; one that the person does not have is a mistake."""
        ids, stays = checked.texts("person_id").tolist(), checked.texts("stay_id")
        if self.stays is None:
            return stays
        known = self.stays
        lost = [i for i, stay in enumerate(stays) if stay and stay not in known.get(ids[i], ())]
        checked.note(
            lost,
            "stay_id",
            lambda i: Wrong(
                "stay",
                f"the sheet stays has no stay_id {stays[i]!r} of the person {ids[i]!r}",
                f"{_sentence(did_you_mean(stays[i], known[ids[i]]))} Correct the id or clear the cell"
                if known.get(ids[i])
                else "Write the id of the stay in the sheet stays, or clear the cell",
            ),
        )
        return stays

    def persons_of(self, checked: Checked) -> Array:
        """Return the position of each row's person; a person who is not in `persons` is a mistake."""
        ids = checked.texts("person_id").tolist()
        position = self.person_at or {}
        strangers = [i for i, one in enumerate(ids) if one and one not in position]
        if self.person_at is None:
            strangers = []
        checked.note(
            strangers,
            "person_id",
            lambda i: Wrong(
                "stranger",
                f"the sheet persons has no {ids[i]!r}",
                f"{_sentence(did_you_mean(ids[i], position))} Add the person or correct the id"
                if position
                else "Add the person to the sheet persons",
            ),
        )
        return np.array([position.get(one, -1) for one in ids], dtype=np.int32)


def _sentence(text: str) -> str:
    """Return a text with its full stop."""
    return text if text.endswith("?") else f"{text}."
