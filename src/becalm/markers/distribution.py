"""Distributions from measured changes: quantiles that keep what they promise, censored values, CRPS."""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Index
from becalm.markers.model import LEVELS

_ROUNDS: Final = 200
_ENOUGH: Final = 1e-9


def weighted(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return values and their weights, which add up to the number of observations.

    An exact observation is a value of weight 1. One that is only known to lie between two bounds shares its weight
    among the values between them, as those are weighted themselves (self-consistency). Where no value lies between,
    its finite bound becomes one. Source: Turnbull, J R Stat Soc B 1976;38:290-5.

    >>> weighted(np.array([1.0, 2.0, -np.inf]), np.array([1.0, 2.0, 1.5]))
    (array([1., 2.]), array([2., 1.]))
    """
    exact = low == high
    values, each = np.unique(low[exact], return_counts=True)
    counts: Floats = each.astype(np.float64)
    lower, upper = low[~exact], high[~exact]
    told = np.isfinite(lower) | np.isfinite(upper)
    lower, upper = lower[told], upper[told]
    if not len(lower):
        return values, counts
    first, stop = np.searchsorted(values, lower, "left"), np.searchsorted(values, upper, "right")
    alone = first == stop
    if alone.any():
        ends = np.where(np.isfinite(upper[alone]), upper[alone], lower[alone])
        more = np.unique(np.concatenate([values, ends]))
        found = np.zeros(len(more))
        found[np.searchsorted(more, values)] = counts
        values, counts = more, found
        first, stop = np.searchsorted(values, lower, "left"), np.searchsorted(values, upper, "right")  # fmt: skip
    weight = counts + _over(first, stop, np.full(len(first), 1 / len(first)), len(values))
    for _ in range(_ROUNDS):
        mass = np.append(0.0, np.cumsum(weight))
        after = counts + weight * _over(first, stop, 1 / (mass[stop] - mass[first]), len(values))
        if np.abs(after - weight).max() < _ENOUGH:
            break
        weight = after
    return values, weight


def _over(first: Index, stop: Index, what: Floats, n: int) -> Floats:
    """Return, for each of n positions, the sum of `what` over the ranges [first, stop) that contain it."""
    begun = np.bincount(first, what, n + 1) - np.bincount(stop, what, n + 1)
    return np.asarray(np.maximum(np.cumsum(begun)[:n], 0.0), np.float64)


def quantiles(values: Floats, weights: Floats, levels: Floats = LEVELS) -> Floats:
    """Return conformal quantiles: of n exchangeable observations and one more, the next lies beyond with that share at most.

    Below the median it is the observation of rank floor(level * (n + 1)), above it that of rank ceil(level * (n + 1)), and
    the outermost one where there is none of that rank. Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a
    Random World, 2005.

    >>> quantiles(np.arange(1.0, 20.0), np.ones(19), np.array([0.05, 0.5, 0.95]))
    array([ 1., 10., 19.])
    """
    total = weights.sum()
    ranks = np.round(levels * (total + 1), 9)
    ranks = np.where(levels < 0.5, np.floor(ranks), np.where(levels > 0.5, np.ceil(ranks), ranks))
    cumulative = np.round(np.cumsum(weights), 9)
    at = np.searchsorted(cumulative, np.clip(ranks, min(1.0, total), total))
    return np.asarray(values[np.minimum(at, len(values) - 1)], np.float64)


def crps(middle: Floats, spread: Floats, z: Floats, value: Floats) -> Floats:
    """Return the continuous ranked probability score of equally weighted values middle + spread * z; z ascending.

    It is the mean distance of the value from them, less half their mean distance from each other. Source: Gneiting and
    Raftery, J Am Stat Assoc 2007;102:359-78.

    >>> crps(np.zeros(1), np.ones(1), np.zeros(3), np.ones(1))
    array([1.])
    """
    n = len(z)
    apart = float(((2 * np.arange(1, n + 1) - n - 1) * z).sum()) / n**2
    away = np.abs(middle[:, None] + spread[:, None] * z - value[:, None]).mean(axis=1)
    return np.asarray(away - spread * apart, np.float64)


def shares(z: Floats, values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and the highest share of comparable changes at or below z, z itself counted as one of them.

    >>> shares(np.array([0.0, 5.0]), np.arange(1.0, 10.0), np.ones(9))
    (array([0. , 0.4]), array([0.1, 0.6]))
    """
    total = weights.sum() + 1
    below = np.append(0.0, np.cumsum(weights))
    under = below[np.searchsorted(values, z, "left")]
    upto = below[np.searchsorted(values, z, "right")]
    return under / total, (upto + 1) / total
