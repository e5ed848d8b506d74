"""What of the records cannot be true, whatever the source: births, deaths, stays and reports that are too far away.

A cell that cannot be true is not used and is counted; the rest of its row is. A person whose age cannot be true is kept,
and the age is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from becalm.core.arrays import FAR_FUTURE, FAR_PAST, Mask, Times
from becalm.core.clock import UNKNOWN_TIME, YEAR, birthday
from becalm.core.frame import Frame
from becalm.records import Records, Refusal, possible

_TIMED: Final = (
    ("measurements", "time"),
    ("administrations", "start"),
    ("stays", "start"),
    ("findings", "time"),
    ("procedures", "start"),
    ("cultures", "collected"),
)
"""The tables by whose rows it is judged whether a birth can be true, and the time of a row."""


def too_old() -> str:
    """Return why a row is not used that is later than the longest life."""
    return f"more than {possible.rules().life.longest_years} years after birth"


def end_of_longest_life(persons: Frame) -> Times:
    """Return when each person would be older than anybody was; `FAR_FUTURE` where no age is known.

    Of a person whose age is written with its date, the latest possible birth counts.
    """
    years = possible.rules().life.longest_years + 1
    birth, age, age_at = persons["birth"], persons["age"], persons["age_at"]
    dated = (birth == UNKNOWN_TIME) & (age_at != UNKNOWN_TIME) & np.isfinite(age)
    left = np.round((years - np.where(dated, age, 0)) * YEAR).astype(np.int64)
    by_age = np.where(dated, np.where(dated, age_at, 0) + left, FAR_FUTURE)
    by_birth = birthday(np.where(birth == UNKNOWN_TIME, 0, birth), years)
    return np.where(birth == UNKNOWN_TIME, by_age, by_birth)


def believed(records: Records) -> tuple[Records, tuple[Refusal, ...]]:
    """Return the records without the cells that cannot be true, and these, counted by reason."""
    persons, refused = _persons(records)
    records = replace(records, persons=persons)
    oldest = end_of_longest_life(persons)
    stays, of_stays = _stays(records.stays, oldest)
    measurements, late = _reports(records.measurements, "measurements", "time")
    cultures, of_cultures = _reports(records.cultures, "cultures", "collected")
    conditions, of_onsets = _onsets(records.conditions, oldest)
    refused += [*of_stays, *late, *of_cultures, *of_onsets]
    return replace(
        records, stays=stays, measurements=measurements, cultures=cultures, conditions=conditions
    ), tuple(refused)


def _persons(records: Records) -> tuple[Frame, list[Refusal]]:
    """Leave out births and ages that no row of the person allows, deaths and contacts after the longest life."""
    persons = records.persons
    first, last = _first_and_last(records)
    seen = last != FAR_PAST
    over = end_of_longest_life(persons)
    longest = possible.rules().life.longest_years
    birth, age, age_at = persons["birth"], persons["age"], persons["age_at"]
    beyond = seen & (over <= first)
    born = beyond & (birth != UNKNOWN_TIME)
    dated = (birth == UNKNOWN_TIME) & (age_at != UNKNOWN_TIME) & np.isfinite(age)
    earliest = np.where(dated, age_at - np.round((np.where(dated, age, 0) + 1) * YEAR), 0)
    aged = dated & (beyond | (seen & (earliest > last)))
    kept = np.where(born | aged, FAR_FUTURE, over)
    death, contact = persons["death_time"], persons["last_contact"]
    dead, met = ((time != UNKNOWN_TIME) & (time >= kept) for time in (death, contact))
    refused = [
        *_cells(persons, "persons", "birth_date", born, f"more than {longest} years before every row of the person: age unknown"),
        *_cells(persons, "persons", "age_at", aged, f"not within {longest} years of any row of the person: age unknown"),
        *_cells(persons, "persons", "death_time", dead, f"{too_old()}: cell not used"),
        *_cells(persons, "persons", "last_contact", met, f"{too_old()}: cell not used"),
    ]  # fmt: skip
    if not refused:
        return persons, []
    died = persons["died"].astype(object)
    died[dead & (died != "no")] = "yes"
    return persons.replace(
        birth=np.where(born, UNKNOWN_TIME, birth),
        age=np.where(aged, np.nan, age),
        age_at=np.where(aged, UNKNOWN_TIME, age_at),
        died=died,
        death_time=np.where(dead, UNKNOWN_TIME, death),
        death_date_only=persons["death_date_only"] & ~dead,
        last_contact=np.where(met, UNKNOWN_TIME, contact),
    ), refused


def _first_and_last(records: Records) -> tuple[Times, Times]:
    """Return the first and the last time of any row of each person; `FAR_FUTURE` and `FAR_PAST` without one."""
    n = len(records.persons)
    first, last = np.full(n, FAR_FUTURE), np.full(n, FAR_PAST)
    for name, column in _TIMED:
        table: Frame = getattr(records, name)
        known = table[column] != UNKNOWN_TIME
        person, time = table["person"][known], table[column][known]
        np.minimum.at(first, person, time)
        np.maximum.at(last, person, time)
    return first, last


def _stays(stays: Frame, oldest: Times) -> tuple[Frame, list[Refusal]]:
    """Leave out stays after the longest life, and ends of stays that would be too long."""
    start, end = stays["start"], stays["end"]
    longest = possible.rules().stays.longest
    after = (start != UNKNOWN_TIME) & (start >= oldest[stays["person"]])
    both = (start != UNKNOWN_TIME) & (end != UNKNOWN_TIME)
    far = both & ~after & (np.where(both, end - start, 0) > longest.us)
    refused = [
        *_cells(stays, "stays", "start", after, f"{too_old()}: row not used"),
        *_cells(stays, "stays", "end", far, f"more than {longest} after start: cell not used"),
    ]
    if not refused:
        return stays, []
    open_ended = stays.replace(
        end=np.where(far, UNKNOWN_TIME, end), end_date_only=stays["end_date_only"] & ~far
    )
    return open_ended.take(~after), refused


def _reports(table: Frame, name: str, drawn: str) -> tuple[Frame, list[Refusal]]:
    """Leave out times of reports that are too long after the draw: then it is as if nobody wrote them."""
    within = possible.rules().results.within
    known = (table[drawn] != UNKNOWN_TIME) & (table["available"] != UNKNOWN_TIME)
    late = known & (table["available"] > table[drawn] + within.us)
    refused = list(
        _cells(table, name, "available", late, f"more than {within} after {drawn}: cell not used")
    )
    if refused:
        table = table.replace(available=np.where(late, UNKNOWN_TIME, table["available"]))
    return table, refused


def _onsets(conditions: Frame, oldest: Times) -> tuple[Frame, list[Refusal]]:
    onset = conditions["onset"]
    late = (onset != UNKNOWN_TIME) & (onset >= oldest[conditions["person"]])
    refused = list(_cells(conditions, "conditions", "onset", late, f"{too_old()}: cell not used"))
    return conditions.replace(onset=np.where(late, UNKNOWN_TIME, onset)), refused


def _cells(table: Frame, name: str, column: str, where: Mask, reason: str) -> Iterator[Refusal]:
    """Yield one refusal for the cells that are not used, with the first as an example."""
    rows = np.flatnonzero(where)
    if len(rows):
        source = str(table["table"][rows[0]]) if "table" in table.columns else ""
        example = f"{source or name}:{table['key'][rows[0]]}"
        yield Refusal(source or name, column, "", reason, len(rows), example)
