"""Reading times and lengths of time, and ages by the calendar."""

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.clock import (
    DAY,
    HOUR,
    MICROSECOND,
    MINUTE,
    UNKNOWN_TIME,
    Length,
    Offset,
    birthday,
    calendar_year,
    completed_years,
    from_us,
    iso,
    parse,
    to_us,
)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("72h", 72 * HOUR), ("7d", 7 * DAY), ("90min", 90 * MINUTE), ("1.5h", 90 * MINUTE),
        ("<=48h", 48 * HOUR + MICROSECOND), (" 2 h ", 2 * HOUR), ("0h", 0),
    ],
)  # fmt: skip
def test_a_length_of_time(text: str, us: int) -> None:
    assert Length(text).us == us


@pytest.mark.parametrize("text", ["", "72", "72 hours", "-2h", "2w", "h", "1,5h", "<48h"])
def test_what_is_not_a_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a length of time"):
        Length(text)


def test_no_length_of_time_is_longer_than_a_thousand_years() -> None:
    """Sums of times stay within 64 bits; 400 digits are told in one short line."""
    assert Length("365250d").us == 365_250 * DAY
    for text in ("365251d", "8766001h", "9" * 400 + "h"):
        with pytest.raises(ValueError, match="is longer than 1000 years") as caught:
            Length(text)
        assert len(str(caught.value)) < 80


@pytest.mark.parametrize("years", [1, 4, 126])
def test_a_birthday_is_the_first_day_of_the_next_completed_year(years: int) -> None:
    for born in ("2000-02-29", "1999-12-31T23:59", "2020-01-01", "1960-05-06"):
        birth = np.array([parse(born)[0]])
        day = birthday(birth, years)
        assert completed_years(birth, day).tolist() == [years]
        assert completed_years(birth, day - 1).tolist() == [years - 1]


@pytest.mark.parametrize(
    ("text", "us"), [("-24h", -24 * HOUR), ("0h", 0), ("+7d", 7 * DAY), ("-<=48h", -48 * HOUR - 1)]
)
def test_an_offset_may_be_negative(text: str, us: int) -> None:
    assert Offset(text).us == us


@pytest.mark.parametrize(
    ("text", "moment", "date_only"),
    [
        ("2020-03-04", "2020-03-04T00:00:00", True),
        ("20200304", "2020-03-04T00:00:00", True),
        (" 2020-03-04 ", "2020-03-04T00:00:00", True),
        ("2020-03-04 10:30", "2020-03-04T10:30:00", False),
        ("2020-03-04T00:00", "2020-03-04T00:00:00", False),
        ("2020-03-04T10:30:00Z", "2020-03-04T10:30:00", False),
        ("2020-03-04T10:30:00.25+05:30", "2020-03-04T10:30:00.250000", False),
        ("1899-12-31T23:59:59.999999", "1899-12-31T23:59:59.999999", False),
        ("2200-02-28T23:59", "2200-02-28T23:59:00", False),
    ],
)
def test_a_time_is_read_as_the_clock_on_the_wall(text: str, moment: str, date_only: bool) -> None:
    """An offset is dropped, and a date without a time says that it is one."""
    us, only = parse(text)
    assert (iso(us), only) == (moment, date_only)


@pytest.mark.parametrize("text", ["", "2020-13-01", "2020-02-30", "yesterday", "2020-03-04T25:00"])
def test_what_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_an_unknown_time_is_written_as_nothing() -> None:
    assert iso(UNKNOWN_TIME) == ""


MOMENTS = st.datetimes(datetime(1850, 1, 1), datetime(2250, 12, 31))


@given(MOMENTS)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_a_moment_survives_writing_and_reading(moment: datetime) -> None:
    assert from_us(to_us(moment)) == moment
    assert parse(iso(to_us(moment)))[0] == to_us(moment)


def years_by_hand(born: date, today: date) -> int:
    """Count birthdays, the slow way; one of the 29th of February falls on the 1st of March."""
    years = 0
    for year in range(born.year + 1, today.year + 1):
        try:
            birthday = born.replace(year=year)
        except ValueError:
            birthday = date(year, 3, 1)
        years += birthday <= today
    return years


@given(st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=20))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_completed_years_are_birthdays(pairs: list[tuple[datetime, datetime]]) -> None:
    ordered = [(min(pair), max(pair)) for pair in pairs]
    found = completed_years([to_us(b) for b, _ in ordered], [to_us(a) for _, a in ordered])
    assert found.tolist() == [years_by_hand(b.date(), a.date()) for b, a in ordered]


def test_somebody_born_on_the_29th_of_february() -> None:
    born = np.full(4, parse("1960-02-29")[0])
    days = ["1964-02-28", "1964-02-29", "1969-02-28", "1969-03-01"]
    assert completed_years(born, [parse(day)[0] for day in days]).tolist() == [3, 4, 8, 9]


def test_the_hour_of_birth_does_not_count() -> None:
    assert completed_years(parse("2000-05-05T23:00")[0], parse("2018-05-05T01:00")[0]) == 18


def test_the_calendar_year() -> None:
    assert calendar_year([parse("1969-12-31T23:59")[0], parse("2200-01-01")[0]]).tolist() == [
        1969,
        2200,
    ]
