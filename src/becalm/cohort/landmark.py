"""A landmark study: who was alive and in hospital some hours after admission, and the outcome.

Definitions are evaluated at the landmark, from tests drawn by then; only later events are counted.
Persons who died or went home before the landmark cannot be used to judge a definition at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.cohort.clocks import Clocks
from becalm.core.arrays import FAR_FUTURE, Mask, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.patients.context import GROWN
from becalm.patients.context import rules as context_rules
from becalm.patients.understood import Patients
from becalm.persons.death import Deaths
from becalm.persons.stays import admissions
from becalm.protocol import Landmark
from becalm.timeline import Intervals

WEEK: Final = 7 * DAY


@dataclass(frozen=True, eq=False)
class Admitted:
    """Per person: the first admission with the illness, and who reached the landmark.

    start : int64, µs, `UNKNOWN_TIME` where there is none. died, left, unseen : persons who died or
    were discharged before the landmark, or of whom the records do not say whether they lived then: they end before
    it, only the day of the death is known, or the death is disputed.
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
    at = np.where(there, start + rule.after.us, UNKNOWN_TIME)
    stays = chunk.records.stays
    deaths = Deaths.of(chunk.records)
    gone = there & (end <= at)
    claimed = there & (deaths.over != UNKNOWN_TIME)
    died = claimed & deaths.died & (deaths.over <= at)
    perhaps = claimed & ~died & (np.where(deaths.by_date, deaths.time, deaths.over) <= at)
    perhaps &= (deaths.by_date & gone) | deaths.disputed
    open_end = there & np.isin(np.arange(n), stays["person"][stays["end"] == UNKNOWN_TIME])
    unseen = perhaps | (gone & ~died & open_end & (chunk.ended <= at))
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
    admission, _ = ill.overlaps(inside.person, inside.start - rule.before.us, inside.end)
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
    admission = at - rule.after.us
    near = (at != UNKNOWN_TIME) & (start <= at + WEEK)
    near &= (start >= admission) | (~doses["single"][rows] & (doses["until"][rows] > admission))
    return cohort.take(np.isin(cohort["person"], doses["person"][rows][near]))
