"""Slopes before and after a clock, half-times, and when a value is normal again."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from becalm.core import stats
from tests.records import Row, infusion, lab, measured
from tests.reference.slopes import percent_per_day
from tests.spec.edges import around, hours, read

FILE = read("measures/response/slopes.toml")
STORM = (
    lab("platelets", 20, -200), lab("haemoglobin", 7, -4), lab("wbc", 1.0, -4), lab("neutrophils", 0.4, -4),
    lab("triglycerides", 5, -4), lab("fibrinogen", 1.0, -4), infusion(0, 300),
)  # fmt: skip
HIGH = (lab("ferritin", 20_000, -90), lab("temperature", 39.8, -4), lab("ast", 400, -90))


def slope(*rows: Row, variable: str = "alt", side: str = "after") -> dict[str, Any]:
    found = measured("anakinra_mas", *STORM, *HIGH, *rows, only="slopes")
    return next(
        row for row in found
        if (row["variable"], row["side"], row["from_clock"]) == (variable, side, "t0")
    )  # fmt: skip


def normal(name: str, *rows: Row) -> dict[str, Any]:
    found = measured("anakinra_mas", *STORM, *HIGH, *rows, only="normal_again")
    return next(row for row in found if (row["variable"], row["from_clock"]) == (name, "t0"))


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 10, 57])
def test_the_t_of_an_interval_is_that_of_the_distribution(freedom: int) -> None:
    """Against SciPy; no degree of freedom has none."""
    assert stats.t_quantile(freedom) == pytest.approx(scipy_stats.t.ppf(0.975, freedom), rel=1e-9)
    with pytest.raises(ValueError, match="degrees of freedom"):
        stats.t_quantile(0)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(1, 72), st.integers(20, 5000)),
        min_size=2,
        max_size=7,
        unique_by=lambda d: d[0],
    )
)
def test_a_slope_is_the_line_through_the_logarithms(draws: list[tuple[int, int]]) -> None:
    """Against a library's fit, with its interval from three draws on."""
    row = slope(*(lab("alt", value, hour) for hour, value in draws))
    expected = percent_per_day(sorted(draws))
    found = row["percent_per_day"], row["percent_low"], row["percent_high"]
    for one, other in zip(found, expected, strict=True):
        assert (math.isnan(one) and math.isnan(other)) or one == pytest.approx(
            other, rel=1e-5, abs=1e-4
        )
    assert row["draws_in_window"] == len(draws)
    assert row["slope_state"] == (
        "estimated" if len(draws) >= FILE["window"]["fewest"] else "two draws"
    )


def test_the_sides_meet_at_the_clock() -> None:
    """A draw at the clock is before it; each side reaches as far as its window, ends included."""
    back, ahead = (hours(FILE["window"][side]) for side in ("before", "after"))
    assert slope(lab("alt", 100, 0), side="before")["draws_in_window"] == 1
    assert slope(lab("alt", 100, 0))["draws_in_window"] == 0
    for hour, counts in zip(around(-back), (0, 1, 1), strict=True):
        assert slope(lab("alt", 100, hour), side="before")["draws_in_window"] == counts
    for hour, counts in zip(around(ahead), (1, 1, 0), strict=True):
        assert slope(lab("alt", 100, hour))["draws_in_window"] == counts


def test_a_fall_to_half_in_a_day_has_a_half_time_of_a_day() -> None:
    """A rise has none."""
    falling = slope(lab("alt", 400, 10), lab("alt", 200, 34), lab("alt", 100, 58))
    assert falling["half_time_h"] == pytest.approx(24)
    assert falling["percent_per_day"] == pytest.approx(-50)
    rising = slope(lab("alt", 100, 10), lab("alt", 200, 34))
    assert math.isnan(rising["half_time_h"])


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ([], "no draw"),
        ([100], "one draw"),
        ([">2000", 100, 50], "censored"),
        (["<1", 100, 50], "censored"),
    ],
)
def test_what_gives_no_slope_says_why(values: list[float | str], state: str) -> None:
    """A limit of the laboratory is no number to draw a line through."""
    row = slope(*(lab("alt", value, 10 + 10 * i) for i, value in enumerate(values)))
    assert row["slope_state"] == state
    assert math.isnan(row["percent_per_day"])


TARGETS = {each["variable"]: each for each in FILE["normal"]}


@pytest.mark.parametrize("name", ["ferritin", "ast", "alt", "platelets"])
def test_a_value_is_normal_from_its_bound_on(name: str) -> None:
    """At the bound or just beyond it, as the file says."""
    rule = TARGETS[name]
    step = 1.0
    if "below" in rule:
        cases = ((rule["below"] - step, True), (rule["below"], False))
    elif "at_most" in rule:
        cases = ((rule["at_most"], True), (rule["at_most"] + step, False))
    else:
        cases = ((rule["at_least"], True), (rule["at_least"] - step, False))
    far = 30 if "at_least" in rule else 9000
    for value, reached in cases:
        row = normal(name, lab(name, far, -1), lab(name, far, 10), lab(name, value, 20))
        assert row["normal_state"] == ("reached" if reached else "not reached"), value
        assert (row["hours_to_normal"] == 20) is reached


def test_what_was_normal_or_not_measured_says_so() -> None:
    """Normal at the clock is no success of anything; without a draw before or after nobody knows."""
    assert normal("alt", lab("alt", 20, -1), lab("alt", 20, 20))["normal_state"] == "not abnormal"
    assert normal("alt", lab("alt", 200, -1))["normal_state"] == "no draw"
    assert normal("alt", lab("alt", 20, 20))["normal_state"] == "no draw"
    early = normal(
        "alt", lab("alt", 200, -hours(FILE["window"]["before"]) - 0.1), lab("alt", 20, 20)
    )
    assert early["normal_state"] == "no draw"


def test_fever_is_gone_where_it_stays_away_for_24_h() -> None:
    """From the first cool draw after which no fever is drawn for 24 h, and somebody looked in their second half."""
    free = hours(FILE["fever"]["fever_free"])
    cool = [lab("temperature", 37.0, hour) for hour in (10, 24, 40)]
    assert normal("temperature", *cool)["hours_to_normal"] == 10
    for hour, gone in zip(around(10 + free), (False, False, True), strict=True):
        row = normal("temperature", *cool, lab("temperature", 38.0, hour))
        assert (row["hours_to_normal"] == 10) is gone, hour
    alone = normal("temperature", lab("temperature", 37.0, 10))
    assert alone["normal_state"] == "not reached"
    bound = TARGETS["temperature"]["below"]
    assert (
        normal("temperature", *(lab("temperature", bound, h) for h in (10, 24, 40)))["normal_state"]
        == "not reached"
    )
