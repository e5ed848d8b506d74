"""Immunosuppression by a drug against a slow count of days, for random stays, tablets and ferritins."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records import Row, at, chunk, dose, lab, stay

DAY = 24
LEAD, WITHIN, ENOUGH, HIGH = 14 * DAY, 90, 28, 500


def joined(spans: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    whole: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1] + gap:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole


def anchor_of(hour: int, illnesses: list[tuple[int, int]], after: int) -> int | None:
    """When the illness that an hour belongs to had begun; the days before one are its own."""
    for i, (start, end) in enumerate(illnesses):
        last = end + after
        if i + 1 < len(illnesses):
            last = min(last, illnesses[i + 1][0] - LEAD)
        if start - LEAD <= hour < last:
            return start
    return None


def answer(
    hour: int, stays: list[tuple[int, int]], days: set[int], ferritins: list[tuple[int, int]]
) -> bool:
    inside = joined(stays, LEAD)
    high = [(at_, at_ + WITHIN * DAY) for at_, value in ferritins if value >= HIGH]
    begun = anchor_of(hour, inside, LEAD)
    if begun is None:
        begun = anchor_of(hour, joined([*inside, *high], 0), 0)
    day = (hour if begun is None else begun) // DAY
    return sum(day - WITHIN <= taken < day for taken in days) >= ENOUGH


@settings(derandomize=True, deadline=None, max_examples=120)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 40)), max_size=3),
    st.lists(st.tuples(st.integers(-150, 400), st.integers(20, 45)), max_size=3),
    st.lists(st.tuples(st.integers(0, 400 * DAY), st.sampled_from([499, 500, 9000])), max_size=3),
    st.lists(st.integers(-100 * DAY, 500 * DAY), min_size=5, max_size=12),
)
def test_days_of_a_drug_are_those_of_a_slow_count(
    stays: list[tuple[int, int]],
    courses: list[tuple[int, int]],
    ferritins: list[tuple[int, int]],
    asked: list[int],
) -> None:
    spans = [(day * DAY + 9, (day + length) * DAY + 9) for day, length in stays]
    days = {first + n for first, length in courses for n in range(length)}
    rows: list[Row] = [stay(*span, f"S{i}") for i, span in enumerate(spans)]
    rows += [dose("azathioprine", day * DAY + 12, amount="100 mg", route="PO") for day in days]
    rows += [lab("ferritin", value, hour) for hour, value in ferritins]
    known = chunk(*rows).immunosuppressed
    edges = {edge + move for begin, end in spans for edge in (begin, end, begin - LEAD, end + LEAD)
             for move in (-1, 0)}  # fmt: skip
    for hour in sorted({*asked, *edges}):
        low, _ = known.at([0], [at(float(hour))])
        wanted = 1.0 if answer(hour, spans, days, ferritins) else -np.inf
        assert low[0] == wanted, hour
