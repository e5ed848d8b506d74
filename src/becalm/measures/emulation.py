"""The days at risk of each person, in the form that packages for the emulation of trials read.

becalm does not emulate trials. The columns are those of TrialEmulation (R): `period`, `eligible`,
`treatment` and `outcome`, with the person, reasons for the end, and what is known before each day.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Persons, Times
from becalm.core.clock import DAY
from becalm.core.frame import Frame
from becalm.measures.dose_history import BELOW, DoseHistory
from becalm.measures.person_time import (
    DEATH,
    INFECTION,
    UNKNOWN_INFECTION,
    Risk,
    answer,
    at_risk,
    history_of,
    unknown_throughout,
)
from becalm.measures.stage import Stage, StageInput
from becalm.tables import EMULATION

KNOWN_BEFORE: Final = {
    "ferritin_ng_ml": "ferritin",
    "crp_mg_l": "crp",
    "platelets_10_9_l": "platelets",
    "creatinine_mg_dl": "creatinine",
}
"""The columns of values, and the variable of each."""


def days_at_risk(risk: Risk, history: DoseHistory) -> Frame:
    """Return the rows of `emulation` without ids and values: one for each begun day at risk.

    A day's dose is that of the 24 h before it, so it was given before anything that happens on the day.
    """
    during = risk.intervals
    count = -(-(during.end - during.start) // DAY)
    owner = np.repeat(np.arange(len(during)), count)
    period = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    person, start = during.person[owner], during.start[owner] + period * DAY
    value = history.values(person, start, 0)
    high = history.rule.high_24h - BELOW
    with np.errstate(invalid="ignore"):
        treated = np.where(np.isnan(value["dose_24h"]), -1, value["dose_24h"] >= high)
        new = np.where(np.isnan(value["days_high"]), -1, value["days_high"] <= 0)
    last = period == count[owner] - 1
    why = np.where(last, risk.ended_by[risk.begun][owner], "")
    return Frame.of(
        {**EMULATION, "person": "code", "start": "time"},
        person=person,
        start=start,
        period=period,
        eligible=new.astype(np.int64),
        treatment=treated.astype(np.int64),
        outcome=answer(why),
        risk_ended=(last & (why != INFECTION)).astype(np.int64),
        death=(why == DEATH).astype(np.int64),
        **value,
    )


def measure(given: StageInput) -> Frame:
    """Fill the table `emulation`; empty for a protocol without a drug of interest."""
    risk, history, entry = at_risk(given), history_of(given), given.protocol.entry
    rule = given.protocol.person_time
    if risk is None or history is None or entry is None or rule is None:
        return EMULATION.empty()
    frame = days_at_risk(risk, history)
    cohort, records = given.cohort, given.patients.records
    row = np.full(len(given.patients), -1)
    row[cohort["person"]] = np.arange(len(cohort))
    at = row[frame["person"]]
    open_ = unknown_throughout(given, rule, frame["person"][frame["outcome"] > 0])
    sex = cohort["sex"][at]
    frame = frame.replace(
        person_id=records.persons["person_id"][frame["person"]],
        outcome=np.where(open_[frame["person"]], UNKNOWN_INFECTION, frame["outcome"]),
        age=cohort["age"][at],
        female=np.select([sex == "F", sex == "M"], [1, 0], -1),
        unit_canonical=np.full(len(frame), given.patients.doses.unit(entry.drug), object),
        **{
            name: _last(given, variable, frame["person"], frame["start"])
            for name, variable in KNOWN_BEFORE.items()
        },
    )
    return Frame({name: frame[name] for name in EMULATION}).sort("person_id", "period")


def _last(given: StageInput, variable: str, person: Persons, time: Times) -> Floats:
    """Return the value in force at each moment; NaN where none is known or only a limit."""
    valid = given.patients.vocabulary.variable(variable).valid
    low, high = given.patients.events.points(variable).hold(valid.us).at(person, time)
    return np.where(np.isfinite(low) & (low == high), low, np.nan)


STAGES: Final = (Stage(EMULATION, measure, needs=("infections", "outcome"), opens=()),)
