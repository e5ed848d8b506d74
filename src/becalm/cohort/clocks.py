"""When a person enters a study: the clocks of a treatment, or the index hour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Mask, Persons, Times, expand
from becalm.core.clock import UNKNOWN_TIME
from becalm.doses import Doses, EpisodeRules, continuous, continuous_entries, treatments
from becalm.events import Clock, Events
from becalm.persons.lifetime import Lifetime
from becalm.protocol import Entry, Index, Protocol, Threshold
from becalm.records import Records
from becalm.timeline import Intervals, Points, axis, rounded

HOURS_A_DAY: Final = 24


@dataclass(frozen=True, eq=False)
class Clocks:
    """Per person: entry or index, time zero, and the other clocks; `UNKNOWN_TIME` if there is none.

    All int64, µs, one entry a person of the chunk.
    """

    index: Times
    t0: Times
    infusion_start: Times
    high_rate: Times

    @classmethod
    def none(cls, n_persons: int) -> Clocks:
        return cls(*(np.full(n_persons, UNKNOWN_TIME) for _ in range(4)))


def clocks(
    records: Records,
    events: Events,
    doses: Doses,
    protocol: Protocol,
    ended: Times,
    *,
    lifetime: Lifetime,
) -> Clocks:
    """Return the clocks of all persons who enter by the protocol's rule.

    Nobody enters after death: a result that was drawn before it and reported after it opens no index hour.
    """
    if protocol.entry is not None:
        return _by_treatment(records, doses, protocol, protocol.entry, ended)
    if protocol.index is not None:
        n = len(records.persons)
        index = index_hours(events, protocol.index, protocol.clock, n)
        index[lifetime.outside(np.arange(n, dtype=np.int32), index) > 0] = UNKNOWN_TIME
        nobody = Clocks.none(len(records.persons))
        return Clocks(index, index, nobody.infusion_start, nobody.high_rate)
    return Clocks.none(len(records.persons))


def _by_treatment(
    records: Records, doses: Doses, protocol: Protocol, entry: Entry, ended: Times
) -> Clocks:
    clocks_of = Clocks.none(len(records.persons))
    rules = EpisodeRules.of(protocol)
    infusions = continuous_entries(doses, entry.drug, rules, entry.min_duration.us, ended)
    who, first = np.unique(infusions.person, return_index=True)
    clocks_of.infusion_start[who] = infusions.start[first]
    if entry.mode == "continuous IV":
        person, index = who, infusions.start[first]
    else:
        begun = treatments(doses, [entry.drug], rules).episodes
        if entry.mode != "any":
            begun = begun.take(begun["mode"] == entry.mode)
        person, first = np.unique(begun["person"], return_index=True)
        index = begun["start"][first]
    if not len(person):
        return clocks_of
    clocks_of.index[person] = index
    courses = _courses(doses, entry.drug, rules, clocks_of.index != UNKNOWN_TIME)
    t0 = clocks_of.t0[person] = _time_zero(courses, person, index, entry.t0_within.us)
    # An infusion that ran until death or the end of the records is continuous as well.
    when = continuous(doses, entry.drug, rules, ended).when
    rate = doses.rate(entry.drug).clip(when)
    since = rate.clip(Intervals(person, t0, np.full(len(person), FAR_FUTURE)))
    least = entry.least_high_rate(doses.unit(entry.drug))
    if least is not None:
        # Rates are rounded to nine decimals: 2,000/24 mg/h × 24 is a millionth of a mg below 2,000.
        who, high = since.first(lambda low, _: np.round(low * HOURS_A_DAY, 6) >= least)
        clocks_of.high_rate[who] = high
    return clocks_of


def entered_by_assumed_end(doses: Doses, protocol: Protocol, index: Times, ended: Times) -> Mask:
    """Return who would not have entered so without the infusions whose end is assumed.

    Only the length of a continuous infusion brings somebody into a study, so other entries rest on no end.
    """
    marked = np.zeros(len(index), np.bool_)
    entry = protocol.entry
    if entry is None or entry.mode != "continuous IV" or not doses.frame["assumed_end"].any():
        return marked
    marked[:] = index != UNKNOWN_TIME
    rules = EpisodeRules.of(protocol)
    certain = continuous_entries(
        doses.written_ends(), entry.drug, rules, entry.min_duration.us, ended
    )
    marked[certain.person[certain.start == index[certain.person]]] = False
    return marked


def of_unknown_mode(doses: Doses, protocol: Protocol, ended: Times) -> Mask:
    """Return who would enter if the infusions of which nobody says how they were given were continuous."""
    persons = np.zeros(len(doses.person_id), np.bool_)
    entry = protocol.entry
    if entry is None or entry.mode != "continuous IV" or entry.unknown_mode == "enters":
        return persons
    rules = replace(EpisodeRules.of(protocol), unknown_mode_enters=True)
    certain = continuous_entries(
        doses, entry.drug, EpisodeRules.of(protocol), entry.min_duration.us, ended
    )
    perhaps = continuous_entries(doses, entry.drug, rules, entry.min_duration.us, ended)
    persons[perhaps.person] = True
    persons[certain.person] = False
    return persons


def _courses(doses: Doses, drug: str, rules: EpisodeRules, persons: Mask) -> Intervals:
    """Return when persons were on a drug; a course lasts until the gap of its mode has passed."""
    courses = treatments(doses, [drug], rules, persons=persons).episodes
    gap = np.array([rules.gaps[mode] for mode in courses["mode"]], np.int64)
    start, end = courses["start"], courses["end"]
    return Intervals.build(courses["person"], start, np.maximum(end, start) + gap)


def _time_zero(courses: Intervals, person: Persons, index: Times, within: int) -> Times:
    """Return the first dose of any route in [index − within, index], else the index itself.

    The index itself is time zero if the course at the index began before these days. A course that
    began before them and stopped in them is an earlier treatment: time zero is the start of a course.
    """
    begins = Intervals(person, index - within, index + 1).contains(courses.person, courses.start)
    recent = courses.take(begins)
    who, first = np.unique(recent.person, return_index=True)
    t0 = index.copy()
    t0[np.searchsorted(person, who)] = recent.start[first]
    return t0


def index_hours(
    events: Events, index: Index, clock: Clock, n_persons: int, *, lasting: bool = False
) -> Times:
    """Return the first time at which a value and a qualifying value, drawn near each other, are known.

    "Near": their times of draw are at most `index.within` apart, both ends included. "Known": from
    the time at which they became available, or from the draw if that is the protocol's clock.
    Only values that certainly reach their bound count: `>15000` does, `<600` does not. A value that a
    later report of its draw took back counts while it stood; with `lasting` it does not count.
    """
    hours = np.full(n_persons, UNKNOWN_TIME)
    bound = Threshold(variable=index.variable, at_least=index.at_least)
    values = _reaching(events, bound, clock, lasting=lasting)
    first = np.full(n_persons, FAR_FUTURE)
    for each in index.qualifying:
        qualifying = _reaching(events, each, clock, lasting=lasting)
        both = _earliest_both(qualifying, values, index.within.us)
        np.minimum.at(first, values.person, both)
    hours[first < FAR_FUTURE] = first[first < FAR_FUTURE]
    return hours


def lasting_index(events: Events, protocol: Protocol, index: Times) -> Times:
    """Return the index without the values that a later report of their draw replaced."""
    if protocol.index is None or protocol.clock == "drawn":
        return index
    return index_hours(events, protocol.index, protocol.clock, len(index), lasting=True)


def index_by_draws(events: Events, protocol: Protocol, index: Times) -> Times:
    """Return when the blood of the index had been drawn, whenever it was reported."""
    if protocol.index is None or protocol.clock == "drawn":
        return index
    drawn = index_hours(events, protocol.index, "drawn", len(index))
    return np.where((drawn != UNKNOWN_TIME) & (drawn < index), drawn, index)


def _earliest_both(points: Points, values: Points, near: int) -> Times:
    """When each of some values and one of the points drawn near it are known; `FAR_FUTURE` if never.

    Both must stand: a value that a later report replaced counts only until then.
    """
    order = np.lexsort((points.taken, points.person))
    who, when = points.person[order], points.taken[order]
    middle = values.taken
    line = axis((who, when))
    places = line.place(who, when)
    low = np.searchsorted(places, line.place(values.person, middle - near), "left")
    high = np.searchsorted(places, line.place(values.person, middle + near), "right")
    of, at = expand(low, high)
    at = order[at]
    both = np.maximum(points.time[at], values.time[of])
    stand = both < np.minimum(points.until[at], values.until[of])
    earliest = np.full(len(values), FAR_FUTURE)
    np.minimum.at(earliest, of[stand], both[stand])
    return earliest


def _reaching(events: Events, bound: Threshold, clock: Clock, *, lasting: bool) -> Points:
    """Return the results that certainly reach a bound; a range counts only if all of it does.

    lasting : leave out those that a later report replaced.
    """
    points = events.points(bound.variable, clock)
    # A converted number is rounded before it is compared; a limit (`<9`) is not rounded.
    exact = points.low == points.high
    low = np.where(exact, rounded(points.low), points.low)
    high = np.where(exact, rounded(points.high), points.high)
    reached = np.ones(len(points), np.bool_)
    if bound.at_least is not None:
        reached &= low >= bound.at_least
    if bound.below is not None:
        reached &= high < bound.below
    if lasting:
        reached &= points.until == FAR_FUTURE
    return points.take(reached)
