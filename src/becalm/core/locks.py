"""Whether the run that made a folder is still alive: it holds a lock, which ends with its process.

The lock is the system's (`flock`), so a process that was killed holds none, and a new process with the old
one's number is not taken for it.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows
    fcntl = None  # type: ignore[assignment]

LOCK: Final = "lock"
_NOT_THERE: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})


class Lock:
    """A lock that this process holds on a folder of its own."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._descriptor = descriptor

    def remove(self) -> None:
        """Remove the lock and its folder, which must have nothing else in it."""
        with suppress(OSError):
            (self.folder / LOCK).unlink()
        with suppress(OSError):
            self.folder.rmdir()
        self.leave()

    def leave(self) -> None:
        """Give the lock back, and leave the folder to the next run."""
        os.close(self._descriptor)


def lock(folder: Path, *, make: bool = True) -> Lock | None:
    """Take the lock of a folder; None if a living run holds it, or if the folder is not there.

    make : the folder is made, readable by its owner alone. Where the file system has no locks, nobody can tell
    whether the run is alive that left the lock's file, so it is treated as alive.
    """
    while True:
        if make:
            folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink():
            raise OSError(errno.EEXIST, "a link is in the way of a folder", str(folder))
        flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
        try:
            there = (folder / LOCK).exists()
            if not there and not make:
                return None
            descriptor = os.open(folder / LOCK, flags | os.O_CREAT, 0o600)
        except FileNotFoundError:
            if make:
                continue  # the run that held it has just removed the folder
            return None
        try:
            _flock(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            if error.errno not in _NOT_THERE or there:
                os.close(descriptor)
                if error.errno in _NOT_THERE:
                    return None
                raise
        if _is(descriptor, folder / LOCK):
            return Lock(folder, descriptor)
        os.close(descriptor)  # its holder removed it between the two steps


def _flock(descriptor: int) -> None:
    if fcntl is None:  # pragma: no cover - not on Windows
        raise OSError(errno.ENOSYS, "no locks")
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


WAIT_S: Final = 10.0
"""Seconds that a program waits for another one that writes a row."""
_AGAIN_S: Final = 0.01


@contextmanager
def held(file: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the lock of a file that is there for that alone, so that one program at a time writes beside it.

    The system gives the lock back when its holder ends, however it ends.

    Raises `OSError` where another program has held it for longer than `wait_s`.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = time.monotonic() + wait_s
        while not _taken(descriptor):
            if time.monotonic() > until:
                raise OSError(errno.EAGAIN, "another program is writing", str(file))
            time.sleep(_AGAIN_S)
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":  # pragma: no cover

    def _taken(descriptor: int) -> bool:
        """Take the lock of an open file, if nobody has it."""
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _taken(descriptor: int) -> bool:
        """Take the lock of an open file, if nobody has it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
