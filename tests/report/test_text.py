"""How the report writes a value of which only a limit is known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from becalm.core.digits import fixed, percentage
from becalm.report.text import (
    UNKNOWN,
    bounded,
    by_then,
    change,
    duration,
    hours,
    limit_sign,
    number,
    percent,
    share,
    signed,
)


@pytest.mark.parametrize(
    ("low", "high", "sign", "text"),
    [
        (math.nextafter(40000, math.inf), math.inf, ">", ">40,000"),
        (0.0, math.nextafter(5, 0), "<", "<5"),  # a concentration is never below 0
        (-math.inf, math.nextafter(-2, -math.inf), "<", "<−2"),  # a base excess may be
        (0.0, 0.0, "", "0"),
        (3.4, 3.4, "", "3.4"),
        (3.0, 4.0, "", "3–4"),  # two results of one moment
        (-math.inf, math.inf, "", "–"),
    ],
)
def test_a_limit_is_written_as_the_laboratory_printed_it(
    low: float, high: float, sign: str, text: str
) -> None:
    assert limit_sign(low, high) == sign
    assert bounded(low, high) == text


@pytest.mark.parametrize(
    ("kind", "said"), [("at latest", "by "), ("exact", ""), ("date", ""), ("", "")]
)
def test_a_death_known_by_a_last_contact_was_by_then(kind: str, said: str) -> None:
    """Its day is the latest possible one."""
    assert by_then({"death_time_is": kind}) == said


@pytest.mark.parametrize(
    ("events", "n", "text"),
    [(0, 201, "0 %"), (1, 201, "<1 %"), (1, 200, "1 %"), (5, 8, "63 %"), (3, 200, "2 %"),
     (200, 201, ">99 %"), (199, 200, ">99 %"), (201, 201, "100 %")],
)  # fmt: skip
def test_nobody_and_everybody_are_printed_only_where_they_are(
    events: int, n: int, text: str
) -> None:
    """Half rounds away from zero; 99.5 % of 200 is not everybody."""
    assert percent(events, n) == text


def test_a_share_is_of_the_known_with_the_unknown_beside() -> None:
    assert share(4, 8, 4) == "4/8 (50 %; 15.7–84.3), unknown in 4"
    assert share(1, 201) == "1/201 (<1 %; <0.1–2.7)"
    assert share(0, 0, 12) == "0/0, unknown in 12"


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        (number(2.5, 1), "3"), (number(0.125, 2), "0.13"), (number(1234.5), "1,235"),
        (number(-0.0625, 2), "−0.063"), (number(2.4999, 1), "2"), (number(0.25, 1), "0.3"),
        (signed(2.5), "+3"), (signed(-2.5), "−3"), (signed(0.25, 1), "+0.3"), (signed(0.0), "+0"),
        (hours(47.5), "+48 h"), (hours(-0.5), "−1 h"), (hours(300), "+12.5 d"),
        (change(0.875), "−13"), (change(1.005), "+1"), (change(1.0), "0"), (change(0.995), "−1"),
        (fixed(1e30), "1," + "000," * 9 + "000"), (fixed(math.inf), "inf"),
    ],
)  # fmt: skip
def test_half_rounds_away_from_zero_everywhere(printed: str, text: str) -> None:
    assert printed == text


@given(st.integers(0, 10**6), st.integers(0, 3))
def test_a_half_of_the_last_digit_goes_up_on_either_side(tenths: int, places: int) -> None:
    """x.5 of the last printed digit is the next one; a minus sign changes nothing but the sign."""
    half = float(f"{tenths}.5e-{places}")
    assert fixed(half, places) == fixed(float(f"{tenths + 1}e-{places}"), places)
    assert fixed(-half, places) == f"-{fixed(half, places)}"


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_nobody_and_everybody_whatever_the_numbers(counts: tuple[int, int]) -> None:
    """The text 0 % stands exactly where nobody is, 100 % exactly where everybody is, also with decimals."""
    events, n = counts
    for places, none, every in ((0, "0", "100"), (2, "0.00", "100.00")):
        text = percentage(events / n, places)
        assert (text == none) == (events == 0)
        assert (text == every) == (events == n)
        if text[0] not in "<>" and 0 < events < n:
            assert abs(float(text) - 100 * events / n) <= 0.5 * 10**-places + 1e-9


@pytest.mark.parametrize(
    ("hours_held", "printed"),
    [
        (0.0, UNKNOWN), (math.nan, UNKNOWN), (2.78e-10, "<1 min"), (1 / 60 - 1e-6, "<1 min"), (1 / 60, "1 min"),
        (0.5, "30 min"), (59.5 / 60, "59.5 min"), (1.0, "1 h"), (130.75, "131 h"),
    ],
)  # fmt: skip
def test_a_duration_under_a_minute_is_said_so_and_none_is_a_dash(
    hours_held: float, printed: str
) -> None:
    assert duration(hours_held) == printed
