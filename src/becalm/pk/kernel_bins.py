"""Counting values in bins as machine code; `histogram` says what the bins are. The library is numba."""

from __future__ import annotations

from typing import Final

from numba import njit

from becalm.core.arrays import Array, Floats

_machine: Final = njit(nogil=True, cache=True, error_model="numpy")


@_machine
def count(  # noqa: PLR0917 - compiled functions take their arrays by position
    values: Floats, bits: Array, dropped: int, lowest: int, counts: Array, ends: Floats
) -> None:
    """Count values of some rows: [row, value], each at least 0.

    bits : the same values as integers, of which the `dropped` lowest bits do not matter. lowest : the bits of the
    first bin. counts : int64[row, bin], to add to. ends : [2, row], the lowest and the highest value.
    """
    rows, people = values.shape
    most = counts.shape[1] - 1
    for j in range(rows):
        low, high = ends[0, j], ends[1, j]
        for p in range(people):
            low, high = min(low, values[j, p]), max(high, values[j, p])
        ends[0, j], ends[1, j] = low, high
        for p in range(people):
            counts[j, min(max((bits[j, p] >> dropped) - lowest, 0), most)] += 1
