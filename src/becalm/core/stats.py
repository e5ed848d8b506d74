"""Exact confidence intervals, and summaries that are valid for few patients.

Proportions have Clopper-Pearson intervals, rates exact Poisson intervals. Both come from the exact
distribution, so their coverage is never below the nominal 95 %. Below ten values there is no standard
deviation; below six pairs no exact test can reach p < 0.05, and becalm prints no p-value.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

SD_FROM: Final = 10
"""Fewest values for which a standard deviation is shown."""
TEST_FROM: Final = 6
"""Fewest pairs with which an exact two-sided sign test can fall below 0.05 (2 * 0.5 ** 6 = 0.031)."""

AUC_FROM: Final = 30
"""Fewest patients for an area under the curve; with fewer, values are only described."""
KAPPA_FROM: Final = 30
"""Fewest pairs for the interval of Cohen's kappa, which is that of a large sample."""
Z_95: Final = 1.959963984540054

Interval = tuple[float, float]


@lru_cache(maxsize=4096)
def proportion(events: int, n: int, level: float = 0.95) -> Interval | None:
    """Return the Clopper-Pearson interval of `events` out of `n`, as fractions; None when n is 0.

    Source: Clopper and Pearson, Biometrika 1934;26:404-13.
    """
    if not 0 <= events <= n:
        raise ValueError(f"{events} of {n} is not a proportion")
    if n == 0:
        return None
    tail = (1 - level) / 2
    below = _binomial_at_most(events - 1, n) if events else None
    upto = _binomial_at_most(events, n) if events < n else None
    low = _solve(lambda p: below(p) - (1 - tail), 0.0, 1.0) if below else 0.0
    high = _solve(lambda p: upto(p) - tail, 0.0, 1.0) if upto else 1.0
    return low, high


@lru_cache(maxsize=4096)
def rate(events: int, exposure: float, level: float = 0.95) -> Interval | None:
    """Return the exact Poisson interval of `events` per unit of `exposure`; None without exposure.

    Source: Garwood, Biometrika 1936;28:437-42.
    """
    if events < 0:
        raise ValueError(f"{events} is not a number of events: it is negative")
    if not exposure > 0:
        return None
    tail = (1 - level) / 2
    most = events + 10 * math.sqrt(events + 1) + 30
    below = _poisson_at_most(events - 1) if events else None
    upto = _poisson_at_most(events)
    low = _solve(lambda m: below(m) - (1 - tail), 0.0, most) if below else 0.0
    high = _solve(lambda m: upto(m) - tail, 0.0, most)
    return low / exposure, high / exposure


def rate_ratio(
    events: int, exposure: float, other_events: int, other_exposure: float
) -> Interval | None:
    """Return the exact 95 % interval of the ratio of two Poisson rates; None if nothing can be said.

    Of all events, those in the first group are binomial, with a share that depends on the ratio alone
    (conditional interval). The upper end is infinite where the other group has no events. Source:
    Przyborowski and Wilenski, Biometrika 1940;31:313-23.

    >>> tuple(round(end, 2) for end in rate_ratio(10, 100.0, 5, 100.0))
    (0.62, 7.46)
    """
    total = events + other_events
    if not total or not exposure > 0 or not other_exposure > 0:
        return None
    share = proportion(events, total)
    if share is None:
        return None
    low, high = (math.inf if p == 1 else p / (1 - p) for p in share)
    return low * other_exposure / exposure, high * other_exposure / exposure


def t_quantile(freedom: int, level: float = 0.95) -> float:
    """Return the t with which a mean of `freedom` degrees has a two-sided interval of `level`.

    The distribution of a whole number of degrees is a finite sum. Source: Abramowitz and Stegun, Handbook of
    Mathematical Functions, 26.7.3 and 26.7.4.

    >>> round(t_quantile(1), 3), round(t_quantile(10), 3)
    (12.706, 2.228)
    """
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom leave nothing to estimate an error from")

    def beyond(angle: float) -> float:
        return level - _t_inside(angle, freedom)

    return math.sqrt(freedom) * math.tan(_solve(beyond, 0.0, math.pi / 2))


def _t_inside(angle: float, freedom: int) -> float:
    """Return the probability within ±t, for the angle whose tangent is t / sqrt(freedom)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term, total = (cosine, 0.0) if odd else (1.0, 1.0)
    if odd:
        total = cosine if freedom > 1 else 0.0
        for k in range(3, freedom - 1, 2):
            term *= cosine**2 * (k - 1) / k
            total += term
        return 2 / math.pi * (angle + sine * total)
    for k in range(2, freedom - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return sine * total


def _log_factorials(upto: int) -> npt.NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, upto + 1)))])


def _binomial_at_most(k: int, n: int) -> Callable[[float], float]:
    """Return p -> P(X <= k) for X ~ Binomial(n, p), which decreases with p."""
    i = np.arange(k + 1)
    logs = _log_factorials(n)
    choose = logs[n] - logs[i] - logs[n - i]

    def tail(p: float) -> float:
        if p in {0.0, 1.0}:
            return 1.0 - p
        terms = choose + i * math.log(p) + (n - i) * math.log1p(-p)
        return float(np.exp(terms).sum())

    return tail


def _poisson_at_most(k: int) -> Callable[[float], float]:
    """Return m -> P(X <= k) for X ~ Poisson(m), which decreases with m."""
    i = np.arange(k + 1)
    logs = _log_factorials(k)

    def tail(m: float) -> float:
        return 1.0 if m == 0 else float(np.exp(i * math.log(m) - m - logs).sum())

    return tail


def _solve(falling: Callable[[float], float], low: float, high: float) -> float:
    """Return the zero of a decreasing function, by bisection to the precision of a float."""
    while True:
        middle = (low + high) / 2
        if not low < middle < high:
            return middle
        if falling(middle) > 0:
            low = middle
        else:
            high = middle


def cohen_kappa(table: npt.ArrayLike) -> tuple[float | None, Interval | None]:
    """Return Cohen's kappa of a square table of counts, rows and columns the same answers, with its 95 % interval.

    The interval is that of a large sample (Fleiss, Cohen and Everitt, Psychol Bull 1969;72:323-7). kappa is None
    where it has no meaning: nobody is counted, or one of the two gave everybody the same answer, so that kappa
    is 0 or undefined in any case. The interval is None if its width is 0, as when all agree. Source: Cohen, Educ
    Psychol Meas 1960;20:37-46.

    >>> value, interval = cohen_kappa([[20, 5], [10, 15]])
    >>> round(value, 2), [round(end, 2) for end in interval]
    (0.4, [0.15, 0.65])
    """
    counts = np.asarray(table, np.float64)
    n = float(counts.sum())
    if not n:
        return None, None
    cells = counts / n
    rows, columns = cells.sum(axis=1), cells.sum(axis=0)
    if np.count_nonzero(rows) < 2 or np.count_nonzero(columns) < 2:
        return None, None
    chance = float(rows @ columns)
    value = (float(np.trace(cells)) - chance) / (1 - chance)
    same = np.eye(len(cells), dtype=np.bool_)
    both = columns[:, None] + rows[None, :]
    agreed = float((cells * (1 - both * (1 - value)) ** 2)[same].sum())
    apart = (1 - value) ** 2 * float((cells * both**2)[~same].sum())
    variance = agreed + apart - (value - chance * (1 - value)) ** 2
    width = Z_95 * math.sqrt(max(0.0, variance)) / (1 - chance) / math.sqrt(n)
    if math.isclose(width, 0.0, abs_tol=1e-6):
        return value, None
    return value, (max(-1.0, value - width), min(1.0, value + width))


Bounds = tuple[float, float]
"""Lowest and highest possible value: equal where it is known."""


def auc(higher: Sequence[Bounds], lower: Sequence[Bounds]) -> Interval | None:
    """Return the probability that a value of `higher` exceeds a value of `lower`; a tie counts half.

    This is the Mann-Whitney statistic as an area under the curve, lowest and highest possible: where
    only limits of two values are known, either may be the greater. None if one side has no values.

    >>> auc([(3, 3), (2, 2)], [(1, 1), (2, 2)])
    (0.875, 0.875)
    """
    if not higher or not lower:
        return None
    a, b = (np.array(side, np.float64) for side in (higher, lower))
    return _share_above(a[:, 0], b[:, 1]), _share_above(a[:, 1], b[:, 0])


def _share_above(of: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> float:
    """Return the share of all pairs in which the first is the greater; a tie counts half."""
    ordered = np.sort(others)
    below, up_to = (np.searchsorted(ordered, of, side) for side in ("left", "right"))
    return float(int(below.sum()) + int(up_to.sum())) / (2 * len(of) * len(others))


def auc_error(area: float, higher: int, lower: int) -> float:
    """Return the standard error of an area under the curve.

    Source: Hanley and McNeil, Radiology 1982;143:29-36.
    """
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area)
    spread += (higher - 1) * (first - area**2) + (lower - 1) * (second - area**2)
    return math.sqrt(max(spread, 0.0) / (higher * lower))


def auc_interval(area: float, higher: int, lower: int) -> Interval:
    """Return the 95 % interval of an area: all areas from which it differs by at most 1.96 errors.

    The error is computed at each candidate area: at the observed area it would be 0 where that is 1. Source: Newcombe, Stat Med 2006;25:559-73.
    """

    def away(candidate: float, sign: float) -> float:
        return sign * (area - candidate) - Z_95 * auc_error(candidate, higher, lower)

    low = 0.0 if area == 0 else _solve(lambda c: away(c, 1.0), 0.0, area)
    high = 1.0 if area == 1 else 1 - _solve(lambda c: away(1 - c, -1.0), 0.0, 1 - area)
    return low, high


@dataclass(frozen=True)
class Summary:
    """Summary of the known values; `sd` is None below ten values, where it would mislead."""

    n: int
    median: float
    minimum: float
    maximum: float
    mean: float
    sd: float | None


def summary(values: Sequence[float]) -> Summary | None:
    """Return the median and range of the known values (NaN is left out); None without any."""
    known = sorted(float(v) for v in values if not math.isnan(v))
    if not known:
        return None
    mean = math.fsum(known) / len(known)
    sd = math.sqrt(math.fsum((v - mean) ** 2 for v in known) / max(len(known) - 1, 1))
    return Summary(
        n=len(known),
        median=statistics.median(known),
        minimum=known[0],
        maximum=known[-1],
        mean=mean,
        sd=sd if len(known) >= SD_FROM else None,
    )


def quartiles(values: Sequence[float]) -> Interval | None:
    """Return the first and third quartile (linear interpolation); None below ten known values."""
    known = [float(v) for v in values if not math.isnan(v)]
    if len(known) < SD_FROM:
        return None
    first, third = np.percentile(known, [25, 75])
    return float(first), float(third)


def smallest_sign_p(pairs: int) -> float:
    """Return the smallest two-sided p that an exact sign test of so many pairs can give."""
    return min(1.0, 2 * 0.5**pairs)
