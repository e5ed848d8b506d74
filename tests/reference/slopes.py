"""A line through logarithms, fitted by NumPy, with its interval by SciPy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats


def percent_per_day(draws: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Change in per cent for each day and its interval; draws are (hour, value)."""
    days = np.array([hour / 24 for hour, _ in draws])
    logs = np.array([math.log(value) for _, value in draws])
    fit = stats.linregress(days, logs)
    if len(draws) == 2:
        return 100 * math.expm1(fit.slope), math.nan, math.nan
    half = stats.t.ppf(0.975, len(draws) - 2) * fit.stderr
    low, high = fit.slope - half, fit.slope + half
    return tuple(100 * math.expm1(each) for each in (fit.slope, low, high))  # type: ignore[return-value]
