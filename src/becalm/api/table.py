"""A table in a notebook; Polars, pandas, DuckDB and Arrow can read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from importlib import import_module
from typing import Any, Final

import numpy as np

from becalm.core.clock import UNKNOWN_TIME, from_us
from becalm.core.errors import MissingExtraError, UsageError, did_you_mean
from becalm.core.frame import Frame
from becalm.tables import Table, writing

SHOWN: Final = 10
NOTICE: Final = "Contains patient data. Research use only: not a medical device."


@dataclass(frozen=True, eq=False, repr=False)
class DataTable:
    """Rows of one table. Unknown is null; times are the ward's clock.

    `__arrow_c_stream__` passes it to any library that reads Arrow: `polars.DataFrame(rows)`,
    `pyarrow.table(rows)`, `duckdb.sql("FROM rows")`.
    """

    table: Table
    frame: Frame

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in their order."""
        return list(self.table)

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, column: str) -> list[Any]:
        """Return one column as Python values, None where not known."""
        if column not in self.table:
            raise UsageError(
                f"the table {self.table.name} has no column {column!r}",
                hint=did_you_mean(column, self.table),
            )
        kind = self.table[column]
        return [plain(kind, value) for value in self.frame[column].tolist()]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a dictionary of Python values, None where not known."""
        columns = [self[name] for name in self.columns]
        for values in zip(*columns, strict=True):
            yield dict(zip(self.columns, values, strict=True))

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the table as an Arrow stream, with the types that the Parquet file has."""
        return writing.arrow(self.table, self.frame).__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """Return a `pyarrow.Table`. Raises `MissingExtraError` where pyarrow is not installed."""
        return _needed("pyarrow").table(self)

    def to_polars(self) -> Any:
        """Return a `polars.DataFrame`. Raises `MissingExtraError` where Polars is not installed."""
        return _needed("polars").DataFrame(self)

    def to_pandas(self) -> Any:
        """Return a `pandas.DataFrame`; answers are nullable booleans, counts nullable integers.

        Raises `MissingExtraError` where pandas is not installed.
        """
        pandas = _needed("pandas")
        dtypes: Mapping[str, str] = {
            "text": "object",
            "time": "datetime64[us]",
            "number": "float64",
            "code": "Int32",
            "key": "Int64",
            "flag": "bool",
            "count": "Int64",
            "answer": "boolean",
        }
        return pandas.DataFrame(
            {
                name: pandas.Series(self[name], dtype=dtypes[kind])
                for name, kind in self.table.items()
            }
        )

    def __repr__(self) -> str:
        head = f"<table {self.table.name}: {len(self):,} rows of {len(self.columns)} columns>"
        lines = [head, "  ".join(self.columns)]
        first = self._first()
        lines += ["  ".join(_text(row[name]) for name in self.columns) for row in first]
        if len(self) > len(first):
            lines.append(f"... {len(self) - len(first):,} more")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>"
            + "".join(f"<td>{escape(_text(row[name]))}</td>" for name in self.columns)
            + "</tr>"
            for row in self._first()
        )
        more = len(self) - min(len(self), SHOWN)
        rest = f" {more:,} more rows are not shown." if more else ""
        return (
            f"<table><caption>{escape(self.table.name)}: {escape(self.table.meaning)} {len(self):,} "
            f"rows.{rest} {NOTICE}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _first(self) -> list[dict[str, Any]]:
        few = DataTable(self.table, self.frame.take(np.arange(min(len(self), SHOWN))))
        return list(few.rows())


def plain(kind: str, value: Any) -> Any:
    """Return a value of a column as Python has it; None where it is not known.

    >>> plain("count", -1) is None
    True
    """
    if kind == "time":
        return None if value == UNKNOWN_TIME else from_us(value)
    if kind == "number":
        return float(value) + 0.0 if np.isfinite(value) else None
    if kind in {"code", "key", "count"}:
        return None if value == -1 else int(value)
    if kind == "text":
        return value or None
    return None if value is None else bool(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _needed(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"{name} is not installed", hint=f"pip install {name}") from error
