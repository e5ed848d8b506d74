"""Input files: whole, unchanged while they are read, and hashed for the manifest.

A compressed file carries a checksum of what is in it, which DuckDB does not verify: a file with a
damaged byte may well be read without complaint, with other numbers in it. `input_file` verifies it.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from becalm.core.errors import UnreadableFileError, place
from becalm.records import InputFile

SUMS: Final = "SHA256SUMS.txt"
_CHUNK: Final = 1 << 20
_UNPACKED: Final = 1 << 24
_GZIP: Final = 31  # zlib's word for gzip with its checksum
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_CSV_UTF8: Final = "In Excel, save it as 'CSV UTF-8'"


@dataclass(frozen=True)
class Stamp:
    """What a file looked like before it was read."""

    path: Path
    size: int
    modified: int  # ns
    inode: int


def stamp(path: Path) -> Stamp:
    """Look at a file; raises `UnreadableFileError` where it is not there."""
    try:
        seen = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return Stamp(path, seen.st_size, seen.st_mtime_ns, seen.st_ino)


def unchanged(stamps: Iterable[Stamp], root: Path) -> None:
    """Raise `UnreadableFileError` where a file is no longer the one that `stamp` looked at.

    A file that was written to or replaced meanwhile may have been read half before and half after.
    """
    for before in stamps:
        if stamp(before.path) != before:
            raise UnreadableFileError(
                "changed while it was being read",
                where=before.path.relative_to(root).as_posix(),
                hint="Run again when nobody writes to it",
            )


def published(root: Path) -> dict[str, str]:
    """Return the SHA-256 that a release prints of its files, by name; empty where it prints none."""
    listed = root / SUMS
    if not listed.is_file():
        return {}
    lines = (line.split(None, 1) for line in read_text(listed).splitlines() if line.strip())
    return {name.lstrip("*").removeprefix("./").strip(): sha for sha, name in lines}


def input_file(
    path: Path, root: Path | None = None, listed: Mapping[str, str] | None = None
) -> InputFile:
    """Return the size and SHA-256 of a file, named relative to the records' folder `root`.

    The file is whole: its hash is the one that `listed` (see `published`) gives for it or, where
    none is given and it is compressed, its content fits its own checksum. A plain file that nobody
    listed cannot be checked. Raises `UnreadableFileError` for one that is not whole, and where it
    cannot be opened.
    """
    digest, size = hashlib.sha256(), 0
    name = path.name if root is None else path.relative_to(root).as_posix()
    expected = (listed or {}).get(name)
    try:
        with path.open("rb") as stream:
            while block := stream.read(_CHUNK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise _unreadable(path, error) from error
    if expected is not None and digest.hexdigest() != expected.lower():
        raise UnreadableFileError(
            f"is not the file that {SUMS} lists: damaged, cut short or changed",
            where=name,
            hint="Fetch it again; if the change was meant, remove its line there",
        )
    if expected is None and path.suffix == ".gz":
        _verify(path, name)
    return InputFile(name, size, digest.hexdigest())


def _verify(path: Path, name: str) -> None:
    """Unpack a file, keep nothing, and let each of its members' own checksums be compared."""
    try:
        with path.open("rb") as stream:
            member, inside = zlib.decompressobj(_GZIP), False
            while block := stream.read(_CHUNK):
                while block:
                    inside = True
                    member.decompress(block, _UNPACKED)
                    block = member.unconsumed_tail
                    if member.eof:
                        block = member.unused_data.lstrip(b"\0")
                        member, inside = zlib.decompressobj(_GZIP), False
    except (OSError, zlib.error) as error:
        raise _damaged(name) from error
    if inside:
        raise _damaged(name)


def _damaged(name: str) -> UnreadableFileError:
    return UnreadableFileError(
        "the compressed file is damaged or cut short", where=name, hint="Fetch the file again"
    )


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; raises `UnreadableFileError` where it cannot be opened."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def read_text(path: Path) -> str:
    """Return UTF-8 text, with or without a byte-order mark; a name in .gz is unpacked.

    Raises `UnreadableFileError`, with the row as a spreadsheet shows it, for another encoding
    and for a file that is not text.
    """
    raw = read_bytes(path)
    if path.suffix.lower() == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise _damaged(path.name) from error
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
