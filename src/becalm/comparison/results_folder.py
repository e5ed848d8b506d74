"""A results folder that a study wrote, opened to be read: its manifest, and its tables as they were written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from becalm.core.database import plain
from becalm.core.errors import UnreadableFileError
from becalm.core.files import read_bytes
from becalm.core.staging import INTERNAL, MANIFEST, sha256
from becalm.tables import writing

_HINT: Final = "Name a folder that becalm study wrote"
_AGAIN: Final = "Copy the folder again, or run becalm study again"
_TABLE: Final = re.compile(r"tables/([a-z][a-z0-9_]*)\.parquet")


class _ListedFile(msgspec.Struct, frozen=True):
    name: str
    sha256: str


class _Listing(msgspec.Struct, frozen=True):
    becalm: str
    kind: str
    files: list[_ListedFile]


@dataclass(frozen=True)
class ResultsFolder:
    """A results folder. facts : its manifest. hashes : of each table's Parquet file, by the table's name."""

    path: Path
    facts: Mapping[str, Any]
    hashes: Mapping[str, str]

    def table(self, name: str) -> Path:
        """Return the Parquet file of a table.

        Raises `UnreadableFileError` where it is not there, or is not as the run wrote it.
        """
        file = self.path / "tables" / f"{name}.parquet"
        if not file.is_file():
            raise UnreadableFileError(
                f"is not there, although {MANIFEST} lists it", where=str(file), hint=_AGAIN
            )
        if sha256(file) != self.hashes[name]:
            raise UnreadableFileError(
                "was changed since becalm wrote it", where=str(file), hint=_AGAIN
            )
        return file


def rows_of(file: Path) -> str:
    """Return SQL for the rows of a Parquet file, whatever signs its name has."""
    return f"read_parquet({writing.quoted(Path(plain(str(file))))})"


def opened(path: Path) -> ResultsFolder:
    """Return a results folder with what its manifest says; no table is read.

    Raises `UnreadableFileError` where there is no manifest of becalm, or one of something else than a study.
    """
    if not path.is_dir():
        raise UnreadableFileError("is not a folder", where=str(path), hint=_HINT)
    file = path / MANIFEST
    content = read_bytes(file, hint=f"A folder without {MANIFEST} is no finished run. {_HINT}")
    try:
        listing = msgspec.json.decode(content, type=_Listing)
        facts = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise UnreadableFileError(
            f"is not a manifest of a study ({error})", where=str(file), hint=_HINT
        ) from error
    if not listing.kind.startswith(INTERNAL):
        raise UnreadableFileError(
            f"the folder has no results of a study, but: {listing.kind}",
            where=str(path),
            hint=_HINT,
        )
    names = ((_TABLE.fullmatch(each.name), each.sha256) for each in listing.files)
    return ResultsFolder(path, facts, {name[1]: digest for name, digest in names if name})
