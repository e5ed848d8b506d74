"""Differences and ratios that mean in binary what they mean on paper."""

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import Floats, Pair

_TOO_COARSE = 2.0**43
"""From here on a float64 carries fewer than nine decimals anyway."""


def rounded(x: ArrayLike) -> Floats:
    """Round to 9 decimals, for a difference or a ratio about to be compared.

    A creatinine that rises from 2.0 to 2.3 mg/dL has risen by 0.3, and KDIGO turns on it; in
    binary 2.3 - 2.0 is less than 0.3.
    """
    value = np.asarray(x, dtype=np.float64)
    small = np.abs(value) < _TOO_COARSE
    result: Floats = np.where(small, np.round(np.where(small, value, 0.0), 9), value)
    return result


def difference(a: Pair, b: Pair) -> Pair:
    """`a - b` at its lowest and highest possible, rounded; made for `combine`."""
    if a[0] is a[1] and b[0] is b[1]:
        exact = rounded(a[0] - b[0])
        return exact, exact
    return rounded(a[0] - b[1]), rounded(a[1] - b[0])


def ratio(a: Pair, b: Pair) -> Pair:
    """`a / b` of quantities that cannot be negative, at its lowest and highest, rounded.

    Unknown over anything, and anything over unknown, is unknown; over zero there is no upper
    bound.
    """
    unknown = (a[0] == -np.inf) | (b[0] == -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = a[0] / b[1], a[1] / b[0]
    low = np.where(unknown, -np.inf, np.where(np.isfinite(low), low, 0.0))
    high = np.where(unknown | ~np.isfinite(high), np.inf, high)
    return rounded(low), rounded(high)
