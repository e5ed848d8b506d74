"""Diagnoses as the records code them, and what ships about a background."""

import numpy as np
import pytest

from becalm.core.arrays import FAR_FUTURE, FAR_PAST
from becalm.core.clock import Length
from becalm.patients import immunosuppression
from becalm.persons import stays
from becalm.persons.diagnoses import diagnoses, has, rules, underlying
from becalm.persons.stays import admissions
from tests.records import Row, V, at, condition, lab, person, records, stay


def test_the_shipped_rules_name_what_exists() -> None:
    """A misspelt drug would stand for one day instead of a month."""
    rule = immunosuppression.rules()
    suppressing = {drug.name for drug in V.drugs if drug.immunosuppressant}
    assert set(rule.dose_stands_for) <= suppressing
    conditions = {each.name for each in V.conditions}
    assert {*rules().underlying, *rules().lifelong, *rule.conditions} <= conditions
    for text in (rule.within, rule.illness, rule.finding_valid, rules().recorded_after):
        assert Length(text).us > 0


def test_a_diagnosis_is_known_under_its_wider_names_too() -> None:
    found = diagnoses(records(condition("lupus", 5), condition("gout")), V)
    assert [(row["condition"], row["row"]) for row in found.rows()] == [
        ("sle", 1),
        ("autoimmune", 1),
    ]


@pytest.mark.parametrize(
    ("row", "first", "last"),
    [
        (condition("lupus", 5), at(5), at(5)),
        (condition("lupus"), FAR_PAST, FAR_FUTURE),
        (condition("lupus", stay_id="S1"), at(10), at(20)),
        (condition("lupus", 5, stay_id="S1"), at(5), at(5)),
        (condition("lupus", stay_id="open"), at(30), FAR_FUTURE),
        (condition("lupus", stay_id="unheard of"), FAR_PAST, FAR_FUTURE),
    ],
)
def test_when_a_diagnosis_may_have_been_recorded(row: Row, first: int, last: int) -> None:
    """At its onset; else during the stay it was coded for; else at any time."""
    found = diagnoses(records(row, stay(10, 20), stay(30, None, "open")), V)
    assert (found["first"][0], found["last"][0]) == (first, last)


@pytest.mark.parametrize(
    ("parts", "first", "last"),
    [
        ([(10, 20, "ward"), (20, 30, "ICU")], at(10), at(30)),
        ([(20, 30, "ICU"), (10, 20, "ward")], at(10), at(30)),
        ([(10, 20, "ward"), (20, None, "ICU")], at(10), FAR_FUTURE),
        ([(5, 10, "ED"), (10, 20, "hospital")], at(10), at(20)),
        ([(5, 10, "ED")], at(5), at(10)),
    ],
)
def test_rows_of_one_name_are_one_stay(
    parts: list[tuple[float, float | None, str]], first: int, last: int
) -> None:
    """From the first start to the last end; the hours in an emergency department before are not part of it."""
    rows = [stay(start, end, "S1", kind) for start, end, kind in parts]
    found = diagnoses(records(condition("lupus", stay_id="S1"), *rows), V)
    assert (found["first"][0], found["last"][0]) == (first, last)


def test_a_stay_of_another_person_says_nothing() -> None:
    """Two patients may each have a stay called 1."""
    rows = [person("a"), person("b"), stay(10, 20, "1"), condition("lupus", stay_id="1", person=1)]
    assert diagnoses(records(*rows), V)["first"][0] == FAR_PAST


def test_only_what_is_confirmed_is_there() -> None:
    statuses = ("confirmed", "", "suspected", "excluded")
    rows = [condition("lupus", status=each, person=i) for i, each in enumerate(statuses)]
    found = diagnoses(records(*(person(f"P{i}") for i in range(4)), *rows), V)
    assert has(found, ["sle"], 4).tolist() == [True, True, False, False]
    assert underlying(found, 4) == ["sle", "sle", "", ""]
    assert not has(found, [], 4).any()


def test_bounds_that_are_not_known_are_no_bounds() -> None:
    found = diagnoses(records(condition("lupus", 5)), V)
    unknown, before = np.array([at(None)]), np.array([at(4)])
    assert has(found, ["sle"], 1, since=unknown, until=unknown).all()
    assert not has(found, ["sle"], 1, until=before).any()
    assert has(found, ["sle"], 1, since=before).all()


def test_stays_a_day_apart_are_one_admission() -> None:
    rows = [stay(0, 10), stay(34, 40), stay(64.1, 70), stay(200, 201, kind="outpatient")]
    found = admissions(records(*rows))
    assert found.start.tolist() == [at(0), at(64.1)]
    assert found.end.tolist() == [at(40), at(70)]


def test_a_last_stay_without_an_end_goes_on() -> None:
    """Until the end of the records; of an earlier one only the beginning is known."""
    still_in = admissions(records(stay(0, None), lab("ast", 30, 99)))
    assert still_in.end.tolist() == [at(99)]
    left = admissions(records(stay(0, None), stay(500, 510, "S2"), lab("ast", 30, 600)))
    assert left.end.tolist() == [at(1), at(510)]


def test_nobody_with_anything() -> None:
    empty = records(person("a"), person("b"))
    assert len(admissions(empty)) == 0
    assert underlying(diagnoses(empty, V), 2) == ["", ""]
    nobody = np.empty(0, np.int32), np.empty(0, np.int64)
    assert len(stays.discharges(empty, *nobody)) == 0
    assert len(stays.transferred_in(empty, *nobody, 5)) == 0
