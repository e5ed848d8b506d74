"""MIMIC-IV as a source: persons in chunks, read directly from the files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Array
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.database import connect
from becalm.core.errors import RecordsError
from becalm.core.frame import Frame
from becalm.core.prefetch import ahead
from becalm.core.time_zones import ClockChanges
from becalm.records import (
    MEASUREMENTS,
    PERSONS,
    Absent,
    Doubt,
    InputFile,
    Records,
    Refusal,
    StudyInfo,
    duck,
)
from becalm.records.batches import Refused
from becalm.records.by_person import ByPerson
from becalm.records.charted_again import RepeatedCharting
from becalm.records.files import input_file, published
from becalm.records.mimic4 import persons, results
from becalm.records.mimic4.parts import Parts
from becalm.records.mimic4.tables import REBUILT_CHART, SYSTEM, Release
from becalm.records.mimic4.unread import unread
from becalm.vocabulary import MeasurementKind
from becalm.vocabulary.site_words import SiteWords

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY: Final = "512MiB"
_MEMORY_OF_PARTS: Final = "384MiB"
"""Memory of two databases, one for small tables. The latter has one thread: two threads need at least
448 MiB to sort a million stays, one thread writes to disk what does not fit."""

_AS_WRITTEN: Final = {"disabled_optimizers": "'join_order,build_side_probe_side,type_pushdown'"}
"""DuckDB cannot tell how long a CSV file is, and would hold the measurements rather than the persons. It
would have the reader type cells that a query tries to cast, and stop at the first that cannot be."""

_REPEATED: Final = toml.load(Path(__file__).with_name("charted_again.toml"), RepeatedCharting)

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
        self._parts = Parts(self._open(_MEMORY_OF_PARTS, threads=1), self._release, self._con)
        self._labels = self._read_labels()
        demo = (path / "demo_subject_id.csv").is_file()
        self.missing: tuple[str, ...] = self._release.missing()
        self.notices = self.licences = self._read_notices()
        self.citations: tuple[str, ...] = ("mimic_iv_demo" if demo else "mimic_iv", "physionet")
        self.doubts: tuple[Doubt, ...] = ()
        self.site: SiteWords | None = None
        self.info = StudyInfo(
            title="MIMIC-IV Clinical Database Demo" if demo else "MIMIC-IV",
            setting="hospital and intensive care",
            centre="Beth Israel Deaconess Medical Center",
            country="United States",
        )

    def inputs(self) -> tuple[InputFile, ...]:
        """Return every file that is read, with its hash; each is complete and unchanged."""
        if self._inputs is None:
            with ThreadPoolExecutor() as pool:
                self._inputs = self._checked(self._hashed(pool))
        self._release.unchanged()
        return self._inputs

    def _hashed(self, pool: ThreadPoolExecutor) -> list[Future[InputFile]]:
        root = self._release.root
        listed = published(root)
        files = sorted({table.path for table in self._release.opened.values()})
        return [pool.submit(input_file, path, root, listed) for path in files]

    def _checked(self, files: list[Future[InputFile]]) -> tuple[InputFile, ...]:
        wait(files)
        self._release.unchanged()  # first, because a changed file is not reported as damaged
        return tuple(each.result() for each in files)

    def absent(self) -> tuple[Absent, ...]:
        """Return the missing tables and columns, and the consequences."""
        return self._release.absent(len(self._persons["person_id"]))

    def refused(self) -> tuple[Refusal, ...]:
        """Return refused rows and cells, rows of items outside the vocabulary counted by item and unit."""
        if self._others is None:
            self._others = (*self._count_others(), *unread(self._con, self._release))
        return (*self._refused, *self._others)

    def chunks(self) -> Iterator[Records]:
        """Yield whole persons, in the order of their ids as text, about `chunk_rows` results and
        administrations each.

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
        kinds, texts = duck.Dictionary(), duck.Dictionary()
        rows = ByPerson(everyone, results.ORDER, {"text": texts})
        try:
            for batch in ahead(self._read_measurements(kinds, texts)):
                rows.add(batch)
            named = tuple(self._kind(word) for word in kinds.words)
            for low, high, columns in rows.chunks(self._chunk_rows, self._parts.counts()):
                measurements = _measurements(columns, low)
                parts = self._parts.frames(low, high if high < everyone else None, self._refused)
                yield Records(
                    persons=self._chunk_persons(low, high, measurements),
                    kinds=named,
                    measurements=measurements,
                    repeated=_REPEATED,
                    clock=ClockChanges.none(),  # dates are shifted
                    **parts,
                )
        finally:
            rows.close()

    def _open(self, memory: str, threads: int | None = None) -> DuckDBPyConnection:
        con = connect(memory, threads, within=self._release.folders(), settings=_AS_WRITTEN)
        for sql in (
            *results.MACROS,
            results.reported(),
            results.limited(),
            persons.create_persons(self._release),
        ):
            duck.execute(con, sql)
        return con

    def _read_measurements(
        self, kinds: duck.Dictionary, texts: duck.Dictionary
    ) -> Iterator[duck.Columns]:
        """Yield the results that can be used, in the files' order; count the others."""
        if self._measurements is None:
            return
        coded = {"kind": kinds, "text": texts}
        for batch in duck.stream(self._con, self._measurements, coded=coded):
            reason, lost = batch.pop("reason"), batch.pop("lost")
            used, refused = np.flatnonzero(reason == 0), np.flatnonzero(reason)
            for bit, why in results.LOST.items() if lost.any() else ():
                at = np.flatnonzero((lost & bit > 0) & (reason == 0))
                self._refuse(_rows(batch, at), np.full(len(at), why), kinds.words, texts.words)
            if len(refused):
                self._refuse(_rows(batch, refused), reason[refused], kinds.words, texts.words)
            yield _rows(batch, used) if len(refused) else batch

    def _refuse(
        self, rows: duck.Columns, reason: Array, kinds: Sequence[str], texts: Sequence[str]
    ) -> None:
        """Count refused results; the example is the first by person, time and key, unknown last."""
        person, time, key = rows["person"], rows["time"], rows["key"]
        order = np.lexsort((key, time, time == UNKNOWN_TIME, person, person < 0))
        group = rows["kind"][order].astype(np.int64) * len(results.REASONS) + reason[order]
        _, first, counts = np.unique(group, return_index=True, return_counts=True)
        for row, count in zip(order[first].tolist(), counts.tolist(), strict=True):
            kind = self._kind(kinds[rows["kind"][row]])
            value = texts[rows["text"][row]] or duck.number_text(rows["value"][row])
            why = results.REASONS[reason[row]]
            example = f"{kind.table}:{key[row]} {value}".rstrip()
            place = (person[row] < 0, person[row], time[row] == UNKNOWN_TIME, time[row], key[row])
            self._refused.add(
                Refusal(kind.table, kind.name, kind.unit, why, count, example),
                tuple(int(each) for each in place),
            )

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
            results.TABLES[int(table)], SYSTEM, item, label, unit or usual, fluid
        )

    def _read_labels(self) -> dict[tuple[bool, str], tuple[str, str, str]]:
        """Return label, specimen and unit of each item; laboratory items are a list of their own."""
        labels: dict[tuple[bool, str], tuple[str, str, str]] = {}
        for lab, module, table, columns in (
            (True, "hosp", "d_labitems", ("itemid", "label", "fluid")),
            (False, "icu", "d_items", ("itemid", "label", "unitname")),
        ):
            items = self._release.table(module, table)
            if items is None:
                continue
            item, label, third = columns
            sql = (
                f"SELECT bare({item}) AS itemid, bare({label}) AS label, given_unit({third}) AS third "
                f"FROM {items.read(*columns)} ORDER BY ALL"
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
        chart = self._release.opened.get("chartevents")
        rebuilt = chart is not None and chart.name == REBUILT_CHART
        said = (*((_ODBL,) if odbl else ()), *((_REBUILT,) if rebuilt else ()))
        return (*said, *self._release.notices, *_ALWAYS)

    def _check_persons(self) -> None:
        ids, file = self._persons["person_id"], self._release.required("hosp", "patients").file
        if not len(ids):
            raise RecordsError("has no persons", where=file)
        twice = ids[1:][ids[1:] == ids[:-1]]
        if len(twice):
            raise RecordsError(
                f"subject_id {twice[0]} is in two rows", where=file, hint="Keep one row per person"
            )

    def _chunk_persons(self, low: int, high: int, measurements: Frame) -> Frame:
        """Return the chunk's persons; a result after the last discharge is a later contact."""
        columns = {name: column[low:high] for name, column in self._persons.items()}
        died, left = columns["death_time"], columns["last_contact"]
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
        columns["last_contact"], columns["last_contact_status"] = contact, status
        return Frame.of(PERSONS, **columns)


def _measurements(columns: Mapping[str, Array], low: int) -> Frame:
    used = {name: column for name, column in columns.items() if name in MEASUREMENTS}
    if used:
        used["person"] = used["person"] - np.int32(low)
    return Frame.around(MEASUREMENTS, used)


def _rows(columns: duck.Columns, index: Array) -> duck.Columns:
    return {name: column[index] for name, column in columns.items()}


def _known_items() -> frozenset[str]:
    from becalm import vocabulary

    return vocabulary.load().measured_codes(SYSTEM)
