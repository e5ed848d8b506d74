"""Bands of dose over time equal the sum of each dose, at moments of every stretch."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.clock import HOUR, UNKNOWN_TIME, Length
from becalm.core.frame import Frame
from becalm.measures.dose_history import DoseHistory, labels
from becalm.measures.person_time import ENDS, Risk, bands_of, counting_process, first_growth
from becalm.protocol import PersonTime
from becalm.tables import INFECTIONS
from becalm.timeline import Cumulative, Intervals, Points, overlay
from tests.reference import person_time as slow

RULE = PersonTime(
    from_t0=Length("48h"),
    after_last_dose=Length("14d"),
    lags=(Length("0h"), Length("24h"), Length("48h")),
    bands_24h=(400, 1200),
    high_24h=1200,
    bands_days_high=(1, 2),
    bands_cumulative=(2000, 5000),
)
HOURS = st.integers(-30, 150)
DOSES = st.lists(
    st.one_of(
        st.tuples(HOURS, st.just(0), st.sampled_from([100.0, 400.0, 600.0])),
        st.tuples(HOURS, st.integers(1, 40), st.sampled_from([12.5, 25.0, 50.0, 100.0])),
    ),
    max_size=6,
)


def history(doses: list[tuple[int, int, float]]) -> DoseHistory:
    """The history of one person: (start, hours, rate in mg/h), or a bolus where hours is 0."""
    flow = [(start, start + length, rate) for start, length, rate in doses if length]
    bolus = [(start, dose) for start, length, dose in doses if not length]
    zeros = np.zeros
    line = overlay(
        zeros(len(flow), int),
        np.array([each[0] * HOUR for each in flow], np.int64),
        np.array([each[1] * HOUR for each in flow], np.int64),
        np.array([each[2] for each in flow], float),
    )
    points = Points.of_doses(
        zeros(len(bolus), np.int32),
        np.array([each[0] * HOUR for each in bolus], np.int64),
        np.array([each[1] for each in bolus], float),
        np.arange(len(bolus)),
    )
    amounts = Cumulative.build(line, points)
    person, t0 = np.zeros(1, np.int32), np.zeros(1, np.int64)
    return DoseHistory(person, t0, amounts, Intervals.empty(), RULE)


@settings(max_examples=60)
@given(doses=DOSES, end=st.integers(49, 200))
def test_every_stretch_has_the_bands_of_a_plain_sum(
    doses: list[tuple[int, int, float]], end: int
) -> None:
    """At the middle of each stretch; the stretches fill the time at risk without gaps or repetition."""
    risk = Risk.of(
        np.zeros(1, np.int32),
        np.zeros(1, np.int64),
        RULE,
        {"death": np.array([end * HOUR])},
    )
    frame = counting_process(risk, history(doses), RULE)
    plain = [(s, s + n, rate * n if n else rate) for s, n, rate in doses]
    edges = bands_of(RULE)
    for lag in (0, 24, 48):
        rows = list(frame.take(frame["lag_h"] == lag).rows())
        assert rows[0]["start_h"] == 48
        assert rows[-1]["stop_h"] == end
        assert [row["ended_by"] for row in rows] == [""] * (len(rows) - 1) + ["death"]
        told = []
        for row, following in zip(rows, [*rows[1:], None], strict=True):
            assert following is None or following["start_h"] == row["stop_h"]
            when = (row["start_h"] + row["stop_h"]) / 2 - lag
            begin = row["start_h"] - lag
            bands = tuple(row[f"{name}_band"] for name in edges)
            told.append(bands)
            day = slow.amount(plain, when - 24, when)
            assert bands[0] == labels(RULE.bands_24h)[slow.band(day, RULE.bands_24h)]
            total = slow.cumulative(plain, when)
            assert (
                bands[2] == labels(RULE.bands_cumulative)[slow.band(total, RULE.bands_cumulative)]
            )
            assert row["dose_24h"] == np.round(row["dose_24h"], 6)
            assert abs(row["dose_24h"] - slow.amount(plain, begin - 24, begin)) < 1e-5
            assert abs(row["cumulative"] - slow.cumulative(plain, begin)) < 1e-5
            high = slow.days_high(plain, when, RULE.high_24h)
            near = min(abs(high - edge) for edge in (0, *RULE.bands_days_high))
            if near > 3 * slow.SCAN / 24:
                assert (
                    bands[1] == labels(RULE.bands_days_high)[slow.band(high, RULE.bands_days_high)]
                )
        assert all(one != two for one, two in pairwise(told))


@settings(max_examples=150)
@given(
    st.lists(st.dictionaries(st.sampled_from(slow.ENDS), st.sampled_from([0, 47, 48, 49, 60, 100])))
)
def test_the_first_of_all_ends_is_the_end(people: list[dict[str, float]]) -> None:
    """Of several persons at once; an end that nobody knows ends nothing."""
    assert slow.ENDS == ENDS
    ends = {
        why: np.array([UNKNOWN_TIME if why not in each else int(each[why]) * HOUR for each in people], np.int64)
        for why in ENDS
    }  # fmt: skip
    zeros = np.zeros(len(people), np.int64)
    risk = Risk.of(np.arange(len(people), dtype=np.int32), zeros, RULE, ends)
    for at, each in enumerate(people):
        expected = slow.at_risk(each, 48)
        assert bool(risk.begun[at]) is (expected is not None)
        if expected is not None:
            assert (risk.end[at] / HOUR, risk.ended_by[at]) == expected


ANSWER = st.sampled_from([True, False, None])
SAMPLE = st.tuples(
    st.sampled_from([24.0, 47.0, 48.0, 49.0, 72.0, 100.0, None]), st.booleans(), ANSWER, ANSWER,
    st.sampled_from(["bacterial", "bacterial", "not understood", "fungal"]),
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(st.lists(SAMPLE, max_size=4), min_size=1, max_size=3))
def test_the_first_infection_and_what_may_be_one(
    people: list[list[tuple[float | None, bool, bool | None, bool | None, str]]],
) -> None:
    """By the hour or the day of each sample; one without any time may be from before the risk."""
    rows = [
        {
            "person_id": f"P{who}", "onset": UNKNOWN_TIME if hour is None else int(hour) * HOUR,
            "onset_is": "unknown" if hour is None else "date" if dated else "exact", "counts": counts,
            "new_onset": new, "class": kind,
        }
        for who, samples in enumerate(people)
        for hour, dated, counts, new, kind in samples
    ]  # fmt: skip
    cohort = Frame(
        {
            "person_id": np.array([f"P{who}" for who in range(len(people))], object),
            "t0": np.zeros(len(people), np.int64),
        }
    )
    found = first_growth(Frame.of_rows(INFECTIONS, rows), cohort, RULE)
    for who, samples in enumerate(people):
        plain = [
            (-1e9, 1e9, counts, new, kind)
            if hour is None
            else (hour, hour + (24 - 1 / 3600 if dated else 0), counts, new, kind)
            for hour, dated, counts, new, kind in samples
        ]
        certain, possible, across = slow.first_growth(plain, 48)
        told = [
            None if at == UNKNOWN_TIME else at / HOUR
            for at in (int(found.certain[who]), int(found.possible[who]))
        ]
        assert (*told, bool(found.unknown[who])) == (certain, possible, across)
