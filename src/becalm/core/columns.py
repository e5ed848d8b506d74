"""The columns of a table: arrays, and texts that are stored as codes until they are read.

Millions of rows often hold only a few different texts. A column of Python texts needs one object for
each row; a column of codes is an array of numbers, and each different text is handled once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Array, Codes, Index, Times


@dataclass(frozen=True, eq=False)
class Categorical:
    """A column of texts, stored as positions in a list of its different texts.

    code : int32[n]; texts : object[k]; a text may occur twice, or in no row.
    """

    code: npt.NDArray[np.int32]
    texts: Array

    @classmethod
    def of(cls, column: Array) -> Categorical:
        """Code a column of texts; the texts are listed in the order of their first row."""
        seen: defaultdict[str, int] = defaultdict(count().__next__)
        code = np.fromiter(map(seen.__getitem__, column.tolist()), np.int32, len(column))
        return cls(code, listed(seen))

    @classmethod
    def by(cls, code: Array, texts: Iterable[str]) -> Categorical:
        """Make a column from positions in `texts`; -1 is the last text."""
        held = listed(texts)
        return cls(np.where(code < 0, code + len(held), code).astype(np.int32, copy=False), held)

    def __len__(self) -> int:
        return len(self.code)

    def written(self) -> Array:
        return self.texts[self.code]

    def take(self, index: Array) -> Categorical:
        return Categorical(self.code[index], self.texts)

    def map(self, f: Callable[[str], Any], dtype: Any = object) -> Array:
        """Call `f` once for each text and return the result for every row."""
        return listed(map(f, self.texts.tolist()), dtype)[self.code]

    def among(self, texts: Collection[str]) -> npt.NDArray[np.bool_]:
        """Return for every row whether its text is one of `texts`."""
        return self.map(lambda text: text in texts, np.bool_)

    @classmethod
    def where(cls, mask: Array, one: Categorical, other: Categorical) -> Categorical:
        """Take the rows of a mask from one column, the rest from another."""
        code = np.where(mask, one.code, other.code + np.int32(len(one.texts)))
        return cls(code, np.concatenate([one.texts, other.texts]))

    @classmethod
    def concat(cls, parts: Sequence[Categorical]) -> Categorical:
        """Join columns end to end; each text is stored once."""
        seen: defaultdict[str, int] = defaultdict(count().__next__)
        codes = [
            listed(map(seen.__getitem__, part.texts.tolist()), np.int32)[part.code]
            for part in parts
        ]
        return cls(np.concatenate(codes), listed(seen))


@dataclass(frozen=True, eq=False)
class Keyed:
    """A column of texts `table:key`, stored as a table and a number."""

    table: Categorical
    key: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.key)

    def written(self) -> Array:
        return self.table.map(lambda name: f"{name}:") + listed(map(str, self.key.tolist()))

    def take(self, index: Array) -> Keyed:
        return Keyed(self.table.take(index), self.key[index])

    @classmethod
    def concat(cls, parts: Sequence[Keyed]) -> Keyed:
        tables = Categorical.concat([part.table for part in parts])
        return cls(tables, np.concatenate([part.key for part in parts]))


Held: TypeAlias = Array | Categorical | Keyed
"""A column as a frame stores it; whoever reads it gets an array."""


class Columns(Mapping[str, Array]):
    """The columns of a frame by name; codes are turned into texts when a column is read."""

    def __init__(self, held: Mapping[str, Held]) -> None:
        self.held = held
        self._written: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        column = self._written.get(name)
        if column is None:
            held = self.held[name]
            column = held if isinstance(held, np.ndarray) else held.written()
            column.flags.writeable = False
            self._written[name] = column
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def __reduce__(self) -> tuple[Any, ...]:
        return Columns, (self.held,)


def listed(values: Iterable[Any], dtype: Any = object) -> Array:
    """Make a column with one cell for each value, of whatever type."""
    cells = list(values)
    column = np.empty(len(cells), dtype=dtype)
    column[:] = cells
    return column


def concatenated(parts: Sequence[Held]) -> Held:
    """Join columns end to end; the result is coded where all of them are."""
    coded = [part for part in parts if isinstance(part, Categorical)]
    if len(coded) == len(parts):
        return Categorical.concat(coded)
    keyed = [part for part in parts if isinstance(part, Keyed)]
    if len(keyed) == len(parts):
        return Keyed.concat(keyed)
    return np.concatenate([p if isinstance(p, np.ndarray) else p.written() for p in parts])


def unique_keys(key: Times) -> tuple[Index, Codes]:
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
