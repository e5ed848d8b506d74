"""The section on definitions: whole stays, durations, and patients unlike those they were made for."""

from __future__ import annotations

import re
from dataclasses import replace

from becalm.report.cells import in_population, total
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.sections import criteria
from tests.report import charts
from tests.report.conftest import Study, seen


def shown(cohort: Cohort, definition: str, column: str) -> list[str]:
    """A column of the table of totals, of one definition."""
    table = criteria.totals(cohort, Drill(cohort))
    at = [seen(str(cell)) for cell in table.head].index(column)
    named = cohort.definition_label(definition)
    return [seen(str(row[at])) for row in table.rows if row[1] == named]


def test_a_whole_stay_stands_beside_our_peak_and_opens_its_rows(cohort: Cohort) -> None:
    """The total of the whole stay is never below our peak in that stay, and opens the rows of its items."""
    whole = shown(cohort, "hscore", "whole stay, as papers print")
    assert len(whole) == 5
    assert all(re.fullmatch(r"[\d–]+, (met|not met|undetermined)", text) for text in whole)
    assert shown(cohort, "mas2016", "whole stay, as papers print") == ["–"] * 5
    table = criteria.totals(cohort, Drill(cohort))
    at = table.head.index("whole stay, as papers print")
    assert all("popovertarget" in str(row[at]) for row in table.rows if row[1] == "HScore")


def test_a_study_of_definitions_without_whole_stays_has_no_such_column(cohort: Cohort) -> None:
    frames = dict(cohort.result.frames)
    kept = frames["criteria"]["moment"] != "whole_stay"
    without = replace(cohort.result, frames=frames | {"criteria": frames["criteria"].take(kept)})
    table = criteria.totals(Cohort(without), Drill(Cohort(without)))
    assert "whole stay, as papers print" not in table.head


def test_a_set_made_for_stills_disease_says_whom_it_was_not_made_for(study: Study) -> None:
    """Somebody with lupus is outside the population of the 2016 criteria; somebody without any disease on record, as far as recorded."""
    lupus, nobody_knows = (
        replace(charts.PERSONS[0], id=name, background=disease, conditions=())
        for name, disease in (("LUPUS", "SLE"), ("BLANK", ""))
    )
    cohort = Cohort(study([lupus, nobody_knows]))
    said = {
        row["person_id"]: (in_population(cohort, row), seen(str(total(Drill(cohort), row))))
        for row in cohort.criteria
        if row["criterion"] == "mas2016"
    }
    assert said["LUPUS"][0] == "no"
    assert said["LUPUS"][1].endswith("outside its population")
    assert said["BLANK"][0] == "no, as far as recorded"
    assert said["BLANK"][1].endswith("outside its population as far as recorded")
    others = [row for row in cohort.criteria if row["criterion"] == "hscore"]
    assert not any("outside" in str(total(Drill(cohort), row)) for row in others)


def test_no_report_prints_a_sign_twice_or_a_duration_of_a_moment(
    five: str, many: str, demo: str
) -> None:
    """One sign for each percentage, and no hours with more than eight decimals."""
    for page in map(seen, (five, many, demo)):
        assert not re.search(r"%\s*%", page)
        assert not re.search(r"\b0\.0000000\d* h\b", page)
