"""Simulations: against a slow calculation, covariates carried three ways, seeds and threads, what is refused."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.integrate

from becalm.core.errors import UsageError
from becalm.pk import NOT_ADVICE, Simulation, load, simulate
from becalm.pk.covariates import read_courses
from tests.reference.compartments import Step, by_matrix

ADULT: dict[str, Any] = {"weight": 70, "creatinine_clearance": 100}


def levels(found: Simulation, column: str = "typical") -> dict[float, float]:
    return dict(zip(found.concentration["hours"].tolist(), found.concentration[column].tolist(), strict=True))  # fmt: skip


def measure(
    found: Simulation, name: str, column: str = "typical", regimen: str = "regimen"
) -> float:
    rows = found.exposure.rows()
    return float(next(row[column] for row in rows if row["measure"] == name and row["regimen"] == regimen))  # fmt: skip


def test_steady_state_is_rate_by_clearance() -> None:
    found = simulate("anakinra", "84 mg/h", covariates=ADULT, hours=400, patients=1)
    assert levels(found)[400] == pytest.approx(84 / 7.2, rel=1e-9)  # 20 + 100 mL/min


def test_area_is_dose_by_clearance_and_skin_loses_what_is_not_absorbed() -> None:
    both = ["v = 100 mg IV bolus", "s = 100 mg SC every 1 h 1 times"]  # fmt: skip
    found = simulate("anakinra", both, covariates=ADULT, hours=400, patients=1)
    assert measure(found, "area", regimen="v") == pytest.approx(100 / 7.2, rel=1e-9)
    assert measure(found, "area", regimen="s") == pytest.approx(85 / 7.2, rel=1e-9)
    assert measure(found, "average_ratio", regimen="s") == pytest.approx(0.85, rel=1e-9)


def test_1_mg_per_kg_under_the_skin_peaks_as_published() -> None:
    """687 ± 197 ng/mL after 2 to 7 h, half-life 3.76 ± 1 h (published); the model was set to these."""
    given: dict[str, Any] = {"weight": 60, "creatinine_clearance": 100}
    found = levels(simulate("anakinra", "1 mg/kg SC", covariates=given, hours=24, patients=1))
    assert 0.49 < max(found.values()) < 0.884
    assert 2 <= max(found, key=lambda hour: found[hour]) <= 7


@pytest.mark.parametrize("policy", ["last", "next"])
def test_steps_of_clearance_against_the_matrix_exponential(policy: str) -> None:
    kidney: dict[str, Any] = {"weight": 84, "creatinine_clearance": [(0, 100), (10, 40), (30, 5), (48, 60)]}  # fmt: skip
    found = simulate(
        "anakinra", "20 mg IV bolus; 4 mg/h for 20 h; 1 mg/h", hours=48, patients=1, policy=policy,
        covariates=kidney,
    )  # fmt: skip
    size = (84 / 70) ** 0.75
    v1, q, v2 = 5 * 84 / 70, 3.5 * size, 6 * 84 / 70
    held = {0: 100, 10: 40, 20: 40, 30: 5} if policy == "last" else {0: 40, 10: 5, 20: 5, 30: 60}
    steps, borders = [], [0, 10, 20, 30, 48]
    for start, end in pairwise(borders):
        clearance = 0.06 * (20 * size + held[start])
        steps.append(
            Step(end - start, 4.0 if start < 20 else 1.0, 20.0 if start == 0 else 0.0, 0.0, clearance / v1, q / v1, q / v2, 0.0, 0.0)
        )  # fmt: skip
    truth = by_matrix(steps, two_depots=True)
    for hour, amounts in zip(borders[1:], truth, strict=True):
        assert levels(found)[hour] == pytest.approx(amounts[0] / v1, rel=1e-12)
    assert measure(found, "area") == pytest.approx(truth[-1][4] / v1, rel=1e-12)


def test_a_clearance_that_moves_on_a_straight_line_against_a_solver() -> None:
    """The fourth-order steps of a quarter of an hour: relative error below 1e-7 for 100 to 5 mL/min in 12 h."""
    given: dict[str, Any] = {"weight": 70, "creatinine_clearance": [(0, 100), (12, 5), (24, 80)]}

    def change(hour: float, y: Any) -> list[float]:
        cl = 0.06 * (20 + np.interp(hour, [0, 12, 24], [100, 5, 80]))
        d1, d2, a1, a2 = y
        return [-0.2 * d1, 0.2 * d1 - 0.6 * d2, 0.6 * d2 - (cl + 3.5) / 5 * a1 + 3.5 / 6 * a2, 3.5 / 5 * a1 - 3.5 / 6 * a2]  # fmt: skip

    y = np.zeros(4)
    for start in (0, 12):
        y[0] += 85
        solved = scipy.integrate.solve_ivp(change, (start, start + 12), y, "DOP853", rtol=1e-12, atol=1e-13)  # fmt: skip
        y = solved.y[:, -1]
        found = simulate(
            "anakinra", "100 mg SC every 12 h 2 times", covariates=given, hours=start + 12, patients=1, policy="linear",
        )  # fmt: skip
        assert levels(found)[start + 12] == pytest.approx(y[2] / 5, rel=1e-7)


def test_how_a_covariate_is_carried_matters_and_is_said() -> None:
    given: dict[str, Any] = {"weight": 70, "creatinine_clearance": [(0, 100), (24, 10), (48, 10)]}
    ends = {
        policy: levels(simulate("anakinra", "4 mg/h", covariates=given, hours=48, patients=1, policy=policy))[24]
        for policy in ("last", "linear", "next")
    }  # fmt: skip
    assert ends["last"] < ends["linear"] < ends["next"]


def test_the_same_seed_gives_the_same_numbers_whatever_the_threads() -> None:
    one, three = (
        simulate("anakinra", "100 mg SC daily", covariates=ADULT, hours=48, patients=1100, threads=threads)
        for threads in (1, 3)
    )  # fmt: skip
    for name in one.frames:
        for column in one.frames[name].columns:
            assert str(one.frames[name][column].tolist()) == str(three.frames[name][column].tolist())  # fmt: skip

    other = simulate("anakinra", "100 mg SC daily", covariates=ADULT, hours=48, patients=1100, seed=21)  # fmt: skip
    assert measure(other, "area", "p50") != measure(one, "area", "p50")


def test_virtual_patients_lie_apart_as_the_model_says() -> None:
    """The area by vein is dose / clearance, so the logarithm of its quantiles has the spread of clearance."""
    found = simulate("anakinra", "100 mg IV bolus", covariates=ADULT, hours=500, patients=4000)
    spread = math.log(measure(found, "area", "p95") / measure(found, "area", "p05")) / (2 * 1.6449)
    assert spread == pytest.approx(0.25, rel=0.05)


def test_nobody_absorbs_more_than_the_dose_and_bioavailability_may_be_set() -> None:
    found = simulate("anakinra", "100 mg SC", covariates=ADULT, hours=400, patients=1, parameters={"bioavailability": 100})  # fmt: skip
    assert measure(found, "area") == pytest.approx(100 / 7.2, rel=1e-9)
    row = next(r for r in found.parameters.rows() if r["parameter"] == "bioavailability")
    assert (row["status"], row["source"]) == ("assumed", "set by the user")


def test_time_below_a_target_and_time_to_it() -> None:
    """One compartment, a bolus: below the target from log(C0 / target) / k on."""
    given: dict[str, Any] = {"weight": 70, "creatinine_clearance": 100}
    found = simulate("anakinra", ["b = 100 mg IV bolus", "i = 7.2 mg/h"], covariates=given, hours=100, patients=1, targets=[0.5, 1.5])  # fmt: skip
    rows = {(r["regimen"], r["measure"], r["target"]): r for r in found.exposure.rows()}
    assert rows["b", "hours_to_target", 0.5]["typical"] == 0
    assert 90 < rows["b", "hours_below", 0.5]["typical"] < 98
    assert rows["i", "hours_to_target", 1.5]["never"] == 1.0
    assert rows["i", "hours_below", 1.5]["typical"] == pytest.approx(100)
    reached = rows["i", "hours_to_target", 0.5]["typical"]
    assert rows["i", "hours_below", 0.5]["typical"] == pytest.approx(reached)


def test_what_is_extrapolated_is_said() -> None:
    def remarks(**more: Any) -> str:
        given = {**ADULT, **more.pop("covariates", {})}
        return " | ".join(simulate("anakinra", "1 mg/h", covariates=given, hours=24, patients=1, **more).remarks)  # fmt: skip

    assert "extrapolated for all but healthy adults" in remarks()
    assert "extrapolated: not studied in adults with macrophage activation" in remarks(group="macrophage_activation")  # fmt: skip
    assert "extrapolated" not in remarks(group="rheumatoid_arthritis")
    assert "effluent_flow 35 mL/min lies outside" in remarks(covariates={"effluent_flow": 35})
    assert "creatinine_clearance 131 mL/min lies outside the studied 0 to 130" in remarks(covariates={"creatinine_clearance": 131})  # fmt: skip
    assert "creatinine_clearance" not in remarks(covariates={"creatinine_clearance": 130})
    assert "age 17 years lies outside" in remarks(covariates={"age": 17})
    assert "sieving" in remarks()
    assert NOT_ADVICE in repr(simulate("anakinra", "1 mg/h", covariates=ADULT, hours=9, patients=1))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"model": "anakinra_urien_2013", "covariates": {"weight": 20}}, "does not know doses into a vein: clearance and volume are divided by"),
        ({"model": "vancomycin", "regimens": "1 g SC"}, "does not know doses under the skin"),
        ({"regimens": "vancomycin 1 g IV bolus"}, "'vancomycin' is not the drug of the model anakinra"),
        ({"regimens": "stop"}, "nothing is given"),
        ({"covariates": {"weight": 70}}, "needs the covariate creatinine_clearance"),
        ({"covariates": {**ADULT, "wieght": 70}}, "no covariate 'wieght'"),
        ({"covariates": {**ADULT, "weight": 0}}, "the covariate weight cannot be 0 kg"),
        ({"covariates": {**ADULT, "weight": "70 kgs"}}, "covariate weight, column 4: the unit 'kgs' is not known"),
        ({"covariates": {**ADULT, "creatinine_clearance": -1}}, "cannot be -1 mL/min"),
        ({"covariates": {**ADULT, "creatinine_clearance": "90, 24 h: 30, 12 h: 20"}}, "out of order: 12 h stands after 24 h"),
        ({"covariates": {**ADULT, "creatinine_clearance": "90, 30"}}, "a value after the first needs its time"),
        ({"covariates": {**ADULT, "creatinine_clearance": "6 h: 30"}}, "begins at 6 h, after the regimen does"),
        ({"covariates": {**ADULT, "creatinine_clearance": "90, 24 h: 30"}, "policy": "next"}, "ends at 24 h, before 168 h"),
        ({"covariates": {**ADULT, "creatinine_clearance": "90, 24 h: 30"}, "policy": "linear"}, "ends at 24 h, before 168 h"),
        ({"policy": "lst"}, "no policy is called 'lst'. Did you mean 'last'?"),
        ({"group": "adult"}, "no group 'adult'"),
        ({"parameters": {"cl": 3}}, "no parameter 'cl'"),
        ({"targets": [0]}, "a target of 0 mg/L"),
        ({"hours": 0}, "0 h cannot be simulated"),
        ({"hours": math.nan}, "cannot be simulated"),
        ({"patients": 0}, "0 virtual patients"),
        ({"patients": 10_000_001}, "10,000,001 virtual patients"),
        ({"threads": 0}, "0 threads"),
        ({"model": "vancomycin", "covariates": {"weight": 70, "creatinine_clearance": 90}, "regimens": "1 mg/hr"}, "the unit 'mg/hr' of a dose is not known"),
    ],
)  # fmt: skip
def test_what_cannot_be_simulated_is_refused(asked: dict[str, Any], told: str) -> None:
    usual: dict[str, Any] = {"model": "anakinra", "regimens": "1 mg/h", "covariates": ADULT, "patients": 1}  # fmt: skip
    with pytest.raises(UsageError) as error:
        simulate(**{**usual, **asked})
    assert told in error.value.line()
    assert "\n" not in error.value.line()


def test_a_value_that_is_carried_far_is_said_and_one_that_is_not_is_not() -> None:
    model = load("vancomycin")
    for last, said in ((80, True), (81, False), (100, False)):
        _, remarks = read_courses(model, {"weight": 70, "creatinine_clearance": [(0, 90), (last, 60)]}, 100, "last")  # fmt: skip
        assert any("carried on" in each for each in remarks) == said


def test_a_rate_per_kg_keeps_the_weight_of_its_hour() -> None:
    given: dict[str, Any] = {"weight": [(0, 50), (24, 100)], "creatinine_clearance": 100}
    found = simulate("anakinra", "0.1 mg/kg/h for 30 h; 0.2 mg/kg/h", covariates=given, hours=48, patients=1)  # fmt: skip
    rates = dict(zip(found.concentration["hours"].tolist(), found.concentration["rate_mg_h"].tolist(), strict=True))  # fmt: skip
    assert (rates[0], rates[25], rates[30]) == (5.0, 5.0, 20.0)
    assert found.doses["weight_used"].tolist() == [50.0, 100.0]


def test_without_a_known_spread_there_is_no_band() -> None:
    """Equal numbers for all would look like certainty."""
    found = simulate("canakinumab", "150 mg SC", covariates={}, hours=48, targets=[99])
    row = next(found.exposure.rows())
    assert row["typical"] > 0
    assert all(math.isnan(row[each]) for each in ("p05", "p50", "p95"))
    assert np.isnan(found.concentration["p50"]).all()
    assert any("only the typical patient is simulated" in each for each in found.remarks)
    never = next(r["never"] for r in found.exposure.rows() if r["measure"] == "hours_to_target")
    assert never == 1.0
    partly = simulate("vancomycin", "1 g IV bolus", covariates=ADULT, hours=24, patients=5)
    assert any("have the same: exchange" in each for each in partly.remarks)
