"""Reading a definition's file, and saying in one line what is wrong with it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from becalm.errors import DefinitionError, UnreadableFileError, did_you_mean, place
from becalm.scores.checks import Complaint, check
from becalm.scores.definition import Definition, Part

DEFINITIONS: Final = Path(__file__).parent
NOT_DEFINITIONS: Final = frozenset({"lookalikes"})


def shipped() -> tuple[str, ...]:
    """Return the names of the definitions that come with becalm."""
    names = {path.stem for path in DEFINITIONS.glob("*.toml")}
    return tuple(sorted(names - NOT_DEFINITIONS))


def load(name_or_path: str) -> Definition:
    """Read a shipped definition by name, or a user's own TOML file by path."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if name_or_path not in shipped():
            raise DefinitionError(
                f"no definition is called {name_or_path!r}",
                hint=f"{did_you_mean(name_or_path, shipped())} A file of your own ends in .toml",
            )
        return _shipped(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"cannot be read ({error})", where=str(path)) from error
    return parse(text, path.name)


@cache
def _shipped(name: str) -> Definition:
    path = DEFINITIONS / f"{name}.toml"
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(text: str, file: str) -> Definition:
    """Read a definition from TOML text; `file` is only for messages."""
    try:
        definition = msgspec.toml.decode(text, type=Definition)
    except msgspec.ValidationError as error:
        raise _explain(str(error), text, file) from error
    except msgspec.DecodeError as error:
        raise DefinitionError(f"is not valid TOML: {error}", where=file) from error
    try:
        check(definition)
    except Complaint as complaint:
        raise DefinitionError(
            complaint.what,
            where=place(file, _line_of(text, complaint.word)),
            hint=complaint.hint or None,
        ) from complaint
    return definition


def _explain(message: str, text: str, file: str) -> DefinitionError:
    """Turn the decoder's complaint into one line with the row and the nearest valid key."""
    unknown = re.search(r"unknown field `([^`]+)`", message)
    if unknown:
        word = unknown.group(1)
        known = {
            field.encode_name
            for part in Part.__subclasses__()
            for field in msgspec.structs.fields(part)
        }
        return DefinitionError(
            f"unknown key {word!r}",
            where=place(file, _line_of(text, word)),
            hint=did_you_mean(word, known),
        )
    at = re.search(r"at `\$\.?([^`]*)`", message)
    missing = re.search(r"missing required field `([^`]+)`", message)
    key = at.group(1).split(".")[-1].split("[")[0] if at else ""
    what = f"the key {missing.group(1)!r} is missing" if missing else message
    return DefinitionError(what, where=place(file, _line_of(text, key)))


def _line_of(text: str, word: str) -> int | None:
    """Return the line on which a key or a quoted name stands first."""
    pattern = re.compile(rf'(?:^|[\s\[{{,."])"?{re.escape(word)}"?\s*(?:[=\]",.]|$)')
    for number, line in enumerate(text.splitlines(), 1):
        if word and pattern.search(line.split("#")[0]):
            return number
    return None
