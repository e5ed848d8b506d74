"""A cell of MIMIC-IV that holds something nobody can read is counted: it never becomes a blank in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from becalm.records.mimic4 import open_mimic4
from tests.records.mimic_files import FileRow, mimic_folder

STAY: FileRow = {
    "subject_id": 2, "hadm_id": 20, "admittime": "2150-01-01 08:00:00", "dischtime": "2150-01-09 08:00:00",
}  # fmt: skip
RESULT: FileRow = {
    "labevent_id": 1, "subject_id": 2, "itemid": 50924, "value": "812", "valuenum": "812", "valueuom": "ng/mL",
    "charttime": "2150-01-02 10:00:00",
}  # fmt: skip
INFUSION: FileRow = {
    "subject_id": 2, "itemid": 222168, "starttime": "2150-01-02 10:00:00", "endtime": "2150-01-02 12:00:00",
    "amount": 100, "amountuom": "mg", "ordercategorydescription": "Continuous Med", "statusdescription": "FinishedRunning",
}  # fmt: skip
PERSON: FileRow = {"subject_id": 2, "gender": "F", "anchor_age": 40, "anchor_year": 2150}
CULTURE: FileRow = {
    "microevent_id": 7, "subject_id": 2, "micro_specimen_id": 1, "test_itemid": 1, "chartdate": "2150-01-02 00:00:00",
    "charttime": "2150-01-02 10:00:00", "spec_type_desc": "BLOOD CULTURE", "test_name": "CULTURE",
}  # fmt: skip
ROWS: Mapping[str, FileRow] = {
    "hosp/patients": PERSON,
    "hosp/admissions": STAY,
    "hosp/transfers": {"subject_id": 2, "transfer_id": 5, "eventtype": "ED", "intime": "2150-01-01 07:00:00"},
    "icu/icustays": {"subject_id": 2, "stay_id": 30, "intime": "2150-01-02 08:00:00"},
    "hosp/microbiologyevents": CULTURE,
    "icu/procedureevents": {"subject_id": 2, "itemid": 225802, "starttime": "2150-01-02 10:00:00"},
    "hosp/procedures_icd": {"subject_id": 2, "chartdate": "2150-01-02", "icd_code": "5A1D00Z", "icd_version": 10},
    "hosp/labevents": RESULT,
    "icu/inputevents": INFUSION,
    "hosp/prescriptions": {"subject_id": 2, "starttime": "2150-01-02 10:00:00", "drug": "Propofol", "dose_val_rx": 1},
}  # fmt: skip
TIME, NUMBER = "not a time: cell not used", "not a whole number: cell not used"
IMPOSSIBLE = "a placeholder, or outside plausible dates (1900-01-01 to 2299-12-31): cell not used"
LIMIT = "ref_range_{} is not a number: limit unknown, value used"
IDS: Mapping[str, Sequence[str]] = {
    "hosp/patients": ["subject_id"], "hosp/admissions": ["hadm_id"], "hosp/transfers": ["transfer_id"],
    "icu/icustays": ["stay_id"], "hosp/labevents": ["labevent_id"],
    "hosp/microbiologyevents": ["microevent_id", "micro_specimen_id"],
}  # fmt: skip
"""What identifies a row, so that no two rows are one."""


def refused(
    folder: Path, tables: Mapping[str, Sequence[FileRow]]
) -> list[tuple[str, str, str, int, str]]:
    """Return table, variable, reason, rows and example of what was refused; unknown items aside."""
    source = open_mimic4(mimic_folder(folder, tables))
    list(source.chunks())
    return sorted(
        (each.source_table, each.variable, each.reason, each.rows, each.example)
        for each in source.refused()
        if each.reason != "unknown variable"
    )


BROKEN: Sequence[tuple[str, str, str, str, str]] = (
    # table, column, what is written there, the variable and the reason of the refusal
    ("hosp/patients", "gender", "X", "gender", "neither F nor M: cell not used"),
    ("hosp/patients", "anchor_age", "four", "anchor_age", NUMBER),
    ("hosp/patients", "anchor_year", "2150.5.1", "anchor_year", NUMBER),
    ("hosp/patients", "dod", "soon", "dod", TIME),
    ("hosp/admissions", "admittime", "01/02/2150", "admittime", TIME),
    ("hosp/admissions", "dischtime", "99999-01-01", "dischtime", IMPOSSIBLE),
    ("hosp/admissions", "deathtime", "44235.5", "deathtime", TIME),
    ("hosp/admissions", "edregtime", "x", "edregtime", TIME),
    ("hosp/admissions", "edouttime", "x", "edouttime", TIME),
    ("hosp/transfers", "intime", "x", "intime", TIME),
    ("hosp/transfers", "outtime", "x", "outtime", TIME),
    ("icu/icustays", "intime", "x", "intime", TIME),
    ("icu/icustays", "outtime", "x", "outtime", TIME),
    ("icu/procedureevents", "starttime", "x", "starttime", TIME),
    ("icu/procedureevents", "endtime", "x", "endtime", TIME),
    ("hosp/procedures_icd", "chartdate", "x", "chartdate", TIME),
    ("hosp/microbiologyevents", "charttime", "x", "charttime", TIME),
    ("hosp/microbiologyevents", "storetime", "x", "storetime", TIME),
    ("hosp/microbiologyevents", "storedate", "x", "storedate", TIME),
    ("hosp/labevents", "storetime", "x", "Ferritin", f"storetime is {TIME}"),
    ("hosp/labevents", "ref_range_lower", "low", "Ferritin", LIMIT.format("lower")),
    ("hosp/labevents", "ref_range_upper", "high", "Ferritin", LIMIT.format("upper")),
    ("icu/inputevents", "endtime", "x", "Propofol", "no readable end"),
    ("icu/inputevents", "patientweight", "heavy", "Propofol", "patientweight is not a number: cell not used"),
    ("hosp/prescriptions", "stoptime", "x", "Propofol", "no readable end"),
)  # fmt: skip


def test_a_cell_that_nobody_can_read_is_counted(tmp_path: Path) -> None:
    """Each stands in a row of its own, of a person or a stay of its own, beside a row that is whole."""
    tables: dict[str, list[FileRow]] = {name: [row] for name, row in ROWS.items()}
    for number, (table, column, written, _, _) in enumerate(BROKEN, start=100):
        ids = dict.fromkeys(IDS.get(table, ()), number)
        tables[table].append({**ROWS[table], **ids, column: written})
    said = sorted((table.split("/")[1], about, why, 1) for table, _, _, about, why in BROKEN)
    assert [
        (table, about, why, rows) for table, about, why, rows, _ in refused(tmp_path, tables)
    ] == said


def test_a_blank_cell_and_blanks_are_not_counted(tmp_path: Path) -> None:
    stay = {**STAY, "deathtime": "  ", "edregtime": ""}
    assert refused(tmp_path, {"hosp/admissions": [stay], "hosp/labevents": [RESULT]}) == []


def test_equal_cells_are_counted_together_and_the_first_is_the_example(tmp_path: Path) -> None:
    stays = [{**STAY, "hadm_id": number, "dischtime": "later"} for number in (31, 30)]
    assert refused(tmp_path, {"hosp/admissions": stays}) == [
        ("admissions", "dischtime", TIME, 2, "admissions:30 later")
    ]
