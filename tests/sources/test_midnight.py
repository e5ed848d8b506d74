"""00:00 in a cell: a midnight, or a date whose time of day is not known."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from becalm.core.clock import DAY, UNKNOWN_TIME, iso, to_us
from becalm.records.possible import no_date
from becalm.records.sheets import SheetsSource
from becalm.records.sheets.number_formats import shows_day_only
from tests.records.chart_review import source, write

CASES = Path(__file__).parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
CLOCK, NO_CLOCK = "yyyy-mm-dd hh:mm", "yyyy-mm-dd"
HEADER = ["person_id", "drug", "start", "end", "rate", "rate_unit"]

Cell = tuple[datetime, bool]
"""A true time, and whether only its date is known."""


def doses(opened: SheetsSource) -> list[tuple[str, str]]:
    """Return start and end of each dose, in the order of the rows."""
    (records,) = opened.chunks()
    rows = sorted(records.administrations.rows(), key=lambda row: row["key"])
    return [(iso(row["start"]), iso(row["end"])) for row in rows]


def in_book(path: Path, cells: list[list[tuple[object, str]]]) -> Path:
    """Write a workbook of doses, each time as a cell with its number format."""
    from openpyxl import Workbook

    book = Workbook()
    book.worksheets[0].title = "persons"
    book.worksheets[0].append(["person_id"])
    book.worksheets[0].append(["P1"])
    tab = book.create_sheet("doses")
    tab.append(HEADER)
    for number, row in enumerate(cells, start=2):
        for column, text in ((1, "P1"), (2, "anakinra"), (6, "mg/h")):
            tab.cell(number, column, text)
        tab.cell(number, 5, 10)
        for column, (content, number_format) in zip((3, 4), row, strict=True):
            tab.cell(number, column, content).number_format = number_format
    book.save(path)
    return path


def in_csv(folder: Path, rows: list[tuple[str, str]]) -> Path:
    """Write a folder with doses."""
    lines = [f"P1,anakinra,{start},{end},10,mg/h" for start, end in rows]
    return write(folder, doses="\n".join([",".join(HEADER), *lines, ""]))


@needs_cases
def test_an_infusion_that_ends_at_midnight_ends_there_in_both_forms() -> None:
    """The workbook whose cells all show a clock has the times of its CSV: other cells carry a clock."""
    book = doses(source(CASES / "workbooks" / "midnight_hhmm.xlsx"))
    assert book == doses(source(CASES / "times-midnight-csv"))
    assert book[0] == ("2020-03-04T12:00:00", "2020-03-05T00:00:00")


@needs_cases
def test_the_filled_template_with_an_end_at_midnight() -> None:
    """Its column shows a clock: 25 mg/h from 14:00 to 00:00."""
    times = doses(source(CASES / "workbooks" / "template_midnight.xlsx"))
    assert times[5] == ("2021-02-12T14:00:00", "2021-02-13T00:00:00")


@pytest.mark.parametrize(
    "code",
    ["yyyy-mm-dd", "dd.mm.yyyy", "m/d/yy", "mmm-yy", "[$-407]d. mmmm yyyy;@", 'yyyy"年"m"月"d"日"',
     'd" h"', r"yyyy\-mm\-dd", "[Red]dd/mm/yyyy", "dddd"],
)  # fmt: skip
def test_formats_of_dates(code: str) -> None:
    """Letters in quotation marks, behind a backslash or in brackets are no clock."""
    assert shows_day_only(code)


@pytest.mark.parametrize(
    "code",
    ["yyyy-mm-dd hh:mm", "m/d/yy h:mm AM/PM", "hh:mm:ss", "[h]:mm", "dd.mm.yyyy hh", "mm:ss.0",
     "General", "0.00", "0%", "@", "d.m. [mm]", "yyyy-mm-ddThh:mm"],
)  # fmt: skip
def test_formats_of_clocks_and_numbers(code: str) -> None:
    """A format with hours, minutes in brackets or seconds shows a clock; one without a date is no date."""
    assert not shows_day_only(code)


@pytest.mark.parametrize("beside", [datetime(2020, 3, 4, 12), datetime(2020, 3, 4)])
def test_a_cell_whose_format_shows_no_clock_is_a_date_whatever_stands_beside_it(
    tmp_path: Path, beside: datetime
) -> None:
    """Its end is the end of the day, also where the other cells carry a clock."""
    start = (datetime(2020, 3, 1, 8), CLOCK)
    book = in_book(
        tmp_path / "a.xlsx",
        [[start, (date(2020, 3, 3), NO_CLOCK)], [start, (beside, CLOCK)]],
    )
    assert doses(source(book))[0][1] == "2020-03-04T00:00:00"


def test_a_time_of_day_that_a_cell_does_not_show_is_used_and_said(tmp_path: Path) -> None:
    """The cell shows 2020-03-03 and holds 09:30: somebody typed it."""
    start: tuple[object, str] = (datetime(2020, 3, 1, 8), CLOCK)
    rows: list[list[tuple[object, str]]] = [
        [start, (datetime(2020, 3, 3, 9, 30), NO_CLOCK)],
        [start, (datetime(2020, 3, 4), NO_CLOCK)],
    ]
    opened = source(in_book(tmp_path / "a.xlsx", rows))
    assert [end for _, end in doses(opened)] == ["2020-03-03T09:30:00", "2020-03-05T00:00:00"]
    (notice,) = opened.notices
    assert "column end: 1 cells show a date and hold a time of day" in notice


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_column_of_midnights_only_holds_dates_and_it_is_said(tmp_path: Path, form: str) -> None:
    """The end is the end of the day, the row is marked as a date, and a notice tells both readings."""
    starts, ends = [datetime(2020, 3, 1, 8)] * 2, [datetime(2020, 3, 3), datetime(2020, 3, 4)]
    if form == "csv":
        path = in_csv(tmp_path, [(f"{a:%Y-%m-%dT%H:%M}", f"{b:%Y-%m-%d %H:%M:%S}") for a, b in zip(starts, ends, strict=True)])  # fmt: skip
    else:
        path = in_book(tmp_path / "a.xlsx", [[(a, CLOCK), (b, CLOCK)] for a, b in zip(starts, ends, strict=True)])  # fmt: skip
    opened = source(path)
    assert [end for _, end in doses(opened)] == ["2020-03-04T00:00:00", "2020-03-05T00:00:00"]
    (records,) = opened.chunks()
    assert records.administrations["date_only"].all()
    (notice,) = opened.notices
    assert notice == (
        f"{'doses.csv' if form == 'csv' else 'a.xlsx, sheet doses'}, column end: all 2 times are 00:00, so they "
        "are read as dates without a time of day. If midnight is meant, write 24:00 of the day before"
    )


def test_the_midnight_at_the_end_of_a_day_can_be_written_as_24_00(tmp_path: Path) -> None:
    """It is never a date."""
    opened = source(in_csv(tmp_path, [("2020-03-01T08:00", "2020-03-02 24:00")]))
    assert doses(opened) == [("2020-03-01T08:00:00", "2020-03-03T00:00:00")]
    assert opened.notices == ()


@pytest.mark.parametrize("column", ["birth_date", "death_time", "last_contact"])
@pytest.mark.parametrize("text", ["2020-03-09T00:00", "2020-03-09 0:00:00", "2020-03-09T00:00Z", "2020-03-08T24:00"])  # fmt: skip
def test_births_deaths_and_last_contacts_at_midnight_are_dates(
    tmp_path: Path, column: str, text: str
) -> None:
    """Always, also where another person's carries a clock."""
    persons = f"person_id,{column}\nP1,{text}\nP2,2020-03-08T10:00\n"
    (records,) = source(write(tmp_path, persons=persons)).chunks()
    found = {"birth_date": "birth"}.get(column, column)
    day = "2020-03-08" if "24:00" in text else "2020-03-09"
    assert iso(records.persons[found][0]) == f"{day}T00:00:00"
    if column == "death_time":
        assert records.persons["death_date_only"].tolist() == [True, False]


def test_a_placeholder_is_no_evidence_of_a_clock(tmp_path: Path) -> None:
    """The end 9999-12-31T23:59 says nothing about the other cells."""
    opened = source(
        in_csv(
            tmp_path,
            [("2020-03-01T08:00", "2020-03-03T00:00"), ("2020-03-01T08:00", "9999-12-31T23:59")],
        )
    )
    assert [end for _, end in doses(opened)] == ["2020-03-04T00:00:00", ""]


def test_columns_of_one_name_in_two_sheets_are_judged_apart(tmp_path: Path) -> None:
    """Clocks among the starts of doses say nothing about the starts of stays."""
    opened = source(
        write(
            tmp_path,
            doses="person_id,drug,start,amount,amount_unit\nP1,anakinra,2020-03-04T10:00,100,mg\n",
            stays="person_id,start,end\nP1,2020-03-01T00:00,2020-03-09T00:00\n",
        )
    )
    (records,) = opened.chunks()
    assert [iso(t) for t in records.stays["end"]] == ["2020-03-10T00:00:00"]
    assert len(opened.notices) == 2


MOMENTS = (
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1))
    .map(lambda m: m.replace(second=0, microsecond=0))
    .filter(lambda m: not no_date(f"{m:%Y-%m-%d}"))
)
MIDNIGHTS = MOMENTS.map(lambda m: m.replace(hour=0, minute=0))
CELLS = st.one_of(
    MOMENTS.map(lambda m: (m, False)),
    MIDNIGHTS.map(lambda m: (m, False)),
    MIDNIGHTS.map(lambda m: (m, True)),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(CELLS, min_size=1, max_size=6),
    st.sampled_from(["T", " "]),
    st.sampled_from(["", ":00"]),
)
def test_one_truth_in_every_form_has_one_reading(
    tmp_path: Path, cells: list[Cell], between: Literal["T", " "], seconds: str
) -> None:
    """CSV, text cells and real date cells with and without a clock give the same times, if one has a clock."""
    cells = [*cells, (datetime(2021, 5, 5, 9, 30), False)]
    start = datetime(1989, 12, 1, 7, 15)

    def text(cell: Cell) -> str:
        moment, is_date = cell
        return f"{moment:%Y-%m-%d}" if is_date else f"{moment:%Y-%m-%d{between}%H:%M{seconds}}"

    def typed(cell: Cell) -> tuple[object, str]:
        return (cell[0], NO_CLOCK if cell[1] else CLOCK)

    true = [moment + timedelta(days=is_date) for moment, is_date in cells]
    begun = f"{start:%Y-%m-%dT%H:%M}"
    forms: list[Path] = [
        in_csv(tmp_path, [(begun, text(cell)) for cell in cells]),
        in_book(tmp_path / "text.xlsx", [[(begun, "@"), (text(cell), "@")] for cell in cells]),
        in_book(tmp_path / "dates.xlsx", [[(start, CLOCK), typed(cell)] for cell in cells]),
    ]
    for form in forms:
        assert [end for _, end in doses(source(form))] == [iso(to_us(end)) for end in true]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(MIDNIGHTS, min_size=1, max_size=4), st.sampled_from([CLOCK, NO_CLOCK, "m/d/yy h:mm"])
)
def test_a_column_without_any_clock_holds_dates_in_every_form(
    tmp_path: Path, days: list[datetime], number_format: str
) -> None:
    """Whether the cells show 00:00 or not."""
    start = datetime(1989, 12, 1, 7, 15)
    begun = f"{start:%Y-%m-%dT%H:%M}"
    true = [iso(to_us(day) + DAY) for day in days]
    forms: list[Any] = [
        in_csv(tmp_path, [(begun, f"{day:%Y-%m-%dT%H:%M}") for day in days]),
        in_book(tmp_path / "dates.xlsx", [[(start, CLOCK), (day, number_format)] for day in days]),
    ]
    for form in forms:
        assert [end for _, end in doses(source(form))] == true


def test_a_workbook_without_formats_is_decided_by_its_columns(tmp_path: Path) -> None:
    """A file whose part of styles is missing holds no date cells: a time is text there."""
    start = ("2020-03-01T08:00", "@")
    book = in_book(tmp_path / "a.xlsx", [[start, ("2020-03-03T00:00", "@")], [start, ("2020-03-04T09:00", "@")]])  # fmt: skip
    assert doses(source(book))[0][1] == "2020-03-03T00:00:00"


def test_a_blank_time_stays_unknown(tmp_path: Path) -> None:
    """A blank is neither a date nor a midnight."""
    opened = source(in_csv(tmp_path, [("2020-03-01T08:00", ""), ("2020-03-01T08:00", "2020-03-03T00:00")]))  # fmt: skip
    (records,) = opened.chunks()
    assert UNKNOWN_TIME in records.administrations["end"].tolist()
