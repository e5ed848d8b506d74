"""Later storms: definite again after the first was over, by the protocol's resolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.relapse import definite_storms
from becalm.measures.stage import Stage, StageInput
from becalm.tables import RECURRENCES
from becalm.timeline import Intervals


def measure(given: StageInput) -> Frame:
    """Fill the table `recurrences`; stretches of a definite storm at most the quiet time apart are one storm."""
    protocol = given.protocol
    quiet = protocol.outcome.resolution_min
    if protocol.relapse is None or quiet is None:
        return RECURRENCES.empty()
    outcome = given.tables["outcome"]
    resolved = dict(
        zip(outcome["person_id"].tolist(), outcome["resolution_time"].tolist(), strict=True)
    )
    storms = definite_storms(given)
    given_again = (
        given.patients.doses.exposure(protocol.entry.drug) if protocol.entry else Intervals.empty()
    )
    rows = []
    for name, who in zip(
        given.cohort["person_id"].tolist(), given.cohort["person"].tolist(), strict=True
    ):
        since, spans = resolved.get(name, UNKNOWN_TIME), storms.get(who, [])
        if since == UNKNOWN_TIME or not spans:
            continue
        for begin, until in later(spans, since, quiet.us):
            again = given_again.overlaps(np.array([who]), np.array([begin]), np.array([until]))[0]
            rows.append(
                {
                    "person_id": name,
                    "storm_begin": begin,
                    "storm_end": until,
                    "days_since_resolution": (begin - since) / DAY,
                    "treated_again": bool(len(again)) if protocol.entry else None,
                }
            )
    return Frame.of_rows(RECURRENCES, rows)


def later(spans: Sequence[tuple[int, int]], since: int, quiet_for: int) -> list[tuple[int, int]]:
    """Return begin and end of each storm that is definite after the first was over, µs.

    spans : when the storm was definite. Those at most `quiet_for` apart are one storm; one that began before
    the resolution begins at it.
    """
    start, end = (np.array([span[i] for span in spans], np.int64) for i in (0, 1))
    whole = Intervals.build(np.zeros(len(spans), np.int32), start, end).bridge(quiet_for)
    found = zip(whole.start.tolist(), whole.end.tolist(), strict=True)
    return [(max(begin, since), until) for begin, until in found if until > since]


STAGES: Final = (Stage(RECURRENCES, measure, needs=("outcome",), opens=()),)
