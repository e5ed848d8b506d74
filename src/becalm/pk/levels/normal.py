"""The normal distribution for arrays, from the error function of the standard library."""

from __future__ import annotations

from math import erfc
from statistics import NormalDist
from typing import Final

import numpy as np

from becalm.core.arrays import Floats

_ERFC: Final = np.frompyfunc(erfc, 1, 1)
_ROOT_HALF: Final = 0.7071067811865476
_DEEP: Final = -35.0
"""Below this the complementary error function is too small a number; the asymptotic series is exact enough there."""
_HALF_LOG_TWO_PI: Final = 0.9189385332046727
_WORST: Final = 1e-12


def below(x: Floats) -> Floats:
    """Return the probability that a standard normal number lies below each x.

    >>> below(np.array([0.0, 1.959963985])).round(6).tolist()
    [0.5, 0.975]
    """
    found: Floats = 0.5 * np.asarray(_ERFC(-_ROOT_HALF * np.asarray(x, np.float64)), np.float64)
    return found


def log_below(x: Floats) -> Floats:
    """Return the logarithm of `below`, also far in the lower tail.

    >>> log_below(np.array([-40.0])).round(3).tolist()
    [-804.608]
    """
    x = np.asarray(x, np.float64)
    deep = x < _DEEP
    shallow = np.log(below(np.where(deep, 0.0, x)))
    far = np.where(deep, x, _DEEP)
    tail = -0.5 * far**2 - np.log(-far) - _HALF_LOG_TWO_PI + np.log1p(-1 / far**2)
    found: Floats = np.where(deep, tail, shallow)
    return found


def quantile(share: float) -> float:
    """Return the standard normal number that a share lies below; the share is kept off 0 and 1.

    >>> round(quantile(0.975), 3)
    1.96
    """
    return NormalDist().inv_cdf(min(max(share, _WORST), 1 - _WORST))
