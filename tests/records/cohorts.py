"""Rows judged by a protocol: who enters, and why the others do not."""

from __future__ import annotations

from typing import Any

import numpy as np

from becalm import definitions, protocol
from becalm.cohort.selection import Candidates, Selection, candidates, select
from becalm.protocol import Protocol
from becalm.records import StudyInfo
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
