"""Acute kidney injury by creatinine: the KDIGO 2012 stage at every draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from becalm import vocabulary
from becalm.core.arrays import Floats, Index, Mask, Pair, Texts, Times, plus
from becalm.core.clock import UNKNOWN_TIME
from becalm.kidney.baseline import CreatinineBaseline
from becalm.kidney.kdigo import Kdigo
from becalm.timeline import Intervals, Points, difference, nearest, ratio, rounded


@dataclass(frozen=True, eq=False)
class Staged:
    """The stage of every draw, and what decided it.

    points : the lowest and the highest possible stage of each draw by the printed digits. rounded :
    the lowest one that the rounding of the printed digits leaves possible. rise, baseline, week : the
    stage by a rise within 48 h, by the ratio to the baseline and by the ratio to the lowest value of
    the 7 d before; severe : whether stage 3 comes from the value itself. lowest : the lowest of those
    7 d, mg/dL, NaN without another value. open_day : whether replacement may have run before the draw
    on that day.
    """

    points: Points
    rounded: Floats
    rise: Floats
    baseline: Floats
    week: Floats
    severe: Mask
    lowest: Floats
    open_day: Mask

    def decided_by(self, kdigo: Kdigo) -> Texts:
        """Return what decided each stage, joined by ` and `; '' for stage 0."""
        stage = self.points.low
        words = np.full(len(stage), "", dtype=object)
        for name, of in (
            (f"lowest of the {_days(kdigo)}", self.week),
            ("baseline", self.baseline),
            (f"rise in {kdigo.rise_within.removeprefix('<=')}", self.rise),
        ):
            reached = (stage > 0) & (of >= stage)
            words[reached & (words != "")] += " and "
            words[reached] += name
        high = (words == "") & self.severe & (stage >= float(max(kdigo.ratios)))
        words[high] = "height of the value"
        return words


def kdigo_stages(
    creatinine: Points,
    baseline: CreatinineBaseline,
    replacement: Intervals,
    kdigo: Kdigo,
    *,
    no_reference: Intervals | None = None,
    open_days: Intervals | None = None,
    half_digit: Floats | None = None,
) -> Staged:
    """Return the stage 0-3 at every draw of creatinine, lowest and highest possible.

    Injury means a rise of 0.3 mg/dL or 26.5 µmol/L within 48 h (both ends included), or 1.5 × a
    reference reached within 7 d. There are two references, and the higher stage counts: the lowest
    value of the 7 d before the draw, and the baseline, if it was left within those 7 d (assumed
    where they have no other value). By the baseline the stage, once injury is met, follows the ratio
    until creatinine is below 1.5 × baseline again. 4.0 mg/dL (353.6 µmol/L) is stage 3 only if injury
    is met: a stable chronic 4.2 is no acute injury. A draw with neither reference has no stage.

    During renal replacement creatinine does not reflect the kidney: those draws have no stage and
    are never a reference (replacement itself is stage 3: `replaced`). In an open day, in which
    replacement ran at an unknown hour, the stage may be higher.

    creatinine, replacement : persons are positions in the baseline. no_reference : when a creatinine
    is not a reference for later ones. half_digit : half a unit of the last printed digit of each draw.
    """
    kept = ~replacement.contains(creatinine.person, creatinine.time)
    draws = creatinine.take(kept)
    half = np.zeros(len(draws)) if half_digit is None else half_digit[kept]
    who, when = draws.person, draws.time
    usable = np.ones(len(draws), np.bool_)
    if no_reference is not None:
        usable = ~no_reference.contains(who, when)
    now = (draws.low, draws.high)
    references = draws.take(usable)
    first, stop = _before(references, kdigo.ratio_within.us, draws)
    alone = stop - first <= usable
    week = _lowest(references, first, stop, now)
    lowest = _lowest(references, _before(references, kdigo.rise_within.us, draws)[0], stop, now)
    rounded_up = Points(references.person, references.time, references.low,  # its high alone is read
                        references.high + half[usable], references.row)  # fmt: skip
    week_up = _lowest(rounded_up, first, stop, (now[1] + half,) * 2)[1]
    reference = baseline.mg_dl[who]
    known = np.isfinite(reference)
    above = ratio(now, (np.where(known, reference, np.inf),) * 2)
    recent = ratio(now, week)
    least = np.maximum(now[0] - half, 0.0)
    base_up = np.where(known, reference + baseline.half_digit[who], np.inf)
    unsure = (rounded(least / base_up), rounded(least / np.where(week_up > 0, week_up, np.inf)))
    risen = _either(kdigo.rise, lambda unit: difference(_in(unit, now), _in(unit, lowest)))
    severe = _either(kdigo.severe, lambda unit: _in(unit, now))
    parts = [
        _stages(
            who, risen=risen[b], severe=severe[b], above=np.where(known, above[b], 0.0),
            recent=recent[b], alone=alone, kdigo=kdigo,
        )
        for b in (0, 1)
    ]  # fmt: skip
    low = _stages(
        who, risen=risen[0], severe=severe[0], above=unsure[0], recent=unsure[1], alone=alone,
        kdigo=kdigo,
    )  # fmt: skip
    in_open_day = np.zeros(len(draws), np.bool_)
    if open_days is not None:
        in_open_day = open_days.contains(who, when)
    highest = np.where(
        in_open_day, float(max(kdigo.ratios)), np.maximum(parts[0].stage, parts[1].stage)
    )
    staged = known | ~alone | risen[0]
    points = Points(who, when, parts[0].stage, highest, draws.row, draws.drawn)
    seen = np.where(alone, np.nan, week[0])
    return Staged(
        points.take(staged),
        np.minimum(low.stage, parts[0].stage)[staged],
        parts[0].rise[staged],
        parts[0].baseline[staged],
        parts[0].week[staged],
        severe[0][staged],
        seen[staged],
        in_open_day[staged],
    )


@dataclass(frozen=True)
class Fall:
    """A fall of creatinine, in mg/dL, and the rows of the records of its two values."""

    high: float
    low: float
    rows: tuple[int, int]


def falls_on_arrival(creatinine: Points, arrival: Times, kdigo: Kdigo) -> list[Fall | None]:
    """Return the greatest certain fall of creatinine, 1.5-fold or more, in the first 7 d after each arrival.

    Somebody whose creatinine is highest on arrival and then falls so far had an injury that began
    outside: no stage can say it, because nothing lower is known from before. What rose 1.5-fold in
    the stay itself was no injury on arrival.

    creatinine : persons are positions in `arrival` (`UNKNOWN_TIME`: none).
    """
    begin = arrival[creatinine.person]
    since = creatinine.time - np.where(begin == UNKNOWN_TIME, creatinine.time, begin)
    inside = (begin != UNKNOWN_TIME) & (since >= 0) & (since < kdigo.ratio_within.us)
    early = creatinine.take(inside)
    ends = np.searchsorted(early.person, np.arange(len(arrival) + 1))
    least, some = kdigo.ratios[1], np.flatnonzero(ends[1:] > ends[:-1])
    falls: list[Fall | None] = [None] * len(arrival)
    if len(some):
        span = np.maximum.reduceat(early.low, ends[some]) / np.minimum.reduceat(
            early.high, ends[some]
        )
        for i in some[rounded(span) >= least].tolist():
            own = slice(ends[i], ends[i + 1])
            falls[i] = _greatest_fall(early.low[own], early.high[own], early.row[own], least)
    return falls


def _greatest_fall(low: Floats, high: Floats, row: Times, least: float) -> Fall | None:
    best, top, fold = None, 0, least
    fell = rounded(low[0] / high).tolist()
    risen = rounded(low / np.minimum.accumulate(high)).tolist()
    lows = low.tolist()
    for at in range(1, len(lows)):
        if fell[at] >= fold:
            fold, best = fell[at], Fall(lows[top], float(high[at]), (int(row[top]), int(row[at])))
        if lows[at] > lows[top] and risen[at] < least:
            top, fell = at, rounded(low[at] / high).tolist()
    return best


def _days(kdigo: Kdigo) -> str:
    return str(kdigo.ratio_within).removeprefix("<=")


def _before(points: Points, within: int, draws: Points) -> tuple[Index, Index]:
    """Return the references [first, stop) of the time `within` µs that ends with each draw, it included."""
    since = plus(draws.time, -within)
    return nearest.within(points, draws.person, since, draws.time, after=True)


def _lowest(points: Points, first: Index, stop: Index, now: Pair) -> Pair:
    """Return the lowest of the references in each window; the value itself where there is none."""
    low, high = nearest.lowest(points, first, stop)
    known = stop > first
    return np.where(known, low, now[0]), np.where(known, high, now[1])


def replaced(courses: Intervals, t0: Times, start: Times, kdigo: Kdigo) -> Points:
    """Return the moments of stage 3 by replacement: the start of a course or of a window it runs into.

    courses : persons are positions in `t0` and `start`. A course counts in the window [start, t0]
    and in the one after t0 if it ran in them; rows are -1, -2 ... in the order of the moments.
    """
    who = courses.person
    began = np.maximum(courses.start, start[who])
    after = t0[who] + 1
    person = np.concatenate((who, who))
    time = np.concatenate((began, np.maximum(courses.start, after)))
    runs = np.concatenate((began < courses.end, np.maximum(courses.start, after) < courses.end))
    pairs = np.unique(np.column_stack((person[runs], time[runs])), axis=0)
    stage = np.full(len(pairs), float(max(kdigo.ratios)))
    return Points(pairs[:, 0], pairs[:, 1], stage, stage, -1 - np.arange(len(pairs)))


@dataclass(frozen=True, eq=False)
class _Stages:
    """The stage at each draw from one bound of every quantity, altogether and by each reference."""

    stage: Floats
    rise: Floats
    baseline: Floats
    week: Floats


def _stages(
    who: npt.NDArray[np.int32],
    *,
    risen: Mask,
    severe: Mask,
    above: Floats,
    recent: Floats,
    alone: Mask,
    kdigo: Kdigo,
) -> _Stages:
    """Return the stages from one bound of every quantity.

    above, recent : multiples of the baseline and of the lowest of the 7 d before. alone : no other
    reference in those 7 d.
    """
    raised = above >= kdigo.ratios[1]
    quick = alone | (recent >= kdigo.ratios[1])
    lasting = _since(who, raised, raised & (quick | risen))
    by_baseline, by_week = np.zeros(len(who)), np.zeros(len(who))
    for number, bound in sorted(kdigo.ratios.items()):
        by_baseline = np.where(lasting & (above >= bound), number, by_baseline)
        by_week = np.where(recent >= bound, number, by_week)
    rise = risen.astype(np.float64)
    stage = np.maximum.reduce([rise, by_baseline, by_week])
    stage = np.where((stage > 0) & severe, float(max(kdigo.ratios)), stage)
    return _Stages(stage, rise, by_baseline, by_week)


def _either(limits: Mapping[str, float], amount: Callable[[str], Pair]) -> tuple[Mask, Mask]:
    """Return whether the lowest and the highest possible amount reach the limit in any of its units.

    The guideline rounds each of its limits: 26.5 µmol/L is a little less than 0.3 mg/dL.

    amount : the amount in a unit.
    """
    amounts = {unit: amount(unit) for unit in limits}
    low, high = (
        np.logical_or.reduce([amounts[unit][b] >= limit for unit, limit in limits.items()])
        for b in (0, 1)
    )
    return low, high


def _in(unit: str, mg_dl: Pair) -> Pair:
    """Return creatinine in another unit, without the rounding errors of the conversion."""
    conversion = vocabulary.load().variable("creatinine").units[unit].conversion()
    low, high = (rounded(value * conversion.by / conversion.times) for value in mg_dl)
    return low, high


def _since(who: npt.NDArray[np.int32], raised: Mask, begins: Mask) -> Mask:
    """Return whether injury has been met by now in the current series of raised values."""
    if not len(who):
        return raised
    fresh = np.append(True, who[1:] != who[:-1]) | ~raised
    run = np.cumsum(fresh)
    begun = np.cumsum(begins)
    before: Times = begun - begins
    start: Times = before[np.flatnonzero(fresh)][run - 1]
    lasting: Mask = raised & (begun > start)
    return lasting
