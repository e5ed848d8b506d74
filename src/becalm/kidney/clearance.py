"""Creatinine clearance over time, by Cockcroft and Gault (`renal_function`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from becalm.core import toml
from becalm.core.clock import UNKNOWN_TIME, span
from becalm.doses import TOLERANCE, Doses
from becalm.events import Clock, Events
from becalm.kidney.equations import cockcroft_gault
from becalm.persons.age import ages
from becalm.records import Records
from becalm.timeline import Floats, Intervals, Mask, Pair, Points, Timeline, combine

FILE = Path(__file__).parent / "clearance.toml"


class Weight(toml.TomlTable, frozen=True):
    """For how long a weight stands."""

    holds: str
    source: str
    verified: bool


class Clearance(toml.TomlTable, frozen=True):
    """`clearance.toml` as it stands."""

    weight: Weight


def load() -> Clearance:
    """Return the numbers that ship with becalm."""
    return toml.load(FILE, Clearance)


def clearance(
    records: Records,
    events: Events,
    doses: Doses,
    clock: Clock,
    *,
    persons: Mask | None = None,
    replacement: Intervals | None = None,
) -> Timeline:
    """Return creatinine clearance in mL/min from the creatinine and the weight in force.

    Weight: measured, or the one that a dose was worked out with, in the last week; else the persons
    sheet's. Unknown without age, sex, weight or a creatinine in force, and while renal replacement
    runs, when creatinine says nothing about the kidney; unknown also where a bound (`<0.3` mg/dL)
    or two results of one minute leave it open by more than 5 %.

    persons : bool[persons], whom to do it for. replacement : when renal replacement ran.
    """
    creatinine = events.points("creatinine", clock)
    if persons is not None:
        creatinine = creatinine.take(np.flatnonzero(persons[creatinine.person]))
    if not len(creatinine):
        return Timeline.empty()
    held = creatinine.hold(span(events.vocabulary.variable("creatinine").valid))
    years, female = _people(records, held)

    def formula(of: Pair, kg: Pair, age: Pair, woman: Pair) -> Pair:
        known = np.isfinite(kg[0]) & np.isfinite(kg[1]) & np.isfinite(age[0])
        known &= np.isfinite(woman[0]) & ((of[0] > -np.inf) | (of[1] < np.inf))
        sex = np.where(woman[0] > 0, "F", "M").astype(object)
        years, light, heavy = (np.where(known, x, 1.0) for x in (age[0], kg[0], kg[1]))
        least = cockcroft_gault(of[1], years, light, sex)
        most = cockcroft_gault(of[0], years, heavy, sex)  # of nothing there is none, but a bound
        return np.where(known, least, -np.inf), np.where(known & (most > 0), most, np.inf)

    line = combine(formula, held, _weight(records, events, doses, clock, held), years, female)
    if replacement is not None and len(replacement):
        line = line.clip(line.known().without(replacement))
    return line.map(_certain)


def _certain(low: Floats, high: Floats) -> Pair:
    """The middle of bounds that are near enough to be one number, else unknown."""
    with np.errstate(invalid="ignore"):
        near = np.isfinite(low) & np.isfinite(high) & (high - low <= TOLERANCE * low)
        middle = np.where(near, (low + high) / 2, -np.inf)
    return middle, np.where(near, middle, np.inf)


def _people(records: Records, held: Timeline) -> tuple[Timeline, Timeline]:
    """Age in completed years as each creatinine comes into force, and sex (1 a woman)."""
    sex = records.persons["sex"][held.person]
    # Once a creatinine: a birthday within three days changes nothing that anybody doses by.
    age = ages(records.persons.take(held.person), held.start)[0]
    old, known = age >= 0, np.isin(sex.astype(str), ("F", "M"))
    return (
        Timeline.build(held.person[old], held.start[old], held.end[old], age[old].astype(float)),
        Timeline.build(held.person[known], held.start[known], held.end[known], sex[known] == "F"),
    )


def _weight(
    records: Records, events: Events, doses: Doses, clock: Clock, when: Timeline
) -> Timeline:
    """The weight in force in kg while something else is known; the persons sheet's where none is."""
    measured = events.points("weight", clock)
    given, own = records.administrations, records.administrations["weight_kg"]
    usable = np.flatnonzero(~np.isnan(own) & (doses.frame["weight_kg"] == own))
    usable = usable[given["start"][usable] != UNKNOWN_TIME]
    offset = events.given_from
    both = Points.build(
        np.concatenate([measured.person, given["person"][usable]]),
        np.concatenate([measured.time, given["start"][usable]]),
        np.concatenate([measured.low, own[usable]]),
        np.concatenate([measured.high, own[usable]]),
        np.concatenate([measured.row, usable + offset]),
    )
    held = both.hold(span(load().weight.holds)).clip(when.known())
    sheet = records.persons["weight_kg"][when.person]
    said = sheet > 0
    always = Timeline.build(when.person[said], when.start[said], when.end[said], sheet[said])

    def nearer(now: Pair, ever: Pair) -> Pair:
        told = (now[0] > -np.inf) | (now[1] < np.inf)
        return np.where(told, now[0], ever[0]), np.where(told, now[1], ever[1])

    return combine(nearer, held, always)
