"""The tables of a release: their files, their columns, and what is missing."""

from __future__ import annotations

import csv
import difflib
import gzip
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from becalm.core.errors import RecordsError, UnreadableFileError, did_you_mean, place
from becalm.core.files import decoded, exists, open_file, require_file, too_large
from becalm.records import Absent
from becalm.records.duck import quoted, quoted_path
from becalm.records.files import Stamp, same_content, stamp, unchanged

SYSTEM: Final = "MIMIC-IV items"
"""The system of all item numbers, laboratory and charted; their meaning is in `codes.toml`."""

REBUILT_CHART: Final = "chartevents.numeric-rebuilt"
"""The table of the demo instead of chartevents: only its numeric rows."""

CONSEQUENCES: Final = {
    "labevents": "no laboratory results: no laboratory item of any definition assessed in {everybody}",
    "d_labitems": "item ids of laboratory results not checked against the release's own labels",
    "chartevents": "no charted temperature, weight, height, blood pressure, oxygen or coma scale: "
    "fever not assessed in {everybody}",
    "d_items": "no names of charted items and drugs: item ids not checked, drugs known by item id only",
    "outputevents": "no urine output: not assessed in {everybody}",
    "icustays": "no intensive care stays: when in intensive care not known in {everybody}",
    "transfers": "no visits to the emergency department without admission: last contact may be later",
    "inputevents": "no infusions or pushes of intensive care: their rates are not known",
    "emar": "no bedside administrations: doses outside intensive care are not known",
    "emar_detail": "bedside administrations without their doses are not read: "
    "doses outside intensive care are not known",
    "prescriptions": "no orders",
    "pharmacy": "routes and ends of orders from prescriptions only",
    "diagnoses_icd": "no diagnoses: underlying disease, cancer and immunosuppression "
    "not known in {everybody}",
    "d_icd_diagnoses": "no names of diagnoses, codes only",
    "procedures_icd": "no coded procedures",
    "d_icd_procedures": "no names of coded procedures, codes only",
    "procedureevents": "no dialysis or ventilation times",
    "microbiologyevents": "no cultures: infection not assessed in {everybody}",
}
"""The consequence of a missing table; `{everybody}` is the number of persons."""

OPTIONAL: Final = {
    ("patients", "dod"): "deaths outside hospital not known",
    ("admissions", "deathtime"): "deaths in hospital by date only",
    ("admissions", "admission_location"): "who came from another hospital not known",
    ("admissions", "discharge_location"): "who went to another hospital not known",
    ("admissions", "edregtime"): "time in the emergency department not known",
    ("admissions", "edouttime"): "time in the emergency department not known",
    ("labevents", "storetime"): "when results became available not known: taken as when drawn",
    ("labevents", "ref_range_lower"): "no lower limits of normal",
    ("labevents", "ref_range_upper"): "no upper limits of normal",
    ("labevents", "comments"): "results that stand only in comments not read",
    ("d_labitems", "fluid"): "specimens not checked",
    ("chartevents", "storetime"): "when values were entered not known: taken as when charted",
    ("outputevents", "storetime"): "when values were entered not known: taken as when charted",
    ("inputevents", "patientweight"): "no weight beside doses by weight",
    ("inputevents", "originalrate"): "rates as they were entered not known: only those charted",
    ("d_items", "unitname"): "items without a unit in their row have none",
    ("microbiologyevents", "storedate"): "when cultures were reported not known",
    ("microbiologyevents", "storetime"): "when cultures were reported not known",
    ("microbiologyevents", "comments"): "results that stand only in comments not read",
}
"""Columns that a release may lack, and the consequence."""

_LONGEST_HEADER: Final = 1 << 20
"""Greatest length of the line of column names, in bytes."""
_NEAR: Final = 0.75
"""Similarity at which an unread column counts as a missing column with another name."""


@dataclass(frozen=True)
class MimicTable:
    """One CSV file of a release; column names are compared in lower case."""

    name: str
    path: Path
    columns: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The table's name, also if another table is read instead."""
        return self.name.partition(".")[0]

    @property
    def file(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"

    def read(self, *needed: str) -> str:
        """Return the SQL of the file's rows, every cell as text, an empty one as NULL.

        A column of `OPTIONAL` that is not there is NULL throughout. Raises `RecordsError` for any
        other, and for one that seems to have been renamed.
        """
        lacking = [column for column in needed if column not in self.columns]
        if len(lacking) * 2 > len(needed) > 2:
            raise RecordsError(
                f"this is not {self.kind} of MIMIC-IV 2.0 or later: it has no "
                f"{', '.join(lacking[:4])}",
                where=place(self.file, 1),
                hint=f"Its columns are {', '.join(self.columns[:6])} ...",
            )
        for column in lacking:
            self._require_optional(column, needed)
        types = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in self.columns)
        rows = (
            f"read_csv({quoted_path(self.path)}, auto_detect = false, header = true, delim = ',', "
            f"quote = '\"', escape = '\"', columns = {{{types}}})"
        )
        blanks = "".join(f", NULL::VARCHAR AS {column}" for column in lacking)
        return f"(SELECT *{blanks} FROM {rows})" if blanks else rows

    def _require_optional(self, column: str, needed: tuple[str, ...]) -> None:
        """Accept a missing optional column, unless it exists under another name."""
        others = [each for each in self.columns if each not in needed]
        near = difflib.get_close_matches(column, others, n=1, cutoff=_NEAR)
        if near or (self.kind, column) not in OPTIONAL:
            raise RecordsError(
                f"has no column {column!r}",
                where=place(self.file, 1),
                hint=did_you_mean(column, near or self.columns),
            )

    def numbered(self, *needed: str) -> str:
        """Return the rows with `row`, their number in the file from 1, for tables without an id."""
        wanted = ", ".join(f'"{column}"' for column in needed)
        return f"(SELECT row_number() OVER () AS row, {wanted} FROM {self.read(*needed)})"


class Release:
    """A folder of MIMIC-IV, and its files that are read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.opened: dict[str, MimicTable] = {}
        self.notices: list[str] = []
        self._stamps: list[Stamp] = []

    def table(self, module: str, name: str, stand_in: str = "") -> MimicTable | None:
        """Return a table, or the one read instead, or None if the release has neither."""
        for candidate in (name, stand_in) if stand_in else (name,):
            files = [self.root / module / f"{candidate}{suffix}" for suffix in (".csv", ".csv.gz")]
            if there := [file for file in files if exists(file)]:
                if name not in self.opened:
                    self._require_one(module, there)
                    path = there[0]
                    self._stamps.append(stamp(path))
                    self.opened[name] = MimicTable(candidate, path, _header(path, module))
                return self.opened[name]
        return None

    def _require_one(self, module: str, files: list[Path]) -> None:
        """Require files, and that a table unpacked beside its .gz is the same table."""
        for file in files:
            require_file(file, where=f"{module}/{file.name}")
        if len(files) == 1:
            return
        both = " and ".join(f"{module}/{file.name}" for file in files)
        if not same_content(*files):
            raise RecordsError(
                f"{both} are two different tables", hint="Move the one that does not count away"
            )
        self.notices.append(f"{both} are the same table; the first was read.")

    def folders(self) -> list[Path]:
        """Return the folders of all files, also of those that are links to another folder."""
        files = [file for module in ("hosp", "icu") for file in (self.root / module).glob("*")]
        linked = [Path(os.path.realpath(file)).parent for file in files if file.is_symlink()]
        return [self.root, Path(os.path.realpath(self.root)), *linked]

    def required(self, module: str, name: str) -> MimicTable:
        opened = self.table(module, name)
        if opened is None:
            old = (self.root / "core").is_dir()
            raise RecordsError(
                f"MIMIC-IV without {module}/{name}.csv.gz",
                where=str(self.root),
                hint="This is release 1.x, with a folder core/: give release 2.0 or later"
                if old
                else "Name the folder with hosp/ and icu/ as published",
            )
        return opened

    def unchanged(self) -> None:
        """Raise `UnreadableFileError` if a file was changed or replaced meanwhile."""
        unchanged(self._stamps, self.root)

    def missing(self) -> tuple[str, ...]:
        """Return the raw tables without any file: labs, doses."""
        files = {"labs": ("labevents", "chartevents"), "doses": ("inputevents", "emar")}
        return tuple(
            name
            for name, tables in files.items()
            if not any(each in self.opened for each in tables)
        )

    def absent(self, persons: int) -> tuple[Absent, ...]:
        """Yield the missing tables and columns with the consequences."""
        everybody = f"{persons} of {persons}"
        tables = [
            Absent(table, consequence.format(everybody=everybody))
            for table, consequence in CONSEQUENCES.items()
            if table not in self.opened
        ]
        columns = [
            Absent(f"{table}.{column}", consequence)
            for (table, column), consequence in OPTIONAL.items()
            if table in self.opened and column not in self.opened[table].columns
        ]
        return (*tables, *columns)


def _header(path: Path, module: str) -> tuple[str, ...]:
    file = f"{module}/{path.name}"
    try:
        with open_file(path, where=file) as raw:
            plain: BinaryIO | gzip.GzipFile = (
                gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            )
            line = plain.readline(_LONGEST_HEADER)
            if len(line) == _LONGEST_HEADER:
                raise too_large(place(file, 1), _LONGEST_HEADER, "the line of the column names")
            first = next(csv.reader([decoded(line, file, "Convert the file to UTF-8")]), None)
    except csv.Error as error:
        raise UnreadableFileError(
            f"no names of columns ({error})", where=place(file, 1), hint="Download the file again"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(
            "cannot be read: damaged, incomplete or not permitted",
            where=file,
            hint="Compare the file with its published checksum",
        ) from error
    if not first:
        raise UnreadableFileError("is empty", where=file, hint="Download the file again")
    columns = tuple(name.strip().lower() for name in first)
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise RecordsError(
            f"two columns are called {twice!r}", where=place(file, 1), hint="Rename or remove one"
        )
    return columns
