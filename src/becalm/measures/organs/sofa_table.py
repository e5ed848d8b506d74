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
from becalm.measures.organs.rules import load
from becalm.measures.organs.sofa_rows import source_rows
from becalm.measures.stage import Stage, StageInput
from becalm.persons.lifetime import Lifetime
from becalm.tables import SOFA
from becalm.timeline import Timeline

WINDOWS: Final = {"24h": DAY, "48h": 2 * DAY, "72h": 3 * DAY, "d7": 7 * DAY}
AT: Final = "at_"
LAST: Final = ("72h", "d7")
"""The windows of which the last moment is given too: whether it is better then."""


def measure(given: StageInput) -> Frame:
    """Fill the table `sofa`. A worst total counts to the end of its window, or to death."""
    cohort = given.cohort
    known = cohort.take(cohort["t0"] != UNKNOWN_TIME)
    if not len(known):
        return SOFA.empty()
    rule = load().sofa
    person, t0 = known["person"].astype(np.int32), known["t0"]
    lines = given.sofa
    over = Lifetime.of(given.patients.records).over[person]
    low, high = sofa.totals(lines, person, t0)
    frames = [_rows(known, "t0", lines, sofa.Worst(low, high, t0), change=None)]
    moments = [t0]
    for name, length in WINDOWS.items():
        end = np.maximum(t0, np.minimum(t0 + length, over - 1))
        found = {name: sofa.worst_between(lines, person, t0, end)}
        if name in LAST:
            found[f"{AT}{name}"] = sofa.Worst(*sofa.totals(lines, person, end), end)
        for moment, total in found.items():
            frame = _rows(known, moment, lines, total, change=(total.low - high, total.high - low))
            measured = _measured_change(lines, person, t0, total.time)
            frames.append(frame.replace(change_of_measured=measured))
            moments.append(total.time)
    pressors = equivalent_rate(given.patients.doses, "norepinephrine")
    whose, when = np.tile(person, len(moments)), np.concatenate(moments)
    place = np.lexsort((when, whose))
    fresh = np.ones(len(place), np.bool_)
    fresh[1:] = (np.diff(whose[place]) != 0) | (np.diff(when[place]) != 0)
    number = np.empty(len(place), np.intp)
    number[place] = np.cumsum(fresh) - 1
    once = place[fresh]  # many worst moments of one person are the same
    rows = source_rows(given, rule, whose[once], when[once])
    return (
        Frame.concat(frames)
        .replace(noradrenaline_equivalent=_rate(pressors, whose, when), source_row=rows[number])
        .sort("person_id", "moment_of")
    )


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
    total: sofa.Worst,
    *,
    change: tuple[Floats, Floats] | None,
) -> Frame:
    person, count = known["person"].astype(np.int32), len(known)
    columns: dict[str, Times] = {}
    missing = np.full(count, "", dtype=object)
    for item, line in lines.items():
        low, high = line.at(person, total.time)
        measured: Mask = np.isfinite(low) & np.isfinite(high)
        columns[item] = np.where(measured, low, -1).astype(np.int64)
        columns[f"{item}_high"] = np.where(measured, high, -1).astype(np.int64)
        missing[~measured] = np.where(
            missing[~measured] == "", item, missing[~measured] + f"|{item}"
        )
    blank = np.full(count, np.nan)
    return Frame.of(
        SOFA,
        person_id=known["person_id"],
        moment_of=np.full(count, name, object),
        points_at=total.time,
        sofa_low=total.low.astype(np.int64),
        sofa_high=total.high.astype(np.int64),
        **columns,
        not_measured=missing,
        change_low=blank if change is None else change[0],
        change_high=blank if change is None else change[1],
    )


STAGES: Final = (Stage(SOFA, measure),)
