"""Death: whether a person is known to have died, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import Mask, Texts, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.records import Records

WORDS: Final = frozenset({"dead", "died", "deceased"})
"""What a sheet may say at the last contact of somebody who died."""


@dataclass(frozen=True, eq=False)
class Deaths:
    """What the records say about the death of each person.

    died : whether the person is known to have died. time : int64, µs, when; of a death whose time is not
    recorded, the end of the stay that ended with it, else `UNKNOWN_TIME`. by_date : whether `time` is
    only a date, so the death was at some moment of that day. cause : as recorded, joined by `|`.
    """

    died: Mask
    time: Times
    by_date: Mask
    cause: Texts

    @classmethod
    def of(cls, records: Records) -> Deaths:
        """Read the deaths from the persons and their stays."""
        persons, stays = records.persons, records.stays
        time = persons["death_time"].copy()
        recorded = time != UNKNOWN_TIME
        fatal = stays["destination"] == "died"
        in_stay = np.full(len(persons), UNKNOWN_TIME)
        np.maximum.at(in_stay, stays["person"][fatal], stays["end"][fatal])
        died = recorded.copy()
        died[stays["person"][fatal]] = True
        cause = persons["cause_of_death"].astype(object)
        status = [str(word).strip().casefold() for word in persons["last_contact_status"].tolist()]
        died |= np.array([word in WORDS for word in status], np.bool_) | (cause != "")
        time[~recorded] = in_stay[~recorded]
        return cls(died, time, persons["death_date_only"] & recorded, cause)

    @property
    def over(self) -> Times:
        """From when on each person is certainly dead: a death known by its date, after that day."""
        known = self.time != UNKNOWN_TIME
        end: Times = np.where(known & self.by_date, np.where(known, self.time, 0) + DAY, self.time)
        return end
