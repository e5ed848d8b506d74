"""Yesterday's keys of protocol, definition and mapping files: read as today's, with a notice.

Which key became which is data: `old_keys.toml` beside the reader of each form.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from becalm.core import toml
from becalm.core.toml_position import TomlMistake


class RenamedKey(toml.TomlTable, frozen=True):
    """A key that has another name now. `anywhere` : in any table, else `was` and `now` are whole paths.

    An empty `now` means that nothing reads the key any more.
    """

    was: str
    now: str = ""
    anywhere: bool = False


class RenamedValue(toml.TomlTable, frozen=True):
    """A word that is written otherwise now, at the path `key`."""

    key: str
    was: str
    now: str


class OldKeys(toml.TomlTable, frozen=True):
    """The whole file."""

    key: tuple[RenamedKey, ...] = ()
    value: tuple[RenamedValue, ...] = ()


def bring_up_to_date(
    document: dict[str, Any], file: Path
) -> tuple[list[TomlMistake], list[TomlMistake]]:
    """Give a document today's keys, in place.

    file : the `old_keys.toml` of its form. Returns notices, each at the place of an old key, and
    mistakes: where the old key and the new one both stand.
    """
    old = toml.load(file, OldKeys)
    notices: list[TomlMistake] = []
    mistakes: list[TomlMistake] = []
    for each in old.key:
        for at, table, name in list(_places(document, each)):
            value = table.pop(name)
            path = f"{at}.{name}" if at else name
            new = each.now.rpartition(".")[2]
            if not each.now:
                notices.append(TomlMistake(path, f"nothing reads {name!r} any more", "Remove it"))
            elif new in table:
                what = f"{name!r} is now called {new!r}, and both are given"
                mistakes.append(TomlMistake(path, what, f"Remove {name!r}"))
            else:
                table[new] = value
                notices.append(TomlMistake(path, f"{name!r} is now called {new!r}"))
    for word in old.value:
        holder, _, name = word.key.rpartition(".")
        inside = _table(document, holder)
        if inside is not None and inside.get(name) == word.was:
            inside[name] = word.now
            notices.append(TomlMistake(word.key, f"{word.was!r} is now written {word.now!r}"))
    return notices, mistakes


def _places(
    document: dict[str, Any], renamed: RenamedKey
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield where a key stands: the path of its table, the table, and its name in it."""
    if renamed.anywhere:
        for at, each in _tables(document, ""):
            if renamed.was in each:
                yield at, each, renamed.was
        return
    holder, _, name = renamed.was.rpartition(".")
    table = _table(document, holder)
    if table is not None and name in table:
        yield holder, table, name


def _table(document: dict[str, Any], path: str) -> dict[str, Any] | None:
    inside: Any = document
    for name in path.split(".") if path else ():
        inside = inside.get(name) if isinstance(inside, dict) else None
    return inside if isinstance(inside, dict) else None


def _tables(inside: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(inside, dict):
        yield at, inside
        for name, value in inside.items():
            yield from _tables(value, f"{at}.{name}" if at else name)
    elif isinstance(inside, list):
        for number, value in enumerate(inside):
            yield from _tables(value, f"{at}[{number}]")
