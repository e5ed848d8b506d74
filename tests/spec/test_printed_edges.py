"""Printed edges: thresholds are compared in the resolution and the units in which papers print them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from becalm import vocabulary
from becalm.core.clock import DAY
from becalm.definitions import evaluate, load
from becalm.patients.understood import Patients
from becalm.records import open_records
from tests.records import V, chunk, lab

CASES = Path(__file__).parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")


def points_of(
    patients: Patients, definition: str, item: str, time: int
) -> list[tuple[float, float]]:
    """Return the fewest and most points of an item for each person."""
    evaluation = evaluate(load(definition), patients.inputs("drawn"))
    chosen = next(each for each in evaluation.definition.items if each.key == item)
    many = len(patients)
    low, high = evaluation.bounds(chosen, list(range(many)), [time] * many)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def case(name: str) -> tuple[Patients, dict[str, int]]:
    (records,) = open_records(str(CASES / name)).chunks()
    people = records.persons["person_id"].tolist()
    return Patients.of(records, V), {person: at for at, person in enumerate(people)}


def worth(fahrenheit: float, unit: str = "°F", definition: str = "hscore") -> float:
    """Return the points that a temperature is worth."""
    patients = chunk(lab("temperature", fahrenheit, 0, unit))
    time = int(patients.events.frame["time"][0])
    ((low, high),) = points_of(patients, definition, "temperature", time)
    assert low == high
    return low


@pytest.mark.parametrize(
    ("fahrenheit", "expected"),
    [(101.0, 0), (101.1, 33), (102.9, 33), (103.0, 33), (103.1, 49), (100.9, 0), (104.0, 49)],
)
def test_fahrenheit_is_rounded_to_a_tenth_of_a_degree_celsius(
    fahrenheit: float, expected: float
) -> None:
    """HScore was made in tenths of a degree Celsius: 101.1 °F is 38.4 °C and 33 points, 103.0 °F is 39.4 °C and 33, 103.1 °F is 39.5 °C and 49. A public calculator with its edges in °F gives 49 at 103.0 °F."""
    assert worth(fahrenheit) == expected


@pytest.mark.parametrize(("celsius", "expected"), [(38.39, 0), (38.4, 33), (39.4, 33), (39.41, 49)])
def test_a_temperature_measured_in_celsius_is_not_rounded(celsius: float, expected: float) -> None:
    """Only a converted temperature is rounded: 38.39 °C is below 38.4 °C."""
    assert worth(celsius, "°C") == expected


@given(st.integers(900, 1100))
def test_each_tenth_of_fahrenheit_is_the_tenth_of_celsius_that_it_is_printed_as(
    tenths: int,
) -> None:
    """The value in the record is the one that a table of conversion prints, with one decimal."""
    conversion, _ = V.unit_of(V.variable("temperature"), "F")
    exact = (tenths / 10 - 32) * 5 / 9
    assert conversion.apply(tenths / 10) == pytest.approx(exact, abs=0.05 + 1e-9)
    (row,) = chunk(lab("temperature", tenths / 10, 0, "F")).events.frame.rows()
    assert row["low"] == row["high"] == conversion.apply(tenths / 10)
    assert round(row["low"], 1) == row["low"]


def test_fever_begins_at_38_0_whatever_the_unit() -> None:
    """100.4 °F is 38.0 °C and fever; 100.3 °F is 37.9 °C; 100.35 °F is printed as 38.0 °C."""
    found = [
        vocabulary.load().unit_of(V.variable("temperature"), "°F")[0].apply(f)
        for f in (100.4, 100.3, 100.35)
    ]
    assert found == [38.0, 37.9, 38.0]


@needs_cases
def test_the_case_of_printed_edges() -> None:
    """The small record with temperatures at the edges gives the points that the paper's own unit gives."""
    patients, at = case("numbers-edges")
    time = int(patients.events.frame["time"][0])
    points = points_of(patients, "hscore", "temperature", time)
    expected = {"F1010": 0, "F1011": 33, "F1029": 33, "F1030": 33, "F1031": 49}
    assert {person: points[at[person]] for person in expected} == {
        person: (worth, worth) for person, worth in expected.items()
    }


HLH = ("hlh2004", "hlh2004_icu", "hlh2024")


def lipids(definition: str, item: str, text: str, unit: str) -> tuple[float, float]:
    patients = chunk(lab("triglycerides", text, 0, unit))
    ((low, high),) = points_of(patients, definition, item, int(patients.events.frame["time"][0]))
    return low, high


@pytest.mark.parametrize("definition", HLH)
@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("264", "mg/dL", (0, 1)),
        ("264.9", "mg/dL", (0, 1)),
        ("265", "mg/dL", (1, 1)),
        ("266", "mg/dL", (1, 1)),
        ("2.65", "g/L", (1, 1)),
        ("2.64", "g/L", (0, 1)),
        ("2.98", "mmol/L", (0, 1)),
        ("2.99", "mmol/L", (0, 1)),
        ("3.0", "mmol/L", (1, 1)),
        (">264", "mg/dL", (0, 1)),
        (">=265", "mg/dL", (1, 1)),
        ("<265", "mg/dL", (0, 1)),
        (">2.9", "mmol/L", (0, 1)),
    ],
)
def test_triglycerides_of_265_mg_dl_or_3_0_mmol_l_are_high(
    definition: str, text: str, unit: str, expected: tuple[float, float]
) -> None:
    """HLH-2004 prints 3.0 mmol/L and 265 mg/dL, which is 2.99 mmol/L: either meets the criterion; 264 mg/dL and 2.99 mmol/L do not. Fibrinogen was not measured, so the criterion can still be met."""
    assert lipids(definition, "lipids_or_fibrinogen", text, unit) == expected


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("156", "mg/dL", 0),
        ("156.1", "mg/dL", 1),
        ("157", "mg/dL", 1),
        ("1.76", "mmol/L", 0),
        ("1.77", "mmol/L", 1),
    ],
)
def test_triglycerides_above_156_mg_dl_count_for_mas(text: str, unit: str, expected: float) -> None:
    """The criteria of 2016 print more than 156 mg/dL and more than 1.76 mmol/L."""
    assert lipids("mas2016", "triglycerides", text, unit) == (expected, expected)


def test_half_the_look_back_holds_for_both_units() -> None:
    """A look-back that a study changes is changed for the threshold in the other unit too."""
    patients = chunk(lab("triglycerides", 265, 0, "mg/dL"))
    time = int(patients.events.frame["time"][0]) + 3 * DAY
    for within, expected in (("7d", 1.0), ("2d", 0.0)):
        definition = load("hlh2004").with_look_backs({"triglycerides": within})
        evaluation = evaluate(definition, patients.inputs("drawn"))
        (item,) = (each for each in definition.items if each.key == "lipids_or_fibrinogen")
        assert evaluation.bounds(item, [0], [time])[0].tolist() == [expected]


@needs_cases
def test_the_case_of_triglycerides_and_fibrinogen_at_their_edges() -> None:
    """265 mg/dL of triglycerides and 150 mg/dL of fibrinogen meet HLH-2004, 264 mg/dL does not."""
    patients, at = case("numbers-edges")
    time = int(patients.events.frame["time"][0])
    points = points_of(patients, "hlh2004", "lipids_or_fibrinogen", time)
    assert [points[at[person]] for person in ("TG265", "TG264", "FIB150")] == [
        (1, 1),
        (0, 1),
        (1, 1),
    ]


def canonical(name: str) -> Iterator[tuple[str, str, float]]:
    """Yield person, variable and value of each result of a case."""
    patients, at = case(name)
    person_of = {number: person for person, number in at.items()}
    for row in patients.events.frame.rows():
        yield person_of[row["person"]], V.variables[row["variable"]].name, row["low"]


@needs_cases
def test_the_case_of_units_of_many_countries() -> None:
    """Platelets in Tsd./µl, 1/nl, tys/µl, U/nL, 10^6/mL, 10³/mL, thsd and lakh per cumm are all 60 × 10⁹/L; ferritin in mg/L, µg/dL and ng/dL is 7,000 µg/L."""
    found = {(person, variable): value for person, variable, value in canonical("numbers-units")}
    assert found == {
        **{(f"U{i}", "platelets"): 60.0 for i in range(10)},
        **{(f"FE{i}", "ferritin"): 7000.0 for i in (1, 2, 3)},
    }


@needs_cases
def test_the_case_of_codes_that_say_more_than_the_unit() -> None:
    """D-dimer with the code for FEU, an INR in {INR}, and ferritin and oxygen saturation by their second codes are read; a name that contradicts its code is refused."""
    found = sorted((person, variable) for person, variable, _ in canonical("codes-loinc"))
    assert found == [
        ("A", "ferritin"), ("A", "ferritin"), ("A", "spo2"), ("A", "spo2"),
        ("C", "d_dimer"), ("C", "ferritin"), ("C", "inr"),
    ]  # fmt: skip
