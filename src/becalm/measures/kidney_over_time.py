"""The stage of kidney injury of the cohort at every moment at which harm counts, by each arm and by all."""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.arrays import Mask, Persons, Texts, Times
from becalm.core.columns import Keyed
from becalm.core.frame import Frame
from becalm.measures.kidney_injury import last_counted
from becalm.measures.stage import Stage, StageInput
from becalm.tables import KIDNEY_OVER_TIME
from becalm.timeline import Points, Timeline

ROWS: Final = ("creatinine_row", "urine_row", "replacement_row")


def measure(given: StageInput) -> Frame:
    """Fill the table `kidney_over_time`."""
    found, events = given.kidney, given.patients.events
    stages = found.over_time
    segments = stages.changes
    who, start = segments.person, segments.start
    low, high = stages.worst.at(who, start)
    creatinine, urine = (_stage(line, who, start) for line in (stages.creatinine, stages.urine))
    certain, _ = stages.replacement.at(who, start)
    running = stages.replacement.known_at(who, start)
    answers = np.full(len(who), False, dtype=object)
    answers[running] = True
    answers[running & (certain == 0)] = None
    replaced = np.full(len(who), "", dtype=object)
    person = given.cohort["person"]
    for at in np.flatnonzero(running).tolist():
        replaced[at] = found.sessions.row_at(int(person[who[at]]), int(segments.end[at]) - 1)

    def rows(points: Points, known: Mask) -> Texts:
        texts = np.full(len(who), "", dtype=object)
        place = points.count_until(who[known], start[known]) - 1
        held = events.source_rows(points.row[place])
        texts[known] = held.written() if isinstance(held, Keyed) else held
        return texts

    return Frame.of(
        KIDNEY_OVER_TIME,
        person_id=given.cohort["person_id"][who],
        stage_from=start,
        stage_until=np.minimum(segments.end, last_counted(given.cohort, found.end)[who]),
        worst_stage=low.astype(np.int64),
        worst_stage_high=high.astype(np.int64),
        stage_by_creatinine=creatinine,
        stage_by_urine=urine,
        on_replacement=answers,
        creatinine_row=rows(found.staged.points, creatinine >= 0),
        urine_row=rows(found.by_urine.points, urine >= 0),
        replacement_row=replaced,
    ).sort("person_id", "stage_from")


def _stage(line: Timeline, who: Persons, when: Times) -> Times:
    """Return the certain stage at moments; -1 where it is not known."""
    low, _ = line.at(who, when)
    return np.where(np.isfinite(low), low, -1).astype(np.int64)


STAGES: Final = (Stage(KIDNEY_OVER_TIME, measure, opens=ROWS),)
