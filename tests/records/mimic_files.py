"""Rows as a MIMIC-IV folder; and its files row by row: only the columns that are read.

A test of what is in records says rows: `mimic4(folder, lab("ferritin", 9000, 5))`. A test of how the files are
read gives their rows as they are: `mimic_folder(folder, {"hosp/labevents": [...]})`.
"""

from __future__ import annotations

import csv
import gzip
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import becalm
from becalm.core.clock import HOUR, from_us
from tests.records.rows import ORIGIN, Row, at, persons_of

FileRow = Mapping[str, object]
"""A row of a file: its cells by column."""

COLUMNS: Final = {
    "hosp/patients": "subject_id gender anchor_age anchor_year dod",
    "hosp/admissions": "subject_id hadm_id admittime dischtime deathtime admission_location "
    "discharge_location edregtime edouttime",
    "hosp/transfers": "subject_id hadm_id transfer_id eventtype careunit intime outtime",
    "hosp/labevents": "labevent_id subject_id hadm_id itemid charttime storetime value valuenum "
    "valueuom ref_range_lower ref_range_upper comments",
    "hosp/d_labitems": "itemid label fluid",
    "hosp/diagnoses_icd": "subject_id hadm_id icd_code icd_version",
    "hosp/d_icd_diagnoses": "icd_code icd_version long_title",
    "hosp/procedures_icd": "subject_id chartdate icd_code icd_version",
    "hosp/d_icd_procedures": "icd_code icd_version long_title",
    "hosp/microbiologyevents": "microevent_id subject_id micro_specimen_id chartdate charttime "
    "spec_type_desc storedate storetime test_itemid test_name org_name ab_name comments",
    "hosp/emar": "subject_id hadm_id emar_id emar_seq poe_id pharmacy_id charttime medication "
    "event_txt",
    "hosp/emar_detail": "emar_id parent_field_ordinal administration_type dose_due dose_due_unit "
    "dose_given dose_given_unit product_description infusion_rate infusion_rate_adjustment "
    "infusion_rate_unit route",
    "hosp/prescriptions": "subject_id hadm_id pharmacy_id starttime stoptime drug dose_val_rx "
    "dose_unit_rx route",
    "hosp/pharmacy": "pharmacy_id starttime stoptime route",
    "icu/icustays": "subject_id stay_id intime outtime",
    "icu/chartevents": "subject_id itemid charttime storetime value valuenum valueuom",
    "icu/outputevents": "subject_id itemid charttime storetime value valueuom",
    "icu/inputevents": "subject_id hadm_id itemid starttime endtime amount amountuom rate rateuom "
    "patientweight ordercategoryname ordercategorydescription statusdescription",
    "icu/procedureevents": "subject_id starttime endtime itemid statusdescription",
    "icu/d_items": "itemid label unitname",
}

LABELS: Final[Mapping[str, Sequence[FileRow]]] = {
    "hosp/d_labitems": [
        {"itemid": 50924, "label": "Ferritin", "fluid": "Blood"},
        {"itemid": 50885, "label": "Bilirubin, Total", "fluid": "Blood"},
        {"itemid": 50915, "label": "D-Dimer", "fluid": "Blood"},
        {"itemid": 51508, "label": "Urine Color", "fluid": "Urine"},
    ],
    "icu/d_items": [
        {"itemid": 223762, "label": "Temperature Celsius", "unitname": "°C"},
        {"itemid": 226531, "label": "Admission Weight (lbs.)", "unitname": "None"},
        {"itemid": 223900, "label": "GCS - Verbal Response", "unitname": "None"},
        {"itemid": 226559, "label": "Foley", "unitname": "mL"},
        {"itemid": 222168, "label": "Propofol", "unitname": "mg"},
        {"itemid": 225802, "label": "Dialysis - CRRT", "unitname": "None"},
    ],
}


def mimic_folder(root: Path, tables: Mapping[str, Sequence[FileRow]], leave_out: str = "") -> Path:
    """Write every table but those left out; a table without rows has its header only."""
    persons = [
        {"subject_id": 2, "gender": "F", "anchor_age": 40, "anchor_year": 2150},
        {"subject_id": 10, "gender": "M", "anchor_age": 91, "anchor_year": 2160},
    ]
    given = {"hosp/patients": persons, **LABELS, **tables}
    for table, columns in COLUMNS.items():
        if table.split("/")[1] in leave_out.split():
            continue
        path = root / f"{table}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns.split())
            writer.writeheader()
            writer.writerows(given.get(table, []))
    return root


# ------------------------------------------------------------ rows


CODES: Final[Mapping[str, Any]] = tomllib.loads(
    (Path(becalm.__file__).parent / "records/mimic4/codes.toml").read_text(encoding="utf-8")
)
_FILES: Final = {
    "labs": "labevents chartevents outputevents",
    "doses": "inputevents emar emar_detail",
    "conditions": "diagnoses_icd",
    "procedures": "procedureevents procedures_icd",
    "cultures": "microbiologyevents",
}
"""The files that say what a sheet says."""
_CHARTED: Final = 220_000
"""Items from this number on are charted in intensive care."""
_UNLISTED: Final = 990_000
"""Items from this number on are of no release."""
_WENT: Final = {"died": "DIED", "home": "HOME", "transfer": "ACUTE HOSPITAL", "": ""}
_CAME: Final = {"home": "PHYSICIAN REFERRAL", "transfer": "TRANSFER FROM HOSPITAL", "": ""}


def mimic4(root: Path, *rows: Row, leave_out: str = "") -> Path:
    """Write rows as a MIMIC-IV folder; a person's id is the number in it (P7 is 7).

    A file without rows has its header only; leave_out : what is not recorded, in the words of the sheets.

    Raises ValueError for what MIMIC-IV cannot say, such as a finding.
    """
    files = " ".join(_FILES[name] for name in leave_out.split())
    return mimic_folder(root, _Folder(rows).tables, files)


class _Folder:
    """The files of rows, filled row by row."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self.tables: dict[str, list[FileRow]] = {name: [] for name in COLUMNS}
        self.items: dict[tuple[str, str], str] = {}
        self.persons = persons_of(rows)
        others = [row for row in rows if row.table != "persons"]
        for number, cells in enumerate(self.persons):
            theirs = [row for row in others if self._whose(row.cells) == number]
            self._person(cells, theirs)
        for row in others:
            cells = {"person": 0, **row.cells}
            who = {"subject_id": self._subject(self._whose(cells))}
            getattr(self, f"_{row.table}")(who, cells)

    def _whose(self, cells: Mapping[str, Any]) -> int:
        whose = cells.get("person", 0)
        ids = [person["person_id"] for person in self.persons]
        return ids.index(whose) if isinstance(whose, str) else int(whose)

    def _subject(self, number: int) -> str:
        name = self.persons[number]["person_id"]
        digits = name.lstrip("P")
        if not digits.isdigit():
            raise ValueError(f"MIMIC-IV has numbers for persons, not {name!r}")
        return str(digits)

    def _item(self, entry: str, name: str, label: str = "") -> str:
        """Return the item of a variable, a drug or a procedure; a new one where there is none."""
        listed = CODES[entry].get(name, [])
        if (entry, name) not in self.items:
            number = f"{_UNLISTED + len(self.items)}"
            code, title = (listed[0]["code"], listed[0]["label"]) if listed else (number, label)
            self.items[entry, name] = code
            charted = entry != "variable" or (listed and int(code) >= _CHARTED)
            names = "icu/d_items" if charted else "hosp/d_labitems"
            fluid = {} if charted else {"fluid": "Blood"}
            self.tables[names].append({"itemid": code, "label": title, **fluid})
        return self.items[entry, name]

    def _person(self, cells: Mapping[str, Any], theirs: list[Row]) -> None:
        _only(cells, "person_id sex age birth death_time")
        times = [
            at(row.cells[name])
            for row in theirs
            for name in ("start", "time", "collected")
            if row.cells.get(name) not in (None, "")
        ]
        year = from_us(min(times, default=ORIGIN)).year
        born = cells.get("birth")
        age = year - from_us(at(born)).year if born not in (None, "") else cells.get("age")
        died = cells.get("death_time")
        ends = [row.cells.get("end") for row in theirs if row.cells.get("destination") == "died"]
        self.tables["hosp/patients"].append(
            {
                "subject_id": self._subject(self.persons.index(cells)),
                "gender": cells.get("sex", ""),
                "anchor_age": "" if age is None else round(age),
                "anchor_year": year,
                "dod": "" if died in (None, "", *ends) else _time(died)[:10],
            }
        )

    def _stays(self, who: FileRow, cells: Mapping[str, Any]) -> None:
        _only(cells, "person stay_id start end kind origin destination")
        start, end = _time(cells["start"]), _time(cells["end"])
        number = len(self.tables["hosp/admissions"] + self.tables["icu/icustays"]) + 20_000_001
        if cells["kind"] == "ICU":
            self.tables["icu/icustays"].append(
                {**who, "stay_id": number, "intime": start, "outtime": end}
            )
            return
        if cells["kind"] not in ("ward", "hospital", ""):
            raise ValueError(f"stays of kind {cells['kind']!r} are not written as MIMIC-IV")
        went = cells.get("destination", "")
        self.tables["hosp/admissions"].append(
            {
                **who,
                "hadm_id": number,
                "admittime": start,
                "dischtime": end,
                "deathtime": end if went == "died" else "",
                "admission_location": _CAME[cells.get("origin", "")],
                "discharge_location": _WENT[went],
            }
        )

    def _measurements(self, who: FileRow, cells: Mapping[str, Any]) -> None:
        _only(cells, "person name value unit time available ref_low ref_high")
        name = str(cells["name"])
        item = self._item("variable", name, name.capitalize())
        value = _text(cells["value"])
        row = {
            **who,
            "itemid": item,
            "charttime": _time(cells["time"]),
            "storetime": _time(cells["available"]),
            "value": value,
            "valuenum": "" if isinstance(cells["value"], str) and not value.isdigit() else value,
            "valueuom": cells["unit"],
        }
        if name == "urine_output":
            del row["valuenum"]
            self.tables["icu/outputevents"].append(row)
        elif _CHARTED <= int(item) < _UNLISTED:
            self.tables["icu/chartevents"].append(row)
        else:
            table = self.tables["hosp/labevents"]
            limits = {
                "ref_range_lower": _text(cells.get("ref_low")),
                "ref_range_upper": _text(cells.get("ref_high")),
            }
            table.append({**row, **limits, "labevent_id": len(table) + 1})

    def _administrations(self, who: FileRow, cells: Mapping[str, Any]) -> None:
        _only(
            cells,
            "person label start end route status amount amount_unit rate rate_unit weight_kg",
        )
        start, end = _time(cells["start"]), _time(cells["end"])
        drug, status = str(cells["label"]), cells["status"]
        if end:
            hours = (at(cells["end"]) - at(cells["start"])) / HOUR
            rate, unit = cells.get("rate"), str(cells.get("rate_unit", ""))
            amount = cells.get("amount", hours * rate if rate is not None else None)
            self.tables["icu/inputevents"].append(
                {
                    **who,
                    "itemid": self._item("drug", drug, drug.capitalize()),
                    "starttime": start,
                    "endtime": end,
                    "amount": _text(amount),
                    "amountuom": cells.get("amount_unit", unit.removesuffix("/h")),
                    "rate": _text(rate),
                    "rateuom": unit.replace("/h", "/hour"),
                    "patientweight": _text(cells.get("weight_kg")),
                    "ordercategoryname": "01-Drips",
                    "ordercategorydescription": "Continuous Med",
                    "statusdescription": "FinishedRunning" if status == "given" else "Rewritten",
                }
            )
            return
        if "rate" in cells:
            raise ValueError("an infusion without an end is not written as MIMIC-IV")
        name = f"{who['subject_id']}-{len(self.tables['hosp/emar']) + 1}"
        self.tables["hosp/emar"].append(
            {
                **who,
                "emar_id": name,
                "emar_seq": 1,
                "charttime": start,
                "medication": drug.capitalize(),
                "event_txt": "Administered" if status == "given" else "Not Given",
            }
        )
        self.tables["hosp/emar_detail"] += [
            {
                "emar_id": name,
                "route": cells["route"],
                "administration_type": "Standard Maintenance Medication",
            },
            {
                "emar_id": name,
                "parent_field_ordinal": "1.1",
                "dose_given": _text(cells["amount"]),
                "dose_given_unit": cells["amount_unit"],
            },
        ]

    def _findings(self, _who: FileRow, _cells: Mapping[str, Any]) -> None:
        raise ValueError("MIMIC-IV has no findings")

    def _conditions(self, who: FileRow, cells: Mapping[str, Any]) -> None:
        _only(cells, "person system code status")
        self.tables["hosp/diagnoses_icd"].append(
            {**who, "icd_code": cells["code"], "icd_version": _version(cells["system"])}
        )

    def _procedures(self, who: FileRow, cells: Mapping[str, Any]) -> None:
        _only(cells, "person name start end")
        self.tables["icu/procedureevents"].append(
            {
                **who,
                "itemid": self._item("procedure", cells["name"], cells["name"].capitalize()),
                "starttime": _time(cells["start"]),
                "endtime": _time(cells["end"]),
                "statusdescription": "FinishedRunning",
            }
        )

    def _cultures(self, who: FileRow, cells: Mapping[str, Any]) -> None:
        _only(cells, "person result organism specimen test collected available")
        collected, number = (
            _time(cells["collected"]),
            len(self.tables["hosp/microbiologyevents"]) + 1,
        )
        sentence = {
            "growth": "",
            "detected": "POSITIVE.",
            "no growth": "NO GROWTH.",
            "not detected": "NEGATIVE.",
            "pending": "",
            "cancelled": "TEST CANCELLED.",
        }[cells["result"]]
        self.tables["hosp/microbiologyevents"].append(
            {
                **who,
                "microevent_id": number,
                "micro_specimen_id": number,
                "test_itemid": number,
                "chartdate": collected[:10],
                "charttime": collected,
                "storetime": _time(cells.get("available")),
                "spec_type_desc": cells["specimen"],
                "test_name": cells["test"],
                "org_name": cells["organism"],
                "comments": sentence,
            }
        )


def _only(cells: Mapping[str, Any], names: str) -> None:
    """Refuse what the files cannot say, so that nothing said is left out of them."""
    more = {name for name, value in cells.items() if value not in (None, "")} - set(names.split())
    if more:
        raise ValueError(f"not written as MIMIC-IV: {sorted(more)}")


def _time(moment: Any) -> str:
    return "" if moment in (None, "") else from_us(at(moment)).strftime("%Y-%m-%d %H:%M:%S")


def _version(system: str) -> int:
    return {"ICD9CM": 9, "ICD10CM": 10}[system]


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.10g}"
