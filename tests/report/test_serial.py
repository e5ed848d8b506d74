"""Fever as hours, what rose and fell, and ferritin beside who died, as the report shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from becalm.core import stats
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.sections import prognosis, serial
from tests.report.charts import ONE, Person
from tests.report.conftest import Study, seen


def outcomes(
    study: Study, dead: int, alive: int, baseline: str = "9000", day3: str = "8500"
) -> Cohort:
    """Return patients with fever and ferritin, of whom those with the higher ferritin died.

    The dead have a ferritin of 9,000, three days later 8,500: it fell by 6 %. Of the survivors each
    has another, from 3,000 on, and 1,500 later. baseline, day3 : of the first, and of the second, dead.
    """
    persons = []
    for i in range(dead + alive):
        before, after = ("9000", "8500") if i < dead else (f"{3000 + i}", "1500")
        if i < min(dead, 2) and baseline != "9000":
            before, after = baseline, day3
        persons.append(
            Person(
                f"P{i:02d}", "2020-02-01T08:00",
                stays=((-10, 300, "ward", "home", "died" if i < dead else "home"),),
                labs={"ferritin": ((0, before), (72, after)), "temperature": ((0, "38.5"),)},
                death=300.0 if i < dead else None,
            )
        )  # fmt: skip
    return Cohort(study(persons, "hyperinflammation", ""))


def cells(table: Any) -> dict[str, list[str]]:
    return {
        seen(str(row[0])).strip(): [seen(str(c)).strip() for c in row[1:]] for row in table.rows
    }


@pytest.mark.parametrize(("n", "given"), [(29, False), (30, True)])
def test_below_thirty_patients_no_area_under_a_curve_is_given(
    study: Study, n: int, given: bool
) -> None:
    cohort = outcomes(study, 8, n - 8)
    table = prognosis.by_outcome(cohort, Drill(cohort))
    assert any("area under the curve" in head for head in table.head) == given


def test_an_area_tells_death_by_a_higher_value_and_a_smaller_fall(study: Study) -> None:
    cohort = outcomes(study, 8, 28)
    found = cells(prognosis.by_outcome(cohort, Drill(cohort)))
    low, _ = stats.auc_interval(1.0, 8, 28)
    assert found["Baseline"][-1] == f"1.00 ({low:.2f}–1.00)"
    assert found["Fall until day 3, % (minus: rise)"][-1] == f"1.00 ({low:.2f}–1.00)"
    assert found["Fell by less than 15 %"][:2] == ["8 of 8", "0 of 28"]


def test_a_limit_of_the_laboratory_makes_the_area_a_range(study: Study) -> None:
    """Two of the eight had more than 2,000, perhaps less than all 28: 6 of 8, up to all, rank above."""
    cohort = outcomes(study, 8, 28, baseline=">2000")
    found = cells(prognosis.by_outcome(cohort, Drill(cohort)))
    assert found["Baseline"][-1].startswith("0.75–1.00 (")
    assert "≥" in found["Baseline"][0]


def test_medians_of_limits_are_limits(study: Study) -> None:
    """From more than 40,000 to 16,000 is a fall by 60 % or more."""
    cohort = outcomes(study, 2, 3, baseline=">40000", day3="16000")
    found = cells(prognosis.by_outcome(cohort, Drill(cohort)))
    assert found["Baseline"][0] == "≥40,000 (≥40,000 to ≥40,000)"
    assert found["Fall until day 3, % (minus: rise)"][0] == "60…100 (60…100 to 60…100)"


def test_hours_of_fever_are_counted_and_hours_without_a_thermometer_are_neither(
    cohort: Cohort,
) -> None:
    """ILL-1 had 39.6 at -4 h and 36.8 at 168 h; a temperature stands for a day. The first: 4 h of
    day 0 and 20 h of day 1. On day 2 nothing is known; on day 8 all 24 h are without fever.
    """
    drill = Drill(cohort)
    rows = [row for row in serial.fever(cohort, drill).rows if row[0] == "ILL-1"]
    days = {seen(str(row[1])): [seen(str(cell)) for cell in row[2:8]] for row in rows}
    assert days["0"] == ["4", "0", "20", "1", "20", "39.6"]
    assert days["1"] == ["20", "0", "4", "0", "24", "–"]
    assert days["2"] == ["0", "0", "24", "0", "24", "–"]
    assert days["8"] == ["0", "24", "0", "1", "24", "36.8"]
    assert "none recorded" in " ".join(map(str, drill.popovers))


def test_fever_of_the_cohort_is_of_those_in_whom_it_is_known(cohort: Cohort) -> None:
    """Fever of 39 and more at 4, 5, 2, 3 and 3 h before t0 leaves 20, 19, 22, 21 and 21 h of day 1."""
    rows = serial.fever_by_day(cohort, Drill(cohort)).rows
    days = {seen(str(row[0])): [seen(str(cell)) for cell in row[1:]] for row in rows}
    assert days["1"] == ["5", "5", "21 (19–22)", "3 (2–5)", "0 (0–0)"]
    assert days["2"] == ["5", "0", "–", "24 (24–24)", "0 (0–0)"]
    assert days["8"] == ["5", "1", "0", "24 (0–24)", "0 (0–1)"]


@pytest.mark.parametrize(
    ("earlier", "counted", "shown"),
    [("11000", "1 of 1", "1.29 met"), ("20000", "0 of 1", "0.71"), ("", "0 of 0", "not assessed")],
)
def test_a_change_shows_its_multiple_and_whether_it_went_as_in_a_storm(
    study: Study, earlier: str, counted: str, shown: str
) -> None:
    """14,200 ng/mL at the peak, and 26 h before it 11,000, or 20,000, or nothing known."""
    before = ((-30, earlier),) if earlier else ()
    one = replace(ONE, labs={**ONE.labs, "ferritin": (*before, (-4, "14200"), (47, "7400"))})
    cohort = Cohort(study([one]))
    found = cells(serial.serial_changes_table(cohort, Drill(cohort)))["Ferritin over 24 h"]
    assert found == ["rises", found[1], shown]
    assert found[1].startswith(counted)


def test_changes_of_a_cohort_are_counted_of_those_assessed(cohort: Cohort) -> None:
    """A day before: 11,000, 9,200, 48,000 and 32,000 (then more than 40,000); of ILL-5 nothing."""
    found = cells(serial.serial_changes_table(cohort, Drill(cohort)))["Ferritin over 24 h"]
    assert found[1].startswith("4 of 4")
    assert found[2:] == ["1.29 met", "1.96 met", "1.29 met", "≥1.25 met", "not assessed"]


def test_a_short_day_without_a_temperature_is_not_known_to_be_free_of_fever(study: Study) -> None:
    """A day that death cut to 14 h 30 min 37 s is unknown throughout, however its hours are rounded."""
    hours = 14 + 30 / 60 + 37 / 3600
    labs = {name: values[:1] for name, values in ONE.labs.items() if name != "temperature"}
    dead = replace(ONE, labs={**labs, "ferritin": ((-4, "14200"),)}, death=hours, contact=None,
                   stays=((-144, hours, "ward", "home", "died"),))  # fmt: skip
    cohort = Cohort(study([dead]))
    _, day = serial.fever_by_day(cohort, Drill(cohort)).rows
    assert [seen(str(cell)).strip() for cell in day][:4] == ["1", "1", "0", "–"]
