"""The worst stage of many patients at once is that of one moment at a time."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.kidney.over_time import StageOverTime
from becalm.timeline import Intervals, Points
from tests.reference.renal import DAY, HOUR, Known, on_replacement, worst_at

quickly = settings(max_examples=150, derandomize=True, deadline=None)

HOURS = st.sampled_from([0, 1, 6, 12, 23, 24, 25, 47, 48, 71, 72, 73, 96, 120, 144])
ARM = st.dictionaries(HOURS, st.integers(0, 3), max_size=5)
SESSIONS = st.lists(st.tuples(HOURS, st.sampled_from([1, 4, 24])), max_size=2)
PERSON = st.tuples(ARM, ARM, SESSIONS, SESSIONS)


def arm(people: list[dict[int, int]]) -> Points:
    rows = [(who, hour * HOUR, stage) for who, each in enumerate(people) for hour, stage in each.items()]  # fmt: skip
    return Points.build(*zip(*rows, strict=True)) if rows else Points.empty()


def spans(people: list[list[tuple[int, int]]]) -> Intervals:
    rows = [(who, begin * HOUR, (begin + length) * HOUR) for who, each in enumerate(people) for begin, length in each]  # fmt: skip
    return Intervals.build(*zip(*rows, strict=True)) if rows else Intervals.empty()


@quickly
@given(st.lists(PERSON, min_size=1, max_size=3))
def test_fast_and_slow_say_the_same_at_every_hour(
    people: list[
        tuple[dict[int, int], dict[int, int], list[tuple[int, int]], list[tuple[int, int]]]
    ],
) -> None:
    """Creatinine for 72 h, never over the begin of a course; urine for 24 h; replacement while it runs."""
    courses = spans([each[2] for each in people])
    creatinine = arm([each[0] for each in people])
    creatinine = creatinine.take(~courses.contains(creatinine.person, creatinine.time))
    found = StageOverTime.of(
        creatinine,
        arm([each[1] for each in people]),
        courses,
        spans([each[3] for each in people]),
        valid=3 * DAY,
        longest_gap=DAY,
        worst=3,
    )
    hours = np.arange(0, 300) * HOUR
    for who, (drawn, charted, sessions, dated) in enumerate(people):
        runs = [(begin * HOUR, (begin + length) * HOUR) for begin, length in sessions]
        days = [(begin * HOUR, (begin + length) * HOUR) for begin, length in dated]
        values = [Known(h * HOUR, s) for h, s in drawn.items() if not on_replacement(runs, h * HOUR)]  # fmt: skip
        volumes = [Known(h * HOUR, s) for h, s in charted.items()]
        low, high = found.worst.at(np.full(len(hours), who, np.int32), hours)
        for hour, least, most in zip(hours.tolist(), low.tolist(), high.tolist(), strict=True):
            expected = worst_at(hour, values, volumes, runs, days)
            assert (least, most) == (expected or (-np.inf, np.inf)), hour / HOUR
