"""Signals that stop a run: Ctrl-C, SIGTERM and SIGHUP end it alike, after it has cleaned up.

The command line `watch`es for them, and each becomes the exception `Stopped`. Code that must not be cut
in two (the final moves of results, the removal of a stage) does its work while a `Hold` keeps them back.
A query of DuckDB does not see signals while it runs, so a thread interrupts the connections that were named
by `interruptible`.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final, Self, TypeVar
from weakref import WeakSet

SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_AGAIN_S: Final = 0.05
"""Seconds until running queries are interrupted once more: one may have begun meanwhile."""

Connection = TypeVar("Connection")


class Stopped(BaseException):
    """Somebody stopped the run. It is no `Exception`: nothing between may take it for a failure."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)

    @property
    def exit_code(self) -> int:
        """130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP, as shells count."""
        return 128 + self.number


class _State:
    """What this process was told: the first signal, and the connections that may be at work."""

    def __init__(self) -> None:
        self.requested: int | None = None
        self.connections: WeakSet[Any] = WeakSet()
        self.lock = threading.Lock()
        self.written: list[Path] = []


_STATE: Final = _State()


def check() -> None:
    """Raise `Stopped` if a signal has come whose exception a library lost."""
    if _STATE.requested is not None:
        raise Stopped(_STATE.requested)


def wrote(places: Iterable[Path]) -> None:
    """Note what is written completely, for the sentence about a run that was stopped."""
    _STATE.written.extend(places)


def written() -> list[Path]:
    """Return what this run has written completely, in order."""
    return list(_STATE.written)


def interruptible(connection: Connection) -> Connection:
    """Return a connection or cursor of DuckDB; what it runs is interrupted when the run is stopped."""
    with _STATE.lock:
        _STATE.connections.add(connection)
    return connection


@contextmanager
def watched() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into `Stopped`; a signal that is ignored stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _STATE.requested = None
    _STATE.written.clear()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    ours = [number for number, how in before.items() if how not in (signal.SIG_IGN, None)]
    hear, tell = socket.socketpair()
    tell.setblocking(False)
    ended = threading.Event()
    thread = threading.Thread(target=_interrupt, args=(hear, ended, tuple(ours)), daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the machine allows no further thread
        hear.close()
        tell.close()
        raise
    wakeup = signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    try:
        for number in ours:
            signal.signal(number, _stop)
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
        signal.set_wakeup_fd(wakeup)
        ended.set()
        tell.close()
        thread.join()
        hear.close()
        _STATE.requested = None


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    _STATE.requested = number
    raise Stopped(number)


def _interrupt(hear: socket.socket, ended: threading.Event, ours: tuple[int, ...]) -> None:
    """Wait for a signal; then interrupt every query until the run has ended."""
    while byte := hear.recv(1):
        if byte[0] in ours:
            break
    else:
        return
    if _STATE.requested is None:
        _STATE.requested = byte[0]
    while not ended.wait(_AGAIN_S):
        with _STATE.lock:
            connections = list(_STATE.connections)
        for each in connections:
            with suppress(Exception):  # it is closed, or has nothing to do
                each.interrupt()


class Hold:
    """Keeps signals back while it holds; the first of them comes after it.

    In other threads than the main one it does nothing: signals never come there.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._came: list[int] = []

    def __enter__(self) -> Self:
        self.hold()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def hold(self) -> None:
        """Keep signals back from now on."""
        if self._before or threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._before[number] = signal.signal(number, self._keep)

    def release(self) -> None:
        """Let signals through again, first the one that came meanwhile."""
        before, self._before = self._before, {}
        for number, how in before.items():
            signal.signal(number, how)
        if self._came:
            came, self._came = self._came, []
            signal.raise_signal(came[0])

    def _keep(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._came.append(number)
