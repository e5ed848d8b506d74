"""A read-only table of NumPy columns of equal length, passed from stage to stage.

Text columns are object arrays of `str` ('' = not known), times int64 microseconds
(`UNKNOWN_TIME` = not known), numbers float64 (NaN = not known), codes int32 (-1 = none),
counts int64 (-1 = not known), answers object arrays of True, False or None (not known).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Array
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.columns import Categorical, Columns, Held, Keyed, concatenated, listed
from becalm.core.on_demand import ColumnsOnDemand, OnDemand

__all__ = [
    "BLANK",
    "DTYPES",
    "Categorical",
    "Frame",
    "FrameRow",
    "Held",
    "Kind",
    "distinct_rows",
]

Kind = Literal["text", "time", "number", "code", "key", "flag", "count", "answer"]

DTYPES: Final[Mapping[str, Any]] = {
    "text": object,
    "time": np.int64,
    "number": np.float64,
    "code": np.int32,
    "key": np.int64,
    "flag": np.bool_,
    "count": np.int64,
    "answer": object,
}
BLANK: Final[Mapping[str, Any]] = {
    "text": "",
    "time": UNKNOWN_TIME,
    "number": np.nan,
    "code": -1,
    "key": -1,
    "flag": False,
    "count": -1,
    "answer": None,
}


@dataclass(frozen=True, eq=False, init=False)
class Frame:
    """Columns of one table, all of one length, read-only."""

    columns: Columns
    _length: int

    def __init__(self, columns: Mapping[str, Held]) -> None:
        held = columns.held if isinstance(columns, Columns) else columns
        lengths = {name: len(column) for name, column in held.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of different lengths: {lengths}")
        for column in held.values():
            if isinstance(column, np.ndarray):
                column.flags.writeable = False
        object.__setattr__(self, "columns", Columns(held))
        object.__setattr__(self, "_length", next(iter(lengths.values()), 0))

    @classmethod
    def on_demand(cls, columns: OnDemand, rows: int) -> Frame:
        """Return a frame whose columns are loaded when somebody asks for them."""
        frame = cls.__new__(cls)
        object.__setattr__(frame, "columns", ColumnsOnDemand(columns))
        object.__setattr__(frame, "_length", rows)
        return frame

    @classmethod
    def of(cls, schema: Mapping[str, Kind], **columns: Iterable[Any] | Held) -> Frame:
        """Build a frame of `schema`; a column that is missing here is blank (unknown)."""
        unknown = set(columns) - set(schema)
        if unknown:
            raise ValueError(f"columns that the table does not have: {sorted(unknown)}")
        held: dict[str, Held] = {}
        for name, values in columns.items():
            dtype = DTYPES[schema[name]]
            if isinstance(values, Categorical | Keyed):
                held[name] = values
            elif isinstance(values, np.ndarray):
                held[name] = np.array(values, dtype=dtype)
            else:
                held[name] = listed(values, dtype)
        rows = len(next(iter(held.values()))) if held else 0
        return cls({n: held[n] if n in held else _blank(schema[n], rows) for n in schema})

    @classmethod
    def around(cls, schema: Mapping[str, Kind], columns: Mapping[str, Held]) -> Frame:
        """Build a frame from columns that nobody changes afterwards: nothing is copied.

        Their types are those of `schema`; a column that is missing here is blank.
        """
        wrong = {
            name
            for name, column in columns.items()
            if (column.dtype if isinstance(column, np.ndarray) else object) != DTYPES[schema[name]]
        }
        if wrong:
            raise ValueError(f"columns of another type than their kind: {sorted(wrong)}")
        rows = len(next(iter(columns.values()))) if columns else 0
        return cls({n: columns[n] if n in columns else _blank(schema[n], rows) for n in schema})

    @classmethod
    def of_rows(cls, schema: Mapping[str, Kind], rows: Sequence[Mapping[str, Any]]) -> Frame:
        """Build a frame from one mapping a row; a missing or None entry is blank."""

        def cell(row: Mapping[str, Any], name: str) -> Any:
            value = row.get(name)
            return BLANK[schema[name]] if value is None else value

        for row in rows:
            unknown = set(row) - set(schema)
            if unknown:
                raise ValueError(f"columns that the table does not have: {sorted(unknown)}")
        return cls.of(schema, **{name: [cell(row, name) for row in rows] for name in schema})

    @classmethod
    def concat(cls, frames: Sequence[Frame]) -> Frame:
        """Join frames of one schema end to end."""
        if not frames:
            raise ValueError("no frames to join end to end")
        some = [frame for frame in frames if len(frame)] or frames[:1]
        if len(some) == 1:
            return some[0]
        return cls(
            {name: concatenated([f.columns.held[name] for f in some]) for name in some[0].columns}
        )

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def coded(self, name: str) -> Categorical:
        """Return a column of texts as codes."""
        column = self.columns.held[name]
        return column if isinstance(column, Categorical) else Categorical.of(self[name])

    def select(self, names: Iterable[str]) -> Frame:
        """Return some of the columns, in that order."""
        if isinstance(self.columns, ColumnsOnDemand):
            return Frame.on_demand(self.columns.held.selected(names), len(self))
        return Frame({name: self.columns.held[name] for name in names})

    def take(self, index: Array) -> Frame:
        """Return the rows of an integer index or a boolean mask, in that order."""
        if isinstance(self.columns, ColumnsOnDemand):
            at = np.flatnonzero(index) if index.dtype == np.bool_ else index
            return Frame.on_demand(self.columns.held.taken(at), len(at))
        return Frame(
            {
                name: column[index] if isinstance(column, np.ndarray) else column.take(index)
                for name, column in self.columns.held.items()
            }
        )

    def replace(self, **columns: Held) -> Frame:
        """Return the frame with some columns replaced or added."""
        return Frame({**self.columns.held, **columns})

    def sort(self, *keys: str) -> Frame:
        """Return the rows sorted by columns, with a stable sort; texts are sorted as texts."""
        order = np.arange(len(self))
        for key in reversed(keys):
            order = order[np.argsort(self._ranked(key)[order], kind="stable")]
        return self.take(order)

    def _ranked(self, key: str) -> Array:
        """Return values (numbers or texts) that have the same order as a column."""
        column = self.columns.held[key]
        if not isinstance(column, Categorical):
            return self[key]
        _, rank = np.unique(column.texts, return_inverse=True)
        return rank[column.code]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a mapping (small tables only)."""
        lists = {name: column.tolist() for name, column in self.columns.items()}
        for i in range(len(self)):
            yield {name: values[i] for name, values in lists.items()}

    def light_rows(self) -> Iterator[FrameRow]:
        """Yield each row as a read-only mapping that takes little memory (a table of any size)."""
        cells = _Cells(self.columns)
        for at in range(len(self)):
            yield FrameRow(cells, at)


class _Cells(dict[str, list[Any]]):
    """The cells of a table as lists, made when the first row is asked for a column."""

    def __init__(self, columns: Columns) -> None:
        super().__init__()
        self.columns = columns

    def __missing__(self, name: str) -> list[Any]:
        cells: list[Any] = self.columns[name].tolist()
        self[name] = cells
        return cells


class FrameRow(Mapping[str, Any]):
    """One row of a frame. It holds its number alone: what nobody asks for takes no memory.

    >>> next(Frame.of({"person_id": "text", "day": "count"}, person_id=["A"], day=[3]).light_rows())["day"]
    3
    """

    __slots__ = ("_at", "_cells")

    def __init__(self, cells: _Cells, at: int) -> None:
        self._cells, self._at = cells, at

    def __getitem__(self, name: str) -> Any:
        return self._cells[name][self._at]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells.columns)

    def __len__(self) -> int:
        return len(self._cells.columns)

    def __repr__(self) -> str:
        return repr(dict(self))


def _blank(kind: Kind, rows: int) -> Held:
    if kind == "text":
        return Categorical.by(np.zeros(rows, np.int32), [BLANK[kind]])
    return np.full(rows, BLANK[kind], dtype=DTYPES[kind])


def distinct_rows(*columns: Array) -> tuple[npt.NDArray[np.int64], list[tuple[Any, ...]]]:
    """Number the distinct rows of some columns, and list them, in the order of their first row."""
    seen: defaultdict[tuple[Any, ...], int] = defaultdict(count().__next__)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    numbers = np.fromiter(map(seen.__getitem__, rows), np.int64, len(columns[0]))
    return numbers, list(seen)
