"""Numbers and names that ship as TOML: one cached loader, one base class, one error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from becalm.core.errors import DefinitionError


class TomlTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a TOML file: read-only, made with keyword arguments, and without unknown keys."""


T = TypeVar("T")


def load(path: Path, kind: type[T]) -> T:
    """Read a file that ships with becalm as a struct; each file is read once.

    kind : a `TomlTable`. Keys of a table may be numbers (`grades = { 2 = 1.5 }`).

    Raises
    ------
    DefinitionError
        Where the file is not valid TOML or does not have the keys of `kind`; the message names the file.

    >>> from tempfile import TemporaryDirectory
    >>> class Rule(TomlTable, frozen=True):
    ...     holds: str
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "rule.toml"
    ...     _ = file.write_text('holds = "7d"')
    ...     load(file, Rule).holds
    '7d'
    """
    hashable: Any = kind
    return cast("T", _read(path, hashable))


@cache
def _read(path: Path, kind: Any) -> Any:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind, strict=False)
    except msgspec.DecodeError as error:
        raise DefinitionError(str(error), where=path.name) from error
