"""Death: whether a person is known to have died or to have lived, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from becalm.core.arrays import Mask, Texts, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.records import Records
from becalm.vocabulary import vital_status


@dataclass(frozen=True, eq=False)
class Deaths:
    """What the records say about the death of each person.

    died : whether the person is known to have died. time : int64, µs, when; of a death whose time is not
    recorded, the end of the stay that ended with it, else the last contact that says so, else
    `UNKNOWN_TIME`. by_date : whether `time` is only a date, so the death was at some moment of that day.
    at_latest : whether `time` is the last contact: the death was then or before. cause : as recorded,
    joined by `|`.
    """

    died: Mask
    time: Times
    by_date: Mask
    at_latest: Mask
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
        said_dead = statuses(records) == "died"
        died |= said_dead | (persons["died"] == "yes") | (cause != "")
        time[~recorded] = in_stay[~recorded]
        contact = persons["last_contact"]
        at_latest = said_dead & (time == UNKNOWN_TIME) & (contact != UNKNOWN_TIME)
        time[at_latest] = contact[at_latest]
        by_date = (persons["death_date_only"] & recorded) | (at_latest & (contact % DAY == 0))
        return cls(died, time, by_date, at_latest, cause)

    @property
    def over(self) -> Times:
        """From when on each person is certainly dead: a death known by its date, after that day."""
        known = self.time != UNKNOWN_TIME
        end: Times = np.where(known & self.by_date, np.where(known, self.time, 0) + DAY, self.time)
        return end


def statuses(records: Records) -> Texts:
    """Return what the word at the last contact says: a `vital_status.Status`, or '' if it is not understood.

    A blank is `unknown`.
    """
    words = records.persons["last_contact_status"].tolist()
    read = {word: vital_status.status_of(str(word)) or "" for word in set(words)}
    said = np.empty(len(words), dtype=object)
    said[:] = [read[word] for word in words]
    return said


@dataclass(frozen=True, eq=False)
class Alive:
    """Who is known to have been alive at the end of what is known of them; nobody is by default.

    alive : known to have been alive: by a word at the last contact, by `died` = no, by a stay that ended at
    home or by transfer, or by a value that was measured after the last contact. until : int64, µs, the
    latest moment of these; `UNKNOWN_TIME` where its date is not known.
    """

    alive: Mask
    until: Times

    @classmethod
    def of(cls, records: Records, since: Times) -> Alive:
        """Read it from the persons, their stays and measurements.

        since : int64 per person, µs; a stay that ended before says nothing.
        A word at the last contact that may mean a death, or that is not understood, leaves it unknown
        unless something later than that contact says that the person lived.
        """
        persons, stays, measured = records.persons, records.stays, records.measurements
        contact, said = persons["last_contact"], statuses(records)
        known = contact != UNKNOWN_TIME
        by_word = np.isin(said.astype(str), sorted(vital_status.ALIVE)) | (persons["died"] == "no")
        until = np.where(by_word, contact, UNKNOWN_TIME)
        over = np.where(
            known, contact + np.where(known & (contact % DAY == 0), DAY - 1, 0), contact
        )
        uncertain = np.isin(said.astype(str), ["died or alive", ""]) & ~by_word & known
        left = np.isin(stays["destination"].astype(str), ["home", "transfer", "alive"])
        left &= (stays["end"] != UNKNOWN_TIME) & (stays["end"] >= since[stays["person"]])
        left &= ~uncertain[stays["person"]] | (stays["end"] > over[stays["person"]])
        later = known[measured["person"]] & (measured["time"] > over[measured["person"]])
        by_stay, by_value = np.full((2, len(persons)), UNKNOWN_TIME)
        np.maximum.at(by_stay, stays["person"][left], stays["end"][left])
        np.maximum.at(by_value, measured["person"][later], measured["time"][later])
        until = np.maximum(until, np.maximum(by_stay, by_value))
        return cls(by_word | (until != UNKNOWN_TIME), until)
