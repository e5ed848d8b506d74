"""The weight of a person at a moment, with its source and its age.

Doses per kg and clearance use the same weight. The order and its numbers are in `weight.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.core import toml
from becalm.core.arrays import Floats, Mask, Persons, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME, Length
from becalm.events import Events
from becalm.persons.age import ages
from becalm.persons.stays import admissions
from becalm.records import Records
from becalm.timeline import Intervals, Points, axis

FILE: Final = Path(__file__).with_suffix(".toml")
SOURCES: Final = (
    "",
    "own",
    "measured before",
    "measured after",
    "persons sheet",
    "older measurement",
    "later in the stay",
)
"""The sources of a weight, first the one that is preferred; '' where none is known."""


class WeightRules(toml.TomlTable, frozen=True):
    """The numbers of `weight.toml`."""

    before: Length
    after: Length
    tolerance: float
    low_kg: float
    adult_low_kg: float
    high_kg: float
    adult_from: int
    source: str
    verified: bool


def rules() -> WeightRules:
    """Return the shipped rules."""
    return toml.load(FILE, WeightRules)


@dataclass(frozen=True, eq=False)
class WeightInForce:
    """The weight at each question (person, time), one entry for each.

    kg : NaN where none is known. source : position in `SOURCES`. age_h : hours from the measurement
    to the moment, negative if it was measured later; NaN if its time is not known (from the row itself
    or from the persons sheet). row : row of the measurement, as in `Events.source_row`; -1 if none.
    """

    kg: Floats
    source: npt.NDArray[np.int8]
    age_h: Floats
    row: npt.NDArray[np.int64]

    def names(self) -> npt.NDArray[np.object_]:
        """Return the source of each weight in words."""
        return np.array(SOURCES, dtype=object)[self.source]


def weight_in_force(
    records: Records, events: Events, person: Persons, time: Times, own: Floats | None = None
) -> WeightInForce:
    """Return the weight in force of each person at each moment.

    person, time : int32 and int64 µs, one entry a question; at an unknown time only the weight of
    the row itself and of the persons sheet are known. own : kg, the weight in the row itself; NaN if
    there is none. A weight outside the possible range does not count; two weights of one minute that
    differ by more than the tolerance do not count either.
    """
    rule = rules()
    measured = _certain(records, events.points("weight", "drawn"))
    before, after = _neighbours(measured, person, time)
    kg = np.full(len(person), np.nan)
    source = np.zeros(len(person), np.int8)
    age_h = np.full(len(person), np.nan)
    row = np.full(len(person), -1, np.int64)

    def take(name: str, where: Mask, values: Floats) -> None:
        where &= (source == 0) & ~np.isnan(values)
        kg[where] = values[where]
        source[where] = SOURCES.index(name)

    def take_measured(name: str, where: Mask, at: npt.NDArray[np.intp]) -> None:
        of = np.flatnonzero(where & (source == 0) & (at >= 0))
        kg[of] = measured.low[at[of]]
        source[of] = SOURCES.index(name)
        age_h[of] = (time[of] - measured.time[at[of]]) / HOUR
        row[of] = measured.row[at[of]]

    everywhere = np.ones(len(person), np.bool_)
    if own is not None:
        take("own", everywhere.copy(), possible(records, person, time, own))
    since, until = _distance(measured, before, time), -_distance(measured, after, time)
    take_measured("measured before", since < rule.before.us, before)
    take_measured("measured after", until < rule.after.us, after)
    sheet = np.asarray(records.persons["weight_kg"][person], np.float64)
    take("persons sheet", everywhere.copy(), possible(records, person, time, sheet))
    take_measured("older measurement", everywhere, before)
    open_ = np.flatnonzero((source == 0) & (after >= 0))
    if len(open_):
        same = np.zeros(len(person), np.bool_)
        same[open_] = _in_one_stay(
            admissions(records), person[open_], time[open_], measured.time[after[open_]]
        )
        take_measured("later in the stay", same, after)
    return WeightInForce(kg, source, age_h, row)


def possible(records: Records, person: Persons, time: Times, kg: Floats) -> Floats:
    """Return weights, with NaN for those that are impossible: a placeholder or a typing error."""
    rule = rules()
    with np.errstate(invalid="ignore"):
        real = (kg >= rule.low_kg) & (kg <= rule.high_kg)
    light = np.flatnonzero(real & (kg < rule.adult_low_kg))
    if len(light):
        years, _ = ages(records.persons.take(person[light]), time[light])
        real[light] = years < rule.adult_from
    return np.where(real, kg, np.nan)


def _certain(records: Records, points: Points) -> Points:
    """Return the measured weights that are one number; nearly equal ones of one minute are averaged."""
    low, high = points.low, points.high
    with np.errstate(invalid="ignore"):
        near = np.isfinite(low) & np.isfinite(high) & (high - low <= rules().tolerance * low)
    middle = np.where(near, (np.where(near, low, 0) + np.where(near, high, 0)) / 2, np.nan)
    kept = ~np.isnan(possible(records, points.person, points.time, middle))
    return Points(
        points.person[kept], points.time[kept], middle[kept], middle[kept], points.row[kept]
    )


def _neighbours(
    points: Points, person: Persons, time: Times
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the positions of the last point at or before each moment and of the first after it, or -1."""
    none = np.full(len(person), -1, np.intp)
    if not len(points):
        return none, none.copy()
    known = time != UNKNOWN_TIME
    line = axis((points.person, points.time))
    places = line.place(points.person, points.time)
    asked = line.place(person, np.where(known, time, 0))
    following = np.searchsorted(places, asked, "right")
    last, first = following - 1, np.minimum(following, len(points) - 1)
    before = np.where(known & (last >= 0) & (points.person[last] == person), last, -1)
    there = known & (following < len(points)) & (points.person[first] == person)
    return before, np.where(there, first, -1)


def _distance(points: Points, at: npt.NDArray[np.intp], time: Times) -> Times:
    """Return the µs from the point to the moment; 0 where there is no point."""
    if not len(points):
        return np.zeros(len(time), np.int64)
    distance: Times = np.where(at >= 0, time - points.time[at], 0)
    return distance


def _in_one_stay(inside: Intervals, person: Persons, time: Times, later: Times) -> Mask:
    """Return whether two moments of each person lie in one stay in hospital."""
    same = np.zeros(len(person), np.bool_)
    asked, stay = inside.overlaps(person, time, time + 1)
    same[asked] = later[asked] < inside.end[stay]
    return same
