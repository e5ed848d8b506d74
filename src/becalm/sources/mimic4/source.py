"""MIMIC-IV as a source: whole persons in chunks, everything read straight from the files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from becalm.clock import UNKNOWN_TIME
from becalm.errors import RecordsError
from becalm.frame import Array, Frame
from becalm.records import (
    MEASUREMENTS,
    PERSONS,
    Absent,
    InputFile,
    MeasurementKind,
    Records,
    Refusal,
    StudyInfo,
)
from becalm.sources import duck
from becalm.sources.files import input_file, published
from becalm.sources.mimic4 import persons, results
from becalm.sources.mimic4.parts import Parts
from becalm.sources.mimic4.tables import REBUILT_CHART, Release
from becalm.sources.streamed import Refused, SortedRows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY: Final = "768MiB"
_MEMORY_OF_PARTS: Final = "256MiB"
"""Two databases, because the sort of the measurements keeps all the memory it was given."""

_ODBL: Final = (
    "Contains information from the MIMIC-IV Clinical Database Demo, which is made available here "
    "under the Open Database License (ODbL) 1.0."
)
_ALWAYS: Final = (
    "MIMIC-IV shifts all dates of a person by one random amount: calendar dates mean nothing "
    "between persons.",
    "MIMIC-IV records deaths outside hospital for one year after the last discharge, by date.",
    "MIMIC-IV diagnoses are coded at discharge: they belong to a stay, their onset is unknown.",
    "Orders (prescriptions) are listed and never counted. A dose of intensive care stands in "
    'inputevents and in emar: it is counted once, as inputevents has it unless that says "1 dose".',
)
_REBUILT: Final = (
    "icu/chartevents is absent; its rebuilt stand-in was read: numbers only, without text values "
    "and without the time of entry."
)


class Mimic4:
    """A release of MIMIC-IV, or its demo."""

    name = "mimic4"

    def __init__(self, path: Path, *, items: Collection[str] | None, chunk_rows: int) -> None:
        self._release = Release(path)
        self._chunk_rows = chunk_rows
        self._items = frozenset(items) if items is not None else _known_items()
        self._con = self._open(_MEMORY)
        self._refused = Refused()
        self._others: tuple[Refusal, ...] | None = None
        self._inputs: tuple[InputFile, ...] | None = None
        self._persons = duck.fetch(self._con, persons.persons(self._release))
        self._check_persons()
        self._measurements = results.measurements(self._release, self._items)
        self._parts = Parts(self._open(_MEMORY_OF_PARTS), self._release)
        self._labels = self._read_labels()
        demo = (path / "demo_subject_id.csv").is_file()
        self.missing: tuple[str, ...] = self._release.missing()
        self.notices = self._read_notices()
        self.citations: tuple[str, ...] = ("mimic_iv_demo" if demo else "mimic_iv", "physionet")
        self.info = StudyInfo(
            title="MIMIC-IV Clinical Database Demo" if demo else "MIMIC-IV",
            setting="hospital and intensive care",
            centre="Beth Israel Deaconess Medical Center",
            country="United States",
        )

    def inputs(self) -> tuple[InputFile, ...]:
        """Return every file that is read, with its hash; each is whole and was not changed since."""
        if self._inputs is None:
            with ThreadPoolExecutor() as pool:
                self._inputs = self._checked(self._hashed(pool))
        self._release.unchanged()
        return self._inputs

    def _hashed(self, pool: ThreadPoolExecutor) -> list[Future[InputFile]]:
        root = self._release.root
        listed = published(root)
        files = sorted({table.path for table in self._release.found.values()})
        return [pool.submit(input_file, path, root, listed) for path in files]

    def _checked(self, files: list[Future[InputFile]]) -> tuple[InputFile, ...]:
        wait(files)
        self._release.unchanged()  # first, because a file that was changed is not a damaged one
        return tuple(each.result() for each in files)

    def absent(self) -> tuple[Absent, ...]:
        """Return the tables and columns that are not there, and what is not known for it."""
        return self._release.absent(len(self._persons["person_id"]))

    def refused(self) -> tuple[Refusal, ...]:
        """Return refused rows, those of items outside the vocabulary counted by item and unit."""
        if self._others is None:
            self._others = tuple(self._count_others())
        return (*self._refused, *self._others)

    def chunks(self) -> Iterator[Records]:
        """Yield whole persons, in the order of their ids as text, about `chunk_rows` results each.

        Everything is read anew at each call. Meanwhile every file is checked to be whole, because
        a damaged one may well be read without complaint: what is wrong is raised in place of the
        end.
        """
        pool = ThreadPoolExecutor(max_workers=1)
        checked = self._hashed(pool) if self._inputs is None else []
        try:
            yield from self._chunks()
            self._inputs = self._checked(checked) or self._inputs
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _chunks(self) -> Iterator[Records]:
        self._refused = Refused()
        everyone = len(self._persons["person_id"])
        kinds = duck.Dictionary()
        rows = self._sorted_measurements(kinds)
        low = 0
        while low < everyone:
            high = rows.person_after(self._chunk_rows, everyone) if rows else everyone
            measurements = _measurements(rows.until(high) if rows else {}, low)
            parts = self._parts.frames(low, high if high < everyone else None, self._refused)
            yield Records(
                persons=self._chunk_persons(low, high, measurements),
                kinds=tuple(self._kind(word) for word in kinds.words),
                measurements=measurements,
                **parts,
            )
            low = high
        if rows:
            rows.drain()

    def _open(self, memory: str) -> DuckDBPyConnection:
        con = duck.connect(memory)
        for sql in (*results.MACROS, persons.create_persons(self._release)):
            duck.execute(con, sql)
        return con

    def _sorted_measurements(self, kinds: duck.Dictionary) -> SortedRows | None:
        if self._measurements is None:
            return None

        def describe(batch: duck.Columns, row: int) -> Refusal:
            kind = self._kind(kinds.words[batch["kind"][row]])
            value = batch["text"][row] or duck.shown(batch["value"][row])
            example = f"{kind.table}:{batch['key'][row]} {value}".rstrip()
            return Refusal(kind.table, kind.name, kind.unit, batch["reason"][row], 1, example)

        batches = duck.stream(self._con, self._measurements, coded={"kind": kinds})
        return SortedRows(self._refused.kept(batches, describe))

    def _count_others(self) -> Iterator[Refusal]:
        sql = results.others(self._release, self._items)
        if sql is None:
            return
        counted = duck.fetch(self._con, sql)
        for word, rows, key in zip(counted["kind"], counted["rows"], counted["first"], strict=True):
            kind = self._kind(word)
            name = kind.name or f"item {kind.code}"
            example = f"{kind.table}:{key} {name}"
            yield Refusal(kind.table, name, kind.unit, "unknown variable", int(rows), example)

    def _kind(self, word: str) -> MeasurementKind:
        """Return the kind of `table number|item|unit`, with the release's own label."""
        table, item, unit = word.split("|", 2)
        label, fluid, usual = self._labels.get((table == "0", item), ("", "", ""))
        return MeasurementKind(
            results.TABLES[int(table)], "MIMIC", item, label, unit or usual, fluid
        )

    def _read_labels(self) -> dict[tuple[bool, str], tuple[str, str, str]]:
        """Return label, specimen and unit of each item; laboratory items are a list of their own."""
        labels: dict[tuple[bool, str], tuple[str, str, str]] = {}
        for lab, module, table, columns in (
            (True, "hosp", "d_labitems", ("itemid", "label", "fluid")),
            (False, "icu", "d_items", ("itemid", "label", "unitname")),
        ):
            found = self._release.table(module, table)
            if found is None:
                continue
            item, label, third = columns
            sql = (
                f"SELECT {item}, trim({label}) AS label, given_unit({third}) AS third "
                f"FROM {found.read(*columns)} ORDER BY ALL"
            )
            got = duck.fetch(self._con, sql)
            for row in zip(got["itemid"], got["label"], got["third"], strict=True):
                labels[lab, row[0]] = (row[1], row[2], "") if lab else (row[1], "", row[2])
        return labels

    def _read_notices(self) -> tuple[str, ...]:
        licence = self._release.root / "LICENSE.txt"
        odbl = licence.is_file() and "Open Database License" in licence.read_text(
            encoding="utf-8", errors="replace"
        )
        chart = self._release.found.get("chartevents")
        rebuilt = chart is not None and chart.name == REBUILT_CHART
        return (*((_ODBL,) if odbl else ()), *((_REBUILT,) if rebuilt else ()), *_ALWAYS)

    def _check_persons(self) -> None:
        ids, file = self._persons["person_id"], self._release.required("hosp", "patients").file
        if not len(ids):
            raise RecordsError("has no persons", where=file)
        twice = ids[1:][ids[1:] == ids[:-1]]
        if len(twice):
            raise RecordsError(
                f"subject_id {twice[0]} stands twice", where=file, hint="Keep one row per person"
            )

    def _chunk_persons(self, low: int, high: int, measurements: Frame) -> Frame:
        """Return the chunk's persons; a result after the last departure is the later contact."""
        given = {name: column[low:high] for name, column in self._persons.items()}
        died, left = given["death_time"], given["last_contact"]
        last = np.searchsorted(measurements["person"], np.arange(high - low), side="right") - 1
        seen = np.full(high - low, UNKNOWN_TIME)
        some = (
            (last >= 0) & (measurements["person"][last] == np.arange(high - low))
            if len(measurements)
            else np.zeros(high - low, dtype=np.bool_)
        )
        seen[some] = measurements["time"][last[some]]
        contact = np.where(died != UNKNOWN_TIME, died, np.maximum(left, seen))
        status = np.where(contact != UNKNOWN_TIME, "alive", "").astype(object)
        status[died != UNKNOWN_TIME] = "died"
        given["last_contact"], given["last_contact_status"] = contact, status
        return Frame.of(PERSONS, **given)


def _measurements(columns: Mapping[str, Array], low: int) -> Frame:
    given = {name: column for name, column in columns.items() if name in MEASUREMENTS}
    if given:
        given["person"] = given["person"] - np.int32(low)
    return Frame.of(MEASUREMENTS, **given)


def _known_items() -> frozenset[str]:
    from becalm import vocabulary

    return vocabulary.load().mimic_items()
