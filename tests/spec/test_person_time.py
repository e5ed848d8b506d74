"""Time at risk of a new infection: when it begins, what ends it, and which dose it belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from becalm import protocol
from becalm.core import stats
from becalm.core.frame import Frame
from becalm.measures.event_rates import event_rates
from becalm.tables import PERSON_TIME
from tests.records import Row, culture, dose, infusion, lab, measured, person, stay
from tests.spec.edges import MINUTE, around, hours
from tests.spec.edges import protocol_file as raw

RULE = raw("anakinra_mas")["person_time"]
STORM = (
    lab("ferritin", 20_000, -4),
    lab("platelets", 20, -4),
    lab("haemoglobin", 7, -4),
    lab("wbc", 1.0, -4),
    lab("neutrophils", 0.4, -4),
    lab("triglycerides", 5, -4),
    lab("fibrinogen", 1.0, -4),
    lab("ast", 400, -4),
    lab("temperature", 39.8, -4),
)
COLI = "Escherichia coli"
LATE = lab("crp", 5, 5000)


def at_risk(*rows: Row, lag: float = 0) -> list[dict[str, Any]]:
    found = measured("anakinra_mas", *STORM, *rows, only="person_time")
    return [row for row in found if row["lag_h"] == lag]


def span(*rows: Row) -> tuple[float, float, str] | None:
    """From when to when, in hours from time zero, and what ended it."""
    found = at_risk(*rows)
    return (found[0]["start_h"], found[-1]["stop_h"], found[-1]["ended_by"]) if found else None


def test_the_risk_begins_48_h_after_time_zero() -> None:
    """An infection at that hour is left out with the time before it; one a minute later is the event."""
    begin = hours(RULE["from_t0"])
    rows = (infusion(0, 200), stay(-10, 300))
    assert span(*rows) == (begin, 300, "discharge")
    for hour, event in zip(around(begin), (False, False, True), strict=True):
        found = span(*rows, culture("growth", hour, COLI))
        assert found is not None
        assert (found[2] == "bacterial infection") is event, hour


def test_who_dies_or_leaves_before_has_no_time_at_risk() -> None:
    """At the hour it would begin there is none either."""
    begin = hours(RULE["from_t0"])
    for hour, some in zip(around(begin), (False, False, True), strict=True):
        assert (span(infusion(0, 40), person(death=hour)) is not None) is some
        assert (span(infusion(0, 40), stay(-10, hour)) is not None) is some


def test_it_ends_14_days_after_the_last_dose() -> None:
    """If nothing else ends it before; a later dose moves the end."""
    after = hours(RULE["after_last_dose"])
    assert span(infusion(0, 100), LATE) == (48, 100 + after, "last dose")
    moved = span(infusion(0, 100), dose("anakinra", 200, amount="100 mg", route="SC"), LATE)
    assert moved is not None
    assert moved[1] == pytest.approx(200 + MINUTE + after)


@pytest.mark.parametrize(
    ("first", "ended_by"),
    [
        (person(death=150), "death"),
        (stay(-10, 150), "discharge"),
        (culture("growth", 150, COLI), "bacterial infection"),
    ],
)
def test_the_first_of_all_ends_it(first: Row, ended_by: str) -> None:
    """Cause-specific: what comes later does not count."""
    rows = [infusion(0, 140), LATE, first]
    if ended_by != "discharge":
        rows.append(stay(-10, 160))
    assert span(*rows) == (48, 150, ended_by)


def test_an_infection_at_the_hour_of_the_death_is_the_event() -> None:
    """It was drawn while the patient lived."""
    found = span(infusion(0, 140), person(death=150), culture("growth", 150, COLI))
    assert found == (48, 150, "bacterial infection")


def test_growth_that_is_no_infection_ends_nothing() -> None:
    """One commensal, a contaminant, a fungus: the risk of a bacterial infection goes on."""
    others = (
        culture("growth", 100, "Staphylococcus epidermidis"),
        culture("growth", 101, COLI, judged="contaminant"),
        culture("growth", 102, "Candida albicans"),
    )
    assert span(infusion(0, 140), stay(-10, 160), *others) == (48, 160, "discharge")


def test_a_band_of_the_previous_24_h_begins_at_its_edge() -> None:
    """Single doses of just the edge reach the band above; a milligram less does not."""
    low, high = RULE["bands_24h"]
    for mg, band in (
        (low - 1, "(0, 400)"),
        (low, "[400, 1,200)"),
        (high - 1, "[400, 1,200)"),
        (high, "≥1,200"),
    ):
        rows = at_risk(infusion(0, 8, 1), dose("anakinra", 60, amount=f"{mg} mg"), stay(-10, 100))
        during = [row["dose_24h_band"] for row in rows if row["start_h"] <= 70 < row["stop_h"]]
        assert during == [band], mg
    after = at_risk(infusion(0, 8, 1), dose("anakinra", 60, amount="400 mg"), stay(-10, 100))
    assert [(row["start_h"], row["dose_24h_band"]) for row in after] == [
        (48, "0"), (60, "[400, 1,200)"), (84, "0"),
    ]  # fmt: skip


def test_the_total_and_the_days_at_a_high_dose_add_up() -> None:
    """100 mg/h reach 1,200 mg in 24 h after 12 h; three and seven days later come the next bands."""
    rows = at_risk(infusion(0, 300), stay(-10, 320))
    begin: dict[str, float] = {}
    for row in rows:
        begin.setdefault(row["days_high_band"], round(row["start_h"], 3))
    first, second = RULE["bands_days_high"]
    assert begin == {"(0, 3)": 48, "[3, 7)": 12 + 24 * first, "≥7": 12 + 24 * second}
    total: dict[str, float] = {}
    for row in rows:
        total.setdefault(row["cumulative_band"], round(row["start_h"], 3))
    low, high = RULE["bands_cumulative"]
    assert total == {"(0, 5,000)": 48, "[5,000, 10,000)": low / 100, "≥10,000": high / 100}
    assert rows[-1]["cumulative"] <= 30_000
    assert RULE["high_24h"] == 1200


@pytest.mark.parametrize("lag", [hours(each) for each in RULE["lags"]])
def test_a_lag_shows_the_dose_of_so_long_before(lag: float) -> None:
    """A dose that stops at 100 h has left the 24 h before at 124 h, and later by the lag."""
    rows = at_risk(infusion(0, 100), stay(-10, 250), lag=lag)
    stopped = min(row["start_h"] for row in rows if row["dose_24h_band"] == "0")
    assert stopped == pytest.approx(124 + lag)


def test_a_dose_of_unknown_amount_makes_the_bands_unknown() -> None:
    """For a day after it the previous 24 h; the totals from then on."""
    rows = at_risk(infusion(0, 10), dose("anakinra", 60, amount="1 dose"), stay(-10, 200))
    told = [(round(row["start_h"]), row["dose_24h_band"], row["cumulative_band"]) for row in rows]
    assert told == [(48, "0", "(0, 5,000)"), (60, "unknown", "unknown"), (84, "0", "unknown")]


def test_rates_of_each_band_add_up_to_all_time() -> None:
    """Days and events of the bands of each measure are those of all; a band without time has no rate."""
    found = measured(
        "anakinra_mas", *STORM, infusion(0, 300), stay(-10, 320), culture("growth", 250, COLI),
        only="person_time",
    )  # fmt: skip
    rule = protocol.load("anakinra_mas").person_time
    assert rule is not None
    rates = list(event_rates(Frame.of_rows(PERSON_TIME, found), rule).rows())
    for lag in (0.0, 24.0, 48.0):
        for event, count in (("bacterial infection", 1), ("death", 0)):
            mine = rows_of(rates, lag, event)
            total = next(row for row in mine if row["metric"] == "all")
            assert (total["person_days"], total["events"]) == (
                pytest.approx((250 - 48) / 24),
                count,
            )
            for metric in ("dose_24h", "days_high", "cumulative"):
                bands = [row for row in mine if row["metric"] == metric]
                assert sum(row["person_days"] for row in bands) == pytest.approx(
                    total["person_days"]
                )
                assert sum(row["events"] for row in bands) == count
                for row in bands:
                    assert np.isnan(row["per_100_days"]) == (row["person_days"] == 0)


def rows_of(rates: list[dict[str, Any]], lag: float, event: str) -> list[dict[str, Any]]:
    return [row for row in rates if row["lag_h"] == lag and row["end_event"] == event]


def test_the_days_for_emulation_are_the_time_at_risk() -> None:
    """One row a begun day; the last day holds the end, and the dose is that of the day before."""
    rows = measured(
        "anakinra_mas", *STORM, infusion(0, 100), stay(-10, 320), culture("growth", 130, COLI),
        only="emulation",
    )  # fmt: skip
    assert [row["period"] for row in rows] == [0, 1, 2, 3]
    assert [row["treatment"] for row in rows] == [1, 1, 1, 0]
    assert [row["outcome"] for row in rows] == [0, 0, 0, 1]
    assert [row["risk_ended"] for row in rows] == [0, 0, 0, 0]
    assert [row["eligible"] for row in rows] == [0, 0, 0, 0]
    assert rows[0]["dose_24h"] == 2400


def test_without_a_sample_for_culture_nobody_knows_of_an_infection() -> None:
    """Of like patients one had a blood culture without growth: only her days are days without an infection."""
    rows = (infusion(0, 200), stay(-10, 300))
    rule = protocol.load("anakinra_mas").person_time
    assert rule is not None
    for taken, looked, mark in (
        ([culture("no growth", 100, "")], True, 0),
        ([], False, -1),
        ([culture("cancelled", 100, "")], False, -1),
    ):
        found = measured("anakinra_mas", *STORM, *rows, *taken, only="person_time")
        assert {row["infected"] for row in found} == {mark}
        frame = Frame.of_rows(PERSON_TIME, found)
        total = next(row for row in event_rates(frame, rule).rows() if row["metric"] == "all")
        assert (total["persons_at_risk"], total["persons_unknown"]) == (looked, not looked)
        assert total["person_days"] == pytest.approx((300 - 48) / 24 if looked else 0)
        assert np.isnan(total["per_100_days"]) is not looked or total["per_100_days"] == 0
        days = measured("anakinra_mas", *STORM, *rows, *taken, only="emulation")
        assert {row["outcome"] for row in days} == {mark}


@pytest.mark.parametrize(
    "other",
    [culture("pending", 100), culture("", 100), culture("growth", 100, "Keim 3"), culture("growth", 100, COLI, "Probe 7")],
)  # fmt: skip
def test_what_may_be_an_infection_ends_the_time_and_is_no_no(other: Row) -> None:
    """Nobody knows what ended it: the event is possible, and the interval goes up to what it would be with it."""
    looked = culture("no growth", 60)
    rows = (infusion(0, 200), stay(-10, 300), looked, other, culture("growth", 150, COLI))
    assert span(*rows) == (48, 100, "possible infection")
    found = measured("anakinra_mas", *STORM, *rows, only="person_time")
    last = [row for row in found if row["ended_by"]]
    assert {row["infected"] for row in last} == {-1}
    assert {row["infected"] for row in found if not row["ended_by"]} == {0}
    rule = protocol.load("anakinra_mas").person_time
    assert rule is not None
    infections, deaths = list(event_rates(Frame.of_rows(PERSON_TIME, found), rule).rows())[:2]
    assert (infections["persons_at_risk"], infections["persons_unknown"]) == (1, 0)
    assert (infections["events"], infections["events_possible"]) == (0, 1)
    days = (100 - 48) / 24
    rates = (infections["per_100_days"], infections["per_100_days_high"])
    assert rates == pytest.approx((0, 100 / days))
    one, none = stats.rate(1, days), stats.rate(0, days)
    assert one is not None and none is not None
    assert infections["rate_high"] == pytest.approx(100 * one[1])
    assert infections["rate_low"] == 0
    assert (deaths["events_possible"], deaths["rate_high"]) == (0, pytest.approx(100 * none[1]))
    by_day = measured("anakinra_mas", *STORM, *rows, only="emulation")
    assert [row["outcome"] for row in by_day] == [0, 0, -1]
    assert [row["risk_ended"] for row in by_day] == [0, 0, 1]


def test_what_may_be_an_infection_at_the_begin_of_the_risk_leaves_all_of_it_unknown() -> None:
    """A pathogen with a date alone, on the day in which the risk begins, or without any date."""
    rows = (infusion(0, 200), stay(-10, 300), culture("no growth", 60))
    late = infusion(0.5, 200)
    for begun, other, marks in (
        (rows[0], culture("growth", 48, COLI, date_only=True), {-1}),
        (rows[0], culture("growth", 24, COLI, date_only=True), {0}),
        (rows[0], culture("growth", None, COLI), {-1}),
        (rows[0], culture("growth", None, "Candida albicans"), {0}),
        (rows[0], culture("pending", 48), {0}),
        (late, culture("growth", 48, COLI, date_only=True), {-1}),
    ):
        found = at_risk(begun, *rows[1:], other)
        assert {row["infected"] for row in found} == marks, other
        assert found[-1]["ended_by"] == "discharge"


def test_a_protocol_without_a_drug_counts_all_time_together() -> None:
    """From 48 h after the index to the first infection, death or discharge."""
    rows = measured(
        "hyperinflammation",
        *STORM,
        stay(-10, 200),
        culture("growth", 150, COLI),
        only="person_time",
    )
    assert [(row["dose_24h_band"], row["ended_by"]) for row in rows] == [
        ("all", "bacterial infection")
    ]
