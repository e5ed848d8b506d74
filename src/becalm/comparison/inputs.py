"""What differs between what two runs were given, as far as their manifests say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

ABSENT: Final = "(none)"
"""Printed for what one of the two runs does not have."""
NOT_RECORDED: Final = "(not recorded)"
"""Printed for what the manifest of one run does not say at all, such as that of an older version."""
_HASH: Final = 12
"""Characters of a hash that are printed."""
_CONSEQUENCES: Final = frozenset(
    {"kind", "counts", "rows", "notices", "citations", "unverified", "files", "inputs"}
)
"""Keys of a manifest that tell of the results; `inputs` is compared file by file."""
_PARTS: Final = {
    "becalm": "program",
    "python": "program",
    "duckdb": "program",
    "numpy": "program",
    "source": "records",
    "records": "records",
    "illustrative": "records",
}


@dataclass(frozen=True)
class InputDifference:
    """One thing that differs. part : program, records, file, words, protocol, definitions or a key of the manifest."""

    part: str
    name: str
    old: str
    new: str

    @property
    def certain(self) -> bool:
        """Whether both manifests say it, so that it certainly differs."""
        return NOT_RECORDED not in {self.old, self.new}


def input_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[InputDifference]:
    """Return what differs between the inputs of two manifests: program, files, words, protocol, definitions.

    >>> input_differences({"protocol": {"min_age": 18}}, {"protocol": {"min_age": 16}})
    [InputDifference(part='protocol', name='min_age', old='18', new='16')]
    """
    found = []
    for key in dict.fromkeys((*old, *new)):
        if key in _CONSEQUENCES:
            continue
        begin = key if key in _PARTS else ""
        for name, was, now in _unequal(old.get(key, _NOTHING), new.get(key, _NOTHING), begin):
            told = (_told(name, each) for each in (was, now))
            found.append(InputDifference(_PARTS.get(key, key), name, *told))
    return [*found, *_files(old.get("inputs"), new.get("inputs"))]


_NOTHING: Final = object()


def _told(name: str, value: Any) -> str:
    """Return a value as it is printed.

    A key that is missing was not set, but every version that knows a hash, or a part of the manifest, writes it.
    """
    if value is _NOTHING and (not name or name.endswith("sha256")):
        return NOT_RECORDED
    shown = _shown(value)
    return shown[:_HASH] if name.endswith("sha256") else shown


def _files(old: Any, new: Any) -> Iterator[InputDifference]:
    before, after = _by_name(old), _by_name(new)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield InputDifference("file", name, _file(before.get(name)), _file(after.get(name)))


def _by_name(files: Any) -> dict[str, Mapping[str, Any]]:
    listed = files if isinstance(files, list) else []
    return {str(each.get("name")): each for each in listed if isinstance(each, Mapping)}


def _file(facts: Mapping[str, Any] | None) -> str:
    if facts is None:
        return ABSENT
    size, digest = facts.get("bytes"), str(facts.get("sha256", ""))[:_HASH]
    return f"{size:,} bytes, SHA-256 {digest}" if isinstance(size, int) else f"SHA-256 {digest}"


def _unequal(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the dotted name of each value that differs, with both values."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            inner = f"{path}.{key}" if path else str(key)
            yield from _unequal(old.get(key, _NOTHING), new.get(key, _NOTHING), inner)
    elif _of_tables(old) and _of_tables(new):
        yield from _of_lists(old, new, path)
    else:
        yield path, old, new


def _of_tables(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, Mapping) for each in value)


def _of_lists(old: list[Any], new: list[Any], path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield what differs between two lists of tables: by position, or, where a table came or went, as a whole."""
    if len(old) == len(new):
        for number, (was, now) in enumerate(zip(old, new, strict=True), 1):
            yield from _unequal(was, now, f"{path}[{number}]")
        return
    yield from ((path, each, _NOTHING) for each in old if each not in new)
    yield from ((path, _NOTHING, each) for each in new if each not in old)


def _shown(value: Any) -> str:
    if value is None or value is _NOTHING:
        return ABSENT
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
