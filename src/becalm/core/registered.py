"""What is registered by lying in its place: the packages of a room that hold a certain file.

Only names of files are read, nothing is imported, so the command line may ask while it writes its
help.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[1]


def packages_with(room: str, file: str, package: Path = PACKAGE) -> tuple[str, ...]:
    """Return the names of the packages of a room of becalm that hold a file, sorted.

    >>> "sheets" in packages_with("records", "registration.py")
    True
    """
    return tuple(sorted(path.parent.name for path in (package / room).glob(f"*/{file}")))
