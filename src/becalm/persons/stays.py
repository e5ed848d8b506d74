"""Stays in hospital: admissions, discharges, transfers, and the end of a person's records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Mask, Persons, Times
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME, Length
from becalm.core.frame import Frame
from becalm.core.remembered import remembered
from becalm.persons.death import Deaths
from becalm.persons.lifetime import Lifetime
from becalm.records import Records
from becalm.timeline import Intervals

FILE: Final = Path(__file__).with_suffix(".toml")


class StayRules(toml.TomlTable, frozen=True):
    """The numbers of `stays.toml`."""

    same_admission: Length
    source: str
    verified: bool


def rules() -> StayRules:
    """Return the shipped rules."""
    return toml.load(FILE, StayRules)


@remembered
def admissions(records: Records) -> Intervals:
    """Return each person's time in hospital: stays at most a day apart are one admission.

    Outpatient visits do not count. A stay without an end that begins in another one, as intensive care in a
    ward's stay, ends with that one. Else it lasts until the end of the records if it is the person's last
    stay; of an earlier stay only the start is known.
    """
    stays = _inpatient(records)
    ended = ends_of_records(records)[stays["person"]]
    known = np.where(_open_at_last(stays), np.maximum(ended, stays["start"]), stays["start"] + HOUR)
    end = np.where(stays["end"] == UNKNOWN_TIME, known, stays["end"])
    whole = Intervals.build(stays["person"], stays["start"], np.maximum(end, stays["start"] + 1))
    return whole.bridge(rules().same_admission.us)


@remembered
def _inpatient(records: Records) -> Frame:
    stays = records.stays
    stays = stays.take((stays["kind"] != "outpatient") & (stays["start"] != UNKNOWN_TIME))
    person, start, end = stays["person"], stays["start"], stays["end"].copy()
    ended, opened = np.flatnonzero(end != UNKNOWN_TIME), np.flatnonzero(end == UNKNOWN_TIME)
    around = Intervals.build(person[ended], start[ended], np.maximum(end[ended], start[ended]))
    which, outer = around.overlaps(person[opened], start[opened], start[opened] + 1)
    end[opened[which]] = around.end[outer]
    return stays.replace(end=end)


def _open_at_last(stays: Frame) -> Mask:
    """Return which stays have no end and are the last stay of their person."""
    last = np.full(int(stays["person"].max(initial=-1)) + 1, UNKNOWN_TIME)
    np.maximum.at(last, stays["person"], stays["start"])
    mask: Mask = (stays["end"] == UNKNOWN_TIME) & (stays["start"] == last[stays["person"]])
    return mask


def discharges(records: Records, person: Persons, time: Times) -> Times:
    """Return the end of the admission that contains each (person, time), unknown if there is none.

    Results of an emergency department are often older than the admission: a time up to a day before
    an admission belongs to it. Also unknown if the last stay of the admission has no end.
    """
    inside, stays = admissions(records), _inpatient(records)
    asked, admission = inside.overlaps(person, time, time + rules().same_admission.us + 1)
    first = np.flatnonzero(np.append(True, asked[1:] != asked[:-1])) if len(asked) else asked
    end = np.full(len(person), UNKNOWN_TIME)
    end[asked[first]] = inside.end[admission[first]]
    open_stays = stays.take(_open_at_last(stays))
    still_in = np.full(len(records.persons), UNKNOWN_TIME)
    still_in[open_stays["person"]] = open_stays["start"]
    begun = np.full(len(person), UNKNOWN_TIME)
    begun[asked[first]] = inside.start[admission[first]]
    unknown = (still_in[person] != UNKNOWN_TIME) & (still_in[person] >= begun)
    end[unknown & (still_in[person] < end)] = UNKNOWN_TIME
    return end


def transferred_in(records: Records, person: Persons, time: Times, within: int) -> Mask:
    """Return whether each person came from another hospital within `within` µs of a time.

    A transfer between wards of a person who is already in hospital does not count.
    """
    stays, inside = _inpatient(records), admissions(records)
    came = stays["origin"] == "transfer"
    came &= ~inside.contains(stays["person"], stays["start"] - 1)
    who, start = stays["person"][came], stays["start"][came]
    return Intervals.build(who, start - within, start + within + 1).contains(person, time)


def moments_of_rows(records: Records) -> Iterator[tuple[Persons, Times]]:
    """Yield person and time of all rows, column by column; `UNKNOWN_TIME` where a row has none.

    Rows from before the birth or after the death do not count, nor do doses that were only ordered or not given.
    """
    administrations = records.administrations
    lifetime = Lifetime.of(records)
    for table, columns in (
        (records.measurements, ("time",)),
        (
            administrations.take(np.isin(administrations["status"].astype(str), ("", "given"))),
            ("start", "end"),
        ),
        (records.stays, ("start", "end")),
        (records.findings, ("time",)),
        (records.procedures, ("start", "end")),
        (records.cultures, ("collected",)),
    ):
        for column in columns:
            lived = lifetime.outside(table["person"], table[column]) == 0
            yield table["person"][lived], table[column][lived]


@remembered
def ends_of_records(records: Records) -> Times:
    """Return the last recorded moment of each person, or death; `UNKNOWN_TIME` if there is none.

    After a death of which only the date is known, the records end at the end of that day at the latest; the date may
    be that of the last contact.
    """
    latest = np.full(len(records.persons), UNKNOWN_TIME)
    for person, time in moments_of_rows(records):
        np.maximum.at(latest, person, time)
    lifetime = Lifetime.of(records)
    deaths = Deaths.of(records)
    latest = np.maximum(latest, records.persons["last_contact"])
    day = lifetime.by_date
    begun = np.where(day, deaths.over - DAY, latest)  # of the day of a death known by its date
    last = np.where(day, np.minimum(np.maximum(latest, begun), deaths.over), deaths.over)
    return np.where(deaths.over == UNKNOWN_TIME, latest, last)
