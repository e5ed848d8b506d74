"""The tables of a study as its batches bring them: in memory while they are small, else on disk.

On disk a table is a series of pieces, one a batch, in a file of this process's own folder below TMPDIR. Its
frame looks like any other; a column is read from the file when somebody asks for it.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
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
    """A table whose pieces lie on disk."""

    stored: StoredTable

    def pieces(self) -> Iterator[Frame]:
        """Yield the piece of each batch, in their order; one is in memory at a time."""
        return self.stored.pieces()


@dataclass(frozen=True)
class StoredTable:
    """Where the pieces of a table lie: for each batch, for each column, begin and size in the file."""

    file: StoreFile
    schema: tuple[str, ...]
    places: tuple[Mapping[str, tuple[int, int]], ...]
    rows: int

    def frame(self) -> StoredFrame:
        """Return the table."""
        frame = StoredFrame.on_demand(OnDemand(self.schema, self._column), self.rows)
        object.__setattr__(frame, "stored", self)
        assert isinstance(frame, StoredFrame)
        return frame

    def _column(self, column: str) -> Held:
        return concatenated([_unpacked(self.file.read(*place[column])) for place in self.places])

    def pieces(self) -> Iterator[Frame]:
        """Yield the piece of each batch."""
        for place in self.places:
            yield Frame({column: _unpacked(self.file.read(*at)) for column, at in place.items()})


@dataclass(frozen=True)
class PackedTable:
    """A table as bytes: how it is kept on disk, and sent by another process."""

    rows: int
    columns: Mapping[str, bytes]

    def __len__(self) -> int:
        return self.rows

    def frame(self) -> Frame:
        """Return the table."""
        return Frame({name: _unpacked(bytearray(data)) for name, data in self.columns.items()})


def packed(frame: Frame | PackedTable) -> PackedTable:
    """Pack a table, if it is not packed already."""
    if isinstance(frame, PackedTable):
        return frame
    if not len(frame):
        return PackedTable(0, dict.fromkeys(frame.columns, b""))
    return PackedTable(
        len(frame), {name: _packed(held) for name, held in frame.columns.held.items()}
    )


class TableStore:
    """The pieces of tables, by the table's name."""

    def __init__(self) -> None:
        self._small: dict[str, list[Frame | PackedTable]] = {}
        self._cells = 0
        self._file: StoreFile | None = None
        self._places: dict[str, list[dict[str, tuple[int, int]]]] = {}
        self._rows: dict[str, list[int]] = {}

    def add(self, tables: Mapping[str, Frame | PackedTable]) -> None:
        """Add the tables of one batch. Raises `OutputError` where the disk is full."""
        for name, frame in tables.items():
            if len(frame):
                self._cells += len(frame) * len(frame.columns)
                self._small.setdefault(name, []).append(frame)
        if self._cells > IN_MEMORY or self._file is not None:
            self._to_disk()

    def _to_disk(self) -> None:
        self._file = self._file or StoreFile(scratch.new_place())
        for name, frames in self._small.items():
            for frame in frames:
                columns = packed(frame).columns
                place = {name: self._file.append(data) for name, data in columns.items()}
                self._places.setdefault(name, []).append(place)
                self._rows.setdefault(name, []).append(len(frame))
        self._small = {}

    def frame(self, table: Table) -> Frame:
        """Return a whole table."""
        if table.name not in self._places:
            small = self._small.get(table.name, [])
            frames = [each if isinstance(each, Frame) else each.frame() for each in small]
            return Frame.concat([table.empty(), *frames])
        assert self._file is not None
        rows = sum(self._rows[table.name])
        return StoredTable(self._file, tuple(table), tuple(self._places[table.name]), rows).frame()


class StoreFile:
    """A file to which bytes are appended and from which any of them are read; removed with its owner.

    Another process to which it is sent can read it.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._size = path, 0
        self._lock = threading.Lock()
        self._open = path.open("x+b", buffering=0)
        weakref.finalize(self, _remove, self._open, path)

    def __getstate__(self) -> Path:
        return self._path

    def __setstate__(self, path: Path) -> None:
        self._path, self._lock, self._open = path, threading.Lock(), path.open("rb", buffering=0)

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
