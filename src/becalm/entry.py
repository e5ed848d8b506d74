"""When a person enters a study: the clocks of a treatment, or the index hour; and how old then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.clock import DAY, HOUR, UNKNOWN_TIME, YEAR, completed_years, from_us, span
from becalm.doses import Doses, Rules, continuous_entries, continuous_rate
from becalm.events import Events
from becalm.frame import Frame
from becalm.protocol import Entry, Index, Protocol
from becalm.records import Records
from becalm.timeline import Intervals, Mask, Points, Times

HOURS_A_DAY: Final = 24


@dataclass(frozen=True, eq=False)
class Clocks:
    """Per person: entry or index, time zero, and the further clocks; `UNKNOWN_TIME` where none.

    All int64, µs, one entry a person of the chunk.
    """

    index: Times
    t0: Times
    t_civ: Times
    t_high: Times

    @classmethod
    def none(cls, n_persons: int) -> Clocks:
        return cls(*(np.full(n_persons, UNKNOWN_TIME) for _ in range(4)))


def clocks(
    records: Records, events: Events, doses: Doses, protocol: Protocol, ended: Times
) -> Clocks:
    """Return the clocks of everybody who enters by the protocol's rule."""
    if protocol.entry is not None:
        return _by_treatment(records, doses, protocol, protocol.entry, ended)
    if protocol.index is not None:
        index = index_hours(events, protocol.index, protocol.clock, len(records.persons))
        nobody = Clocks.none(len(records.persons))
        return Clocks(index, index, nobody.t_civ, nobody.t_high)
    return Clocks.none(len(records.persons))


def _by_treatment(
    records: Records, doses: Doses, protocol: Protocol, entry: Entry, ended: Times
) -> Clocks:
    found = Clocks.none(len(records.persons))
    rules = Rules.of(protocol)
    infusions = continuous_entries(doses, entry.drug, rules, span(entry.min_duration), ended)
    for who, start in zip(infusions.person[::-1], infusions.start[::-1], strict=True):
        found.t_civ[who] = found.index[who] = start
    given = doses.given(entry.drug)
    gap = max(span(each) for each in protocol.treatment_episode.values())
    exposed = given.bridge(gap)
    for who in np.flatnonzero(found.index != UNKNOWN_TIME):
        found.t0[who] = _time_zero(
            given, exposed, int(who), int(found.index[who]), span(entry.t0_within)
        )
    high = continuous_rate(doses, entry.drug, rules).first(
        lambda low, _: np.round(low * HOURS_A_DAY, 9) >= entry.high_rate_mg_day
    )
    for who, time in zip(*high, strict=True):
        if found.t0[who] != UNKNOWN_TIME and time >= found.t0[who]:
            found.t_high[who] = time
    return found


def _time_zero(given: Intervals, exposed: Intervals, who: int, entry: int, within: int) -> int:
    """First dose of any route in [entry − within, entry]; entry itself for one on it longer."""
    mine = exposed.person == who
    around = mine & (exposed.start <= entry) & (exposed.end > entry)
    if around.any() and exposed.start[around][0] < entry - within:
        return entry
    starts = given.start[
        (given.person == who) & (given.start >= entry - within) & (given.start <= entry)
    ]
    return int(starts[0]) if len(starts) else entry


def index_hours(events: Events, index: Index, clock: str, n_persons: int) -> Times:
    """First instant at which a value and a qualifying one, drawn near each other, are both known.

    "Near" is within `index.within` of each other by when they were drawn; "known" is by when they
    became available, or by when drawn where that is the protocol's clock.
    """
    found = np.full(n_persons, UNKNOWN_TIME)
    person, drawn, known = _reaching(events, index.variable, clock, at_least=index.at_least)
    if not len(person):
        return found
    near = span(index.within)
    earliest = np.full(len(person), np.inf)
    for each in index.qualifying:
        who, when, ready = _reaching(
            events, each.variable, clock, at_least=each.at_least, below=each.below
        )
        # The earliest moment of availability among the draws from near before to near after.
        window = Points.build(who, when, ready.astype(np.float64)).trailing("min", 2 * near + 1)
        at, _ = window.at(person, drawn + near)
        earliest = np.minimum(earliest, np.where(at == -np.inf, np.inf, at))
    both = np.maximum(earliest, known)
    for who, time in zip(person, both, strict=True):
        if np.isfinite(time) and (found[who] == UNKNOWN_TIME or time < found[who]):
            found[who] = int(time)
    return found


def _reaching(
    events: Events,
    variable: str,
    clock: str,
    *,
    at_least: float | None = None,
    below: float | None = None,
) -> tuple[npt.NDArray[np.int32], Times, Times]:
    """Person, time drawn and time known of the results that certainly reach a bound."""
    table = events.frame
    mask: Mask = table["variable"] == events.vocabulary.code(variable)
    if at_least is not None:
        mask &= table["low"] >= at_least
    if below is not None:
        mask &= table["high"] < below
    known = table["available"] if clock == "available" else table["time"]
    return table["person"][mask], table["time"][mask], known[mask]


def ages(persons: Frame, at: Times) -> tuple[Times, Mask]:
    """Return completed years of each person at a time (−1 not known), and whether it is undated.

    From the birth date; else from a dated age, with the whole years that have passed since; else
    the age as written, undated.
    """
    years = np.full(len(persons), -1, np.int64)
    undated = np.zeros(len(persons), np.bool_)
    birth, age, age_at = persons["birth"], persons["age"], persons["age_at"]
    for i in range(len(persons)):
        if birth[i] != UNKNOWN_TIME and at[i] != UNKNOWN_TIME:
            if persons["birth_year_only"][i]:
                years[i] = from_us(at[i]).year - from_us(birth[i]).year
            else:
                years[i] = completed_years(birth[i], at[i])
        elif not np.isnan(age[i]):
            undated[i] = age_at[i] == UNKNOWN_TIME
            known = not undated[i] and at[i] != UNKNOWN_TIME
            years[i] = int(age[i]) + (int((at[i] - age_at[i]) // YEAR) if known else 0)
    return years, undated


def ends_of_records(records: Records) -> Times:
    """Return the last moment that is recorded of each person; `UNKNOWN_TIME` of nobody known."""
    latest = np.full(len(records.persons), UNKNOWN_TIME)
    for table, columns in (
        (records.measurements, ("time",)),
        (records.administrations, ("start", "end")),
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
    date_only = records.persons["death_date_only"]
    until = np.where(date_only & (death != UNKNOWN_TIME), death + DAY, death)
    return np.where(
        death == UNKNOWN_TIME, latest, np.where(date_only, np.minimum(latest, until), death)
    )


def admitted_within(inside: Intervals, person: npt.NDArray[np.int32], time: Times) -> Times:
    """Return the end of the time in hospital that holds each (person, time); else unknown."""
    end = np.full(len(person), UNKNOWN_TIME)
    for i, (who, when) in enumerate(zip(person, time, strict=True)):
        held = (inside.person == who) & (inside.start <= when + HOUR) & (inside.end > when)
        if held.any():
            end[i] = inside.end[held][0]
    return end
