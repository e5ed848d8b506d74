"""Counts of values in narrow bins, so that quantiles of millions need no list of them.

The bins are cut by the bits of the number: each power of two has 64 of equal width, so a bin is 0.8 to 1.6 % of its value
wide. Counts are whole numbers, so their sum does not depend on the order, nor on how many threads count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from becalm.core.arrays import Array, Floats
from becalm.pk.compiled import kernel

WIDEST_BIN: Final = 1 / 64
"""Greatest width of a bin, as a part of the value at its lower end."""
_DROPPED_BITS: Final = 46
_LOWEST: Final = 2.0**-40
_HIGHEST: Final = 2.0**31


def _place(value: float) -> int:
    return int(np.float64(value).view(np.int64)) >> _DROPPED_BITS


_FIRST: Final = _place(_LOWEST) - 1
_BINS: Final = _place(_HIGHEST) - _FIRST + 1
"""The first bin has everything below 1e-12, the last one everything above 2e9, also what is infinite."""


class Histogram:
    """Counts of several rows of values that are at least 0, each with its lowest and its highest value.

    >>> found = Histogram(1)
    >>> found.add(np.linspace(1, 3, 10_001)[None])
    >>> bool(abs(found.quantiles([0.5])[0, 0] / 2 - 1) < WIDEST_BIN)
    True
    """

    def __init__(self, rows: int) -> None:
        self.counts: Array = np.zeros((rows, _BINS), np.int64)
        self.ends: Floats = np.array([np.full(rows, np.inf), np.full(rows, -np.inf)])

    def add(self, values: Floats) -> None:
        """Count values: [row, value]. Raises `ValueError` for one that is below 0 or no number."""
        if not (values >= 0).all():
            raise ValueError("a value is below 0 or no number")
        values = np.ascontiguousarray(values, np.float64)
        if kernel() is not None:
            from becalm.pk.kernel_bins import count

            count(values, values.view(np.int64), _DROPPED_BITS, _FIRST, self.counts, self.ends)
            return
        self.ends[0] = np.minimum(self.ends[0], values.min(axis=1, initial=np.inf))
        self.ends[1] = np.maximum(self.ends[1], values.max(axis=1, initial=-np.inf))
        places = values.view(np.int64) >> _DROPPED_BITS
        at = np.clip(places - _FIRST, 0, _BINS - 1) + np.arange(len(values))[:, None] * _BINS
        self.counts += np.bincount(at.ravel(), minlength=self.counts.size).reshape(
            self.counts.shape
        )

    def merge(self, other: Histogram) -> None:
        """Add the counts of another one of the same rows."""
        self.counts += other.counts
        self.ends[0] = np.minimum(self.ends[0], other.ends[0])
        self.ends[1] = np.maximum(self.ends[1], other.ends[1])

    def quantiles(self, shares: Sequence[float]) -> Floats:
        """Return quantiles, [share, row]: right to the width of a bin, and never outside the values.

        0 where it lies below the first bin, infinite where it lies above the last one; not a number for a row
        without values.
        """
        edges = (np.arange(_BINS + 1, dtype=np.int64) + _FIRST << _DROPPED_BITS).view(np.float64)
        found = np.full((len(shares), len(self.counts)), np.nan)
        for row, counts in enumerate(self.counts):
            until = np.cumsum(counts)
            for at, share in enumerate(shares):
                if not until[-1]:
                    continue
                rank = share * (until[-1] - 1)
                place = int(np.searchsorted(until, rank, side="right"))
                if place in {0, _BINS - 1}:
                    found[at, row] = 0.0 if place == 0 else np.inf
                    continue
                inside = (rank - (until[place] - counts[place]) + 0.5) / counts[place]
                found[at, row] = edges[place] + min(inside, 1.0) * (edges[place + 1] - edges[place])
        inside_ends: Floats = np.clip(found, *self.ends)
        return inside_ends
