"""Acute kidney injury by creatinine: baseline, and the KDIGO 2012 stage at every draw.

This version does not use urine output, so it misses a patient with oliguria before creatinine
rises; every result says "by creatinine".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from becalm import vocabulary
from becalm.core.arrays import Floats, Mask, Pair, Texts, Times
from becalm.kidney import equations
from becalm.kidney.kdigo import Kdigo, Replacement
from becalm.protocol import Kidney
from becalm.timeline import Intervals, Points, difference, ratio, rounded


@dataclass(frozen=True, eq=False)
class CreatinineBaseline:
    """Creatinine in mg/dL before the injury, one for each person; NaN if it cannot be assumed either.

    label : how it was obtained, in words for the reader. rows : the rows of the records it comes from.
    """

    mg_dl: Floats
    label: Texts
    rows: Sequence[tuple[int, ...]]


def course(sessions: Intervals, rule: Replacement) -> Intervals:
    """Return courses of renal replacement: between near sessions creatinine does not reflect the kidney."""
    return sessions.bridge(rule.bridge.us)


def baseline(
    creatinine: Points,
    onset: Times,
    *,
    inpatient: Intervals,
    age: npt.NDArray[np.int64],
    sex: Texts,
    kidney: Kidney,
) -> CreatinineBaseline:
    """Return the best available creatinine from before the injury.

    The median of the values from outside hospital, 365 to 7 d before onset; else the lowest of the
    7 d before it, without the value at onset itself, which may already have risen; else the value at
    which MDRD gives an assumed eGFR. For a person without a stay in the records no value is known to
    be from outside hospital.

    creatinine and inpatient : persons are positions in `onset`. age : completed years, -1 unknown.
    """
    count = len(onset)
    mg_dl = np.full(count, np.nan)
    label = np.full(count, "baseline not known", dtype=object)
    rows: list[tuple[int, ...]] = [()] * count
    assumed = equations.mdrd_creatinine(kidney.assumed_egfr, age, sex)
    admitted = np.zeros(count, np.bool_)
    admitted[inpatient.person] = True
    outside = ~inpatient.contains(creatinine.person, creatinine.time)
    exact = creatinine.low == creatinine.high
    first = np.searchsorted(creatinine.person, np.arange(count))
    stop = np.searchsorted(creatinine.person, np.arange(count), "right")
    for i in range(count):
        draws = slice(int(first[i]), int(stop[i]))
        time, value = creatinine.time[draws], creatinine.high[draws]
        before = onset[i] - time
        away = (before >= kidney.outpatient_to.us) & (before <= kidney.outpatient_from.us)
        away &= outside[draws] & exact[draws] & admitted[i]
        near = (before > 0) & (before <= kidney.minimum_within.us) & np.isfinite(value)
        if away.any():
            mg_dl[i] = np.median(value[away])
            rows[i] = tuple(creatinine.row[draws][away].tolist())
            count_ = int(away.sum())
            label[i] = (
                f"{f'median of {count_} outpatient values' if count_ > 1 else 'one outpatient value'}"
                f" {kidney.outpatient_from} to {kidney.outpatient_to} before onset"
            )
        elif near.any():
            at = int(np.argmin(np.where(near, value, np.inf)))
            mg_dl[i], rows[i] = value[at], (int(creatinine.row[draws][at]),)
            label[i] = f"lowest of the {kidney.minimum_within} before onset"
        elif np.isfinite(assumed[i]) and sex[i] in ("F", "M"):
            mg_dl[i] = round(float(assumed[i]), 2)
            label[i] = f"back-calculated at eGFR {kidney.assumed_egfr:g} (MDRD)"
    return CreatinineBaseline(mg_dl, label, rows)


def kdigo_stages(
    creatinine: Points, baseline_mg_dl: Floats, replacement: Intervals, kdigo: Kdigo
) -> Points:
    """Return the stage 0-3 at every draw of creatinine, lowest and highest possible.

    Injury means a rise of 0.3 mg/dL or 26.5 µmol/L within 48 h (both ends included), or 1.5 × baseline
    reached within 7 d: known from values of those 7 d, assumed if there are none. If the records
    show that it took longer, it is not acute injury by this criterion. Once injury is met, the stage
    follows the ratio until creatinine is below 1.5 × baseline again. 4.0 mg/dL (353.6 µmol/L)
    is stage 3 only if injury is met: a stable chronic 4.2 is no acute injury.

    During renal replacement creatinine does not reflect the kidney: those draws have no stage and
    are never a reference (replacement itself is stage 3: `replaced`).

    creatinine, replacement : persons are positions in `baseline_mg_dl` (NaN: not known).
    """
    draws = creatinine.take(~replacement.contains(creatinine.person, creatinine.time))
    who, when = draws.person, draws.time
    now = (draws.low, draws.high)
    lowest = draws.trailing("min", kdigo.rise_within.us).at(who, when)
    week = draws.trailing("min", kdigo.ratio_within.us).at(who, when)
    alone = draws.trailing("count", kdigo.ratio_within.us).at(who, when)[0] <= 1
    reference = baseline_mg_dl[who]
    known = np.isfinite(reference)
    above = ratio(now, (np.where(known, reference, np.inf),) * 2)
    recent = ratio(now, week)
    risen = _either(kdigo.rise, lambda unit: difference(_in(unit, now), _in(unit, lowest)))
    severe = _either(kdigo.severe, lambda unit: _in(unit, now))
    bounds = [
        _stages(
            who,
            risen=risen[b],
            severe=severe[b],
            above=np.where(known, above[b], 0.0),
            recent=alone | (recent[b] >= kdigo.ratios[1]),
            kdigo=kdigo,
        )
        for b in (0, 1)
    ]
    return Points(who, when, bounds[0], np.maximum(*bounds), draws.row, draws.drawn)


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


def _stages(
    who: npt.NDArray[np.int32],
    *,
    risen: Mask,
    severe: Mask,
    above: Floats,
    recent: Mask,
    kdigo: Kdigo,
) -> Floats:
    """Return the stage at each draw from one bound of every quantity."""
    raised = above >= kdigo.ratios[1]
    lasting = _since(who, raised, raised & (recent | risen))
    stage = risen.astype(np.float64)
    for number, bound in sorted(kdigo.ratios.items()):
        stage = np.where(lasting & (above >= bound), np.maximum(stage, number), stage)
    met = risen | lasting
    result: Floats = np.where(met & severe, float(max(kdigo.ratios)), stage)
    return result


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
