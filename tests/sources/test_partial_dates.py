"""Months and years as the onset of a diagnosis: what they leave open stays open."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from becalm.core.clock import UNKNOWN_TIME, from_us, iso
from becalm.core.errors import RecordsError
from becalm.records.sheets.partial_dates import read_span
from tests.records.chart_review import read_sheets, source, write, write_book

CONDITIONS = "person_id,onset,name\n"


@given(st.integers(1900, 2199), st.integers(1, 12))
def test_every_spelling_of_a_month(year: int, month: int) -> None:
    """It begins on its first day and ends with its last."""
    name = calendar.month_name[month]
    for text in (
        f"{year}-{month:02}", f"{year}/{month}", f"{month:02}/{year}", f"{month}.{year}", f"{name} {year}",
        f"{name[:3]} {year}", f"{name[:3].upper()}. {year}", f"{year} {name}",
    ):  # fmt: skip
        span = read_span(text)
        assert span, text
        assert from_us(span.first) == datetime(year, month, 1)
        last = from_us(span.last)
        assert last.date() == date(year, month, calendar.monthrange(year, month)[1])
        assert last + timedelta(microseconds=1) == last.replace(
            hour=0, minute=0, second=0, microsecond=0
        ) + timedelta(days=1)


@given(st.integers(1900, 2199))
def test_a_year(year: int) -> None:
    span = read_span(str(year))
    assert span
    assert (from_us(span.first), from_us(span.last).date()) == (
        datetime(year, 1, 1),
        date(year, 12, 31),
    )


@pytest.mark.parametrize(
    "text",
    ["", "2021-13", "13/2021", "0/2021", "2021-00", "21", "202", "20211", "2021-03-04", "03/04/2021", "Marz", "2021?",
     "ca. 2021", "Xyz 2021", "2021-2022", "03-21", "1899", "03/1899"],
)  # fmt: skip
def test_what_is_no_month_or_year(text: str) -> None:
    assert read_span(text) is None


@pytest.mark.parametrize(
    ("onset", "first", "last"),
    [
        ("2021", "2021-01-01T00:00:00", "2021-12-31T23:59:59.999999"),
        ("2021-03", "2021-03-01T00:00:00", "2021-03-31T23:59:59.999999"),
        ("03/2021", "2021-03-01T00:00:00", "2021-03-31T23:59:59.999999"),
        ("12/2020", "2020-12-01T00:00:00", "2020-12-31T23:59:59.999999"),
    ],
)
def test_the_sheet_keeps_both_ends(tmp_path: Path, onset: str, first: str, last: str) -> None:
    (row,) = read_sheets(
        write(tmp_path, conditions=CONDITIONS + f"P1,{onset},lymphoma\n")
    ).conditions.rows()
    assert (row["onset"], iso(row["onset_from"]), iso(row["onset_until"])) == (
        UNKNOWN_TIME,
        first,
        last,
    )


def test_a_whole_date_is_as_before_and_a_number_in_a_workbook_is_a_year(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["person_id", "onset", "name"],
        ["P1", 2021, "SLE"],
        ["P1", date(2020, 3, 4), "SLE"],
    ]
    book = write_book(tmp_path / "r.xlsx", persons=[["person_id"], ["P1"]], conditions=rows)
    year, day = read_sheets(book).conditions.rows()
    assert (year["onset"], iso(year["onset_from"])[:4]) == (UNKNOWN_TIME, "2021")
    assert (iso(day["onset"])[:10], day["onset_from"]) == ("2020-03-04", UNKNOWN_TIME)


@pytest.mark.parametrize(("sheet", "text"), [
    ("labs", "person_id,time,name,value,unit\nP1,2021,AST,5,U/L\n"),
    ("persons", "person_id,death_time\nP1,2021-03\n"),
    ("conditions", CONDITIONS + "P1,2021-13,SLE\n"),
])  # fmt: skip
def test_elsewhere_a_month_or_a_year_is_no_time(tmp_path: Path, sheet: str, text: str) -> None:
    """A blood draw in 2021 is a mistake in the sheet, not a draw of unknown day."""
    with pytest.raises(RecordsError):
        source(write(tmp_path, **{sheet: text}))
