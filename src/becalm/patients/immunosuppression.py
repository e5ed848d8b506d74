"""Whether a patient was immunosuppressed before an illness began."""

from __future__ import annotations

from collections.abc import Iterable
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
from becalm.timeline import Intervals, Timeline, axis, combine, either
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
    the illness began, so that the treatment of the storm itself never counts; or a code for long-term
    use of one; or a finding. Without any of these records the answer is unknown, never no. Source:
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
    """Return 1 from an illness to the next one if a drug was taken on enough of the days before it."""
    rule = rules()
    begun, lead = _illnesses(records, events), rule.illness.us
    covered = _covered(doses, vocabulary)
    # Whole days before the day on which the illness began, in hours of the timeline's integral.
    day = begun.start // DAY * DAY
    drug = Timeline.build(covered.person, covered.start, covered.end, np.ones(len(covered)))
    hours, _ = drug.integrate(begun.person, day - rule.within.us, day)
    long = np.round(hours / (DAY / HOUR), 9) >= rule.days
    start, end = begun.start - lead, np.full(len(begun), FAR_FUTURE)
    same = begun.person[1:] == begun.person[:-1]
    end[:-1][same] = start[1:][same]
    who, start, end, day = begun.person[long], start[long], end[long], day[long]
    known = Timeline.build(who, start, end, np.ones(len(who)))
    illness, rows = _given_between(doses, vocabulary, who, day - rule.within.us, day)
    return known.resting_on(
        who[illness], start[illness], end[illness], rows + events.administrations_from
    )


def _given_between(
    doses: Doses, vocabulary: Vocabulary, person: Persons, start: Times, end: Times
) -> tuple[Index, Index]:
    """Return pairs (interval, row) of the immunosuppressants that began in each interval."""
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
    """Return when each person was ill: admissions, or high ferritin in persons never admitted."""
    rule = rules()
    inside = admissions(records).bridge(rule.illness.us)
    high = events.points("ferritin").where(lambda low, _: low >= rule.ferritin_at_least)
    outside = ~np.isin(high.person, inside.person)
    who, when = high.person[outside], high.time[outside]
    return inside.union(Intervals.build(who, when, when + rule.within.us))


def _covered(doses: Doses, vocabulary: Vocabulary) -> Intervals:
    """Return the days on which a systemic immunosuppressant acted in each person."""
    rule = rules()
    parts: list[tuple[Array, Array, Array]] = [(np.empty(0, np.int32), *_NO_TIMES)]
    for drug in vocabulary.drugs:
        if drug.immunosuppressant:
            rows = doses.exposed(drug.name)
            start = doses.frame["start"][rows]
            first, stop = start // DAY, np.maximum(doses.frame["until"][rows], start + 1)
            days = rule.days_of_a_dose(drug.name, doses.frame["route"][rows])
            last = np.maximum((stop - 1) // DAY, first + days - 1)
            parts.append((doses.frame["person"][rows], first * DAY, (last + 1) * DAY))
    return Intervals.build(*(np.concatenate(column) for column in zip(*parts, strict=True)))


_NO_TIMES: Final = (np.empty(0, np.int64), np.empty(0, np.int64))
