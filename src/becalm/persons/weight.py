"""The weight of a person at a moment, with its source, its age and what speaks against it.

Doses per kg and clearance use the same weight. The order and its numbers are in `weight.toml`; which
weights are set aside because they cannot be true is in `weight_conflicts`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Floats, Index, Mask, Persons, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.columns import Categorical
from becalm.events import Events
from becalm.persons.stays import admissions
from becalm.persons.weighed import kg_at, neighbours, next_to, possible, rules, weighed
from becalm.persons.weight_conflicts import off, off_from_both
from becalm.records import Records
from becalm.timeline import Intervals, Points

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
    known, stays = weighed(records, events), admissions(records)
    measured = known.of(known.standing)
    stated = np.full(len(person), np.nan) if own is None else np.asarray(own, np.float64)
    sheet = np.asarray(records.persons["weight_kg"][person], np.float64)
    written = _Question(person, time, stated, sheet)
    real = _Question(
        person, time, *(possible(records, person, time, each) for each in (stated, sheet))
    )
    beside = neighbours(measured, person, time)
    asked, doubted = _without_outliers(real, measured, beside)
    stale = _restates_an_old_one(records, known.points, asked, measured, beside)
    asked, doubted = replace(asked, own=np.where(stale, np.nan, asked.own)), doubted | stale
    chosen = _choose(asked, measured, beside, stays)
    alone, row_kg = _unlike_other_rows(records, asked)
    if alone.any():
        without = replace(asked, own=np.where(alone, np.nan, asked.own))
        instead = _choose(without, measured, beside, stays)
        gives_way = alone & (instead.source > 0) & ~off(instead.kg, row_kg, rules().apart)
        asked = replace(asked, own=np.where(gives_way, np.nan, asked.own))
        chosen = _choose(asked, measured, beside, stays)
        doubted |= gives_way
    found = chosen.at >= 0
    at = np.where(found, chosen.at, 0)
    aside_kg = np.full(len(person), np.nan)
    impossible = np.zeros(len(person), np.bool_)
    crossed = np.zeros(len(records.persons), np.bool_)
    crossed[known.points.person[known.aside]] = True
    some = np.flatnonzero(
        crossed[person] | doubted | _lost(written.own, real.own) | _lost(written.sheet, real.sheet)
    )
    if len(some):
        all_ = known.of(known.standing | known.aside)
        naive = written.take(some)
        first = _choose(naive, all_, neighbours(all_, naive.person, naive.time), stays)
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
        _against(asked, chosen, measured, beside, row_kg),
    )


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
    before, after = (kg_at(measured, at) for at in beside)
    one = np.where(np.isnan(before), after, before)
    both = ~np.isnan(before) & ~np.isnan(after)
    no_sheet = both & off_from_both(asked.sheet, before, after, apart)
    no_own = off_from_both(asked.own, one, np.where(both, after, asked.sheet), apart)
    kept = (np.where(no, np.nan, kg) for no, kg in ((no_own, asked.own), (no_sheet, asked.sheet)))
    return _Question(asked.person, asked.time, *kept), no_own | no_sheet


def _restates_an_old_one(
    records: Records,
    charted: Points,
    asked: _Question,
    measured: Points,
    beside: tuple[Index, Index],
) -> Mask:
    """Return where a row's own weight repeats one from before the last two measured ones, far from both.

    It is no new measurement. Looked at only where nothing is measured later and the sheet has no weight; else that
    decides. charted : all weights that were charted, also those that do not count.
    """
    rule, rows, (before, after) = rules(), records.administrations, beside
    far: Mask = (before >= 0) & (after < 0) & ~np.isnan(asked.own) & np.isnan(asked.sheet)
    some = np.flatnonzero(far)
    last = kg_at(measured, before[some])
    second = kg_at(measured, next_to(measured, before[some], -1))
    far[some] = off_from_both(asked.own[some], last, second, rule.apart)
    series = (
        (rows["person"], rows["start"], rows["weight_kg"]),
        (charted.person, charted.time, charted.low),
    )

    @cache
    def known_before(who: int, since: int, kg: float) -> bool:
        for person, time, each in series:
            of = slice(*np.searchsorted(person, (who, who + 1)).tolist())
            earlier = (time[of] < since) & (time[of] != UNKNOWN_TIME)
            if (earlier & (np.abs(each[of] - kg) <= rule.restated * kg)).any():
                return True
        return False

    for at in np.flatnonzero(far).tolist():
        since = int(measured.time[before[at]])
        far[at] = known_before(int(asked.person[at]), since, float(asked.own[at]))
    return far


def _unlike_other_rows(records: Records, asked: _Question) -> tuple[Mask, Floats]:
    """Return where a row's own weight is off from that of the rows of doses before and after it.

    The second array has the weight of the row before, there; else NaN. Only persons whose rows have weights far apart
    are looked at.
    """
    rows, apart = records.administrations, rules().apart
    none = np.zeros(len(asked.own), np.bool_), np.full(len(asked.own), np.nan)
    person, time, kg = rows["person"], rows["start"], rows["weight_kg"]
    with np.errstate(invalid="ignore"):
        stated = np.flatnonzero((kg > 0) & (time != UNKNOWN_TIME))
    if not len(stated) or np.isnan(asked.own).all():
        return none
    least, most = np.full((2, len(records.persons)), np.nan)
    np.fmin.at(least, person[stated], kg[stated])
    np.fmax.at(most, person[stated], kg[stated])
    far = stated[off(most, least, apart)[person[stated]]]
    if not len(far):
        return none
    real = possible(records, person[far], time[far], kg[far])
    far, real = far[~np.isnan(real)], real[~np.isnan(real)]
    series = Points.build(person[far], time[far], real)
    series = series.take(series.low == series.high)
    alone, row_kg = none
    involved = np.zeros(len(records.persons), np.bool_)
    involved[series.person] = True
    some = np.flatnonzero(involved[asked.person] & ~np.isnan(asked.own))
    whose, when = asked.person[some], asked.time[some]
    earlier = np.where(when == UNKNOWN_TIME, UNKNOWN_TIME, when - 1)
    before = kg_at(series, neighbours(series, whose, earlier)[0])
    after = kg_at(series, neighbours(series, whose, when)[1])
    alone[some] = off_from_both(asked.own[some], before, after, apart)
    row_kg[some] = before
    return alone, np.where(alone, row_kg, np.nan)


def _against(
    asked: _Question,
    chosen: _Choice,
    measured: Points,
    beside: tuple[Index, Index],
    row_kg: Floats,
) -> Floats:
    """Return a weight that contradicts the chosen one where none beside it agrees; else NaN.

    row_kg : of other rows, where the row's own weight is far from it.
    """
    apart, at = rules().apart, chosen.at
    before, after = (kg_at(measured, each) for each in beside)
    is_point = at >= 0
    before = np.where(is_point, kg_at(measured, next_to(measured, at, -1)), before)
    after = np.where(is_point, kg_at(measured, next_to(measured, at, 1)), after)
    sheet = np.where(chosen.source == SOURCES.index("persons sheet"), np.nan, asked.sheet)
    against, agrees = np.full(len(at), np.nan), np.zeros(len(at), np.bool_)
    rows = np.where(chosen.source == SOURCES.index("own"), row_kg, np.nan)
    for other in (rows, sheet, after, before):
        far = off(chosen.kg, other, apart)
        agrees |= ~far & ~np.isnan(other)
        against = np.where(far, other, against)
    return np.where(agrees, np.nan, against)


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
