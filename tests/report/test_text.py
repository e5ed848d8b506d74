"""How the report writes a value of which only a limit is known."""

from __future__ import annotations

import math

import pytest

from becalm.report.text import bounded, by_then, limit_sign


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
