"""Input files: complete, unchanged while they are read, and hashed for the manifest.

A compressed file has a checksum of its content, which DuckDB does not verify: it may read a damaged
file with wrong numbers and without an error. `input_file` verifies the checksum.
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
_GZIP: Final = 31  # zlib's code for gzip with its checksum
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_CSV_UTF8: Final = "In Excel, save it as 'CSV UTF-8'"


@dataclass(frozen=True)
class Stamp:
    """Size, time and inode of a file before it was read."""

    path: Path
    size: int
    modified: int  # ns
    inode: int


def stamp(path: Path) -> Stamp:
    """Return the state of a file; raises `UnreadableFileError` if it does not exist."""
    try:
        seen = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return Stamp(path, seen.st_size, seen.st_mtime_ns, seen.st_ino)


def unchanged(stamps: Iterable[Stamp], root: Path) -> None:
    """Raise `UnreadableFileError` if a file has changed since its `stamp`.

    A file that was changed meanwhile may have been read partly before and partly after.
    """
    for before in stamps:
        if stamp(before.path) != before:
            raise UnreadableFileError(
                "changed while it was being read",
                where=before.path.relative_to(root).as_posix(),
                hint="Run again when the file does not change any more",
            )


def published(root: Path) -> dict[str, str]:
    """Return the published SHA-256 of the files of a release, by name; empty if there is none."""
    listed = root / SUMS
    if not listed.is_file():
        return {}
    lines = (line.split(None, 1) for line in read_text(listed).splitlines() if line.strip())
    return {name.lstrip("*").removeprefix("./").strip(): sha for sha, name in lines}


def input_file(
    path: Path, root: Path | None = None, listed: Mapping[str, str] | None = None
) -> InputFile:
    """Return the size and SHA-256 of a file, named relative to the records' folder `root`.

    The file is checked: its hash is compared with `listed` (see `published`) or, if it is not listed
    and compressed, its content with its own checksum. A plain file that is not listed cannot be
    checked. Raises `UnreadableFileError` for a damaged file, or if it cannot be opened.
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
            f"is not the file that {SUMS} lists: it is damaged, incomplete or changed",
            where=name,
            hint="Download it again; if the change is intended, remove its line there",
        )
    if expected is None and path.suffix == ".gz":
        _verify(path, name)
    return InputFile(name, size, digest.hexdigest())


def _verify(path: Path, name: str) -> None:
    """Unpack a file without keeping its content, to compare the checksums of its members."""
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
        "the compressed file is damaged or incomplete", where=name, hint="Download the file again"
    )


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; raises `UnreadableFileError` if it cannot be opened."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def read_text(path: Path) -> str:
    """Return UTF-8 text, with or without a byte-order mark; a .gz file is unpacked.

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
