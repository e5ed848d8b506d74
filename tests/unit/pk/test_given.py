"""Concentrations by doses that were really given: sums over stretches, edges, the ends of what is assumed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from becalm import pk
from becalm.core.errors import UsageError
from becalm.pk import (
    CovariateCourse,
    GivenDoses,
    PatientCurves,
    VirtualPatients,
    at_ends,
    in_unit,
    outside,
    patient_curves,
    washout,
)
from becalm.pk.loading import parse
from tests.spec.test_exposure import ONE_COMPARTMENT

ONE = parse(ONE_COMPARTMENT.format(name="one", drug="anakinra"), "one.toml")


def given(infusions: Any = (), vein: Any = (), skin: Any = ()) -> GivenDoses:
    return GivenDoses(
        np.array(infusions, float).reshape(-1, 3), np.array(vein, float).reshape(-1, 2), np.array(skin, float).reshape(-1, 2)
    )  # fmt: skip


def curves(what: GivenDoses, end: float, printed: Any = ()) -> PatientCurves:
    return patient_curves(VirtualPatients(ONE, 0, 1), what, {}, printed, end)


def test_a_stretch_has_its_own_area_and_its_highest_concentration() -> None:
    """One bolus of 100 mg into 10 L, 2 L/h: 10 mg/L, falling by a fifth each hour."""
    found = curves(given(vein=[(0, 100), (10, 50)]), 20, range(21))
    assert found.area(0, 5)[0] == pytest.approx(50 * (1 - math.exp(-1)))
    assert found.peak(0, 5)[0] == pytest.approx(10)
    assert found.peak(5, 10)[0] == pytest.approx(10 * math.exp(-1))  # before the second dose
    assert found.peak(5, 11)[0] == pytest.approx(10 * math.exp(-2) + 5)
    assert found.at(np.array([10.0]))[0, 0] == pytest.approx(10 * math.exp(-2) + 5)


def test_hours_at_or_above_a_concentration_count_both_sides_of_it() -> None:
    """At a plateau of exactly 5 mg/L every hour is at or above 5, and none above the next number."""
    flat = PatientCurves(
        np.array([0.0, 1.0, 3.0]),
        pk.virtual.Curves(np.full((1, 3), 5.0), np.full((1, 3), 5.0), np.array([[5.0, 10.0]])),
        np.zeros(2),
    )
    assert flat.hours_above(5.0, 0, 3)[0] == 3
    assert flat.hours_above(np.nextafter(5.0, 6), 0, 3)[0] == 0
    slope = PatientCurves(
        np.array([0.0, 4.0]),
        pk.virtual.Curves(np.array([[0.0, 0.0]]), np.array([[8.0, 0.0]]), np.array([[16.0]])),
        np.zeros(1),
    )
    assert slope.hours_above(2.0, 0, 4)[0] == 3
    assert slope.hours_above(8.0, 0, 4)[0] == 0  # the single moment has no length


def test_infusions_above_each_other_add_up_and_leave_nothing_behind() -> None:
    found = curves(given([(0, 3, 0.1), (1, 2, 0.2), (2, 3, 0.7)]), 5, range(6))
    assert found.rate_at(np.arange(6.0)).tolist() == pytest.approx([0.1, 0.3, 0.8, 0, 0, 0])
    assert (found.rate_at(np.array([3.0, 4.0])) == 0).all()


def test_what_is_given_after_the_end_counts_for_nothing() -> None:
    short = curves(given([(0, 10, 5.0)], vein=[(6, 100)]), 6, [6])
    whole = curves(given([(0, 10, 5.0)]), 6, [6])
    assert short.area(0, 6)[0] == whole.area(0, 6)[0]


@pytest.mark.parametrize(
    "what", [given([(0, 1, -5.0)]), given(vein=[(0, -1)]), given(skin=[(-1, 5)])]
)
def test_what_is_below_0_is_refused(what: GivenDoses) -> None:
    with pytest.raises(ValueError, match="below 0"):
        curves(what, 5)


def test_nothing_of_a_dose_is_left_after_ten_half_lives_of_the_slowest_studied_patient() -> None:
    assert washout(ONE) == pytest.approx(10 * math.log(2) * 10 / 2)
    none = parse(ONE_COMPARTMENT.format(name="one", drug="x").replace("value = 2.0", "value = 0.0"), "x.toml")  # fmt: skip
    assert washout(none) == math.inf


def test_the_ends_of_replacement_are_those_of_the_file() -> None:
    model = pk.load("anakinra")
    low, high = at_ends(model)
    named = ("sieving", "haemodialysis_clearance", "renal_slope")
    assert [low.parameters[name].value for name in named] == [0.0, 0.0, 1.0]
    assert [high.parameters[name].value for name in named] == [0.7, 2.0, 1.0]
    assert [at_ends(ONE)[n].parameters for n in (0, 1)] == [ONE.parameters] * 2


def test_a_covariate_is_brought_to_the_unit_of_the_file_or_refused() -> None:
    model = pk.load("anakinra")
    assert in_unit(model, "creatinine_clearance", np.array([6.0]), "L/h").tolist() == pytest.approx([100.0])  # fmt: skip
    with pytest.raises(UsageError, match="anakinra: the covariate weight is in kg"):
        in_unit(model, "weight", np.array([6.0]), "mL/min")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([50.0, 160.0], ""),
        ([49.9], "weight 49.9 kg, studied 50 to 160"),
        ([60.0, 170.0], "weight 60 to 170 kg, studied 50 to 160"),
        ([np.nan], ""),
    ],
)
def test_what_lies_outside_the_studied_patients_is_said_on_both_sides_of_the_bound(
    values: list[float], said: str
) -> None:
    assert outside(pk.load("anakinra"), "weight", np.array(values)) == said


def test_a_covariate_that_moves_changes_the_curve_from_its_hour_on() -> None:
    model = pk.load("vancomycin")
    weight = CovariateCourse("weight", np.empty(0), np.array([70.0]))
    moving = CovariateCourse("creatinine_clearance", np.array([0.0, 10.0]), np.array([100.0, 10.0]))
    steady = CovariateCourse("creatinine_clearance", np.empty(0), np.array([100.0]))
    what = given([(0, 20, 50.0)])
    one, other = (
        patient_curves(VirtualPatients(model, 0, 1), what, {"weight": weight, "creatinine_clearance": each}, range(21), 20)
        for each in (moving, steady)
    )  # fmt: skip
    at = np.arange(21.0)
    assert one.at(at)[0, :11] == pytest.approx(other.at(at)[0, :11])
    assert (one.at(at)[0, 11:] > other.at(at)[0, 11:]).all()
