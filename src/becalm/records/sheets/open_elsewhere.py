"""Files that are open in a spreadsheet program, which keeps a small file beside them meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from becalm.core.files import exists

CLOSE_IT = "It is open in another program: save it there, close it, and run again"
"""How to mend a file that cannot be read while it is open elsewhere."""


def kept_beside(file: Path) -> Path | None:
    """Return the file that Excel or LibreOffice keeps beside an open file; None where there is none."""
    names = f"~${file.name}", f".~lock.{file.name}#"
    return next((beside for name in names if exists(beside := file.with_name(name))), None)


def notices(files: Iterable[Path]) -> Iterator[str]:
    """Yield a notice for each file that is open elsewhere: it is read as it was saved last."""
    for file in files:
        if beside := kept_beside(file):
            yield (
                f"{file.name} is open in another program ({beside.name} is beside it): it was read as it was saved last. "
                "If no program has it open, remove that file"
            )
