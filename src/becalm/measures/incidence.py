"""Death and discharge over the days after time zero, for cohorts large enough for a curve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Mask, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.stage import Pooled
from becalm.protocol import Protocol
from becalm.survival import curves
from becalm.tables import INCIDENCE

CAUSES: Final = {"death in hospital": 1, "discharge alive": 2}
ANYWHERE: Final = "death anywhere"
"""Death in hospital or after it, among all who are followed."""


def ends(persons: Frame, outcome: Frame) -> tuple[list[str], Floats, Times]:
    """Return persons, the days from time zero to the end of each one's time in hospital, and what ended it.

    0: last seen in hospital, or follow-up ends before time zero. A death after the discharge is no death in
    hospital: the discharge came first. Persons without a time zero are left out.
    """
    who, days, why = [], [], []
    for name, t0, died, contact, left in _followed(persons, outcome):
        moments = [(contact, 1 if died is True else 0), (left, 2)]
        known = [each for each in moments if each[0] != UNKNOWN_TIME]
        end, cause = min(known, key=lambda each: (each[0], each[1] == 0)) if known else (t0, 0)
        who.append(name)
        days.append(max(end - t0, 0) / DAY)
        why.append(cause)
    return who, np.array(days, np.float64), np.array(why, np.int64)


def lives(persons: Frame, outcome: Frame) -> tuple[list[str], Floats, Mask]:
    """Return persons, the days from time zero to death or to the end of follow-up, and who died.

    Persons without a time zero are left out; of a disputed death nobody knows, so the follow-up ends without it.
    """
    who, days, died_ = [], [], []
    for name, t0, died, contact, _ in _followed(persons, outcome):
        who.append(name)
        days.append(0.0 if contact == UNKNOWN_TIME else max(contact - t0, 0) / DAY)
        died_.append(died is True)
    return who, np.array(days, np.float64), np.array(died_, np.bool_)


def _followed(persons: Frame, outcome: Frame) -> Iterator[tuple[str, int, bool | None, int, int]]:
    """Yield id, time zero, died, last contact and discharge of each person with a time zero, else an index."""
    zero = dict(zip(persons["person_id"].tolist(), persons["t0"].tolist(), strict=True))
    index = dict(zip(persons["person_id"].tolist(), persons["index_time"].tolist(), strict=True))
    columns = ("person_id", "died", "last_contact", "discharged")
    for name, died, contact, left in zip(
        *(outcome[each].tolist() for each in columns), strict=True
    ):
        t0 = zero.get(name, UNKNOWN_TIME)
        t0 = index.get(name, UNKNOWN_TIME) if t0 == UNKNOWN_TIME else t0
        if t0 != UNKNOWN_TIME:
            yield name, t0, died, contact, left


def incidence(tables: Mapping[str, Frame], protocol: Protocol) -> Frame:
    """Fill the table `incidence`; a landmark study counts deaths at its own horizon instead."""
    if protocol.landmark is not None:
        return INCIDENCE.empty()
    _, days, cause = ends(tables["persons"], tables["outcome"])
    if not curves.enough(len(days)):
        return INCIDENCE.empty()
    frames = [INCIDENCE.empty()]
    for name, number in CAUSES.items():
        shown = _days_shown(days)
        estimates = curves.aalen_johansen(days, cause, number).at(shown, 0.0)
        frames.append(_rows(name, days, cause == number, shown, estimates))
    _, days, died = lives(tables["persons"], tables["outcome"])
    shown = _days_shown(days)
    alive, low, high = curves.kaplan_meier(days, died).at(shown, 1.0)
    frames.append(_rows(ANYWHERE, days, died, shown, (1 - alive, 1 - high, 1 - low)))
    return Frame.concat(frames)


def _days_shown(days: Floats) -> Floats:
    """Return the days of a curve: until nobody is followed, at most those of `curves.toml`."""
    shown = np.arange(curves.rules().days.shown + 1, dtype=np.float64)
    kept: Floats = shown[shown <= np.ceil(days.max(initial=0))]
    return kept


def _rows(
    name: str, days: Floats, happened: Mask, shown: Floats, curve: tuple[Floats, Floats, Floats]
) -> Frame:
    """Return the rows of one event from its estimate with an interval."""
    estimate, low, high = curve
    nothing = estimate <= 0  # before the first event there is nothing to estimate an error from
    low, high = np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)
    return Frame.of(
        INCIDENCE,
        end_event=np.full(len(shown), name, object),
        day_after=shown.astype(np.int64),
        still_at_risk=curves.at_risk(days, shown),
        had_event=np.array([int(((days <= day) & happened).sum()) for day in shown]),
        incidence=np.round(estimate, 9),
        incidence_low=np.round(low, 9),
        incidence_high=np.round(high, 9),
    )


POOLED: Final = (Pooled(INCIDENCE, incidence, needs=("persons", "outcome")),)
