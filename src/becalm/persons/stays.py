"""Stays in hospital: admissions, discharges, transfers, and where the records of a person end."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Mask, Persons, Times
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME, span
from becalm.core.frame import Frame
from becalm.records import Records
from becalm.timeline import Intervals

FILE: Final = Path(__file__).with_suffix(".toml")


class StayRules(toml.TomlTable, frozen=True):
    """The numbers of `stays.toml`."""

    same_admission: str
    source: str
    verified: bool


def rules() -> StayRules:
    """Return the shipped rules."""
    return toml.load(FILE, StayRules)


def admissions(records: Records) -> Intervals:
    """Return each person's time in hospital: stays joined when at most a day apart.

    Outpatient visits do not count. A stay without an end lasts until the end of the records if it
    is the person's last; of an earlier one only its beginning is known.
    """
    stays = _inpatient(records)
    ended = ends_of_records(records)[stays["person"]]
    known = np.where(_open_at_last(stays), np.maximum(ended, stays["start"]), stays["start"] + HOUR)
    end = np.where(stays["end"] == UNKNOWN_TIME, known, stays["end"])
    whole = Intervals.build(stays["person"], stays["start"], np.maximum(end, stays["start"] + 1))
    return whole.bridge(span(rules().same_admission))


def _inpatient(records: Records) -> Frame:
    stays = records.stays
    return stays.take((stays["kind"] != "outpatient") & (stays["start"] != UNKNOWN_TIME))


def _open_at_last(stays: Frame) -> Mask:
    """Which stays have no end and no later stay of the same person."""
    last = np.full(int(stays["person"].max(initial=-1)) + 1, UNKNOWN_TIME)
    np.maximum.at(last, stays["person"], stays["start"])
    mask: Mask = (stays["end"] == UNKNOWN_TIME) & (stays["start"] == last[stays["person"]])
    return mask


def discharges(records: Records, person: Persons, time: Times) -> Times:
    """Return the end of the admission that holds each (person, time); unknown where none does.

    Results of an emergency department are often older than the admission: up to a day before one
    belongs to it. Unknown as well where the last stay of the admission has no end.
    """
    inside, stays = admissions(records), _inpatient(records)
    asked, found = inside.overlaps(person, time, time + span(rules().same_admission) + 1)
    first = np.flatnonzero(np.append(True, asked[1:] != asked[:-1])) if len(asked) else asked
    end = np.full(len(person), UNKNOWN_TIME)
    end[asked[first]] = inside.end[found[first]]
    going_on = stays.take(_open_at_last(stays))
    still_in = np.full(len(records.persons), UNKNOWN_TIME)
    still_in[going_on["person"]] = going_on["start"]
    begun = np.full(len(person), UNKNOWN_TIME)
    begun[asked[first]] = inside.start[found[first]]
    unknown = (still_in[person] != UNKNOWN_TIME) & (still_in[person] >= begun)
    end[unknown & (still_in[person] < end)] = UNKNOWN_TIME
    return end


def transferred_in(records: Records, person: Persons, time: Times, within: int) -> Mask:
    """Whether each person came from another hospital within `within` µs of a time.

    A transfer between wards, of somebody who is in hospital already, is none.
    """
    stays, inside = _inpatient(records), admissions(records)
    came = stays["origin"] == "transfer"
    came &= ~inside.contains(stays["person"], stays["start"] - 1)
    who, start = stays["person"][came], stays["start"][came]
    return Intervals.build(who, start - within, start + within + 1).contains(person, time)


def ends_of_records(records: Records) -> Times:
    """Return the last moment that is recorded of each person, or death; `UNKNOWN_TIME` if none is.

    What was only ordered for later, or not given, is no such moment. After a death without an hour
    the records go on until the end of its day at most.
    """
    latest = np.full(len(records.persons), UNKNOWN_TIME)
    given = records.administrations
    for table, columns in (
        (records.measurements, ("time",)),
        (given.take(np.isin(given["status"].astype(str), ("", "given"))), ("start", "end")),
        (records.stays, ("start", "end")),
        (records.findings, ("time",)),
        (records.procedures, ("start", "end")),
        (records.cultures, ("collected",)),
    ):
        for column in columns:
            np.maximum.at(latest, table["person"], table[column])
    for column in ("death_time", "last_contact"):
        latest = np.maximum(latest, records.persons[column])
    death = records.persons["death_time"]
    day_only = records.persons["death_date_only"] & (death != UNKNOWN_TIME)
    last = np.where(day_only, np.minimum(latest, np.where(day_only, death, 0) + DAY), death)
    return np.where(death == UNKNOWN_TIME, latest, last)
