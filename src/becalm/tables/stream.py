"""A written table that is never held whole: it comes in pieces, in the order of its keys."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from becalm import tables
from becalm.core.database import plain
from becalm.core.frame import Frame
from becalm.tables import writing
from becalm.tables.store import StoredFrame

_BLOCK: Final = 65_536
"""Rows that are written at a time."""


def write(name: str, frames: Iterator[Frame], *paths: Path) -> int:
    """Write a table in the form of each path's suffix, and return how many rows it has.

    The pieces are laid end to end; where one begins changes nothing of a file. Raises
    `ValueError` where they are not in the order of the table's first key.
    """
    text = _Texts(name)
    blocks = _sorted(name, _blocks(chain([tables.empty(name)], map(text.looked_at, frames))))
    first, second = next(blocks), next(blocks, None)
    if second is None:
        writing.write_sorted(name, first, paths, text.inert)
        return len(first)
    rows = 0
    within = paths[0].parent
    with tempfile.TemporaryDirectory(prefix=".becalm-", dir=within) as folder:
        parts = Path(folder)
        for number, block in enumerate(chain([first, second], blocks)):
            rows += len(block)
            with writing.writer(name, block, within) as con:
                part = parts / f"{number:09}.parquet"
                writing.copy(con, name, "given", part, compression="snappy")
        pattern = Path(plain(folder)) / "*.parquet"
        with writing.writer(name, tables.empty(name), within) as con:
            for path in paths:
                rows_of = f"read_parquet({writing.quoted(pattern)})"
                writing.copy(con, name, rows_of, path, text.inert)
    return rows


def _sorted(name: str, blocks: Iterator[Frame]) -> Iterator[Frame]:
    """Yield the same blocks; `ValueError` where they are not in the order of the table's first key."""
    key, last = tables.WRITTEN[name].key[0], ""
    for block in blocks:
        found = np.append(np.array([last], object), block[key])
        if (found[1:] < found[:-1]).any():
            raise ValueError(f"{name}: the pieces are not in the order of {key}")
        last = found[-1]
        yield block


class _Texts:
    """Which columns of texts hold nothing that a spreadsheet would calculate, in the pieces that came so far."""

    def __init__(self, name: str) -> None:
        self.inert = frozenset(tables.WRITTEN[name])

    def looked_at(self, piece: Frame) -> Frame:
        """Look at a piece, and return it."""
        if self.inert and len(piece):
            self.inert &= writing.inert_columns(piece.select(sorted(self.inert)))
        return piece


def write_table(name: str, frame: Frame, folder: Path) -> None:
    """Write a table as Parquet and CSV, sorted by its key; of a table on disk one piece is in memory at a time."""
    if isinstance(frame, StoredFrame):
        paths = [folder / f"{name}.{form}" for form in ("parquet", "csv")]
        with suppress(_MixedError):  # otherwise the whole table is sorted
            write(name, _in_order(name, frame), *paths)
            return
    writing.write(name, frame, folder)


class _MixedError(Exception):
    """The pieces of a table do not follow each other."""


def _in_order(name: str, frame: StoredFrame) -> Iterator[Frame]:
    """Yield the pieces of a table, each sorted; `_MixedError` where one does not begin after the last one's end."""
    last, *keys = "", *tables.WRITTEN[name].key
    for piece in frame.pieces():
        ordered = piece.sort(*keys)
        begin, end = ordered.take(np.array([0, len(ordered) - 1]))[keys[0]].tolist()
        if not (isinstance(begin, str) and last < begin):
            raise _MixedError
        last = end
        yield ordered


def _blocks(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Cut the pieces anew, all of one length but the last; there is at least one."""
    held = [next(frames)]
    for frame in frames:
        held.append(frame)
        while sum(len(each) for each in held) > _BLOCK:
            whole = Frame.concat(held)
            yield whole.take(np.arange(_BLOCK))
            held = [whole.take(np.arange(_BLOCK, len(whole)))]
    yield Frame.concat(held)
