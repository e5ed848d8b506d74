"""A diagnosis of which only the month or the year is known."""

from typing import Any

import numpy as np
import pytest

from becalm.core.clock import UNKNOWN_TIME, parse
from becalm.persons import diagnoses
from tests.records import V, condition, infusion, lab, records, stay
from tests.records.cohorts import entered, left, study
from tests.records.rows import Row

INDEX = parse("2021-06-15T12:00")[0]


def diagnosed(name: str, first: str, last: str, **more: Any) -> Row:
    """Return a diagnosis of a month or a year: no onset, and the two days between which it lies."""
    span = {"onset_from": first, "onset_until": f"{last}T23:59:59"}
    return condition(name, None, **span, **more)


def excluded(*rows: Row) -> tuple[bool, bool]:
    """Return whether malignancy excludes at the index, for certain and possibly."""
    found = diagnoses.diagnoses(records(lab("ferritin", 1, 0), *rows), V)
    index = np.array([INDEX])
    both = [
        diagnoses.excluded_by(found, "malignancy", index, certainly=each) for each in (True, False)
    ]
    return bool(both[0][0]), bool(both[1][0])


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2020-01-01", "2020-12-31", (True, True)),
        ("2021-01-01", "2021-12-31", (False, True)),
        ("2021-06-01", "2021-06-30", (True, True)),
        ("2021-09-01", "2021-09-30", (False, True)),
        ("2021-10-01", "2021-10-31", (False, False)),
        ("2016-01-01", "2016-12-31", (False, True)),
        ("2016-06-01", "2016-06-30", (False, True)),
        ("2016-07-01", "2016-07-31", (True, True)),
        ("2016-05-01", "2016-05-31", (False, False)),
        ("2015-01-01", "2015-12-31", (False, False)),
    ],
)
def test_cancer_of_a_month_or_year_excludes_where_all_of_it_does(
    first: str, last: str, expected: tuple[bool, bool]
) -> None:
    """Cancer excludes from five years before entry to 90 days after it. Lymphoma "in 2020" excludes somebody who entered in June 2021; "in 2021" or "in 2016" leaves it open, so that the person stays and is counted; "in 2015" does not."""
    assert excluded(diagnosed("lymphoma", first, last)) == expected


def test_a_stay_narrows_the_year() -> None:
    """Coded for a stay in March 2021 and dated "2021", it was in March 2021; a stay of another year says nothing of it."""
    march = stay("2021-03-07", "2021-03-17", "S")
    year = diagnosed("lymphoma", "2021-01-01", "2021-12-31", stay_id="S")
    assert excluded(march, year) == (True, True)
    other = diagnosed("lymphoma", "2015-01-01", "2015-12-31", stay_id="S")
    assert excluded(march, other) == (False, False)


def test_the_clinicians_diagnosis_of_a_month_has_no_day() -> None:
    """Macrophage activation syndrome "in June 2021" is this storm's diagnosis; its day, and whether it came after entry, is not known."""
    june = diagnosed("macrophage activation syndrome", "2021-06-01", "2021-06-30")
    found = diagnoses.diagnoses(records(lab("ferritin", 1, 0), june), V)
    index = np.array([INDEX])
    assert diagnoses.diagnosed_storm(found, ["mas"], index).tolist() == [True]
    time, rows = diagnoses.first_diagnosed(found, ["mas"], index)
    assert time.tolist() == [UNKNOWN_TIME]
    assert len(rows[0]) == 1


STORM = (
    stay(0, 500), lab("ferritin", 20000, 90), lab("platelets", 20, 90), lab("temperature", 40, 90),
    lab("triglycerides", 5, 90), lab("fibrinogen", 1, 90), lab("ast", 400, 90), lab("haemoglobin", 7, 90),
    infusion(100, 200), condition("HLH", 95),
)  # fmt: skip


def test_somebody_whose_cancer_may_be_too_late_stays_and_the_exclusion_is_open() -> None:
    """The person enters in January 2020. Lymphoma "in 2020" may have been found more than 90 days later: the person stays, with what leaves the exclusion open; lymphoma "in 2019" excludes."""
    later = diagnosed("lymphoma", "2020-01-01", "2020-12-31")
    row = entered("anakinra_mas", *STORM, later)
    assert row["exclusion_open"] == "date of a diagnosis: malignancy"
    _, selection = study("anakinra_mas", *STORM, later)
    steps = {
        step.reason: step.undetermined for step in selection.steps if step.undetermined is not None
    }
    assert [
        bool(mask[0]) for reason, mask in steps.items() if reason == "excluded: malignancy"
    ] == [True]
    assert left("anakinra_mas", *STORM, diagnosed("lymphoma", "2019-01-01", "2019-12-31")) == [
        "excluded: malignancy"
    ]
