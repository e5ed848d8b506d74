"""The builder of all tests: one description gives the same records in every form."""

from __future__ import annotations

from pathlib import Path

import pytest

from becalm.core.clock import UNKNOWN_TIME
from becalm.records import open_records
from tests.records import (
    Row,
    at,
    condition,
    culture,
    dose,
    finding,
    hours,
    infusion,
    lab,
    mimic4,
    patient,
    person,
    procedure,
    records,
    sheets,
    stay,
    workbook,
)
from tests.records.chart_review import differences, read_sheets
from tests.sources.suite import understood

EVERYTHING = (
    *patient(
        "1",
        stay(-24, "2020-01-09", kind="ICU", origin="transfer", destination="died", hospital="H"),
        stay(-48, -24, "S0"),
        lab("ferritin", ">15000", 5.5, available=7, ref_low=10, ref_high=300.5),
        lab("ferritin", 9000.25, 2, specimen="serum"),
        lab("2276-4", 7, "2020-01-03", "ng/mL", code="2276-4", system="LOINC"),
        dose("anakinra", "2020-01-02", amount="100 mg", route="SC", indication="MAS"),
        infusion(6, 12),
        dose("anakinra", 13, 15, rate="2 mL/h", concentration="4 mg/mL", weight_kg=61.5),
        dose("anakinra", 16, amount="100 mg", status="not given"),
        finding("splenomegaly", "yes", 3, method="US", end="2020-01-05"),
        condition("lupus", 1, status="suspected"),
        condition(code="M32.1", system="ICD10CM"),
        procedure("crrt", 5, "2020-01-03", amount=2, amount_unit="L"),
        culture("growth", "2020-01-02", "E. coli", available="2020-01-04", judged="infection"),
        age=None,
        birth="1980-05-06",
        death="2020-01-09",
        weight_kg=70.5,
        last_contact=60,
    ),
    *patient("2", lab("crp", 12, 1), sex="M", age=71, age_at=0),
)


def test_sheets_and_a_workbook_are_read_as_the_records_in_memory(tmp_path: Path) -> None:
    """Column by column: dates alone, ends of days, texts for values, the key of each row."""
    expected = records(*EVERYTHING)
    for path in (
        sheets(tmp_path / "folder", *EVERYTHING),
        workbook(tmp_path / "book.xlsx", *EVERYTHING),
    ):
        assert differences(read_sheets(path), expected) == []


def test_a_time_is_an_hour_or_a_calendar_time() -> None:
    assert at(34.5) == at("2020-01-02 10:30")
    assert (at(None), at("")) == (UNKNOWN_TIME, UNKNOWN_TIME)
    assert (hours(at(34.5)), hours(UNKNOWN_TIME)) == (34.5, None)


def test_a_row_belongs_to_the_first_person_or_to_the_one_it_names() -> None:
    two = records(person("A"), person("B"), lab("crp", 1, 0), lab("crp", 2, 0, person="B"))
    assert two.measurements["person"].tolist() == [0, 1]
    assert records(lab("crp", 1, 0)).persons["age"].tolist() == [44]
    assert len(records().persons) == 0


IN_MIMIC = (
    *patient(
        "P7",
        stay("2150-03-01 08:00", "2150-03-09 10:00", kind="ward", origin="transfer"),
        stay("2150-03-02 08:00", "2150-03-04 10:00", kind="ICU"),
        lab("ferritin", ">15000", "2150-03-01 09:00", available="2150-03-01 11:00"),
        lab("temperature", 39.5, "2150-03-01 10:00"),
        lab("urine_output", 50, "2150-03-01 12:00"),
        dose("anakinra", "2150-03-02 10:00", "2150-03-02 14:00", rate="50 mg/h"),
        dose("prednisone", "2150-03-03 10:00", amount="40 mg", route="PO"),
        dose("prednisone", "2150-03-04 10:00", amount="40 mg", route="PO", status="not given"),
        condition(code="D761", system="ICD10CM"),
        condition(code="7100", system="ICD9CM"),
        birth="2100-01-01",
        age=None,
        death="2150-04-01",
    ),
    *patient("P8", lab("crp", 12, "2160-01-01 09:00"), sex="M", age=71),
)


def test_mimic_files_are_understood_as_the_sheets_are(tmp_path: Path) -> None:
    """Values, doses, ends of infusions, conditions and deaths; ids lose their P."""
    said, files = (
        understood(open_records(str(path)))
        for path in (
            sheets(tmp_path / "sheets", *IN_MIMIC),
            mimic4(tmp_path / "mimic", *IN_MIMIC),
        )
    )
    assert files == {
        what: [(row[0].removeprefix("P"), *row[1:]) for row in rows] for what, rows in said.items()
    }
    assert all(files.values())


def test_procedures_cultures_and_stays_of_mimic_are_those_that_were_said(tmp_path: Path) -> None:
    folder = mimic4(
        tmp_path,
        stay(0, 50, kind="ward", destination="died"),
        stay(5, 20, kind="ICU"),
        procedure("crrt", 6, 9),
        culture("growth", 1, "E. COLI"),
        culture("no growth", 2, available=30),
        culture("pending", 3),
    )
    (chunk,) = open_records(str(folder)).chunks()
    assert [
        (row["kind"], hours(row["start"]), hours(row["end"])) for row in chunk.stays.rows()
    ] == [
        ("hospital", 0, 50),
        ("ICU", 5, 20),
    ]
    assert [
        (row["name"], hours(row["start"]), hours(row["end"])) for row in chunk.procedures.rows()
    ] == [("Dialysis - CRRT", 6, 9)]
    assert chunk.cultures["result"].tolist() == ["growth", "no growth", "pending"]
    assert chunk.cultures["organism"].tolist() == ["E. COLI", "", ""]
    assert chunk.persons["death_time"].tolist() == [at(50)]


@pytest.mark.parametrize(
    "row",
    [
        finding("splenomegaly", "yes", 3),
        person("Anna"),
        dose("anakinra", 6, rate="100 mg/h"),
        condition("lupus"),
        lab("ferritin", 1, 2, specimen="serum"),
    ],
    ids=lambda row: row.table,
)
def test_what_mimic_cannot_say_is_refused(tmp_path: Path, row: Row) -> None:
    """Otherwise a test would say something that its files do not."""
    with pytest.raises(ValueError, match="MIMIC-IV"):
        mimic4(tmp_path, row)


def test_what_sheets_cannot_say_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no column for category"):
        sheets(tmp_path, dose("anakinra", 6, amount="100 mg", category="Drug Push"))
