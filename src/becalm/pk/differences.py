"""Divided differences of the exponential function, also where their points are close together or equal.

Every solution of linear compartments is a sum of these, with factors that are not negative. So one function
handles equal rate constants, a clearance of zero and very short times: no formula divides by a difference of
rate constants, and nothing is subtracted from a number of its own size.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import Floats, Mask

_CLOSE: Final = 2.0
"""Points within this distance are summed as a series about their middle, others by the recursion."""
_TERMS: Final = 24
"""Terms of the series: with points within 1 of the middle, the rest is below 1e-22 of the sum."""


def exp_difference(*points: ArrayLike) -> Floats:
    """Return the divided difference of the exponential function over some points, for arrays of points.

    points : numbers without unit, none above a few hundred; arrays are broadcast. Of one point it is
    exp(x), of two (exp(x) - exp(y)) / (x - y), of equal points exp(x) / (number of points - 1)!.

    The relative error is some 1e-15, and what a point's own rounding does: exp(x) has the absolute error of x.

    References
    ----------
    McCurdy A, Ng KC, Parlett BN. Accurate computation of divided differences of the exponential function.
    Math Comp 1984;43:501-28.

    >>> float(exp_difference(0.0, 0.0, 0.0))
    0.5
    >>> round(float(exp_difference(-1.0, -2.0)), 6), round(float(exp_difference(-1.0, -1.0 - 1e-12)), 6)
    (0.232544, 0.367879)
    """
    given = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in points))
    shape = given[0].shape
    x: Floats = np.sort(np.stack([each.ravel() for each in given]), axis=0)
    found: Floats = _between(x).reshape(shape)
    return found


def _between(x: Floats) -> Floats:
    """Return the difference over the rows of `x`, which ascend; one column is one question."""
    if len(x) == 1:
        alone: Floats = np.exp(x[0])
        return alone
    spread = x[-1] - x[0]
    close: Mask = spread <= _CLOSE
    if close.all():
        return _series(x)
    found = np.empty(x.shape[1])
    if close.any():
        found[close] = _series(x[:, close])
    far = ~close
    apart = x[:, far]
    found[far] = (_between(apart[1:]) - _between(apart[:-1])) / spread[far]
    return found


def _series(x: Floats) -> Floats:
    """Sum the Taylor series about the middle of the points.

    Its coefficients are the complete homogeneous polynomials of the distances to the middle.
    """
    middle = (x[0] + x[-1]) / 2
    distance = x - middle
    power = np.zeros((len(x), x.shape[1]))
    factor = 1.0
    for number in range(1, len(x)):
        factor /= number
    power[:] = 1.0
    total = np.full(x.shape[1], factor)
    for term in range(1, _TERMS):
        factor /= len(x) - 1 + term
        power[0] *= distance[0]
        for at in range(1, len(x)):
            power[at] = power[at - 1] + distance[at] * power[at]
        total += factor * power[-1]
    result: Floats = np.exp(middle) * total
    return result
