"""The books of a run: every row that came in is used, refused or listed, and whose data it made.

`Account` is what becalm understood of some records, by person and without the numbers of rows, and everything it
reported of what it did not understand. Two accounts are compared after a mutation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm import vocabulary
from becalm.core.frame import Frame
from becalm.patients.understood import Patients
from becalm.protocol import Protocol
from becalm.records import Source, open_records
from becalm.records.sheets.schema import SHEETS
from becalm.study.result import StudyResult
from becalm.study.run import run
from tests.fuzz.small import Table

_TABLES: Final[Mapping[str, str]] = {
    "persons": "persons", "stays": "stays", "labs": "measurements", "doses": "administrations",
    "findings": "findings", "conditions": "conditions", "procedures": "procedures", "cultures": "cultures",
}  # fmt: skip
_OF_A_CELL: Final = ("cell not used", "read as blank", "value used", "is used", "age undated")
"""Words of the reasons that are about a cell of a row that is used."""
_TRACES: Final = (
    "key",
    "row",
    "rows",
    "table",
    "kind",
    "index_row",
    "until",
    "drug_code",
    "route_code",
)


@dataclass
class Account:
    """What was understood. rows : for each sheet, the rows that are used and those refused.

    persons : for each person everything understood of him, as texts. reported : what was reported, with how often.
    """

    rows: dict[str, tuple[int, int]]
    persons: dict[str, Counter[str]] = field(default_factory=dict)
    reported: Counter[str] = field(default_factory=Counter)
    tables: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def reports(self) -> int:
        """How many things were reported."""
        return self.reported.total()


def account(where: Path, options: tuple[str, ...], protocol: Protocol | None = None) -> Account:
    """Open records and return the account of them; with a protocol, of a study's tables too."""
    source = opened(where, options)
    found = Account({})
    used: Counter[str] = Counter()
    for records in source.chunks():
        patients = Patients.of(records, words_of(source))
        _understood(patients, found)
        for name, table in _TABLES.items():
            used[name] += len(getattr(records, table))
        _fates(patients)
    refused = source.refused()
    for each in refused:
        found.reported[f"{each.source_table}, {each.variable}: {each.reason}"] += each.rows
    found.reported.update(f"notice: {text}" for text in source.notices)
    for name in _TABLES:
        lost = sum(
            each.rows
            for each in refused
            if each.source_table == name and not any(word in each.reason for word in _OF_A_CELL)
        )
        found.rows[name] = (used[name], lost)
    if protocol is not None:
        _study(run(opened(where, options), protocol, "records", site=None), found)
    return found


def opened(where: Path, options: tuple[str, ...]) -> Source:
    """Open records as the command would."""
    mapping = options[1] if options else None
    return open_records(str(where), mapping=mapping)


def words_of(source: Source) -> vocabulary.Vocabulary:
    """Return the vocabulary with what the records' own file of words says."""
    return source.site.applied(vocabulary.load()) if source.site else vocabulary.load()


def _fates(patients: Patients) -> None:
    """Every measurement and finding is understood, refused or unknown; every dose has its row."""
    records, events = patients.records, patients.events
    for name, tables in (
        ("measurements", {kind.table for kind in records.kinds}),
        ("findings", {"findings"}),
    ):
        frame = getattr(records, name)
        first = 0 if name == "measurements" else len(records.measurements)
        own = (events.frame["row"] >= first) & (events.frame["row"] < first + len(frame))
        read = len(np.unique(events.frame["row"][own]))
        lost = sum(
            each.rows for each in (*events.refused, *events.unknown) if each.source_table in tables
        )
        assert read + lost == len(frame), f"{name}: {len(frame)} rows, {read} read, {lost} lost"
    assert len(patients.doses.frame) == len(records.administrations)


def _understood(patients: Patients, found: Account) -> None:
    ids = patients.records.persons["person_id"].tolist()
    said = {one: Counter[str]() for one in ids}
    for name in _TABLES.values():
        frame = getattr(patients.records, name)
        if name in {"measurements", "findings", "administrations"}:
            continue  # as they are understood, below
        for text, row in _texts(name, frame):
            said[row.get("person_id", "") or ids[row["person"]]][text] += 1
    words = patients.vocabulary.variables
    for _, row in _texts("events", patients.events.frame):
        about = words[row["variable"]].name
        clocks = {name: row[name] for name in ("time", "start", "available", "date_only")}
        text = f"{about} {row['low']:.12g} {row['high']:.12g} {clocks}"
        said[ids[row["person"]]][text] += 1
    for text, row in _texts("doses", patients.doses.frame):
        said[row["person_id"]][text] += 1
    for text, row in _texts("diagnosed", patients.diagnosed):
        said[ids[row["person"]]][text] += 1
    found.persons |= said
    for each in (*patients.refused, *patients.events.unknown):
        found.reported[f"{each.source_table}, {each.variable}: {each.reason}"] += each.rows
    for row in patients.unrecognised.rows():
        found.reported[f"{row['kind']} not understood"] += 1


def _texts(name: str, frame: Frame) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each row as text without the traces of where it stands, and the row."""
    columns = [
        each
        for each in frame.columns
        if each not in (*_TRACES, "person", "source_row") and not each.endswith(("_row", "_rows"))
    ]
    for row in frame.rows():
        yield f"{name} " + " ".join(f"{each}={row[each]}" for each in columns), row


def _study(result: StudyResult, found: Account) -> None:
    """Add the tables of a study, by person."""
    for name, frame in result.tables.items():
        if "person_id" not in frame.columns:
            continue
        for text, row in _texts(name, frame):
            found.tables.setdefault(row["person_id"], Counter())[text] += 1


def rows_of_sheets(tables: Mapping[str, Table]) -> dict[str, int]:
    """Return the number of rows in each sheet that are not blank, counted by themselves."""
    return {
        name: sum(any(cell.strip() for cell in row) for row in tables.get(f"{name}.csv", [])[1:])
        for name in SHEETS
    }
