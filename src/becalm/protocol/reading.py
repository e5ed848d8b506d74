"""Reading a protocol by its name, or a user's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from becalm.core.errors import DefinitionError, UnreadableFileError, did_you_mean
from becalm.protocol.consistency import disagreements
from becalm.protocol.messages import explain
from becalm.protocol.model import Protocol

PROTOCOLS: Final = Path(__file__).parent / "shipped"


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
    try:
        return path.read_text(encoding="utf-8-sig"), path.name
    except FileNotFoundError as error:
        hint = f"Protocols that come with becalm are named without .toml: {', '.join(shipped())}"
        raise UnreadableFileError("is not there", where=name_or_path, hint=hint) from error
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"is not UTF-8 text (byte {error.start})", where=name_or_path, hint="Save it as UTF-8"
        ) from error
    except OSError as error:
        raise UnreadableFileError(
            f"cannot be read ({error.strerror})", where=name_or_path
        ) from error


def parse(text: str, file: str) -> Protocol:
    """Read a protocol from TOML text; `file` is only for messages."""
    try:
        protocol = msgspec.toml.decode(text, type=Protocol)
    except msgspec.ValidationError as error:
        raise explain(str(error), text, file) from error
    except msgspec.DecodeError as error:
        raise DefinitionError(f"is not valid TOML: {error}", where=file) from error
    for complaint in disagreements(protocol):
        raise complaint.error(text, file)
    return protocol
