"""Clearance over time: by three formulas, with the assumption that decides most as a band."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from becalm.core.clock import HOUR
from becalm.kidney import kinetics
from becalm.timeline import Intervals, Points
from tests.records import lab, measured, person, procedure, stay
from tests.spec.test_cell_lines import STORM

VALID = 72 * HOUR


def cleared(*draws: tuple[float, float], courses: Any = (), baseline: float = 0.8) -> Any:
    """A woman of 44 years and 70 kg: hour and creatinine in mg/dL."""
    count = len(draws)
    points = Points.build(
        [0] * count, [round(h * HOUR) for h, _ in draws], [mg_dl for _, mg_dl in draws]
    )
    runs = Intervals.build(
        [0] * len(courses), [a * HOUR for a, _ in courses], [b * HOUR for _, b in courses]
    )
    each = np.full(count, 1.0)
    found = kinetics.clearances(
        points, age=44 * each, sex=np.full(count, "F", dtype=object), kg=70 * each,
        baseline_mg_dl=baseline * each, courses=runs, valid=VALID,
    )  # fmt: skip
    return found, runs


def test_both_choices_of_the_greatest_rise_are_given() -> None:
    """Rising from 0.8 to 2.0 mg/dL in a day: the fixed 1.5 mg/dL gives less than the patient's own production."""
    found, _ = cleared((0, 0.8), (24, 2.0))
    stable = (140 - 44) * 70 / (72 * 0.8) * 0.85
    own = 0.8 * stable * 1.44 / (0.5 * 70)
    produced = 0.8 * stable / 1.4
    expected = sorted(produced * (1 - 1.2 / greatest) for greatest in (1.5, own))
    assert found.kinetic_low[1] == pytest.approx(expected[0])
    assert found.kinetic_high[1] == pytest.approx(expected[1])
    assert found.cockcroft_gault[1] == pytest.approx(stable * 0.8 / 2.0)


def test_the_first_value_has_no_pair_nor_one_drawn_too_soon_or_too_late() -> None:
    """Two hours apart is a pair, a minute less is not, more than 72 h is none."""
    minute = 1 / 60
    for apart, known in ((2 - minute, False), (2, True), (72, True), (72 + minute, False)):
        found, _ = cleared((0, 0.8), (apart, 1.0))
        assert np.isnan(found.kinetic_low[0])
        assert np.isfinite(found.kinetic_low[1]) == known, apart


def test_it_is_never_below_0() -> None:
    """A rise faster than any that anuria could cause."""
    found, _ = cleared((0, 0.8), (12, 3.0))
    assert found.kinetic_low[1] == 0


def test_replacement_voids_all_three_and_no_pair_reaches_over_it() -> None:
    """Before and after it each value stands by itself; over time clearance is unknown while it runs."""
    found, runs = cleared((0, 0.8), (24, 1.0), (36, 0.9), (60, 1.0), courses=[(30, 40)])
    assert found.void.tolist() == [False, False, True, False]
    for each in (found.cockcroft_gault, found.ckd_epi_2021, found.kinetic_low):
        assert np.isnan(each[2])
    assert np.isfinite(found.kinetic_low[1])
    assert np.isnan(found.kinetic_low[3])
    line = found.timeline("cockcroft_gault", VALID, runs)
    who = np.zeros(4, np.int32)
    at = np.array([29, 31, 45, 61]) * HOUR
    assert line.known_at(who, at).tolist() == [True, False, False, True]
    band = found.timeline("kinetic", VALID, runs)
    low, high = band.at(who[:1], at[:1])
    assert low[0] < high[0]


def test_the_table_has_a_row_for_each_draw_with_its_weight() -> None:
    """From records to the table: the band, the weight and its source, and why a value is empty."""
    rows = measured(
        "anakinra_mas", *STORM, person(sex="F", age=44), stay(-120, 900), lab("weight", 70, 0, "kg"),
        *(lab("creatinine", v, h, "mg/dL") for h, v in ((-20, 0.8), (1, 0.8), (25, 2.0), (31, 1.9))),
        procedure("haemodialysis", 30, 34), only="clearance",
    )  # fmt: skip
    by_hour = {row["drawn_creatinine"]: row for row in rows}
    assert by_hour[2.0]["kinetic_low_ml_min"] < by_hour[2.0]["kinetic_high_ml_min"]
    assert by_hour[2.0]["weight_source"] == "measured before" or by_hour[2.0]["weight_kg"] == 70
    assert by_hour[1.9]["clearance_unknown"] == "renal replacement"
    assert np.isnan(by_hour[1.9]["cockcroft_gault_ml_min"])
