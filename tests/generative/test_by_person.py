"""Rows put by person come back in the order that sorting them all would give."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.clock import UNKNOWN_TIME
from becalm.records.by_person import _order

TIMES = st.one_of(
    st.integers(-5, 5),
    st.integers(-(10**16), 10**16),
    st.sampled_from([UNKNOWN_TIME, UNKNOWN_TIME + 1, 2**63 - 1]),
)
ROWS = st.lists(
    st.tuples(st.integers(0, 3), TIMES, st.integers(0, 2), st.integers(-2, 2)), max_size=40
)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(rows=ROWS)
def test_merging_runs_is_sorting_by_person_time_and_every_further_key(
    rows: list[tuple[int, int, int, int]],
) -> None:
    """Ties, unknown times, the far past and the far future included; equal rows keep their order."""
    person = np.array([row[0] for row in rows], np.uint8)
    keys = [np.array([row[i] for row in rows], np.int64) for i in (1, 2, 3)]
    expected = sorted(range(len(rows)), key=lambda i: rows[i])
    assert _order(person, keys).tolist() == expected
    only_time = sorted(range(len(rows)), key=lambda i: rows[i][:2])
    assert _order(person, keys[:1]).tolist() == only_time
