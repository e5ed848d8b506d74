"""What the report prints of infections: the mark of what nobody checked, and what nobody knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.sections import infections
from becalm.study.result import StudyResult
from tests.records import culture, patient, sheets
from tests.report import charts
from tests.report.conftest import render, seen
from tests.report.test_bad_input_states import DRUG, SEEN

UNVERIFIED = "which organisms are commensals of skin"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """One with a commensal in two draws, one with it in one, one with a pathogen, one with a pending culture."""
    rows = (
        *patient("TWICE", *DRUG, culture("growth", 60, "S. epidermidis"), culture("growth", 70, "S. epidermidis"), **SEEN),
        *patient("ONCE", *DRUG, culture("growth", 60, "S. epidermidis"), **SEEN),
        *patient("COLI", *DRUG, culture("growth", 60, "E. coli"), **SEEN),
        *patient("PENDING", *DRUG, culture("no growth", 55), culture("pending", 60), **SEEN),
    )  # fmt: skip
    return charts.run_on(sheets(tmp_path_factory.mktemp("infections"), *rows))


def test_what_rests_on_the_list_of_commensals_is_marked(result: StudyResult) -> None:
    """Beside each result that rests on it, and in the list of what nobody checked; a pathogen has no mark."""
    page = render(result)
    assert UNVERIFIED in result.unverified
    assert UNVERIFIED in seen(page)
    cohort = Cohort(result)
    marks = {
        str(row[0]): 'class="un"' in str(row[5])
        for row in infections.each(cohort, Drill(cohort)).rows
    }
    assert marks == {"TWICE": True, "ONCE": True, "COLI": False, "PENDING": False}
    kinds = infections.organisms(cohort, Drill(cohort)).rows
    assert {row[1]: 'class="un"' in str(row[0]) for row in kinds} == {
        "Coagulase-negative staphylococci": True, "Escherichia coli": False,
    }  # fmt: skip


def test_without_a_commensal_there_is_no_mark(tmp_path: Path) -> None:
    rows = patient("COLI", *DRUG, culture("growth", 60, "E. coli"), **SEEN)
    result = charts.run_on(sheets(tmp_path, *rows))
    assert UNVERIFIED not in result.unverified


def test_a_pending_culture_is_unknown_in_the_report(result: StudyResult) -> None:
    """Two of three had a new infection, of the fourth nobody knows: in the count, in the list and in the rate."""
    cohort = Cohort(result)
    first = seen(str(infections.counts(cohort, Drill(cohort)).rows[0][1]))
    assert first.startswith("2/3 (67 %"), first
    assert first.endswith("unknown in 1")
    page = seen(render(result))
    assert "not known: its result is pending" in page
    assert "The time of 1 patient ends at a sample of which nobody can tell" in page
