"""In how many of the patients a test was done on each day: a day without a value is no test."""

from __future__ import annotations

import re
from collections import defaultdict

from becalm.report.cohort import Cohort
from tests.report.conftest import seen


def test_a_patient_without_a_value_that_day_was_not_tested(five: str, cohort: Cohort) -> None:
    """Tested of those still followed: `3/5` where two of five have no value, never `5/5`."""
    tested: dict[int, list[bool]] = defaultdict(list)
    for row in cohort.keep(cohort.result.frames["missing"]).rows():
        if row["variable"] == "ferritin" and 0 <= row["day"] <= 14:
            tested[row["day"]].append(row["n"] > 0)
    expected = [f"{sum(each)}/{len(each)}" for _, each in sorted(tested.items())]
    assert any(sum(each) < len(each) for each in tested.values())
    rows = re.findall(r"Ferritin((?: \d+/\d+)+)", seen(five))
    assert any(row.split()[: len(expected)] == expected for row in rows), (expected, rows)
