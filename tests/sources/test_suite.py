"""The promises of a source, kept by each of ours."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from becalm.records import KINDS, Source, open_records
from becalm.records.mimic4 import open_mimic4
from tests.records import Row, mimic4, sheets
from tests.records.chart_review import said, table
from tests.sources.suite import SourceSuite, not_kept


def test_every_registered_source_is_tested() -> None:
    """In this file or in one beside it."""
    suite = re.compile(r'^class Test\w+\(SourceSuite\):.*?^    name = "(\w+)"', re.M | re.S)
    texts = [path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    assert {name for text in texts for name in suite.findall(text)} >= {*KINDS, "mapped"}


def line_of(path: Path, number: int) -> str:
    """Return a line of a file, counted from 1."""
    return path.read_text(encoding="utf-8").splitlines()[number - 1]


class TestSheets(SourceSuite):
    """A folder of chart-review sheets."""

    name = "sheets"
    test_nobody_is_an_error = not_kept(
        "a chart review that has only begun opens, with nobody in it"
    )

    def write(self, folder: Path, rows: Sequence[Row], leave_out: str = "") -> Path:
        return sheets(folder, *rows, leave_out=leave_out)

    def open(self, path: Path, rows_per_chunk: int = 0) -> Source:
        return open_records(str(path))

    def line(self, path: Path, table: str, key: int) -> str:
        return line_of(path / f"{table}.csv", key)


class TestMapped(SourceSuite):
    """Flat tables of a layout of their own, with the mapping that reads them."""

    name = "mapped"
    test_nobody_is_an_error = not_kept("it reads tables as the sheets that they would be")
    MAPPING: Final = """
[persons]
table = "people"
person_id = "mrn"
death_time = { column = "left", where = { dead = "1" } }

[[stays]]
table = "people"
person_id = "mrn"
start = "arrived"
end = "left"
"""
    LABS: Final = """
[[labs]]
table = "results"
person_id = "mrn"
time = "drawn"
name = "test"
value = "result"
unit = "units"
"""
    DOSES: Final = """
[[doses]]
table = "drugs"
person_id = "mrn"
where = { kind = "infusion" }
drug = "medication"
route = { always = "IV" }
start = "begun"
end = "stopped"
rate = "quantity"
rate_unit = { always = "mg/h" }

[[doses]]
table = "drugs"
person_id = "mrn"
where = { kind = "dose" }
drug = "medication"
route = { always = "SC" }
start = "begun"
amount = "quantity"
amount_unit = { always = "mg" }
"""
    CONDITIONS: Final = """
[[conditions]]
table = "diagnoses"
person_id = "mrn"
system = { always = "ICD10CM" }
code = "icd"
"""

    def write(self, folder: Path, rows: Sequence[Row], leave_out: str = "") -> Path:
        found = said(*rows)
        stays = {each["person_id"]: each for each in found["stays"]}
        table(
            folder / "people.csv",
            "mrn,arrived,left,dead",
            [
                (name := each["person_id"], stays[name]["start"], stays[name]["end"],
                 int(stays[name]["to"] == "died"))
                for each in found["persons"]
            ],
        )  # fmt: skip
        table(
            folder / "results.csv",
            "mrn,drawn,test,result,units",
            [[each[name] for name in ("person_id", "time", "name", "value", "unit")]
             for each in found["labs"]],
        )  # fmt: skip
        table(
            folder / "drugs.csv",
            "mrn,kind,medication,begun,stopped,quantity",
            [[each["person_id"], "infusion" if each["end"] else "dose", each["drug"],
              each["start"], each["end"], each.get("rate", each.get("amount"))]
             for each in found["doses"]],
        )  # fmt: skip
        table(
            folder / "diagnoses.csv",
            "mrn,icd",
            [[each["person_id"], each["code"]] for each in found["conditions"]],
        )
        sections = {"labs": self.LABS, "doses": self.DOSES, "conditions": self.CONDITIONS}
        files = {"labs": "results", "doses": "drugs", "conditions": "diagnoses"}
        kept = [name for name in sections if name != leave_out]
        tables = ["people", *(files[name] for name in kept)]
        text = "".join(f'[tables.{name}]\nfile = "{name}.csv"\n' for name in tables)
        text += self.MAPPING + "".join(sections[name] for name in kept)
        (folder / "mapping.toml").write_text(text, encoding="utf-8")
        return folder

    def open(self, path: Path, rows_per_chunk: int = 0) -> Source:
        return open_records(str(path), mapping=str(path / "mapping.toml"))

    def line(self, path: Path, table: str, key: int) -> str:
        """A row that is read twice, or by column, has `#2` or `[column]` behind its table."""
        file = re.split(r"[#\[]", table)[0]
        return line_of(path / f"{file}.csv", key)


class TestMimic4(SourceSuite):
    """A folder as MIMIC-IV publishes it."""

    name = "mimic4"

    def write(self, folder: Path, rows: Sequence[Row], leave_out: str = "") -> Path:
        return mimic4(folder, *rows, leave_out=leave_out)

    def open(self, path: Path, rows_per_chunk: int = 0) -> Source:
        if not rows_per_chunk:
            return open_records(str(path))
        return open_mimic4(path, chunk_rows=rows_per_chunk)

    def line(self, path: Path, table: str, key: int) -> str:
        """Results have a key of their own; of the other tables it is the number of the row."""
        [file] = path.glob(f"*/{table}.csv.gz")
        with gzip.open(file, "rt", encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
        if table == "labevents":
            [row] = [row for row in rows if row["labevent_id"] == str(key)]
        else:
            row = rows[key - 1]
        return ",".join(row.values())


def test_a_declared_gap_that_has_closed_fails(tmp_path: Path) -> None:
    class Closed(TestSheets):
        test_two_runs_are_the_same = not_kept("an example")

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        Closed().test_two_runs_are_the_same(tmp_path)
