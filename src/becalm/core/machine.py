"""What the machine does not give: memory and threads. Told as what it is, not as a bug of becalm."""

from __future__ import annotations

import errno
import gc
import os
from collections.abc import Iterator
from typing import Final

from becalm.core.errors import BecalmError

LEAST: Final = 256 << 20
"""Bytes of addresses without which no command starts."""
_SIGNS: Final = (
    "cannot allocate memory", "failed to map segment", "can't start new thread", "std::bad_alloc",
    "could not allocate", "failed to allocate", "resource temporarily unavailable", "out of memory",
)  # fmt: skip
_NUMBERS: Final = frozenset({errno.ENOMEM, errno.EAGAIN})


_YOUNG: Final = 50_000
"""New objects after which the next search begins; Python's own number is 700."""


class TooLittleMemoryError(BecalmError):
    """The machine, or a limit that it sets, gives a command too little memory or too few threads."""

    exit_code = 9


def use_one_thread_for_algebra() -> None:
    """Keep NumPy's library from starting threads: becalm needs none, and each takes memory.

    Where the machine allows no further thread, it would stop the command as Ctrl-C does. To be called before
    NumPy is imported; what the user has set stays.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def collect_less_often() -> None:
    """Let Python look for unreachable objects less often; for processes of becalm's own, not for a notebook.

    Tables are made of many small objects that stay, and each search looks at them again.
    """
    gc.set_threshold(_YOUNG, 20, 50)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def address_space_is_limited() -> bool:
    """Return whether this session may use only a part of the machine's address space (`ulimit -v`)."""
    try:
        import resource
    except ImportError:  # pragma: no cover - on Windows
        return False
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return soft != resource.RLIM_INFINITY


def require_memory() -> None:
    """Raise `TooLittleMemoryError` where a limit of this session leaves less than becalm needs to start.

    NumPy's library would end the process by itself.
    """
    try:
        import resource
    except ImportError:  # pragma: no cover - on Windows
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY and soft < LEAST:
        raise _too_little()


def shortage(error: BaseException) -> TooLittleMemoryError | None:
    """Return the message for an error that comes from too little memory or too few threads; else None.

    >>> shortage(ValueError("no")) is None
    True
    >>> shortage(MemoryError()).exit_code
    9
    """
    for each in _chain(error):
        if isinstance(each, MemoryError) or type(each).__name__ == "OutOfMemoryException":
            return _too_little()
        if isinstance(each, OSError) and each.errno in _NUMBERS:
            return _too_little()
        told = str(each).lower()
        if isinstance(each, ImportError) and (not told or address_space_is_limited()):
            return _too_little()
        if not isinstance(each, BecalmError) and any(sign in told for sign in _SIGNS):
            return _too_little()
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _too_little() -> TooLittleMemoryError:
    limit = "; this session has a limit (ulimit -v)" if address_space_is_limited() else ""
    return TooLittleMemoryError(
        f"the machine gives too little memory or too few threads{limit}",
        hint="Close other programs, raise the limit, or use a machine with more memory",
    )
