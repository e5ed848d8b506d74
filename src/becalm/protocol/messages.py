"""What the types of a protocol refuse, in words of TOML, each at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final, get_args

import msgspec

from becalm.core import toml
from becalm.core.errors import did_you_mean
from becalm.core.toml_position import TomlMistake
from becalm.protocol.model import Protocol, ProtocolTable


def explain(message: str, document: dict[str, Any]) -> TomlMistake:
    """Turn the decoder's refusal of a document into a mistake at its place, in words of TOML."""
    said, _, path = message.partition(" - at `")
    at = path.removeprefix("key` in `").removesuffix("`").removeprefix("$").removeprefix(".")
    if "[...]" in at:
        at = _named(at, document)
    named = re.search(r"field `([^`]*)`", said)
    if named and "unknown" in said:
        word = named.group(1)
        known = (field.encode_name for field in _fields())
        here = f"{at}.{word}" if at else word
        return TomlMistake(here, f"unknown key {word!r}", did_you_mean(word, known))
    if named and "missing" in said:
        return TomlMistake(at, f"{named.group(1)!r} is missing")
    value = re.fullmatch(r"Invalid enum value '(.*)'", said)
    if value:
        word = value.group(1)
        here = f"{at}.{word}" if path.startswith("key`") else at
        hint = did_you_mean(word, _CHOICES)
        return TomlMistake(here, f"{word!r} cannot stand here", hint)
    return TomlMistake(at, toml.in_words(said))


def _named(at: str, document: dict[str, Any]) -> str:
    """Put the keys that are wrong in the place of each `[...]`, which is all that the decoder says."""
    document = deepcopy(document)
    said = _refusal(document)
    while "[...]" in at:
        table, _, rest = at.partition("[...]")
        inside: Any = document
        for name in table.split("."):
            inside = inside[name]
        whole = dict(inside)
        for key, value in whole.items():
            inside.clear()
            inside[key] = value
            if _refusal(document) == said:
                break
        else:
            return table
        at = f"{table}.{key}{rest}"
    return at


def _refusal(document: object) -> str:
    try:
        toml.typed(document, Protocol)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _fields() -> Iterator[msgspec.structs.FieldInfo]:
    for part in ProtocolTable.__subclasses__():
        yield from msgspec.structs.fields(part)


_CHOICES: Final = frozenset(
    word
    for field in _fields()
    for choices in (field.type, *get_args(field.type))
    for word in get_args(choices)
    if isinstance(word, str)
)
"""Every word that has to be one of a few."""
