"""The table `escalation_response`: each variable before and after each step up of the drug of interest."""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.arrays import Array, Floats, Texts, Times
from becalm.core.clock import HOUR
from becalm.core.frame import Frame
from becalm.measures.response.questions import Questions
from becalm.measures.response.table import around
from becalm.measures.stage import Stage, StageInput
from becalm.tables import ESCALATION_RESPONSE

COLUMNS: Final = (
    "person_id", "variable", "baseline", "baseline_time", "baseline_hours", "baseline_old", "h24", "h48", "h48_time", "h72", "d7", "ratio_48h",
    "censored", "status", "confounded_by", "modified_by", "unit", "source_row",
)  # fmt: skip


def measure(given: StageInput) -> Frame:
    """Fill the table: the windows of the response, counted from each step; of two steps they may overlap."""
    protocol, cohort = given.protocol, given.described
    steps = given.tables["escalations"]
    wanted = steps["direction"] == "up"
    if protocol.entry is not None:
        wanted = wanted & (steps["drug"] == protocol.entry.drug)
    steps = steps.take(wanted).sort("person_id", "time")
    row_of = {name: at for at, name in enumerate(cohort["person_id"].tolist())}
    at = np.array([row_of.get(name, -1) for name in steps["person_id"].tolist()], np.intp)
    steps, at = steps.take(at >= 0), at[at >= 0]
    if not len(at):
        return ESCALATION_RESPONSE.empty()
    number, to_next = _numbered(steps["person_id"], steps["time"])
    names = np.array([f"escalation {each}" for each in number.tolist()], object)
    asked = Questions(cohort, at, names, steps["time"].astype(np.int64))
    of = given.patients
    found = around(
        asked, of.events, of.doses, of.records, protocol, given.modifiers, unknown=of.unrecognised
    )
    times = len(found) // len(asked)

    def beside(column: Array) -> Array:
        return np.tile(column, times)

    return Frame.of(
        ESCALATION_RESPONSE,
        **{name: found[name] for name in COLUMNS},
        from_step=found["clock"],
        step_time=beside(steps["time"]),
        hours_to_next_step=beside(to_next),
        from_rate=beside(steps["from_rate"]),
        to_rate=beside(steps["to_rate"]),
        unit_canonical=beside(steps["unit_canonical"]),
    ).sort("person_id", "variable", "step_time")


def _numbered(person: Texts, time: Times) -> tuple[Times, Floats]:
    """Return the number of each step of a person, from 1, and the hours to the next; NaN at the last."""
    new = np.ones(len(person), np.bool_)
    new[1:] = person[1:] != person[:-1]
    first = np.maximum.accumulate(np.where(new, np.arange(len(person)), 0))
    to_next = np.full(len(person), np.nan)
    to_next[:-1] = np.where(new[1:], np.nan, np.diff(time) / HOUR)
    return np.arange(len(person)) - first + 1, to_next


STAGES: Final = (Stage(ESCALATION_RESPONSE, measure, needs=("escalations",)),)
