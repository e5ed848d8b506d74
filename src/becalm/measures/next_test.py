"""The next best test of everybody whose definition is undetermined, at the moment that is shown."""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.clock import UNKNOWN_TIME
from becalm.core.columns import Categorical, listed
from becalm.core.frame import Frame
from becalm.definitions import Undetermined, next_tests
from becalm.measures.stage import Stage, StageInput
from becalm.tables import NEXT_TEST


def measure(given: StageInput) -> Frame:
    """Fill the table `next_test`, at the protocol's moment; at the peak of persons without an index."""
    chosen = np.flatnonzero(given.candidates.assessed).astype(np.int32)
    has_index = given.moments.index[chosen] != UNKNOWN_TIME
    events = given.patients.events
    frames = [NEXT_TEST.empty()]
    for name, (totals, _) in given.totals_and_items.items():
        # `criteria` has the persons of each moment in their order: those with an index, then everybody.
        moments = totals.coded("moment")
        rows = np.concatenate(
            [
                np.flatnonzero(moments.among([given.protocol.moment])),
                np.flatnonzero(moments.among(["peak_ever"]))[~has_index],
            ]
        )
        person = np.concatenate([chosen[has_index], chosen[~has_index]])
        asked = totals.take(rows)
        open_ = (asked["status"] == "undetermined") & (asked["time"] != UNKNOWN_TIME)
        order = np.flatnonzero(open_)
        order = order[np.argsort(person[order], kind="stable")]
        person = person[order]
        frames.append(
            next_tests(
                Undetermined(
                    given.evaluations[name],
                    given.patients.records.persons["person_id"][person],
                    person,
                    asked["time"][order],
                    asked["low"][order],
                    asked["high"][order],
                    Categorical.by(
                        np.where(has_index[np.searchsorted(chosen, person)], 0, 1),
                        listed([given.protocol.moment, "peak_ever"]),
                    ),
                    source_rows=events.source_rows,
                    refused=events.rejected_rows,
                )
            )
        )
    return Frame.concat(frames)


STAGES: Final = (Stage(NEXT_TEST, measure, over="population"),)
