"""Whether a patient was immunosuppressed before an illness began."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import FAR_FUTURE, Array, Index, Persons, Texts, Times, expand
from becalm.core.clock import DAY, HOUR, Length
from becalm.core.frame import Frame
from becalm.doses import Doses
from becalm.events import Events
from becalm.persons import diagnoses
from becalm.persons.stays import admissions, discharges
from becalm.records import Records
from becalm.timeline import Intervals, Points, Timeline, axis, combine, either
from becalm.vocabulary import Vocabulary

FILE: Final = Path(__file__).with_suffix(".toml")


class ImmunosuppressionRule(toml.TomlTable, frozen=True):
    """When a patient counts as immunosuppressed before a storm."""

    conditions: tuple[str, ...]
    coded_use: tuple[str, ...]
    days: int
    within: Length
    finding_valid: Length
    illness: Length
    ferritin_at_least: float
    dose_stands_for: dict[str, int | dict[str, int]]

    def days_of_a_dose(self, drug: str, routes: Texts) -> Index:
        """Return for how many days a dose of `drug` stands, by the route of each."""
        days = self.dose_stands_for.get(drug, 1)
        if isinstance(days, int):
            return np.full(len(routes), days)
        longest = max(days.values())
        return np.array([days.get(route, longest) for route in routes.tolist()], np.intp)


def rules() -> ImmunosuppressionRule:
    """Return the shipped rules."""
    return toml.load(FILE, ImmunosuppressionRule)


def immunosuppression(
    records: Records, events: Events, doses: Doses, diagnosed: Frame, vocabulary: Vocabulary
) -> Timeline:
    """Return whether each person is known to be immunosuppressed (1), known not to be (0).

    Immunosuppressed means: HIV; or a systemic immunosuppressant on at least 28 of the 90 days before
    the illness began, so that the treatment of the storm itself never counts, and outside an illness before
    the moment; or a code for long-term use of one; or a finding. Without any of these records the answer is unknown, never no. Source:
    Fardet 2014 for the item, the numbers are a proposal.
    """
    rule = rules()
    finding = events.points("immunosuppression").hold(rule.finding_valid.us)
    treated = _long_treated(records, events, doses, vocabulary)
    infected = _recorded(events, diagnosed, rule.conditions)
    coded = _coded_use(records, events, diagnosed)
    return combine(either, infected, coded, treated, finding)


def _coded_use(records: Records, events: Events, diagnosed: Frame) -> Timeline:
    """Return 1 after the stay for which long-term use was coded, as long as a documented yes stands.

    A code of the storm's own stay may mean the treatment of the storm, so it counts only once that stay is
    over; a code of which the time is not known does not count.
    """
    rule = rules()
    rows = diagnosed.take(
        np.isin(diagnosed["condition"].astype(str), list(rule.coded_use))
        & (diagnosed["status"] == "confirmed")
        & (diagnosed["last"] != FAR_FUTURE)
    )
    over = np.maximum(rows["last"], discharges(records, rows["person"], rows["last"]))
    end = over + rule.finding_valid.us
    since = Intervals.build(rows["person"], over, end)
    known = Timeline.build(since.person, since.start, since.end, np.ones(len(since)))
    return known.resting_on(rows["person"], over, end, rows["row"] + events.conditions_from)


def _recorded(events: Events, diagnosed: Frame, conditions: Iterable[str]) -> Timeline:
    """Return 1 from shortly before the first record of a condition; always if its date is not known."""
    rows = diagnosed.take(
        np.isin(diagnosed["condition"].astype(str), list(conditions))
        & (diagnosed["status"] == "confirmed")
    )
    begin = rows["first"] - diagnoses.rules().recorded_after.us
    end = np.full(len(rows), FAR_FUTURE)
    since = Intervals.build(rows["person"], begin, end)
    known = Timeline.build(since.person, since.start, since.end, np.ones(len(since)))
    return known.resting_on(rows["person"], begin, end, rows["row"] + events.conditions_from)


def _long_treated(
    records: Records, events: Events, doses: Doses, vocabulary: Vocabulary
) -> Timeline:
    """Return 1 where a drug was taken on enough of the days before the illness, or before the moment.

    In an illness the days before it began decide, so its treatment never counts. At other times the days
    before the moment itself do, so a drug that ended long ago no longer counts.
    """
    taken = _Taken.of(doses, vocabulary)
    begun, lasting = _illnesses(records, events)
    known = _before_the_illness(taken, begun, lasting, events.administrations_from)
    lately = _before_the_moment(taken, events.administrations_from)
    return combine(either, known, lately.clip(lately.known().without(lasting)))


@dataclass(frozen=True, eq=False)
class _Taken:
    """The days on which each dose of a systemic immunosuppressant acts, [start, end) in µs, and its row."""

    person: Persons
    start: Times
    end: Times
    given: Times
    row: Times

    @classmethod
    def of(cls, doses: Doses, vocabulary: Vocabulary) -> _Taken:
        """Read them, sorted by person and by the time at which they were given."""
        rule, frame = rules(), doses.frame
        none = np.empty(0, np.int64)
        parts: list[tuple[Array, Array, Array]] = [(none, none, none)]
        for drug in vocabulary.drugs:
            if drug.immunosuppressant:
                rows = doses.exposed(drug.name)
                start = frame["start"][rows]
                first, stop = start // DAY, np.maximum(frame["until"][rows], start + 1)
                days = rule.days_of_a_dose(drug.name, frame["route"][rows])
                last = np.maximum((stop - 1) // DAY, first + days - 1)
                parts.append((rows, first * DAY, (last + 1) * DAY))
        rows, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((frame["start"][rows], frame["person"][rows]))
        rows = rows[order]
        person, given = frame["person"][rows], frame["start"][rows]
        return cls(person, start[order], end[order], given, frame["row"][rows])

    def days(self) -> Intervals:
        """Return the days on which a drug acted."""
        return Intervals.build(self.person, self.start, self.end)

    def given_between(self, person: Persons, start: Times, end: Times) -> tuple[Index, Index]:
        """Return pairs (interval, row) of the doses that were given in each interval."""
        line = axis((self.person, self.given))
        places = line.place(self.person, self.given)
        first = np.searchsorted(places, line.place(person, start), "left")
        last = np.searchsorted(places, line.place(person, end), "left")
        stretch, at = expand(first, np.maximum(first, last))
        return stretch, self.row[at]


def _before_the_illness(
    taken: _Taken, begun: Times, lasting: Intervals, first_row: int
) -> Timeline:
    """Return 1 in the illnesses before which a drug was taken on enough days."""
    rule, days = rules(), taken.days()
    # Whole days before the day on which the illness began, in hours of the timeline's integral.
    day = begun // DAY * DAY
    drug = Timeline.build(days.person, days.start, days.end, np.ones(len(days)))
    hours, _ = drug.integrate(lasting.person, day - rule.within.us, day)
    long = np.round(hours / (DAY / HOUR), 9) >= rule.days
    ill, day = lasting.take(long), day[long]
    known = Timeline.build(ill.person, ill.start, ill.end, np.ones(len(ill)))
    at, rows = taken.given_between(ill.person, day - rule.within.us, day)
    return known.resting_on(ill.person[at], ill.start[at], ill.end[at], rows + first_row)


def _before_the_moment(taken: _Taken, first_row: int) -> Timeline:
    """Return 1 on the days before which a drug was taken on enough days."""
    rule, days = rules(), taken.days()
    which, day = expand(days.start // DAY, days.end // DAY)
    # A day counts from its end on, for as long as it is one of those before the day of the moment.
    counted = Points.build(days.person[which], (day + 1) * DAY, np.ones(len(day)))
    number = counted.trailing("count", rule.within.us)
    long = number.where(lambda low, _: low >= rule.days)
    known = Timeline.build(long.person, long.start, long.end, np.ones(len(long)))
    end = taken.end + rule.within.us
    known = known.resting_on(taken.person, taken.start + DAY, end, taken.row + first_row)
    return known.clip(long)


def _illnesses(records: Records, events: Events) -> tuple[Times, Intervals]:
    """Return when each illness had begun, and the time that belongs to it.

    An admission with the days before and after it is an illness, which began with the admission. Outside
    these, high ferritin is one: it began with the first such value after long without one, or with the
    admission in which that was.
    """
    rule = rules()
    inside = admissions(records).bridge(rule.illness.us)
    near = _with_days_around(inside, rule.illness.us)
    high = events.points("ferritin").where(lambda low, _: low >= rule.ferritin_at_least)
    ferritin = Intervals.build(high.person, high.time, high.time + rule.within.us)
    whole = inside.union(ferritin)
    around = _with_days_around(whole, 0)
    apart = around.without(near)
    _, at = around.overlaps(apart.person, apart.start, apart.start + 1)
    person = np.concatenate([near.person, apart.person])
    start = np.concatenate([near.start, apart.start])
    order = np.lexsort((start, person))
    end = np.concatenate([near.end, apart.end])
    begun: Times = np.concatenate([inside.start, whole.start[at]])
    return begun[order], Intervals(person[order], start[order], end[order])


def _with_days_around(illness: Intervals, after: int) -> Intervals:
    """Return illnesses with the days before them and after them; the days before the next one are its own."""
    start, end = illness.start - rules().illness.us, illness.end + after
    again = np.append(illness.person[1:] == illness.person[:-1], False)
    next_start = np.append(start[1:], FAR_FUTURE)
    return Intervals(illness.person, start, np.where(again, np.minimum(end, next_start), end))
