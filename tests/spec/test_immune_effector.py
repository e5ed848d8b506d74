"""After immune-effector therapy: the ASTCT grade of cytokine release, and IEC-HS."""

import pytest

from becalm.definitions import Case, derived_in, load, score_of
from tests.spec.scoring import points

CALM = {
    "systolic_pressure": 120, "mean_arterial_pressure": 80, "vasopressors": 0,
    "vasopressin_running": 0, "oxygen_support": 0,
}  # fmt: skip
LIKE = {"temperature": 39.0, **CALM}


@pytest.mark.parametrize(
    ("given", "grade"),
    [
        ({}, 1),
        ({"systolic_pressure": 89}, 2),
        ({"mean_arterial_pressure": 64}, 2),
        ({"oxygen_support": 1}, 2),
        ({"vasopressors": 1}, 3),
        ({"vasopressin_running": 1}, 3),
        ({"vasopressors": 1, "vasopressin_running": 1}, 3),
        ({"oxygen_support": 2}, 3),
        ({"vasopressors": 2}, 4),
        ({"oxygen_support": 3}, 4),
        ({"systolic_pressure": 80, "oxygen_support": 3}, 4),
        ({"temperature": 38.0}, 1),
        ({"temperature": 37.9, "fever_masked": 0}, 0),
    ],
)
def test_the_grade_is_the_worse_of_pressure_and_oxygen(given: dict[str, float], grade: int) -> None:
    """Fever alone is grade 1; hypotension without vasopressor or low-flow oxygen 2; one vasopressor, with or without vasopressin, or high flow 3; several vasopressors, vasopressin not counted, or positive pressure 4."""
    assert points("astct_crs", **(LIKE | given))["total"] == (grade, grade)


def test_not_the_error_of_organ_toxicity_in_the_grade() -> None:
    """One page mixes liver and kidney toxicity of CTCAE into the grades. Only fever, pressure and oxygen are read here."""
    read = set(load("astct_crs").variables)
    assert not read & {"ast", "alt", "bilirubin", "creatinine", "platelets", "neutrophils"}


def test_once_a_blocker_was_given_the_fever_may_be_gone() -> None:
    """After an antipyretic, a glucocorticoid or a cytokine blocker a fever of the last seven days is enough; without them it has to be there."""
    cooled: Case = LIKE | {"temperature": ((0, 39.5), (60, 36.6)), "vasopressors": 1}
    definition = load("astct_crs")
    assert score_of(definition, {**cooled, "fever_masked": 1})["total"] == (3, 3)
    assert score_of(definition, {**cooled, "fever_masked": 0})["total"] == (0, 0)
    assert score_of(definition, cooled)["total"] == (0, 3)


def test_what_nobody_wrote_down_leaves_grades_open() -> None:
    """Fever without any word on pressure or oxygen is grade 1 to 4; without a temperature even no grade is possible."""
    assert points("astct_crs", temperature=39)["total"] == (1, 4)
    assert points("astct_crs", vasopressors=2)["total"] == (0, 4)
    assert points("astct_crs", temperature=39, oxygen_support=2)["total"] == (3, 4)


def test_iec_hs_is_not_verified() -> None:
    """Ferritin above twice its limit or doubled in a day, and one of transaminases above five times theirs, fibrinogen below 150 mg/dL, haemophagocytosis, a line of grade 4. Nothing of it was compared with its source, and every row says so."""
    definition = load("iec_hs")
    assert not definition.verified
    assert not any(item.verified for item in definition.items)
    assert points("iec_hs", ferritin_uln=2.1, ast_uln=5.1)["total"] == (1, 1)
    assert points("iec_hs", ferritin_uln=2.0, ast_uln=5.1)["total"] == (0, 1)  # may have doubled
    assert points("iec_hs", ferritin_uln=2.1, fibrinogen=149)["total"] == (1, 1)
    for line in ({"platelets": 24}, {"neutrophils": 0.4}):
        assert points("iec_hs", ferritin_uln=3, **line)["total"] == (1, 1)
    assert "wbc" not in definition.variables  # leucocytes are none of the paper's lines
    assert derived_in(definition.derivation, [50], [""]) == [None]
