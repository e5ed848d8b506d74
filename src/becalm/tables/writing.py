"""How a table is written: the same bytes for the same rows, as Parquet and as CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm import tables
from becalm.core import stopping
from becalm.core.columns import Categorical, Held, Keyed
from becalm.core.database import connect
from becalm.core.errors import OutputError
from becalm.core.frame import Frame, Kind
from becalm.core.spreadsheets import all_inert, inert_sql

_SQL: Final[Mapping[Kind, str]] = {
    "text": "nullif({c}::VARCHAR, '')",
    "time": "make_timestamp(nullif({c}::BIGINT, -9223372036854775808))",
    "number": "CASE WHEN isfinite({c}::DOUBLE) THEN {c}::DOUBLE + 0 END",  # + 0: no minus zero
    "code": "nullif({c}::INTEGER, -1)",
    "key": "nullif({c}::BIGINT, -1)",
    "flag": "{c}::BOOLEAN",
    "count": "nullif({c}::BIGINT, -1)",
    "answer": "{c}::BOOLEAN",
}


_REASONS: Final = {
    "No space left": "the disk is full",
    "File too large": "a file may not be as large as this on this machine",
}


@dataclass(frozen=True)
class TableFile:
    """One table on disk, in both of its forms."""

    name: str
    rows: int
    paths: tuple[Path, ...]


def write(
    name: str, frame: Frame, folder: Path, *, formats: tuple[str, ...] = ("parquet", "csv")
) -> TableFile:
    """Write a table sorted by its key columns; the same rows always give the same bytes."""
    schema = tables.TABLES[name]
    if tuple(frame.columns) != tuple(schema):
        raise ValueError(f"{name}: columns {list(frame.columns)} are not {list(schema)}")
    paths = tuple(folder / f"{name}.{form}" for form in formats)
    write_sorted(name, frame.sort(*schema.key), paths, inert_columns(frame))
    return TableFile(name, len(frame), paths)


def write_sorted(name: str, frame: Frame, paths: Sequence[Path], known: Collection[str]) -> None:
    """Write rows, sorted already, in the form of each path's suffix; all paths are in one folder.

    known : as in `copy`.
    """
    with writer(name, frame, paths[0].parent) as con:
        con.execute("CREATE TEMP TABLE typed AS FROM given")
        for path in paths:
            copy(con, name, "typed", path, known)


@contextmanager
def writer(name: str, frame: Frame, folder: Path) -> Iterator[Any]:
    """Yield a connection in which `given` reads as the rows of a table, unknown as NULL.

    folder : the one place where the connection reads and writes files.
    """
    with _typed(tables.TABLES[name], frame, folder) as con:
        yield con


def arrow(schema: Mapping[str, Kind], frame: Frame) -> Any:
    """Return rows as an Arrow stream, with the types that a written Parquet file has."""
    import nanoarrow

    with _typed(schema, frame) as con:
        return nanoarrow.Array(con.sql("FROM given"))


@contextmanager
def _typed(schema: Mapping[str, Kind], frame: Frame, folder: Path | None = None) -> Iterator[Any]:
    typed = ", ".join(
        f'{_SQL[kind].format(c=f"""held."{column}" """.strip())} AS "{column}"'
        for column, kind in schema.items()
    )
    place = None if folder is None else folder.absolute()  # the folder of the process may change
    with stopping.interruptible(_writer(place).cursor()) as con:
        con.register("held", {column: np.asarray(frame[column]) for column in schema})
        con.execute(f"CREATE TEMP VIEW given AS SELECT {typed} FROM held")
        yield con


def inert_columns(frame: Frame) -> frozenset[str]:
    """Return the columns of texts stored as codes of which no cell could be calculated by a spreadsheet."""
    return frozenset(
        name for name, held in frame.columns.held.items() if all_inert(_texts_of(held))
    )


def _texts_of(held: Held) -> list[str]:
    """Return the different texts of a column, or one that is not inert where they are not known."""
    if isinstance(held, Categorical):
        return [str(text) for text in held.texts.tolist()]
    if isinstance(held, Keyed):
        return [f"{table}:0" for table in held.table.texts.tolist()]
    return ["=?"]


def copy(
    con: Any,
    name: str,
    rows: str,
    path: Path,
    known: Collection[str] = (),
    *,
    compression: str = "zstd",
) -> None:
    """Write typed rows (a table, or SQL that reads as one) in the form of the file's suffix.

    known : columns of texts that no spreadsheet calculates: their cells are written without a look at each.
    """
    import duckdb

    schema = tables.TABLES[name]
    text = ", ".join(
        f"""replace("{column}"::VARCHAR, ' ', 'T') AS "{column}" """
        if kind == "time"
        else f"""{inert_sql(f'"{column}"')} AS "{column}" """
        if kind == "text" and column not in known
        else f'"{column}"'
        for column, kind in schema.items()
    )
    columns, options = (
        ("*", f"FORMAT parquet, COMPRESSION {compression}")
        if path.suffix == ".parquet"
        else (text, "FORMAT csv, HEADER true")
    )
    try:
        con.execute(f"COPY (SELECT {columns} FROM {rows}) TO {quoted(path)} ({options})")
    except duckdb.IOException as error:
        known = [reason for sign, reason in _REASONS.items() if sign in str(error)]
        reason = known[0] if known else str(error).splitlines()[0]
        raise OutputError(
            f"the table {name} cannot be written ({reason})",
            hint="Choose another place with --out",
        ) from error


def quoted(path: Path) -> str:
    """Return a path as SQL text."""
    return "'" + str(path).replace("'", "''") + "'"


@lru_cache(maxsize=2)
def _writer(folder: Path | None) -> Any:
    """Return one engine for all tables of a folder: starting it takes longer than a small table."""
    within = [] if folder is None else [folder, folder.resolve()]
    return connect(threads=1, within=within, settings={"pandas_analyze_sample": "0"})
