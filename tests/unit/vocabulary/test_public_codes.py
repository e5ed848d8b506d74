"""LOINC and OMOP codes of the vocabulary: their check digits, and OHDSI's own table of concepts."""

import csv
import io
import zipfile
from functools import cache
from pathlib import Path

import pytest

from becalm import vocabulary

V = vocabulary.load()
OHDSI = Path(__file__).parents[3] / ".." / "shared" / "data" / "synthea27nj-omop"
CODED = [each for each in V.variables if each.loinc or each.omop]


def check_digit(number: str) -> int:
    """LOINC's last digit: every second digit from the right is doubled (Luhn's modulus 10)."""
    doubled = [int(each) * (2 if at % 2 == 0 else 1) for at, each in enumerate(reversed(number))]
    return -sum(each // 10 + each % 10 for each in doubled) % 10


@cache
def concepts() -> dict[str, tuple[str, str, str]]:
    """By concept id: vocabulary, code and name."""
    with zipfile.ZipFile(OHDSI / "Synthea27Nj_5.4.zip") as archive:
        text = io.TextIOWrapper(archive.open("CONCEPT.csv"), encoding="utf-8")
        rows = [{key.lower(): cell for key, cell in row.items()} for row in csv.DictReader(text)]
    return {
        row["concept_id"]: (row["vocabulary_id"], row["concept_code"], row["concept_name"])
        for row in rows
    }


@pytest.mark.parametrize("code", [code for each in V.variables for code in each.loinc])
def test_a_loinc_code_has_the_check_digit_of_its_number(code: str) -> None:
    """Inhaled oxygen is 3150-0; the 3150-6 that circulates is a slip."""
    number, _, digit = code.partition("-")
    assert check_digit(number) == int(digit)
    assert check_digit("3150") == 0


def test_no_loinc_or_omop_code_is_of_two_variables() -> None:
    for codes in ([c for v in CODED for c in v.loinc], [c for v in CODED for c in v.omop]):
        assert len(codes) == len(set(codes))


@pytest.mark.skipif(not OHDSI.is_dir(), reason="shared/data/synthea27nj-omop is absent")
@pytest.mark.parametrize("variable", CODED, ids=lambda each: each.name)
def test_omop_and_loinc_of_a_variable_are_one_in_ohdsis_table(
    variable: vocabulary.Variable,
) -> None:
    """Where OHDSI's table has one of our codes, the other belongs to the same variable."""
    for concept, (system, code, _) in concepts().items():
        if system == "LOINC":
            assert (concept in variable.omop) == (code in variable.loinc), (concept, code)


@pytest.mark.skipif(not OHDSI.is_dir(), reason="shared/data/synthea27nj-omop is absent")
@pytest.mark.parametrize(
    ("code", "variable", "word"),
    [
        ("8867-4", "heart_rate", "heart rate"),
        ("8480-6", "systolic_pressure", "systolic"),
        ("8478-0", "mean_arterial_pressure", "mean blood pressure"),
        ("9279-1", "respiratory_rate", "respiratory rate"),
        ("59408-5", "spo2", "oxygen saturation"),
        ("8302-2", "height", "height"),
        ("2703-7", "pao2", "oxygen"),
        ("2823-3", "potassium", "potassium"),
        ("2075-0", "chloride", "chloride"),
        ("33037-3", "anion_gap", "anion gap"),
        ("89579-7", "troponin_i", "troponin i"),
    ],
)
def test_a_code_alone_is_the_variable_that_its_concept_names(
    code: str, variable: str, word: str
) -> None:
    [name] = [
        name for system, each, name in concepts().values() if (system, each) == ("LOINC", code)
    ]
    assert word in name.casefold()
    kind = vocabulary.MeasurementKind("labs", "LOINC", code, "", V.variable(variable).unit)
    assert V.resolve(kind).variable == V.code(variable)
