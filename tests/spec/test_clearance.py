"""Creatinine clearance by Cockcroft and Gault, and where it stands beside doses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from becalm.core.clock import HOUR
from becalm.doses import EpisodeRules, daily_dose, treatments
from becalm.kidney.clearance import clearance_at, clearance_per_kg
from becalm.kidney.equations import formulas
from becalm.measures.escalations import escalations
from becalm.persons.weighed import rules
from becalm.timeline import Intervals, Timeline
from tests.records import ORIGIN, at
from tests.spec.patients import Patients, patients

ONE = """
    hour | creatinine
    0    | 1.0
"""
STEPS = """
    start | end | drug     | mg_h
    0     | 30  | anakinra | 25
    30    | 60  | anakinra | 50
"""


def found(labs: str = ONE, *, replaced: Intervals | None = None, **known: Any) -> Patients:
    people = {"weight_kg": 70.0, "sex": "F", "age_at": 0, **known}
    return patients(labs, doses=STEPS, **{"age": 44, **people})


def line(who: Patients, replaced: Intervals | None = None) -> Timeline:
    return clearance_per_kg(who.records, who.events, replacement=replaced)


def asked(who: Patients, hour: float, replaced: Intervals | None = None) -> float | None:
    person, time = np.zeros(1, np.int32), np.array([at(hour)])
    [ml_min] = clearance_at(who.records, who.events, line(who, replaced), person, time).tolist()
    return None if np.isnan(ml_min) else round(ml_min, 2)


@pytest.mark.parametrize(
    ("sex", "age", "kg", "creatinine", "ml_min"),
    [
        # (140 - age) × kg / (72 × creatinine), × 0.85 in women, each worked out on paper
        ("M", 44, 70, 1.0, 93.33),
        ("F", 44, 70, 1.0, 79.33),
        ("F", 64, 60, 2.5, 21.53),
        ("M", 64, 90, 0.5, 190.0),
        ("M", 18, 50, 4.0, 21.18),
    ],
)
def test_clearance_is_by_cockcroft_and_gault(
    sex: str, age: int, kg: float, creatinine: float, ml_min: float
) -> None:
    """(140 − age) × weight / (72 × creatinine) mL/min, times 0.85 in women; the actual weight."""
    labs = f"""
        hour | creatinine
        0    | {creatinine}
    """
    assert asked(found(labs, sex=sex, age=age, weight_kg=kg), 1) == ml_min


def test_a_creatinine_stands_as_long_as_it_is_valid() -> None:
    """Before the first creatinine and once the last has expired, clearance is not known."""
    who = found()
    assert asked(who, -1) is None
    assert asked(who, 47) == 79.33
    assert asked(who, 48.5) is None


@pytest.mark.parametrize(
    "unknown", [{"sex": ""}, {"age": None, "age_at": None}, {"weight_kg": None}]
)
def test_without_sex_age_or_weight_clearance_is_not_known(unknown: dict[str, Any]) -> None:
    """What the formula needs and nobody wrote down is not replaced by something usual."""
    assert asked(found(**unknown), 1) is None


def test_a_measured_weight_goes_before_the_sheet_for_a_day() -> None:
    """The last weight of the 24 h before counts, then the first of the 24 h after, then the sheet's."""
    who = found(
        """
        hour | creatinine | weight
        -20  |            | 140
        0    | 1.0        |
        40   | 1.0        |
        50   |            | 100
        """
    )
    assert asked(who, 1) == 158.67  # 140 kg
    assert asked(who, 4) == 79.33  # the weight is 24 h old: the sheet's 70 kg
    assert asked(who, 41) == 113.33  # 100 kg, measured 9 h later


def test_renal_replacement_voids_the_clearance() -> None:
    """While blood is cleaned by a machine, creatinine says nothing about the kidney."""
    running = Intervals.build([0], [at(10)], [at(20)])
    assert [asked(found(), hour, running) for hour in (9, 10, 19, 20)] == [
        79.33,
        None,
        None,
        79.33,
    ]


def test_a_bound_of_creatinine_gives_no_clearance() -> None:
    """Below 0.3 mg/dL the clearance could be anything upward."""
    labs = """
        hour | creatinine
        0    | <0.3
    """
    assert asked(found(labs), 1) is None


def test_the_clearance_in_force_stands_beside_each_step_and_each_day() -> None:
    """Beside a step the last creatinine before it; beside a day the one as the day begins, else its first; none on renal replacement, and the rows are named."""
    who = found(
        """
        hour | creatinine
        2    | 1.0
        28   | 2.0
        31   | 4.0
        """
    )
    rules = EpisodeRules.of(who.protocol)
    courses = treatments(who.doses, ["anakinra"], rules)
    cleared = line(who)
    (step,) = escalations(
        who.cohort, who.events, who.doses, who.protocol, courses, clearance=cleared
    ).rows()
    assert (step["time"], step["crcl_ml_min"]) == (at(30), 39.7)
    assert step["crcl_rows"].startswith("labs:")
    running = Intervals.build([0], [at(50)], [at(51)])
    days = daily_dose(who.doses, ["anakinra"], replacement=running, clearance=cleared)
    assert days["start"].tolist() == [ORIGIN, ORIGIN + 24 * HOUR, ORIGIN + 48 * HOUR]
    assert days["crcl_ml_min"].tolist() == pytest.approx([79.3, 79.3, np.nan], nan_ok=True)


def test_the_formula_and_the_weight_say_where_they_are_from() -> None:
    """The formula is named with its paper; how long a weight stands is a proposal, and marked."""
    formula = formulas().cockcroft_gault
    assert "Cockcroft" in formula.source
    assert formula.verified
    assert not rules().verified
