"""MIMIC-IV as published: a few rows written here, and the demo where it is at hand."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pytest

from becalm import vocabulary
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME, parse
from becalm.core.errors import RecordsError, UnreadableFileError
from becalm.core.frame import Frame
from becalm.records import Records
from becalm.records.mimic4 import looks_like, open_mimic4
from becalm.records.mimic4.source import Mimic4
from becalm.records.mimic4.tables import SYSTEM
from tests.records.mimic_files import COLUMNS, FileRow, mimic_folder

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
ITEMS: Final = frozenset(
    """50924 50885 50915 51265 50912 51222 50861 50878 51214 51000 223761 223762 226512 226531
    224639 220052 223900 226559""".split()  # noqa: SIM905
)

needs_demo = pytest.mark.skipif(not DEMO.is_dir(), reason=f"{DEMO.name} is absent")


def read(
    root: Path, tables: Mapping[str, Sequence[FileRow]], leave_out: str = ""
) -> tuple[Mimic4, Records]:
    source = open_mimic4(mimic_folder(root, tables, leave_out), items=ITEMS)
    (records,) = source.chunks()
    return source, records


def lab(**cells: object) -> FileRow:
    usual = {
        "labevent_id": 7,
        "subject_id": 10,
        "itemid": 50924,
        "charttime": "2160-01-02 03:04:00",
    }
    return {**usual, **cells}


def infusion(**cells: object) -> FileRow:
    usual = {
        "subject_id": 10,
        "hadm_id": 100,
        "itemid": 222168,
        "starttime": "2160-01-01 10:00:00",
        "endtime": "2160-01-01 12:00:00",
        "amount": 100,
        "amountuom": "mg",
        "rate": 50,
        "rateuom": "mg/hour",
        "patientweight": 80,
        "ordercategoryname": "01-Drips",
        "ordercategorydescription": "Continuous Med",
        "statusdescription": "FinishedRunning",
    }
    return {**usual, **cells}


def us(text: str) -> int:
    return parse(text)[0]


@pytest.mark.parametrize(
    ("cells", "value", "text"),
    [
        ({"value": "812", "valuenum": "812"}, 812, ""),
        ({"value": "___", "valuenum": "33546"}, 33546, ""),
        ({"value": "8.10", "valuenum": "8.2"}, 8.2, ""),
        ({"value": "812"}, 812, ""),
        ({"valuenum": "812"}, 812, ""),
        ({"value": ">15000"}, None, ">15000"),
        ({"value": ">15000", "valuenum": "15000"}, None, ">15000"),
        ({"value": "GREATER THAN 15000", "valuenum": "15000"}, None, "GREATER THAN 15000"),
        ({"value": "HEMOLYZED"}, None, "HEMOLYZED"),
        ({"comments": "<0.2.  "}, None, "<0.2"),
        ({"comments": ">182*."}, None, ">182"),
        (
            {"comments": "GREATER THAN 21000.  IN AMBULATORY PATIENTS, <500."},
            None,
            "GREATER THAN 21000",
        ),
        ({"value": "___", "comments": "<0.2."}, None, "<0.2"),
        ({"comments": "ND .  Not Done, WBC <=0.1."}, None, "ND"),
        ({"comments": "12.5."}, 12.5, ""),
        ({"value": "___"}, None, "___"),
        ({"comments": "___"}, None, "___"),
        ({"value": "nan", "comments": "ND"}, None, "nan"),
    ],
)
def test_a_result_is_a_number_or_what_was_written(
    tmp_path: Path, cells: FileRow, value: float | None, text: str
) -> None:
    _, records = read(tmp_path, {"hosp/labevents": [lab(**cells)]})
    np.testing.assert_array_equal(
        records.measurements["value"], [np.nan if value is None else value]
    )
    assert records.measurements["text"].tolist() == [text]


def test_a_laboratory_row_keeps_its_clocks_limits_unit_and_key(tmp_path: Path) -> None:
    row = lab(
        value="812",
        valuenum="812",
        valueuom="ng/mL",
        storetime="2160-01-02 10:00:00",
        ref_range_lower=30,
        ref_range_upper=400,
    )
    _, records = read(tmp_path, {"hosp/labevents": [row]})
    (got,) = records.measurements.rows()
    kind = records.kinds[got["kind"]]
    assert (kind.table, kind.system, kind.code) == ("labevents", SYSTEM, "50924")
    assert (kind.name, kind.unit, kind.specimen) == ("Ferritin", "ng/mL", "Blood")
    assert (got["time"], got["available"]) == (us("2160-01-02T03:04"), us("2160-01-02T10:00"))
    assert (got["ref_low"], got["ref_high"], got["key"]) == (30, 400, 7)
    assert records.persons["person_id"][got["person"]] == "10"


def test_a_laboratory_row_without_admission_is_kept(tmp_path: Path) -> None:
    _, records = read(tmp_path, {"hosp/labevents": [lab(value="812", hadm_id="")]})
    assert len(records.measurements) == 1


def test_rows_without_result_time_or_person_are_counted(tmp_path: Path) -> None:
    rows = [
        lab(labevent_id=1, value="5", charttime="soon"),
        lab(labevent_id=2),
        lab(labevent_id=3, value="6", subject_id=99),
        lab(labevent_id=4, value="7"),
        lab(labevent_id=5, value="8", charttime=""),
    ]
    source, records = read(tmp_path, {"hosp/labevents": rows})
    assert records.measurements["key"].tolist() == [4]
    assert {r.reason: (r.rows, r.variable, r.example) for r in source.refused()} == {
        "no readable time": (2, "Ferritin", "labevents:1 5"),
        "no result": (1, "Ferritin", "labevents:2"),
        "person not in patients": (1, "Ferritin", "labevents:3 6"),
    }


def test_items_outside_the_vocabulary_are_counted_not_read(tmp_path: Path) -> None:
    rows = [lab(labevent_id=9 - i, itemid=51508, value="Yellow") for i in range(3)]
    source, records = read(
        tmp_path, {"hosp/labevents": [*rows, lab(value="5"), lab(itemid=1, value="5")]}
    )
    assert len(records.measurements) == 1
    assert [(r.variable, r.reason, r.rows, r.example) for r in source.refused()] == [
        ("item 1", "unknown variable", 1, "labevents:7 item 1"),
        ("Urine Color", "unknown variable", 3, "labevents:7 Urine Color"),
    ]


def test_of_a_person_the_sex_and_the_year_of_birth_are_known(tmp_path: Path) -> None:
    _, records = read(tmp_path, {})
    assert records.persons["birth"].tolist() == [us("2069-01-01"), us("2110-01-01")]
    assert records.persons["birth_year_only"].tolist() == [True, True]
    assert records.persons["sex"].tolist() == ["M", "F"]


def test_a_death_in_hospital_has_its_time_another_its_date(tmp_path: Path) -> None:
    persons = [
        {"subject_id": i, "gender": "F", "anchor_age": 40, "anchor_year": 2150, "dod": dod}
        for i, dod in ((1, "2150-02-01"), (2, "2150-03-01"), (3, ""), (4, ""))
    ]
    stays = [
        {"subject_id": 1, "hadm_id": 11, "admittime": "2150-01-20 08:00:00",
         "dischtime": "2150-02-01 09:00:00", "deathtime": "2150-02-01 08:30:00"},
        {"subject_id": 2, "hadm_id": 12, "admittime": "2150-01-20 08:00:00",
         "dischtime": "2150-02-01 09:00:00"},
        {"subject_id": 3, "hadm_id": 13, "admittime": "2150-01-20 08:00:00",
         "dischtime": "2150-02-01 09:00:00"},
    ]  # fmt: skip
    late = lab(subject_id=3, value="5", charttime="2150-05-01 07:00:00")
    _, records = read(
        tmp_path, {"hosp/patients": persons, "hosp/admissions": stays, "hosp/labevents": [late]}
    )
    got = records.persons
    dead, outside = us("2150-02-01T08:30"), us("2150-03-01")
    assert got["death_time"].tolist() == [dead, outside, UNKNOWN_TIME, UNKNOWN_TIME]
    assert got["death_date_only"].tolist() == [False, True, False, False]
    assert got["last_contact"].tolist() == [dead, outside, us("2150-05-01T07:00"), UNKNOWN_TIME]
    assert got["last_contact_status"].tolist() == ["died", "died", "alive", ""]


def test_a_death_in_hospital_at_midnight_is_a_date(tmp_path: Path) -> None:
    """00:00:00 is what a release has where only the date is known; a minute later is a time."""
    persons = [
        {"subject_id": i, "gender": "F", "anchor_age": 40, "anchor_year": 2150} for i in (1, 2)
    ]
    stays = [
        {"subject_id": i, "hadm_id": 10 + i, "admittime": "2150-01-20 08:00:00",
         "dischtime": "2150-02-01 09:00:00", "deathtime": f"2150-02-01 00:0{i - 1}:00"}
        for i in (1, 2)
    ]  # fmt: skip
    _, records = read(tmp_path, {"hosp/patients": persons, "hosp/admissions": stays})
    assert records.persons["death_date_only"].tolist() == [True, False]


def test_stays_are_admissions_emergency_time_and_intensive_care(tmp_path: Path) -> None:
    admission = {
        "subject_id": 2, "hadm_id": 20, "admittime": "2150-01-01 10:00:00",
        "dischtime": "2150-01-09 10:00:00", "admission_location": "TRANSFER FROM HOSPITAL",
        "discharge_location": "DIED", "edregtime": "2150-01-01 06:00:00",
        "edouttime": "2150-01-01 11:00:00",
    }  # fmt: skip
    icu = {"subject_id": 2, "stay_id": 30, "intime": "2150-01-02 00:00:00", "outtime": ""}
    _, records = read(tmp_path, {"hosp/admissions": [admission], "icu/icustays": [icu]})
    got = [(r["kind"], r["stay_id"], r["origin"], r["destination"]) for r in records.stays.rows()]
    assert got == [
        ("ED", "20", "", ""),
        ("hospital", "20", "transfer", "died"),
        ("ICU", "30", "", ""),
    ]
    assert records.stays["person"].tolist() == [1, 1, 1]
    assert records.stays["end"].tolist()[-1] == UNKNOWN_TIME


def test_charted_values_take_the_unit_of_the_item_where_the_row_has_none(tmp_path: Path) -> None:
    def charted(item: int, **cells: object) -> FileRow:
        return {"subject_id": 2, "itemid": item, "charttime": "2150-01-01 01:00:00", **cells}

    rows = [
        charted(223762, value="38.6", valuenum="38.6"),
        charted(226531, value="180", valuenum="180"),
        charted(223900, value="No Response-ETT", valuenum="1"),
        charted(223900, value="Oriented", valuenum="5"),
        charted(223762),
    ]
    source, records = read(tmp_path, {"icu/chartevents": rows})
    got = [
        (records.kinds[r["kind"]].name, records.kinds[r["kind"]].unit, r["text"], r["key"])
        for r in records.measurements.rows()
    ]
    assert got == [
        ("Temperature Celsius", "°C", "", 1),
        ("Admission Weight (lbs.)", "", "", 2),
        ("GCS - Verbal Response", "", "No Response-ETT", 3),
        ("GCS - Verbal Response", "", "", 4),
    ]
    np.testing.assert_array_equal(records.measurements["value"], [38.6, 180, np.nan, 5])
    assert [(r.reason, r.example) for r in source.refused()] == [("no result", "chartevents:5")]


def test_urine_is_a_measurement(tmp_path: Path) -> None:
    row = {
        "subject_id": 2,
        "itemid": 226559,
        "charttime": "2150-01-01 01:00:00",
        "value": 60,
        "valueuom": "ml",
    }
    _, records = read(tmp_path, {"icu/outputevents": [row]})
    assert records.measurements["value"].tolist() == [60]
    assert [(k.table, k.name, k.unit) for k in records.kinds] == [("outputevents", "Foley", "ml")]


def test_an_infusion_keeps_rate_amount_weight_and_row(tmp_path: Path) -> None:
    _, records = read(tmp_path, {"icu/inputevents": [infusion(subject_id=2), infusion()]})
    first = next(records.administrations.rows())
    assert (first["person"], first["key"], first["table"]) == (0, 2, "inputevents")
    assert (first["label"], first["code"], first["stay_id"]) == ("Propofol", "222168", "100")
    assert (first["amount"], first["amount_unit"]) == (100, "mg")
    assert (first["rate"], first["rate_unit"], first["weight_kg"]) == (50, "mg/hour", 80)
    assert (first["status"], first["route"], first["category"]) == ("given", "IV", "Continuous Med")
    assert first["end"] - first["start"] == 2 * HOUR


def test_a_rewritten_infusion_was_not_given(tmp_path: Path) -> None:
    statuses = ["Rewritten", "ChangeDose/Rate", "Paused", "Stopped", "Bolus"]
    rows = [infusion(statusdescription=status) for status in statuses]
    _, records = read(tmp_path, {"icu/inputevents": rows})
    assert records.administrations["status"].tolist() == ["not given", *["given"] * 4]


def test_a_weight_of_zero_is_no_weight(tmp_path: Path) -> None:
    _, records = read(tmp_path, {"icu/inputevents": [infusion(patientweight=0)]})
    assert np.isnan(records.administrations["weight_kg"]).all()


def test_impossible_infusions_are_refused_with_their_reason(tmp_path: Path) -> None:
    rows = [
        infusion(amount=-5),
        infusion(endtime="2160-01-01 09:00:00"),
        infusion(amount="1-2"),
        infusion(starttime=""),
        infusion(rate=-1),
        infusion(rate=""),
    ]
    source, records = read(tmp_path, {"icu/inputevents": rows})
    assert records.administrations["key"].tolist() == [6]
    assert [(r.variable, r.unit, r.reason, r.rows, r.example) for r in source.refused()] == [
        ("Propofol", "mg", "amount is not a number", 1, "inputevents:3 1-2"),
        ("Propofol", "mg", "negative amount or rate", 2, "inputevents:1 -5"),
        ("Propofol", "mg", "no readable start", 1, "inputevents:4 100"),
        ("Propofol", "mg", "stops before it starts", 1, "inputevents:2 100"),
    ]


def test_rows_of_a_person_who_is_not_listed_are_counted_in_every_table(tmp_path: Path) -> None:
    tables: dict[str, Sequence[FileRow]] = {
        "hosp/labevents": [lab(subject_id=99, value="5")],
        "hosp/admissions": [{"subject_id": 99, "hadm_id": 1}],
        "hosp/diagnoses_icd": [{"subject_id": 99, "icd_code": "4139", "icd_version": 9}],
        "hosp/procedures_icd": [{"subject_id": 99, "icd_code": "3995", "icd_version": 9}],
        "hosp/microbiologyevents": [culture(subject_id=99)],
        "icu/inputevents": [infusion(subject_id=99)],
    }
    source, records = read(tmp_path, tables)
    assert {(r.source_table, r.reason, r.rows) for r in source.refused()} == {
        (table.split("/")[1], "person not in patients", 1) for table in tables
    }
    assert not any(len(getattr(records, table)) for table in TABLES[1:])


@pytest.mark.parametrize(
    ("name", "category", "route"),
    [
        ("01-Drips", "Continuous Med", "IV"),
        ("12-Parenteral Nutrition", "Continuous IV", "IV"),
        ("13-Enteral Nutrition", "Continuous IV", "enteral"),
        ("14-Oral/Gastric Intake", "Bolus", "enteral"),
        ("05-Med Bolus", "Drug Push", "IV"),
        ("06-Insulin (Non IV)", "Drug Push", ""),
        ("09-Antibiotics (Non IV)", "Non Iv Meds", ""),
        ("16-Pre Admission/Non-ICU", "Bolus", ""),
        ("", "", ""),
    ],
)
def test_a_route_is_intravenous_only_where_the_order_says_so(
    tmp_path: Path, name: str, category: str, route: str
) -> None:
    row = infusion(ordercategoryname=name, ordercategorydescription=category)
    _, records = read(tmp_path, {"icu/inputevents": [row]})
    assert records.administrations["route"].tolist() == [route]


def test_diagnoses_belong_to_a_stay_and_have_no_onset(tmp_path: Path) -> None:
    rows = [
        {"subject_id": 2, "hadm_id": 20, "icd_code": "4139", "icd_version": 9},
        {"subject_id": 2, "hadm_id": 20, "icd_code": "D7612", "icd_version": 10},
    ]
    names = [{"icd_code": "4139", "icd_version": 9, "long_title": "Other angina"}]
    _, records = read(tmp_path, {"hosp/diagnoses_icd": rows, "hosp/d_icd_diagnoses": names})
    got = [(r["system"], r["code"], r["name"], r["stay_id"]) for r in records.conditions.rows()]
    assert got == [("ICD9CM", "4139", "Other angina", "20"), ("ICD10CM", "D7612", "", "20")]
    assert records.conditions["onset"].tolist() == [UNKNOWN_TIME] * 2


def test_procedures_come_coded_by_date_and_timed_by_minute(tmp_path: Path) -> None:
    timed = {"subject_id": 2, "starttime": "2150-01-01 10:00:00", "endtime": "2150-01-02 10:00:00",
             "itemid": 225802, "statusdescription": "FinishedRunning"}  # fmt: skip
    coded = {"subject_id": 2, "chartdate": "2150-01-01", "icd_code": "3995", "icd_version": 9}
    source, records = read(
        tmp_path,
        {
            "icu/procedureevents": [timed, {**timed, "statusdescription": "Rewritten"}],
            "hosp/procedures_icd": [coded, {**coded, "icd_version": 10, "icd_code": "5A1D70Z"}],
        },
    )
    got = [(r["system"], r["code"], r["name"]) for r in records.procedures.rows()]
    assert got == [
        ("ICD9Proc", "3995", ""),
        ("ICD10PCS", "5A1D70Z", ""),
        (SYSTEM, "225802", "Dialysis - CRRT"),
    ]
    assert records.procedures["end"].tolist()[2] - records.procedures["start"].tolist()[2] == DAY
    assert [(r.variable, r.reason) for r in source.refused()] == [
        ("Dialysis - CRRT", "replaced by a later row")
    ]


def culture(**cells: object) -> FileRow:
    usual = {
        "microevent_id": 1, "subject_id": 2, "micro_specimen_id": 5, "test_itemid": 90201,
        "chartdate": "2150-01-01 00:00:00", "charttime": "2150-01-01 10:00:00",
        "storetime": "2150-01-03 08:00:00", "spec_type_desc": "BLOOD CULTURE",
        "test_name": "Blood Culture, Routine",
    }  # fmt: skip
    return {**usual, **cells}


def test_an_organism_tried_against_many_antibiotics_is_one_culture(tmp_path: Path) -> None:
    rows = [
        culture(microevent_id=i, org_name=organism, ab_name=antibiotic)
        for i, (organism, antibiotic) in enumerate(
            [("ESCHERICHIA COLI", "A"), ("ESCHERICHIA COLI", "B"), ("YEAST", "")], start=3
        )
    ]
    _, records = read(tmp_path, {"hosp/microbiologyevents": rows})
    got = [(r["organism"], r["result"], r["key"]) for r in records.cultures.rows()]
    assert got == [("ESCHERICHIA COLI", "growth", 3), ("YEAST", "growth", 5)]


def test_cancelled_is_no_organism(tmp_path: Path) -> None:
    _, records = read(tmp_path, {"hosp/microbiologyevents": [culture(org_name="CANCELLED")]})
    assert (records.cultures["result"].tolist(), records.cultures["organism"].tolist()) == (
        ["cancelled"],
        [""],
    )


@pytest.mark.parametrize(
    ("cells", "result"),
    [
        ({"comments": "NO GROWTH.  "}, "no growth"),
        ({"comments": "No MRSA isolated.  "}, "no growth"),
        ({"comments": "CMV DNA not detected.  Performed by ___."}, "not detected"),
        ({"comments": "Negative for Influenza A.  "}, "not detected"),
        ({"comments": "NONREACTIVE.  Reference Range: Non-Reactive."}, "not detected"),
        ({"comments": "POSITIVE BY EIA.  "}, "detected"),
        ({"comments": "TEST CANCELLED, PATIENT CREDITED.  "}, "cancelled"),
        ({"comments": "NO POLYMORPHONUCLEAR LEUKOCYTES SEEN.  GRAM POSITIVE COCCI."}, ""),
        ({"comments": "EQUIVOCAL BY EIA.  "}, ""),
        ({"comments": "___"}, ""),
        ({"storetime": ""}, "pending"),
        ({"org_name": "CLOSTRIDIUM DIFFICILE", "test_name": "C. difficile PCR"}, "detected"),
    ],
)
def test_a_sentence_is_a_result_only_where_it_starts_with_one(
    tmp_path: Path, cells: FileRow, result: str
) -> None:
    _, records = read(tmp_path, {"hosp/microbiologyevents": [culture(**cells)]})
    assert records.cultures["result"].tolist() == [result]


def test_a_culture_without_time_of_day_has_a_date(tmp_path: Path) -> None:
    row = culture(charttime="", storetime="", storedate="2150-01-03 00:00:00", org_name="YEAST")
    _, records = read(tmp_path, {"hosp/microbiologyevents": [row]})
    (got,) = records.cultures.rows()
    assert (got["collected"], got["date_only"]) == (us("2150-01-01"), True)
    assert got["available"] == us("2150-01-04")  # the end of the day of the report


def test_missing_tables_are_named_with_what_cannot_be_known(tmp_path: Path) -> None:
    source, records = read(tmp_path, {}, leave_out="chartevents microbiologyevents icustays")
    absent = {each.table: each.consequence for each in source.absent()}
    assert {"chartevents", "icustays", "microbiologyevents"} <= set(absent)
    assert not {"labevents", "inputevents", "transfers"} & set(absent)
    assert absent["chartevents"].endswith("fever not assessed in 2 of 2")
    assert len(records.persons) == 2


def test_two_tables_are_enough(tmp_path: Path) -> None:
    everything = {table.split("/")[1] for table in COLUMNS} - {"patients", "admissions"}
    source, records = read(tmp_path, {}, leave_out=" ".join(everything))
    assert (len(records.persons), len(records.measurements), source.refused()) == (2, 0, ())
    assert {a.table for a in source.absent()} >= everything


def test_an_unpacked_table_is_read_as_well(tmp_path: Path) -> None:
    root = mimic_folder(tmp_path, {"hosp/labevents": [lab(value="5")]})
    packed = root / "hosp" / "labevents.csv.gz"
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    (records,) = open_mimic4(root, items=ITEMS).chunks()
    assert len(records.measurements) == 1


def test_a_renamed_column_is_named_with_its_file(tmp_path: Path) -> None:
    root = mimic_folder(tmp_path, {}, leave_out="labevents")
    with gzip.open(root / "hosp" / "labevents.csv.gz", "wt") as file:
        renamed = COLUMNS["hosp/labevents"].replace("charttime", "chart_time")
        csv.writer(file).writerow(renamed.split())
    with pytest.raises(
        RecordsError, match=r"labevents\.csv\.gz, row 1: .*'charttime'.*'chart_time'"
    ):
        open_mimic4(root, items=ITEMS)


def test_one_person_with_two_rows_is_an_error(tmp_path: Path) -> None:
    persons = [{"subject_id": 3, "gender": "F", "anchor_age": 40, "anchor_year": 2150}] * 2
    with pytest.raises(RecordsError, match="subject_id 3 is in two rows"):
        open_mimic4(mimic_folder(tmp_path, {"hosp/patients": persons}), items=ITEMS)


def test_a_release_without_persons_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="has no persons"):
        open_mimic4(mimic_folder(tmp_path, {"hosp/patients": []}), items=ITEMS)


@pytest.mark.parametrize("content", [b"", b"not a gzip", gzip.compress(b"a,b\n", mtime=0)[:12]])
def test_a_damaged_table_is_named(tmp_path: Path, content: bytes) -> None:
    root = mimic_folder(tmp_path, {})
    (root / "hosp" / "labevents.csv.gz").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"hosp/labevents\.csv\.gz"):
        open_mimic4(root, items=ITEMS)


def test_a_mimic_folder_is_recognised(tmp_path: Path) -> None:
    assert not looks_like(tmp_path)
    assert looks_like(mimic_folder(tmp_path, {}))
    (tmp_path / "hosp" / "admissions.csv.gz").unlink()
    assert not looks_like(tmp_path)


def test_only_records_under_the_open_licence_carry_its_notice(tmp_path: Path) -> None:
    source, _ = read(tmp_path, {})
    assert not any("ODbL" in notice for notice in source.notices)
    (tmp_path / "LICENSE.txt").write_text("## ODC Open Database License (ODbL)\n")
    (tmp_path / "demo_subject_id.csv").write_text("subject_id\n")
    source = open_mimic4(tmp_path, items=ITEMS)
    assert any("ODbL" in notice for notice in source.notices)
    assert source.citations == ("mimic_iv_demo", "physionet")


def test_the_rebuilt_charted_values_are_read_and_said(tmp_path: Path) -> None:
    row = {"subject_id": 2, "itemid": 223762, "charttime": "2150-01-01 01:00:00", "value": 38.6}
    root = mimic_folder(tmp_path, {"icu/chartevents": [row]})
    chart = root / "icu" / "chartevents.csv.gz"
    chart.rename(root / "icu" / "chartevents.numeric-rebuilt.csv.gz")
    source = open_mimic4(root, items=ITEMS)
    (records,) = source.chunks()
    assert records.measurements["value"].tolist() == [38.6]
    assert records.measurements["available"].tolist() == [UNKNOWN_TIME]
    assert any("rebuilt" in notice for notice in source.notices)
    assert "chartevents" not in {a.table for a in source.absent()}


def test_the_files_that_were_read_are_listed(tmp_path: Path) -> None:
    source, _ = read(tmp_path, {}, leave_out="outputevents")
    names = [file.name for file in source.inputs()]
    assert "hosp/patients.csv.gz" in names
    assert "icu/outputevents.csv.gz" not in names
    assert names == sorted(names)


def joined(chunks: Sequence[Records], table: str) -> list[dict[str, str]]:
    """Lay the chunks of a table end to end, persons and kinds spelt out."""
    rows = []
    for chunk in chunks:
        frame: Frame = getattr(chunk, table)
        for row in frame.rows():
            if "person" in row:
                row["person"] = chunk.persons["person_id"][row["person"]]
            if table == "measurements":
                row["kind"] = chunk.kinds[row["kind"]]
            rows.append({name: repr(cell) for name, cell in row.items()})  # NaN equals NaN
    return rows


TABLES: Final = (
    "persons", "stays", "measurements", "administrations", "conditions", "procedures", "cultures",
)  # fmt: skip


@needs_demo
def test_chunks_of_any_size_hold_the_same_rows() -> None:
    (whole,) = open_mimic4(DEMO, items=ITEMS).chunks()
    source = open_mimic4(DEMO, items=ITEMS, chunk_rows=4000)
    for _ in range(2):  # a source can be read again
        parts = list(source.chunks())
        assert len(parts) > 5
        for table in TABLES:
            assert joined(parts, table) == joined([whole], table), table
    ids = [person for part in parts for person in part.persons["person_id"]]
    assert ids == sorted(ids)
    for part in parts:
        for table in TABLES[1:]:
            assert (np.diff(getattr(part, table)["person"]) >= 0).all()


@needs_demo
def test_ferritin_of_every_person_equals_a_plain_query() -> None:
    plain = duckdb.connect().execute(
        f"""SELECT subject_id::VARCHAR, labevent_id, epoch_us(charttime), epoch_us(storetime), valuenum
            FROM read_csv('{DEMO}/hosp/labevents.csv.gz', all_varchar = false)
            WHERE itemid = 50924 AND valuenum IS NOT NULL ORDER BY 1, 3, 2"""
    ).fetchall()  # fmt: skip
    (records,) = open_mimic4(DEMO, items=ITEMS).chunks()
    m = records.measurements
    ferritin = [i for i, kind in enumerate(records.kinds) if kind.code == "50924"]
    rows = np.isin(m["kind"], ferritin)
    got = zip(
        records.persons["person_id"][m["person"][rows]].tolist(),
        *(m[name][rows].tolist() for name in ("key", "time", "available", "value")),
        strict=True,
    )
    assert list(got) == plain
    assert (len(plain), len({row[0] for row in plain})) == (76, 32)


@needs_demo
def test_every_row_of_the_demo_is_read_or_refused_with_a_reason() -> None:
    source = open_mimic4(DEMO, items=ITEMS)
    (records,) = source.chunks()
    read_from: Counter[str] = Counter()
    codes, counts = np.unique(records.measurements["kind"], return_counts=True)
    for code, rows in zip(codes, counts, strict=True):
        read_from[records.kinds[code].table] += int(rows)
    for refusal in source.refused():
        read_from[refusal.source_table] += refusal.rows
    read_from.update(records.administrations["table"].tolist())
    for table, folder, file in (
        ("labevents", "hosp", "labevents"),
        ("chartevents", "icu", "chartevents.numeric-rebuilt"),
        ("outputevents", "icu", "outputevents"),
        ("inputevents", "icu", "inputevents"),
    ):
        with gzip.open(DEMO / folder / f"{file}.csv.gz", "rt", newline="") as text:
            assert read_from[table] == sum(1 for _ in csv.reader(text)) - 1, table


@needs_demo
def test_masked_and_comment_only_results_of_the_demo_are_kept() -> None:
    (records,) = open_mimic4(DEMO, items=ITEMS).chunks()
    m = records.measurements
    names = [kind.name for kind in records.kinds]
    written = Counter((names[k], t) for k, t in zip(m["kind"], m["text"], strict=True) if t)
    assert written["Bilirubin, Total", "<0.2"] == 18
    assert written["D-Dimer", "GREATER THAN 21000"] == 1
    with gzip.open(DEMO / "hosp" / "labevents.csv.gz", "rt", newline="") as text:
        masked = {
            int(row["labevent_id"]): float(row["valuenum"])
            for row in csv.DictReader(text)
            if row["itemid"] in ITEMS and row["value"] == "___" and row["valuenum"]
        }
    lab_rows = np.array([kind.table == "labevents" for kind in records.kinds])[m["kind"]]
    values = dict(zip(m["key"][lab_rows].tolist(), m["value"][lab_rows].tolist(), strict=True))
    texts = dict(zip(m["key"][lab_rows].tolist(), m["text"][lab_rows].tolist(), strict=True))
    assert masked
    # A limit in the comment beside a number makes the number that limit.
    limits = {key: texts[key] for key in masked if texts[key]}
    assert limits == {229818: "< 5"}
    assert {key: values[key] for key in masked if key not in limits} == {
        key: value for key, value in masked.items() if key not in limits
    }


@needs_demo
def test_the_items_of_the_vocabulary_are_the_ones_read() -> None:
    (records,) = open_mimic4(DEMO).chunks()
    found = {vocabulary.load().resolve(kind).variable for kind in records.kinds}
    names = {vocabulary.load().variables[code].name for code in found if code is not None}
    assert {"ferritin", "platelets", "temperature", "weight", "urine_output"} <= names


@needs_demo
def test_fifteen_of_thirty_one_deaths_of_the_demo_have_a_time() -> None:
    (records,) = open_mimic4(DEMO, items=ITEMS).chunks()
    known = records.persons["death_time"] != UNKNOWN_TIME
    assert int(known.sum()) == 31
    assert int((known & ~records.persons["death_date_only"]).sum()) == 15
