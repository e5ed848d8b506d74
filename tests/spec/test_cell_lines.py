"""More than one cell line low: at least two of haemoglobin, platelets and neutrophils within one 24 h."""

from __future__ import annotations

from typing import Any

import pytest

from tests.records import Row, dose, infusion, lab, measured, procedure
from tests.spec.edges import around, hours, read

FILE = read("measures/cell_lines.toml")
LOW, RULES = FILE["low"], FILE["rules"]
STORM = (
    lab("ferritin", 20_000, -4), lab("triglycerides", 5, -4), lab("fibrinogen", 1.0, -4), lab("ast", 400, -4),
    lab("temperature", 39.8, -4), lab("wbc", 1.0, -4), lab("haemoglobin", 7, -100), lab("platelets", 20, -100),
    infusion(0, 96),
)  # fmt: skip
"""A definite storm whose low counts were drawn before the period that is looked at."""


def lines(*rows: Row, period: str = "after") -> dict[str, Any]:
    found = measured("anakinra_mas", *STORM, *rows, only="cell_lines")
    return next(row for row in found if row["when"] == period)


@pytest.mark.parametrize("name", ["haemoglobin", "platelets", "neutrophils"])
def test_a_line_is_low_below_its_bound(name: str) -> None:
    """At the bound it is not; a printed step below it is. Two other lines are measured, one of them low."""
    other = {"haemoglobin": "platelets", "platelets": "neutrophils", "neutrophils": "haemoglobin"}[
        name
    ]
    third = next(
        each for each in ("haemoglobin", "platelets", "neutrophils") if each not in {name, other}
    )
    for value, several in ((LOW[name], False), (LOW[name] - 0.1, True), (LOW[name] + 0.1, False)):
        row = lines(
            lab(name, value, 10), lab(other, LOW[other] / 2, 10), lab(third, 2 * LOW[third], 10)
        )
        assert row["several_low"] is several, value


def test_two_low_lines_count_up_to_24_h_apart() -> None:
    """At 24 h they are within; a minute later they are not."""
    apart = hours(RULES["within"])
    for gap, several in zip(around(apart), (True, True, False), strict=True):
        row = lines(
            lab("haemoglobin", 8, 10), lab("platelets", 50, 10 + gap), lab("neutrophils", 4, 10)
        )
        assert row["several_low"] is several, gap
    assert RULES["lines"] == 2


def test_what_nobody_measured_may_have_been_low() -> None:
    """One line low and the third never measured: unknown. None low, two measured: no. One measured: unknown."""
    assert lines(lab("haemoglobin", 8, 10), lab("platelets", 200, 10))["several_low"] is None
    assert lines(lab("haemoglobin", 12, 10), lab("platelets", 200, 10))["several_low"] is False
    assert lines(lab("haemoglobin", 12, 10))["several_low"] is None
    assert lines()["several_low"] is None


def test_a_limit_is_low_only_where_it_is_certain() -> None:
    """`<20` is below 100; `<200` may be, so nobody can say no; `<200` beside two lines that are not low is a no."""
    sure = lines(lab("platelets", "<20", 10), lab("haemoglobin", 8, 10), lab("neutrophils", 4, 10))
    maybe = lines(
        lab("platelets", "<200", 10), lab("haemoglobin", 8, 10), lab("neutrophils", 4, 10)
    )
    assert (sure["several_low"], maybe["several_low"]) == (True, None)
    none = lines(
        lab("platelets", "<200", 10), lab("haemoglobin", 12, 10), lab("neutrophils", 4, 10)
    )
    assert none["several_low"] is False


def test_the_periods_meet_at_time_zero() -> None:
    """A draw at time zero itself is before; a minute later it is after."""
    for hour, period in ((0, "before"), (1 / 60, "after")):
        rows = lab("haemoglobin", 8, hour), lab("platelets", 50, hour)
        found = {each: lines(*rows, period=each)["several_low"] for each in ("before", "after")}
        assert found[period] is True
        assert found["after" if period == "before" else "before"] is not True


def test_transfusions_and_growth_factors_stand_beside_it() -> None:
    """From doses and from procedures, in the period in which they were given."""
    rows = (
        procedure("transfusion red cells", 20, 22),
        dose("filgrastim", -10, amount="0.3 mg", route="SC"),
    )
    after, before = lines(*rows), lines(*rows, period="before")
    assert (after["transfused"], after["growth_factor"]) == (True, False)
    assert (before["transfused"], before["growth_factor"]) == (False, True)


def test_it_opens_the_draws_that_make_it_true() -> None:
    """Both low draws; the first moment at which both are known."""
    row = lines(lab("haemoglobin", 8, 10), lab("platelets", 50, 14), lab("neutrophils", 4, 14))
    assert row["lines"] == "haemoglobin|platelets"
    assert len(row["source_row"].split("|")) >= 2
