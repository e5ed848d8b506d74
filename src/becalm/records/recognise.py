"""Which kind RECORDS is, and the source that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from becalm.core.errors import RecordsError, UnreadableFileError, UsageError, did_you_mean

if TYPE_CHECKING:
    from becalm.records import Source

KINDS: Final = ("sheets", "mimic4")
_WHAT_IS_READ: Final = (
    "Give a folder with persons.csv (or .parquet), one .xlsx workbook with a sheet 'persons', "
    "or a MIMIC-IV folder with hosp/ and icu/; any other table can be read with --mapping"
)


def open_records(path: str, source: str | None = None, mapping: str | None = None) -> Source:
    """Open records of whichever kind they are; `source` overrides what they look like.

    With a `mapping`, the name of one that is shipped or a file, they are flat tables of a layout
    that only it knows.

    Raises `UsageError` for an unknown kind, `UnreadableFileError` for a path that is not there,
    `RecordsError` where the kind cannot be recognised.
    """
    if source is not None and source not in KINDS:
        raise UsageError(f"no source is called {source!r}", hint=did_you_mean(source, KINDS))
    if "://" in path:
        scheme = path.partition("://")[0]
        raise UsageError(f"{scheme}:// is not read", hint=_WHAT_IS_READ)
    where = Path(path)
    if not where.exists():
        raise UnreadableFileError("no such file or folder", where=path, hint=_WHAT_IS_READ)
    if mapping is not None:
        if source is not None:
            raise UsageError("--source and --mapping exclude each other", hint="Keep --mapping")
        from becalm.records.mapped import open_mapped

        return open_mapped(where, mapping)
    return _open(where, source or _recognise(where))


def _open(path: Path, kind: str) -> Source:
    if kind == "sheets":
        from becalm.records.sheets import open_sheets

        return open_sheets(path)
    from becalm.records.mimic4 import open_mimic4

    return open_mimic4(path)


def _recognise(path: Path) -> str:
    fits = _fitting(path)
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise RecordsError(
            f"both {' and '.join(fits)} fit", where=str(path), hint="Say which with --source"
        )
    raise RecordsError("these records are of no known kind", where=str(path), hint=_hint(path))


def _fitting(path: Path) -> list[str]:
    from becalm.records import mimic4, sheets

    return [
        kind
        for kind, fits in (("sheets", sheets.looks_like), ("mimic4", mimic4.looks_like))
        if fits(path)
    ]


def _hint(path: Path) -> str:
    """Say how to mend a path that is near something readable, else what can be read."""
    if path.is_file():
        if path.suffix.lower() == ".xls":
            return "An old .xls is not read: save it as .xlsx"
        return f"Give the folder itself: {path.parent}" if _fitting(path.parent) else _WHAT_IS_READ
    inside = sorted(path.iterdir())
    books = [p.name for p in inside if p.suffix.lower() == ".xlsx" and not p.name.startswith("~$")]
    if books:
        return f"Give the workbook itself: {path / books[0]}"
    for folder in (*(p for p in inside if p.is_dir()), path.resolve().parent):
        if _fitting(folder):
            return f"Did you mean {str(folder)!r}?"
    return _WHAT_IS_READ
