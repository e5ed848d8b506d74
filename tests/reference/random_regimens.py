"""Many random regimens at once, and what they do by a matrix exponential that takes all of them together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.linalg


class RandomRegimens(NamedTuple):
    """Numbers of each regimen and interval: [regimen, interval]. constants : five, 1/h."""

    constants: tuple[Any, ...]
    hours: Any
    rate: Any
    bolus: Any
    depot: Any


def random_regimens(count: int, intervals: int, seed: int) -> RandomRegimens:
    """Two compartments, two depots, infusions, boluses, doses under the skin, a clearance that changes in steps.

    Some clearances are 0, some rate constants are equal, some drugs have one compartment, some steps last no time.
    """
    rng = np.random.default_rng(seed)
    shape = (count, intervals)
    one = (count, 1)
    elimination = np.exp(rng.normal(-1, 1, one)) * np.exp(rng.normal(0, 0.8, shape))
    elimination = np.where(rng.random(shape) < 0.1, 0.0, elimination)
    outward = np.where(rng.random(one) < 0.2, 0.0, np.exp(rng.normal(-0.5, 1, one)))
    inward = np.where(outward == 0, 0.0, np.exp(rng.normal(-0.5, 1, one)))
    last = np.exp(rng.normal(-1, 0.7, one))
    before = np.where(rng.random(one) < 0.2, last, np.exp(rng.normal(-1, 0.7, one)))
    constants = tuple(np.broadcast_to(each, shape).copy() for each in (elimination, outward, inward, last, before))  # fmt: skip
    hours = np.where(rng.random(shape) < 0.05, 0.0, np.exp(rng.normal(1, 1, shape)))
    rate = np.where(rng.random(shape) < 0.5, 0.0, np.exp(rng.normal(1, 1, shape)))
    bolus = np.where(rng.random(shape) < 0.7, 0.0, rng.uniform(1, 200, shape))
    depot = np.where(rng.random(shape) < 0.7, 0.0, rng.uniform(1, 200, shape))
    bolus[:, 0] += 10.0
    return RandomRegimens(constants, hours, rate, bolus, depot)


def by_batched_matrix(drawn: RandomRegimens) -> tuple[Any, Any]:
    """Return the amounts [regimen, interval, compartment] at the end of each interval, and the areas so far."""
    count, intervals = drawn.hours.shape
    now = np.zeros((count, 6))
    now[:, 5] = 1.0
    amounts, areas = [], []
    for j in range(intervals):
        k, out, back, ka, kb = (each[:, j] for each in drawn.constants)
        a = np.zeros((count, 6, 6))
        a[:, 0, 0], a[:, 0, 1], a[:, 0, 2], a[:, 0, 5] = -(k + out), back, ka, drawn.rate[:, j]
        a[:, 1, 0], a[:, 1, 1] = out, -back
        a[:, 2, 2], a[:, 2, 3], a[:, 3, 3], a[:, 4, 0] = -ka, kb, -kb, 1.0
        now[:, 0] += drawn.bolus[:, j]
        now[:, 3] += drawn.depot[:, j]
        power = scipy.linalg.expm(a * drawn.hours[:, j, None, None])
        now = np.einsum("nij,nj->ni", power, now)
        amounts.append(now[:, :4].copy())
        areas.append(now[:, 4].copy())
    return np.stack(amounts, axis=1), np.stack(areas, axis=1)
