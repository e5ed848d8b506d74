"""A public OMOP database read by a mapping: what nobody knows is short, and each was looked at."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from becalm.doctor import examine
from becalm.records import open_records

DATA = Path(__file__).parents[3] / "shared" / "data" / "synthea27nj-omop"
MAPPING = """
[tables.person]
file = "PERSON.csv"
person_id = "person_id"
[tables.visit]
file = "VISIT_OCCURRENCE.csv"
person_id = "person_id"
[tables.condition]
file = "CONDITION_OCCURRENCE.csv"
person_id = "person_id"
[tables.drug]
file = "DRUG_EXPOSURE.csv"
person_id = "person_id"
[tables.measurement]
file = "MEASUREMENT.csv"
person_id = "person_id"
[tables.procedure]
file = "PROCEDURE_OCCURRENCE.csv"
person_id = "person_id"
[tables.concept]
file = "CONCEPT.csv"

[persons]
table = "person"
sex = "gender_source_value"
birth_date = "birth_datetime"
[[stays]]
table = "visit"
where = { visit_concept_id = [9201, 9203, 262] }
start = "visit_start_date"
end = "visit_end_date"
[[conditions]]
table = "condition"
onset = "condition_start_date"
system = { always = "SNOMED" }
code = "condition_source_value"
name = { table = "concept", column = "concept_name", key = "concept_id", by = "condition_concept_id" }
[[doses]]
table = "drug"
start = "drug_exposure_start_date"
drug = { table = "concept", column = "concept_name", key = "concept_id", by = "drug_concept_id" }
amount = "quantity"
amount_unit = { always = "dose" }
[[labs]]
table = "measurement"
time = "measurement_date"
name = { table = "concept", column = "concept_name", key = "concept_id", by = "measurement_concept_id" }
value = "value_source_value"
unit = "unit_source_value"
[[procedures]]
table = "procedure"
start = "procedure_date"
name = { table = "concept", column = "concept_name", key = "concept_id", by = "procedure_concept_id" }
"""
LEFT = {
    # "Car" may be a chimeric antigen receptor, so a name with it is never set aside.
    ("procedure", "Assessment using Car, Relax, Alone, Forget, Friends, Trouble Screening Test"),
    (
        "procedure",
        "Subcutaneous immunotherapy",
    ),  # against an allergy; another immunotherapy would matter
    (
        "procedure",
        "Oxygen administration by mask",
    ),  # it says no flow, so no need of oxygen can be worked out
    (
        "test",
        "Oxygen saturation in Arterial blood",
    ),  # as a name: measured in blood or through the skin?
    ("test", "Drugs of abuse 5 panel - Urine by Screen method"),
    ("test", "DXA Radius and Ulna [T-score] Bone density"),
    ("test", "Pain severity - 0-10 verbal numeric rating [Score] - Reported"),
    ("test", "SARS-CoV-2 (COVID-19) RNA panel - Respiratory specimen by NAA with probe detection"),
    ("test", "Hemoglobin A1c/Hemoglobin.total in Blood"),
}
"""What is not understood, with the reason why it was left."""


@pytest.mark.skipif(not DATA.exists(), reason="shared/data/synthea27nj-omop is not here")
def test_synthea(tmp_path: Path) -> None:
    with zipfile.ZipFile(next(DATA.glob("*.zip"))) as archive:
        archive.extractall(
            tmp_path, [n for n in archive.namelist() if not n.startswith("__MACOSX")]
        )
    mapping = tmp_path / "omop.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    diagnosis = examine(open_records(str(tmp_path), None, str(mapping)))
    rows = diagnosis["not_understood"].rows()
    assert {(row["what"], row["written"]) for row in rows} <= LEFT
    values = {row["variable"]: row["rows"] for row in diagnosis["variables"].rows()}
    assert (
        values["creatinine"] > 200
    )  # LOINC's long name in the blood: "Creatinine [Mass/volume] in Blood"
    assert values["platelets"] > 50
