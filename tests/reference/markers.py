"""The next value of a marker, one pair at a time, by the definitions of a textbook."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def crps(sample: Sequence[float], value: float) -> float:
    """Return the area between the distribution function of a sample, squared, and the step at the value."""
    edges = sorted({*sample, value})
    area = 0.0
    for left, right in pairwise(edges):
        middle = (left + right) / 2
        share = sum(each <= middle for each in sample) / len(sample)
        area += (share - (1.0 if value <= middle else 0.0)) ** 2 * (right - left)
    return area


def quantile(sample: Sequence[float], level: float) -> float:
    """Return the conformal quantile of a sample of equal weights, below or above the median."""
    ordered, n = sorted(sample), len(sample)
    rank = round(level * (n + 1), 9)
    rank = math.floor(rank) if level < 0.5 else math.ceil(rank)
    return ordered[min(max(rank, 1), n) - 1]


def pairs(draws: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return (hour of the last value, hour of the next) of one person's draws; draws are (hour, value)."""
    hours = sorted(hour for hour, _ in draws)
    if not hours:
        return []
    found, at = [], hours[0]
    while later := [hour for hour in hours if hour - at >= 18]:
        if later[0] - at <= 84:
            found.append((at, later[0]))
        at = later[0]
    return found


def slope(draws: Sequence[tuple[float, float]], hour: float) -> float:
    """Return the change of the logarithm in a day from the latest draw 12 to 96 h before; NaN without one."""
    values = dict(draws)
    before = [each for each in values if 12 <= hour - each <= 96]
    if not before:
        return math.nan
    earlier = max(before)
    return 24 * (math.log(values[hour]) - math.log(values[earlier])) / (hour - earlier)
