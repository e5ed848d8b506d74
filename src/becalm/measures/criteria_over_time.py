"""The result of each definition over time, around time zero."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from becalm.core.clock import DAY
from becalm.core.frame import Frame
from becalm.definitions import Evaluation, status
from becalm.measures.stage import Stage, StageInput
from becalm.tables import CRITERIA_OVER_TIME
from becalm.timeline import Intervals

BEFORE: Final = 14 * DAY
AFTER: Final = 30 * DAY


def criteria_over_time(cohort: Frame, evaluations: Iterable[Evaluation]) -> Frame:
    """Return the result of each definition in the cohort, one row per interval, around time zero."""
    windows = Intervals.build(cohort["person"], cohort["t0"] - BEFORE, cohort["t0"] + AFTER)
    row = {person: at for at, person in enumerate(cohort["person"].tolist())}
    frames = [Frame.of(CRITERIA_OVER_TIME)]
    for evaluation in evaluations:
        seen = evaluation.observed.clip(windows)
        at = np.array([row[person] for person in seen.person.tolist()], np.intp)
        frames.append(
            Frame.of(
                CRITERIA_OVER_TIME,
                person_id=cohort["person_id"][at],
                criterion=np.full(len(at), evaluation.definition.name, dtype=object),
                start=seen.start,
                end=seen.end,
                low=seen.low,
                high=seen.high,
                status=status(evaluation.definition, seen.low, seen.high),
            )
        )
    return Frame.concat(frames)


def measure(given: StageInput) -> Frame:
    """Fill the table `criteria_over_time`."""
    reported = [given.evaluations[name] for name in given.protocol.definitions.report]
    return criteria_over_time(given.cohort, reported)


STAGES: Final = (Stage(CRITERIA_OVER_TIME, measure),)
