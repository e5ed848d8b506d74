"""Bands of dose over time equal the sum of each dose, at moments of every stretch."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.clock import HOUR, Length
from becalm.measures.dose_history import DoseHistory, labels
from becalm.measures.person_time import Risk, bands_of, counting_process
from becalm.protocol import PersonTime
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
