"""Preliminary criteria for macrophage activation syndrome in juvenile lupus."""

import pytest

from tests.spec.scoring import points

YES, NO, OPEN = (1.0, 1.0), (0.0, 0.0), (0.0, 1.0)
CLINICAL = ("temperature", "hepatomegaly", "splenomegaly", "haemorrhage", "cns_dysfunction")
NOTHING = dict(zip(CLINICAL, (37.0, False, False, False, False), strict=True))


def met(**given: bool | float | str) -> tuple[float, float]:
    return points("sle_mas2009", **given)["total"]


@pytest.mark.parametrize("sign", CLINICAL)
def test_one_clinical_and_two_laboratory(sign: str) -> None:
    """Any one of fever, liver, spleen, bleeding and CNS dysfunction with two of the laboratory."""
    present = NOTHING | {sign: 38.5 if sign == "temperature" else True}
    assert met(**present, ast=41, ldh=568) == YES
    assert met(**present, ast=41) == OPEN
    assert met(**NOTHING, ast=41, ldh=568) == NO


@pytest.mark.parametrize(
    ("item", "given", "expected"),
    [
        ("fever", {"temperature": 38.0}, NO),
        ("fever", {"temperature": 38.1}, YES),
        ("cytopenias", {"wbc": 4.0, "haemoglobin": 9.0, "platelets": 151}, YES),
        ("cytopenias", {"wbc": 4.1, "haemoglobin": 9.0, "platelets": 151}, NO),
        ("cytopenias", {"wbc": 4.1, "haemoglobin": 9.1, "platelets": 150}, NO),
        ("ast", {"ast": 40}, NO),
        ("ast", {"ast": 41}, YES),
        ("ldh", {"ldh": 567}, NO),
        ("ldh", {"ldh": 568}, YES),
        ("fibrinogen", {"fibrinogen": 1.5}, YES),
        ("fibrinogen", {"fibrinogen": 1.51}, NO),
        ("triglycerides", {"triglycerides": 178}, NO),
        ("triglycerides", {"triglycerides": 179}, YES),
        ("ferritin", {"ferritin": 500}, NO),
        ("ferritin", {"ferritin": 501}, YES),
    ],
)
def test_boundaries(item: str, given: dict[str, float], expected: tuple[float, float]) -> None:
    """Leucocytes up to 4.0, haemoglobin up to 9 g/dL and platelets up to 150, two of them; AST above 40, LDH above 567, fibrinogen up to 1.5 g/L, triglycerides above 178 mg/dL, ferritin above 500."""
    assert points("sle_mas2009", **given)[item] == expected


def test_not_the_reprints_error_of_haemoglobin_in_mg_per_dl() -> None:
    """One table prints haemoglobin up to 9 mg/dL; it is g/dL, or nobody alive would meet it."""
    assert points("sle_mas2009", wbc=3.0, haemoglobin=8.5)["cytopenias"] == YES
