"""Which immunotherapies came first: every one that reached the blood before time zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from becalm import vocabulary
from becalm.core.clock import HOUR
from becalm.core.frame import Frame
from becalm.doses import Doses
from becalm.tables import PRIOR
from becalm.timeline import Intervals


def prior_therapy(cohort: Frame, doses: Doses) -> Frame:
    """Return one row per person and immunotherapy that was begun before t0.

    first and last : when the first administration began and the last one was given, at the latest
    t0. doses : administrations; infusions that follow one another without a gap are one, as is a
    bag whose rate was changed. hours_before_t0 : from the last to t0. Drops, creams and inhalers
    never count. The drug of interest is listed where it was given before t0 itself.
    """
    rows: list[dict[str, Any]] = []
    frame = doses.frame
    for drug in vocabulary.load().drugs:
        if not drug.immunotherapy:
            continue
        exposed = doses.exposed(drug.name)
        exposed = exposed[np.isin(frame["person"][exposed], cohort["person"])]
        if not len(exposed):
            continue
        person, start = frame["person"][exposed], frame["start"][exposed]
        until = np.where(frame["single"][exposed], start, frame["until"][exposed])
        for i in range(len(cohort)):
            t0 = int(cohort["t0"][i])
            mine = (person == cohort["person"][i]) & (start < t0)
            if not mine.any():
                continue
            end = np.minimum(until[mine], t0)
            given = Intervals.build(person[mine], start[mine], np.maximum(end, start[mine] + 1))
            latest = int(max(end.max(), start[mine].max()))
            rows.append(
                {
                    "person_id": cohort["person_id"][i],
                    "drug": drug.name,
                    "class": drug.drug_class,
                    "first": int(start[mine].min()),
                    "last": latest,
                    "doses": len(given),
                    "hours_before_t0": (t0 - latest) / HOUR,
                    "source_row": "|".join(frame["source_row"][exposed[mine]]),
                }
            )
    return Frame.of_rows(PRIOR, rows).sort("person_id", "first", "drug")
