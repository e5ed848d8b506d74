"""The life of a person as the records bound it: rows from before the birth or after the death are not used.

What decides is the row's own time: when it was drawn, collected or begun. A culture that was collected before the death
and reported after it counts. A death known by its date covers that whole day. Diagnoses are kept: a lymphoma that the
autopsy found was there before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import FAR_FUTURE, FAR_PAST, Mask, Persons, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.persons.believed import end_of_longest_life, too_old
from becalm.persons.death import Deaths
from becalm.records import Records, Refusal

BEFORE_BIRTH: Final = "before birth"
AFTER_DEATH: Final = "after death"
AFTER_DISPUTED_DEATH: Final = "after a death that other rows contradict"
TOO_OLD: Final = too_old()
REASONS: Final = ("", BEFORE_BIRTH, AFTER_DEATH, AFTER_DISPUTED_DEATH, TOO_OLD)
"""Why a row is not used, by its code; 0 is a row in the person's life."""

_OWN_TIME: Final[Mapping[str, tuple[str, ...]]] = {
    # table: the columns that say when a row began, the first one that is known
    "measurements": ("start", "time"),
    "findings": ("time",),
    "administrations": ("start",),
    "procedures": ("start", "end"),
    "cultures": ("collected",),
}


@dataclass(frozen=True, eq=False)
class Lifetime:
    """When the life of each person began and ended, µs.

    born : nothing is before it; `FAR_PAST` if not known. over : what goes on ends then at the latest, `FAR_FUTURE`
    of the living: the moment of death, or the end of the day of a death known by its date. by_date : whether it is
    that end of a day, to which it does not belong. disputed : whether other rows contradict the death. oldest : when
    the person would be older than anybody was, `FAR_FUTURE` where no age is known.
    """

    born: Times
    over: Times
    by_date: Mask
    disputed: Mask
    oldest: Times

    @classmethod
    def of(cls, records: Records) -> Lifetime:
        """Read it from the persons and their stays."""
        deaths = Deaths.of(records)
        birth = records.persons["birth"]
        known = deaths.over != UNKNOWN_TIME
        over = np.where(known, deaths.over, FAR_FUTURE)
        born = np.where(birth == UNKNOWN_TIME, FAR_PAST, birth)
        oldest = end_of_longest_life(records.persons)
        return cls(born, over, known & (over % DAY == 0), deaths.disputed, oldest)

    @property
    def ends(self) -> bool:
        """Whether anybody is known to have died."""
        return bool((self.over < FAR_FUTURE).any())

    def outside(
        self, person: Persons, time: Times, *, begins: bool = False
    ) -> npt.NDArray[np.int8]:
        """Return for each (person, time) the code in `REASONS` of why it is outside that person's life.

        begins : whether something begins then: nothing begins at the moment of death.
        """
        reason = np.zeros(len(person), np.int8)
        known = time != UNKNOWN_TIME
        over = self.over[person]
        late = known & np.where(self.by_date[person] | begins, time >= over, time > over)
        reason[known & (time < self.born[person])] = REASONS.index(BEFORE_BIRTH)
        reason[known & (time >= self.oldest[person])] = REASONS.index(TOO_OLD)
        reason[late] = REASONS.index(AFTER_DEATH)
        reason[late & self.disputed[person]] = REASONS.index(AFTER_DISPUTED_DEATH)
        return reason

    def rows_outside(self, records: Records, table: str) -> npt.NDArray[np.int8]:
        """Return that code for each row of a table of the records."""
        frame: Frame = getattr(records, table)
        first, *others = _OWN_TIME[table]
        time = frame[first]
        for other in others:
            time = np.where(time == UNKNOWN_TIME, frame[other], time)
        return self.outside(frame["person"], time)


def in_life(records: Records, lifetime: Lifetime) -> tuple[Records, tuple[Refusal, ...]]:
    """Return the records without procedures and cultures from outside a person's life, and what was left out."""
    refused: list[Refusal] = []
    kept = {"procedures": records.procedures, "cultures": records.cultures}
    for name, label in (("procedures", "name"), ("cultures", "test")):
        frame = kept[name]
        reason = lifetime.rows_outside(records, name)
        for i in np.flatnonzero(reason).tolist():
            what = str(frame[label][i])
            example = f"{name}:{frame['key'][i]} {what}".rstrip()
            refused.append(Refusal(name, what, "", REASONS[reason[i]], 1, example))
        if reason.any():
            kept[name] = frame.take(reason == 0)
    inside = replace(records, procedures=kept["procedures"], cultures=kept["cultures"])
    return inside, tuple(refused)
