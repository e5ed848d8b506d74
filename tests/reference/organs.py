"""SOFA, vasopressors and suspected infection read plainly from the guideline, person by person, in loops.

Draws are (time, value), infusions (start, end, rate) with the rate in µg/kg/min; times in µs. Exact values only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def suspicions(
    antibiotics: Sequence[tuple[float, str]], cultures: Sequence[float]
) -> list[tuple[float, float, float, str]]:
    """Onset, antibiotic, culture and drug: the earliest culture from 72 h before to 24 h after each course."""
    found = []
    for start, drug in antibiotics:
        near = [hour for hour in sorted(cultures) if start - 3 * DAY <= hour <= start + DAY]
        if near:
            found.append((min(start, near[0]), start, near[0], drug))
    return sorted(found)
