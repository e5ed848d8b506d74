"""Codes beside the names of tests, drugs and procedures, by their system or by their form."""

from __future__ import annotations

from pathlib import Path

import pytest

from becalm import vocabulary
from becalm.patients.understood import Patients
from tests.records.chart_review import read_sheets, source, write

V = vocabulary.load()
WHEN = "2020-03-04T10:00"


@pytest.mark.parametrize(
    ("name", "code", "system", "loinc", "variable", "listed"),
    [
        ("", "220045", "MIMIC-IV items", "", "heart_rate", False),
        ("", "220045", "mimic-iv items", "", "heart_rate", False),
        ("", V.variable("ferritin").omop[0], "OMOP", "", "ferritin", False),
        ("ferritin", "X17", "our laboratory", "", "ferritin", False),  # falls back to the name
        ("", "X17", "our laboratory", "", None, True),
        (
            "",
            "999999",
            "MIMIC-IV items",
            "",
            None,
            False,
        ),  # the source's own dictionary says what it is
        ("", "X17", "our laboratory", "2276-4", "ferritin", False),  # LOINC stands above it
        ("ferritin", "220045", "OMOP", "", "ferritin", False),  # no concept of that number
    ],
)
def test_a_measurement_by_its_code(  # noqa: PLR0917
    tmp_path: Path,
    name: str,
    code: str,
    system: str,
    loinc: str,
    variable: str | None,
    listed: bool,
) -> None:
    """A code is known by its system; one that nobody knows falls back to the name, and is listed without one."""
    unit = "bpm" if variable == "heart_rate" else "ng/mL"
    header = "person_id,time,name,code,system,loinc,value,unit\n"
    row = f"P1,{WHEN},{name},{code},{system},{loinc},600,{unit}\n"
    if variable == "heart_rate":
        row = row.replace(",600,", ",90,")
    patients = Patients.of(read_sheets(write(tmp_path, labs=header + row)), V)
    found = [V.variables[code].name for code in patients.events.frame["variable"].tolist()]
    assert found == ([variable] if variable else [])
    assert bool(len(patients.unrecognised)) is listed


def test_a_code_of_a_measurement_that_contradicts_its_name_is_refused(tmp_path: Path) -> None:
    header = "person_id,time,name,code,system,value,unit\n"
    row = f"P1,{WHEN},platelets,{V.variable('ferritin').omop[0]},OMOP,600,ng/mL\n"
    patients = Patients.of(read_sheets(write(tmp_path, labs=header + row)), V)
    (refused,) = patients.events.refused
    assert refused.reason == vocabulary.CODE_AND_NAME_DISAGREE


@pytest.mark.parametrize(
    ("code", "system", "read_as", "fate"),
    [
        ("XW033C3", "", "ICD10PCS", None),
        ("02HV33Z", "", "ICD10PCS", "not needed"),
        ("5a1955z", "", "ICD10PCS", None),
        ("39.95", "", "ICD9PCS", "understood"),  # haemodialysis
        ("3995", "", "ICD9PCS", "understood"),
        ("966", "", "ICD9PCS", None),
        ("99219", "", "", "not understood"),  # CPT, or anything of five digits
        ("C9600", "", "", "not understood"),
        ("39.95", "ICD9PCS", "ICD9PCS", "understood"),
        ("225802", "MIMIC-IV items", "MIMIC-IV items", "understood"),
        ("1234567", "our theatre", "our theatre", "not understood"),
    ],
)
def test_a_procedure_by_its_code(
    tmp_path: Path, code: str, system: str, read_as: str, fate: str | None
) -> None:
    """The system as written, else the form of the code; what has neither is not understood."""
    text = f"person_id,start,code,system\nP1,{WHEN},{code},{system}\n"
    table = read_sheets(write(tmp_path, procedures=text)).procedures
    assert table["system"].tolist() == [read_as]
    said = V.procedure_meaning(read_as, code, "").fate
    assert said == fate if fate else said in {"understood", "not needed"}


def test_a_procedure_needs_a_name_or_a_code(tmp_path: Path) -> None:
    text = f"person_id,start,code,name\nP1,{WHEN},,\nP1,{WHEN},,CRRT\nP1,{WHEN},39.95,\n"
    opened = source(write(tmp_path, procedures=text))
    assert [each.reason for each in opened.refused()] == ["code and name missing"]
    assert len(next(opened.chunks()).procedures) == 2


@pytest.mark.parametrize(
    ("drug", "code", "system", "name"),
    [
        ("Kineret", "", "", "anakinra"),
        ("study drug", V.drug("anakinra").rxnorm[0], "RxNorm", "anakinra"),
        ("anakinra", V.drug("anakinra").rxnorm[0], "rxnorm", "anakinra"),
        (
            "dexamethasone",
            V.drug("anakinra").rxnorm[0],
            "RxNorm",
            None,
        ),  # they contradict each other
        ("anakinra", "X17", "our pharmacy", "anakinra"),
        ("study drug", "X17", "our pharmacy", None),
    ],
)
def test_a_drug_by_its_code(
    tmp_path: Path, drug: str, code: str, system: str, name: str | None
) -> None:
    """A code says the drug where the name does not; where the two differ it is not understood."""
    header = "person_id,drug,code,system,start,amount,amount_unit\n"
    row = f"P1,{drug},{code},{system},{WHEN},100,mg\n"
    patients = Patients.of(read_sheets(write(tmp_path, doses=header + row)), V)
    known = [
        patients.doses.drugs[at] for at in patients.doses.frame["drug_code"].tolist() if at >= 0
    ]
    assert known == ([name] if name else [])
    assert bool(len(patients.unrecognised)) is (name is None)
