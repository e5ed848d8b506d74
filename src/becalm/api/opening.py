"""Records, opened by their path: the same however often they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from becalm import records
from becalm.records import Source


@dataclass(frozen=True)
class PatientRecords:
    """Records of patients where they lie; nothing of them is kept in memory.

    path : a folder, a file or an address. source : the kind of records; None where it is recognised.
    mapping : the name or the file of a mapping, for flat tables.
    """

    path: str
    source: str | None = None
    mapping: str | None = None

    def open(self) -> Source:
        """Open them once more, from their beginning."""
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

    path : a folder, a file or an address. source : the kind of records, where it cannot be recognised.
    mapping : the name of a shipped mapping or a TOML file, for flat tables of any layout. Their kind
    and their columns are checked at once; rows are read when something is asked of them.

    Raises
    ------
    UnreadableFileError
        Where nothing is at the path, or it cannot be read.
    RecordsError
        Where the kind of records is not recognised.
    UsageError
        Where no source has that name.

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
