"""What so many persons or events can show: exact power, and nothing of what was observed.

A difference that a study would probably have missed is no sign that there is none. All of this is exact
for small numbers: Fisher's test for two groups, the binomial test for the share of events in one of two
groups. Where the product of the two groups' sizes is above `EXACT_UP_TO`, the normal approximation is used.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Mask

EXACT_UP_TO: Final = 400 * 400
"""Up to so many possible pairs of results the power of two groups is exact, else about so."""
MOST_EVENTS: Final = 5000
"""No answer is sought with more events than this."""
_TIES: Final = 1 + 1e-7
"""Outcomes whose probabilities differ by less than this count as equally probable."""


def power_of_two_groups(n: int, other_n: int, share: float, other: float, error: float) -> float:
    """Return the probability that two groups differ by Fisher's exact two-sided test.

    n, other_n : persons in each group. share, other : the true probability of a yes in each. error : the
    p-value below which they differ, such as 0.05. Source: Fisher, J R Stat Soc 1935;98:39-82.

    >>> [round(power_of_two_groups(n, n, 0.8, 0.5, 0.05), 2) for n in (5, 20, 50)]
    [0.07, 0.41, 0.85]
    """
    if n * other_n > EXACT_UP_TO:
        return _about(n, other_n, share, other, error)
    first, second = _binomial(n, share), _binomial(other_n, other)
    return float((np.outer(first, second) * _differs(n, other_n, error)).sum())


def smallest_share_seen(
    n: int, other_n: int, other: float, error: float, probability: float
) -> float | None:
    """Return the smallest true share above `other` that is seen with a probability; None if none is.

    n : persons with the treatment. other_n, other : persons without it, and the share among them.

    >>> smallest_share_seen(5, 41, 0.68, 0.05, 0.8) is None
    True
    >>> round(smallest_share_seen(50, 50, 0.5, 0.05, 0.8), 2)
    0.78
    """

    def power(share: float) -> float:
        return power_of_two_groups(n, other_n, share, other, error)

    if not n or not other_n or power(1.0) < probability:
        return None
    low, high = other, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle) < probability else (low, middle)
    return high


def events_needed(ratio: float, error: float, probability: float) -> int | None:
    """Return the fewest events with which a ratio of two rates is seen with a probability.

    Both groups have the same time at risk, so that of all events a share of ratio / (1 + ratio) is in the
    first; it is compared with one half by the exact two-sided binomial test. None if the ratio is 1, or
    if it takes more than `MOST_EVENTS`. Source: Przyborowski and Wilenski, Biometrika 1940;31:313-23.

    >>> [events_needed(ratio, 0.05, 0.8) for ratio in (2, 3, 4)]
    [72, 30, 20]
    """
    share = ratio / (1 + ratio)
    if share == 0.5:
        return None
    for events in range(fewest_events(error), MOST_EVENTS + 1):
        least = _least_seen(events, error)
        chances = _binomial(events, share)
        if float(chances[least:].sum() + chances[: events - least + 1].sum()) >= probability:
            return events
    return None


def fewest_events(error: float) -> int:
    """Return the fewest events with which any ratio at all can be seen.

    Where all events are in one of two groups with the same time at risk, the exact two-sided p-value is
    2 x 0.5 ^ events; with fewer events it is never below `error`, whatever the true ratio is.

    >>> fewest_events(0.05)
    6
    """
    return math.floor(math.log2(2 / error)) + 1


@lru_cache(maxsize=4096)
def _least_seen(events: int, error: float) -> int:
    """Return the fewest events in one group with a two-sided p-value below `error`."""
    upper = np.cumsum(_binomial(events, 0.5)[::-1])  # P(X >= events), P(X >= events - 1), ...
    return events + 1 - int(np.searchsorted(2 * upper, error, side="left"))


def _binomial(n: int, share: float) -> Floats:
    """Return the probabilities of 0 to n yeses."""
    k = np.arange(n + 1)
    if share in {0.0, 1.0}:
        return np.asarray(k == n * round(share), np.float64)
    logs = _log_choose(n) + k * math.log(share) + (n - k) * math.log1p(-share)
    return np.asarray(np.exp(logs), np.float64)


def _log_choose(n: int) -> Floats:
    """Return log(n choose k) for k from 0 to n."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return np.asarray(logs[n] - logs - logs[::-1], np.float64)


@lru_cache(maxsize=16)
def _differs(n: int, other_n: int, error: float) -> Mask:
    """Return, for each number of yeses in both groups, whether Fisher's test is below `error`."""
    seen = np.zeros((n + 1, other_n + 1), np.bool_)
    first, second = _log_choose(n), _log_choose(other_n)
    for total in range(n + other_n + 1):
        a = np.arange(max(0, total - other_n), min(n, total) + 1)
        weights = first[a] + second[total - a]
        chances = np.exp(weights - weights.max())
        chances /= chances.sum()
        order = np.sort(chances)
        upto = np.searchsorted(order, chances * _TIES, side="right")
        seen[a, total - a] = np.concatenate([[0.0], np.cumsum(order)])[upto] < error
    return seen


def _about(n: int, other_n: int, share: float, other: float, error: float) -> float:
    """Return the power of a comparison of two large groups; source: Fleiss, Statistical Methods, 1981."""
    normal = NormalDist()
    both = (n * share + other_n * other) / (n + other_n)
    null = math.sqrt(both * (1 - both) * (1 / n + 1 / other_n))
    true = math.sqrt(share * (1 - share) / n + other * (1 - other) / other_n)
    away = abs(share - other) - normal.inv_cdf(1 - error / 2) * null
    return normal.cdf(away / true) if true else float(away > 0)
