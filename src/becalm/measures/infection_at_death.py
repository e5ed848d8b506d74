"""Whether an infection was active at a death, and whether the death is linked to one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from becalm.core.arrays import Mask, Texts, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.infection_samples import antibiotics, cultured, file
from becalm.measures.stage import StageInput

INFECTION: Final = "infection"
MAY_BE: Final = ("bacterial", "not understood")


def with_infections(outcome: Frame, given: StageInput) -> Frame:
    """Return the outcomes with the answers about infection at death.

    Active: a bacterial infection had begun at most so many days before the death, and an antibiotic was
    given in the last hours before it. Linked: the recorded cause names infection, or an infection that was
    new after time zero was active. Without a culture with a result in the days before the death, or without any dose in
    the records, nobody can say no; and where no cause is recorded, a death without a known infection stays open. So does a
    death near a sample of which nobody can tell whether it shows an infection, whether that was new, or when it began.
    """
    rule, drugs = file().rules, antibiotics(given)
    infections, looks = given.tables["infections"], cultured(given)
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
            mine = infections.take(infections["person_id"] == row["person_id"])
            near = list(_near(mine, death, rule.death_within.us)) if given_then else []
            looked = _looked(given, looks, person, death - rule.death_within.us, death)
            can_say_no = bool(looked and drugs.known[person])
            now = _answer((sure for sure, _ in near), can_say_no)
            new = _answer((both(sure, fresh) for sure, fresh in near), can_say_no)
        active.append(now)
        if INFECTION in cause.split("|") or new is True:
            linked.append(True)
        else:
            linked.append(False if cause and new is False else None)
    return outcome.replace(
        infection_linked=_column(linked),
        infection_active_at_death=_column(active),
        cultures_taken=_taken(outcome, given, looks),
    )


def _looked(given: StageInput, looks: Mask, person: int, first: int, last: int) -> bool:
    """Return whether a sample with a result was cultured in [first, last]; of a date alone its begin counts."""
    table = given.patients.records.cultures
    inside = (table["collected"] >= first) & (table["collected"] <= last)
    return bool((looks & inside & (table["person"] == person)).any())


def _taken(outcome: Frame, given: StageInput, looks: Mask) -> Times:
    """Return how many samples were cultured with a result from time zero on; -1 without a time zero."""
    t0 = np.full(len(given.patients), UNKNOWN_TIME)
    t0[given.cohort["person"]] = given.cohort["t0"]
    table = given.patients.records.cultures
    person, collected = table["person"], table["collected"]
    since = t0[person]
    later = looks & (since != UNKNOWN_TIME) & (collected != UNKNOWN_TIME) & (collected >= since)
    columns = (person[later], collected[later], table["specimen"][later])
    seen = set(zip(*(column.tolist() for column in columns), strict=True))
    count = np.bincount(np.array([who for who, *_ in seen], np.intp), minlength=len(t0))
    number = np.where(t0 == UNKNOWN_TIME, -1, count)
    ids = given.cohort["person_id"].tolist()
    place = dict(zip(ids, given.cohort["person"].tolist(), strict=True))
    who = np.array([place[name] for name in outcome["person_id"].tolist()], np.intp)
    return number[who].astype(np.int64)


def _near(infections: Frame, death: int, within: int) -> Iterator[tuple[bool | None, bool | None]]:
    """Yield of each episode near a death whether it was a bacterial infection that began in the time before, and was new.

    None where nobody can tell.
    """
    for row in infections.rows():
        first = row["onset"]
        timed = first != UNKNOWN_TIME
        last = first + DAY - 1 if row["onset_is"] == "date" else first
        counts = row["counts"] if row["class"] in MAY_BE else False
        if counts is False or (timed and (last < death - within or first > death)):
            continue
        sure = timed and first >= death - within
        yield (counts if sure else None), row["new_onset"]


def both(one: bool | None, other: bool | None) -> bool | None:
    """Return whether both are true; None where nobody can tell."""
    if one is False or other is False:
        return False
    return True if one and other else None


def _answer(each: Iterable[bool | None], can_say_no: bool) -> bool | None:
    """Return yes if one is yes, no if all are no and nobody doubts it, else None."""
    found = set(each)
    if True in found:
        return True
    return False if can_say_no and None not in found else None


def _column(answers: list[bool | None]) -> Texts:
    column = np.empty(len(answers), dtype=object)
    column[:] = answers
    return column
