"""The weights that somebody measured or wrote down, and which of them count.

The numbers are in `weight.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Floats, Index, Mask, Persons, Times
from becalm.core.clock import UNKNOWN_TIME, Length
from becalm.core.columns import unique_keys
from becalm.core.remembered import remembered
from becalm.events import Events
from becalm.persons.age import ages
from becalm.persons.stays import admissions
from becalm.persons.weight_conflicts import off, outliers, restated
from becalm.records import Records
from becalm.timeline import Points, axis

FILE: Final = Path(__file__).with_name("weight.toml")


class WeightRules(toml.TomlTable, frozen=True):
    """The numbers of `weight.toml`."""

    before: Length
    after: Length
    tolerance: float
    low_kg: float
    adult_low_kg: float
    high_kg: float
    adult_from: int
    apart: float
    pounds: float
    restated: float
    repeats: tuple[str, ...]
    dosing: tuple[str, ...]
    source: str
    verified: bool


def rules() -> WeightRules:
    """Return the shipped rules."""
    return toml.load(FILE, WeightRules)


@dataclass(frozen=True, eq=False)
class Weighed:
    """The measured weights of a chunk, one number an instant.

    standing : positions of those that count. aside : of those that would, but are set aside.
    """

    points: Points
    standing: Mask
    aside: Mask

    def of(self, which: Mask) -> Points:
        return self.points.take(which)


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


@remembered
def weighed(records: Records, events: Events) -> Weighed:
    """Return the measured weights, and which of them count."""
    rule = rules()
    written = events.points("weight", "drawn")
    sheet = np.asarray(records.persons["weight_kg"][written.person], np.float64)
    sheet = possible(records, written.person, written.time, sheet)
    points = _certain(written, sheet)
    real = ~np.isnan(possible(records, points.person, points.time, points.low))
    sheet = np.asarray(records.persons["weight_kg"][points.person], np.float64)
    sheet = possible(records, points.person, points.time, sheet)
    fresh = ~_restated(records, points)
    counted = np.flatnonzero(real & fresh)
    outlying = counted[outliers(points.take(counted), sheet[counted], rule.apart)]
    standing = real & fresh
    standing[outlying] = False
    return Weighed(points, standing, fresh & ~standing)


def _certain(points: Points, sheet: Floats) -> Points:
    """Return the weights that are one number; nearly equal ones of one minute are averaged.

    Of two that cannot both be true, the one counts that agrees with a weight beside it or with the
    sheet, if the other does not.
    """
    rule, low, high = rules(), points.low, points.high
    with np.errstate(invalid="ignore"):
        near = np.isfinite(low) & np.isfinite(high) & (high - low <= rules().tolerance * low)
    middle = np.where(near, (np.where(near, low, 0) + np.where(near, high, 0)) / 2, np.nan)
    for at in np.flatnonzero(~near & off(low, high, rule.apart)).tolist():
        beside = [n for n in (at - 1, at + 1) if 0 <= n < len(points)]
        beside = [n for n in beside if points.person[n] == points.person[at]]
        others = np.array([sheet[at], *middle[beside]])
        others = others[~np.isnan(others)]
        agree = [bool((~off(kg[at] + 0 * others, others, rule.apart)).any()) for kg in (low, high)]
        if agree[0] != agree[1]:
            middle[at] = (low if agree[0] else high)[at]
    kept = ~np.isnan(middle)
    return Points(
        points.person[kept], points.time[kept], middle[kept], middle[kept], points.row[kept]
    )


def _restated(records: Records, points: Points) -> Mask:
    """Return which weights are charted again without weighing: admission and dosing weights."""
    rule = rules()
    names = [kind.name.casefold() for kind in records.kinds]
    kind = records.measurements["kind"][points.row] if len(points) else np.empty(0, np.int32)
    admission, dosing = (
        np.array([any(word in name for word in words) for name in names], np.bool_)[kind]
        for words in (rule.repeats, rule.dosing)
    )
    if not (admission | dosing).any():
        return np.zeros(len(points), np.bool_)
    asked, stay = admissions(records).overlaps(points.person, points.time, points.time + 1)
    of = np.full(len(points), -1, np.int64)
    of[asked] = stay
    first, back = unique_keys(points.person.astype(np.int64) * (of.max() + 2) + of + 1)
    return restated(points.low, admission, dosing, first[back], rule.restated)


def kg_at(points: Points, at: Index) -> Floats:
    """Return the weights at some positions; NaN for -1."""
    if not len(points):
        return np.full(len(at), np.nan)
    return np.where(at >= 0, points.low[at], np.nan)


def next_to(points: Points, at: Index, step: int) -> Index:
    """Return the position beside each, of the same person; -1 if there is none."""
    if not len(points):
        return np.full(len(at), -1, np.intp)
    beside = np.clip(at + step, 0, len(points) - 1)
    same = (at >= 0) & (beside != at) & (points.person[beside] == points.person[at])
    return np.where(same, beside, -1)


def neighbours(points: Points, person: Persons, time: Times) -> tuple[Index, Index]:
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
