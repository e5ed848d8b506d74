"""Death: whether a person is known to have died or to have lived, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Mask, Persons, Texts, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.records import Records
from becalm.tables import DISPUTED_DEATHS
from becalm.vocabulary import vital_status


@dataclass(frozen=True, eq=False)
class Deaths:
    """What the records say about the death of each person.

    died : whether the person is known to have died; false while a death is disputed. disputed : whether
    the records also say that the person lived later (`disputes`); then nobody knows until somebody corrects the
    records. time : int64, µs, when the person died; of a death whose time is not recorded, the end of the first stay
    that ended with it, else the last contact that says so, else `UNKNOWN_TIME`. by_date : whether `time` is only
    a date (00:00 is one), so the death was at some moment of that day. at_latest : whether `time` is the last
    contact: the death was then or before. over : from when on the person is certainly dead, `UNKNOWN_TIME` if
    that is not known; of a disputed death the earliest that is claimed. cause : as recorded, joined by `|`.
    """

    died: Mask
    disputed: Mask
    time: Times
    by_date: Mask
    at_latest: Mask
    over: Times
    cause: Texts

    @classmethod
    def of(cls, records: Records) -> Deaths:
        """Read the deaths from the persons and their stays."""
        persons = records.persons
        claims = _Claims.of(records)
        disputed = np.zeros(len(persons), np.bool_)
        disputed[[each.person for each in disputes(records)]] = True
        cause = persons["cause_of_death"].astype(object)
        died = (claims.earliest != UNKNOWN_TIME) | claims.fatal_stay | claims.said_dead
        died |= (persons["died"] == "yes") | (cause != "")
        time = claims.recorded.copy()
        time[time == UNKNOWN_TIME] = claims.in_stay[time == UNKNOWN_TIME]
        at_latest = (time == UNKNOWN_TIME) & (claims.by_contact != UNKNOWN_TIME)
        time[at_latest] = claims.by_contact[at_latest]
        time[disputed] = UNKNOWN_TIME
        known = time != UNKNOWN_TIME
        by_date = known & ((claims.recorded_by_date & ~at_latest) | _is_date(time))
        over = np.where(known & by_date, np.where(known, time, 0) + DAY, time)
        over[disputed] = claims.earliest[disputed]
        return cls(died & ~disputed, disputed, time, by_date, at_latest & ~disputed, over, cause)


@dataclass(frozen=True, eq=False)
class _Claims:
    """All that the records say about when each person died; times in µs, `UNKNOWN_TIME` where nothing.

    earliest : from when on the person is dead by the earliest of them.
    """

    recorded: Times
    recorded_by_date: Mask
    in_stay: Times
    fatal_stay: Mask
    by_contact: Times
    said_dead: Mask
    earliest: Times

    @classmethod
    def of(cls, records: Records) -> _Claims:
        persons, stays = records.persons, records.stays
        recorded = persons["death_time"]
        fatal = stays["destination"] == "died"
        fatal_stay = np.zeros(len(persons), np.bool_)
        fatal_stay[stays["person"][fatal]] = True
        ends = _ends(stays)
        ended = fatal & (ends != UNKNOWN_TIME)
        in_stay = np.full(len(persons), FAR_FUTURE)
        np.minimum.at(in_stay, stays["person"][ended], ends[ended])
        in_stay[in_stay == FAR_FUTURE] = UNKNOWN_TIME
        said_dead: Mask = statuses(records) == "died"
        contact = persons["last_contact"]
        by_contact = np.where(said_dead, contact, UNKNOWN_TIME)
        recorded_by_date = (recorded != UNKNOWN_TIME) & persons["death_date_only"]
        earliest = np.full(len(persons), FAR_FUTURE)
        # A contact that says "died" only reports an earlier death, where one is claimed.
        for time, by_date in (
            (recorded, recorded_by_date | _is_date(recorded)),
            (in_stay, _is_date(in_stay)),
        ):
            known = time != UNKNOWN_TIME
            end = np.where(known, time, 0) + np.where(by_date, DAY, 0)
            earliest = np.where(known, np.minimum(earliest, end), earliest)
        only = (earliest == FAR_FUTURE) & (by_contact != UNKNOWN_TIME)
        earliest[only] = by_contact[only] + np.where(_is_date(by_contact), DAY, 0)[only]
        earliest[earliest == FAR_FUTURE] = UNKNOWN_TIME
        return cls(recorded, recorded_by_date, in_stay, fatal_stay, by_contact, said_dead, earliest)


def _ends(stays: Frame) -> Times:
    """Return when stays ended; of a date, the 00:00 of that day: the earliest that it can mean."""
    ends: Times = stays["end"] - np.where(stays["end_date_only"], DAY, 0)
    return ends


def _is_date(time: Times) -> Mask:
    """Return which times are midnight: of deaths and last contacts it always means a date."""
    mask: Mask = (time != UNKNOWN_TIME) & (time % DAY == 0)
    return mask


class Dispute(NamedTuple):
    """Two rows that cannot both be true: one says that a person died, one that the person lived later.

    claimed, against : int64, µs, the death (of a date, its end) and the later moment. claimed_row, against_row :
    as table:key. why : in what the second one contradicts the first.
    """

    person: int
    claimed: int
    claimed_row: str
    against: int
    against_row: str
    why: str


STAY_BEGINS: Final = "a stay begins later"
STAY_ENDS: Final = "a stay ends later at home or by transfer"
LATER_CONTACT: Final = "a later contact does not say that the person died"


def disputes(records: Records) -> list[Dispute]:
    """Return the deaths that later rows of the records contradict, sorted by person.

    Contradictions are only: a stay that begins after the death, a stay that ends after it at home or by transfer, and
    a later contact whose status is no word for dead. A later contact that says so reports the death. A death known
    by its date covers that whole day, and a stay that ended on the day of the death contradicts nothing if only
    the date of its end is known. Measurements, procedures and doses after a death contradict nothing.
    """
    persons, stays = records.persons, records.stays
    claims = _Claims.of(records)
    over = claims.earliest
    by_date = np.where(over == UNKNOWN_TIME, 0, over) % DAY == 0

    def after(person: Persons, time: Times) -> Mask:
        known = (over[person] != UNKNOWN_TIME) & (time != UNKNOWN_TIME)
        later: Mask = known & np.where(by_date[person], time >= over[person], time > over[person])
        return later

    everybody = np.arange(len(persons), dtype=np.int32)
    contact = persons["last_contact"]
    begins = after(stays["person"], stays["start"])
    left = np.isin(stays["destination"].astype(str), ["home", "transfer", "alive"])
    ends = ~begins & left & after(stays["person"], _ends(stays))
    seen = ~claims.said_dead & after(everybody, contact)
    found = [
        *((int(stays["person"][i]), int(stays["start"][i]), _row(stays, "stays", i), STAY_BEGINS)
          for i in np.flatnonzero(begins)),
        *((int(stays["person"][i]), int(_ends(stays)[i]), _row(stays, "stays", i), STAY_ENDS)
          for i in np.flatnonzero(ends)),
        *((int(i), int(contact[i]), _row(persons, "persons", i), LATER_CONTACT)
          for i in np.flatnonzero(seen)),
    ]  # fmt: skip
    return [
        Dispute(who, int(over[who]), _claimed_row(records, claims, who), when, row, why)
        for who, when, row, why in sorted(found)
    ]


def _claimed_row(records: Records, claims: _Claims, who: int) -> str:
    """Return the row of the earliest claim."""
    stays = records.stays
    own = int(claims.recorded[who])
    if own != UNKNOWN_TIME:
        own += DAY if claims.recorded_by_date[who] or own % DAY == 0 else 0
    if own == claims.earliest[who] or claims.in_stay[who] == UNKNOWN_TIME:
        return _row(records.persons, "persons", who)
    fatal = (stays["person"] == who) & (stays["destination"] == "died")
    at = np.flatnonzero(fatal & (_ends(stays) == claims.in_stay[who]))[0]
    return _row(stays, "stays", at)


def _row(table: Frame, name: str, i: int | np.intp) -> str:
    return f"{table['table'][i] or name}:{table['key'][i]}"


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
        left &= ~uncertain[stays["person"]] | (_ends(stays) > over[stays["person"]])
        later = known[measured["person"]] & (measured["time"] > over[measured["person"]])
        by_stay, by_value = np.full((2, len(persons)), UNKNOWN_TIME)
        np.maximum.at(by_stay, stays["person"][left], stays["end"][left])
        np.maximum.at(by_value, measured["person"][later], measured["time"][later])
        until = np.maximum(until, np.maximum(by_stay, by_value))
        return cls(by_word | (until != UNKNOWN_TIME), until)


def disputed_deaths(records: Records) -> Frame:
    """Return `disputed_deaths`: one row per row of the records that contradicts a death."""
    ids = records.persons["person_id"]
    return Frame.of_rows(
        DISPUTED_DEATHS,
        [
            {
                "person_id": ids[each.person],
                "claimed": each.claimed,
                "claimed_row": each.claimed_row,
                "contradicted": each.against,
                "contradicted_row": each.against_row,
                "how": each.why,
            }
            for each in disputes(records)
        ],
    )
