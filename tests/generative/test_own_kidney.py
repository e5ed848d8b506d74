"""How a clearance is known at every minute equals a plain look through the draws and the courses of replacement."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.clock import MINUTE
from becalm.measures.exposure.own_kidney import STATES, KnownClearance, own_kidney
from becalm.timeline import Intervals
from tests.reference import exposure as slow

VALID = 12
END = 60
minutes = st.integers(0, END - 1)


@st.composite
def courses(draw: st.DrawFn) -> list[tuple[int, int]]:
    edges = sorted(draw(st.lists(minutes, min_size=2, max_size=6, unique=True)))
    return list(zip(edges[::2], edges[1::2], strict=False))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.lists(st.integers(-20, END + 20), max_size=6, unique=True),
    courses(),
    st.integers(0, 20),
)
def test_every_minute_is_known_as_a_plain_look_says(
    drawn: list[int], replaced: list[tuple[int, int]], start: int
) -> None:
    told = sorted(d for d in drawn if not any(a <= d < b for a, b in replaced))
    time = np.array(told, np.int64) * MINUTE
    value = np.arange(1.0, len(told) + 1)
    known = KnownClearance(time, value * 10, value * 9, value * 11, np.arange(len(told)))
    zones = Intervals.build(
        np.zeros(len(replaced), np.int32),
        np.array([a for a, _ in replaced], np.int64) * MINUTE,
        np.array([b for _, b in replaced], np.int64) * MINUTE,
    )
    found = own_kidney(
        known, zones, start * MINUTE, END * MINUTE, valid=VALID * MINUTE, assumed=3.0
    )
    expected = slow.states(told, replaced, start, END, VALID)
    for minute, (state, at) in zip(range(start, END), expected, strict=True):
        here = int(np.searchsorted(found.time, minute * MINUTE, side="right")) - 1
        assert STATES[found.state[here]] == state
        assert found.draw[here] == (-1 if at is None else at)
        if state == "renal replacement":
            begun = [a for a, _ in replaced if a <= minute][-1]
            before = [n for n, d in enumerate(told) if d <= begun]
            highest = max(3.0, value[before[-1]] * 11 if before else 3.0)
            assert (found.middle[here], found.low[here], found.high[here]) == (3.0, 0.0, highest)
        elif state == "unknown":
            assert np.isnan(found.middle[here])
        else:
            assert (found.middle[here], found.low[here]) == (value[at] * 10, value[at] * 9)
