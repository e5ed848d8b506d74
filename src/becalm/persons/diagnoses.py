"""Recorded diagnoses: their time, their certainty, and the underlying disease.

A diagnosis has three states: recorded as present, recorded as absent, not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import FAR_FUTURE, FAR_PAST, Mask, Times, expand
from becalm.core.clock import UNKNOWN_TIME, Length
from becalm.core.frame import Frame, Kind, distinct_rows
from becalm.core.remembered import remembered
from becalm.records import Records
from becalm.vocabulary import Vocabulary

FILE: Final = Path(__file__).with_suffix(".toml")

DIAGNOSES: Final[dict[str, Kind]] = {
    "person": "code",
    "condition": "text",
    "first": "time",  # recorded no earlier than this ...
    "last": "time",  # ... and no later
    "partial": "flag",  # only the month or the year is known
    "status": "text",
    "row": "code",
}

STATUSES: Final = ("confirmed", "suspected", "excluded", "history")
"""What can be said of a patient's disease."""


class Active(toml.TomlTable, frozen=True):
    """Diseases that exclude while they are active, and from when to when around entry they are."""

    conditions: tuple[str, ...]
    before: Length
    after: Length
    source: str


class Done(toml.TomlTable, frozen=True):
    """Treatments that exclude for ever, also when they are written as history."""

    conditions: tuple[str, ...]
    source: str


class DiagnosisRules(toml.TomlTable, frozen=True):
    """The numbers of `diagnoses.toml`."""

    underlying: tuple[str, ...]
    lifelong: tuple[str, ...]
    recorded_after: Length
    storm_recorded_before: Length
    active: Active
    done: Done
    suggests: dict[str, tuple[str, ...]]


def rules() -> DiagnosisRules:
    """Return the shipped rules."""
    return toml.load(FILE, DiagnosisRules)


@remembered
def diagnoses(records: Records, vocabulary: Vocabulary) -> Frame:
    """Return every condition row that the vocabulary knows, once for each name it has.

    One row per record row × condition (a wider condition is another row), in the records' order.
    Its time is its onset, which may be a month or a year; else the stay for which it was coded; else it may be any
    time. Its status is
    confirmed, suspected, excluded or history: what the row's own status says, and no more than the
    words and letters of the label say ("r/o HLH" is suspected, whatever stands beside it).
    """
    table = records.conditions
    first, last = _recorded(records)
    written, ways = distinct_rows(table["system"], table["code"], table["name"])
    meant = [
        [(name, state) for name, state in vocabulary.diagnosis(*way).said if state in STATUSES]
        for way in ways
    ]
    many = np.array([len(each) for each in meant], np.int64)
    begin = np.cumsum(many) - many
    names = np.array([name for each in meant for name, _ in each], object)
    said = np.array([state for each in meant for _, state in each], object)
    rows, which = expand(begin[written], (begin + many)[written])
    status = table["status"][rows].astype(object)
    status[status == ""] = "confirmed"
    return Frame.of(
        DIAGNOSES,
        person=table["person"][rows],
        condition=names[which],
        first=first[rows],
        last=last[rows],
        partial=(table["onset_from"] != UNKNOWN_TIME)[rows],
        status=np.where((said[which] == "confirmed") | (status == "excluded"), status, said[which]),
        row=rows,
    )


def _recorded(records: Records) -> tuple[Times, Times]:
    """Return the earliest and the latest time at which each condition row may have been recorded."""
    table, stays = records.conditions, records.stays
    onset = table["onset"]
    first, last = np.full(len(table), FAR_PAST), np.full(len(table), FAR_FUTURE)
    of_stay = _times_of_stays(stays)
    keys = zip(table["person"].tolist(), table["stay_id"].tolist(), strict=True)
    coded = [(i, *of_stay[key]) for i, key in enumerate(keys) if key[1] and key in of_stay]
    if coded:
        rows, start, end = np.array(coded, np.int64).T
        first[rows] = np.where(start == UNKNOWN_TIME, FAR_PAST, start)
        last[rows] = np.where(end == UNKNOWN_TIME, FAR_FUTURE, end)
    for bound in (first, last):
        bound[onset != UNKNOWN_TIME] = onset[onset != UNKNOWN_TIME]
    partial = table["onset_from"] != UNKNOWN_TIME
    begin, end = np.maximum(first, table["onset_from"]), np.minimum(last, table["onset_until"])
    apart = begin > end  # the stay that it was coded in is of another month or year
    first[partial] = np.where(apart, table["onset_from"], begin)[partial]
    last[partial] = np.where(apart, table["onset_until"], end)[partial]
    return first, last


def _times_of_stays(stays: Frame) -> dict[tuple[int, str], tuple[int, int]]:
    """Return the start and end of each (person, stay_id); rows of one id are one stay.

    The time in the emergency department before an admission of the same id is not part of it.
    """
    rows = zip(
        *(stays[name].tolist() for name in ("person", "stay_id", "start", "end", "kind")),
        strict=True,
    )
    found: dict[tuple[int, str], list[tuple[int, int, str]]] = {}
    for person, stay, start, end, kind in rows:
        found.setdefault((person, stay), []).append((start, end, kind))
    times = {}
    for key, parts in found.items():
        within = [part for part in parts if part[2] != "ED"] or parts
        ends = [end for _, end, _ in within]
        open_end = UNKNOWN_TIME in ends
        times[key] = min(part[0] for part in within), UNKNOWN_TIME if open_end else max(ends)
    return times


def has(
    diagnosed: Frame,
    conditions: Iterable[str],
    n_persons: int,
    *,
    since: Times | None = None,
    until: Times | None = None,
    statuses: tuple[str, ...] = ("confirmed",),
    certainly: bool = False,
) -> Mask:
    """Return whether each person has a row of one of `conditions` with one of `statuses`.

    since and until : int64 per person, µs; the row may have been recorded between them, both included.
    `UNKNOWN_TIME` means no bound. Suspected and excluded diagnoses do not count. certainly : a month or a year counts
    only if all of it lies between them.
    """
    chosen = np.isin(diagnosed["condition"].astype(str), list(conditions))
    chosen &= np.isin(diagnosed["status"].astype(str), statuses)
    person, first, last = (diagnosed[name] for name in ("person", "first", "last"))
    if certainly:
        whole = diagnosed["partial"]
        first, last = np.where(whole, last, first), np.where(whole, first, last)
    if since is not None:
        chosen &= last >= since[person]
    if until is not None:
        chosen &= (until[person] == UNKNOWN_TIME) | (first <= until[person])
    mask = np.zeros(n_persons, np.bool_)
    mask[person[chosen]] = True
    return mask


def excluded_by(diagnosed: Frame, condition: str, index: Times, *, certainly: bool = True) -> Mask:
    """Return whether each person had a condition at the index.

    It was recorded at any time before the index or shortly after it; a lifelong condition at any time; an
    active disease (cancer) in the years before, or in the weeks after; a treatment that stays done also
    where it is written as history. A diagnosis of which only the month or the year is known counts if all of it lies
    in that time; without `certainly` it counts if some of it does.
    """
    rule, since = rules(), None
    until = None if condition in rule.lifelong else _later(index, rule.recorded_after.us)
    if condition in rule.active.conditions:
        since = _later(index, -rule.active.before.us)
        until = _later(index, rule.active.after.us)
    statuses = ("confirmed", "history") if condition in rule.done.conditions else ("confirmed",)
    return has(
        diagnosed,
        [condition],
        len(index),
        since=since,
        until=until,
        statuses=statuses,
        certainly=certainly,
    )


def diagnosed_storm(diagnosed: Frame, conditions: Iterable[str], index: Times) -> Mask:
    """Return whether a clinician diagnosed this storm: a confirmed diagnosis near the index."""
    return has(
        diagnosed,
        conditions,
        len(index),
        since=_later(index, -rules().storm_recorded_before.us),
        until=_later(index, rules().recorded_after.us),
    )


def first_diagnosed(
    diagnosed: Frame, conditions: Iterable[str], index: Times
) -> tuple[Times, list[list[int]]]:
    """Return when the clinician's diagnosis of this storm was first recorded, and its rows, by person.

    `UNKNOWN_TIME` if it has no date, or only a month or a year. The same rows as in `diagnosed_storm`; a diagnosis coded for a stay
    counts from the stay's start.
    """
    since = _later(index, -rules().storm_recorded_before.us)
    until = _later(index, rules().recorded_after.us)
    person = diagnosed["person"]
    kept = np.isin(diagnosed["condition"].astype(str), list(conditions))
    kept &= (diagnosed["status"] == "confirmed") & (diagnosed["last"] >= since[person])
    kept &= (until[person] == UNKNOWN_TIME) | (diagnosed["first"] <= until[person])
    first = np.full(len(index), FAR_FUTURE)
    dated = kept & ~diagnosed["partial"]
    np.minimum.at(first, person[dated], diagnosed["first"][dated])
    rows: list[list[int]] = [[] for _ in range(len(index))]
    for who, row in zip(person[kept].tolist(), diagnosed["row"][kept].tolist(), strict=True):
        if row not in rows[who]:
            rows[who].append(row)
    return np.where((first == FAR_FUTURE) | (first == FAR_PAST), UNKNOWN_TIME, first), rows


def _later(time: Times, by: int) -> Times:
    """Return times moved by a duration; unknown times stay unknown."""
    moved = np.where(time == UNKNOWN_TIME, 0, time) + by
    return np.where(time == UNKNOWN_TIME, UNKNOWN_TIME, moved)


def underlying(diagnosed: Frame, n_persons: int) -> list[str]:
    """Return each person's confirmed underlying diseases, joined by `|`; '' where none is recorded.

    A disease is listed with its narrowest name only: systemic lupus is not also "autoimmune".
    """
    order = rules().underlying
    place = {name: at for at, name in enumerate(order)}
    rank = np.array([place.get(name, -1) for name in diagnosed["condition"].tolist()], np.int64)
    kept = np.flatnonzero((rank >= 0) & (diagnosed["status"] == "confirmed"))
    _, first, row = np.unique(diagnosed["row"][kept], return_index=True, return_inverse=True)
    narrowest = np.full(len(first), len(order))
    np.minimum.at(narrowest, row, rank[kept])
    pairs = np.unique(diagnosed["person"][kept][first].astype(np.int64) * len(order) + narrowest)
    names = [""] * n_persons
    for pair in pairs.tolist():
        person, at = divmod(pair, len(order))
        names[person] = f"{names[person]}|{order[at]}" if names[person] else order[at]
    return names


def undated(diagnosed: Frame, n_persons: int) -> tuple[list[str], list[list[int]]]:
    """Return each person's diagnoses without a date and without a stay, and their rows.

    They may be of any time, so they count wherever that time is allowed; shown apart, because nobody knows it.
    One that is not confirmed says so: `history: lymphoma`. What is excluded is left out.
    """
    open_ = (diagnosed["first"] == FAR_PAST) & (diagnosed["last"] == FAR_FUTURE)
    kept = np.flatnonzero(open_ & (diagnosed["status"] != "excluded"))
    _, narrowest = np.unique(diagnosed["row"][kept], return_index=True)
    names: list[dict[str, None]] = [{} for _ in range(n_persons)]
    rows: list[list[int]] = [[] for _ in range(n_persons)]
    for row in diagnosed.take(kept[narrowest]).rows():
        state = "" if row["status"] == "confirmed" else f"{row['status']}: "
        names[row["person"]][f"{state}{row['condition']}"] = None
        rows[row["person"]].append(row["row"])
    return ["|".join(each) for each in names], rows
