"""Fever as hours, what rose and fell, and ferritin beside who died, as the report shows them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from becalm import tables
from becalm.core import stats
from becalm.core.frame import Frame
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.sections import prognosis, serial
from tests.report import fixture
from tests.report.conftest import seen

Row = dict[str, Any]


def study(n: int, **written: list[Row]) -> Cohort:
    result = fixture.many(n) if n > 5 else fixture.illustrative()
    frames = {name: Frame.of_rows(tables.WRITTEN[name], rows) for name, rows in written.items()}
    return Cohort(result.with_frames(frames))


def ferritin(cohort: Cohort, dead: int) -> list[Row]:
    """The first `dead` patients died, with ferritin high and hardly falling."""
    return [
        {"person_id": who, "marker": "ferritin", "died": i < dead, "unit": "ng/mL",
         "baseline": 9000.0 if i < dead else 3000.0 + i, "peak": 20000.0 + (i < dead),
         "day3": 8500.0 if i < dead else 1500.0, "fall_day3": 0.05 if i < dead else 0.5,
         "small_fall": i < dead, "status": "measured", "source_row": "labs:1"}
        for i, who in enumerate(cohort.ids)
    ]  # fmt: skip


def cells(table: Any) -> dict[str, list[str]]:
    return {
        seen(str(row[0])).strip(): [seen(str(c)).strip() for c in row[1:]] for row in table.rows
    }


def test_below_thirty_patients_no_area_under_a_curve_is_given() -> None:
    for n, given in ((29, False), (30, True)):
        plain = fixture.many(n)
        cohort = study(n, prognosis=ferritin(Cohort(plain), 8))
        table = prognosis.by_outcome(cohort, Drill(cohort))
        assert any("area under the curve" in head for head in table.head) == given


def test_an_area_tells_death_by_a_higher_value_and_a_smaller_fall() -> None:
    cohort = study(36, prognosis=ferritin(Cohort(fixture.many(36)), 8))
    found = cells(prognosis.by_outcome(cohort, Drill(cohort)))
    low, _ = stats.auc_interval(1.0, 8, 28)
    assert found["Baseline"][-1] == f"1.00 ({low:.2f}–1.00)"
    assert found["Fall until day 3, %"][-1] == f"1.00 ({low:.2f}–1.00)"
    assert found["Fell by less than 15 %"][:2] == ["8 of 8", "0 of 28"]


def test_a_limit_of_the_laboratory_makes_the_area_a_range() -> None:
    rows = ferritin(Cohort(fixture.many(36)), 8)
    rows[0] |= {"baseline": 2000.0, "censored": "baseline>"}
    cohort = study(36, prognosis=rows)
    found = cells(prognosis.by_outcome(cohort, Drill(cohort)))
    assert found["Baseline"][-1].startswith("0.88–1.00 (")
    assert "≥" in found["Baseline"][0]


def test_medians_of_limits_are_limits() -> None:
    rows = ferritin(Cohort(fixture.illustrative()), 2)
    for row in rows[:2]:
        row |= {"baseline": 40000.0, "censored": "baseline>|fall_day3>=", "fall_day3": 0.6}
    cohort = study(5, prognosis=rows)
    found = cells(prognosis.by_outcome(cohort, Drill(cohort)))
    assert found["Baseline"][0] == "≥40,000 (≥40,000 to ≥40,000)"
    assert found["Fall until day 3, %"][0] == "60…100 (60…100 to 60…100)"


def test_a_day_without_a_thermometer_shows_no_hour_as_afebrile() -> None:
    who = fixture.PERSONS[0].id
    blank = {"person_id": who, "day": 1, "hours_observed": 24.0, "hours_febrile": 0.0,
             "hours_afebrile": 0.0, "hours_unknown": 24.0, "measurements": 0, "longest_gap_h": 24.0,
             "highest": math.nan}  # fmt: skip
    cohort = study(5, fever=[blank])
    drill = Drill(cohort)
    [row] = serial.fever(cohort, drill).rows
    assert [seen(str(cell)) for cell in row[2:8]] == ["0", "0", "24", "0", "24", "–"]
    assert "none recorded" in " ".join(map(str, drill.popovers))
    [day] = serial.fever_by_day(cohort, drill).rows
    assert [seen(str(cell)) for cell in day] == ["1", "1", "0", "–", "24", "0"]


@pytest.mark.parametrize(
    ("state", "shown"), [("met", "5 met"), ("not met", "5"), ("not assessed", "not assessed")]
)
def test_a_change_shows_its_multiple_and_whether_it_went_as_in_a_storm(
    state: str, shown: str
) -> None:
    who = fixture.PERSONS[0].id
    row = {"person_id": who, "moment": "peak_to_index", "feature": "ferritin_24h",
           "state": state, "value": math.nan if state == "not assessed" else 5.0,
           "source_row": "labs:1"}  # fmt: skip
    cohort = study(5, serial_changes=[row])
    found = cells(serial.serial_changes_table(cohort, Drill(cohort)))["Ferritin over 24h"]
    assert found[0] == "rises"
    assert found[1].startswith(
        {"met": "1 of 1", "not met": "0 of 1", "not assessed": "0 of 0"}[state]
    )
    assert found[2] == shown


def test_a_short_day_without_a_temperature_is_not_known_to_be_free_of_fever() -> None:
    """A day that death cut to 14.51 h is unknown throughout, however its hours are rounded."""
    cohort = study(5, fever=[])
    hours = 14.510277777777778
    rows = [
        {"person_id": who, "day": 1, "hours_observed": hours, "hours_febrile": 0.0,
         "hours_afebrile": 0.0, "hours_unknown": round(hours, 9), "measurements": 0,
         "longest_gap_h": hours, "source_row": ""}
        for who in cohort.ids
    ]  # fmt: skip
    cohort = study(5, fever=rows)
    (day,) = serial.fever_by_day(cohort, Drill(cohort)).rows
    assert [seen(str(cell)).strip() for cell in day][1:4] == ["5", "0", "–"]
