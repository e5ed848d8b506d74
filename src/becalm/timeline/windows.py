"""Minimum, maximum and sum over many windows of one sorted array, in n log w steps."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from becalm.core.arrays import Floats, Index, Times

Number = TypeVar("Number", np.float64, np.int64)


def extreme(values: NDArray[Number], low: Index, high: Index, best: np.ufunc) -> NDArray[Number]:
    """Greatest (np.maximum) or least (np.minimum) of `values[low:high]` for each window.

    Doubling: the extreme of a window of length w is that of two windows of the largest power
    of two ≤ w, one at either end, so log w passes serve every window. No window may be empty.
    """
    result = np.empty(len(low), values.dtype)
    if not len(low):
        return result
    length = high - low
    level = np.frexp(length.astype(np.float64))[1] - 1
    table = values
    for doubling in range(int(level.max()) + 1):
        size = 1 << doubling
        pick = np.flatnonzero(level == doubling)
        result[pick] = best(table[low[pick]], table[high[pick] - size])
        table = best(table[:-size], table[size:])
    return result


def latest(rank: Times, low: Index, high: Index) -> Index:
    """Position of the greatest rank in each window; ranks are a permutation of 0 … n − 1."""
    position = np.empty(len(rank), np.intp)
    position[rank] = np.arange(len(rank))
    latest_position: Index = position[extreme(rank, low, high, np.maximum)]
    return latest_position


def earliest(values: NDArray[Number], low: Index, high: Index, best: np.ufunc) -> Index:
    """Position of the greatest (np.maximum) or least (np.minimum) value of each window.

    Of equal values it is the earliest. No window may be empty.
    """
    sign = 1 if best is np.maximum else -1
    order = np.lexsort((-np.arange(len(values)), sign * values))
    rank = np.empty(len(values), np.int64)
    rank[order] = np.arange(len(values))
    return latest(rank, low, high)


def total(values: Floats, low: Index, high: Index) -> Floats:
    """Sum of `values[low:high]` for each window.

    The window is cut into powers of two and their sums are added. The difference of two running
    sums would be shorter, but it leaves rounding residues that depend on the other persons in the
    chunk, and it cannot handle infinities.
    """
    result = np.zeros(len(low))
    if not len(low):
        return result
    length, at, table = high - low, low.astype(np.int64), values
    size = 1
    while size <= int(length.max()):
        pick = np.flatnonzero(length & size)
        result[pick] += table[at[pick]]
        at[pick] += size
        table = table[:-size] + table[size:]
        size *= 2
    return result
