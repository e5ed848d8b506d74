"""In how many of the patients a test was done on each day: a day without a value is no test."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.report import charts
from tests.report.conftest import Study, render, seen


def counts_of(page: str) -> list[list[str]]:
    """Return the counts of ferritin that the page prints, a list a row."""
    return [row.split() for row in re.findall(r"Ferritin((?: \d+/\d+)+)", seen(page))]


def test_a_patient_without_a_value_that_day_was_not_tested(five: str) -> None:
    """Day d has the hours from 24 (d - 1) up to 24 d.

    ILL-1: -4, 23, 47, 71; ILL-2: -5, 20, 46, 72; ILL-3: -2, 24, 47, 72; ILL-4: -3, 22, 46, 70;
    ILL-5: -3, 18, 46, 70. 72 h is on day 4, 24 h on day 2. The next value of each is on day 8.
    """
    assert ["5/5", "4/5", "5/5", "3/5", "2/5", "0/5", "0/5", "0/5"] in counts_of(five)


def test_whoever_has_died_is_no_longer_counted(study: Study) -> None:
    """ILL-5 dies at 60 h, on day 3, with ferritin at 46 h the last value: day 4 is of four."""
    labs = {
        name: tuple((hour, value) for hour, value in values if hour < 60)
        for name, values in charts.FIVE.labs.items()
    }
    stays = ((-144, 60, "ward", "home", "died"),)
    dead = replace(charts.FIVE, death=60.0, stays=stays, labs=labs, procedures=(), others=())
    page = render(study([*charts.PERSONS[:4], dead]))
    assert ["5/5", "4/5", "5/5", "2/5", "2/4", "0/4", "0/4", "0/4"] in counts_of(page)
