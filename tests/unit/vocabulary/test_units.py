"""Numbers as laboratories write them, spellings of units, conversion that can be undone."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.vocabulary.units import (
    A_RANGE,
    AMBIGUOUS_COMMA,
    NO_VALUE,
    NOT_A_NUMBER,
    SIGNS,
    UNIT_IN_VALUE,
    Conversion,
    NotAValueError,
    WrittenNumber,
    bounds,
    limit,
    normalise,
    parse_value,
)

quickly = settings(max_examples=200, derandomize=True, deadline=None)
numbers = st.floats(min_value=0, max_value=1e9, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "number", "sign"),
    [
        ("12.3", 12.3, ""),
        (" 12.3 ", 12.3, ""),
        ("1,200", 1200, ""),
        ("1,234,567.5", 1234567.5, ""),
        (".5", 0.5, ""),
        ("5.", 5, ""),
        ("1e5", 1e5, ""),
        ("-1", -1, ""),
        (">15000", 15000, ">"),
        ("> 15,000", 15000, ">"),
        ("＞15000", 15000, ">"),
        (">=5", 5, ">="),
        ("≥5", 5, ">="),
        ("<0.2", 0.2, "<"),
        ("<0.2.", 0.2, "<"),
        ("≤ 0.2", 0.2, "<="),
        ("GREATER THAN 21000", 21000, ">"),
        ("GREATER THAN 21000.  IN AMBULATORY PATIENTS <500 EXCLUDES", 21000, ">"),
        ("Less than 10", 10, "<"),
        ("ABOVE 40000", 40000, ">"),
        ("Greater than or equal to 5", 5, ">="),
        ("at most 3", 3, "<="),
        ("\u200b>15000\ufeff", 15000, ">"),
    ],
)
def test_a_result_is_read_with_its_direction(text: str, number: float, sign: str) -> None:
    assert parse_value(text) == (number, sign)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", NO_VALUE),
        ("  ", NO_VALUE),
        ("12,3", AMBIGUOUS_COMMA),
        ("0,200", AMBIGUOUS_COMMA),
        ("1200,5", AMBIGUOUS_COMMA),
        ("1.234,5", NOT_A_NUMBER),
        (">12,3", AMBIGUOUS_COMMA),
        ("1-2", A_RANGE),
        ("1 to 2", A_RANGE),
        ("0.5 – 1.5", A_RANGE),
        ("15000 ng/mL", UNIT_IN_VALUE),
        ("38.5 C", UNIT_IN_VALUE),
        ("Hemolyzed", NOT_A_NUMBER),
        ("___", NOT_A_NUMBER),
        ("nan", NOT_A_NUMBER),
        ("inf", NOT_A_NUMBER),
        ("1e999", NOT_A_NUMBER),
        ("1.2.3", NOT_A_NUMBER),
        ("ND .  Not Done, WBC <=0.1.", NOT_A_NUMBER),
        (">", NOT_A_NUMBER),
        ("> high", NOT_A_NUMBER),
    ],
)
def test_what_is_not_one_number_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(NotAValueError) as refusal:
        parse_value(text)
    assert str(refusal.value) == reason


@quickly
@given(numbers, st.sampled_from(SIGNS))
def test_what_was_written_is_read_back(number: float, sign: str) -> None:
    assert parse_value(f"{sign}{number!r}") == (number, sign)


@quickly
@given(st.integers(1, 10**9))
def test_thousands_marks_change_nothing(number: int) -> None:
    assert parse_value(f"{number:,}").number == number


@quickly
@given(st.text(max_size=12))
def test_any_text_is_one_finite_number_or_a_reason(text: str) -> None:
    try:
        written = parse_value(text)
    except NotAValueError as refusal:
        assert str(refusal)
    else:
        assert math.isfinite(written.number)


def test_a_limit_is_open_or_closed_as_it_was_written() -> None:
    assert WrittenNumber(2400).interval() == (2400, 2400)
    assert WrittenNumber(2400, ">=").interval() == (2400, math.inf)
    assert WrittenNumber(2400, "<=").interval() == (0, 2400)
    low, high = WrittenNumber(2400, ">").interval()
    assert (low, high) == (math.nextafter(2400, math.inf), math.inf)
    assert WrittenNumber(2400, "<").interval() == (0, math.nextafter(2400, 0))
    assert WrittenNumber(0.2, "<").interval(-math.inf) == (-math.inf, math.nextafter(0.2, 0))


@quickly
@given(st.floats(1e-3, 1e7).map(lambda x: float(f"{x:.6g}")), st.sampled_from([">", "<"]))
def test_the_limit_is_found_again_from_the_open_end(number: float, sign: str) -> None:
    low, high = bounds(np.array([number]), np.array([SIGNS.index(sign)]), np.array([0.0]))
    assert limit(float(low[0] if sign == ">" else high[0])) == number


@quickly
@given(
    numbers,
    st.sampled_from([(0, 1, 1), (-32, 1, 1.8), (0, 1, 88.57), (0, 10, 1), (0, 760, 101.325)]),
)
def test_a_conversion_can_be_undone(value: float, how: tuple[float, float, float]) -> None:
    conversion = Conversion(*how)
    assert conversion.back(conversion.apply(value)) == pytest.approx(value, rel=1e-12, abs=1e-9)


@quickly
@given(numbers, numbers, st.sampled_from([(-32, 1, 1.8), (0, 1, 88.57), (0, 1000, 2.247)]))
def test_more_stays_more_after_conversion(
    a: float, b: float, how: tuple[float, float, float]
) -> None:
    conversion = Conversion(*how)
    assert (a <= b) == (conversion.apply(a) <= conversion.apply(b)) or math.isclose(a, b)


@pytest.mark.parametrize(
    "text",
    [
        "10*3/uL", "10^3/uL", "10**3/uL", "10³/µL", "10³/μL", "x10³/uL", "x10^3/uL", "X10E3/uL",
        "10E3/uL", "10e3/mcL", "x10e3/mcl", "10 3/uL", "10 ^ 3 / uL", "× 10³/µL", "×10^3/mm3",
        "10^3/mm³", "10^3/cumm", "10^3/cu mm", "10*3/mm^3", "x 10 exp 3/uL", "10^3 cells/uL",
        "10^3 per microliter", "10^3/microlitre", "[10*3]/uL", "10\u200b*3/uL", "E3/uL", "10^3/uL.",
    ],
)  # fmt: skip
def test_a_thousand_per_microlitre_in_all_its_spellings(text: str) -> None:
    assert normalise(text) == "10*3/ul"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ng/mL", "NG/ML"),
        ("µg/L", "mcg/L"),
        ("µg/L", "ug / l"),
        ("mg/dL", "mg per deciliter"),
        ("ng/mL FEU", "ng{FEU}/mL"),
        ("µg/mL FEU", "mcg/ml (FEU)"),
        ("mm[Hg]", "mmHg"),
        ("mm/hr", "mm/hour"),
        ("℃", "°C"),
        ("sec", "s"),
    ],
)
def test_spellings_of_one_unit_are_one(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mg/dL", "mg/L"),
        ("ng/mL", "pg/mL"),
        ("ng/mL", "ng/mL FEU"),
        ("ng/mL FEU", "ng/mL DDU"),
        ("10^3/uL", "10^9/L"),
        ("10^3/uL", "10^6/uL"),
        ("U/L", "U/mL"),
        ("mmol/L", "umol/L"),
        ("°C", "°F"),
    ],
)
def test_different_units_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)
