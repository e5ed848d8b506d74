"""SOFA over time, as an interval: an item that nobody measured is worth 0 to 4 points, never 0.

Each item stands by itself. What is charted of an intubated patient's speech is not known, so it leaves a range.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import Floats, Mask, Pair, Persons, Times, expand, firsts
from becalm.core.clock import DAY
from becalm.kidney import kdigo, urine
from becalm.kidney.replacement import sessions
from becalm.measures.organs.rules import Sofa
from becalm.measures.organs.vasopressors import rates
from becalm.patients import organ_support
from becalm.patients.understood import Patients
from becalm.timeline import Intervals, Points, Timeline, combine, nearest, rounded

ITEMS: Final = ("respiration", "coagulation", "liver", "cardiovascular", "nervous_system", "renal")
MOST: Final = 4.0
INTUBATED: Final = "ventilation"
VENTILATED: Final = (INTUBATED, "non_invasive_ventilation")
COMA: Final = ("gcs_eye", "gcs_verbal", "gcs_motor")


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
        "respiration": _respiration(patients, rule, draw),
        "coagulation": _worst(rule, _scored(draw("platelets"), partial(below, rule.platelets), falls=True)),
        "liver": _worst(rule, _scored(draw("bilirubin"), partial(above, rule.bilirubin))),
        "cardiovascular": _cardiovascular(patients, rule, draw, persons),
        "nervous_system": _nervous_system(patients, rule, draw),
        "renal": _renal(patients, rule, draw),
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


def _ventilated(patients: Patients, names: Collection[str], points: Points) -> tuple[Mask, Mask]:
    """Return of whom a ventilator certainly ran at each point, and of whom possibly.

    Without any procedure on record nobody knows who was ventilated.
    """
    running = organ_support.running(patients.records, patients.vocabulary)
    on = Intervals.empty().union(*(running.get(name, Intervals.empty()) for name in names))
    certain = on.contains(points.person, points.time)
    if not len(patients.records.procedures):
        return certain, np.ones(len(points), np.bool_)
    perhaps = organ_support.of_day_alone(patients.records, patients.vocabulary, names, on)
    return certain, certain | perhaps.contains(points.person, points.time)


def _respiration(patients: Patients, rule: Sofa, draw: Callable[[str], Points]) -> Timeline:
    gas, oxygen = draw("pao2"), draw("fio2")
    if not len(gas) or not len(oxygen):
        return Timeline.empty()
    held = oxygen.hold(patients.vocabulary.variable("fio2").valid.us)
    low, high = held.at(gas.person, gas.time)
    known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    gas, low, high = gas.take(known), low[known], high[known]
    worst, best = rounded(gas.low / high * 100), rounded(gas.high / low * 100)
    certain, possible = _ventilated(patients, VENTILATED, gas)
    fewest, most = points_below(rule.oxygen, best), points_below(rule.oxygen, worst)
    alone = float(min(2, max(rule.oxygen)))
    # Three and four points are for the ventilated.
    fewest = np.where(certain, fewest, np.minimum(fewest, alone))
    most = np.where(possible, most, np.minimum(most, alone))
    asked, row = held.evidence_at(gas.person, gas.time)
    by_oxygen = np.full(len(gas), -1, np.int64)
    by_oxygen[asked] = row
    return _of_several(rule, gas, fewest, most, (gas.row, by_oxygen))


def _of_several(
    rule: Sofa, points: Points, low: Floats, high: Floats, rows: Iterable[Times]
) -> Timeline:
    """Return the worst of scores that rest on several rows each, so that all of them can be opened."""
    lines = []
    for row in rows:
        some = np.flatnonzero(row >= 0)
        scored = Points(points.person[some], points.time[some], low[some], high[some], row[some])
        lines.append(_worst(rule, scored))
    return combine(_highest, *lines) if any(map(len, lines)) else Timeline.empty()


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


def _nervous_system(patients: Patients, rule: Sofa, draw: Callable[[str], Points]) -> Timeline:
    eye, verbal, motor = (patients.vocabulary.variable(name) for name in COMA)
    least, most = (float(bound or 0) for bound in (verbal.plausible.low, verbal.plausible.high))
    # More points than those of eyes and motor and of no word at all: words were counted in.
    worded = float((eye.plausible.high or 0) + (motor.plausible.high or 0)) + least
    total = draw("gcs")
    tube, _ = _ventilated(patients, (INTUBATED,), total)
    more = np.where(tube & (total.high <= worded), total.high + most - least, total.high)
    total = Points(total.person, total.time, total.low, more, total.row)
    by_total = _worst(rule, _scored(total, partial(points_below, rule.coma), falls=True))
    by_parts = _by_parts(patients, rule, [draw(name) for name in COMA], (least, most))
    return (
        combine(_highest, by_total, by_parts)
        if len(by_total) or len(by_parts)
        else Timeline.empty()
    )


def _by_parts(
    patients: Patients, rule: Sofa, parts: Sequence[Points], speech: tuple[float, float]
) -> Timeline:
    """Return the points of the sum of eyes, speech and motor, looked at whenever one of them is charted.

    Who has a tube cannot speak: no word charted then, or no speech at all, is any of `speech`.
    """
    least, most = speech
    silent = parts[1]
    _, tube = _ventilated(patients, (INTUBATED,), silent)
    high = np.where(tube & (silent.low <= least), np.maximum(silent.high, most), silent.high)
    parts = [parts[0], Points(silent.person, silent.time, silent.low, high, silent.row), parts[2]]
    person, time = (
        np.concatenate([getattr(p, name) for p in parts]) for name in ("person", "time")
    )
    at = Points.build(person, time, np.zeros(len(person)))
    valid = patients.vocabulary.variable(COMA[0]).valid.us
    held = [each.hold(valid) for each in parts]
    eye, said, motor = (line.at(at.person, at.time) for line in held)
    known = np.isfinite(eye[0]) & np.isfinite(motor[0])
    low = eye[0] + np.where(np.isfinite(said[0]), said[0], least) + motor[0]
    high = eye[1] + np.where(np.isfinite(said[1]), said[1], most) + motor[1]
    some = np.flatnonzero(known)
    if not len(some):
        return Timeline.empty()
    at, low, high = at.take(some), low[some], high[some]
    rows = []
    for line in held:
        asked, row = line.evidence_at(at.person, at.time)
        of_part = np.full(len(at), -1, np.int64)
        of_part[asked] = row
        rows.append(of_part)
    return _of_several(rule, at, points_below(rule.coma, high), points_below(rule.coma, low), rows)


def _renal(patients: Patients, rule: Sofa, draw: Callable[[str], Points]) -> Timeline:
    """Return the worse of creatinine and urine: what is not known of one of them may be as bad as can be.

    Creatinine that was drawn on renal replacement tells of the machine as well: it may be worth more.
    """
    creatinine = _scored(draw("creatinine"), partial(points_from, rule.creatinine))
    ran = sessions(patients.records, patients.events)
    replaced = ran.courses(kdigo.load().replacement).union(ran.days)
    on = replaced.contains(creatinine.person, creatinine.time)
    creatinine = Points(
        creatinine.person, creatinine.time, creatinine.low, np.where(on, MOST, creatinine.high), creatinine.row
    )  # fmt: skip
    by_urine = _urine(patients, rule, draw)
    by_creatinine = _worst(rule, creatinine)
    return (
        combine(_either_may_be_worse, by_creatinine, by_urine)
        if len(by_creatinine) or len(by_urine)
        else Timeline.empty()
    )


def _either_may_be_worse(creatinine: Pair, urine_: Pair) -> Pair:
    lows, highs = [], []
    for least, most in (creatinine, urine_):
        known = np.isfinite(least)
        lows.append(np.where(known, least, 0.0))
        highs.append(np.where(known, most, MOST))
    low, high = np.maximum(*lows), np.maximum(*highs)
    # Without creatinine, urine of half a day says nothing at all.
    silent = ~np.isfinite(creatinine[0]) & (low <= 0) & (high >= MOST)
    return np.where(silent, -np.inf, low), np.where(silent, np.inf, high)


def _urine(patients: Patients, rule: Sofa, draw: Callable[[str], Points]) -> Timeline:
    """Return the points of the urine of the 24 h before the last volume.

    Where a part of them is not known, what is known is the least that was passed.
    """
    volumes = draw("urine_output")
    if not len(volumes):
        return Timeline.empty()
    rate = urine.flow(
        volumes, urine.begins(patients.records), kdigo.load().urine, refused=urine.unusable(patients.events)
    )  # fmt: skip
    since = volumes.time - DAY
    full = rate.covered(volumes.person, since, volumes.time) == DAY
    low, high = rate.integrate(volumes.person, since, volumes.time)
    day = Points(
        volumes.person, volumes.time, rounded(low), np.where(full, rounded(high), np.inf), volumes.row
    )  # fmt: skip
    return _scored(day, partial(points_below, rule.urine), falls=True).hold(rule.worst_within.us)


class Worst(NamedTuple):
    """The greatest lowest-possible and highest-possible total, and the first moment of the former."""

    low: Floats
    high: Floats
    time: Times


def worst_between(
    lines: Mapping[str, Timeline], person: Persons, start: Times, end: Times
) -> Worst:
    """Return the worst total in each [start, end].

    The total changes only where an item does; the bounds are looked at there and at the start.
    """
    edges_person = np.concatenate([person[:0], *(line.person for line in lines.values())])
    edges_time = np.concatenate([start[:0], *(line.start for line in lines.values())])
    low, high = totals(lines, person, start)
    if not len(edges_time):
        return Worst(low, high, start)
    points = Points.build(edges_person, edges_time, np.zeros(len(edges_time)))
    owner, at = _between(points, person, start, end)
    least, most = totals(lines, person[owner], points.time[at])
    high = high.copy()
    np.maximum.at(high, owner, most)
    whose = np.concatenate((np.arange(len(person)), owner))
    when, total = np.concatenate((start, points.time[at])), np.concatenate((low, least))
    first = np.lexsort((when, -total, whose))
    first = first[firsts(whose[first])]
    return Worst(total[first], high, when[first])


def _between(points: Points, person: Persons, start: Times, end: Times) -> tuple[Times, Times]:
    first, stop = nearest.within(points, person, start, end)
    owner, at = expand(first, stop)
    return owner.astype(np.int64), at.astype(np.int64)
