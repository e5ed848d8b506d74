"""Acute kidney injury by creatinine: the KDIGO 2012 stages, and the errors that others made."""

from pathlib import Path

import pytest

import becalm as bc
from becalm.kidney import equations
from tests.records import hours
from tests.spec.patients import Patients, patients

CASES = Path(__file__).parents[3] / "shared" / "cases"
CIV = "start | end | drug | mg_h\n0 | 96 | anakinra | 100"


def kidney(values: str, **known: object) -> Patients:
    """`-40 0.8|0 1.0`: hour and creatinine in mg/dL; in hospital from two days before."""
    table = "hour | creatinine\n" + "\n".join(v.replace(" ", " | ", 1) for v in values.split("|"))
    given = {
        "doses": CIV,
        "onset": -48,
        "infusion_start": 0,
        "stays": "start | end\n-200 | 900",
        **known,
    }
    return patients(table, **given)  # type: ignore[arg-type]


def stages(values: str, **known: object) -> tuple[int, int]:
    row = kidney(values, **known).safety("aki")
    return row["grade_before"], row["grade_after"]


@pytest.mark.parametrize(
    ("values", "stage"),
    [
        ("0 2.0|24 2.3", 1),  # 2.3 − 2.0 is less than 0.3 in binary
        ("0 2.0|24 2.29", 0),
        ("0 2.0|48 2.3", 1),  # the 48th hour belongs to the 48 hours
        ("0 2.0|48.02 2.3", 0),
        ("0 2.0|24 1.9|60 2.2", 1),
        ("0 2.0|24 2.2|60 2.4", 0),
    ],
)
def test_a_rise_of_0_3_within_48_hours_is_injury(values: str, stage: int) -> None:
    """Differences are rounded before they are compared, and "within 48 h" is inclusive."""
    assert stages(f"-100 2.0|{values}") == (0, stage)


@pytest.mark.parametrize(
    ("value", "stage"), [(1.49, 0), (1.5, 1), (1.99, 1), (2.0, 2), (2.99, 2), (3.0, 3)]
)
def test_the_stage_follows_the_ratio_to_the_baseline(value: float, stage: int) -> None:
    """1.5, 2.0 and 3.0 times the baseline, ratios and not differences (RIFLE gone wrong)."""
    steady = "-100 1.0|-20 1.0"
    assert stages(f"{steady}|49 {value}")[1] == stage


def test_an_injury_at_the_first_value_is_staged_by_the_baseline_from_before() -> None:
    """Regression: a lowest-of-seven-days rule never stages the first value of an admission."""
    visits = "-4000 0.9|-2500 0.8|-900 0.8"
    row = kidney(f"{visits}|-40 1.9|24 1.8", stays="start | end\n-44 | 900").safety("aki")
    assert (row["grade_before"], row["grade_after"]) == (2, 2)
    assert hours(row["onset"]) == -40
    assert row["reference"] == (
        "by creatinine; median of 3 outpatient values 365d to 7d before onset 0.8 mg/dL"
    )


def test_the_baseline_is_the_lowest_of_the_week_where_nobody_was_seen_before() -> None:
    """Without a creatinine from before the admission, the lowest of the seven days before onset is the baseline, and says so."""
    row = kidney("-100 1.1|-60 1.0|-40 1.6").safety("aki")
    assert row["reference"] == "by creatinine; lowest of the 7d before onset 1 mg/dL"
    assert row["grade_before"] == 1


def test_the_value_at_onset_is_not_its_own_baseline() -> None:
    """It may have risen already; then a creatinine for an assumed eGFR of 75 stands in, labelled."""
    row = kidney("-48 1.9").safety("aki")
    assert row["reference"] == "by creatinine; back-calculated at eGFR 75 (MDRD) 0.83 mg/dL"
    assert row["grade_before"] == 2


@pytest.mark.parametrize(("sex", "mg_dl"), [("F", 0.83), ("M", 1.07)])
def test_back_calculation_knows_the_sexes(sex: str, mg_dl: float) -> None:
    """Regression: without the factor for women the baseline is too high by a quarter."""
    found = equations.mdrd_creatinine(75, 44, sex)
    assert float(found) == pytest.approx(mg_dl, abs=0.005)


def test_without_sex_or_age_only_a_rise_can_be_told() -> None:
    """No baseline can be back-calculated without sex and age; a rise of 0.3 mg/dL in 48 h still counts."""
    row = kidney("-48 1.9|-20 2.3", sex="", age=-1).safety("aki")
    assert row["reference"] == "by creatinine; baseline not known"
    assert row["grade_before"] == 1


def test_somebody_who_was_never_in_hospital_has_no_value_known_to_be_from_outside() -> None:
    """Without any stay no creatinine is known to be an outpatient one."""
    row = kidney("-2500 0.8|-100 1.4|-40 1.5", stays="").safety("aki")
    assert "lowest of the 7d" in row["reference"]


def test_a_stable_creatinine_above_4_is_no_acute_injury() -> None:
    """Regression: stage 3 for any 4.0 mis-stages everybody with chronic kidney disease."""
    assert stages("-100 4.2|-20 4.2|24 4.3|60 4.4") == (0, 0)
    assert stages("-100 3.8|-20 3.8|24 4.1") == (0, 3)


def test_a_slow_rise_over_two_weeks_is_not_acute() -> None:
    """Regression: 1.5 times the baseline must have been reached within seven days."""
    slow = "|".join(f"{72 * i} {1.0 + 0.1 * i:.1f}" for i in range(1, 7))
    assert stages(
        f"-100 1.0|{slow}", doses="start | end | drug | mg_h\n0 | 500 | anakinra | 100"
    ) == (-1, 0)
    quick = slow.replace("360 1.5", "360 2.1")
    assert stages(
        f"-100 1.0|{quick}", doses="start | end | drug | mg_h\n0 | 500 | anakinra | 100"
    ) == (-1, 2)


def test_an_injury_lasts_until_creatinine_is_below_1_5_times_the_baseline() -> None:
    """Two weeks at twice the baseline are one injury, not a day of it."""
    row = kidney("-100 1.0|-20 2.0|24 2.0|120 2.0|190 2.0|199 1.4").safety("aki")
    assert (row["grade_before"], row["grade_after"]) == (2, 2)


@pytest.mark.parametrize("name", ["CRRT", "HD", "peritoneal dialysis"])
def test_any_renal_replacement_is_stage_3(name: str) -> None:
    """Regression: intermittent dialysis counts as continuous does."""
    row = kidney(
        "-100 0.8|-20 1.9|24 2.1", procedures=f"start | end | name\n100 | 104 | {name}"
    ).safety("aki")
    assert (row["grade_before"], row["grade_after"]) == (2, 3)
    assert hours(row["onset"]) == 100
    assert row["reference"].endswith("; renal replacement")
    assert row["source_row"].split("|")[-1] == "procedures:2"


def test_creatinine_is_void_on_renal_replacement() -> None:
    """Its fall is the machine's, and its rise afterwards no new injury."""
    values = "-2500 1.5|-57 1.0|-30 1.6"
    known = {"stays": "start | end\n-100 | 900"}
    during = "start | end | name\n-60 | -56 | HD"
    assert stages(values, **known)[0] == 1
    assert stages(values, procedures=during, **known)[0] == 0


def test_between_two_sessions_creatinine_is_void_too() -> None:
    """Three sessions two days apart are one course: what lies between tells of the last session."""
    sessions = "start | end | name\n-100 | -96 | HD\n-50 | -46 | HD\n-2 | 2 | HD"
    row = kidney("-150 8.0|-99 3.0|-60 7.0|-45 3.0|-3 7.0", procedures=sessions).safety("aki")
    assert (row["grade_before"], row["grade_after"]) == (3, 3)
    assert row["source_row"] == "procedures:3|procedures:4"


def test_new_prevalent_and_worsened_can_be_told_apart() -> None:
    """The five illustrative patients: two new, three prevalent, two of those worse afterwards."""
    clinic = "-2500 {b}|-900 {b}"
    dialysis = "start | end | name\n{h} | 300 | CRRT"
    cases = {
        "1": (clinic.format(b=0.7) + "|-40 0.8|-4 0.8|23 0.9|47 1.0|71 1.2", ""),
        "2": (clinic.format(b=0.9) + "|-40 0.9|-5 1.0|48 1.4|100 2.1", ""),
        "3": (clinic.format(b=1.0) + "|-30 1.5|-2 1.7|24 1.9|47 1.8", ""),
        "4": (clinic.format(b=0.8) + "|-40 1.6|-3 1.9|22 2.1", dialysis.format(h=180)),
        "5": (clinic.format(b=0.6) + "|-40 1.2|-3 1.5|46 1.6", dialysis.format(h=110)),
    }
    found = {
        name: stages(
            values,
            procedures=sessions,
            stays="start | end\n-100 | 900",
            doses="start | end | drug | mg_h\n0 | 144 | anakinra | 100",
        )
        for name, (values, sessions) in cases.items()
    }
    assert found == {"1": (0, 1), "2": (0, 2), "3": (1, 1), "4": (2, 3), "5": (2, 3)}


def test_injury_is_looked_for_until_seven_days_after_the_last_continuous_dose() -> None:
    """The infusion ends at 96 h, so the last moment is 264 h."""
    assert stages("-100 1.0|-4 1.0|264 3.0")[1] == 3
    assert stages("-100 1.0|-4 1.0|264.02 3.0")[1] == -1


def test_a_patient_without_a_value_has_no_grade_and_not_grade_0() -> None:
    """No creatinine after the baseline is not known, never grade 0."""
    assert stages("-2500 0.8") == (-1, -1)


def test_onset_before_time_zero_is_told_and_was_not_on_the_drug() -> None:
    """A kidney injured 30 h before the first dose was not injured on the drug."""
    row = kidney("-100 1.0|-30 1.6|24 1.6").safety("aki")
    assert hours(row["onset"]) == -30
    assert row["hours_from_t0"] == -30
    assert row["on_drug"] is False
    assert row["attribution"] == "cannot tell"


def test_an_index_protocol_looks_until_discharge() -> None:
    """Nobody is on a drug of interest there; the 24 h before the index say what was prevalent."""
    known = {
        "protocol": "hyperinflammation",
        "doses": "",
        "infusion_start": None,
        "onset": 0,
        "discharge": 300,
    }
    row = kidney("-100 1.0|-10 1.6|299 3.1|301 5.0", **known).safety("aki")
    assert (row["grade_before"], row["grade_after"], row["on_drug"]) == (1, 3, None)


@pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
def test_either_unit_of_the_guideline_counts() -> None:
    """0.3 mg/dL or 26.5 µmol/L, 4.0 mg/dL or 353.6 µmol/L: a laboratory reports in one of them."""
    study = bc.run(bc.open_records(CASES / "kidney-si-edges"), "hyperinflammation")
    found = {
        row["person_id"]: row["grade_after"]
        for row in study["safety"].rows()
        if row["event"] == "aki"
    }
    expected = {
        "um_88.4_114.9": 1, "um_100_126.5": 1, "um_100_126.6": 1, "um_100_126": 0, "mg_2.0_2.29": 0,
        "mg_2.3_2.6": 1, "ckd_4.2_4.3": 0, "ckd_4.2_4.5": 3, "st3_um_353": 1, "st3_um_353.6": 3,
        "st3_um_354": 3, "st3_mg_4.0": 3, "st3_mg_4.0b": 3,
    }  # fmt: skip
    assert {person: found[person] for person in expected} == expected
