"""A landmark study: who was alive and in hospital some hours after admission, and the outcome.

Definitions are evaluated at the landmark, from tests drawn by then; only later events are counted.
Persons who died or went home before the landmark cannot be used to judge a definition at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from becalm.cohort.clocks import Clocks
from becalm.core import stats
from becalm.core.arrays import FAR_FUTURE, Mask, Times
from becalm.core.clock import DAY, UNKNOWN_TIME, span
from becalm.core.frame import Frame
from becalm.patients.context import GROWN
from becalm.patients.context import rules as context_rules
from becalm.patients.understood import Patients
from becalm.persons.stays import admissions
from becalm.protocol import Landmark
from becalm.timeline import Intervals

WEEK: Final = 7 * DAY
STATUSES: Final = ("met", "not met", "undetermined")
ENDS: Final = ("died", "discharged", "in hospital", "unknown")
Ended: TypeAlias = str
"""died, discharged, in hospital, unknown: the state of the admission at the horizon."""


@dataclass(frozen=True, eq=False)
class Admitted:
    """Per person: the first admission with the illness, and who reached the landmark.

    start : int64, µs, `UNKNOWN_TIME` where there is none. died, left, unseen : persons who died,
    were discharged, or whose records end before the landmark.
    """

    start: Times
    died: Mask
    left: Mask
    unseen: Mask
    clocks: Clocks


def admitted(chunk: Patients, rule: Landmark) -> Admitted:
    """Return who was admitted with the illness and who was still in hospital at the landmark."""
    n = len(chunk)
    inside = _ill(chunk, rule)
    who, first = np.unique(inside.person, return_index=True)
    start, end = np.full(n, UNKNOWN_TIME), np.full(n, UNKNOWN_TIME)
    start[who], end[who] = inside.start[first], inside.end[first]
    there = start != UNKNOWN_TIME
    at = np.where(there, start + span(rule.after), UNKNOWN_TIME)
    stays = chunk.records.stays
    fatal = stays["person"][(stays["destination"] == "died")]
    death = chunk.records.persons["death_time"]
    gone = there & (end <= at)
    died = there & (death != UNKNOWN_TIME) & (death <= at)
    died |= gone & np.isin(np.arange(n), fatal)
    open_end = there & np.isin(np.arange(n), stays["person"][stays["end"] == UNKNOWN_TIME])
    unseen = gone & ~died & open_end & (chunk.ended <= at)
    left = gone & ~died & ~unseen
    at[died | left | unseen] = UNKNOWN_TIME
    nobody = Clocks.none(n)
    return Admitted(
        start, died, left, unseen, Clocks(at, at, nobody.infusion_start, nobody.high_rate)
    )


def _ill(chunk: Patients, rule: Landmark) -> Intervals:
    """Return the admissions with the diagnosis or a positive test during them or shortly before."""
    inside = admissions(chunk.records)
    diagnosed, table = chunk.diagnosed, chunk.records.cultures
    is_illness = (diagnosed["condition"] == rule.condition) & (diagnosed["status"] == "confirmed")
    words = context_rules().covid_tests if rule.condition == "covid19" else ()
    tested = [
        any(word in f"{test} {organism}".casefold() for word in words) and result in GROWN
        for test, organism, result in zip(
            table["test"], table["organism"], table["result"], strict=True
        )
    ]
    positive = np.array(tested, np.bool_) & (table["collected"] != UNKNOWN_TIME)
    person = np.concatenate([diagnosed["person"][is_illness], table["person"][positive]])
    first = np.concatenate([diagnosed["first"][is_illness], table["collected"][positive]])
    last = np.concatenate([diagnosed["last"][is_illness], table["collected"][positive]])
    ill = Intervals.build(person, first, np.minimum(last, FAR_FUTURE) + 1)
    admission, _ = ill.overlaps(inside.person, inside.start - span(rule.before), inside.end)
    return inside.take(np.isin(np.arange(len(inside)), admission))


def treated(chunk: Patients, cohort: Frame, rule: Landmark) -> Frame:
    """Return the rows of the cohort with an immunotherapy from admission to a week after the landmark.

    An infusion that was running at the admission counts; one that ended before it does not.
    """
    doses = chunk.doses.frame
    drugs = [drug.name for drug in chunk.vocabulary.drugs if drug.immunotherapy]
    rows = np.concatenate([np.empty(0, np.intp), *(chunk.doses.exposed(name) for name in drugs)])
    landmark = np.full(len(chunk), UNKNOWN_TIME)
    landmark[cohort["person"]] = cohort["index_time"]
    at = landmark[doses["person"][rows]]
    start = doses["start"][rows]
    admission = at - span(rule.after)
    near = (at != UNKNOWN_TIME) & (start <= at + WEEK)
    near &= (start >= admission) | (~doses["single"][rows] & (doses["until"][rows] > admission))
    return cohort.take(np.isin(cohort["person"], doses["person"][rows][near]))


@dataclass(frozen=True)
class StatusCount:
    """The persons with one status by one definition, and their outcomes at the horizon.

    risk : in-hospital deaths among those with a known outcome, with its exact 95 % interval.
    """

    criterion: str
    status: str
    n: int
    died: int
    discharged: int
    in_hospital: int
    unknown: int

    @property
    def risk(self) -> float | None:
        known = self.n - self.unknown
        return self.died / known if known else None

    @property
    def interval(self) -> stats.Interval | None:
        return stats.proportion(self.died, self.n - self.unknown)


def ended(persons: Frame, outcome: Frame, rule: Landmark) -> dict[str, Ended]:
    """Return the outcome of each person's admission at the horizon, by person.

    Death in hospital and discharge are competing events: a person who went home alive first was
    discharged, whatever happened later. If the records end earlier without either, it is unknown.
    """
    later = {row["person_id"]: row for row in outcome.rows()}
    outcomes = {}
    for row in persons.rows():
        end = later[row["person_id"]]
        limit = row["index_time"] - span(rule.after) + span(rule.horizon)
        home, seen = end["discharged"], end["last_contact"]
        if home != UNKNOWN_TIME and home <= limit:
            state = "discharged"
        elif end["died"] and seen != UNKNOWN_TIME and seen <= limit:
            state = "died"
        elif limit <= max(home, seen):
            state = "in hospital"
        else:
            state = "unknown"
        outcomes[row["person_id"]] = state
    return outcomes


def members(
    criteria: Frame, ends: Mapping[str, Ended], names: Sequence[str]
) -> dict[tuple[str, str], dict[str, Ended]]:
    """Return, for every definition and status at the landmark, its persons and their outcomes."""
    groups: dict[tuple[str, str], dict[str, Ended]] = {
        (name, status): {} for name in names for status in STATUSES
    }
    for row in criteria.take(criteria["moment"] == "index").rows():
        who, cell = row["person_id"], (row["criterion"], row["status"])
        if who in ends and cell in groups:
            groups[cell][who] = ends[who]
    return groups


def cells(criteria: Frame, ends: Mapping[str, Ended], names: Sequence[str]) -> list[StatusCount]:
    """Return every definition's three statuses at the landmark with the counts of outcomes."""
    counts = []
    for (name, status), people in members(criteria, ends, names).items():
        outcomes = list(people.values())
        counts.append(StatusCount(name, status, len(outcomes), *[outcomes.count(e) for e in ENDS]))
    return counts
