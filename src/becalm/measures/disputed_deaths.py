"""Deaths that other rows of the records contradict, for somebody to decide."""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.frame import Frame
from becalm.measures.stage import Stage, StageInput
from becalm.persons.death import disputed_deaths
from becalm.tables import DISPUTED_DEATHS


def measure(given: StageInput) -> Frame:
    """Fill the table `disputed_deaths`."""
    frame = disputed_deaths(given.patients.records)
    studied = set(given.patients.records.persons["person_id"][given.candidates.population].tolist())
    of_studied = [person in studied for person in frame["person_id"].tolist()]
    return frame.take(np.array(of_studied, np.bool_))


STAGES: Final = (
    Stage(DISPUTED_DEATHS, measure, over="population", opens=("claimed_row", "contradicted_row")),
)
