"""Resolution, relapse and later storms of generated courses equal the rule asked of every window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from becalm import protocol
from becalm.core.clock import UNKNOWN_TIME
from becalm.measures import recurrences
from becalm.measures.relapse import Course, DrawnValues, Onset, judge
from tests.reference import relapse as slow
from tests.reference.relapse import DAY, HOUR, QUIET, Told, Value

RULES = protocol.load("anakinra_mas")
INF = float("inf")


def exact(*values: float) -> st.SearchStrategy[tuple[float, float]]:
    return st.sampled_from([(value, value) for value in values])


MOMENTS = st.builds(
    lambda day, hour, minute: day * DAY + hour * HOUR + minute * 60_000_000,
    st.integers(0, 45), st.sampled_from([0, 0, 6, 12, 23]), st.sampled_from([-1, 0, 0, 0, 1]),
)  # fmt: skip
TEMPERATURES = exact(36.5, 37.0, 37.9, 38.0, 38.5)
FERRITINS = st.one_of(
    exact(100, 400, 500, 900, 1000, 1900, 2000, 4000, 8000, 20_000),
    st.sampled_from([(10_000.0, INF), (0.0, 500.0)]),
)
LASTS = st.sampled_from([0, 0, DAY - 1])
"""Of an infection with a date alone any moment of that day may be the onset."""
PLATELETS = exact(40, 100, 199, 200.01, 300, 301)


def draws(
    what: st.SearchStrategy[tuple[float, float]], most: int
) -> st.SearchStrategy[list[Value]]:
    """Values of one test, sorted, no two at one time."""
    pairs = st.dictionaries(MOMENTS, what, max_size=most)
    return pairs.map(lambda found: sorted((at, *ends) for at, ends in found.items()))


@st.composite
def daily(draw: st.DrawFn) -> list[Value]:
    """Temperatures of every day of a stay: cool, with a day or two left out or with fever."""
    days, odd = draw(st.integers(5, 40)), draw(st.sets(st.integers(0, 40), max_size=3))
    fever = draw(st.sets(st.integers(0, 40), max_size=2))
    return [
        (day * DAY, *((38.6, 38.6) if day in fever else (37.0, 37.0)))
        for day in range(days)
        if day not in odd
    ]


@st.composite
def told(draw: st.DrawFn) -> Told:
    spans = draw(st.lists(st.tuples(MOMENTS, st.integers(1, 5 * DAY)), max_size=3))
    return Told(
        temperature=draw(st.one_of(daily(), draws(TEMPERATURES, 12))),
        ferritin=draw(draws(FERRITINS, 7)),
        platelets=draw(draws(PLATELETS, 5)),
        rescues=sorted(draw(st.lists(MOMENTS, max_size=3))),
        definite=sorted((start, start + length) for start, length in spans),
        infections=draw(
            st.lists(st.builds(lambda at, lasts: (at, at + lasts), MOMENTS, LASTS), max_size=2)
        ),
        last_seen=draw(MOMENTS) + 10 * DAY,
        earlier_peak=draw(st.sampled_from([0.0, 8000.0, 100_000.0])),
    )


def values(found: Sequence[Value], first_row: int, until: int) -> DrawnValues:
    kept = [each for each in found if each[0] <= until]
    time = np.array([each[0] for each in kept], np.int64)
    low, high = (np.array([each[i] for each in kept], np.float64) for i in (1, 2))
    return DrawnValues(time, low, high, np.arange(len(kept)) + first_row)


def as_read(case: Told) -> Told:
    """Return what is known until the last contact."""

    def until(found: Sequence[Value]) -> list[Value]:
        return [each for each in found if 0 <= each[0] <= case.last_seen]

    rescues = [each for each in case.rescues if each >= 0]
    return Told(until(case.temperature), until(case.ferritin), until(case.platelets), rescues,
                case.definite, case.infections, case.last_seen, case.earlier_peak)  # fmt: skip


@settings(max_examples=250)
@given(case=told())
@example(
    Told(  # A day without a temperature, then a week in which every day has one.
        [(day * DAY, 37.0, 37.0) for day in range(20) if day != 2], [(0, 100.0, 100.0)], [], [], [], [], 30 * DAY, 8000.0,
    )
)  # fmt: skip
@example(
    Told(  # 4,000 is a fifth of a peak that comes only weeks later.
        [(day * DAY, 37.0, 37.0) for day in range(40)], [(0, 4000.0, 4000.0), (20 * DAY, 20_000.0, 20_000.0)], [], [], [],
        [], 45 * DAY, 8000.0,
    )
)  # fmt: skip
def test_resolution_and_relapse_are_those_of_every_window(case: Told) -> None:
    case = as_read(case)
    rule, quiet = RULES.relapse, RULES.outcome.resolution_min
    assert rule is not None and quiet is not None
    found = judge(
        Course(
            t0=0, last_seen=case.last_seen, temperature=values(case.temperature, 100, case.last_seen),
            ferritin=values(case.ferritin, 200, case.last_seen), platelets=values(case.platelets, 300, case.last_seen),
            earlier_peak=case.earlier_peak, rescues=case.rescues, definite=case.definite,
            infections=[Onset(first, last) for first, last in case.infections],
        ),
        rule, quiet.us,
    )  # fmt: skip
    word, over = slow.resolution(case)
    assert (found.resolution, found.resolution_time) == (
        word,
        UNKNOWN_TIME if over is None else over,
    )
    word, time = slow.relapse(case)
    assert (found.relapse, found.relapse_time) == (word, UNKNOWN_TIME if time is None else time)
    if over is not None:
        assert recurrences.later(case.definite, over, QUIET) == slow.later_storms(case, over)
