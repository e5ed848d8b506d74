"""Two clocks: what could be known may count by reports; what the body did counts by the draws."""

from __future__ import annotations

from msgspec.structs import replace

from becalm import protocol
from becalm.measures.fever import fever
from tests.records import Row, entered, lab
from tests.spec.patients import patients

HI = "hyperinflammation"


def test_response_counts_when_blood_was_drawn_in_every_protocol() -> None:
    """Drawn at -10 h but reported at 2 h: the baseline, whatever the protocol's clock."""
    labs = """
        hour | available | ferritin
        -30  | -29       | 9000
        -10  | 2         | 12000
        40   | 47        | 6000
        """
    for name in (HI, "anakinra_mas"):
        row = patients(labs, protocol=name).response()
        assert (row["baseline"], row["ratio_48h"]) == (12000, 0.5)


def test_a_rise_within_48_hours_of_the_draws_is_injury_however_late_the_reports() -> None:
    """1.0 to 1.3 in 47.5 h, reported 48 h 05 min apart: stage 1; drawn a minute over 48 h apart: none."""
    for hours, stage in ((47.5, 1), (48, 1), (48 + 1 / 60, 0)):
        labs = (
            f"hour | available | creatinine\n1 | 1.5 | 1.0\n{1 + hours} | {1.5 + hours + 0.6} | 1.3"
        )
        found = patients(labs, protocol=HI, sex="F", age=90, end_of_records=200).safety("aki")
        assert found["grade_after"] == stage


def test_a_rise_over_more_than_48_hours_is_not_injury_though_the_reports_came_together() -> None:
    """Drawn 60 h apart and reported an hour apart: no rise within 48 h."""
    labs = "hour | available | creatinine\n1 | 60 | 0.7\n61 | 61 | 1.0"
    found = patients(labs, protocol=HI, sex="F", age=90, end_of_records=200).safety("aki")
    assert found["grade_after"] == 0


def test_grades_count_from_the_draw() -> None:
    """Platelets drawn before time zero and reported after it are a grade before."""
    labs = "hour | available | platelets\n-2 | 3 | 40"
    row = patients(labs, protocol=HI, end_of_records=200).safety("thrombocytopenia")
    assert (row["grade_before"], row["grade_after"]) == (3, -1)


def test_a_reading_of_fever_counts_from_when_it_was_taken() -> None:
    """Read at 0 h and released at 6 h: known from 0 h on."""
    given = patients("hour | available | temperature\n 0 | 6 | 38.5", protocol=HI)
    day = next(row for row in fever(given.cohort, given.events, {}).rows() if row["day"] == 1)
    released = patients("hour | temperature\n 0 | 38.5", protocol=HI)
    same = next(
        row for row in fever(released.cohort, released.events, {}).rows() if row["day"] == 1
    )
    assert day == same


def storm(late: float) -> list[Row]:
    """Return a storm drawn at hour 10, its ferritin reported so many hours later."""
    return [
        lab("ferritin", 9000, 10, available=10 + late),
        lab("temperature", 39.5, 10, available=10),
        lab("triglycerides", 5.0, 10, available=11),
        lab("fibrinogen", 2.0, 10, available=11),
        lab("ast", 50, 10, available=11),
        lab("platelets", 40, 10, available=11),
        lab("haemoglobin", 8.0, 10, available=11),
    ]


def test_a_storm_begins_when_its_blood_was_drawn() -> None:
    """The index waits for the report of the ferritin; the onset does not."""
    for late in (0.5, 3, 14.7):
        row = entered(HI, *storm(late))
        assert (row["index_time"], row["storm_onset"]) == (10 + late, 10)


def test_by_the_draws_index_and_onset_are_one() -> None:
    """A protocol on the drawn clock has its index at the draw too."""
    rules = replace(protocol.load(HI), clock="drawn")
    row = entered(rules, *storm(3))
    assert (row["index_time"], row["storm_onset"]) == (10, 10)


def test_without_a_storm_its_onset_is_the_draw_of_the_index() -> None:
    """A ferritin of 600 with fever, reported 5 h after the draw: no storm that can be told, and kidneys are compared with before the draw."""
    rows = [lab("ferritin", 600, 10, available=15), lab("temperature", 38.5, 10, available=10)]
    row = entered(HI, *rows)
    assert (row["index_time"], row["storm"], row["storm_onset"]) == (15, "undetermined", 10)
