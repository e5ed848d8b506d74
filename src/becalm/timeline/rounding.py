"""Differences and ratios without the rounding errors of binary numbers."""

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import Floats, Pair

_TOO_COARSE = 2.0**43
"""Above this a float64 has fewer than nine decimals."""


def rounded(x: ArrayLike) -> Floats:
    """Round to 9 decimals, before a difference or a ratio is compared with a limit.

    A creatinine that rises from 2.0 to 2.3 mg/dL has risen by 0.3, which is a criterion of KDIGO;
    as binary numbers, 2.3 - 2.0 is less than 0.3.
    """
    value = np.asarray(x, dtype=np.float64)
    small = np.abs(value) < _TOO_COARSE
    result: Floats = np.where(small, np.round(np.where(small, value, 0.0), 9), value)
    return result


def difference(a: Pair, b: Pair) -> Pair:
    """Return the lowest and highest possible `a - b`, rounded; for `combine`."""
    if a[0] is a[1] and b[0] is b[1]:
        exact = rounded(a[0] - b[0])
        return exact, exact
    return rounded(a[0] - b[1]), rounded(a[1] - b[0])


def ratio(a: Pair, b: Pair) -> Pair:
    """Return the lowest and highest possible `a / b`, rounded; neither may be negative.

    Where `a` or `b` is unknown the ratio is unknown; where `b` may be 0 it has no upper bound.
    """
    unknown = (a[0] == -np.inf) | (b[0] == -np.inf)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, high = a[0] / b[1], a[1] / b[0]
    low = np.where(unknown, -np.inf, np.where(np.isfinite(low), low, 0.0))
    high = np.where(unknown | ~np.isfinite(high), np.inf, high)
    return rounded(low), rounded(high)
