"""Columns that are read when somebody asks for them: a table of any size takes little memory.

The columns used last are kept, up to `KEPT` cells of all tables together.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any, Final

import numpy as np

from becalm.core.arrays import Array
from becalm.core.columns import Columns, Held

KEPT: Final = 12_000_000
"""Cells that are kept in memory at most, unless one column has more."""


class OnDemand(Mapping[str, Held]):
    """Columns by name, each loaded when it is asked for; read-only."""

    def __init__(self, names: Iterable[str], load: Callable[[str], Held]) -> None:
        self._names = dict.fromkeys(names)
        self._load = load
        self._number = next(_NUMBERS)

    def __getitem__(self, name: str) -> Held:
        if name not in self._names:
            raise KeyError(name)
        held: Held = _RECENT.get((self._number, name, "held"), lambda: _fixed(self._load(name)))
        return held

    def written(self, name: str) -> Array:
        """Return a column as an array: codes are turned into texts."""
        held = self[name]
        if not isinstance(held, np.ndarray):
            column: Array = _RECENT.get(
                (self._number, name, "written"), lambda: _fixed(held.written())
            )
            return column
        return held

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def taken(self, index: Array) -> OnDemand:
        """Return the columns with the rows of an index or a mask; none is loaded yet."""

        def load(name: str) -> Held:
            held = self[name]
            return held[index] if isinstance(held, np.ndarray) else held.take(index)

        return OnDemand(self._names, load)

    def selected(self, names: Iterable[str]) -> OnDemand:
        """Return some of the columns, in that order; none is loaded yet."""
        return OnDemand(names, self.__getitem__)


class ColumnsOnDemand(Columns):
    """The columns of a frame that are loaded when they are asked for."""

    held: OnDemand

    def __init__(self, held: OnDemand) -> None:
        super().__init__(held)

    def __getitem__(self, name: str) -> Array:
        return self.held.written(name)


class _Recent:
    """What was loaded last, up to a number of cells."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str, str], Any] = OrderedDict()
        self._cells = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[int, str, str], load: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        column = load()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = column
                self._cells += len(column)
            while self._cells > KEPT and len(self._kept) > 1:
                _, gone = self._kept.popitem(last=False)
                self._cells -= len(gone)
        return column


def _fixed(held: Any) -> Any:
    if isinstance(held, np.ndarray):
        held.flags.writeable = False
    return held


_NUMBERS: Final = count()
_RECENT: Final = _Recent()
