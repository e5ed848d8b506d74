"""Clearance of the cohort at each creatinine, three ways, where harm counts."""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.frame import Frame
from becalm.kidney import kdigo, kinetics
from becalm.measures.stage import Stage, StageInput
from becalm.persons.age import ages
from becalm.persons.weight import WeightInForce, weight_in_force
from becalm.tables import CLEARANCE
from becalm.timeline import nearest


def cleared(given: StageInput) -> tuple[kinetics.Clearances, WeightInForce]:
    """Return the clearances of the cohort, with the weight at each draw; persons are positions in it."""
    cohort, events, records = given.cohort, given.patients.events, given.patients.records
    found, person = given.kidney, cohort["person"]
    valid = events.vocabulary.variable("creatinine").valid.us
    draws = nearest.by_question(events.points("creatinine"), person, found.start - valid, found.end)
    whose = person[draws.person]
    weight = weight_in_force(records, events, whose, draws.time)
    old = ages(records.persons.take(whose), draws.time)[0].astype(np.float64)
    # On a day with a session at an unknown hour nobody knows what creatinine tells either.
    courses = given.sessions.courses(kdigo.load().replacement).union(given.sessions.days)
    return (
        kinetics.clearances(
            draws,
            age=np.where(old >= 0, old, np.nan),
            sex=records.persons["sex"][whose],
            kg=weight.kg,
            baseline_mg_dl=found.baseline.mg_dl[draws.person],
            courses=nearest.stretches(courses, person, found.start - valid, found.end),
            valid=valid,
        ),
        weight,
    )


def measure(given: StageInput) -> Frame:
    """Fill the table `clearance`."""
    found, weight = cleared(given)
    draws, who = found.draws, found.draws.person
    inside = np.flatnonzero(draws.time >= given.kidney.start[who])
    why = np.full(len(draws), "", dtype=object)
    why[np.isnan(found.kinetic_low)] = "kinetic: no pair, no baseline or no weight"
    why[np.isnan(found.cockcroft_gault)] = "no weight, age or sex, or a range"
    why[found.void] = "renal replacement"
    return Frame.of(
        CLEARANCE,
        person_id=given.cohort["person_id"][who[inside]],
        drawn=draws.time[inside],
        drawn_creatinine=draws.low[inside],
        cockcroft_gault_ml_min=np.round(found.cockcroft_gault[inside], 1),
        ckd_epi_2021=np.round(found.ckd_epi_2021[inside], 1),
        kinetic_low_ml_min=np.round(found.kinetic_low[inside], 1),
        kinetic_high_ml_min=np.round(found.kinetic_high[inside], 1),
        clearance_unknown=why[inside],
        weight_kg=weight.kg[inside],
        weight_source=weight.names()[inside],
        weight_age_h=weight.age_h[inside],
        source_row=given.patients.events.source_rows(draws.row[inside]),
    ).sort("person_id", "drawn")


STAGES: Final = (Stage(CLEARANCE, measure),)
