"""A true infusion, written out in every notation and read back, is the same infusion."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from becalm.core.clock import HOUR, MINUTE
from becalm.doses import Doses, EpisodeRules, calendar_dose, daily_dose, steps_up, treatments
from becalm.protocol import load as protocol
from tests.records import at
from tests.reference import doses as slow
from tests.reference.doses import Rates, Row, Segment
from tests.spec.dosing import doses_of

quickly = settings(max_examples=40, derandomize=True, deadline=None)
RULES = EpisodeRules.of(protocol("anakinra_mas"))
KG = 73.5

LEVELS = st.one_of(
    st.sampled_from([0.0, None, 12.5, 25.0, 50.0, 55.0, 100.0]),
    st.floats(0.5, 250).map(lambda rate: round(rate, 3)),
)
LENGTHS = st.sampled_from(
    [1, 10, 29, 30, 31, 60, 119, 120, 121, 180, 181, 360, 361, 420, 900, 2161]
)


@st.composite
def truths(draw: st.DrawFn) -> list[Segment]:
    """A few hours to days at a few rates, with pauses; something is given."""
    found = draw(st.lists(st.builds(Segment, LENGTHS, LEVELS), min_size=1, max_size=7))
    return [*found, Segment(draw(LENGTHS), draw(st.sampled_from([12.5, 60.0])))]


def by_rate(unit: str, per_mg_h: float, **more: object) -> Callable[[int, int, float], Row]:
    def write(start: int, end: int, rate: float) -> Row:
        return Row(start, end, rate=(rate * per_mg_h, unit), **more)  # type: ignore[arg-type]

    return write


def by_amount(unit: str, per_mg: float, **more: object) -> Callable[[int, int, float], Row]:
    def write(start: int, end: int, rate: float) -> Row:
        return Row(start, end, amount=(rate * (end - start) / 60 * per_mg, unit), **more)  # type: ignore[arg-type]

    return write


BY_RATE = {
    "mg/h": by_rate("mg/h", 1),
    "g/h": by_rate("grams/hour", 1 / 1000),
    "mcg/h": by_rate("mcg/h", 1000),
    "mg/min": by_rate("mg/min", 1 / 60),
    "mg/day": by_rate("mg/day", 24),
    "mg/kg/h": by_rate("mg/kg/h", 1 / KG, weight=KG),
    "mg/kg/day": by_rate("mg/kg/day", 24 / KG, weight=KG),
    "mcg/kg/min": by_rate("mcg/kg/min", 1000 / 60 / KG, weight=KG),
    "mL/h": by_rate("mL/h", 1 / 4, concentration=(4, "mg/mL")),
    "syringes/6h": by_rate("syringes/6h", 6 / 100),
}
BY_AMOUNT = {
    "bag, mg": by_amount("mg", 1),
    "bag, g": by_amount("g", 1 / 1000),
    "bag, mg/kg": by_amount("mg/kg", 1 / KG, weight=KG),
    "bag, mL": by_amount("mL", 1 / 4, concentration=(4, "mg/mL")),
    "syringes": by_amount("syringes", 1 / 100),
}
NOTATIONS = {**BY_RATE, **BY_AMOUNT}


def written(truth: list[Segment], write: Callable[[int, int, float], Row], cut: int) -> list[Row]:
    """The rows of a chart: each segment in pieces of at most `cut` minutes, pauses as zeros."""
    rows: list[Row] = []
    start = 0
    for segment in truth:
        end = start + segment.minutes
        if segment.rate is not None:
            edges = [*range(start, end, cut), end]
            rows += [write(a, b, segment.rate) for a, b in pairwise(edges) if b > a]
        start = end
    return rows


def charted(rows: list[Row], drug: str = "anakinra") -> Doses:
    def cell(measured: tuple[float, str] | None) -> str:
        return "" if measured is None else f"{measured[0]!r} {measured[1]}"

    return doses_of(
        [
            {
                "drug": drug,
                "route": "IV continuous",
                "start": row.start / 60,
                "end": "" if row.end is None else row.end / 60,
                "amount": cell(row.amount),
                "rate": cell(row.rate),
                "concentration": cell(row.concentration),
                "weight": row.weight or "",
            }
            for row in rows
        ]
    )


def read_back(doses: Doses, length: int, drug: str = "anakinra") -> Rates:
    """The rate of every minute, asked in its middle and at its two ends."""
    line = doses.rate(drug)
    minute = at(0) + np.arange(length) * MINUTE
    low, _ = line.at(0, minute)
    for later in (MINUTE // 2, MINUTE - 1):
        assert np.array_equal(low, line.at(0, minute + later)[0])
    return [None if rate == -np.inf else float(rate) for rate in low]


def same(found: Rates, expected: Rates) -> bool:
    return len(found) == len(expected) and all(
        (a is None and b is None)
        or (a is not None and b is not None and abs(a - b) <= 1e-8 + 1e-9 * b)
        for a, b in zip(found, expected, strict=True)
    )


def no_single(rows: list[Row]) -> bool:
    """An amount within one minute is a push by rule, not an infusion."""
    return all(row.rate is not None or row.end is None or row.end - row.start > 1 for row in rows)


@pytest.mark.parametrize("notation", NOTATIONS)
@quickly
@given(truth=truths(), cut=st.sampled_from([97, 360, 10_000]))
def test_a_true_rate_is_read_back_from_every_notation(
    notation: str, truth: list[Segment], cut: int
) -> None:
    rows = written(truth, NOTATIONS[notation], cut)
    assume(no_single(rows))
    expected = slow.minutes_of(truth)
    assert same(slow.read(rows, len(expected)), expected)
    doses = charted(rows)
    assert not doses.refused
    assert same(read_back(doses, len(expected)), expected)
    amounts = doses.amounts("anakinra")
    for minute in (0, len(expected) // 3, len(expected)):
        until = slow.total(expected, 0, minute)
        assert float(amounts.at(0, at(minute / 60))) == pytest.approx(until, abs=1e-6)


IN_UNITS = {
    "units/h": by_rate("units/h", 1),
    "units/min": by_rate("units/min", 1 / 60),
    "IU/day": by_rate("IU/day", 24),
    "units/kg/h": by_rate("units/kg/h", 1 / KG, weight=KG),
    "mL/h": by_rate("mL/h", 1 / 50, concentration=(50, "units/mL")),
    "bag, units": by_amount("units", 1),
    "bag, mL": by_amount("mL", 1 / 50, concentration=(25_000, "units/500 mL")),
}


@pytest.mark.parametrize("notation", IN_UNITS)
@quickly
@given(truth=truths(), cut=st.sampled_from([97, 360, 10_000]))
def test_a_true_rate_of_heparin_is_read_back_from_every_notation(
    notation: str, truth: list[Segment], cut: int
) -> None:
    rows = written(truth, IN_UNITS[notation], cut)
    assume(no_single(rows))
    expected = slow.minutes_of(truth)
    doses = charted(rows, "heparin")
    assert not doses.refused
    assert same(read_back(doses, len(expected), "heparin"), expected)
    total = slow.total(expected, 0, len(expected))
    assert float(doses.amounts("heparin").at(0, at(len(expected) / 60))) == pytest.approx(total)
    days = daily_dose(doses, ["heparin"])
    assert days["amount_canonical"].sum() == pytest.approx(total, abs=1e-4)
    assert np.isnan(days["mg"]).all()
    dates = calendar_dose(doses, ["heparin"], np.array([-(1 << 61)]))
    assert dates["amount_canonical"].sum() == pytest.approx(total, abs=1e-4)


@quickly
@given(
    start=st.integers(0, 3_000),
    length=st.integers(1, 6_000),
    every=st.sampled_from([1, 4, 6, 8, 12, 24]),
)
def test_a_schedule_is_the_doses_written_one_by_one(start: int, length: int, every: int) -> None:
    """Minute by minute: a dose wherever a whole number of intervals has passed, before the end."""
    whole = doses_of(
        [{"route": "SC", "start": start / 60, "end": (start + length) / 60, "amount": f"100 mg q{every}h"}]
    )  # fmt: skip
    due = [m for m in range(start, start + length) if (m - start) % (every * 60) == 0]
    single = doses_of([{"route": "SC", "start": m / 60, "amount": "100 mg"} for m in due])
    assert whole.frame["start"].tolist() == single.frame["start"].tolist()
    assert whole.frame["dose"].tolist() == single.frame["dose"].tolist()


@quickly
@given(truth=truths())
def test_rates_charted_without_an_end_are_the_same_infusion(truth: list[Segment]) -> None:
    """Rates noted when they change and once a day, a stop noted as 0."""
    expected: Rates = [rate or 0.0 for rate in slow.minutes_of(truth)]
    changes = [m for m in range(len(expected)) if m % 1440 == 0 or expected[m] != expected[m - 1]]
    rows = [Row(m, None, rate=(expected[m] or 0.0, "mg/h")) for m in changes]
    rows.append(Row(len(expected), None, rate=(0.0, "mg/h")))
    doses = charted(rows)
    assert not doses.refused
    assert same(read_back(doses, len(expected)), expected)


@quickly
@given(one=truths(), other=truths())
def test_two_pumps_add_up(one: list[Segment], other: list[Segment]) -> None:
    rows = written(one, BY_RATE["mg/h"], 10_000) + written(other, BY_RATE["mL/h"], 360)
    length = max(len(slow.minutes_of(truth)) for truth in (one, other))
    assert same(read_back(charted(rows), length), slow.read(rows, length))


@pytest.mark.parametrize("notation", ["mg/h", "bag, mg"])
@quickly
@given(truth=truths())
def test_episodes_and_days_are_those_of_the_oracle(notation: str, truth: list[Segment]) -> None:
    rows = written(truth, NOTATIONS[notation], 10_000)
    assume(no_single(rows))
    rates = slow.minutes_of(truth)
    doses = charted(rows)
    found = treatments(doses, ["anakinra"], RULES)
    episodes = list(found.episodes.rows())
    expected = slow.courses(rates, by_rate=notation in BY_RATE)
    assert [
        (e["mode"], (e["start"] - at(0)) // MINUTE, (e["end"] - at(0)) // MINUTE) for e in episodes
    ] == expected
    for episode, (mode, start, end) in zip(episodes, expected, strict=True):
        others = [(a, b) for m, a, b in expected if m == "continuous IV"]
        own = [
            rate if mode == "continuous IV" or not any(a <= minute < b for a, b in others) else None
            for minute, rate in enumerate(rates)
        ][start:end]
        assert episode["cumulative_mg"] == pytest.approx(slow.total(own, 0, len(own)), abs=1e-6)
        assert episode["max_24h_mg"] == pytest.approx(slow.most_within(own, 1440), abs=1e-6)
        if mode == "continuous IV":
            peak = max(rate or 0 for rate in own)
            first = next(m for m, rate in enumerate(own) if (rate or 0) >= peak - 1e-8)
            assert episode["peak_rate_mg_h"] == pytest.approx(peak, abs=1e-8)
            assert episode["hours_to_peak"] == pytest.approx(first / 60)
            assert episode["escalations"] == len(slow.steps(own))
    day = daily_dose(doses, ["anakinra"])
    assert day["day"].tolist() == [number for number, _ in slow.days(rates)]
    assert day["mg"].tolist() == pytest.approx([mg for _, mg in slow.days(rates)], abs=1e-6)


@quickly
@given(
    truth=st.lists(
        st.builds(
            Segment,
            st.sampled_from([1, 10, 29, 30, 31, 60, 200]),
            st.sampled_from([0.0, 10.0, 10.9, 11.0, 12.1, 20.0, 22.0, 100.0]),
        ),
        min_size=1,
        max_size=9,
    )
)
def test_steps_are_those_of_the_oracle(truth: list[Segment]) -> None:
    rates = slow.minutes_of(truth)
    assume(any(rates))
    edges = np.cumsum([0, *(segment.minutes for segment in truth)]) * MINUTE
    found = steps_up(
        edges[:-1],
        edges[1:],
        np.array([segment.rate for segment in truth]),
        min_rise=0.1,
        held=30 * MINUTE,
        resume_within=100 * HOUR,
    )
    assert [(s.time // MINUTE, s.from_rate, s.to_rate) for s in found] == slow.steps(rates)
