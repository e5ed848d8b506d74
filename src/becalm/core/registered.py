"""Packages that are registered by a file of a certain name in their folder.

Only file names are read and nothing is imported, so `becalm --help` stays fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[1]


def packages_with(room: str, file: str, package: Path = PACKAGE) -> tuple[str, ...]:
    """Return the sorted names of the packages in the folder `room` that contain `file`.

    >>> "sheets" in packages_with("records", "registration.py")
    True
    """
    return tuple(sorted(path.parent.name for path in (package / room).glob(f"*/{file}")))
