"""Whether an infection was active at a death, and whether the death is linked to one."""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.arrays import Texts, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.infections import antibiotics, file
from becalm.measures.stage import StageInput

INFECTION: Final = "infection"
COUNTED: Final = "bacterial infection"


def with_infections(outcome: Frame, given: StageInput) -> Frame:
    """Return the outcomes with the answers about infection at death.

    Active: a bacterial infection had begun at most so many days before the death, and an antibiotic was
    given in the last hours before it. Linked: the recorded cause names infection, or an infection that was
    new after time zero was active. Without any culture, or without any dose, in the records of this batch
    nobody can say no; and where no cause is recorded, a death without a known infection stays open.
    """
    rule, drugs = file().rules, antibiotics(given)
    infections = given.tables["infections"]
    counted = infections.take(infections["counts_as"] == COUNTED)
    looked = np.isin(np.arange(len(given.patients)), given.patients.records.cultures["person"])
    place = dict(
        zip(given.cohort["person_id"].tolist(), given.cohort["person"].tolist(), strict=True)
    )
    linked: list[bool | None] = []
    active: list[bool | None] = []
    for row in outcome.rows():
        died, cause = row["died"], row["cause_of_death"]
        if died is not True:
            linked.append(None)
            active.append(None)
            continue
        person, death = int(place[row["person_id"]]), int(row["last_contact"])
        if row["death_time"] == UNKNOWN_TIME or death == UNKNOWN_TIME:
            now, new = None, None
        else:
            given_then = drugs.between(person, death - rule.antibiotic_within.us, death)
            mine = counted.take(counted["person_id"] == row["person_id"])
            near = (mine["onset"] <= death) & (mine["onset"] >= death - rule.death_within.us)
            can_say_no = bool(looked[person]) and drugs.known
            now = _answer(bool(near.any()) and given_then, can_say_no)
            fresh = bool((near & (mine["new_onset"] == np.True_)).any())
            new = _answer(fresh and given_then, can_say_no)
        active.append(now)
        if INFECTION in cause.split("|") or new is True:
            linked.append(True)
        else:
            linked.append(False if cause and new is False else None)
    return outcome.replace(
        infection_linked=_column(linked),
        infection_active_at_death=_column(active),
        cultures_taken=_taken(outcome, given),
    )


def _taken(outcome: Frame, given: StageInput) -> Times:
    """Return how many samples were taken for culture from time zero on; -1 without a time zero."""
    t0 = np.full(len(given.patients), UNKNOWN_TIME)
    t0[given.cohort["person"]] = given.cohort["t0"]
    table = given.patients.records.cultures
    person, collected = table["person"], table["collected"]
    since = t0[person]
    later = (since != UNKNOWN_TIME) & (collected != UNKNOWN_TIME) & (collected >= since)
    columns = (person[later], collected[later], table["specimen"][later])
    seen = set(zip(*(column.tolist() for column in columns), strict=True))
    count = np.bincount(np.array([who for who, *_ in seen], np.intp), minlength=len(t0))
    number = np.where(t0 == UNKNOWN_TIME, -1, count)
    ids = given.cohort["person_id"].tolist()
    place = dict(zip(ids, given.cohort["person"].tolist(), strict=True))
    who = np.array([place[name] for name in outcome["person_id"].tolist()], np.intp)
    return number[who].astype(np.int64)


def _answer(yes: bool, can_say_no: bool) -> bool | None:
    if yes:
        return True
    return False if can_say_no else None


def _column(answers: list[bool | None]) -> Texts:
    column = np.empty(len(answers), dtype=object)
    column[:] = answers
    return column
