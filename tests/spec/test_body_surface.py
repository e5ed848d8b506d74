"""Doses per m² of body surface, by height and weight."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from becalm.doses.rates import NO_SURFACE
from tests.records import Row, chunk, dose, lab, person


def amounts(*rows: Row, **facts: Any) -> list[float]:
    """The mg of every dose of one person."""
    found: list[float] = chunk(person(**facts), *rows).doses.frame["amount_mg"].tolist()
    return found


@pytest.mark.parametrize("unit", ["mg/m2", "mg/m²", "mg/m^2", "MG/M2", "mg per m2"])
def test_a_dose_per_body_surface_is_multiplied_by_it(unit: str) -> None:
    """Of somebody of 180 cm and 80 kg, whose surface is 2 m² (Mosteller), 100 mg/m² is 200 mg."""
    assert amounts(dose("etoposide", 5, amount=f"100 {unit}"), weight_kg=80.0, height_cm=180.0) == [
        200.0
    ]


@pytest.mark.parametrize(("unit", "mg"), [("mg/m2/day", 200.0), ("mg/m2/h", 4800.0)])
def test_a_rate_per_body_surface_is_multiplied_by_it(unit: str, mg: float) -> None:
    """A rate per m² for 24 hours."""
    row = dose("anakinra", 0, 24, rate=f"100 {unit}")
    assert amounts(row, weight_kg=80.0, height_cm=180.0) == [mg]


@pytest.mark.parametrize(
    "facts",
    [{"weight_kg": 80.0}, {"height_cm": 180.0}, {}, {"weight_kg": 80.0, "height_cm": np.nan}],
)
def test_without_height_or_weight_the_amount_is_not_known(facts: dict[str, Any]) -> None:
    """The row is refused with its reason; its unit is known, so it is no unknown word."""
    patients = chunk(person(**facts), dose("etoposide", 5, amount="100 mg/m2"))
    assert [each.reason for each in patients.doses.refused] == [NO_SURFACE]
    assert np.isnan(patients.doses.frame["amount_mg"]).all()
    assert not len(patients.unrecognised)


@pytest.mark.parametrize(
    ("hour", "mg"),
    [
        (99, 150.0),  # the height measured later, where none was before
        (100, 150.0),  # 101.25 cm and 80 kg: 1.5 m²
        (199, 150.0),
        (200, 200.0),  # measured at that moment
        (900, 200.0),
    ],
)
def test_the_height_is_the_last_one_measured(hour: float, mg: float) -> None:
    """The last height up to the dose, else the first one after it; the sheet's only where none was measured."""
    measured = (lab("height", 101.25, 100), lab("height", 180, 200))
    row = dose("etoposide", hour, amount="100 mg/m2")
    assert amounts(*measured, row, weight_kg=80.0, height_cm=45.0) == [mg]


@given(st.integers(100, 220), st.integers(30, 200), st.integers(1, 2000))
def test_a_dose_per_body_surface_whatever_the_size(height: int, weight: int, per_m2: int) -> None:
    """The amount is the dose times the square root of height times weight over 3600."""
    row = dose("etoposide", 5, amount=f"{per_m2} mg/m2")
    (mg,) = amounts(row, weight_kg=float(weight), height_cm=float(height))
    assert mg == pytest.approx(per_m2 * (height * weight / 3600) ** 0.5)


def test_the_body_surface_is_remarked() -> None:
    """Every dose per m² says by which surface it was multiplied."""
    flag = chunk(
        person(weight_kg=80.0, height_cm=180.0), dose("etoposide", 5, amount="100 mg/m2")
    ).doses.frame["flag"]
    assert "dosed by a body surface of 2.00 m²" in flag.tolist()[0]
