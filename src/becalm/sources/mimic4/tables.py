"""The tables of a release: where their files are, what their columns are called, what is missing."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from becalm.errors import RecordsError, UnreadableFileError, did_you_mean, place
from becalm.records import Absent
from becalm.sources.duck import quoted, quoted_path

REBUILT_CHART: Final = "chartevents.numeric-rebuilt"
"""The demo's stand-in for chartevents: its numeric rows only."""

CONSEQUENCES: Final = {
    "labevents": "no laboratory results: no laboratory item of any definition assessed",
    "d_labitems": "item ids of laboratory results not checked against the release's own labels",
    "chartevents": "no charted temperature, weight, height, blood pressure, oxygen or coma scale: "
    "fever not assessed",
    "d_items": "no names of charted items and drugs: item ids not checked, drugs known by item id only",
    "outputevents": "no urine output",
    "icustays": "no intensive care stays",
    "inputevents": "no infusions or pushes: exposure not known",
    "diagnoses_icd": "no diagnoses: underlying disease, cancer and immunosuppression not known",
    "d_icd_diagnoses": "no names of diagnoses, codes only",
    "procedures_icd": "no coded procedures",
    "d_icd_procedures": "no names of coded procedures, codes only",
    "procedureevents": "no dialysis or ventilation times",
    "microbiologyevents": "no cultures: infection not assessed",
}


@dataclass(frozen=True)
class Table:
    """One CSV file of a release; column names are compared in lower case."""

    name: str
    path: Path
    columns: tuple[str, ...]

    @property
    def file(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"

    def read(self, *needed: str) -> str:
        """Return the SQL of the file's rows, every cell as text, an empty one as NULL.

        Raises `RecordsError` for a column that is not there.
        """
        for column in needed:
            if column not in self.columns:
                raise RecordsError(
                    f"has no column {column!r}",
                    where=place(self.file, 1),
                    hint=did_you_mean(column, self.columns),
                )
        types = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in self.columns)
        return (
            f"read_csv({quoted_path(self.path)}, auto_detect = false, header = true, delim = ',', "
            f"quote = '\"', escape = '\"', columns = {{{types}}})"
        )

    def numbered(self, *needed: str) -> str:
        """Return the rows with `row`, their number in the file from 1, for tables without an id."""
        wanted = ", ".join(f'"{column}"' for column in needed)
        return f"(SELECT row_number() OVER () AS row, {wanted} FROM {self.read(*needed)})"


class Release:
    """A folder of MIMIC-IV, and which of its files are read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.found: dict[str, Table] = {}

    def table(self, module: str, name: str, stand_in: str = "") -> Table | None:
        """Return a table, or its stand-in, or None where the release has neither."""
        for candidate in (name, stand_in) if stand_in else (name,):
            for suffix in (".csv", ".csv.gz"):
                path = self.root / module / f"{candidate}{suffix}"
                if path.is_file():
                    if name not in self.found:
                        self.found[name] = Table(candidate, path, _header(path, module))
                    return self.found[name]
        return None

    def required(self, module: str, name: str) -> Table:
        found = self.table(module, name)
        if found is None:
            raise RecordsError(
                f"MIMIC-IV without {module}/{name}.csv.gz",
                where=str(self.root),
                hint="Give the folder that holds hosp/ and icu/ as published",
            )
        return found

    def missing(self) -> tuple[str, ...]:
        """Name the raw tables for which there is no file at all: labs, doses."""
        files = {"labs": ("labevents", "chartevents"), "doses": ("inputevents",)}
        return tuple(
            name
            for name, tables in files.items()
            if not any(each in self.found for each in tables)
        )

    def absent(self) -> tuple[Absent, ...]:
        return tuple(
            Absent(table, consequence)
            for table, consequence in CONSEQUENCES.items()
            if table not in self.found
        )


def _header(path: Path, module: str) -> tuple[str, ...]:
    file = f"{module}/{path.name}"
    try:
        with path.open("rb") as raw:
            plain = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            text = io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
            first = next(csv.reader(text), None)
    except UnicodeDecodeError as error:
        raise UnreadableFileError("is not UTF-8", where=place(file, 1)) from error
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(
            "cannot be read: damaged, cut short or not permitted",
            where=file,
            hint="Compare the file with its published checksum",
        ) from error
    if not first:
        raise UnreadableFileError("is empty", where=file, hint="Fetch the file again")
    columns = tuple(name.strip().lower() for name in first)
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise RecordsError(f"two columns are called {twice!r}", where=place(file, 1))
    return columns
