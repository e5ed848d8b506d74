"""Input files: their size and hash for the manifest, and text that is whole and well encoded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from becalm.errors import UnreadableFileError, place
from becalm.records import InputFile

_CHUNK: Final = 1 << 20
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_CSV_UTF8: Final = "In Excel, save it as 'CSV UTF-8'"


def input_file(path: Path, root: Path | None = None) -> InputFile:
    """Return the size and SHA-256 of a file, named relative to the records' folder `root`.

    Raises `UnreadableFileError` where it cannot be opened.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as stream:
            while block := stream.read(_CHUNK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise _unreadable(path, error) from error
    name = path.name if root is None else path.relative_to(root).as_posix()
    return InputFile(name, size, digest.hexdigest())


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; raises `UnreadableFileError` where it cannot be opened."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def read_text(path: Path) -> str:
    """Return UTF-8 text, with or without a byte-order mark.

    Raises `UnreadableFileError`, with the row as a spreadsheet shows it, for another encoding
    and for a file that is not text.
    """
    raw = read_bytes(path)
    if raw.startswith(_UTF16):
        raise UnreadableFileError("the text is UTF-16, not UTF-8", where=path.name, hint=_CSV_UTF8)
    if (at := raw.find(b"\0")) >= 0:
        raise UnreadableFileError(
            "a zero byte: this is not a text file, or it is damaged",
            where=place(path.name, _row(raw, at)),
            hint="Export it again",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            where=place(path.name, _row(raw, error.start)),
            hint=_CSV_UTF8,
        ) from error


def _row(raw: bytes, at: int) -> int:
    return raw.count(b"\n", 0, at) + 1


def _unreadable(path: Path, error: OSError) -> UnreadableFileError:
    return UnreadableFileError(
        f"cannot be read ({(error.strerror or 'unknown reason').lower()})",
        where=str(path),
        hint="Check the path and its permissions",
    )
