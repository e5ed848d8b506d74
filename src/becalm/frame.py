"""A frozen table of equally long NumPy columns: what stages hand to each other.

Text columns are object arrays of `str` ('' = not given), times int64 microseconds
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

from becalm.clock import UNKNOWN_TIME

Kind = Literal["text", "time", "number", "code", "key", "flag", "count", "answer"]
Array = npt.NDArray[Any]

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


@dataclass(frozen=True, eq=False)
class Frame:
    """Columns of one table, all of one length, read-only."""

    columns: Mapping[str, Array]

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of different lengths: {lengths}")
        for column in self.columns.values():
            column.flags.writeable = False

    @classmethod
    def of(cls, schema: Mapping[str, Kind], **columns: Iterable[Any] | Array) -> Frame:
        """Build a frame of `schema`; a column not given is blank (unknown) throughout."""
        unknown = set(columns) - set(schema)
        if unknown:
            raise ValueError(f"columns that the table does not have: {sorted(unknown)}")
        given: dict[str, Array] = {}
        for name, values in columns.items():
            dtype = DTYPES[schema[name]]
            if isinstance(values, np.ndarray):
                given[name] = np.array(values, dtype=dtype)
            else:
                listed = list(values)
                column = np.empty(len(listed), dtype=dtype)
                column[:] = listed
                given[name] = column
        n = len(next(iter(given.values()))) if given else 0
        blank = {
            name: np.full(n, BLANK[kind], dtype=DTYPES[kind])
            for name, kind in schema.items()
            if name not in given
        }
        return cls({name: given.get(name, blank.get(name)) for name in schema})  # type: ignore[misc]

    @classmethod
    def around(cls, schema: Mapping[str, Kind], columns: Mapping[str, Array]) -> Frame:
        """Build a frame around arrays that nobody else writes to: nothing is copied.

        Their types are those of `schema`; a column not given is blank throughout.
        """
        wrong = {name for name in columns if columns[name].dtype != DTYPES[schema[name]]}
        if wrong:
            raise ValueError(f"columns of another type than their kind: {sorted(wrong)}")
        n = len(next(iter(columns.values()))) if columns else 0
        return cls(
            {
                name: columns[name]
                if name in columns
                else np.full(n, BLANK[kind], dtype=DTYPES[kind])
                for name, kind in schema.items()
            }
        )

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
        """Lay frames of one schema end to end."""
        if not frames:
            raise ValueError("nothing to lay end to end")
        some = [frame for frame in frames if len(frame)] or frames[:1]
        if len(some) == 1:
            return some[0]
        return cls({name: np.concatenate([f[name] for f in some]) for name in some[0].columns})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def take(self, index: Array) -> Frame:
        """Return the rows of an integer index or a boolean mask, in that order."""
        return Frame({name: column[index] for name, column in self.columns.items()})

    def replace(self, **columns: Array) -> Frame:
        """Return the frame with some columns replaced or added."""
        return Frame({**self.columns, **columns})

    def sort(self, *keys: str) -> Frame:
        """Return the rows sorted by columns, stably; text sorts as text."""
        order = np.arange(len(self))
        for key in reversed(keys):
            order = order[np.argsort(self[key][order], kind="stable")]
        return self.take(order)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a mapping (small tables only)."""
        lists = {name: column.tolist() for name, column in self.columns.items()}
        for i in range(len(self)):
            yield {name: values[i] for name, values in lists.items()}


def distinct(*columns: Array) -> tuple[npt.NDArray[np.int64], list[tuple[Any, ...]]]:
    """Number the distinct rows of some columns, and list them, in the order of their appearance."""
    seen: defaultdict[tuple[Any, ...], int] = defaultdict(count().__next__)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    numbers = np.fromiter(map(seen.__getitem__, rows), np.int64, len(columns[0]))
    return numbers, list(seen)
