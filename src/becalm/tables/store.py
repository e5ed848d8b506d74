"""The tables of a study as its batches bring them: in memory while they are small, else on disk.

On disk a table is a series of pieces, one a batch, in a file of this process's own folder below TMPDIR. Its
frame looks like any other; a column is read from the file when somebody asks for it.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from becalm.core import scratch
from becalm.core.columns import Categorical, Held, Keyed, concatenated, listed
from becalm.core.errors import OutputError
from becalm.core.frame import Frame
from becalm.core.on_demand import OnDemand
from becalm.tables.schema import Table

IN_MEMORY: Final = 3_000_000
"""Cells of all tables together that are kept in memory; with more, all pieces go to disk."""
_ANSWERS: Final = np.array([False, True, None], dtype=object)
_UNKNOWN: Final = 2


class _Numbers(msgspec.Struct, tag="n", array_like=True):
    dtype: str
    data: bytes


class _Answers(msgspec.Struct, tag="a", array_like=True):
    data: bytes


class _Texts(msgspec.Struct, tag="t", array_like=True):
    code: bytes
    texts: list[str]


class _Keys(msgspec.Struct, tag="k", array_like=True):
    code: bytes
    texts: list[str]
    key: bytes


_Column = _Numbers | _Answers | _Texts | _Keys
_READ: Final = msgspec.msgpack.Decoder(_Column)


class StoredFrame(Frame):
    """A table whose pieces lie on disk.

    pieces : yields the piece of each batch, in their order; one is in memory at a time.
    """

    pieces: Callable[[], Iterator[Frame]]


class TableStore:
    """The pieces of tables, by the table's name."""

    def __init__(self) -> None:
        self._small: dict[str, list[Frame]] = {}
        self._cells = 0
        self._file: _File | None = None
        self._places: dict[str, list[dict[str, tuple[int, int]]]] = {}
        self._rows: dict[str, list[int]] = {}

    def add(self, tables: Mapping[str, Frame]) -> None:
        """Add the tables of one batch. Raises `OutputError` where the disk is full."""
        for name, frame in tables.items():
            if len(frame):
                self._cells += len(frame) * len(frame.columns)
                self._small.setdefault(name, []).append(frame)
        if self._cells > IN_MEMORY or self._file is not None:
            self._to_disk()

    def _to_disk(self) -> None:
        self._file = self._file or _File(scratch.new_place())
        for name, frames in self._small.items():
            for frame in frames:
                place = {
                    column: self._file.append(_packed(held))
                    for column, held in frame.columns.held.items()
                }
                self._places.setdefault(name, []).append(place)
                self._rows.setdefault(name, []).append(len(frame))
        self._small = {}

    def frame(self, table: Table) -> Frame:
        """Return a whole table."""
        if table.name not in self._places:
            return Frame.concat([table.empty(), *self._small.get(table.name, [])])
        columns = OnDemand(table, lambda column: self._column(table.name, column))
        frame = StoredFrame.on_demand(columns, sum(self._rows[table.name]))
        object.__setattr__(frame, "pieces", partial(self._pieces, table.name))
        return frame

    def _column(self, name: str, column: str) -> Held:
        assert self._file is not None
        parts = [_unpacked(self._file.read(*place[column])) for place in self._places[name]]
        return concatenated(parts)

    def _pieces(self, name: str) -> Iterator[Frame]:
        """Yield the pieces of a table on disk."""
        assert self._file is not None
        for place in self._places[name]:
            yield Frame({column: _unpacked(self._file.read(*at)) for column, at in place.items()})


class _File:
    """A file to which bytes are appended and from which any of them are read; removed with its owner."""

    def __init__(self, path: Path) -> None:
        self._path, self._size = path, 0
        self._lock = threading.Lock()
        self._open = path.open("x+b", buffering=0)
        weakref.finalize(self, _remove, self._open, path)

    def append(self, data: bytes) -> tuple[int, int]:
        """Write bytes and return where they begin and how many they are."""
        with self._lock:
            begin, left = self._size, memoryview(data)
            try:
                self._open.seek(begin)
                while left:
                    left = left[self._open.write(left) :]
            except OSError as error:
                raise OutputError(
                    f"the tables of a large study do not fit there ({error.strerror})",
                    where=str(self._path.parent.parent),
                    hint="Free space there, or set TMPDIR to another disk",
                ) from error
            self._size += len(data)
        return begin, len(data)

    def read(self, begin: int, size: int) -> bytearray:
        """Return bytes that were appended."""
        data = bytearray(size)
        left = memoryview(data)
        with self._lock:
            self._open.seek(begin)
            while left:
                left = left[self._open.readinto(left) :]
        return data


def _remove(file: FileIO, path: Path) -> None:
    file.close()
    with suppress(OSError):
        path.unlink()


def _packed(held: Held) -> bytes:
    column: _Column
    if isinstance(held, Keyed):
        column = _Keys(held.table.code.tobytes(), held.table.texts.tolist(), held.key.tobytes())
    elif isinstance(held, Categorical) or _is_text(held):
        coded = held if isinstance(held, Categorical) else Categorical.of(held)
        if len(coded.texts) > len(coded):
            coded = Categorical.of(coded.written())
        column = _Texts(coded.code.tobytes(), coded.texts.tolist())
    elif held.dtype == object:
        codes = [_UNKNOWN if each is None else int(bool(each)) for each in held.tolist()]
        column = _Answers(bytes(codes))
    else:
        column = _Numbers(held.dtype.str, held.tobytes())
    return msgspec.msgpack.encode(column)


def _is_text(held: Any) -> bool:
    return held.dtype == object and isinstance(held[0], str)


def _unpacked(data: bytearray) -> Held:
    column: _Column = _READ.decode(data)
    if isinstance(column, _Numbers):
        return np.frombuffer(column.data, column.dtype)
    if isinstance(column, _Answers):
        return _ANSWERS[np.frombuffer(column.data, np.int8)]
    coded = Categorical(np.frombuffer(column.code, np.int32), listed(column.texts))
    if isinstance(column, _Texts):
        return coded
    return Keyed(coded, np.frombuffer(column.key, np.int64))
