"""Volumes such as urine: those of one minute add up, and during bladder irrigation urine is unknown."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Floats, Mask, Persons, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame, distinct_rows
from becalm.records import Records
from becalm.timeline import Intervals, Points
from becalm.vocabulary import Vocabulary

URINE: Final = "urine_output"
IRRIGATION: Final = "bladder_irrigation"
"""A variable, the volume of the irrigation, and a procedure."""
IRRIGATED: Final = "during bladder irrigation: how much of it is urine is not known"


def added(volumes: Frame, *, available: bool) -> Points:
    """Return volumes, one a minute: several of a minute were all measured, so they are added up.

    volumes : person, time, available, low, high, row. On the available clock a sum is known once the last
    of its volumes is.
    """
    order = np.lexsort((volumes["row"], volumes["time"], volumes["person"]))
    person, time = volumes["person"][order], volumes["time"][order]
    if not len(person):
        return Points.empty()
    fresh = np.append(True, (person[1:] != person[:-1]) | (time[1:] != time[:-1]))
    start = np.flatnonzero(fresh)
    low, high = (np.add.reduceat(volumes[name][order], start) for name in ("low", "high"))
    known = np.maximum.reduceat(volumes["available"][order], start)
    drawn = time[start]
    return Points.build(
        person[start],
        known if available else drawn,
        low,
        high,
        volumes["row"][order][start],
        drawn=drawn if available else None,
    )


def irrigated(
    records: Records,
    vocabulary: Vocabulary,
    variable: npt.NDArray[np.int32],
    measured: tuple[Persons, Times],
    volume: Floats,
) -> Mask:
    """Return which measurements are urine during bladder irrigation.

    variable, measured, volume : of each measurement, the position of its variable, its person and time, and its
    number. The bladder is irrigated from one volume of the irrigation to the next, if they are no further apart
    than such a volume is valid, and during a procedure of that name. A volume charted when it ended counts as part of it.
    """
    person, time = measured
    urine: Mask = (variable == vocabulary.code(URINE)) & (time != UNKNOWN_TIME)
    if not urine.any():
        return urine
    rinsed = (variable == vocabulary.code(IRRIGATION)) & (time != UNKNOWN_TIME) & (volume > 0)
    runs = Intervals.build(person[rinsed], time[rinsed], time[rinsed] + 1)
    runs = runs.bridge(vocabulary.variable(IRRIGATION).valid.us)
    runs = runs.union(_procedures(records, vocabulary))
    inside: Mask = np.zeros(len(person), np.bool_)
    inside[urine] = runs.contains(person[urine], time[urine])
    return inside


def _procedures(records: Records, vocabulary: Vocabulary) -> Intervals:
    """Return when the bladder was irrigated by the sheet of procedures, the end included."""
    table = records.procedures
    written, ways = distinct_rows(table["system"], table["code"], table["name"])
    named = np.array([IRRIGATION in vocabulary.procedures_of(*way) for way in ways], np.bool_)
    rows = np.flatnonzero(named[written]) if len(written) else np.empty(0, np.intp)
    rows = rows[table["start"][rows] != UNKNOWN_TIME]
    start, end = table["start"][rows], table["end"][rows]
    stop = np.maximum(start, np.where(end == UNKNOWN_TIME, start, end)) + 1
    return Intervals.build(table["person"][rows], start, stop)
