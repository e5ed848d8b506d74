"""Functions that a process beside this one is asked to call."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from becalm.core.beside import Once
from becalm.core.errors import OutputError

T = TypeVar("T")


def process() -> int:
    return os.getpid()


def process_after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def itself(value: T) -> T:
    return value


def same(large: Once[Any]) -> int:
    return id(large.value)


def total(large: Once[Any]) -> int:
    return int(large.value["a"].sum())


def nothing() -> None:
    """Is quick."""


def loud(value: int) -> int:
    print("something")
    os.write(1, b"something else")
    return value


def failing() -> None:
    raise OutputError(f"it cannot be done in {os.getpid()}")


def unsendable() -> Callable[[], int]:
    return lambda: process()  # noqa: PLW0108


def killed_unless(here: int) -> int:
    if os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def sleeping(seconds: float) -> None:
    time.sleep(seconds)


def slow(here: int, mark: str) -> None:
    if os.getpid() == here:
        Path(mark).touch()
    time.sleep(60)
