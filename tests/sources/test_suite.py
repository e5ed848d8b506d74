"""The promises of a source, kept by each of ours."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from becalm.records import KINDS, Source, open_records
from becalm.records.mimic4 import open_mimic4
from tests.sources.mimic_files import Row, mimic_folder
from tests.sources.suite import Patient, SourceSuite, not_kept


def test_every_registered_source_is_tested() -> None:
    """In this file or in one beside it."""
    suite = re.compile(r'^class Test\w+\(SourceSuite\):.*?^    name = "(\w+)"', re.M | re.S)
    texts = [path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    assert {name for text in texts for name in suite.findall(text)} >= {*KINDS, "mapped"}


def write_rows(path: Path, columns: str, rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns.split(","), *rows])


def line_of(path: Path, number: int) -> str:
    """Return a line of a file, counted from 1."""
    return path.read_text(encoding="utf-8").splitlines()[number - 1]


class TestSheets(SourceSuite):
    """A folder of chart-review sheets."""

    name = "sheets"
    test_nobody_is_an_error = not_kept(
        "a chart review that has only begun opens, with nobody in it"
    )

    def write(self, folder: Path, patients: Sequence[Patient], leave_out: str = "") -> Path:
        tables: Mapping[str, tuple[str, list[list[object]]]] = {
            "persons": (
                "person_id,sex,death_time",
                [[p.id, "F", p.went if p.died else ""] for p in patients],
            ),
            "stays": (
                "person_id,start,end,to",
                [[p.id, p.came, p.went, "died" if p.died else "home"] for p in patients],
            ),
            "labs": (
                "person_id,time,name,value,unit",
                [[p.id, each.time, each.variable, each.value, each.unit]
                 for p in patients for each in p.labs],
            ),
            "doses": (
                "person_id,drug,route,start,end,amount,amount_unit,rate,rate_unit",
                [[p.id, each.drug, "IV" if each.end else "SC", each.start, each.end,
                  *(("", "", each.mg_per_h, "mg/h") if each.end else (each.mg, "mg", "", ""))]
                 for p in patients for each in p.doses],
            ),
            "conditions": (
                "person_id,system,code",
                [[p.id, "ICD10CM", code] for p in patients for code in p.icd10],
            ),
        }  # fmt: skip
        for name, (columns, rows) in tables.items():
            if name != leave_out:
                write_rows(folder / f"{name}.csv", columns, rows)
        return folder

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

    def write(self, folder: Path, patients: Sequence[Patient], leave_out: str = "") -> Path:
        write_rows(
            folder / "people.csv",
            "mrn,arrived,left,dead",
            [[p.id, p.came, p.went, f"{p.died:d}"] for p in patients],
        )
        write_rows(
            folder / "results.csv",
            "mrn,drawn,test,result,units",
            [[p.id, each.time, each.variable, each.value, each.unit]
             for p in patients for each in p.labs],
        )  # fmt: skip
        write_rows(
            folder / "drugs.csv",
            "mrn,kind,medication,begun,stopped,quantity",
            [[p.id, "infusion" if each.end else "dose", each.drug, each.start, each.end,
              each.mg_per_h or each.mg] for p in patients for each in p.doses],
        )  # fmt: skip
        write_rows(
            folder / "diagnoses.csv",
            "mrn,icd",
            [[p.id, code] for p in patients for code in p.icd10],
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
    ITEMS: Final = {
        "ferritin": (50924, "Ferritin"),
        "crp": (50889, "C-Reactive Protein"),
        "platelets": (51265, "Platelet Count"),
        "sulfonal": (59999, "Sulfonal"),
    }
    DRUGS: Final = {"propofol": (222168, "Propofol")}

    def write(self, folder: Path, patients: Sequence[Patient], leave_out: str = "") -> Path:
        tables: dict[str, list[Row]] = {
            "hosp/d_labitems": [
                {"itemid": item, "label": label, "fluid": "Blood"}
                for item, label in self.ITEMS.values()
            ],
            "icu/d_items": [
                {"itemid": item, "label": label} for item, label in self.DRUGS.values()
            ],
            **{name: [] for name in ("hosp/patients", "hosp/admissions", "hosp/labevents")},
            **{name: [] for name in ("hosp/emar", "hosp/emar_detail", "icu/inputevents")},
            "hosp/diagnoses_icd": [],
        }
        for p in patients:
            year = p.came[:4]
            who = {"subject_id": p.id, "hadm_id": f"{p.id}00"}
            tables["hosp/patients"].append(
                {"subject_id": p.id, "gender": "F", "anchor_age": 40, "anchor_year": year}
            )
            tables["hosp/admissions"].append(
                {**who, "admittime": f"{p.came}:00", "dischtime": f"{p.went}:00",
                 "deathtime": f"{p.went}:00" if p.died else "",
                 "discharge_location": "DIED" if p.died else "HOME"}
            )  # fmt: skip
            tables["hosp/diagnoses_icd"] += [
                {**who, "icd_code": code, "icd_version": 10} for code in p.icd10
            ]
            for each in p.labs:
                number = each.value if each.value.isdigit() else ""
                tables["hosp/labevents"].append(
                    {**who, "labevent_id": len(tables["hosp/labevents"]) + 1,
                     "itemid": self.ITEMS[each.variable][0], "value": each.value,
                     "charttime": f"{each.time}:00" if each.time else "", "valuenum": number,
                     "valueuom": each.unit}
                )  # fmt: skip
            for dose in p.doses:
                if dose.end:
                    tables["icu/inputevents"].append(
                        {**who, "itemid": self.DRUGS[dose.drug][0], "starttime": f"{dose.start}:00",
                         "endtime": f"{dose.end}:00", "amount": dose.mg, "amountuom": "mg",
                         "rate": dose.mg_per_h, "rateuom": "mg/hour", "patientweight": 70,
                         "ordercategoryname": "01-Drips", "statusdescription": "FinishedRunning",
                         "ordercategorydescription": "Continuous Med"}
                    )  # fmt: skip
                    continue
                name = f"{p.id}-{len(tables['hosp/emar']) + 1}"
                tables["hosp/emar"].append(
                    {**who, "emar_id": name, "emar_seq": 1, "charttime": f"{dose.start}:00",
                     "medication": dose.drug.capitalize(), "event_txt": "Administered"}
                )  # fmt: skip
                tables["hosp/emar_detail"] += [
                    {"emar_id": name, "route": "SC",
                     "administration_type": "Standard Maintenance Medication"},
                    {"emar_id": name, "parent_field_ordinal": "1.1", "dose_given": dose.mg,
                     "dose_given_unit": "mg"},
                ]  # fmt: skip
        gone = {
            "": "",
            "labs": "labevents chartevents",
            "doses": "inputevents emar emar_detail",
        }[leave_out]
        return mimic_folder(folder, tables, gone)

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
