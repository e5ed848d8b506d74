"""Queries of DuckDB, and the conversion of results to NumPy columns.

Results are read as Arrow batches, so that a large table is never completely in memory. Unknown
values become the blank of `becalm.core.frame`: '' for text, UNKNOWN_TIME for a time, NaN for a number, -1
for a code or a key, False for a flag.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from becalm.core import stopping
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.database import plain
from becalm.core.errors import BecalmError, OutputError, UnreadableFileError, place

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Columns = dict[str, npt.NDArray[Any]]

_WORDS_AT_MOST: Final = 262_144
"""Greatest number of different texts in memory for each column."""

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT")
_KEY = ("BIGINT", "UINTEGER")
_REAL = ("DOUBLE", "FLOAT", "DECIMAL", "HUGEINT", "UBIGINT")


def quoted(text: str) -> str:
    """Return a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def quoted_path(path: Path) -> str:
    """Return one file's path as an SQL string; without meaning for *, ? and [, which DuckDB uses as patterns."""
    return quoted(plain(str(path)))


def number_text(value: float) -> str:
    """Return a number as text for the example of a refused row, '' if it is not known."""
    return "" if np.isnan(value) else f"{value:g}"


class Dictionary:
    """The different texts of a column in the order of their first row."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.words: list[str] = []
        self._hashes = np.empty(0, dtype=np.uint64)  # sorted
        self._codes = np.empty(0, dtype=np.int32)

    def codes(self, hashes: npt.NDArray[np.uint64], texts: _Texts) -> npt.NDArray[np.int32]:
        """Return each row's position in `words`; only new texts are read."""
        at, new = self._find(hashes)
        if new.any():
            rows = np.flatnonzero(new)
            unseen, first = np.unique(hashes[rows], return_index=True)
            order = np.argsort(first)
            codes = np.empty(len(unseen), dtype=np.int32)
            codes[order] = np.arange(len(unseen)) + len(self.words)
            self.words += [texts[int(row)] for row in rows[first[order]]]
            self._hashes = np.concatenate([self._hashes, unseen])
            self._codes = np.concatenate([self._codes, codes])
            by_hash = np.argsort(self._hashes)
            self._hashes, self._codes = self._hashes[by_hash], self._codes[by_hash]
            at, _ = self._find(hashes)
        return self._codes[at]

    def texts(self, hashes: npt.NDArray[np.uint64], texts: _Texts) -> npt.NDArray[Any]:
        """Return the column as texts, one shared Python string for each distinct one."""
        if len(self.words) > _WORDS_AT_MOST:
            self.forget()
        codes = self.codes(hashes, texts)
        return np.array(self.words, dtype=object)[codes]

    def _find(
        self, hashes: npt.NDArray[np.uint64]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        if not len(self._hashes):
            return np.zeros(len(hashes), dtype=np.intp), np.ones(len(hashes), dtype=np.bool_)
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return at, self._hashes[at] != hashes


class _Texts:
    """One Arrow text column; a row is read when it is needed."""

    def __init__(self, view: Any) -> None:
        self._offsets = np.frombuffer(view.buffer(1), dtype=np.int32)[view.offset :]
        self._data = memoryview(view.buffer(2)).cast("B")

    def __getitem__(self, row: int) -> str:
        return bytes(self._data[self._offsets[row] : self._offsets[row + 1]]).decode()


def stream(
    con: DuckDBPyConnection,
    sql: str,
    params: Sequence[object] = (),
    coded: Mapping[str, Dictionary] | None = None,
) -> Iterator[Columns]:
    """Yield the rows of a query as batches of columns, in the query's own order.

    Columns named in `coded` are text columns returned as int32 positions in their `Dictionary`.
    There is always a first batch; it is empty if the query has no rows.
    """
    import nanoarrow

    session = stopping.interruptible(con.cursor())
    values = list(params) or None
    try:
        with _explained():
            shape = session.sql(sql, params=values)
            kinds = {n: str(t) for n, t in zip(shape.columns, shape.types, strict=True)}
            wrapped = f"SELECT {', '.join(_selected(kinds))} FROM ({sql})"
            batches = iter(nanoarrow.c_array_stream(session.sql(wrapped, params=values)))
        dictionaries = {name: Dictionary() for name, kind in kinds.items() if _is_text(kind)}
        some = False
        while True:
            with _explained():
                batch = next(batches, None)
            if batch is None:
                break
            some = True
            yield _columns(batch.view(), kinds, dictionaries, coded or {})
        if not some:
            yield {
                n: np.empty(0, dtype=_dtype(kind, n in (coded or {}))) for n, kind in kinds.items()
            }
    finally:
        session.close()


def execute(con: DuckDBPyConnection, sql: str) -> None:
    """Run a statement that has no result."""
    with _explained():
        con.execute(sql)


def fetch(con: DuckDBPyConnection, sql: str, params: Sequence[object] = ()) -> Columns:
    """Return all rows of a small result."""
    batches = list(stream(con, sql, params))
    return {name: np.concatenate([b[name] for b in batches]) for name in batches[0]}


def _is_text(kind: str) -> bool:
    return kind == "VARCHAR" or kind.startswith("ENUM")


def _dtype(kind: str, coded: bool = False) -> Any:
    if _is_text(kind):
        return np.int32 if coded else object
    if kind in _WHOLE:
        return np.int32
    if kind.startswith(_REAL):
        return np.float64
    return np.bool_ if kind == "BOOLEAN" else np.int64


def _selected(kinds: Mapping[str, str]) -> Iterator[str]:
    """Yield SQL for each column in its plain type, with blanks for unknown, then hashes of texts."""
    for name, kind in kinds.items():
        column = '"' + name.replace('"', '""') + '"'
        if _is_text(kind):
            yield f"coalesce({column}::VARCHAR, '') AS {column}"
        elif kind in _WHOLE:
            yield f"coalesce({column}::INTEGER, -1) AS {column}"
        elif kind in _KEY:
            yield f"coalesce({column}::BIGINT, -1) AS {column}"
        elif kind.startswith(_REAL):
            yield f"coalesce({column}::DOUBLE, 'nan'::DOUBLE) AS {column}"
        elif kind == "BOOLEAN":
            yield f"coalesce({column}, false) AS {column}"
        elif kind in ("TIMESTAMP", "DATE"):
            us = f"CASE WHEN isfinite({column}) THEN epoch_us({column}::TIMESTAMP) END"
            yield f"coalesce({us}, '{UNKNOWN_TIME}'::BIGINT) AS {column}"
        else:
            raise TypeError(f"column {name} is {kind}, which no table of becalm has")
    for name, kind in kinds.items():
        if _is_text(kind):
            column = '"' + name.replace('"', '""') + '"'
            yield f"hash(coalesce({column}::VARCHAR, ''))"


def _columns(
    batch: Any,
    kinds: Mapping[str, str],
    dictionaries: Mapping[str, Dictionary],
    coded: Mapping[str, Dictionary],
) -> Columns:
    n = batch.length
    hash_at = len(kinds)
    columns: Columns = {}
    for i, (name, kind) in enumerate(kinds.items()):
        view = batch.child(i)
        if _is_text(kind):
            hashes = _numbers(batch.child(hash_at), np.uint64, n)
            hash_at += 1
            if name in coded:
                columns[name] = coded[name].codes(hashes, _Texts(view))
            else:
                columns[name] = dictionaries[name].texts(hashes, _Texts(view))
        elif kind == "BOOLEAN":
            bits = np.unpackbits(np.frombuffer(view.buffer(1), np.uint8), bitorder="little")
            columns[name] = bits[view.offset : view.offset + n].astype(np.bool_)
        else:
            columns[name] = _numbers(view, _dtype(kind), n)
    return columns


def _numbers(view: Any, dtype: Any, n: int) -> npt.NDArray[Any]:
    """Copy a buffer: DuckDB reuses the batch for the next one."""
    return np.frombuffer(view.buffer(1), dtype=dtype)[view.offset : view.offset + n].copy()


@contextmanager
def _explained() -> Iterator[None]:
    """Turn an error of a file or of the disk into one line; other errors are bugs in becalm."""
    import duckdb
    from nanoarrow._utils import NanoarrowException

    try:
        yield
    except (
        duckdb.IOException,
        duckdb.InvalidInputException,
        duckdb.OutOfMemoryException,
        NanoarrowException,
    ) as error:
        mistake = known_error(str(error))
        if mistake is None:
            raise
        raise mistake from error


_FILE = re.compile(r"[^/\\\s\"'=]+\.(?:csv|parquet)(?:\.gz)?\b")
_NO_ROOM: Final = ("No space left", "max_temp_directory_size", "File too large")
_ENDS: Final = 4_000
"""Characters at either end of a message that are looked at; between them stands the row that was read."""
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_WIDTH = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


def known_error(message: str) -> BecalmError | None:
    """Return the user's mistake that caused a message of DuckDB; None if it is another error."""
    message = message if len(message) <= 2 * _ENDS else f"{message[:_ENDS]}\n{message[-_ENDS:]}"
    # A mistake in a CSV file repeats the row that has it, and a row may say anything.
    if "CSV Error" not in message and any(sign in message for sign in _NO_ROOM):
        return OutputError(
            "the disk is full while sorting"
            if "File too large" not in message
            else "a file may not be as large as sorting needs",
            where=tempfile.gettempdir(),
            hint="Free space there, or set TMPDIR to a larger disk",
        )
    files, line, width = _FILE.findall(message), _LINE.search(message), _WIDTH.search(message)
    if not files:
        return None
    where = place(files[-1], int(line.group(1)) if line else None)
    hint = "Compare the file with its published checksum"
    if "GZIP" in message:
        what, hint = "the compressed file is damaged or incomplete", "Download the file again"
    elif "unicode" in message:
        what, hint = "this is not UTF-8", "Convert the file to UTF-8"
    elif width:
        what = f"{width.group(2)} cells where the header has {width.group(1)} columns"
    elif "Maximum line size" in message:
        what, hint = (
            "the line is longer than 2,000,000 bytes, the most that is read",
            "Shorten its cells",
        )
    elif "quote" in message:
        what = "a quoted cell has no end"
    elif "No files found" in message:
        what, hint = "the file does not exist any more", "Run again when the files are in place"
    else:
        what = message.strip().splitlines()[0]
    return UnreadableFileError(what, where=where, hint=hint)
