"""A public OMOP database read by a mapping: what nobody knows is short, and each was looked at."""

from __future__ import annotations

import re
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


MIMIC_OMOP = Path(__file__).parents[3] / "shared/data/mimic-iv-demo-omop/1_omop_data_csv"
MIMIC_MAPPING = """
[tables.person]
file = "person.csv"
person_id = "person_id"
[tables.visit]
file = "visit_occurrence.csv"
person_id = "person_id"
[tables.condition]
file = "condition_occurrence.csv"
person_id = "person_id"
[tables.drug]
file = "drug_exposure.csv"
person_id = "person_id"
[tables.measurement]
file = "measurement.rebuilt.csv.gz"
person_id = "person_id"
[tables.procedure]
file = "procedure_occurrence.csv"
person_id = "person_id"
[tables.concept]
file = "2b_concept.csv"
[tables.death]
file = "death.csv"
person_id = "person_id"

[persons]
table = "person"
sex = "gender_source_value"
death_time = { table = "death", column = "death_datetime", key = "person_id", otherwise = "" }
[[stays]]
table = "visit"
where = { visit_concept_id = [9201, 9203, 262, 8870] }
stay_id = "visit_occurrence_id"
start = "visit_start_datetime"
end = "visit_end_datetime"
[[conditions]]
table = "condition"
where = { condition_type_concept_id = 32821 }
onset = "condition_start_datetime"
system = { table = "concept", column = "vocabulary_id", key = "concept_id", by = "condition_source_concept_id", otherwise = "" }
code = "condition_source_value"
[[doses]]
table = "drug"
start = "drug_exposure_start_datetime"
drug = { table = "concept", column = "concept_name", key = "concept_id", by = "drug_source_concept_id", otherwise = "drug_source_value" }
route = "route_source_value"
amount = "quantity"
amount_unit = "dose_unit_source_value"
[[labs]]
table = "measurement"
time = "measurement_datetime"
code = "measurement_source_value"
system = { always = "MIMIC-IV items" }
value = "value_source_value"
unit = "unit_source_value"
[[procedures]]
table = "procedure"
where = { procedure_type_concept_id = [32833, 32817] }
start = "procedure_datetime"
code = "procedure_source_value"
system = { always = "MIMIC-IV items" }
[[procedures]]
table = "procedure"
where = { procedure_type_concept_id = [32821, 32856] }
start = "procedure_datetime"
code = "procedure_source_value"
"""
MIMIC_LEFT = {
    (
        "diagnosis",
        "V08",
    ),  # HIV in ICD-9, an accident in ICD-10; this release has no concept that says the version
    ("diagnosis", "E883"),  # tumour lysis without the dot, or a fall into a hole
    ("drug", "SW 100ml Bag"),  # sterile water, but nobody says so
    ("drug", "Syringe (SW) 5 mL Syringe"),
    ("drug", "5000 mL Bag"),  # from here on a container, and not what was in it
    ("drug", "500 mL Bag"),
    ("drug", "50 mL Bag"),
    ("drug", "10 mL Syringe"),
    ("drug", "1 Syringe"),
    ("drug", "Yellow CADD Cassette 250 mL CADD Med Cassette"),
    ("drug", "Blue CADD Cassette 250 mL Blue CADD Med Cassette"),
    (
        "procedure",
        "99219",
    ),  # CPT from here on: five digits may be a local code, and no name stands beside
    ("procedure", "99218"),
    ("procedure", "70059"),
    ("procedure", "38500"),
    ("procedure", "60220"),
    ("procedure", "64415"),
    ("procedure", "C9600"),
    ("procedure", "19301"),
    ("procedure", "19303"),
    ("procedure", "27235"),
    ("procedure", "36252"),
    ("procedure", "36830"),
    ("procedure", "43237"),
    ("procedure", "43264"),
    ("procedure", "43276"),
    ("procedure", "92921"),
    ("procedure", "92980"),
    ("procedure", "93454"),
    ("procedure", "93455"),
    ("route", "IJ"),  # a jugular line, an injection into a joint?
    ("unit", "BTL"),  # a bottle of any size
}
"""What is not understood, with the reason why it was left."""
NDC = re.compile(r"\d{11}")
"""A national drug code. This release has its concepts without names, and each could be any drug: all are listed."""


@pytest.mark.skipif(not MIMIC_OMOP.exists(), reason="shared/data/mimic-iv-demo-omop is not here")
def test_the_mimic_demo_as_omop(tmp_path: Path) -> None:
    """Items by the numbers of their source, diagnoses without a version, charted rhythms left out by the mapping."""
    mapping = tmp_path / "omop.toml"
    mapping.write_text(MIMIC_MAPPING, encoding="utf-8")
    diagnosis = examine(open_records(str(MIMIC_OMOP), None, str(mapping)))
    rows = {
        (row["what"], row["written"] or row["code"]) for row in diagnosis["not_understood"].rows()
    }
    coded = {row for row in rows if row[0] == "drug" and NDC.fullmatch(row[1])}
    assert rows - coded <= MIMIC_LEFT
    values = {row["variable"]: row["rows"] for row in diagnosis["variables"].rows()}
    assert values["ferritin"] > 10
    assert values["platelets"] > 2000
    assert values["temperature"] > 3000
