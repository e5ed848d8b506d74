"""Reading a definition's file; every mistake is reported with its place and how to correct it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from becalm.core import toml
from becalm.core.errors import DefinitionError, UnreadableFileError, did_you_mean, place
from becalm.core.files import LARGEST_TOML, read_text
from becalm.core.old_keys import bring_up_to_date
from becalm.definitions.model import Definition
from becalm.definitions.references import resolve
from becalm.definitions.rules import DefinitionTable
from becalm.definitions.validation import DefinitionMistake, check

DEFINITIONS: Final = Path(__file__).parent / "shipped"
OLD_KEYS: Final = Path(__file__).with_name("old_keys.toml")


@cache
def shipped() -> tuple[str, ...]:
    """Return the names of the definitions that come with becalm, variants included."""
    return tuple(sorted(_files()))


@cache
def _files() -> dict[str, str]:
    """Return the file of every shipped definition and variant, by name."""
    files = {}
    for path in DEFINITIONS.glob("*.toml"):
        document = msgspec.toml.decode(path.read_bytes())
        for name in (path.stem, *(each["name"] for each in document.get("variant", ()))):
            files[name] = path.stem
    return files


def load(name_or_path: str) -> Definition:
    """Read a shipped definition by name, or a user's own TOML file by path.

    A variant of a shipped definition has its own name; a variant in a user's file is
    `file.toml#name`.
    """
    path, _, variant = name_or_path.partition("#")
    if not path.endswith(".toml"):
        if name_or_path not in shipped():
            raise DefinitionError(
                f"no definition is called {name_or_path!r}",
                hint=f"{did_you_mean(name_or_path, shipped())} A file of your own ends in .toml",
            )
        return _shipped(name_or_path, ())
    definition = _own(Path(path), ())
    if definition.name in shipped():
        raise DefinitionError(
            f"the name {definition.name!r} belongs to a definition that ships with becalm",
            where=path,
            hint="Give yours another name",
        )
    return definition.variant(variant) if variant else definition


def load_all(names: Sequence[str]) -> tuple[Definition, ...]:
    """Read several definitions; all mistakes in all files are reported together.

    Raises
    ------
    DefinitionError
        Also if two of them have one name, because their rows could not be distinguished.
    """
    read: list[Definition] = []
    mistakes: list[DefinitionError] = []
    for name in names:
        try:
            definition = load(name)
        except DefinitionError as error:
            mistakes += [error, *error.others]
            continue
        if definition.name in [each.name for each in read]:
            mistakes.append(
                DefinitionError(
                    f"two definitions are called {definition.name!r}",
                    where=name,
                    hint="Give each a name of its own",
                )
            )
        read.append(definition)
    if mistakes:
        raise DefinitionError.of([each.alone() for each in mistakes])
    return tuple(read)


@cache
def _shipped(name: str, above: tuple[str, ...]) -> Definition:
    stem = _files()[name]
    path = DEFINITIONS / f"{stem}.toml"
    definition = parse(path.read_text(encoding="utf-8"), path.name, above=(*above, stem))
    return definition if name == stem else definition.variant(name)


def _own(path: Path, above: tuple[str, ...]) -> Definition:
    text = read_text(path, most=LARGEST_TOML)
    return parse(text, path.name, folder=path.parent, above=(*above, str(path.resolve())))


def parse(
    text: str, file: str, *, folder: Path | None = None, above: tuple[str, ...] = ()
) -> Definition:
    """Read a definition from TOML text; `file` is only for messages.

    folder : the folder of files that it refers to. above : the definitions that refer to this one, to
    detect a circular reference.

    Raises
    ------
    DefinitionError
        With one line for every mistake in the file.
    """
    document = toml.document(text, file)
    mistakes: list[DefinitionError] = []

    def report(complaint: DefinitionMistake) -> None:
        row = _row(text, complaint.word, complaint.at)
        mistake = DefinitionError(
            complaint.what, where=place(file, row), hint=complaint.hint or None
        )
        if mistake.line() not in [each.line() for each in mistakes]:
            mistakes.append(mistake)

    def refer(name: str) -> Definition | None:
        try:
            return _referred(name, folder, above)
        except (DefinitionError, UnreadableFileError) as error:
            row = _row(text, name, "")
            mistakes.append(
                DefinitionError(f"{name} cannot be used: {error.line()}", where=place(file, row))
            )
        return None

    notices, both = bring_up_to_date(document, OLD_KEYS)
    mistakes += [each.error(text, file) for each in both]
    definition, broken = _typed(document, report)
    if definition is not None:
        before = len(mistakes)
        definition = resolve(definition, refer, report)
        if len(mistakes) > before:
            broken |= {"items"}
        for complaint in check(definition, frozenset(broken)):
            report(complaint)
    if mistakes:
        raise DefinitionError.of(sorted(mistakes, key=_place))
    assert definition is not None
    written = tuple(each.error(text, file).line() for each in notices)
    return msgspec.structs.replace(definition, notices=written) if written else definition


def _referred(name: str, folder: Path | None, above: tuple[str, ...]) -> Definition:
    if not name.endswith(".toml"):
        if name not in shipped():
            raise DefinitionError(
                f"no definition is called {name!r}", hint=did_you_mean(name, shipped())
            )
        own = _files()[name]
    else:
        path = (folder or Path()) / name
        own = str(path.resolve())
    if own in above:
        circle = " → ".join(Path(each).name for each in (*above[above.index(own) :], own))
        raise DefinitionError(f"definitions refer to each other in a circle: {circle}")
    return _own(path, above) if name.endswith(".toml") else _shipped(name, above)


def _place(error: DefinitionError) -> tuple[int, str]:
    row = re.search(r"row (\d+)", error.where or "")
    return int(row.group(1)) if row else 0, error.what


# ------------------------------------------------------------ mistakes of type

_MISSING: Final[dict[str, Any]] = {
    "cut_off": 0.0, "points": 0.0, "total": 0.0, "grade": 1.0, "item": [], "given": {}, "expect": {},
    "within": "24h",
}  # fmt: skip
"""Values used for missing keys, so that the rest of a file can still be read."""
MOST: Final = 200


def _typed(document: Any, report: Any) -> tuple[Definition | None, set[str]]:
    """Turn a document into a definition; report every key with a wrong type or name.

    Each wrong key is removed and the rest is read again, until there is no mistake left.
    """
    broken: set[str] = set()
    removed: set[str] = set()
    for complaint in _written_by_hand(document):
        report(complaint)
        broken.add(_table(complaint.at))
    for _ in range(MOST):
        try:
            return toml.typed(document, Definition), broken
        except msgspec.ValidationError as error:
            message, path = _message_and_path(str(error))
            key_mistake = re.search(r"(unknown|missing required) field `([^`]+)`", message)
            holder, key = (path, key_mistake.group(2)) if key_mistake else path.rpartition(".")[::2]
            broken.add(_table(path) or key)
            inside = _at(document, holder)
            if key_mistake and key_mistake.group(1) == "unknown":
                hint = did_you_mean(key, _known_keys())
                report(DefinitionMistake(f"unknown key {key!r}", key, hint, path))
                del inside[key]
                continue
            if key_mistake:
                if f"{holder}.{key}" not in removed:
                    report(DefinitionMistake(f"the key {key!r} is missing", _last(path), at=path))
                inside[key] = _MISSING.get(key, "")
                continue
            value = re.fullmatch(r"Invalid enum value '(.*)'", message)
            if value:
                what, hint = f"{value[1]!r} cannot stand here", did_you_mean(value[1], _choices())
            else:
                what, hint = toml.in_words(message), ""
            report(DefinitionMistake(what, _last(path), hint, path))
            if not _remove(inside, key):
                return None, broken
            removed.add(f"{holder}.{_last(key)}")
    return None, broken


def _written_by_hand(document: Any) -> Iterator[DefinitionMistake]:
    """Return mistakes for keys that becalm computes and that no file may have."""
    if document.pop("notices", None) is not None:
        yield DefinitionMistake("unknown key 'notices'", "notices")
    for number, item in enumerate(document.get("item", ())):
        if isinstance(item, dict) and item.pop("resolved", None) is not None:
            yield DefinitionMistake("unknown key 'resolved'", "resolved", at=f"item[{number}]")


def _message_and_path(message: str) -> tuple[str, str]:
    """Return the decoder's message and the path in it: `item[0].bands[1].points`."""
    text, _, at = message.partition(" - at `")
    path = at.removesuffix("`").removeprefix("key in ").removeprefix("$").removeprefix(".")
    return text, path


def _at(document: Any, path: str) -> Any:
    """Return the table or list at a path, or the deepest one on the way to it."""
    for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        inside = document[name] if name else document[int(number)]
        if not isinstance(inside, dict | list):
            return document
        document = inside
    return document


def _remove(inside: Any, key: str) -> bool:
    """Remove a key from a table; for `bands[1]` or `given[...]` the whole list or table."""
    name = _last(key)
    if isinstance(inside, dict) and name in inside:
        del inside[name]
        return True
    return False


def _parts() -> list[type[DefinitionTable]]:
    """Return every kind of table that a definition may have."""
    parts = [*DefinitionTable.__subclasses__()]
    for part in parts:
        parts += part.__subclasses__()
    return parts


def _known_keys() -> set[str]:
    fields = {field.encode_name for part in _parts() for field in msgspec.structs.fields(part)}
    return fields - {"resolved", "factors", "referred", "notices"}


@cache
def _choices() -> frozenset[str]:
    """Return every word that has to be one of a few."""
    fields = [each for part in _parts() for each in msgspec.structs.fields(part)]
    types = [one for each in fields for one in (each.type, *get_args(each.type))]
    return frozenset(word for one in types for word in get_args(one) if isinstance(word, str))


def _table(path: str) -> str:
    """Return the entry of an array of tables in a path: `item[0]`; '' if there is none."""
    match = re.match(r"[^.\[\]]+\[\d+\]", path)
    return match.group() if match else ""


def _last(path: str) -> str:
    return re.sub(r"\[.*", "", path.rpartition(".")[2])


# ------------------------------------------------------------ rows of mistakes


def _row(text: str, word: str, at: str) -> int | None:
    """Return the row of the first use of a key or quoted name in its table; else the table's row."""
    lines = text.splitlines()
    first, stop = 0, len(lines)
    table = re.match(r"([^.\[\]]+)\[(\d+)\]", at)
    if table:
        header = re.compile(rf"\s*\[\[\s*{re.escape(table.group(1))}\s*\]\]")
        rows = [row for row, line in enumerate(lines) if header.match(line)]
        if int(table.group(2)) < len(rows):
            first = rows[int(table.group(2))]
            after = (
                row for row in range(first + 1, stop) if re.match(r"\s*\[\[?\s*\w", lines[row])
            )
            stop = next(after, stop)
        else:
            table = None
    pattern = re.compile(rf'(?:^|[\s\[{{,."])"?{re.escape(word)}"?\s*(?:[=\]",.]|$)')
    for row in range(first, stop):
        if word and pattern.search(lines[row].split("#")[0]):
            return row + 1
    return first + 1 if table else None
