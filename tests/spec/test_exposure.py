"""Concentrations by a model in a study: what is calculated, from what, and what is not."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from msgspec.structs import replace

from becalm import protocol as protocols
from becalm.core.clock import HOUR
from becalm.core.errors import DefinitionError
from becalm.protocol import Pharmacology, Protocol
from becalm.study import protocol_names
from tests.records import dose, infusion, lab, measured, person, procedure, stay
from tests.records.rows import ORIGIN, Row
from tests.reference import exposure as slow

KG: Final = 80.0
AGE: Final = 50
BOUND: Final = 48.0
"""Hours for which a creatinine is valid."""
MINUTE: Final = 1 / 60
ONE_COMPARTMENT: Final = """
name = "{name}"
title = "One compartment of a user"
drug = "{drug}"
routes = ["iv"]
[parameter.clearance]
part_of = "clearance"
value = 2.0
unit = "L/h"
status = "assumed"
source = "a user's own"
verified = false
[parameter.volume]
part_of = "central_volume"
value = 10.0
unit = "L"
status = "assumed"
source = "a user's own"
verified = false
"""


def asking(model: str = "anakinra", **more: Any) -> Protocol:
    """The main protocol for everybody with anakinra, with one model."""
    study = protocols.load("anakinra_mas")
    return replace(
        study,
        storm=replace(study.storm, required=False),
        pharmacology=(Pharmacology(model, **more),) if model else (),
    )


def someone(*rows: Row, **more: Any) -> tuple[Row, ...]:
    facts = {"age": AGE, "weight_kg": KG, **more}
    return person(**facts), stay(-200, 900), *rows


def treated(*rows: Row, **more: Any) -> tuple[Row, ...]:
    """A woman with an infusion of 50 mg/h from 0 to 48 h."""
    return someone(infusion(0, 48, 50), *rows, **more)


def exposure(*rows: Row, **asked: Any) -> list[dict[str, Any]]:
    return measured(asking(**asked), *rows, only="exposure")


def over_time(*rows: Row, **asked: Any) -> dict[float, dict[str, Any]]:
    found = measured(asking(**asked), *rows, only="exposure_over_time")
    return {(row["at_time"] - ORIGIN) / HOUR: row for row in found}


def creatinine(*pairs: tuple[float, float]) -> tuple[Row, ...]:
    return tuple(lab("creatinine", value, hour) for hour, value in pairs)


# ------------------------------------------------------------ against the slow calculation


def test_curves_areas_and_averages_are_those_of_a_matrix_exponential() -> None:
    """Boluses, doses under the skin, overlapping bags, a pause, a kidney that fails and recovers."""
    once = [slow.Once(0, 100, False), slow.Once(6, 100, False), slow.Once(130, 100, True), slow.Once(154, 100, True)]  # fmt: skip
    infused = [slow.Infused(10, 22.5, 25), slow.Infused(22.5, 60, 50), slow.Infused(40, 60, 30),
               slow.Infused(61, 100, 100)]  # fmt: skip
    drawn = [slow.Drawn(-5, 0.8), slow.Drawn(20.25, 1.6), slow.Drawn(44, 3.1), slow.Drawn(90, 2.0), slow.Drawn(125, 1.1)]  # fmt: skip
    rows = someone(
        *(dose("anakinra", each.hour, amount=f"{each.mg} mg", route="SC" if each.skin else "IV") for each in once),
        *(infusion(*each) for each in infused),
        *creatinine(*drawn),
    )  # fmt: skip
    moments = over_time(*rows)
    hours = [hour for hour in sorted(moments) if hour <= 200]
    assert len(hours) > 200
    answer = slow.anakinra(infused, once, drawn, hours, age=AGE, kg=KG)
    assert [moments[hour]["typical"] for hour in hours] == pytest.approx(answer.level, rel=1e-6, abs=1e-6)  # fmt: skip
    edges = [0.0, 10.0, 100.0, 130.0, 154.0, 205.0]
    areas = slow.anakinra(infused, once, drawn, edges, age=AGE, kg=KG).area
    first, second, third = exposure(*rows)
    assert [row["episode_mode"] for row in (first, second, third)] == ["intermittent IV", "continuous IV", "SC"]  # fmt: skip
    assert first["auc_mg_h_l"] == pytest.approx(areas[0], rel=1e-6)
    assert second["auc_mg_h_l"] == pytest.approx(areas[1] + areas[2], rel=1e-6)
    assert second["css_mg_l"] == pytest.approx(areas[1] / 90, rel=1e-6)
    assert third["css_mg_l"] == pytest.approx(areas[3] / 24, rel=1e-6)
    peak = max(level for hour, level in zip(hours, answer.level, strict=True) if 10 <= hour < 130)
    assert second["peak_mg_l"] == pytest.approx(peak, rel=1e-6)
    assert first["css_mg_l_p05"] < first["css_mg_l"] < first["css_mg_l_p95"]


def test_average_and_peak_at_each_dose_level_are_those_of_the_slow_calculation() -> None:
    """Two times at one rate are one level; the last single dose has no end and is left out."""
    infused = [slow.Infused(0, 12, 25), slow.Infused(12, 30, 50), slow.Infused(30, 40, 25)]
    once = [slow.Once(60, 100, True), slow.Once(84, 100, True), slow.Once(108, 100, True)]
    drawn = [slow.Drawn(-5, 1.0), slow.Drawn(40, 1.0), slow.Drawn(80, 1.0)]
    rows = someone(
        *(infusion(*each) for each in infused),
        *(dose("anakinra", each.hour, amount="100 mg", route="SC") for each in once),
        *creatinine(*drawn),
    )
    found = measured(asking(), *rows, only="exposure_by_dose")
    assert [(row["dose_level"], row["dose_level_unit"], row["hours_at_level"]) for row in found] == [
        (25, "mg/h", 22), (50, "mg/h", 18), (100, "mg", 48)
    ]  # fmt: skip
    area = slow.anakinra(infused, once, drawn, [0, 12, 30, 40, 60, 108], age=AGE, kg=KG).area
    expected = [(area[0] + area[2]) / 22, area[1] / 18, area[4] / 48]
    assert [row["average_mg_l"] for row in found] == pytest.approx(expected, rel=1e-6)
    assert found[1]["peak_at_level"] > found[1]["average_mg_l"] > found[0]["average_mg_l"]


def test_a_users_model_of_one_compartment_gives_rate_by_clearance(tmp_path: Path) -> None:
    """What every pharmacist can work out: 50 mg/h at 2 L/h is 25 mg/L; no spread, so no band; no kidney asked."""
    path = tmp_path / "mine.toml"
    path.write_text(ONE_COMPARTMENT.format(name="mine", drug="anakinra"), encoding="utf-8")
    [row] = exposure(*treated(), model=str(path), target_mg_l=12.5)
    assert row["model"] == "mine"
    assert row["peak_mg_l"] == pytest.approx(25 * -math.expm1(-0.2 * 48), rel=1e-6)
    assert math.isnan(row["peak_mg_l_p05"])
    # dose = clearance × area, as far as it was followed: ten half-lives after the end.
    left = math.exp(-0.2 * round(10 * math.log(2) / 0.2)) * row["peak_mg_l"] * 10
    assert row["auc_mg_h_l"] * 2 + left == pytest.approx(48 * 50, rel=1e-4)
    # half of the plateau is reached after a half-life and left half a half-life and a bit after the end
    assert row["hours_above_target"] == pytest.approx(48 - math.log(2) / 0.2 + math.log(row["peak_mg_l"] / 12.5) / 0.2, abs=0.01)  # fmt: skip
    assert row["clearance_by"] == ""
    assert math.isnan(row["hours_too_old"])
    assert row["extrapolated"] == "no group named"


# ------------------------------------------------------------ the kidney: never a silent normal one


def test_without_a_creatinine_nothing_is_calculated_and_it_is_said() -> None:
    """An unknown kidney is never taken as a normal one: there is no curve, and the reason is counted."""
    [row] = exposure(*treated(), target_mg_l=1.0)
    assert row["not_computed"] == "no creatinine"
    assert row["computed_until"] == row["episode_begin"]
    for name in ("auc_mg_h_l", "css_mg_l", "peak_mg_l", "hours_above_target", "auc_mg_h_l_p95"):
        assert math.isnan(row[name])
    assert over_time(*treated()) == {}


@pytest.mark.parametrize(("until", "old"), [(BOUND, 0.0), (BOUND + 1, 1.0), (BOUND + 10, 10.0)])
def test_a_creatinine_is_valid_for_48_h_and_then_carried_on_and_counted(until: float, old: float) -> None:  # fmt: skip
    """The tail after the infusion is cut by death, so that only the bound counts."""
    rows = someone(infusion(1, 1 + until, 50), *creatinine((1, 1.0)), death=1 + until)
    [row] = exposure(*rows)
    assert row["hours_too_old"] == pytest.approx(old)
    assert row["not_computed"] == ""
    assert row["auc_mg_h_l"] > 0
    moments = over_time(*rows)
    assert moments[BOUND]["clearance_state"] == "measured"
    assert {row["clearance_state"] for hour, row in moments.items() if hour > BOUND} <= {"too old"}
    used = [row["creatinine_clearance"] for row in moments.values()]
    assert used == pytest.approx([slow.woman(1.0, AGE, KG)] * len(used))


def test_the_first_creatinine_counts_before_it_for_48_h_and_no_longer() -> None:
    """Before the first creatinine its value is taken for as long as a creatinine is valid."""
    [within] = exposure(*treated(*creatinine((BOUND, 1.0))))
    assert (within["hours_carried_back"], within["not_computed"]) == (BOUND, "")
    [beyond] = exposure(*treated(*creatinine((BOUND + MINUTE, 1.0))))
    assert beyond["not_computed"] == "no creatinine near the first dose"
    assert math.isnan(beyond["auc_mg_h_l"])


def test_a_creatinine_without_a_weight_gives_no_clearance() -> None:
    """Cockcroft and Gault need a weight: without one there is no curve, and the reason is counted."""
    rows = (person(age=AGE), stay(-200, 900), infusion(0, 48, 50), *creatinine((-1, 1.0)))
    [row] = exposure(*rows, group="kidney_disease")
    assert row["not_computed"] == "no weight is known"
    assert math.isnan(row["auc_mg_h_l"])
    assert row["extrapolated"] == ""


def test_a_course_without_creatinine_long_before_does_not_hide_the_one_that_matters() -> None:
    """A run ends where nothing of its last dose is left; what is near belongs to it."""
    early = dose("anakinra", -190, amount="100 mg", route="SC")
    rows = [early, *creatinine((-1, 1.0))]
    first, second = exposure(*treated(*rows))
    assert first["not_computed"] == "no creatinine near the first dose"
    assert second["not_computed"] == ""
    near = dose("anakinra", -60, amount="100 mg", route="SC")
    both = exposure(*treated(near, *creatinine((-1, 1.0))))
    assert {row["not_computed"] for row in both} == {"no creatinine near the first dose"}


def test_kinetic_clearance_is_lower_while_creatinine_rises_and_has_a_range() -> None:
    """A rising creatinine says that less is cleared than the value alone tells; the assumed volume gives a range."""
    rising = creatinine((-24, 0.8), (0, 1.6), (12, 2.4), (24, 3.2), (36, 4.0), (60, 4.0), (90, 4.0))
    [steady] = exposure(*treated(*rising))
    [kinetic] = exposure(*treated(*rising), clearance="kinetic")
    assert kinetic["clearance_by"] == "kinetic"
    assert kinetic["css_mg_l"] > steady["css_mg_l"]
    assert math.isnan(steady["auc_least_cleared"])
    assert kinetic["auc_most_cleared"] < kinetic["auc_mg_h_l"] < kinetic["auc_least_cleared"]
    at = over_time(*treated(*rising), clearance="kinetic")
    assert at[20.0]["most_cleared"] < at[20.0]["typical"] < at[20.0]["least_cleared"]


def test_ckd_epi_needs_a_height_and_is_for_the_own_body_surface() -> None:
    """CKD-EPI is per 1.73 m²: a drug is cleared by the patient's own surface, which needs a height and a weight."""
    drawn = creatinine((-1, 1.0), (40, 1.0), (80, 1.0))
    [without] = exposure(*treated(*drawn), clearance="ckd_epi_2021")
    assert without["not_computed"].startswith("no creatinine with which clearance is known (height")
    at = over_time(*treated(*drawn, height_cm=180), clearance="ckd_epi_2021")
    egfr = 142 * (1.0 / 0.7) ** -1.2 * 0.9938**AGE * 1.012
    surface = math.sqrt(180 * KG / 3600)
    assert at[10.0]["creatinine_clearance"] == pytest.approx(egfr * surface / 1.73, rel=1e-6)


# ------------------------------------------------------------ renal replacement


def test_continuous_replacement_is_cleared_by_its_assumed_flow_and_the_own_kidney_is_assumed() -> None:  # fmt: skip
    """What the machine clears and what is left of the own kidney are assumptions with a range, and are said to be."""
    drawn = creatinine((-1, 2.0), (20, 1.5), (100, 1.2))
    rows = treated(*drawn, procedure("crrt", 10, 40))
    [row] = exposure(*rows)
    assert row["hours_replaced"] == 90  # from its begin to the first creatinine after it
    assert "effluent flow up to 33.3 mL/min, never studied" in row["extrapolated"]
    assert row["auc_most_cleared"] < row["auc_mg_h_l"] < row["auc_least_cleared"]
    at = over_time(*rows)
    assert (at[9.0]["clearance_state"], at[10.0]["clearance_state"]) == (
        "measured",
        "renal replacement",
    )
    assert at[10.0]["creatinine_clearance"] == 0
    # At the plateau the rate is the clearance times the concentration: 20 mL/min for 70 kg, and 0.3 of 25 mL/kg/h.
    p = slow.parameters()
    flow = 25 * KG / 60
    clearance = p["non_renal_clearance"] * (KG / 70) ** 0.75 + 0.06 * 0.3 * flow
    assert at[40.0]["typical"] == pytest.approx(50 / clearance, rel=0.02)
    [own] = exposure(*rows, effluent_ml_kg_h=40.0, own_clearance_ml_min=5.0)
    assert own["auc_mg_h_l"] < row["auc_mg_h_l"]


def test_a_model_without_the_clearance_of_a_machine_stops_where_it_begins() -> None:
    """Vancomycin's file says nothing of dialysis: silence would be a patient who clears nothing."""
    rows = treated(
        dose("vancomycin", 0, 2, amount="1000 mg"), dose("vancomycin", 12, 14, amount="1000 mg"),
        *creatinine((-1, 1.0), (40, 1.0)), procedure("haemodialysis", 6, 10),
    )  # fmt: skip
    found = exposure(*rows, model="vancomycin")
    assert {row["not_computed"] for row in found} == {"dialysis, whose clearance the model does not have"}  # fmt: skip
    assert {row["computed_until"] for row in found} == {ORIGIN + 6 * HOUR}
    assert max(over_time(*rows, model="vancomycin")) < 6
    before = exposure(*rows[:-1], model="vancomycin")
    assert {row["not_computed"] for row in before} == {""}


def test_replacement_of_an_unknown_kind_is_said_and_taken_as_none_at_most_as_continuous() -> None:
    """Where nobody says which machine it was, the range goes from none to a continuous one."""
    drawn = creatinine((-1, 2.0), (100, 1.2))
    [row] = exposure(*treated(*drawn, procedure("renal replacement therapy", 10, 40)))
    assert "unknown kind" in row["exposure_remarks"]
    [known] = exposure(*treated(*drawn, procedure("crrt", 10, 40)))
    assert row["auc_mg_h_l"] > known["auc_mg_h_l"]
    assert row["auc_most_cleared"] == pytest.approx(known["auc_most_cleared"])


# ------------------------------------------------------------ doses that a model cannot use


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (dose("anakinra", 20, amount="100 mg", route="PO"), "a dose by mouth, which the model does not know"),
        (dose("anakinra", 20, amount="100 mg", route=""), "a dose by an unknown route, which the model does not know"),
        (dose("anakinra", 20, amount="1 dose", route="SC"), "a dose of unknown amount"),
        (dose("anakinra", 20, 30, rate="5 mg/h", route="SC"), "an infusion under the skin, which the model does not know"),
    ],
)  # fmt: skip
def test_a_dose_that_the_model_cannot_use_stops_the_curve_there(odd: Row, reason: str) -> None:
    """After a dose of unknown amount or route nobody knows the concentration: the curve ends, and the reason is counted."""
    rows = treated(*creatinine((-1, 1.0), (40, 1.0)), odd)
    found = exposure(*rows)
    assert {row["not_computed"] for row in found} == {reason}
    assert {row["computed_until"] for row in found} == {ORIGIN + 20 * HOUR}
    assert all(math.isnan(row["auc_mg_h_l"]) for row in found)
    moments = over_time(*rows)
    assert max(moments) == 19
    assert moments[19.0]["typical"] > 0


def test_vancomycin_by_mouth_counts_for_nothing_and_hides_nothing() -> None:
    """Vancomycin by mouth does not reach the blood: it adds nothing, and the curve goes on."""
    given = dose("vancomycin", 0, 2, amount="1000 mg")
    drawn = creatinine((-1, 1.0), (40, 1.0), (80, 1.0))
    alone = exposure(*treated(given, *drawn), model="vancomycin")
    oral = dose("vancomycin", 5, amount="125 mg", route="PO")
    with_oral = exposure(*treated(given, oral, *drawn), model="vancomycin")
    assert repr(with_oral) == repr(alone)


def test_a_dose_into_a_vein_without_an_end_runs_as_the_model_assumes_and_it_is_said() -> None:
    """Vancomycin's file takes 1 g an hour; a dose with an end is taken as it was written."""
    drawn = creatinine((-1, 1.0), (40, 1.0), (80, 1.0))
    charted = dose("vancomycin", 0, amount="1500 mg")
    [row] = exposure(*treated(charted, *drawn), model="vancomycin")
    assert row["exposure_remarks"] == "doses into a vein without an end, taken as 1000 mg/h: 1"
    written = dose("vancomycin", 0, 1.5, amount="1500 mg")
    [other] = exposure(*treated(written, *drawn), model="vancomycin")
    assert other["exposure_remarks"] == ""
    assert row["auc_mg_h_l"] == pytest.approx(other["auc_mg_h_l"], rel=1e-6)
    assert row["peak_mg_l"] == pytest.approx(
        other["peak_mg_l"], rel=0.02
    )  # the end of the first is no border
    assert row["peak_mg_l"] < 1500 / 31.8


def test_a_paediatric_model_of_skin_alone_refuses_the_vein() -> None:
    """A model whose parameters are divided by an unknown bioavailability says nothing of doses by vein."""
    [row] = exposure(*treated(*creatinine((-1, 1.0))), model="anakinra_urien_2013")
    assert row["not_computed"] == "a dose into a vein, which the model does not know"


def test_a_study_without_a_model_has_no_rows() -> None:
    """Nothing is simulated unless a model is named."""
    for table in ("exposure", "exposure_by_dose", "exposure_over_time"):
        assert measured(asking(model=""), *treated(*creatinine((-1, 1.0))), only=table) == []


# ------------------------------------------------------------ what a protocol may ask


def refused(text: str, folder: Path | None = None) -> str:
    whole = (protocols.reading.PROTOCOLS / "anakinra_mas.toml").read_text(encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        protocol_names.checked(f"{whole}\n{text}", "mine.toml", folder)
    return error.value.line()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('model = "anakinar"', "no model is called 'anakinar'"),
        ('model = "anakinra"\ngroup = "adult"', "anakinra has no group 'adult'"),
        ('model = "anakinra"\ntarget_mg_l = 0', "a concentration of 0 is always reached"),
        ('model = "anakinra"\ntarget_mg_l = -1', "-1 is negative"),
        ('model = "anakinra"\neffluent_ml_kg_h = 0', "renal replacement without a flow clears nothing"),
        ('model = "anakinra"\nclearance = "mdrd"', "mdrd"),
        ('model = "anakinra"\ntarget = 1', "unknown key 'target'"),
        ('model = "anakinra"\n[[pharmacology]]\nmodel = "anakinra"', "'anakinra' stands here twice"),
        ('model = "anakinra"\n[[pharmacology]]\nmodel = "anakinra_urien_2013"', "another model of anakinra stands above"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_row(text: str, said: str) -> None:
    """A mistake in the protocol's table is one line with its row and how to mend it."""
    line = refused(f"[[pharmacology]]\n{text}")
    assert said in line
    assert "mine.toml" in line


def test_a_model_that_a_study_cannot_use_is_refused(tmp_path: Path) -> None:
    """A model's file that a study cannot use is refused before anything is read."""
    body = ONE_COMPARTMENT.format(name="mine", drug="anakinra")
    (tmp_path / "albumin.toml").write_text(
        body.replace(
            'source = "a user\'s own"', 'source = "a user\'s own"\nscaled_by.albumin = { at = 40, exponent = 1 }', 1
        ) + '[covariate.albumin]\nunit = "g/L"\nstudied = [20, 50]\nsource = "x"\nverified = false\n',
        encoding="utf-8",
    )  # fmt: skip
    assert "a study does not have the covariate 'albumin'" in refused(
        '[[pharmacology]]\nmodel = "albumin.toml"', tmp_path
    )
    (tmp_path / "heparin.toml").write_text(ONE_COMPARTMENT.format(name="h", drug="heparin"), encoding="utf-8")  # fmt: skip
    assert "heparin is added up in units" in refused('[[pharmacology]]\nmodel = "heparin.toml"', tmp_path)  # fmt: skip
    (tmp_path / "no.toml").write_text(ONE_COMPARTMENT.format(name="n", drug="anakinrra"), encoding="utf-8")  # fmt: skip
    assert "no drug is called 'anakinrra'" in refused('[[pharmacology]]\nmodel = "no.toml"', tmp_path)  # fmt: skip


def test_a_model_of_the_command_stands_beside_those_of_the_protocol() -> None:
    """`--model` adds a model; those of the protocol stay."""
    study = protocols.load("anakinra_mas")
    assert protocol_names.with_models(study, ()) is study
    assert protocol_names.with_models(study, ["anakinra"]).pharmacology == (Pharmacology("anakinra"),)  # fmt: skip
    with pytest.raises(DefinitionError, match="--model"):
        protocol_names.with_models(study, ["anakinar"])


def test_bands_are_those_of_virtual_patients_with_the_same_doses_and_kidney() -> None:
    """Of a plateau the spread is that of clearance alone: exp(1.645 × 0.25) on either side."""
    drawn = creatinine((-1, 1.0), (40, 1.0), (80, 1.0))
    at = over_time(*treated(*drawn))[47.0]
    low, high = at["typical"] / at["p05"], at["p95"] / at["typical"]
    assert np.array([low, high]) == pytest.approx(math.exp(1.645 * 0.25), rel=0.08)
    assert at["p05"] < at["p25"] < at["p50"] < at["p75"] < at["p95"]
