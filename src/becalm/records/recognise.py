"""The kind of RECORDS, and the source that reads it.

A source is a package in `becalm.records` with a module `registration`:

- `READS`: what it reads, in words, for the message about records that no source can read;
- `looks_like(where) -> bool`: whether records (a path, or an address `postgres://...`) are of its kind;
- `open_source(where) -> Source`: opens them;
- `would_read(file) -> bool`, if it reads what stands in a folder by its name: whether a new file would be taken
  for a part of the records where it stands.

The package's name is its name for `--source`. A new package is found without any further entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from becalm.core.errors import (
    OutputError,
    RecordsError,
    UnreadableFileError,
    UsageError,
    did_you_mean,
)
from becalm.core.files import exists, require_file
from becalm.core.registered import packages_with

if TYPE_CHECKING:
    from becalm.records.model import Source

REGISTRATION: Final = "registration"
KINDS: Final = packages_with("records", f"{REGISTRATION}.py")
"""The names of all registered sources, sorted."""


@dataclass(frozen=True)
class RegisteredSource:
    """A source as its package registers it."""

    name: str
    reads: str
    looks_like: Callable[[str], bool]
    open_source: Callable[[str], Source]
    would_read: Callable[[Path], bool] = field(default=lambda _: False)


def registered(name: str) -> RegisteredSource:
    """Return the source of a package of `becalm.records`."""
    module = import_module(f"becalm.records.{name}.{REGISTRATION}")
    would_read = getattr(module, "would_read", lambda _: False)
    return RegisteredSource(name, module.READS, module.looks_like, module.open_source, would_read)


def not_among_records(file: Path) -> None:
    """Raise `OutputError` if a file that does not exist yet would be read as a part of records."""
    if not file.exists() and any(registered(kind).would_read(file) for kind in KINDS):
        raise OutputError(
            "would be read as a part of the records there, at the next run",
            where=str(file),
            hint="Choose another name or another folder",
        )


def open_records(path: str, source: str | None = None, mapping: str | None = None) -> Source:
    """Open records of any kind; the kind is recognised unless `source` names it.

    path : a folder, a file or an address. With a `mapping`, the name of a shipped one or a file, they
    are flat tables that are read with it.

    What people judged is read with them, from the folder beside them (`records.review`).

    Raises `UsageError` for an unknown kind, `UnreadableFileError` for a path that does not exist,
    `RecordsError` if the kind is not recognised.
    """
    from becalm.records.review.reviewed import reviewed

    return reviewed(_opened(path, source, mapping), path)


def _opened(path: str, source: str | None, mapping: str | None) -> Source:
    """Open the records themselves."""
    if source is not None and source not in KINDS:
        raise UsageError(f"no source is called {source!r}", hint=did_you_mean(source, KINDS))
    if "://" in path:
        return _open_address(path, source)
    where = Path(path)
    if not exists(where):
        raise UnreadableFileError("no such file or folder", where=path, hint=_what_is_read())
    if not where.is_dir():
        require_file(where)
    if mapping is not None:
        if source is not None:
            raise UsageError("--source and --mapping exclude each other", hint="Keep --mapping")
        from becalm.records.mapped import load, open_mapped
        from becalm.records.redcap import open_redcap

        return open_redcap(where, mapping) if load(mapping).redcap else open_mapped(where, mapping)
    return registered(source or _recognise(where)).open_source(path)


def _open_address(address: str, source: str | None) -> Source:
    """Open records at an address, with the source that reads such addresses."""
    fits = [kind for kind in _fitting(address) if source in (None, kind)]
    if len(fits) == 1:
        return registered(fits[0]).open_source(address)
    scheme = address.partition("://")[0]
    if fits:
        raise RecordsError(
            f"both {' and '.join(fits)} read {scheme}://", hint="Choose one with --source"
        )
    raise UsageError(f"{scheme}:// is not read", hint=_what_is_read())


def _recognise(path: Path) -> str:
    fits = _fitting(str(path))
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise RecordsError(
            f"both {' and '.join(fits)} fit", where=str(path), hint="Choose one with --source"
        )
    raise RecordsError(
        "the kind of these records is not recognised", where=str(path), hint=_hint(path)
    )


def _fitting(where: str) -> list[str]:
    return [kind for kind in KINDS if registered(kind).looks_like(where)]


def _what_is_read() -> str:
    reads = ", or ".join(registered(kind).reads for kind in KINDS)
    return f"becalm reads {reads}; any other table can be read with --mapping"


def _hint(path: Path) -> str:
    """Return how to correct a path that is near readable records, else what can be read."""
    if path.is_file():
        if path.suffix.lower() == ".xls":
            return "An old .xls is not read: save it as .xlsx"
        inside = _fitting(str(path.parent))
        return f"Name the folder itself: {path.parent}" if inside else _what_is_read()
    files = sorted(path.iterdir())
    books = [p.name for p in files if p.suffix.lower() == ".xlsx" and not p.name.startswith("~$")]
    if books:
        return f"Name the workbook itself: {path / books[0]}"
    for folder in (*(p for p in files if p.is_dir()), path.resolve().parent):
        if _fitting(str(folder)):
            return f"Did you mean {str(folder)!r}?"
    return _what_is_read()
