"""A folder of this process alone below TMPDIR, for what does not fit into memory.

It is readable by its owner alone and removed when the process ends. What a killed process left is removed
when becalm next starts: its lock is free then.
"""

from __future__ import annotations

import atexit
import os
import re
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from becalm.core.errors import OutputError
from becalm.core.locks import LOCK, Lock, lock
from becalm.core.stopping import Hold

_NAME: Final = re.compile(r"becalm-\d+-[0-9a-f]{16}")


def new_place() -> Path:
    """Return a new name below this process's folder: for a file or a folder that the caller makes."""
    return folder() / secrets.token_hex(4)


def folder() -> Path:
    """Return this process's folder, made when it is first asked for."""
    below, process = Path(tempfile.gettempdir()), os.getpid()
    for held in _HELD:
        if held.folder.parent == below and held.folder.name.startswith(f"becalm-{process}-"):
            return held.folder
    made = None
    with Hold():  # or a signal between the two steps would leave a folder that nobody removes
        while made is None:
            try:
                made = lock(below / f"becalm-{process}-{secrets.token_hex(8)}")
            except OSError as error:
                raise OutputError(
                    f"no folder can be made there ({error.strerror})",
                    where=str(below),
                    hint="Free space there, or set TMPDIR to another disk",
                ) from error
        _HELD.append(made)
    return made.folder


def remove() -> None:
    """Remove this process's folder; the next one that is asked for is new."""
    while _HELD:
        held = _HELD.pop()
        if held.folder.name.startswith(f"becalm-{os.getpid()}-"):  # not after a fork
            _empty(held.folder)
            held.remove()


_HELD: Final[list[Lock]] = []
atexit.register(remove)


def sweep() -> None:
    """Remove the folders that processes left which are no more; only such as `folder` makes."""
    with suppress(OSError):
        below = Path(tempfile.gettempdir())
        for place in [each for each in below.iterdir() if _NAME.fullmatch(each.name)]:
            with suppress(OSError):
                if not place.is_symlink() and place.is_dir() and _is_mine(place):
                    _sweep(place)


def _is_mine(place: Path) -> bool:
    return not hasattr(os, "geteuid") or place.stat().st_uid == os.geteuid()


def _sweep(place: Path) -> None:
    held = lock(place, make=False)
    if held is not None:
        _empty(place)
        held.remove()
    else:
        place.rmdir()  # only if nothing is in it


def _empty(place: Path) -> None:
    for each in place.iterdir() if place.is_dir() else []:
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        elif each.name != LOCK:
            each.unlink(missing_ok=True)
