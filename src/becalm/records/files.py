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

from becalm.core.errors import UnreadableFileError
from becalm.core.files import (
    LARGEST_TEXT,
    decoded,
    exists,
    open_file,
    read_bytes,
    require_file,
    too_large,
    unreadable,
)
from becalm.records import InputFile

SUMS: Final = "SHA256SUMS.txt"
_CHUNK: Final = 1 << 20
_UNPACKED: Final = 1 << 24
_GZIP: Final = 31  # zlib's code for gzip with its checksum
_CSV_UTF8: Final = "In Excel, save it as 'CSV UTF-8'"


@dataclass(frozen=True)
class Stamp:
    """Size, time and inode of a file before it was read."""

    path: Path
    size: int
    modified: int  # ns
    inode: int


def stamp(path: Path) -> Stamp:
    """Return the state of a file; raises `UnreadableFileError` if it is no file."""
    seen = require_file(path)
    return Stamp(path, seen.st_size, seen.st_mtime_ns, seen.st_ino)


def unchanged(stamps: Iterable[Stamp], root: Path) -> None:
    """Raise `UnreadableFileError` if a file has changed since its `stamp`.

    A file that was changed meanwhile may have been read partly before and partly after.
    """
    for before in stamps:
        if not exists(before.path) or stamp(before.path) != before:
            raise UnreadableFileError(
                "changed while it was being read",
                where=before.path.relative_to(root).as_posix(),
                hint="Run again when the file does not change any more",
            )


def published(root: Path) -> dict[str, str]:
    """Return the published SHA-256 of the files of a release, by name; empty if there is none."""
    listed = root / SUMS
    if not exists(listed):
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
    with open_file(path) as stream:
        try:
            while block := stream.read(_CHUNK):
                digest.update(block)
                size += len(block)
        except OSError as error:
            raise unreadable(path, error) from error
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
        with open_file(path) as stream:
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


def same_content(plain: Path, packed: Path) -> bool:
    """Return whether a .gz file holds the bytes of another file; a damaged one does not."""
    with open_file(plain) as one, open_file(packed) as raw:
        try:
            two = gzip.GzipFile(fileobj=raw)
            while block := one.read(_CHUNK):
                if two.read(len(block)) != block:
                    return False
            return not two.read(1)
        except (OSError, EOFError, zlib.error):
            return False


def _unpacked(stream: gzip.GzipFile, most: int) -> bytes:
    """Return the content of a compressed file, or a little more than `most` bytes of it."""
    blocks, size = [], 0
    while size <= most and (block := stream.read(_CHUNK)):
        blocks.append(block)
        size += len(block)
    return b"".join(blocks)


def read_text(path: Path) -> str:
    """Return UTF-8 text, with or without a byte-order mark; a .gz file is unpacked.

    Raises `UnreadableFileError`, with the row as a spreadsheet shows it, for another encoding
    and for a file that is not text, and for one of more than `LARGEST_TEXT` bytes.
    """
    if path.suffix.lower() != ".gz":
        return decoded(read_bytes(path), path.name, _CSV_UTF8)
    with open_file(path) as packed:
        try:
            content = _unpacked(gzip.GzipFile(fileobj=packed), LARGEST_TEXT)
        except (OSError, EOFError, zlib.error) as error:
            raise _damaged(path.name) from error
    if len(content) > LARGEST_TEXT:
        raise too_large(path.name, LARGEST_TEXT, "the unpacked file")
    return decoded(content, path.name, _CSV_UTF8)
