"""All tables of a study on disk. Of the large ones two processes write, each the largest that is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from becalm.core.beside import Beside
from becalm.core.frame import Frame
from becalm.tables import stream
from becalm.tables.store import StoredFrame, StoredTable


@contextmanager
def written(frames: Mapping[str, Frame], folder: Path, other: Beside) -> Iterator[None]:
    """Write tables by name while the block does something else; at its end this process helps with the large ones.

    Small ones are written on a thread: the other process would take longer to start.
    """
    small, large = _Left(), _Left()
    for name, frame in frames.items():
        (large if isinstance(frame, StoredFrame) else small).add(name, frame)
    with ThreadPoolExecutor(2) as pool:
        beside = [
            pool.submit(_write_all, small, folder, None),
            pool.submit(_write_all, large, folder, other),
        ]
        try:
            yield
            _write_all(large, folder, None)
        except BaseException:
            small.forget()
            large.forget()
            raise
        for each in beside:
            each.result()


class _Left:
    """Tables that nobody writes yet."""

    def __init__(self) -> None:
        self._tables: list[tuple[int, str, Frame]] = []
        self._lock = threading.Lock()

    def add(self, name: str, frame: Frame) -> None:
        self._tables.append((len(frame) * len(frame.columns), name, frame))

    def taken(self) -> Iterator[tuple[str, Frame]]:
        """Yield the largest that is left, until none is."""
        while True:
            with self._lock:
                if not self._tables:
                    return
                next_one = max(self._tables, key=lambda each: each[:2])
                self._tables.remove(next_one)
            yield next_one[1:]

    def forget(self) -> None:
        """Let nobody begin another one."""
        with self._lock:
            self._tables = []


def _write_all(left: _Left, folder: Path, other: Beside | None) -> None:
    for name, frame in left.taken():
        if other is not None and isinstance(frame, StoredFrame):
            other.call(_write_stored, name, frame.stored, folder)
        else:
            stream.write_table(name, frame, folder)


def _write_stored(name: str, stored: StoredTable, folder: Path) -> None:
    stream.write_table(name, stored.frame(), folder)
