"""Columns as small codes: a text or a way of writing is understood once, however many rows have it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from becalm.doses.rates import Codes
from becalm.frame import Array


@dataclass(frozen=True)
class Coded:
    """A column of texts as positions in its distinct texts, in order of appearance."""

    code: Codes
    texts: tuple[str, ...]

    @classmethod
    def of(cls, column: Array) -> Coded:
        seen: defaultdict[str, int] = defaultdict(count().__next__)
        code = np.fromiter(map(seen.__getitem__, column.tolist()), np.int32, len(column))
        return cls(code, tuple(seen))

    def map(self, f: Callable[[str], Any], dtype: Any = object) -> Array:
        """Ask once for each distinct text, and answer for every row."""
        answers = np.empty(len(self.texts), dtype=dtype)
        answers[:] = [f(text) for text in self.texts]
        return answers[self.code]


def distinct(key: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.intp], Codes]:
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
