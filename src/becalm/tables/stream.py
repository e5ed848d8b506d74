"""A written table that is never held whole: it comes in pieces, in the order of its keys."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from becalm import tables
from becalm.core.database import plain
from becalm.core.frame import Frame
from becalm.tables import writing

_BLOCK: Final = 65_536
"""Rows that are written at a time."""


def write(name: str, frames: Iterator[Frame], path: Path) -> int:
    """Write a table in the form of the path's suffix, and return how many rows it has.

    The pieces are laid end to end; where one begins changes nothing of the file. Raises
    `ValueError` where they are not in the order of the table's first key.
    """
    keys = tables.WRITTEN[name].key
    rows, last = 0, ""
    with tempfile.TemporaryDirectory(prefix=".becalm-", dir=path.parent) as folder:
        parts = Path(folder)
        for number, block in enumerate(_blocks(chain([tables.empty(name)], frames))):
            key = np.append(np.array([last], object), block[keys[0]])
            if (key[1:] < key[:-1]).any():
                raise ValueError(f"{name}: the pieces are not in the order of {keys[0]}")
            last, rows = key[-1], rows + len(block)
            with writing.writer(name, block, path.parent) as con:
                writing.copy(con, name, "given", parts / f"{number:09}.parquet")
        pattern = Path(plain(folder)) / "*.parquet"
        with writing.writer(name, tables.empty(name), path.parent) as con:
            writing.copy(con, name, f"read_parquet({writing.quoted(pattern)})", path)
    return rows


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
