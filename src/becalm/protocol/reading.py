"""Reading a protocol by its name, or a user's own file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from becalm.core import toml
from becalm.core.errors import DefinitionError, UnreadableFileError, did_you_mean
from becalm.core.files import LARGEST_TOML, exists, read_text
from becalm.core.old_keys import bring_up_to_date
from becalm.core.toml_position import TomlMistake
from becalm.protocol.consistency import disagreements
from becalm.protocol.messages import explain
from becalm.protocol.model import Protocol

PROTOCOLS: Final = Path(__file__).parent / "shipped"
OLD_KEYS: Final = Path(__file__).with_name("old_keys.toml")


def shipped() -> tuple[str, ...]:
    """Return the names of the protocols that come with becalm."""
    return tuple(sorted(path.stem for path in PROTOCOLS.glob("*.toml")))


def load(name_or_path: str) -> Protocol:
    """Read a shipped protocol by name, or a user's own TOML file by path."""
    text, file = read(name_or_path)
    return parse(text, file)


def read(name_or_path: str) -> tuple[str, str]:
    """Return a protocol's text and its file's name."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if name_or_path not in shipped():
            raise DefinitionError(
                f"no protocol is called {name_or_path!r}",
                hint=f"A file of your own ends in .toml. {did_you_mean(name_or_path, shipped())}",
            )
        path = PROTOCOLS / f"{name_or_path}.toml"
    if not exists(path):
        hint = f"Protocols that come with becalm are named without .toml: {', '.join(shipped())}"
        raise UnreadableFileError("is not there", where=name_or_path, hint=hint)
    return read_text(path, most=LARGEST_TOML, where=name_or_path), path.name


def parse(text: str, file: str) -> Protocol:
    """Read a protocol from TOML text; `file` is only for messages.

    Raises
    ------
    DefinitionError
        With one line for every mistake in the file, in the order of its rows. Whether the names in it
        exist is looked at by `study.protocol_names`.
    """
    examined = examine(text, file)
    examined.refuse()
    assert examined.protocol is not None
    return examined.protocol


@dataclass
class Examined:
    """A protocol as far as its file can be read, and every mistake in it so far.

    protocol : with something usual in the place of what is wrong; None where nothing can be read.
    broken : the paths of what is wrong, of which nothing more can be said.
    """

    text: str
    file: str
    protocol: Protocol | None
    mistakes: list[TomlMistake]
    broken: set[str]

    def add(self, mistakes: Iterable[TomlMistake]) -> None:
        """Add mistakes, but for those that only follow from what is broken already."""
        self.mistakes += [each for each in mistakes if not self._follows(each)]

    def _follows(self, mistake: TomlMistake) -> bool:
        if any(_within(mistake.at, path) for path in self.broken):
            return True
        absent = re.fullmatch(r"'([^']+)' is missing|.* needs a table \[(\w+)\]", mistake.what)
        if absent:
            key = absent.group(1)
            return (f"{mistake.at}.{key}" if key else absent.group(2)) in self.broken
        return any(path.rpartition(".")[0] == mistake.at for path in self.broken if mistake.at)

    def refuse(self) -> None:
        """Raise every mistake, if there is one."""
        if self.mistakes:
            ordered = sorted(self.mistakes, key=lambda each: each.row(self.text))
            errors = [each.error(self.text, self.file) for each in ordered]
            raise DefinitionError.of(list({each.line(): each for each in errors}.values()))


def examine(text: str, file: str) -> Examined:
    """Read a protocol as far as it can be read, and collect every mistake.

    Raises `DefinitionError` where the text is not TOML at all.
    """
    document = toml.document(text, file)
    mistakes: list[TomlMistake] = []
    if "notices" in document:
        del document["notices"]
        mistakes.append(TomlMistake("notices", "unknown key 'notices'"))
    notices, both = bring_up_to_date(document, OLD_KEYS)
    mistakes += both
    examined = Examined(text, file, None, mistakes, set())
    for _ in range(MOST):
        try:
            protocol = toml.typed(document, Protocol)
        except msgspec.ValidationError as error:
            mistake = explain(str(error), document)
            if not _set_aside(document, mistake, str(error), examined):
                return examined
            continue
        written = tuple(each.error(text, file).line() for each in notices)
        examined.protocol = msgspec.structs.replace(protocol, notices=written)
        examined.add(disagreements(protocol))
        return examined
    return examined


MOST: Final = 200
"""So many mistakes of types are looked for in one file."""


def _set_aside(
    document: dict[str, Any], mistake: TomlMistake, message: str, examined: Examined
) -> bool:
    """Note a mistake, and put something usual in its place so that the rest can be read."""
    missing = re.search(r"missing required field `([^`]+)`", message)
    path = mistake.at
    if missing:
        path = f"{mistake.at}.{missing.group(1)}" if mistake.at else missing.group(1)
    if path not in examined.broken:
        examined.mistakes.append(mistake)
    elif not missing:
        return False
    examined.broken.add(path)
    meant = re.fullmatch(r"Did you mean '([^']+)'\?", mistake.hint)
    if meant and not missing:  # that the right name is missing would only repeat it
        holder = path.rpartition(".")[0]
        examined.broken.add(f"{holder}.{meant.group(1)}" if holder else meant.group(1))
    steps = _steps(path)
    inside: Any = document
    for step in steps[:-1]:
        try:
            inside = inside[step]
        except (KeyError, IndexError, TypeError):
            return False
    last = steps[-1]
    if missing:
        usual = _usual(steps)
        if usual is None or not isinstance(inside, dict):
            return False
        inside[last] = usual
    elif isinstance(inside, dict) and last in inside:
        del inside[str(last)]
    elif isinstance(inside, list) and isinstance(last, int):
        del inside[last]
    else:
        return False
    return True


def _usual(steps: Sequence[str | int]) -> Any:
    """What a protocol that ships with becalm says at a place; None where none says anything."""
    for name in shipped():
        inside: Any = msgspec.toml.decode((PROTOCOLS / f"{name}.toml").read_bytes())
        for step in steps:
            at = 0 if isinstance(step, int) else step
            try:
                inside = inside[at]
            except (KeyError, IndexError, TypeError):
                break
        else:
            return inside
    return None


def _steps(path: str) -> list[str | int]:
    """Cut a path into keys and numbers: `storm.definite[0].criterion`."""
    return [
        int(number) if number else name
        for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)
    ]


def _within(path: str, broken: str) -> bool:
    return path == broken or path.startswith((f"{broken}.", f"{broken}["))
