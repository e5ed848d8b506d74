"""The weight of a person at a moment, with its source, its age and what speaks against it.

Doses per kg and clearance use the same weight. The order and its numbers are in `weight.toml`; which
weights are set aside because they cannot be true is in `weight_conflicts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.core import toml
from becalm.core.arrays import Floats, Index, Mask, Persons, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME, Length
from becalm.core.columns import Categorical, unique_keys
from becalm.events import Events
from becalm.persons.age import ages
from becalm.persons.stays import admissions
from becalm.persons.weight_conflicts import off, off_from_both, outliers, restated
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
SET_ASIDE: Final = "weight set aside"
DISAGREE: Final = "weights disagree"
"""How remarks about weights begin."""


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
class WeightInForce:
    """The weight at each question (person, time), one entry for each.

    kg : NaN where none is known. source : position in `SOURCES`. age_h : hours from the measurement
    to the moment, negative if it was measured later; NaN if its time is not known (from the row itself
    or from the persons sheet). row : row of the measurement, as in `Events.source_row`; -1 if none.
    aside_kg : the weight that would be in force but was set aside, NaN if there is none; impossible :
    because nobody weighs that. against_kg : a weight that cannot be true together with the one in
    force, where nothing else stands; NaN if there is none.
    """

    kg: Floats
    source: npt.NDArray[np.int8]
    age_h: Floats
    row: npt.NDArray[np.int64]
    aside_kg: Floats
    impossible: Mask
    against_kg: Floats

    def names(self) -> npt.NDArray[np.object_]:
        """Return the source of each weight in words."""
        return np.array(SOURCES, dtype=object)[self.source]

    def remarks(self) -> Categorical:
        """Return what speaks against each weight, in words; '' where nothing does."""
        some = np.flatnonzero(~np.isnan(self.aside_kg) | ~np.isnan(self.against_kg))
        code, texts = np.zeros(len(self.kg), np.int32), [""]
        numbers = zip(
            *(each[some].tolist() for each in (self.kg, self.aside_kg, self.against_kg)),
            self.impossible[some].tolist(),
            strict=True,
        )
        written: dict[str, int] = {}
        remarks = (_remark(*each) for each in numbers)
        code[some] = [written.setdefault(remark, len(written) + 1) for remark in remarks]
        texts += written
        return Categorical.by(code, texts)


@dataclass(frozen=True, eq=False)
class _Weighed:
    """The measured weights of a chunk, one number an instant.

    standing : positions of those that count. aside : of those that would, but are set aside.
    """

    points: Points
    standing: Mask
    aside: Mask

    def of(self, which: Mask) -> Points:
        return self.points.take(which)


@dataclass(frozen=True, eq=False)
class _Choice:
    """The weight that the order chooses for each question; at : its position among the points, or -1."""

    kg: Floats
    source: npt.NDArray[np.int8]
    at: Index


@dataclass(frozen=True, eq=False)
class _Question:
    """Who is asked about when, with the weight in the row and of the sheet, NaN where none."""

    person: Persons
    time: Times
    own: Floats
    sheet: Floats

    def take(self, which: Index) -> _Question:
        return _Question(*(each[which] for each in vars(self).values()))


def weight_in_force(
    records: Records, events: Events, person: Persons, time: Times, own: Floats | None = None
) -> WeightInForce:
    """Return the weight in force of each person at each moment.

    person, time : int32 and int64 µs, one entry a question; at an unknown time only the weight of
    the row itself and of the persons sheet are known. own : kg, the weight in the row itself; NaN if
    there is none. A weight outside the possible range does not count, nor one that cannot be true
    together with those beside it; two weights of one minute that differ by more than the tolerance do
    not count either, unless one of them cannot be true.
    """
    weighed, stays = _weighed(records, events), admissions(records)
    measured = weighed.of(weighed.standing)
    stated = np.full(len(person), np.nan) if own is None else np.asarray(own, np.float64)
    sheet = np.asarray(records.persons["weight_kg"][person], np.float64)
    written = _Question(person, time, stated, sheet)
    real = _Question(
        person, time, *(possible(records, person, time, each) for each in (stated, sheet))
    )
    beside = _neighbours(measured, person, time)
    asked, doubted = _without_outliers(real, measured, beside)
    chosen = _choose(asked, measured, beside, stays)
    found = chosen.at >= 0
    at = np.where(found, chosen.at, 0)
    aside_kg = np.full(len(person), np.nan)
    impossible = np.zeros(len(person), np.bool_)
    crossed = np.zeros(len(records.persons), np.bool_)
    crossed[weighed.points.person[weighed.aside]] = True
    some = np.flatnonzero(
        crossed[person] | doubted | _lost(written.own, real.own) | _lost(written.sheet, real.sheet)
    )
    if len(some):
        all_ = weighed.of(weighed.standing | weighed.aside)
        naive = written.take(some)
        first = _choose(naive, all_, _neighbours(all_, naive.person, naive.time), stays)
        other = (first.source > 0) & _differs(first.kg, chosen.kg[some])
        aside_kg[some[other]] = first.kg[other]
        impossible[some[other]] = np.isnan(
            possible(records, naive.person, naive.time, first.kg)[other]
        )
    return WeightInForce(
        chosen.kg,
        chosen.source,
        np.where(found, (time - _each(measured.time, at)) / HOUR, np.nan),
        np.where(found, _each(measured.row, at), -1),
        aside_kg,
        impossible,
        _against(asked, chosen, measured, beside),
    )


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


def _choose(
    asked: _Question, measured: Points, beside: tuple[Index, Index], stays: Intervals
) -> _Choice:
    """Return the weight that the order of the sources chooses."""
    rule, (before, after), time = rules(), beside, asked.time
    kg = np.full(len(time), np.nan)
    source, chosen = np.zeros(len(time), np.int8), np.full(len(time), -1, np.intp)

    def take(name: str, values: Floats) -> None:
        where = (source == 0) & ~np.isnan(values)
        kg[where] = values[where]
        source[where] = SOURCES.index(name)

    def take_measured(name: str, where: Mask, at: Index) -> None:
        of = np.flatnonzero(where & (source == 0) & (at >= 0))
        kg[of] = measured.low[at[of]]
        source[of] = SOURCES.index(name)
        chosen[of] = at[of]

    everywhere = np.ones(len(time), np.bool_)
    take("own", asked.own)
    since, until = _distance(measured, before, time), -_distance(measured, after, time)
    take_measured("measured before", since < rule.before.us, before)
    take_measured("measured after", until < rule.after.us, after)
    take("persons sheet", asked.sheet)
    take_measured("older measurement", everywhere, before)
    open_ = np.flatnonzero((source == 0) & (after >= 0))
    if len(open_):
        same = np.zeros(len(time), np.bool_)
        same[open_] = _in_one_stay(
            stays, asked.person[open_], time[open_], measured.time[after[open_]]
        )
        take_measured("later in the stay", same, after)
    return _Choice(kg, source, chosen)


def _without_outliers(
    asked: _Question, measured: Points, beside: tuple[Index, Index]
) -> tuple[_Question, Mask]:
    """Leave out the row's own weight and the sheet's where they are set aside; return where.

    Their neighbours are the measured weights before and after the moment; the row's own is also
    compared with the sheet's if it has one neighbour only.
    """
    apart = rules().apart
    before, after = (_kg(measured, at) for at in beside)
    one = np.where(np.isnan(before), after, before)
    both = ~np.isnan(before) & ~np.isnan(after)
    no_sheet = both & off_from_both(asked.sheet, before, after, apart)
    no_own = off_from_both(asked.own, one, np.where(both, after, asked.sheet), apart)
    kept = (np.where(no, np.nan, kg) for no, kg in ((no_own, asked.own), (no_sheet, asked.sheet)))
    return _Question(asked.person, asked.time, *kept), no_own | no_sheet


def _against(
    asked: _Question, chosen: _Choice, measured: Points, beside: tuple[Index, Index]
) -> Floats:
    """Return a weight that contradicts the chosen one where none beside it agrees; else NaN."""
    apart, at = rules().apart, chosen.at
    before, after = (_kg(measured, each) for each in beside)
    is_point = at >= 0
    before = np.where(is_point, _kg(measured, _next_to(measured, at, -1)), before)
    after = np.where(is_point, _kg(measured, _next_to(measured, at, 1)), after)
    sheet = np.where(chosen.source == SOURCES.index("persons sheet"), np.nan, asked.sheet)
    against, agrees = np.full(len(at), np.nan), np.zeros(len(at), np.bool_)
    for other in (sheet, after, before):
        far = off(chosen.kg, other, apart)
        agrees |= ~far & ~np.isnan(other)
        against = np.where(far, other, against)
    return np.where(agrees, np.nan, against)


def _weighed(records: Records, events: Events) -> _Weighed:
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
    return _Weighed(points, standing, fresh & ~standing)


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


def _remark(kg: float, aside: float, against: float, impossible: bool) -> str:
    """Return the remark on a weight in force that another one contradicts."""
    parts = []
    if not np.isnan(aside):
        reason = "no possible weight at that age" if impossible else f"far from {kg:.4g} kg"
        parts.append(f"{SET_ASIDE}: {aside:.4g} kg is {reason}{_pounds(aside, kg)}")
    if not np.isnan(against):
        parts.append(
            f"{DISAGREE}: {kg:.4g} kg and {against:.4g} kg"
            f"{_pounds(max(kg, against), min(kg, against))}"
        )
    return "; ".join(parts)


def _pounds(heavy: float, light: float) -> str:
    """Return the remark that a weight may be in pounds."""
    rule = rules()
    if not abs(heavy / light - rule.pounds) <= rule.tolerance * rule.pounds:
        return ""
    return f" ({heavy:.4g} may be pounds)"


def _lost(written: Floats, real: Floats) -> Mask:
    return np.asarray(np.isnan(real) & ~np.isnan(written), np.bool_)


def _differs(a: Floats, b: Floats) -> Mask:
    return np.asarray(~((a == b) | (np.isnan(a) & np.isnan(b))), np.bool_)


def _each(values: Times, at: Index) -> Times:
    return values[at] if len(values) else np.zeros(len(at), np.int64)


def _kg(points: Points, at: Index) -> Floats:
    """Return the weights at some positions; NaN for -1."""
    if not len(points):
        return np.full(len(at), np.nan)
    return np.where(at >= 0, points.low[at], np.nan)


def _next_to(points: Points, at: Index, step: int) -> Index:
    """Return the position beside each, of the same person; -1 if there is none."""
    if not len(points):
        return np.full(len(at), -1, np.intp)
    beside = np.clip(at + step, 0, len(points) - 1)
    same = (at >= 0) & (beside != at) & (points.person[beside] == points.person[at])
    return np.where(same, beside, -1)


def _neighbours(points: Points, person: Persons, time: Times) -> tuple[Index, Index]:
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


def _distance(points: Points, at: Index, time: Times) -> Times:
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
