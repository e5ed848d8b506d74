"""Ways of writing as small codes: each is understood once, however many rows have it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Codes


def unique_keys(key: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.intp], Codes]:
    """Position of each distinct key's first row, in the order of the keys; and each row's among them.

    key : not negative. Sorted only where the keys are too far apart to be counted.
    """
    most = int(key.max(initial=0)) + 1
    if most > 8 * len(key) + 1024:
        _, first, back = np.unique(key, return_index=True, return_inverse=True)
        return first, back.astype(np.int32)
    at = np.full(most, -1, np.intp)
    at[key[::-1]] = np.arange(len(key))[::-1]
    there = np.flatnonzero(at >= 0)
    place = np.zeros(most, np.int32)
    place[there] = np.arange(len(there))
    return at[there], place[key]
