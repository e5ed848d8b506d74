"""Numbers and names that ship as TOML: one cached loader, one base class, one error."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec

from becalm.core.clock import Length
from becalm.core.errors import DefinitionError


class TomlTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a TOML file: read-only, made with keyword arguments, and without unknown keys."""


T = TypeVar("T")

_TOO_DEEP: Final = "tables within tables, or lists within lists, are too deep"
ONE_KEY_A_LINE: Final = 'Write one key = "value" a line, and each key once in its table'
"""How to mend a file that is not TOML."""

_IN_WORDS: Final = {
    "int": "a whole number", "float": "a number", "str": "a text in quotes", "bool": "true or false",
    "object": "a table", "array": "a list in [ ]", "date": "a date", "datetime": "a date with a time",
    "time": "a time of day",
}  # fmt: skip
_CALLED: Final = {bool: "bool", int: "int", float: "float", list: "array", dict: "object"}


def read_as(kind: type[Any], value: Any) -> Any:
    """Read a value of a file as a type that TOML does not have: a length of time.

    It is handed to the decoder (`dec_hook`), which adds the place of the mistake to what is raised here.
    """
    if issubclass(kind, Length):
        if not isinstance(value, str):
            got = _CALLED.get(type(value), type(value).__name__)
            raise TypeError(f"Expected `str`, got `{got}`")
        return kind(value)
    raise TypeError(f"no file has a {kind.__name__}")


def as_written(value: Any) -> str:
    """Return a length of time as the text of its file, for an encoder (`enc_hook`)."""
    if isinstance(value, Length):
        return str(value)
    raise TypeError(f"no file can hold a {type(value).__name__}")


DEEPEST: Final = 32
"""Greatest number of tables and lists within one another; no file of becalm needs ten."""

_PART: Final = r"""(?:[\w-]++|"[^"\n]{0,99}"|'[^'\n]{0,99}')"""
_DOTTED: Final = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{DEEPEST}}}")
"""A key of more parts: reading it takes a time that grows with the square of their number."""


def document(text: str, file: str) -> dict[str, Any]:
    """Return the text of a file of definitions as `parsed` does. Raises `DefinitionError` for what is not TOML."""
    try:
        return parsed(text)
    except ValueError as error:
        raise DefinitionError(
            f"is not valid TOML: {error}", where=file, hint=ONE_KEY_A_LINE
        ) from error


def parsed(text: str) -> dict[str, Any]:
    """Return a TOML text as plain tables and lists.

    Raises `ValueError`, with the reason, for what is not TOML, and for tables within tables without end.

    >>> parsed("a = [1, 2]")
    {'a': [1, 2]}
    """
    if _DOTTED.search(text):
        raise ValueError(_TOO_DEEP)
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    held: list[Any] = [document]
    for _ in range(DEEPEST):
        held = [
            inner
            for each in held
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not held:
            return document
    raise ValueError(_TOO_DEEP)


def in_words(refusal: str) -> str:
    """Return what the decoder refuses, a value of another type, in words of TOML; other texts as they are.

    >>> in_words("Expected `float | null`, got `str`"), in_words("Invalid enum value 'mean'")
    ('needs a number, not a text in quotes', "Invalid enum value 'mean'")
    """
    types = re.fullmatch(r"Expected `([^`]+)`(.*), got `([^`]+)`", refusal)
    if not types:
        return refusal
    wanted = [_IN_WORDS.get(word, word) for word in types[1].split(" | ") if word != "null"]
    got = "a decimal number" if types[3] == "float" else _IN_WORDS.get(types[3], types[3])
    return f"needs {' or '.join(wanted)}{types[2]}, not {got}"


def typed(document: Any, kind: type[T]) -> T:
    """Return a decoded document as a struct. Raises `msgspec.ValidationError` for the first mistake."""
    return msgspec.convert(document, kind, dec_hook=read_as)


def load(path: Path, kind: type[T]) -> T:
    """Read a file that ships with becalm as a struct; each file is read once.

    kind : a `TomlTable`. Keys of a table may be numbers (`grades = { 2 = 1.5 }`).

    Raises
    ------
    DefinitionError
        Where the file is not valid TOML or does not have the keys of `kind`; the message names the file.

    >>> from tempfile import TemporaryDirectory
    >>> from becalm.core.clock import Length
    >>> class Rule(TomlTable, frozen=True):
    ...     holds: Length
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "rule.toml"
    ...     _ = file.write_text('holds = "7d"')
    ...     load(file, Rule).holds.us // 3_600_000_000
    168
    """
    hashable: Any = kind
    return cast("T", _read(path, hashable))


@cache
def _read(path: Path, kind: Any) -> Any:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind, strict=False, dec_hook=read_as)
    except msgspec.DecodeError as error:
        raise DefinitionError(str(error), where=path.name) from error
