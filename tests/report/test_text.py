"""How the report writes a value of which only a limit is known."""

from __future__ import annotations

import math

import pytest

from becalm.report.text import bounded, by_then, limit_sign, percent, share


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
