"""Every number of the shipped TOML files, by the path of its key, and the moments around an edge.

A test of edges is made from a file: it walks the file, and each key has either a way to test it or
a reason why it has no edge. A key with neither fails, so that a new window is tested at once or
the test says that nobody knows how.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import becalm

PACKAGE = Path(becalm.__file__).parent
MINUTE = 1 / 60
"""One minute, in hours."""
_LENGTH = re.compile(r"(<=)?(\d+(?:\.\d+)?)(min|h|d)")
_HOURS = {"min": 1 / 60, "h": 1.0, "d": 24.0}


@cache
def read(name: str) -> dict[str, Any]:
    """Return a shipped file as TOML says it, not as the package reads it."""
    return tomllib.loads((PACKAGE / name).read_text(encoding="utf-8"))


def files(folder: str) -> list[str]:
    """Return the TOML files of a folder of the package, by their paths in it."""
    return sorted(str(file.relative_to(PACKAGE)) for file in (PACKAGE / folder).glob("*.toml"))


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each key's path and value; `[]` stands for any entry of a list of tables."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from walk(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for each in value:
            yield from walk(each, f"{path}[]")
    else:
        yield path, value


def unknown_keys(name: str, *known: Mapping[str, object]) -> list[str]:
    """Return the keys of a file that none of the mappings of patterns knows; `*` is any one key."""
    patterns = [
        re.compile(re.escape(pattern).replace(r"\*", r"[^.\[\]]+"))
        for each in known
        for pattern in each
    ]
    return sorted(
        {
            path
            for path, _ in walk(read(name))
            if not any(pattern.fullmatch(path) for pattern in patterns)
        }
    )


def hours(text: str) -> float:
    """Return a length of time in hours, without regard to `<=`."""
    found = _LENGTH.fullmatch(text)
    assert found, f"{text!r} is not a length of time"
    return float(found[2]) * _HOURS[found[3]]


def inclusive(text: str) -> bool:
    """Whether a look-back includes its far end: `<=48h` does, `48h` does not."""
    return text.startswith("<=")


def around(hour: float) -> tuple[float, float, float]:
    """One minute before, at, and one minute after."""
    return hour - MINUTE, hour, hour + MINUTE


PROTOCOLS = files("protocol/shipped")
DAY = 24.0
"""In hours."""


def having(*path: str) -> list[str]:
    """Return the names of the protocols whose file has a key."""
    found = []
    for file in PROTOCOLS:
        value: Any = read(file)
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            found.append(read(file)["name"])
    return found


def protocol_file(name: str) -> dict[str, Any]:
    """Return the file of a protocol, as TOML says it."""
    return next(read(file) for file in PROTOCOLS if read(file)["name"] == name)
