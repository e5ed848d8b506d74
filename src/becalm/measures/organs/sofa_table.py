"""The table `sofa`: totals and items at time zero, and the worst afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Mask, Persons, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doses import equivalent_rate
from becalm.measures.organs import sofa
from becalm.measures.stage import Stage, StageInput
from becalm.persons.lifetime import Lifetime
from becalm.tables import SOFA
from becalm.timeline import Timeline

WINDOWS: Final = {"24h": DAY, "48h": 2 * DAY, "72h": 3 * DAY, "d7": 7 * DAY}


def measure(given: StageInput) -> Frame:
    """Fill the table `sofa`. A worst total counts to the end of its window, or to death."""
    cohort = given.cohort
    known = cohort.take(cohort["t0"] != UNKNOWN_TIME)
    if not len(known):
        return SOFA.empty()
    person, t0 = known["person"].astype(np.int32), known["t0"]
    lines = given.sofa
    pressors = equivalent_rate(given.patients.doses, "norepinephrine")
    over = Lifetime.of(given.patients.records).over[person]
    at_zero = sofa.totals(lines, person, t0)
    frames = [_rows(known, "t0", lines, at_zero, t0, change=None)]
    frames[0] = frames[0].replace(noradrenaline_equivalent=_rate(pressors, person, t0))
    for name, length in WINDOWS.items():
        end = np.maximum(t0, np.minimum(t0 + length, over - 1))
        worst = sofa.worst_between(lines, person, t0, end)
        change = (worst[0] - at_zero[1], worst[1] - at_zero[0])
        frame = _rows(known, name, lines, worst, end, change=change)
        frames.append(
            frame.replace(
                noradrenaline_equivalent=_rate(pressors, person, end),
                change_of_measured=_measured_change(lines, person, t0, end),
            )
        )
    return Frame.concat(frames).sort("person_id", "moment_of")


def _measured_change(
    lines: Mapping[str, Timeline], person: Persons, t0: Times, end: Times
) -> Floats:
    """Return the change of the lowest points over the items that are known at both moments; NaN without any."""
    change, any_known = np.zeros(len(person)), np.zeros(len(person), np.bool_)
    for line in lines.values():
        first, then = line.at(person, t0)[0], line.at(person, end)[0]
        known = np.isfinite(first) & np.isfinite(then)
        change = change + np.where(known, then, 0.0) - np.where(known, first, 0.0)
        any_known |= known
    return np.where(any_known, change, np.nan)


def _rate(line: Timeline, person: Persons, time: Times) -> Floats:
    low, _ = line.at(person, time)
    return np.where(np.isfinite(low), np.round(low, 6), np.nan)


def _rows(
    known: Frame,
    name: str,
    lines: Mapping[str, Timeline],
    total: tuple[Floats, Floats],
    time: Times,
    *,
    change: tuple[Floats, Floats] | None,
) -> Frame:
    person, count = known["person"].astype(np.int32), len(known)
    columns: dict[str, Times] = {}
    missing = np.full(count, "", dtype=object)
    for item, line in lines.items():
        low, high = line.at(person, time)
        measured: Mask = np.isfinite(low) & np.isfinite(high)
        columns[item] = np.where(measured, low, -1).astype(np.int64)
        missing[~measured] = np.where(
            missing[~measured] == "", item, missing[~measured] + f"|{item}"
        )
    blank = np.full(count, np.nan)
    return Frame.of(
        SOFA,
        person_id=known["person_id"],
        moment_of=np.full(count, name, object),
        sofa_low=total[0].astype(np.int64),
        sofa_high=total[1].astype(np.int64),
        **columns,
        not_measured=missing,
        change_low=blank if change is None else change[0],
        change_high=blank if change is None else change[1],
    )


STAGES: Final = (Stage(SOFA, measure, opens=()),)
