"""Creatinine clearance over time, by Cockcroft and Gault (`kidney.equations`)."""

from __future__ import annotations

import numpy as np

from becalm.core.arrays import Floats, Mask, Pair, Persons, Times
from becalm.doses import TOLERANCE
from becalm.events import Events
from becalm.kidney.equations import cockcroft_gault
from becalm.persons.age import ages
from becalm.persons.weight import weight_in_force
from becalm.records import Records
from becalm.timeline import Intervals, Timeline, combine


def clearance_per_kg(
    records: Records,
    events: Events,
    *,
    persons: Mask | None = None,
    replacement: Intervals | None = None,
) -> Timeline:
    """Return creatinine clearance in mL/min for each kg of body weight, from the last valid creatinine.

    Cockcroft and Gault's formula is proportional to the weight: the caller multiplies by the weight
    of the same row (`persons.weight`), so that a dose per kg and a clearance use the same weight.
    Unknown without age, sex or a valid creatinine, and during renal replacement, when creatinine does
    not reflect the kidney; also unknown if a limit (`<0.3` mg/dL) or two results of one minute allow
    a range of more than 5 %.

    persons : bool[persons], the persons to compute it for. replacement : when renal replacement ran.
    """
    creatinine = events.points("creatinine")
    if persons is not None:
        creatinine = creatinine.take(np.flatnonzero(persons[creatinine.person]))
    if not len(creatinine):
        return Timeline.empty()
    held = creatinine.hold(events.vocabulary.variable("creatinine").valid.us)
    years, female = _people(records, held)

    def formula(of: Pair, age: Pair, woman: Pair) -> Pair:
        known = np.isfinite(age[0]) & np.isfinite(woman[0]) & ((of[0] > -np.inf) | (of[1] < np.inf))
        sex = np.where(woman[0] > 0, "F", "M").astype(object)
        years = np.where(known, age[0], 1.0)
        least = cockcroft_gault(of[1], years, 1.0, sex)
        most = cockcroft_gault(of[0], years, 1.0, sex)  # infinite where the lowest creatinine is 0
        return np.where(known, least, -np.inf), np.where(known & (most > 0), most, np.inf)

    line = combine(formula, held, years, female)
    if replacement is not None and len(replacement):
        line = line.clip(line.known().without(replacement))
    return line.map(_certain)


def clearance_at(
    records: Records, events: Events, per_kg: Timeline, person: Persons, time: Times
) -> Floats:
    """Return clearance in mL/min at moments, with the weight at that time; NaN where not known.

    per_kg : the result of `clearance_per_kg`. person, time : int32 and int64 µs, one entry a question.
    """
    low, _ = per_kg.at(person, time)
    weight = weight_in_force(records, events, person, time)
    return np.where(np.isfinite(low), low, np.nan) * weight.kg


def _certain(low: Floats, high: Floats) -> Pair:
    """Return the middle of two bounds that are nearly equal; else unknown."""
    with np.errstate(invalid="ignore"):
        near = np.isfinite(low) & np.isfinite(high) & (high - low <= TOLERANCE * low)
        middle = np.where(near, (low + high) / 2, -np.inf)
    return middle, np.where(near, middle, np.inf)


def _people(records: Records, held: Timeline) -> tuple[Timeline, Timeline]:
    """Return age in completed years at the start of each creatinine, and sex (1 for women)."""
    sex = records.persons["sex"][held.person]
    # Once for each creatinine: a birthday within its three days does not change a dose.
    age = ages(records.persons.take(held.person), held.start)[0]
    old, known = age >= 0, np.isin(sex.astype(str), ("F", "M"))
    return (
        Timeline.build(held.person[old], held.start[old], held.end[old], age[old].astype(float)),
        Timeline.build(held.person[known], held.start[known], held.end[known], sex[known] == "F"),
    )
