"""Adding a row to a file that is only added to: whole, on the disk before anybody is told, and one writer at a time."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from becalm.core.errors import OutputError
from becalm.core.locks import held
from becalm.core.spreadsheets import CsvWriter
from becalm.records.review.folder import AddedRows, added_rows, whole_part

LOCK = "lock"


def now() -> str:
    """Return this moment as the file writes it: UTC, so that no change of a clock puts rows in another order."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def add_row(
    file: Path,
    header: Sequence[str],
    cells: Sequence[str],
    *,
    check: Callable[[AddedRows], None] = lambda _: None,
) -> int:
    """Add one row to a file and return its number; see `add_rows`."""
    (number,) = add_rows(file, header, [cells], check=check)
    return number


def add_rows(
    file: Path,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    check: Callable[[AddedRows], None] = lambda _: None,
) -> list[int]:
    """Add rows to a file and return their numbers; they are on the disk when this returns.

    check : is given all rows that stand there, while nobody else can add one, and may raise an error: then nothing
    is added. Two programs that add to one file wait for each other, so no row is lost. A piece of a row that a
    program left when it was killed is cut off first: nobody was told that it is kept.

    Raises `OutputError` where the file cannot be written, or has other columns.
    """
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        with held(file.parent / LOCK):
            first = _added(file, header, rows, check)
    except OSError as error:
        raise OutputError(
            f"cannot be written ({error.strerror or error}); nothing was saved", where=str(file)
        ) from error
    return list(range(first, first + len(rows)))


def _added(
    file: Path,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    check: Callable[[AddedRows], None],
) -> int:
    there = file.exists() and file.stat().st_size > 0
    before = added_rows(file) if there else AddedRows(list(header), [], "")
    if list(before.header) != list(header):
        raise OutputError(
            "has other columns than this version writes; nothing was saved",
            where=str(file),
            hint=f"Its first row must be {','.join(header)}",
        )
    check(before)
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as stream:
        content = stream.read()
        text = content.decode("utf-8-sig")
        whole = text if not before.torn else whole_part(text)
        if len(whole) < len(text):
            stream.truncate(len(content) - len(text[len(whole) :].encode()))
        stream.seek(0, os.SEEK_END)
        new = "" if there else _line(header)
        if whole and not whole.endswith("\n"):
            new = "\n" + new
        stream.write((new + "".join(map(_line, rows))).encode())
        stream.flush()
        os.fsync(stream.fileno())
    if not there:
        keep_name(file.parent)
    return len(before.rows) + 2


def _line(cells: Sequence[str]) -> str:
    """Return one row as a line; a line break within a cell would make two of it, so it becomes a blank."""
    text = io.StringIO()
    CsvWriter(text).row([" ".join(cell.split()) for cell in cells])
    return text.getvalue().rstrip("\r\n") + "\n"


def keep_name(folder: Path) -> None:
    """Bring the name of a new file to the disk, where the system can do that for a folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders, and keeps names by itself
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
