"""Rows judged by a protocol: who enters, and why the others do not."""

from __future__ import annotations

from typing import Any

import numpy as np

from becalm import definitions, protocol
from becalm.cohort.selection import Candidates, Selection, candidates, select
from becalm.core.frame import Frame
from becalm.measures.stage import StageInput
from becalm.protocol import Protocol
from becalm.records import StudyInfo
from becalm.study import protocol_definitions
from becalm.study.stages import stages
from tests.records.memory import chunk
from tests.records.rows import Row, hours


def study(
    chosen: Protocol | str, *rows: Row, info: StudyInfo | None = None
) -> tuple[Candidates, Selection]:
    """Select a cohort from rows; return the candidates and the selection."""
    rules = protocol.load(chosen) if isinstance(chosen, str) else chosen
    patients = chunk(*rows)
    found = candidates(patients, rules, info or StudyInfo())
    inputs = patients.inputs(rules.clock)
    evaluations = {
        name: definitions.evaluate(definitions.load(name), inputs)
        for name in rules.definitions.report
    }
    return found, select(patients, found, evaluations, rules)


def left(chosen: Protocol | str, *rows: Row, info: StudyInfo | None = None) -> list[str]:
    """Return, for each person, the reason of the step at which they left; '' for the cohort."""
    _, selection = study(chosen, *rows, info=info)
    reasons = [""] * len(selection.steps[0].remaining)
    for step in reversed(selection.steps):
        for one in np.flatnonzero(~step.remaining).tolist():
            reasons[one] = step.reason
    return reasons


def entered(chosen: Protocol | str, *rows: Row, info: StudyInfo | None = None) -> dict[str, Any]:
    """Return the one row of the cohort, its times in hours."""
    _, selection = study(chosen, *rows, info=info)
    [row] = selection.cohort.rows()
    times = ("index_time", "t0", "infusion_start", "high_rate", "storm_onset", "discharge")
    return {**row, **{name: hours(row[name]) for name in times}}


def measured(chosen: Protocol | str, *rows: Row, only: str) -> list[dict[str, Any]]:
    """Return the rows of one table of a study of these rows, without what it does not need."""
    rules = protocol.load(chosen) if isinstance(chosen, str) else chosen
    patients = chunk(*rows)
    found = candidates(patients, rules, StudyInfo())
    inputs = patients.inputs(rules.clock)
    read = {name: definitions.load(name) for name in rules.definitions.report}
    evaluations = {name: definitions.evaluate(each, inputs) for name, each in read.items()}
    cohort = select(patients, found, evaluations, rules).cohort
    made: dict[str, Frame] = {}
    rules, models = protocol_definitions.models(rules)
    given = StageInput(patients, found, cohort, rules, read, inputs, evaluations, (), made, models)
    wanted = {only}
    in_order = stages()
    for stage in reversed(in_order):
        if stage.table.name in wanted:
            wanted.update(stage.needs)
    for stage in in_order:
        if stage.table.name in wanted:
            made[stage.table.name] = stage.measure(given)
    return list(made[only].rows())
