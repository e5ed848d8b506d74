"""Records, opened by their path; they can be read several times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from becalm import records
from becalm.records import Source


@dataclass(frozen=True)
class PatientRecords:
    """Records of patients at a path; nothing is kept in memory.

    path : a folder, a file or an address. source : the kind of records; None to recognise it.
    mapping : the name or the file of a mapping, for flat tables.
    """

    path: str
    source: str | None = None
    mapping: str | None = None

    def open(self) -> Source:
        """Open the records again, from the start."""
        return records.open_records(self.path, self.source, self.mapping)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return Path(self.path).name

    def __repr__(self) -> str:
        return f"<records {self.name!r}, {self.open().name}>"


def open_records(
    path: str | Path, *, source: str | None = None, mapping: str | None = None
) -> PatientRecords:
    """Open records of any kind that becalm reads; with a mapping, flat tables of any layout.

    path : a folder, a file or an address. source : the kind of records, if it is not recognised.
    mapping : the name of a shipped mapping or a TOML file, for flat tables of any layout. Their kind
    and their columns are checked immediately; rows are read when they are needed.

    Raises
    ------
    UnreadableFileError
        If the path does not exist or cannot be read.
    RecordsError
        If the kind of records is not recognised.
    UsageError
        If no source has that name.

    >>> from becalm.api import open_records
    >>> from becalm.records.template import copy_template
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     book = copy_template(Path(folder) / "five.xlsx", filled=True, kind="xlsx")
    ...     open_records(book)
    <records 'five.xlsx', sheets>
    """
    opened = PatientRecords(str(path), source, mapping)
    opened.open()
    return opened
