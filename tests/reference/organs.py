"""SOFA, vasopressors and suspected infection read plainly from the guideline, person by person, in loops.

Draws are (time, value), infusions (start, end, rate) with the rate in µg/kg/min; times in µs. Exact values only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Draw = tuple[float, float]
Run = tuple[float, float, float]
EPS = 1e-9
HOUR = 3_600_000_000
DAY = 24 * HOUR


def worst(draws: Sequence[Draw], at: float, points: dict[int, float], *, below: bool) -> int | None:
    """The most points of the draws of the last 24 h, None without one."""
    found = None
    for hour, value in draws:
        if not at - DAY < hour <= at:
            continue
        score = 0
        for number, bound in points.items():
            if (value < bound - EPS) if below else (value >= bound - EPS):
                score = max(score, number)
        found = score if found is None else max(found, score)
    return found


def coagulation(platelets: Sequence[Draw], at: float) -> int | None:
    return worst(platelets, at, {1: 150, 2: 100, 3: 50, 4: 20}, below=True)


def liver(bilirubin: Sequence[Draw], at: float) -> int | None:
    return worst(bilirubin, at, {1: 1.2, 2: 2, 3: 6, 4: 12}, below=False)


def renal_by_creatinine(creatinine: Sequence[Draw], at: float) -> int | None:
    return worst(creatinine, at, {1: 1.2, 2: 2, 3: 3.5, 4: 5}, below=False)


def cardiovascular(
    pressure: Sequence[Draw], infusions: Mapping[str, Sequence[Run]], at: float
) -> int | None:
    """Pressure below 70 is 1; any dobutamine or dopamine 2; and so on by rate, within the last 24 h."""
    found = worst(pressure, at, {1: 70}, below=True)
    for drug, runs in infusions.items():
        for start, end, rate in runs:
            if rate <= 0 or start > at or end + DAY <= at:
                continue
            if drug == "dobutamine":
                score = 2
            elif drug == "dopamine":
                score = 4 if rate > 15 + EPS else 3 if rate > 5 + EPS else 2
            elif drug in {"epinephrine", "norepinephrine"}:
                score = 4 if rate > 0.1 + EPS else 3
            else:
                continue
            found = score if found is None else max(found, score)
    return found


def equivalent(infusions: Mapping[str, Sequence[Run]], at: float) -> float | None:
    """All vasopressors at a moment as noradrenaline; vasopressin in units/min."""
    factors = {
        "norepinephrine": 1,
        "epinephrine": 1,
        "phenylephrine": 0.1,
        "dopamine": 0.01,
        "vasopressin": 2.5,
    }
    total, any_runs = 0.0, False
    for drug, factor in factors.items():
        for start, end, rate in infusions.get(drug, ()):
            if start <= at < end:
                total, any_runs = total + rate * factor, True
    return total if any_runs else None


Sample = tuple[float, float]
"""The first and the last moment at which a culture may have been taken: one moment, or a day."""


def courses(doses: Sequence[tuple[float, float, str]]) -> list[tuple[float, str]]:
    """Begin and drug of each course: a dose more than 72 h after the last of its drug had ended begins another one."""
    found = []
    for start, until, drug in sorted(doses):
        before = [
            max(s, u) for s, u, other in sorted(doses) if other == drug and (s, u) < (start, until)
        ]
        if not before or start > max(before) + 3 * DAY:
            found.append((start, drug))
    return sorted(set(found))


def suspicions(
    antibiotics: Sequence[tuple[float, str]], cultures: Sequence[Sample]
) -> list[tuple[float, float, float, str]]:
    """Onset, antibiotic, culture and drug: the earliest culture from 72 h before to 24 h after each course."""
    found = []
    for start, drug in antibiotics:
        near = [
            first
            for first, last in sorted(cultures)
            if start - 3 * DAY <= last and first <= start + DAY
        ]
        if near:
            found.append((min(start, near[0]), start, near[0], drug))
    return sorted(found)


# ------------------------------------------------ straight from tables, with what is not known as a range
Range = tuple[float, float]
Between = tuple[float, float, float]
"""(time, lowest, highest) of one minute: two results of one minute are a range."""
LENGTH = DAY
HALF_DAY = 12 * HOUR


def last(draws: Sequence[Between], at: float, within: float) -> Range | None:
    """The last draw that is younger than `within`."""
    young = [(low, high) for time, low, high in draws if at - within < time <= at]
    return young[-1] if young else None


def worse(scores: Sequence[Range]) -> Range | None:
    """The worst of several ranges."""
    return (max(low for low, _ in scores), max(high for _, high in scores)) if scores else None


def during(spans: Sequence[tuple[float, float]], at: float) -> bool:
    return any(start <= at < end for start, end in spans)


def respiration(
    gases: Sequence[Between],
    oxygen: Sequence[Between],
    ventilated: Sequence[tuple[float, float]],
    perhaps: Sequence[tuple[float, float]],
    at: float,
) -> Range | None:
    """PaO2 by the FiO2 of the last 12 h, below 400, 300, 200, 100 mmHg; more than 2 points only ventilated."""

    def points(mmhg: float) -> int:
        return sum(mmhg < bound - EPS for bound in (400, 300, 200, 100))

    scores = []
    for time, low, high in gases:
        if not at - DAY < time <= at:
            continue
        inspired = last(oxygen, time, HALF_DAY)
        if inspired is None:
            continue
        fewest, most = points(100 * high / inspired[0]), points(100 * low / inspired[1])
        if not during(ventilated, time):
            fewest = min(fewest, 2)
            most = most if during(perhaps, time) else min(most, 2)
        scores.append((fewest, most))
    return worse(scores)


def nervous_system(
    eye: Sequence[Between],
    verbal: Sequence[Between],
    motor: Sequence[Between],
    intubated: Sequence[tuple[float, float]],
    at: float,
) -> Range | None:
    """Eyes, speech and motor of 12 h; below 15, 13, 10, 6. No word with a tube can be any speech."""

    def points(sum_: float) -> int:
        return sum(sum_ < bound for bound in (15, 13, 10, 6))

    heard = [
        (time, low, 5.0 if low == 1 and during(intubated, time) else high)
        for time, low, high in verbal
    ]
    scores = []
    for time in sorted({t for t, _, _ in (*eye, *verbal, *motor) if at - DAY < t <= at}):
        eyes, moves = last(eye, time, HALF_DAY), last(motor, time, HALF_DAY)
        if eyes is None or moves is None:
            continue
        said = last(heard, time, HALF_DAY) or (1.0, 5.0)
        scores.append((points(eyes[1] + said[1] + moves[1]), points(eyes[0] + said[0] + moves[0])))
    return worse(scores)


class Urine(NamedTuple):
    """All urine of a person, and the stays in intensive care and in hospital."""

    volumes: Sequence[Draw]
    care: Sequence[tuple[float, float]]
    admitted: Sequence[tuple[float, float]]


def urine_of_day(urine: Urine, end: float) -> tuple[float, bool]:
    """What is known to have been passed in the 24 h to `end`, and whether that is all of it.

    A volume was passed since the one before it, or since the stay began, at most a day before.
    """
    total, seen, before = 0.0, 0.0, None
    for time, ml in urine.volumes:
        inside = [start for start, stop in urine.care if start < time <= stop] or [
            start for start, stop in urine.admitted if start < time <= stop
        ]
        starts = [t for t in (before, *inside[-1:]) if t is not None and time - t <= DAY]
        before = time
        if not starts or max(starts) >= time:
            continue
        since = max(starts)
        part = min(time, end) - max(since, end - DAY)
        if part > 0:
            total, seen = total + ml * part / (time - since), seen + part
    return total, seen == DAY


def renal(
    creatinine: Sequence[Between],
    replaced: Sequence[tuple[float, float]],
    urine: Urine,
    at: float,
) -> Range | None:
    """The worse of creatinine (1.2, 2, 3.5, 5 mg/dL) and of the urine of 24 h (below 500 mL: 3, below 200: 4)."""

    def by_creatinine(mg_dl: float) -> int:
        return sum(mg_dl >= bound - EPS for bound in (1.2, 2, 3.5, 5))

    def by_urine(ml: float) -> int:
        return 4 if ml < 200 - 1e-6 else 3 if ml < 500 - 1e-6 else 0

    blood = worse(
        [
            (by_creatinine(low), 4 if during(replaced, time) else by_creatinine(high))
            for time, low, high in creatinine
            if at - DAY < time <= at
        ]
    )
    passed: Range | None = None
    charted = [time for time, _ in urine.volumes if at - DAY < time <= at]
    if charted:
        ml, whole = urine_of_day(urine, charted[-1])
        passed = (by_urine(ml) if whole else 0, by_urine(ml))
    arms = (blood or (0, 4), passed or (0, 4))
    both = max(low for low, _ in arms), max(high for _, high in arms)
    return None if blood is None and both == (0, 4) else both
