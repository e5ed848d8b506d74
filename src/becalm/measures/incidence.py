"""Death in hospital and discharge over the days after time zero, for cohorts large enough for a curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.stage import Pooled
from becalm.protocol import Protocol
from becalm.survival import curves
from becalm.tables import INCIDENCE

CAUSES: Final = {"death in hospital": 1, "discharge alive": 2}


def ends(persons: Frame, outcome: Frame) -> tuple[list[str], Floats, Times]:
    """Return persons, the days from time zero to the end of each one's time in hospital, and what ended it.

    0: last seen in hospital, or follow-up ends before time zero. A death after the discharge is no death in
    hospital: the discharge came first. Persons without a time zero are left out.
    """
    zero = dict(zip(persons["person_id"].tolist(), persons["t0"].tolist(), strict=True))
    index = dict(zip(persons["person_id"].tolist(), persons["index_time"].tolist(), strict=True))
    who, days, why = [], [], []
    columns = ("person_id", "died", "last_contact", "discharged")
    for name, died, contact, left in zip(
        *(outcome[each].tolist() for each in columns), strict=True
    ):
        t0 = zero.get(name, UNKNOWN_TIME)
        t0 = index.get(name, UNKNOWN_TIME) if t0 == UNKNOWN_TIME else t0
        if t0 == UNKNOWN_TIME:
            continue
        moments = [(contact, 1 if died is True else 0), (left, 2)]
        known = [each for each in moments if each[0] != UNKNOWN_TIME]
        end, cause = min(known, key=lambda each: (each[0], each[1] == 0)) if known else (t0, 0)
        who.append(name)
        days.append(max(end - t0, 0) / DAY)
        why.append(cause)
    return who, np.array(days, np.float64), np.array(why, np.int64)


def incidence(tables: Mapping[str, Frame], protocol: Protocol) -> Frame:
    """Fill the table `incidence`; a landmark study counts deaths at its own horizon instead."""
    if protocol.landmark is not None:
        return INCIDENCE.empty()
    _, days, cause = ends(tables["persons"], tables["outcome"])
    if not curves.enough(len(days)):
        return INCIDENCE.empty()
    shown = np.arange(curves.rules().days.shown + 1)
    shown = shown[shown <= np.ceil(days.max(initial=0))]
    frames = [INCIDENCE.empty()]
    for name, number in CAUSES.items():
        curve = curves.aalen_johansen(days, cause, number)
        estimate, low, high = curve.at(shown, 0.0)
        nothing = estimate <= 0  # before the first event there is nothing to estimate an error from
        low, high = np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)
        frames.append(
            Frame.of(
                INCIDENCE,
                end_event=np.full(len(shown), name, object),
                day_after=shown.astype(np.int64),
                still_at_risk=curves.at_risk(days, shown.astype(np.float64)),
                had_event=np.array(
                    [int(((days <= day) & (cause == number)).sum()) for day in shown]
                ),
                incidence=np.round(estimate, 9),
                incidence_low=np.round(low, 9),
                incidence_high=np.round(high, 9),
            )
        )
    return Frame.concat(frames)


POOLED: Final = (Pooled(INCIDENCE, incidence, needs=("persons", "outcome")),)
