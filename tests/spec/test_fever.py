"""Sustained fever: hours at or above 38.0 °C in each 24 h, and how densely it was looked for.

Whether a patient was febrile is asked of hours, not of single readings. A temperature stands until the
next one, at most as long as the vocabulary lets it. Day 1 is the first 24 h from time zero, day 0 the
24 h before it.
"""

import math
from typing import Any

from becalm.measures.fever import fever
from becalm.timeline import Intervals
from tests.records import at
from tests.spec.patients import Patients, patients

Row = dict[str, Any]


def days(table: str, **known: Any) -> dict[int, Row]:
    given: Patients = patients(table, **known)
    found = fever(given.cohort, given.events, given.modifiers)
    return {row["day"]: row for row in found.rows()}


def hours(row: Row) -> tuple[float, float, float]:
    """Hours febrile, afebrile and unknown."""
    return row["hours_febrile"], row["hours_afebrile"], row["hours_unknown"]


def test_a_temperature_stands_until_the_next() -> None:
    """38.5 at the start of a day and 37.2 ten hours later are ten hours of fever and fourteen without."""
    found = days("hour | temperature\n 0 | 38.5\n 10 | 37.2")[1]
    assert hours(found) == (10, 14, 0)
    assert found["measurements"] == 2


def test_38_0_is_fever_and_37_9_is_not() -> None:
    """The bound itself counts: 38.0 °C is febrile, 37.9 °C is not."""
    assert hours(days("hour | temperature\n 0 | 38.0")[1]) == (24, 0, 0)
    assert hours(days("hour | temperature\n 0 | 37.9")[1]) == (0, 24, 0)


def test_a_temperature_expires_and_then_nothing_is_known() -> None:
    """A single 38.5 stands for 24 h. The day after has no hour of fever and no hour without: it is unknown."""
    found = days("hour | temperature\n -12 | 38.5")
    assert hours(found[0]) == (12, 0, 12)
    assert hours(found[1]) == (12, 0, 12)
    assert hours(found[2]) == (0, 0, 24)
    assert found[2]["measurements"] == 0
    assert math.isnan(found[2]["highest"])


def test_nobody_without_a_thermometer_is_afebrile() -> None:
    """Of a patient without any temperature every hour of every day is unknown."""
    found = days("")
    assert len(found) == 15
    assert {hours(row) for row in found.values()} == {(0, 0, 24)}
    assert {row["longest_gap_h"] for row in found.values()} == {24}


def test_how_densely_it_was_measured_stands_beside_it() -> None:
    """Readings at 1, 2 and 20 h of a day leave 18 h without one, the longest gap; the ends of the day bound a gap too."""
    found = days("hour | temperature\n 1 | 38.1\n 2 | 38.2\n 20 | 38.3\n 25 | 37.0")
    assert (found[1]["measurements"], found[1]["longest_gap_h"]) == (3, 18)
    assert (found[2]["measurements"], found[2]["longest_gap_h"]) == (1, 23)
    assert found[1]["highest"] == 38.3


def test_a_value_on_either_side_of_the_bound_is_unknown() -> None:
    """`>37.0` may or may not be a fever: its hours are unknown. `>38.0` is certainly one."""
    assert hours(days("hour | temperature\n 0 | >37.0")[1]) == (0, 0, 24)
    assert hours(days("hour | temperature\n 0 | >38.0")[1]) == (24, 0, 0)


def test_a_day_ends_with_death_and_with_the_records() -> None:
    """Somebody who dies at 30 h has six hours of day 2 and no day 3; who was seen for 40 h has sixteen."""
    table = "hour | temperature\n 0 | 39.0\n 20 | 39.0"
    dead = days(table, death_time=30)
    assert (dead[2]["hours_observed"], hours(dead[2])) == (6, (6, 0, 0))
    assert 3 not in dead
    seen = days(table, end_of_records=40)
    assert (seen[2]["hours_observed"], hours(seen[2])) == (16, (16, 0, 0))
    assert 3 not in seen


def test_what_hides_a_fever_is_named_beside_the_day() -> None:
    """An antipyretic, renal replacement or tocilizumab that ran at a reading is named; the hours stand as measured."""
    running = {"temperature": [("antipyretic", Intervals.build([0], [at(0)], [at(2)]))]}
    found = days("hour | temperature\n 1 | 37.0\n 30 | 37.0", modifiers=running)
    assert found[1]["modified_by"] == "antipyretic"
    assert found[2]["modified_by"] == ""
    assert hours(found[1])[0] == 0


def test_every_day_names_its_rows_and_the_one_that_stood_when_it_began() -> None:
    """The reading of the evening before still stands in the morning, so it is among the day's rows."""
    given = patients("hour | temperature\n -3 | 38.5\n 10 | 37.2")
    found = fever(given.cohort, given.events, {})
    rows = {row["day"]: row["source_row"].split("|") for row in found.rows()}
    assert len(rows[0]) == 1
    assert rows[1][0] == rows[0][0]
    assert len(rows[1]) == 2
    assert rows[2] == [rows[1][1]]
