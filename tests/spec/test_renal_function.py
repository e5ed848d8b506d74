"""Renal function from creatinine: five formulas, and what each is for.

Doses are adjusted by Cockcroft-Gault, chronic disease is staged by CKD-EPI, a baseline is
back-calculated by MDRD, and while creatinine moves only Jelliffe's second formula and the kinetic eGFR
say anything. None of them holds on renal replacement.
"""

import math

import numpy as np
import pytest

from becalm.kidney.equations import (
    ckd_epi_2021,
    cockcroft_gault,
    formulas,
    jelliffe_changing,
    jelliffe_stable,
    kegfr,
    max_rise,
    mdrd,
)


@pytest.mark.parametrize(
    ("sex", "age", "mg_dl", "expected"), [("F", 44, 1.0, 71.2), ("M", 44, 1.0, 95.2), ("F", 64, 2.5, 21.0)]
)  # fmt: skip
def test_ckd_epi_is_that_of_2021(sex: str, age: int, mg_dl: float, expected: float) -> None:
    """A woman of 44 with 1.0 mg/dL has 71.2 mL/min/1.73 m², a man 95.2, a woman of 64 with 2.5 mg/dL 21.0."""
    assert round(float(ckd_epi_2021(mg_dl, age, sex)), 1) == expected


def test_cockcroft_gault_counts_in_ml_per_min_with_the_actual_weight() -> None:
    """A man of 40 with 72 kg and 1.0 mg/dL has 100 mL/min, a woman 85; twice the creatinine is half of it."""
    assert float(cockcroft_gault(1.0, 40, 72, "M")) == 100
    assert float(cockcroft_gault(1.0, 40, 72, "F")) == 85
    assert float(cockcroft_gault(2.0, 40, 72, "M")) == 50


@pytest.mark.parametrize(("sex", "mg_dl"), [("F", 0.83), ("M", 1.07)])
def test_mdrd_back_calculates_the_baseline(sex: str, mg_dl: float) -> None:
    """At 44 years an eGFR of 75 is a creatinine of 0.83 mg/dL in a woman and 1.07 in a man."""
    assert float(mdrd(mg_dl, 44, sex)) == pytest.approx(75, rel=0.01)


def test_jelliffe_of_a_stable_creatinine() -> None:
    """At 20 years, 1.73 m² and 1.0 mg/dL a man has 98 mL/min; each year takes 0.8; a woman has nine tenths."""
    assert float(jelliffe_stable(1.0, 20, 1.73, "M")) == pytest.approx(98)
    assert float(jelliffe_stable(1.0, 45, 1.73, "M")) == pytest.approx(78)
    assert float(jelliffe_stable(1.0, 20, 1.73, "F")) == pytest.approx(88.2)


def test_jelliffe_of_a_changing_creatinine() -> None:
    """A woman of 44 with 70 kg whose creatinine rises from 0.8 to 2.0 mg/dL in a day has 43.0 mL/min; if it stayed at the mean of 1.4 she would have more."""
    assert round(float(jelliffe_changing(0.8, 2.0, 24, age=44, weight_kg=70, sex="F")), 1) == 43.0
    assert float(jelliffe_changing(1.4, 1.4, 24, age=44, weight_kg=70, sex="F")) > 55


def test_kinetic_egfr_falls_while_creatinine_rises() -> None:
    """From 0.8 to 2.0 mg/dL in 24 h, baseline 0.8 at 100 mL/min: 11.4 mL/min when 1.5 mg/dL a day is the most that anuria can do, 36.3 when the most is worked out from 70 kg of a woman (3.29 a day). The assumption decides, so both belong in a report."""
    assert round(float(kegfr(0.8, 100, 0.8, 2.0, 24)), 1) == 11.4
    most = float(max_rise(0.8, 100, 70, "F"))
    assert round(most, 2) == 3.29
    assert round(float(kegfr(0.8, 100, 0.8, 2.0, 24, max_rise_mg_dl_day=most)), 1) == 36.3


def test_kinetic_egfr_never_falls_below_nothing_and_may_exceed_the_baseline() -> None:
    """A rise of more than anuria explains gives 0, not a negative clearance; a falling creatinine gives more than its level alone would."""
    assert float(kegfr(0.8, 100, 0.8, 4.0, 24)) == 0
    falling = float(kegfr(0.8, 100, 2.0, 0.9, 24))
    assert falling > 0.8 * 100 / 1.45
    assert float(kegfr(0.8, 100, 0.85, 0.75, 12)) > 100


def test_two_values_within_two_hours_say_nothing_about_a_change() -> None:
    """The difference of two draws an hour apart is noise: unknown, not a clearance."""
    assert math.isnan(float(kegfr(0.8, 100, 0.8, 0.9, 1)))
    assert not math.isnan(float(kegfr(0.8, 100, 0.8, 0.9, formulas().kegfr.min_hours)))


def test_what_is_not_known_gives_no_number() -> None:
    """Without sex, age or weight, and for a creatinine of 0, the clearance is unknown and never 0."""
    nan = math.nan
    for found in (
        cockcroft_gault([1.0, 0.0, 1.0, 1.0, 1.0], [44, 44, nan, 44, -1], [70, 70, 70, nan, 70], "F"),
        ckd_epi_2021([1.0, 0.0, nan, 1.0, -1.0], [44, 44, 44, nan, 44], "M"),
        mdrd([1.0, 0.0, 1.0, 1.0, nan], [44, 44, -1, 0, 44], "F"),
        jelliffe_changing([1.0, 1.0, 1.0, 0.0, 1.0], [1.0, nan, 1.0, 1.0, 1.0], [24, 24, 0, 24, 24], age=[44, 44, 44, 44, nan], weight_kg=70, sex="M"),
        kegfr([0.8, 0.0, 0.8, 0.8, 0.8], [100, 100, nan, 100, 100], 0.8, [0.9, 0.9, 0.9, 0.0, nan], 24),
    ):  # fmt: skip
        assert np.isfinite(found).tolist() == [True, False, False, False, False]
    assert math.isnan(float(cockcroft_gault(1.0, 44, 70, "")))
