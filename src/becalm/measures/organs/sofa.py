"""SOFA over time, as an interval: an item that nobody measured is worth 0 to 4 points, never 0.

Each item stands by itself. What is charted of an intubated patient's speech is not known, so it leaves a range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import Floats, Mask, Pair, Persons, Times, expand
from becalm.core.clock import DAY
from becalm.kidney import kdigo, urine
from becalm.measures.organs.rules import Sofa
from becalm.measures.organs.vasopressors import rates
from becalm.patients import organ_support
from becalm.patients.understood import Patients
from becalm.timeline import Intervals, Points, Timeline, combine, nearest, rounded

ITEMS: Final = ("respiration", "coagulation", "liver", "cardiovascular", "nervous_system", "renal")
MOST: Final = 4.0
VENTILATED: Final = ("ventilation", "non_invasive_ventilation")


def points_below(bounds: Mapping[int, float], value: Floats) -> Floats:
    """Return the points of values: the most whose bound they are below."""
    points = np.zeros(len(value))
    for number, bound in sorted(bounds.items()):
        points = np.where(value < bound, float(number), points)
    return points


def points_from(bounds: Mapping[int, float], value: Floats) -> Floats:
    """Return the points of values: the most whose bound they reach."""
    points = np.zeros(len(value))
    for number, bound in sorted(bounds.items()):
        points = np.where(value >= bound, float(number), points)
    return points


def items(patients: Patients, rule: Sofa, persons: Mask) -> dict[str, Timeline]:
    """Return each item over time, lowest and highest possible points, the worst of the last 24 h.

    persons : bool[persons], whom it is asked for. Unknown where nothing of an item was measured.
    """
    draw = partial(_draws, patients, persons)
    below, above = points_below, points_from
    return {
        "respiration": _respiration(patients, rule, draw, persons),
        "coagulation": _worst(rule, _scored(draw("platelets"), partial(below, rule.platelets), falls=True)),
        "liver": _worst(rule, _scored(draw("bilirubin"), partial(above, rule.bilirubin))),
        "cardiovascular": _cardiovascular(patients, rule, draw, persons),
        "nervous_system": _nervous_system(rule, draw, patients),
        "renal": combine(
            _highest,
            _worst(rule, _scored(draw("creatinine"), partial(above, rule.creatinine))),
            _urine(patients, rule, draw),
        ),
    }  # fmt: skip


def totals(
    lines: Mapping[str, Timeline], person: ArrayLike, time: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the lowest and the highest possible total at moments."""
    low, high = np.zeros(np.shape(person)), np.zeros(np.shape(person))
    for line in lines.values():
        least, most = line.at(person, time)
        known = np.isfinite(least) & np.isfinite(most)
        low = low + np.where(known, least, 0.0)
        high = high + np.where(known, most, MOST)
    return low, high


def _draws(patients: Patients, persons: Mask, name: str) -> Points:
    points = patients.events.points(name)
    return points.take(np.flatnonzero(persons[points.person]))


def _scored(points: Points, score: Callable[[Floats], Floats], *, falls: bool = False) -> Points:
    """Return the points of draws; where low values are bad the highest value gives the fewest."""
    first, second = score(rounded(points.low)), score(rounded(points.high))
    low, high = (second, first) if falls else (first, second)
    return Points(points.person, points.time, low, high, points.row)


def _worst(rule: Sofa, points: Points) -> Timeline:
    return points.trailing("max", rule.worst_within.us) if len(points) else Timeline.empty()


def _highest(*pairs: Pair) -> Pair:
    """Return the worst of what is known; a part that is not known takes nothing away."""
    low = np.maximum.reduce([np.where(np.isfinite(a), a, 0.0) for a, _ in pairs])
    high = np.maximum.reduce([np.where(np.isfinite(b), b, 0.0) for _, b in pairs])
    return low, high


def _respiration(
    patients: Patients, rule: Sofa, draw: Callable[[str], Points], persons: Mask
) -> Timeline:
    gas, oxygen = draw("pao2"), draw("fio2")
    if not len(gas) or not len(oxygen):
        return Timeline.empty()
    held = oxygen.hold(patients.vocabulary.variable("fio2").valid.us)
    low, high = held.at(gas.person, gas.time)
    known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    gas, low, high = gas.take(known), low[known], high[known]
    worst, best = rounded(gas.low / high * 100), rounded(gas.high / low * 100)
    running = organ_support.running(patients.records, patients.vocabulary)
    on = Intervals.empty().union(*(running.get(name, Intervals.empty()) for name in VENTILATED))
    ventilated = on.contains(gas.person, gas.time)
    told = len(patients.records.procedures) > 0
    fewest, most = points_below(rule.oxygen, best), points_below(rule.oxygen, worst)
    alone = float(min(2, max(rule.oxygen)))
    # Three and four points are for the ventilated; without any procedure on record nobody knows who was.
    fewest = np.where(ventilated, fewest, np.minimum(fewest, alone))
    most = np.where(ventilated | (not told), most, np.minimum(most, alone))
    return _worst(rule, Points(gas.person, gas.time, fewest, most, gas.row))


def _cardiovascular(
    patients: Patients, rule: Sofa, draw: Callable[[str], Points], persons: Mask
) -> Timeline:
    pressure = draw("mean_arterial_pressure")
    low_pressure = _worst(
        rule, _scored(pressure, partial(points_below, {1: rule.pressure}), falls=True)
    )
    if not len(patients.records.administrations):  # nobody knows what ran beside it
        return low_pressure.map(lambda low, _: (low, np.full(len(low), MOST)))
    parts = [low_pressure]
    for drug, least in rule.any.items():
        line = rates(patients, drug, persons)
        steps = {
            0.0: least,
            **{bound: number for number, bound in rule.above.get(drug, {}).items()},
        }
        for bound, number in sorted(steps.items()):
            runs = line.where(partial(_above, bound))
            late = Intervals.build(runs.person, runs.start, runs.end + rule.worst_within.us)
            parts.append(
                Timeline.build(late.person, late.start, late.end, np.full(len(late), float(number)))
            )
        # Of an unknown rate or weight only the fewest points of the drug are certain.
        dark = patients.doses.exposure(drug, routes=("IV", "")).without(line.known())
        dark = dark.take(persons[dark.person])
        late = Intervals.build(dark.person, dark.start, dark.end + rule.worst_within.us)
        parts.append(
            Timeline.build(late.person, late.start, late.end, np.full(len(late), float(least)), np.full(len(late), MOST))
        )  # fmt: skip
    return combine(_highest, *parts)


def _above(bound: float, low: Floats, _: Floats) -> Mask:
    reached: Mask = rounded(low) > bound
    return reached


def _nervous_system(rule: Sofa, draw: Callable[[str], Points], patients: Patients) -> Timeline:
    score = partial(points_below, rule.coma)
    valid = patients.vocabulary.variable("gcs").valid.us
    total = _worst(rule, _scored(draw("gcs"), score, falls=True))
    parts = [draw(name).hold(valid) for name in ("gcs_eye", "gcs_verbal", "gcs_motor")]
    summed = combine(_sum_of_parts, *parts)
    # The sum is looked at wherever one of its parts changes.
    at = Points.build(summed.person, summed.start, summed.low, summed.high)
    by_parts = _worst(rule, _scored(at, score, falls=True))
    return combine(_highest, total, by_parts) if len(total) or len(by_parts) else Timeline.empty()


def _sum_of_parts(eye: Pair, verbal: Pair, motor: Pair) -> Pair:
    """Return the coma scale from its parts; what cannot be said (intubated) is 1 to 5."""
    known = np.isfinite(eye[0]) & np.isfinite(motor[0])
    speech_low = np.where(np.isfinite(verbal[0]), verbal[0], 1.0)
    speech_high = np.where(np.isfinite(verbal[1]), verbal[1], 5.0)
    low = np.where(known, eye[0] + speech_low + motor[0], -np.inf)
    return low, np.where(known, eye[1] + speech_high + motor[1], np.inf)


def _urine(patients: Patients, rule: Sofa, draw: Callable[[str], Points]) -> Timeline:
    """Return the points of the urine of 24 h, where all of them are known."""
    volumes = draw("urine_output")
    if not len(volumes):
        return Timeline.empty()
    who, when, _ = patients.events.rejected_rows("urine_output")
    rate = urine.flow(
        volumes, urine.begins(patients.records), kdigo.load().urine, refused=(who, when)
    )
    since = volumes.time - DAY
    full = np.flatnonzero(rate.covered(volumes.person, since, volumes.time) == DAY)
    low, high = rate.integrate(volumes.person[full], since[full], volumes.time[full])
    day = Points(
        volumes.person[full], volumes.time[full], rounded(low), rounded(high), volumes.row[full]
    )
    return _scored(day, partial(points_below, rule.urine), falls=True).hold(rule.worst_within.us)


def worst_between(
    lines: Mapping[str, Timeline], person: Persons, start: Times, end: Times
) -> tuple[Floats, Floats]:
    """Return the greatest lowest-possible and highest-possible total in each [start, end].

    The total changes only where an item does; the bounds are looked at there and at the start.
    """
    edges_person = np.concatenate([person[:0], *(line.person for line in lines.values())])
    edges_time = np.concatenate([start[:0], *(line.start for line in lines.values())])
    low, high = totals(lines, person, start)
    if not len(edges_time):
        return low, high
    points = Points.build(edges_person, edges_time, np.zeros(len(edges_time)))
    owner, at = _between(points, person, start, end)
    least, most = totals(lines, person[owner], points.time[at])
    low, high = low.copy(), high.copy()
    np.maximum.at(low, owner, least)
    np.maximum.at(high, owner, most)
    return low, high


def _between(points: Points, person: Persons, start: Times, end: Times) -> tuple[Times, Times]:
    first, stop = nearest.within(points, person, start, end)
    owner, at = expand(first, stop)
    return owner.astype(np.int64), at.astype(np.int64)
