"""Who a patient was before the storm: diagnoses, underlying disease, immunosuppression, admissions.

Three states throughout: recorded as present, recorded as absent, and not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from becalm.clock import DAY, HOUR, UNKNOWN_TIME, span
from becalm.doses import Doses
from becalm.entry import ends_of_records
from becalm.events import Events
from becalm.frame import Array, Frame, Kind, distinct
from becalm.records import Records
from becalm.timeline import (
    Floats,
    Intervals,
    Mask,
    Persons,
    Timeline,
    Times,
    axis,
    combine,
    either,
)
from becalm.timeline.arrays import Index, expand
from becalm.vocabulary import Vocabulary

EARLIEST: Final = -(10**17)
LATEST: Final = 10**17
"""µs, three thousand years either way: what has no date may have been at any time."""

DIAGNOSES: Final[dict[str, Kind]] = {
    "person": "code",
    "condition": "text",
    "first": "time",  # recorded no earlier than this ...
    "last": "time",  # ... and no later
    "status": "text",
    "row": "code",
}


class ImmunosuppressionRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a patient counts as immunosuppressed before a storm."""

    conditions: tuple[str, ...]
    days: int
    within: str
    finding_valid: str
    illness: str
    ferritin_at_least: float
    dose_stands_for: dict[str, int]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers of `background.toml`."""

    underlying: tuple[str, ...]
    lifelong: tuple[str, ...]
    same_admission: str
    weight_valid: str
    recorded_after: str
    storm_recorded_before: str
    immunosuppression: ImmunosuppressionRule


@lru_cache(maxsize=1)
def rules() -> Rules:
    """Return the shipped rules."""
    file = Path(__file__).with_name("background.toml")
    return msgspec.toml.decode(file.read_bytes(), type=Rules)


def diagnoses(records: Records, vocabulary: Vocabulary) -> Frame:
    """Return every condition row that the vocabulary knows, under each name it goes by.

    One row per record row × condition (a wider condition repeats it), in the records' order. It
    was recorded at its onset; else during the stay it was coded for; else at any time.
    """
    table = records.conditions
    first, last = _recorded(records)
    written, ways = distinct(table["system"], table["code"], table["name"])
    meant = [vocabulary.conditions_of(*way) for way in ways]
    many = np.array([len(each) for each in meant], np.int64)
    begin = np.cumsum(many) - many
    names = np.array([name for each in meant for name in each], object)
    rows, which = expand(begin[written], (begin + many)[written])
    status = table["status"][rows]
    return Frame.of(
        DIAGNOSES,
        person=table["person"][rows],
        condition=names[which],
        first=first[rows],
        last=last[rows],
        status=np.where(status == "", "confirmed", status),
        row=rows,
    )


def _recorded(records: Records) -> tuple[Times, Times]:
    """Return from when to when each condition row may have been recorded first."""
    table, stays = records.conditions, records.stays
    onset = table["onset"]
    ids = stays["stay_id"].tolist()
    place = dict(
        zip(zip(stays["person"].tolist(), ids, strict=True), range(len(stays)), strict=True)
    )
    keys = zip(table["person"].tolist(), table["stay_id"].tolist(), strict=True)
    stay = np.array([place.get(key, -1) if key[1] else -1 for key in keys], np.int64)
    first, last = np.full(len(table), EARLIEST), np.full(len(table), LATEST)
    coded = stay >= 0
    for bound, column in ((first, "start"), (last, "end")):
        time = stays[column][stay[coded]]
        bound[coded] = np.where(time == UNKNOWN_TIME, bound[coded], time)
        bound[onset != UNKNOWN_TIME] = onset[onset != UNKNOWN_TIME]
    return first, last


def has(
    diagnosed: Frame,
    conditions: Iterable[str],
    n_persons: int,
    *,
    since: Times | None = None,
    until: Times | None = None,
) -> Mask:
    """Whether each person has a confirmed row of one of some conditions.

    since and until : int64 per person, µs; the row may have been recorded in between, both included.
    `UNKNOWN_TIME` is no bound. Suspected and excluded diagnoses are not there.
    """
    chosen = np.isin(diagnosed["condition"].astype(str), list(conditions))
    chosen &= diagnosed["status"] == "confirmed"
    person = diagnosed["person"]
    if since is not None:
        chosen &= diagnosed["last"] >= since[person]
    if until is not None:
        chosen &= (until[person] == UNKNOWN_TIME) | (diagnosed["first"] <= until[person])
    mask = np.zeros(n_persons, np.bool_)
    mask[person[chosen]] = True
    return mask


def excluded_by(diagnosed: Frame, condition: str, index: Times) -> Mask:
    """Whether each person has a condition that was there at the index.

    Recorded at any time before, or shortly after; what one is born with, ever.
    """
    until = None if condition in rules().lifelong else _later(index, span(rules().recorded_after))
    return has(diagnosed, [condition], len(index), until=until)


def diagnosed_storm(diagnosed: Frame, conditions: Iterable[str], index: Times) -> Mask:
    """Whether a clinician diagnosed this storm: a confirmed diagnosis recorded near the index."""
    return has(
        diagnosed,
        conditions,
        len(index),
        since=_later(index, -span(rules().storm_recorded_before)),
        until=_later(index, span(rules().recorded_after)),
    )


def _later(time: Times, by: int) -> Times:
    """Return times moved by a length; unknown ones stay unknown."""
    moved = np.where(time == UNKNOWN_TIME, 0, time) + by
    return np.where(time == UNKNOWN_TIME, UNKNOWN_TIME, moved)


def underlying(diagnosed: Frame, n_persons: int) -> list[str]:
    """Return each person's confirmed underlying diseases, joined by `|`; '' where none is recorded.

    A disease is given by its narrowest name only: systemic lupus is not also "autoimmune".
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


def weights(records: Records, events: Events, person: Persons, time: Times) -> Floats:
    """Return the weight in kg of each (person, time): measured lately, else the persons table's."""
    low, high = events.points("weight").hold(span(rules().weight_valid)).at(person, time)
    written: Floats = records.persons["weight_kg"][person]
    return np.where((low > 0) & (high < np.inf), low, written)


def immunosuppression(
    records: Records, events: Events, doses: Doses, diagnosed: Frame, vocabulary: Vocabulary
) -> Timeline:
    """Return whether each person is known to be immunosuppressed (1), known not to be (0).

    HIV; a systemic immunosuppressant on at least 28 of the 90 days before the illness began, so
    that the treatment of the storm itself never counts; or a finding. What nobody wrote down is
    unknown, never no. Source: Fardet 2014 for the item, the numbers are a proposal.
    """
    rule = rules().immunosuppression
    said = events.points("immunosuppression").hold(span(rule.finding_valid))
    treated = _long_treated(records, events, doses, vocabulary)
    return combine(either, _infected(events, diagnosed, rule.conditions), treated, said)


def _infected(events: Events, diagnosed: Frame, conditions: Iterable[str]) -> Timeline:
    """Return 1 from shortly before HIV was first recorded; always, where that is not known."""
    rows = diagnosed.take(
        np.isin(diagnosed["condition"].astype(str), list(conditions))
        & (diagnosed["status"] == "confirmed")
    )
    begin = rows["first"] - span(rules().recorded_after)
    end = np.full(len(rows), 2 * LATEST)
    since = Intervals.build(rows["person"], begin, end)
    known = Timeline.build(since.person, since.start, since.end, np.ones(len(since)))
    return known.resting_on(rows["person"], begin, end, rows["row"] + events.diagnosed_from)


def _long_treated(
    records: Records, events: Events, doses: Doses, vocabulary: Vocabulary
) -> Timeline:
    """Return 1 from an illness to the next one, where enough of the days before had a drug."""
    rule = rules().immunosuppression
    begun, lead = _illnesses(records, events), span(rule.illness)
    covered = _covered(doses, vocabulary)
    # Whole days before the day on which the illness began, in hours of the timeline's integral.
    day = begun.start // DAY * DAY
    drug = Timeline.build(covered.person, covered.start, covered.end, np.ones(len(covered)))
    hours, _ = drug.integrate(begun.person, day - span(rule.within), day)
    long = np.round(hours / (DAY / HOUR), 9) >= rule.days
    start, end = begun.start - lead, np.full(len(begun), LATEST)
    same = begun.person[1:] == begun.person[:-1]
    end[:-1][same] = start[1:][same]
    who, start, end, day = begun.person[long], start[long], end[long], day[long]
    known = Timeline.build(who, start, end, np.ones(len(who)))
    illness, rows = _given_between(doses, vocabulary, who, day - span(rule.within), day)
    return known.resting_on(who[illness], start[illness], end[illness], rows + events.given_from)


def _given_between(
    doses: Doses, vocabulary: Vocabulary, person: Persons, start: Times, end: Times
) -> tuple[Index, Index]:
    """Pair each stretch with the administrations of immunosuppressants that began in it."""
    names = [drug.name for drug in vocabulary.drugs if drug.immunosuppressant]
    rows = np.concatenate([np.empty(0, np.intp), *(doses.exposed(name) for name in names)])
    frame = doses.frame
    rows = rows[np.lexsort((frame["start"][rows], frame["person"][rows]))]
    who, when = frame["person"][rows], frame["start"][rows]
    line = axis((who, when))
    places = line.place(who, when)
    first = np.searchsorted(places, line.place(person, start), "left")
    last = np.searchsorted(places, line.place(person, end), "left")
    stretch, at = expand(first, np.maximum(first, last))
    return stretch, frame["row"][rows[at]]


def _illnesses(records: Records, events: Events) -> Intervals:
    """Return when each person was ill: admissions, or high ferritin of those never admitted."""
    rule = rules().immunosuppression
    inside = admissions(records).bridge(span(rule.illness))
    high = events.points("ferritin").where(lambda low, _: low >= rule.ferritin_at_least)
    outside = ~np.isin(high.person, inside.person)
    who, when = high.person[outside], high.time[outside]
    return inside.union(Intervals.build(who, when, when + span(rule.within)))


def _covered(doses: Doses, vocabulary: Vocabulary) -> Intervals:
    """Return the days on which each person was under a systemic immunosuppressant."""
    stands_for = rules().immunosuppression.dose_stands_for
    parts: list[tuple[Array, Array, Array]] = [(np.empty(0, np.int32), *_NO_TIMES)]
    for drug in vocabulary.drugs:
        if drug.immunosuppressant:
            rows = doses.exposed(drug.name)
            start = doses.frame["start"][rows]
            first, stop = start // DAY, np.maximum(doses.frame["until"][rows], start + 1)
            last = np.maximum((stop - 1) // DAY, first + stands_for.get(drug.name, 1) - 1)
            parts.append((doses.frame["person"][rows], first * DAY, (last + 1) * DAY))
    return Intervals.build(*(np.concatenate(column) for column in zip(*parts, strict=True)))


_NO_TIMES: Final = (np.empty(0, np.int64), np.empty(0, np.int64))
