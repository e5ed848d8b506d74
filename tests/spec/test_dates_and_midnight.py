"""An infusion that ends at midnight ends there, however its times are written."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from becalm import vocabulary
from becalm.doses import EpisodeRules, daily_dose, treatments
from becalm.patients.understood import Patients
from becalm.protocol import load
from becalm.records.sheets import open_sheets
from tests.records.chart_review import write, write_book

V = vocabulary.load()
RULES = EpisodeRules.of(load("anakinra_mas"))
CASES = Path(__file__).parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
HEADER = "person_id,drug,route,start,end,rate,rate_unit"

Courses = list[tuple[str, str, float, float]]
"""Mode, start and end, mg in all, and the peak in mg/day of each episode."""


def episodes(path: Path) -> Courses:
    """Return the episodes of anakinra, and check that the days add up to them."""
    (records,) = open_sheets(path).chunks()
    doses = Patients.of(records, V).doses
    frame = treatments(doses, ["anakinra"], RULES).episodes
    assert daily_dose(doses, ["anakinra"])["mg"].sum() == pytest.approx(
        frame["cumulative_mg"].sum()
    )
    return [
        (f"{row['person_id']} {row['mode']}", f"{row['start']}-{row['end']}", row["cumulative_mg"], row["peak_mg_day"])
        for row in frame.rows()
    ]  # fmt: skip


@needs_cases
@pytest.mark.parametrize("path", ["workbooks/midnight_hhmm.xlsx", "times-midnight-csv"])
def test_the_case_of_an_infusion_until_midnight(path: str) -> None:
    """10, 20 and 5 mg/h for twelve hours each are 420 mg with a peak of 480 mg/day, in a workbook and in CSV."""
    (first, second) = episodes(CASES / path)
    assert (first[0], *first[2:]) == ("P1 continuous IV", 420, 480)
    assert (second[0], *second[2:]) == ("P2 continuous IV", 120, 240)


@needs_cases
def test_the_case_of_the_filled_template() -> None:
    """An infusion of 25 mg/h from 14:00 to 00:00 gives 250 mg, so the course has 4,750 mg."""
    assert episodes(CASES / "workbooks" / "template_midnight.xlsx")[0][2] == 4750


@needs_cases
@pytest.mark.parametrize("name", ["dates-stay-9999", "dates-dose-9999"])
def test_the_cases_of_open_ends_have_the_doses_of_their_days(name: str) -> None:
    """A stay or a dose that ends in 9999 makes no course of eight thousand years: 5,100 mg in five days."""
    assert episodes(CASES / name)[0][2] == 5100


@needs_cases
def test_the_case_of_a_death_by_its_date() -> None:
    """What ran on the day of a death that is known by its date counts: 16 and 88 hours of 100 mg/h."""
    assert [course[2] for course in episodes(CASES / "times-death-date")] == [1600, 8800]


@pytest.mark.parametrize("death", ["2020-03-09", "2020-03-09T00:00", "2020-03-09 00:00:00"])
def test_a_death_written_as_midnight_deletes_no_dose_of_its_day(tmp_path: Path, death: str) -> None:
    """A death at 00:00 is a date, and the infusion of that day counts until its end."""
    persons = f"person_id,death_time\nP1,{death}\n"
    doses = f"{HEADER}\nP1,anakinra,IV,2020-03-09T02:00,2020-03-09T18:00,100,mg/h\n"
    assert episodes(write(tmp_path, persons=persons, doses=doses))[0][2] == 1600


LENGTHS = st.lists(
    st.tuples(st.integers(6, 40), st.sampled_from([5.0, 12.5, 40.0])), min_size=2, max_size=5
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 23), LENGTHS)
def test_one_true_course_is_one_course_in_every_form(
    tmp_path: Path, hour: int, bags: list[tuple[int, float]]
) -> None:
    """CSV, text cells, date cells that show a clock, and times with an offset give the same doses and episodes."""
    moment = datetime(2020, 3, 4, hour, 30)
    rows: list[tuple[datetime, datetime, float]] = []
    for hours, rate in bags:
        end = moment + timedelta(hours=hours)
        if len(rows) % 2:
            end = end.replace(minute=0, hour=0) + timedelta(
                days=1
            )  # every other bag ends at midnight
        rows.append((moment, end, rate))
        moment = end
    last = moment + timedelta(hours=9, minutes=30)
    rows.append((moment, last, 25.0))

    def text(time: datetime, offset: str = "") -> str:
        return f"{time:%Y-%m-%dT%H:%M}{offset}"

    def in_csv(offset: str) -> Path:
        lines = [f"P1,anakinra,IV,{text(a, offset)},{text(b, offset)},{r},mg/h" for a, b, r in rows]
        return write(tmp_path, doses="\n".join([HEADER, *lines, ""]))

    def in_book(name: str, *, typed: bool) -> Path:
        cells: list[list[object]] = [list(HEADER.split(","))]
        cells += [
            ["P1", "anakinra", "IV", a if typed else text(a), b if typed else text(b), r, "mg/h"]
            for a, b, r in rows
        ]
        return write_book(tmp_path / name, persons=[["person_id"], ["P1"]], doses=cells)

    true = sum((b - a) / timedelta(hours=1) * rate for a, b, rate in rows)
    expected = episodes(in_csv(""))
    assert sum(course[2] for course in expected) == pytest.approx(true)
    assert episodes(in_csv("+01:00")) == expected
    assert episodes(in_csv("Z")) == expected
    assert episodes(in_book("dates.xlsx", typed=True)) == expected
    assert episodes(in_book("texts.xlsx", typed=False)) == expected
