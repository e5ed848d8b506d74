"""What levels say of a patient the slow, obvious way: one compartment, sums over a grid, and a plain particle filter.

The clearance is typical × exp(deviation), the volume is typical × exp(deviation); a level is the concentration times
exp(error). One compartment: the concentration falls by exp(-clearance / volume × hours), and an infusion adds
rate / clearance × what has not fallen.
"""

from itertools import pairwise
from math import erf, exp, inf, log, log1p, sqrt
from typing import NamedTuple

import numpy as np


class Given(NamedTuple):
    hours: float
    mg: float
    over: float


class Patient(NamedTuple):
    """Typical clearance by hour (from each hour on), typical volume, spreads, the walk in a day, the error of a level."""

    clearance: list[tuple[float, float]]
    volume: float
    spread_clearance: float
    spread_volume: float
    walk: float
    share: float
    added: float


def typical_clearance(patient: Patient, hour: float) -> float:
    return [value for begin, value in patient.clearance if begin <= hour + 1e-9][-1]


def rate_at(doses: list[Given], hour: float) -> float:
    return sum(d.mg / d.over for d in doses if d.hours <= hour + 1e-9 < d.hours + d.over - 1e-9)


def borders(patient: Patient, doses: list[Given], until: float, step: float) -> list[float]:
    times = {0.0, until, *(begin for begin, _ in patient.clearance)}
    times |= {d.hours for d in doses} | {d.hours + d.over for d in doses}
    times |= {n * step for n in range(int(until / step) + 1)}
    return sorted(t for t in times if 0 <= t <= until)


def error_spread(patient: Patient, level: float) -> float:
    return sqrt(log1p(patient.share**2 + (patient.added / level) ** 2))


def below(x: float) -> float:
    return 0.5 * (1 + erf(x / sqrt(2)))


def likelihood(patient: Patient, low: float, high: float, level: float) -> float:
    spread = error_spread(patient, level)
    if low == high:
        return exp(-0.5 * ((log(low) - log(level)) / spread) ** 2) / spread
    upper = 1.0 if high == inf else below((log(high) - log(level)) / spread)
    lower = 0.0 if low <= 0 else below((log(low) - log(level)) / spread)
    return upper - lower


def static_posterior(
    patient: Patient,
    doses: list[Given],
    levels: list[tuple[float, float, float]],
    points: int = 161,
) -> tuple[float, float, float]:
    """Return mean and standard deviation of the deviation of clearance, and the mean of that of volume, by a grid."""
    width = np.linspace(-5, 5, points)
    total = mean = square = volume_mean = 0.0
    for a in width:
        for b in width:
            weight = exp(-0.5 * (a * a + b * b))
            eta, volume = (
                a * patient.spread_clearance,
                patient.volume * exp(b * patient.spread_volume),
            )
            for hours, low, high in levels:
                weight *= likelihood(patient, low, high, at(patient, doses, eta, volume, hours))
            total += weight
            mean += weight * eta
            square += weight * eta * eta
            volume_mean += weight * b * patient.spread_volume
    mean /= total
    return mean, sqrt(square / total - mean**2), volume_mean / total


def at(patient: Patient, doses: list[Given], eta: float, volume: float, hours: float) -> float:
    times = borders(patient, doses, hours, max(hours, 1e-9))
    level = 0.0
    for begin, end in pairwise(times):
        cl = typical_clearance(patient, begin) * exp(eta)
        left = exp(-cl / volume * (end - begin))
        level = level * left + rate_at(doses, begin) / cl * (1 - left)
    return level


def filtered(
    patient: Patient,
    doses: list[Given],
    levels: list[tuple[float, float, float]],
    *,
    particles: int = 200_000,
    step: float = 12.0,
    seed: int = 1,
) -> tuple[list[tuple[float, ...]], tuple[float, float]]:
    """Return 5 %, median and 95 % of each true concentration before its level is known, and mean and SD of the deviation
    of clearance after the last level. Every particle is weighted by every level; none is drawn anew.
    """
    rng = np.random.default_rng(seed)
    eta = rng.normal(0, patient.spread_clearance, particles)
    volume = patient.volume * np.exp(rng.normal(0, patient.spread_volume, particles))
    level, weight = np.zeros(particles), np.ones(particles)
    until = max(hours for hours, _, _ in levels)
    times = sorted({*borders(patient, doses, until, step), *(hours for hours, _, _ in levels)})
    before = []
    for begin, end in pairwise(times):
        if begin > 0 and abs(begin / step - round(begin / step)) < 1e-9:
            eta = eta + rng.normal(0, patient.walk * sqrt(step / 24), particles)
        cl = typical_clearance(patient, begin) * np.exp(eta)
        left = np.exp(-cl / volume * (end - begin))
        level = level * left + rate_at(doses, begin) / cl * (1 - left)
        for hours, low, high in levels:
            if hours == end:
                order = np.argsort(level)
                share = np.cumsum(weight[order]) / weight.sum()
                before.append(
                    tuple(float(level[order][np.searchsorted(share, q)]) for q in (0.05, 0.5, 0.95))
                )
                weight = weight * np.array([likelihood(patient, low, high, x) for x in level])
    mean = float((weight * eta).sum() / weight.sum())
    return before, (mean, sqrt(float((weight * eta**2).sum() / weight.sum()) - mean**2))
