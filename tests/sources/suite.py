"""What every source of records promises, as tests that a source inherits.

A source is tested by a class that says how to write a few patients in its format and how to open
them: `class TestMySource(SourceSuite)`. A promise that a source cannot keep is declared in that class,
`test_promise = not_kept("why")`, and a declared gap that has closed fails.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from becalm import vocabulary
from becalm.core.citations import bibliography
from becalm.core.clock import UNKNOWN_TIME, iso
from becalm.core.errors import RecordsError
from becalm.doses import rebuild
from becalm.doses.schedules import written_out
from becalm.events import harmonise
from becalm.records import Records, Source
from becalm.vocabulary import UNKNOWN_VARIABLE
from tests.records import SCHEMAS, Row, condition, dose, lab, patient, stay
from tests.records.chart_review import differences

PATIENTS: Final = {
    "2": patient(
        "2",
        stay("2160-01-01 08:00", "2160-01-09 18:30", destination="died"),
        lab("ferritin", 12000, "2160-01-01 09:00"),
        lab("ferritin", ">15000", "2160-01-02 09:00"),
        lab("crp", 12, "2160-01-01 09:00", "mg/dL"),
        lab("platelets", 81, "2160-01-02 09:00", "K/uL"),
        dose("propofol", "2160-01-02 10:00", "2160-01-02 12:00", rate="50 mg/h"),
        dose("anakinra", "2160-01-03 10:00", amount="100 mg", route="SC"),
        condition(code="D761", system="ICD10CM"),
        age=None,
        death="2160-01-09 18:30",
    ),
    "10": patient(
        "10",
        stay("2150-03-01 08:00", "2150-03-02 10:00", destination="home"),
        lab("ferritin", 300, "2150-03-01 09:00"),
        age=None,
    ),
    "31": patient(
        "31",
        stay("2140-03-01 08:00", "2140-03-02 10:00", destination="home"),
        condition(code="M0610", system="ICD10CM"),
        condition(code="I10", system="ICD10CM"),
        age=None,
    ),
}
"""As numbers their ids come in another order than as text; the last has neither result nor dose."""

MEANT: Final[Mapping[str, list[tuple[Any, ...]]]] = {
    "values": [
        ("10", "ferritin", "2150-03-01 09:00", 300, 300),
        ("2", "crp", "2160-01-01 09:00", 120, 120),
        ("2", "ferritin", "2160-01-01 09:00", 12000, 12000),
        ("2", "ferritin", "2160-01-02 09:00", 15000, math.inf),
        ("2", "platelets", "2160-01-02 09:00", 81, 81),
    ],
    "doses": [
        ("2", "anakinra", "2160-01-03 10:00", 100),
        ("2", "propofol", "2160-01-02 10:00", 100),
    ],
    "ends": [("2", "propofol", "2160-01-02 10:00", 100, "2160-01-02 12:00")],
    "conditions": [("2", "hlh"), ("31", "aosd"), ("31", "autoimmune")],
    "deaths": [("2", "2160-01-09 18:30")],
}
"""What they are understood as: values in the variable's own unit, the ends of infusions."""
EVERYBODY: Final = tuple(row for rows in PATIENTS.values() for row in rows)


def not_kept(reason: str) -> Callable[..., None]:
    """Declare a promise that a source does not keep; it fails once the promise is kept."""

    def test(self: SourceSuite, tmp_path: Path) -> None:
        promise = getattr(super(type(self), self), self.promise(test))
        with pytest.raises((AssertionError, RecordsError, pytest.fail.Exception)):
            promise(tmp_path)

    test.__doc__ = f"Not kept: {reason}."
    return test


class SourceSuite(ABC):
    """The promises. `write` and `open` are the source's own."""

    name: str

    @abstractmethod
    def write(self, folder: Path, rows: Sequence[Row], leave_out: str = "") -> Path:
        """Write rows in the source's format; `leave_out`: labs or doses, the whole table."""

    @abstractmethod
    def open(self, path: Path, rows_per_chunk: int = 0) -> Source:
        """Open what was written; with few rows a chunk, where the source can be asked for it."""

    @abstractmethod
    def line(self, path: Path, table: str, key: int) -> str:
        """Return the row of a file that `table:key` leads back to, as it is written."""

    # ------------------------------------------------------------ how it is asked

    def promise(self, test: Callable[..., None]) -> str:
        """Return the name under which a class holds a test."""
        return next(name for name, held in vars(type(self)).items() if held is test)

    def source(self, folder: Path, rows: Sequence[Row] | None = None, **how: Any) -> Source:
        rows_per_chunk = how.pop("rows_per_chunk", 0)
        path = self.write(folder / "records", EVERYBODY if rows is None else rows, **how)
        return self.open(path, rows_per_chunk)

    # ------------------------------------------------------------ persons

    def test_persons_are_whole_and_in_the_order_of_their_ids_as_text(self, tmp_path: Path) -> None:
        source = self.source(tmp_path, rows_per_chunk=1)
        chunks = list(source.chunks())
        ids = [name for chunk in chunks for name in chunk.persons["person_id"].tolist()]
        assert ids == ["10", "2", "31"]
        for chunk in chunks:
            for name in SCHEMAS.keys() - {"persons"}:
                person = getattr(chunk, name)["person"]
                assert ((person >= 0) & (person < len(chunk.persons))).all(), name

    def test_how_records_are_cut_into_chunks_changes_nothing(self, tmp_path: Path) -> None:
        path = self.write(tmp_path / "records", EVERYBODY)
        assert understood(self.open(path)) == understood(self.open(path, 1))

    def test_one_person_is_read_as_among_others(self, tmp_path: Path) -> None:
        everyone = understood(self.source(tmp_path / "all"))
        for name, theirs in PATIENTS.items():
            alone = understood(self.source(tmp_path / name, theirs))
            assert alone == {
                what: [row for row in rows if row[0] == name] for what, rows in everyone.items()
            }

    def test_nobody_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(RecordsError):
            list(self.source(tmp_path, []).chunks())

    def test_persons_of_whom_nothing_is_recorded_are_there(self, tmp_path: Path) -> None:
        bare = [row for row in EVERYBODY if row.table in ("persons", "stays")]
        (chunk,) = self.source(tmp_path, bare).chunks()
        assert len(chunk.persons) == len(PATIENTS)
        for name in ("measurements", "administrations", "conditions", "findings", "cultures"):
            assert len(getattr(chunk, name)) == 0, name

    # ------------------------------------------------------------ rows

    def test_tables_have_their_columns_and_measurements_their_order(self, tmp_path: Path) -> None:
        for chunk in self.source(tmp_path).chunks():
            for name, schema in SCHEMAS.items():
                assert set(getattr(chunk, name).columns) == set(schema), name
            rows = chunk.measurements
            order = list(zip(rows["person"], rows["time"], rows["key"], strict=True))
            assert order == sorted(order)
            assert ((rows["kind"] >= 0) & (rows["kind"] < len(chunk.kinds))).all()

    def test_every_result_and_every_dose_leads_back_to_its_row(self, tmp_path: Path) -> None:
        """The row in the file that `table:key` names holds the number, and no two rows share a name."""
        path = self.write(tmp_path / "records", EVERYBODY)
        names = []
        for chunk in self.open(path).chunks():
            rows = chunk.measurements
            for kind, key, value, text in zip(
                rows["kind"], rows["key"], rows["value"], rows["text"], strict=True
            ):
                names.append((chunk.kinds[kind].table, int(key)))
                assert (text or f"{value:g}") in self.line(path, *names[-1])
            given = chunk.administrations
            for table, key in zip(given["table"], given["key"], strict=True):
                names.append((table, int(key)))
                assert self.line(path, *names[-1])
        assert len(names) == 7
        assert len(set(names)) == len(names)

    def test_a_result_without_a_time_is_refused_and_counted(self, tmp_path: Path) -> None:
        undated = lab("ferritin", "4711", None, person="2")
        source = self.source(tmp_path, [*EVERYBODY, undated])
        read = sum(len(chunk.measurements) for chunk in source.chunks())
        assert read == len(MEANT["values"])
        [refusal] = [each for each in source.refused() if each.rows]
        assert (refusal.rows, "time" in refusal.reason) == (1, True)
        assert "4711" in refusal.example

    def test_nothing_is_refused_where_nothing_is_wrong(self, tmp_path: Path) -> None:
        source = self.source(tmp_path)
        chunks = list(source.chunks())
        assert source.refused() == ()
        for chunk in chunks:
            assert harmonise(chunk, vocabulary.load()).refused == ()

    def test_results_that_nobody_knows_are_counted_and_not_read(self, tmp_path: Path) -> None:
        unknown = lab("sulfonal", 7, "2160-01-01 09:00", "mg/L", person="2")
        source = self.source(tmp_path, [*EVERYBODY, unknown, unknown])
        refused = [
            each
            for chunk in source.chunks()
            for each in harmonise(chunk, vocabulary.load()).unknown
        ]
        counted = [
            each for each in (*source.refused(), *refused) if each.reason == UNKNOWN_VARIABLE
        ]
        assert sum(each.rows for each in counted) == 2
        assert {each.variable.casefold() for each in counted} == {"sulfonal"}
        assert sum(len(rows) for rows in values(source)) == len(MEANT["values"])

    # ------------------------------------------------------------ what is not there

    @pytest.mark.parametrize("table", ["labs", "doses"])
    def test_a_table_that_is_not_there_is_said(self, tmp_path: Path, table: str) -> None:
        """It is missing, not empty: nobody may conclude that nothing was measured or given."""
        whole = self.source(tmp_path / "whole")
        assert table not in whole.missing
        source = self.source(tmp_path / "part", leave_out=table)
        assert table in source.missing
        more = set(source.absent()) - set(whole.absent())
        assert more
        assert all(each.consequence for each in more)
        assert sum(len(chunk.persons) for chunk in source.chunks()) == len(PATIENTS)

    def test_what_is_not_recorded_is_unknown(self, tmp_path: Path) -> None:
        """Nobody wrote when results were ready, nor a death of two of three."""
        chunks = list(self.source(tmp_path).chunks())
        for chunk in chunks:
            assert (chunk.measurements["available"] == UNKNOWN_TIME).all()
            assert np.isnan(chunk.measurements["ref_low"]).all()
            assert np.isnan(chunk.administrations["concentration"]).all()
        died = [t for chunk in chunks for t in chunk.persons["death_time"].tolist()]
        assert sum(time == UNKNOWN_TIME for time in died) == 2

    # ------------------------------------------------------------ again

    def test_two_runs_are_the_same(self, tmp_path: Path) -> None:
        """Asked twice, opened twice: the same rows, the same refusals."""
        path = self.write(tmp_path / "records", EVERYBODY)
        one, other = self.open(path, 1), self.open(path, 1)
        first, again, opened = list(one.chunks()), list(one.chunks()), list(other.chunks())
        for left, right in ((first, again), (first, opened)):
            for a, b in zip(left, right, strict=True):
                assert differences(a, b) == []
        assert one.refused() == other.refused()

    def test_every_file_that_was_read_is_named_with_its_hash(self, tmp_path: Path) -> None:
        path = self.write(tmp_path / "records", EVERYBODY)
        source = self.open(path)
        list(source.chunks())
        files = source.inputs()
        assert files
        hashes = Counter(
            hashlib.sha256(file.read_bytes()).hexdigest()
            for file in tmp_path.rglob("*")
            if file.is_file()
        )
        assert {each.sha256 for each in files} <= hashes.keys()
        assert not any(each.name.startswith("/") for each in files)

    # ------------------------------------------------------------ about itself

    def test_it_says_what_it_is(self, tmp_path: Path) -> None:
        source = self.source(tmp_path)
        assert source.name == self.name
        assert set(source.citations) <= bibliography().keys()
        assert all(isinstance(notice, str) and notice for notice in source.notices)
        assert source.doubts == ()

    # ------------------------------------------------------------ the same patients, the same events

    def test_the_patients_are_understood_as_they_were_meant(self, tmp_path: Path) -> None:
        """Values, doses, conditions and deaths, in whatever format they were written."""
        found = understood(self.source(tmp_path))
        assert {name: rows for name, rows in found.items() if name in MEANT} == MEANT


def values(source: Source) -> list[list[tuple[Any, ...]]]:
    """Return the events of each chunk: person, variable, time, low, high."""
    words = vocabulary.load()
    found = []
    for chunk in source.chunks():
        frame = harmonise(chunk, words).frame
        ids = chunk.persons["person_id"]
        found.append(
            [
                (ids[row["person"]], words.variables[row["variable"]].name, _moment(row["time"]),
                 round(row["low"], 9), round(row["high"], 9))
                for row in frame.rows()
            ]
        )  # fmt: skip
    return found


def understood(source: Source) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the rooms above make of records, sorted, each row with its person's id first."""
    result: dict[str, list[tuple[Any, ...]]] = {
        "persons": [], "values": [], "doses": [], "ends": [], "conditions": [], "deaths": []
    }  # fmt: skip
    for rows in values(source):
        result["values"] += rows
    for chunk in source.chunks():
        ids = chunk.persons["person_id"]
        result["persons"] += [(name,) for name in ids.tolist()]
        for row in _doses(chunk).rows():
            if row["counted"]:
                dose = (row["person_id"], row["drug"], _moment(row["start"]))
                result["doses"].append((*dose, round(row["amount_mg"], 6)))
                if not row["single"]:
                    result["ends"].append((*result["doses"][-1], _moment(row["end"])))
        table = chunk.conditions
        for person, *code in zip(
            table["person"], table["system"], table["code"], table["name"], strict=True
        ):
            for name in vocabulary.load().conditions_of(*code):
                result["conditions"].append((ids[person], name))
        result["deaths"] += [
            (name, _moment(time))
            for name, time in zip(ids, chunk.persons["death_time"].tolist(), strict=True)
            if time != UNKNOWN_TIME
        ]
    return {name: sorted(set(rows)) for name, rows in result.items()}


def _moment(time: int) -> str:
    return iso(time).replace("T", " ").removesuffix(":00")


def _doses(chunk: Records) -> Any:
    words, chunk = vocabulary.load(), written_out(chunk)
    return rebuild(chunk, harmonise(chunk, words), words).frame
