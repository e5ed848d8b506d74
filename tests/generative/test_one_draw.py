"""Reports of one draw, of many patients at once, are those of one report at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.clock import HOUR
from becalm.events import harmonise
from becalm.timeline import Points
from becalm.timeline.points import Take
from becalm.vocabulary import load, reports
from tests.records import at, lab, patient, records
from tests.reference import one_draw as slow
from tests.reference.one_draw import Report

SAYS = {
    "": reports.NOTHING,
    "preliminary": reports.PRELIMINARY,
    "final": reports.FINAL,
    "corrects": reports.CORRECTS,
}
REPORTS = st.builds(
    lambda drawn, later, value, says: Report(drawn, drawn + later, value, says),
    st.integers(0, 6),
    st.integers(0, 5),
    st.sampled_from([300.0, 400.0, 500.0, 9000.0]),
    st.sampled_from(["", "", "corrects", "preliminary", "final"]),
)
PEOPLE = st.lists(st.lists(REPORTS, max_size=7), min_size=1, max_size=3)


def points(people: list[list[Report]], clock: Any) -> Points:
    rows = [
        row
        for who, mine in enumerate(people)
        for row in patient(
            f"P{who}",
            *(
                lab(
                    "ferritin",
                    each.value,
                    each.drawn,
                    available=each.available,
                    report=SAYS[each.says],
                )
                for each in mine
            ),
        )
    ]
    return harmonise(records(*rows), load()).points("ferritin", clock)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(PEOPLE)
def test_by_the_draws_the_last_report_decides(people: list[list[Report]]) -> None:
    found = points(people, "drawn")
    expected = [
        (who, at(drawn), *bounds)
        for who, mine in enumerate(people)
        for drawn, bounds in slow.on_the_drawn_clock(mine)
    ]
    columns = (found.person, found.time, found.low, found.high)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    assert found.replaced is None


@settings(max_examples=200, derandomize=True, deadline=None)
@given(PEOPLE, st.integers(1, 8), st.sampled_from(["last", "max", "min", "count"]))
def test_at_every_hour_the_look_back_holds_what_was_believed_then(
    people: list[list[Report]], within: int, take: Take
) -> None:
    line = points(people, "available").trailing(take, within * HOUR)
    for who, mine in enumerate(people):
        for hour in range(20):
            low, high = line.at(np.array([who], np.int32), np.array([at(hour)]))
            bounds = slow.trailing(mine, take, hour, within)
            assert (float(low[0]), float(high[0])) == (bounds or (-np.inf, np.inf))


@settings(max_examples=100, derandomize=True, deadline=None)
@given(PEOPLE, st.integers(1, 8))
def test_the_rows_behind_a_value_had_been_reported_and_not_replaced(
    people: list[list[Report]], within: int
) -> None:
    known = points(people, "available")
    line = known.trailing("max", within * HOUR)
    for who in range(len(people)):
        for hour in range(20):
            _, rows = line.evidence_at(np.array([who], np.int32), np.array([at(hour)]))
            standing = (known.time <= at(hour)) & (known.until > at(hour))
            assert set(rows.tolist()) <= set(known.row[standing].tolist())
