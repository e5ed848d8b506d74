"""The row of a key in a TOML file, and mistakes that name this row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from becalm.core.errors import DefinitionError, place

_KEY: Final = r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'"""
_HEADER: Final = re.compile(rf"\s*(\[\[?)\s*((?:{_KEY})(?:\s*\.\s*(?:{_KEY}))*)\s*\]")
_ASSIGNED: Final = re.compile(rf"\s*((?:{_KEY})(?:\s*\.\s*(?:{_KEY}))*)\s*=")
_INLINE: Final = re.compile(rf"[{{,]\s*({_KEY})\s*=")


@dataclass(frozen=True)
class TomlPositions:
    """The row of every key of a TOML text, by its path: `storm.definite[0].criterion`."""

    rows: Mapping[str, int]

    @classmethod
    def of(cls, text: str) -> TomlPositions:
        """Find the row of each table and each key, also of keys in inline tables on one line."""
        rows: dict[str, int] = {}
        seen: Counter[str] = Counter()
        table = ""
        for number, line in enumerate(text.splitlines(), 1):
            header, assigned = _HEADER.match(line), _ASSIGNED.match(line)
            if header:
                table = _inside(header.group(2), seen, whole=header.group(1) == "[")
                if header.group(1) == "[[":
                    seen[table] += 1
                    table = f"{table}[{seen[table] - 1}]"
                rows.setdefault(table, number)
            elif assigned:
                at = ".".join(part for part in (table, _path(assigned.group(1))) if part)
                rows.setdefault(at, number)
                for inner in _INLINE.finditer(line, assigned.end()):
                    rows.setdefault(f"{at}.{_path(inner.group(1))}", number)
        return cls(rows)

    def row(self, path: str) -> int | None:
        """Return the row of a path, or of the nearest part of it that the file has."""
        while path:
            for at in (path, f"{path}[0]"):
                if at in self.rows:
                    return self.rows[at]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return None


def _inside(key: str, seen: Counter[str], *, whole: bool) -> str:
    """Return a table's path; a name that several tables have means the last one so far."""
    parts = [_path(part) for part in re.findall(_KEY, key)]
    path = ""
    for number, part in enumerate(parts, 1):
        path = f"{path}.{part}" if path else part
        if seen[path] and (whole or number < len(parts)):
            path = f"{path}[{seen[path] - 1}]"
    return path


def _path(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in re.findall(_KEY, key))


@lru_cache(maxsize=2)
def _positions(text: str) -> TomlPositions:
    """Return the rows of a text; several mistakes are found in one reading."""
    return TomlPositions.of(text)


@dataclass(frozen=True)
class TomlMistake:
    """What is wrong at one place of a TOML file; `at` is its path, `storm.definite[0].criterion`."""

    at: str
    what: str
    hint: str = ""

    def row(self, text: str) -> int:
        """Return the row of the mistake, 0 if it concerns the whole file."""
        return _positions(text).row(self.at) or 0

    def error(self, text: str, file: str) -> DefinitionError:
        """Return the mistake as an error that names the row."""
        where = place(file, _positions(text).row(self.at))
        return DefinitionError(
            self.what, where=f"{where}, {self.at}" if self.at else where, hint=self.hint or None
        )
