"""Records of which something cannot be right, or is not there: each is a state that tables and report count and name.

One patient for each, and one of whom all is known. None of them stops a study, and none changes what is known of the others.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.left_open import table
from becalm.study.result import StudyResult
from tests.records import culture, infusion, lab, patient, sheets, stay
from tests.report import charts
from tests.report.conftest import render, seen

STORM = tuple(
    lab(name, value, -4)
    for name, value in {
        "ferritin": 20_000, "platelets": 20, "haemoglobin": 7, "wbc": 1.0, "neutrophils": 0.4, "triglycerides": 5,
        "fibrinogen": 1.0, "ast": 400, "temperature": 39.8,
    }.items()
)  # fmt: skip
DRUG = (*STORM, infusion(0, 40), stay(-10, 100))
KIDNEY = (lab("creatinine", 0.8, -100), lab("creatinine", 0.9, 10), lab("creatinine", 0.9, 40))
WEIGHED = lab("weight", 80, -5)
SEEN = {"last_contact": 100, "last_contact_status": "alive"}
URINE = tuple(lab("urine output", 10, hour, "mL") for hour in range(1, 25))


@pytest.fixture(scope="module")
def treated(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """A series of the drug in which each patient has one such state."""
    rows = (
        *patient("KNOWN", *DRUG, *KIDNEY, *URINE, WEIGHED, culture("growth", 70, "E. coli"), **SEEN),
        *patient("CONTACT", *DRUG, *KIDNEY, last_contact=-50, last_contact_status="alive"),
        *patient("DEAD", *DRUG, *KIDNEY, lab("creatinine", 9.0, 62), lab("platelets", 1, 70), death=61.5),
        *patient("LIGHT", *DRUG, *KIDNEY, *URINE, **SEEN),
        *patient("DATE", *DRUG, *KIDNEY, culture("growth", "2020-01-03", "E. coli"),
                 culture("growth", None, "Klebsiella pneumoniae"), **SEEN),
        *patient("NOTHING", infusion(0, 40), stay(-10, 100), *STORM[1:], lab("ferritin", 20_000, -60),
                 lab("creatinine", 2.0, 10), sex="", **SEEN),
    )  # fmt: skip
    return charts.run_on(sheets(tmp_path_factory.mktemp("states"), *rows), "anakinra_mas")


def told(result: StudyResult) -> dict[str, str]:
    """What the report says of each state: how many, and of whom where it names them."""
    cohort = Cohort(result)
    return {str(row[0]): seen(str(row[2])) for row in table(cohort, Drill(cohort)).rows}


def row(result: StudyResult, name: str, who: str, **cells: Any) -> dict[str, Any]:
    [found] = [
        each
        for each in result.tables[name].rows()
        if each["person_id"] == who and all(each[key] == value for key, value in cells.items())
    ]
    return found


def test_all_enter(treated: StudyResult) -> None:
    assert Cohort(treated).n == 6


def test_follow_up_that_ends_before_time_zero(treated: StudyResult) -> None:
    """The contact cannot be the last, because there are later records; they end the follow-up, and it is said."""
    found = row(treated, "outcome", "CONTACT")
    assert (found["contact_before_zero"], found["follow_up_is"]) == (True, "last contact")
    assert found["follow_up_days"] == pytest.approx(40 / 24, abs=1e-5)
    assert row(treated, "outcome", "KNOWN")["contact_before_zero"] is False
    assert row(treated, "outcome", "DEAD")["contact_before_zero"] is None
    assert told(treated)["The recorded last contact is before first anakinra"] == "1 of 6"
    assert "the recorded contact is before time zero" in seen(render(treated))


def test_records_that_all_end_before_the_index(tmp_path: Path) -> None:
    """Results that were ready only after the patient had left: no days, and not less than none."""
    late = [
        lab(name, value, -4, available=100)
        for name, value in (("ferritin", 9000), ("platelets", 20))
    ]
    rows = (
        *patient("LATE", *late, stay(-10, 10), last_contact=10, last_contact_status="alive"),
        *patient("TIMELY", *STORM, stay(-10, 100), **SEEN),
    )
    result = charts.run_on(sheets(tmp_path, *rows), "hyperinflammation")
    found = row(result, "outcome", "LATE")
    assert (found["follow_up_is"], found["follow_up_days"]) == ("before time zero", 0)
    assert told(result)["All records end before the index hour"] == "1 of 2"
    assert "0 d (all records end before time zero)" in seen(render(result))
    assert not [each for each in result.tables["person_time"].rows() if each["person_id"] == "LATE"]


def test_death_before_the_last_value(treated: StudyResult) -> None:
    """Values from after it are refused, counted and listed, and make no injury and no low platelets."""
    refused = [
        each for each in treated.tables["rows_refused"].rows() if each["reason"] == "after death"
    ]
    assert {(each["variable"], each["rows"]) for each in refused} == {
        ("creatinine", 1),
        ("platelets", 1),
    }
    assert row(treated, "kidney", "DEAD")["stage_after"] == 0
    assert row(treated, "outcome", "DEAD")["follow_up_is"] == "death"
    assert told(treated)["Rows from after the death"] == "2 rows"
    assert len(re.findall("after death", seen(render(treated)))) >= 2


def test_urine_without_a_weight(treated: StudyResult) -> None:
    """The same volumes are a stage with a weight, and an open question without."""
    known, light = (row(treated, "kidney", who) for who in ("KNOWN", "LIGHT"))
    assert (known["urine_after"], known["urine_without_weight"]) == (3, 0)
    assert (light["urine_after"], light["urine_without_weight"]) == (-1, 24)
    assert told(treated)["Urine has no weight beside it"] == "1 of 6"
    assert "24 volumes without a weight" in seen(render(treated))


def test_a_culture_with_only_a_date_or_none(treated: StudyResult) -> None:
    """An infection, of which the hour decides whether it is new."""
    dated = row(treated, "infections", "DATE", organism="Escherichia coli")
    undated = row(treated, "infections", "DATE", organism="Klebsiella pneumoniae")
    assert [(each["onset_is"], each["counts"], each["new_onset"]) for each in (dated, undated)] == [
        ("date", True, None), ("unknown", True, None),
    ]  # fmt: skip
    time = [each for each in treated.tables["person_time"].rows() if each["person_id"] == "DATE"]
    assert {each["infected"] for each in time} == {-1}
    said = told(treated)
    assert said["A culture has a date and no hour"] == "1 of 6"
    assert said["A culture has no date"] == "1 of 6"


def test_a_baseline_that_does_not_exist(treated: StudyResult) -> None:
    """No ferritin in the two days before the drug; no creatinine before, and no sex to calculate one back."""
    found = row(treated, "response", "NOTHING", variable="ferritin", clock="t0")
    assert math.isnan(found["baseline"])
    assert found["status"] == "no sample"
    kidney = row(treated, "kidney", "NOTHING")
    assert kidney["baseline_way"] == "not known"
    assert row(treated, "kidney", "KNOWN")["baseline_way"] != "not known"
    assert math.isnan(kidney["baseline_mg_dl"])
    said = told(treated)
    assert said["Ferritin has no baseline before first anakinra"] == "1 of 6"
    assert said["No way of the protocol gives a baseline of creatinine"] == "1 of 6"
