"""Errors in circulation that concern scores and their units: what becalm must not do.

Those of HScore's points, bands and probabilities stand in its own chapter, those of COV-HI, of the
grades of cytokine release and of CRP and fibrinogen in theirs.
"""

import pytest

from becalm import vocabulary
from becalm.errors import DefinitionError
from becalm.records import MeasurementKind
from becalm.scores import attainable, load, parse
from tests.spec.scoring import points


@pytest.mark.parametrize(
    ("mg_dl", "expected"), [(132.9, 44), (149, 44), (354.3, 44), (355, 64), (399, 64)]
)
def test_not_the_reprints_error_of_150_and_400_mg_per_dl(mg_dl: float, expected: float) -> None:
    """A reprint of HScore multiplies mmol/L by 100: its bands begin at 150 and 400 mg/dL instead of 132.9 and 354.3."""
    assert points("hscore", triglycerides=mg_dl / 88.57)["triglycerides"] == (expected, expected)


def test_not_the_web_tools_error_of_82_and_88_percent() -> None:
    """A web tool gives 169 a sensitivity of 82 and a specificity of 88 %; derived were 93 and 86 %."""
    hscore = load("hscore")
    assert hscore.cut_off == 169
    assert "sensitivity 93 %, specificity 86 %" in hscore.cut_off_source


def test_not_the_abstracts_error_of_a_score_of_363() -> None:
    """An abstract reports HScores up to 363; no combination makes more than 337, nor one of 1 to 17."""
    assert not attainable(load("hscore"), 363)
    assert attainable(load("hscore"), 337)
    assert not any(attainable(load("hscore"), total) for total in range(1, 18))


@pytest.mark.parametrize(
    ("reported", "fixed", "open_points"),
    [
        (233, {"hepatomegaly": True, "splenomegaly": False, "ferritin": 77455, "triglycerides": 252 / 88.57, "fibrinogen": 1.2, "ast": 40}, {67}),
        (146, {"temperature": 39.0, "ferritin": 8109, "ast": 1896, "triglycerides": 2.0}, {0, 24, 34}),
    ],
)  # fmt: skip
def test_a_reported_hscore_is_held_against_what_the_report_prints(
    reported: float, fixed: dict[str, float], open_points: set[float]
) -> None:
    """233 with liver, ferritin 77,455, triglycerides 252 mg/dL and low fibrinogen leaves 67 to the rest, within reach; 146 with high fever, ferritin 8,109 and AST 1,896 is reached when triglycerides count 44."""
    low, high = points("hscore", **fixed)["total"]
    assert low <= reported <= high
    assert reported - low in open_points


def test_a_reported_hscore_that_its_own_data_cannot_make() -> None:
    """218 is printed for a patient with HIV, leucocytes 1.6, platelets 46, 38.4 °C, ferritin 12,932, triglycerides 243 and fibrinogen 581 mg/dL and an unrevealing marrow: whatever the rest, 1 to 3 lineages, liver, spleen and AST, it does not come out."""
    found = {
        sum(low for name, (low, _) in points(
            "hscore", immunosuppression=True, wbc=1.6, platelets=46, temperature=38.4, ferritin=12932,
            triglycerides=243 / 88.57, fibrinogen=5.81, haemophagocytosis=False, haemoglobin=hb,
            hepatomegaly=liver, splenomegaly=spleen, ast=ast,
        ).items() if name != "total")
        for hb in (8, 12) for liver in (False, True) for spleen in (False, True) for ast in (20, 90)
    }  # fmt: skip
    assert 218 not in found
    assert attainable(load("hscore"), 218)


def test_not_the_confusion_that_hscore_counts_the_soluble_receptor() -> None:
    """An article speaks of six of eight HScore criteria and counts sCD25: HScore has nine items and none of them is sCD25."""
    assert len(load("hscore").items) == 9
    assert "sil2r" not in load("hscore").variables
    assert "sil2r" in load("hlh2004").variables


@pytest.mark.parametrize("unit", ["pg/mL", "ng/L", "ng/mL"])
def test_not_the_case_reports_error_of_a_receptor_in_pg_per_ml(unit: str) -> None:
    """1192.5 pg/mL was counted as meeting a criterion of 2,400 U/mL. No record in pg/mL is read as U/mL, and no definition may ask for pg/mL."""
    found = vocabulary.load().resolve(MeasurementKind("labs", "name", "", "sCD25", unit, ""))
    assert "only by the assay's own factor" in found.reason
    written = f"""
        name = "mine"
        title = "Mine"
        cite = "10.1000/none"
        population = "adults"
        cut_off = 1
        cut_off_source = "made up"
        [[item]]
        variable = "sil2r"
        unit = "{unit}"
        take = "max"
        within = "7d"
        at_least = 1192
    """
    with pytest.raises(DefinitionError, match="only by the assay's own factor"):
        parse(written, "mine.toml")


def test_not_the_manuals_error_of_the_units_of_hlh_2004() -> None:
    """A trusted manual prints neutrophils below 100/µL, triglycerides above 177 mg/dL and a ferritin of 1123.5 ng/mL: the first is a tenth, the second the value of HLH-94, the third pmol/L."""
    assert points("hlh2004", neutrophils=0.9, platelets=99)["cytopenias"] == (1, 1)
    assert points("hlh2004", triglycerides=178 / 88.57, fibrinogen=3)["lipids_or_fibrinogen"] == (
        0,
        0,
    )
    assert points("hlh2004", ferritin=500)["ferritin"] == (1, 1)
    assert points("mas2016", fibrinogen=3.61)["fibrinogen"] == (
        0,
        0,
    )  # printed as 10.58 g/L: µmol/L


def test_a_censored_ferritin_of_15000_counts_wherever_its_limit_is_enough() -> None:
    """`>15000` is enough for HScore, HLH-2004, MALS and OHI, and leaves a linear score open above."""
    assert points("hscore", ferritin=">15000")["ferritin"] == (50, 50)
    assert points("hlh2004", ferritin=">15000")["ferritin"] == (1, 1)
    assert points("mals_ferritin", ferritin=">15000")["total"] == (1, 1)
    low, high = points("ms_score", ferritin=">15000")["ferritin"]
    assert (low, high) == (1.5, 100.0)


def test_feu_and_ddu_are_never_mixed() -> None:
    """A D-dimer that does not say which, or says DDU, is read by no definition."""
    for unit in ("ng/mL", "ng/mL DDU", "mg/L"):
        found = vocabulary.load().resolve(MeasurementKind("labs", "name", "", "D-dimer", unit, ""))
        assert found.reason
