"""The tables of persons in the cohort and of values measured in the population."""

from __future__ import annotations

from typing import Final

from becalm.core.frame import Frame
from becalm.events import values
from becalm.measures.stage import Stage, StageInput
from becalm.tables import PERSONS, VALUES


def measure(given: StageInput) -> Frame:
    """Fill the table `persons`."""
    return Frame({name: given.cohort[name] for name in PERSONS})


def measure_values(given: StageInput) -> Frame:
    """Fill the table `values`."""
    return values(given.patients.events, given.candidates.population)


STAGES: Final = (
    Stage(PERSONS, measure, opens=("context_rows", "clinician_rows", "undated_rows", "weight_row")),
    Stage(VALUES, measure_values, over="population"),
)
