"""Files that users name: what is no file is told before it is opened, so that no command waits for a pipe.

Limits of size stand here, so that no file can fill the memory of the machine. All errors are
`UnreadableFileError`.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from becalm.core.errors import UnreadableFileError, place

LARGEST_TOML: Final = 8 << 20
"""Greatest size of a protocol, a definition, a mapping or a file of words, in bytes."""
LARGEST_TEXT: Final = 1 << 30
"""Greatest size of a table that is read as a whole, in bytes; a compressed one as it is unpacked."""
LARGEST_PART: Final = 256 << 20
"""Greatest size of all parts of a workbook together, in bytes, as they are unpacked."""
LONGEST_CELL: Final = 32_767
"""Greatest length of a cell in a column that is read, in characters: as much as Excel holds in one."""

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_KINDS: Final = (
    (stat.S_ISDIR, "is a folder, not a file"),
    (stat.S_ISFIFO, "is a pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
)


def exists(path: Path) -> bool:
    """Return whether a name is taken, also by a link that leads nowhere or by what cannot be looked at."""
    return os.path.lexists(path)


def require_file(
    path: Path, *, where: str | None = None, hint: str | None = None
) -> os.stat_result:
    """Return the state of a file; nothing is opened.

    where, hint : for the message.

    Raises
    ------
    UnreadableFileError
        For a folder, a pipe, a socket, a device, a link that leads nowhere, and a file that does not
        exist or that one may not look at.
    """
    try:
        seen = path.stat()
    except OSError as error:
        raise unreadable(path, error, where=where, hint=hint) from error
    for is_kind, what in _KINDS:
        if is_kind(seen.st_mode):
            raise UnreadableFileError(what, where=where or str(path), hint=hint)
    return seen


def open_file(path: Path, *, where: str | None = None, hint: str | None = None) -> BinaryIO:
    """Open a file to be read as bytes; raises as `require_file`."""
    require_file(path, where=where, hint=hint)
    try:
        # Without waiting, should a pipe have taken the place of the file a moment ago.
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
        return os.fdopen(handle, "rb")
    except OSError as error:
        raise unreadable(path, error, where=where, hint=hint) from error


def read_bytes(
    path: Path, *, most: int = LARGEST_TEXT, where: str | None = None, hint: str | None = None
) -> bytes:
    """Return a file's bytes; raises as `require_file`, and for a file with more than `most` bytes."""
    with open_file(path, where=where, hint=hint) as file:
        try:
            seen = os.fstat(file.fileno())
            # Not `read(most)`, for which Python would take that much memory at once.
            content = file.read() if seen.st_size <= most else b""
        except OSError as error:
            raise unreadable(path, error, where=where, hint=hint) from error
    if seen.st_size > most or len(content) > most:
        raise too_large(where or str(path), most)
    return content


def read_text(
    path: Path, *, most: int, where: str | None = None, hint: str = "Save it as UTF-8"
) -> str:
    """Return the text of a file in UTF-8, with or without a byte-order mark; raises as `read_bytes`.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "words.toml"
    ...     _ = file.write_text("[drug]")
    ...     read_text(file, most=LARGEST_TOML)
    '[drug]'
    """
    content = read_bytes(path, most=most, where=where)
    return decoded(content, where or str(path), hint)


def decoded(content: bytes, file: str, hint: str) -> str:
    """Return bytes as text; raises `UnreadableFileError`, with the row, for what is not UTF-8 text.

    file, hint : for the message.
    """
    if content.startswith(_UTF16):
        raise UnreadableFileError("the text is UTF-16, not UTF-8", where=file, hint=hint)
    if (at := content.find(b"\0")) >= 0:
        raise UnreadableFileError(
            "a zero byte: this is not a text file, or it is damaged",
            where=place(file, _row(content, at)),
            hint="Export it again",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            where=place(file, _row(content, error.start)),
            hint=hint,
        ) from error


def _row(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1


def too_large(file: str, most: int, what: str = "the file") -> UnreadableFileError:
    """Return the error for a file, or a part of one, that is larger than becalm reads."""
    size = f"{most >> 30} GiB" if most >= 1 << 30 else f"{most >> 20} MiB"
    return UnreadableFileError(
        f"{what} is larger than {size}, the most that is read",
        where=file,
        hint="Check that it is the right file; if it is, divide it",
    )


def unreadable(
    path: Path, error: OSError, *, where: str | None = None, hint: str | None = None
) -> UnreadableFileError:
    """Return the message for a file that the system does not open: what is there, and why not."""
    reason = (error.strerror or "unknown reason").lower()
    if error.errno == errno.ELOOP:
        what = "is a link in a circle: it leads to no file"
    elif error.errno in (errno.ENOENT, errno.ENOTDIR) and exists(path):
        what = "is a link to a file that does not exist"
    elif error.errno == errno.ENOENT:
        what = "does not exist"
    else:
        what = f"cannot be read ({reason})"
    return UnreadableFileError(
        what, where=where or str(path), hint=hint or "Check the path and its permissions"
    )
