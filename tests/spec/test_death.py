"""Death ends the clock: nothing after it counts, and a death that other rows contradict is nobody's to decide."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import becalm
from becalm.core.clock import HOUR, parse
from becalm.core.frame import Frame
from becalm.persons.death import LATER_CONTACT, STAY_BEGINS, STAY_ENDS, Alive, Deaths, disputes
from becalm.persons.lifetime import AFTER_DEATH, AFTER_DISPUTED_DEATH, BEFORE_BIRTH
from tests.records import (
    Row,
    chunk,
    condition,
    culture,
    dose,
    entered,
    finding,
    hours,
    infusion,
    lab,
    left,
    person,
    procedure,
    records,
    sheets,
    stay,
)

CASES = Path(__file__).parents[3] / "shared" / "cases"
MIMIC = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
MINUTE = 1 / 60
DAY = 24.0


def ran(folder: str, protocol: str) -> Any:
    return becalm.run(becalm.open_records(str(CASES / folder)), protocol=protocol).result


def rows(result: Any, table: str, **having: Any) -> list[Mapping[str, Any]]:
    found = result.tables[table].rows()
    return [row for row in found if all(row[name] == value for name, value in having.items())]


def refused(*said: Row) -> list[tuple[str, str, int]]:
    """Return table, reason and number of the rows that a chunk refuses."""
    return sorted((each.source_table, each.reason, each.rows) for each in chunk(*said).refused)


@needs_cases
def test_nobody_enters_by_blood_drawn_after_death() -> None:
    """Three people whose only results were drawn 27 hours and more after they died do not enter."""
    result = ran("deaths-then-measurements", "hyperinflammation")
    assert rows(result, "persons") == []
    late = rows(result, "rows_refused", reason=AFTER_DEATH)
    assert sum(row["rows"] for row in late) == 30
    assert rows(result, "attrition")[-1]["persons"] == 0


@needs_cases
def test_who_died_before_the_second_day_has_no_value_then() -> None:
    """Samples charted after death are no fall of ferritin and no new kidney injury; of the living they are."""
    result = ran("deaths-response", "anakinra_mas")
    status = {
        row["person_id"]: (row["status"], row["h48"] == 4000)
        for row in rows(result, "response", variable="ferritin", clock="t0")
    }
    assert status == {
        "A": ("died before", False),
        "ALIVE": ("fell", True),
        "D": ("died before", False),
        "DD": ("died before", False),
    }
    kidney = {row["person_id"]: row["grade_after"] for row in rows(result, "safety", event="aki")}
    assert (kidney["D"], kidney["DD"], kidney["ALIVE"]) == (0, 0, 3)


@needs_cases
def test_a_contradicted_death_is_unknown_and_listed_with_both_rows() -> None:
    """Readmitted, seen alive or sent home later: nobody here decides. Dead by a later contact contradicts nothing."""
    result = ran("deaths-contradicted", "hyperinflammation")
    died = {row["person_id"]: row["died"] for row in rows(result, "outcome")}
    assert died == {"C1": None, "C2": None, "C3": None, "C4": None, "C5": True}
    listed = {
        (row["person_id"], row["claimed_row"], row["contradicted_row"], row["how"])
        for row in rows(result, "disputed_deaths")
    }
    assert listed == {
        ("C1", "persons:2", "stays:2", STAY_ENDS),
        ("C2", "persons:3", "stays:3", STAY_ENDS),
        ("C2", "persons:3", "persons:3", LATER_CONTACT),
        ("C3", "stays:4", "persons:4", LATER_CONTACT),
        ("C4", "persons:5", "stays:6", STAY_BEGINS),
    }
    assert [row["reason"] for row in rows(result, "rows_refused", variable="creatinine")] == [
        AFTER_DISPUTED_DEATH
    ]
    assert all(row["follow_up_days"] >= 0 for row in rows(result, "outcome"))


@needs_cases
def test_a_death_known_by_its_date_leaves_the_hour_open() -> None:
    """On the drug for part of that day: unknown. On it all day: yes. The doses of that day count."""
    result = ran("times-death-date", "anakinra_mas")
    assert {row["person_id"]: row["on_drug_at_death"] for row in rows(result, "outcome")} == {
        "A": None,
        "B": True,
    }
    given_mg = {row["person_id"]: row["cumulative_mg"] for row in rows(result, "episodes")}
    assert given_mg == {"A": pytest.approx(1600), "B": pytest.approx(8800)}


@needs_cases
def test_values_before_birth_are_refused() -> None:
    """A ferritin of 1999 is not one of somebody who was born in 2001."""
    result = ran("times-before-birth", "hyperinflammation")
    early = rows(result, "rows_refused", reason=BEFORE_BIRTH)
    assert sum(row["rows"] for row in early) == 4
    assert [row["person_id"] for row in rows(result, "persons")] == ["P2"]


AFTER: tuple[Row, ...] = (
    lab("ferritin", 99000, 60),
    lab("ferritin", 10, 61),
    lab("temperature", 41, 62),
    lab("creatinine", 9, 55),
    lab("weight", 90, 70),
    lab("crp", ">300", 59),
    finding("splenomegaly", "yes", 63),
    finding("haemophagocytosis", "yes", 64),
    procedure("CRRT", 56, 60),
    procedure("mechanical ventilation", 58),
    culture("growth", 57, "Escherichia coli"),
    dose("anakinra", 56, amount="100 mg", route="SC"),
    infusion(55, 70, 200),
    dose("dexamethasone", 60, amount="20 mg"),
    dose("tocilizumab", 65, amount="400 mg"),
)
"""Rows of every kind, each more than a minute after the death at 54 h."""

BEFORE: tuple[Row, ...] = (
    stay(-48, 54, kind="ICU", destination="died"),
    infusion(0, 60, 20),
    lab("ferritin", 20000, -1),
    lab("ferritin", 8000, 40),
    lab("temperature", 39.6, -1),
    lab("platelets", 40, -1),
    lab("haemoglobin", 8, -1),
    lab("ast", 300, -1),
    lab("triglycerides", 4.6, -1),
    lab("fibrinogen", 1, -1),
    lab("creatinine", 1, -20),
    lab("creatinine", 1.6, 20),
)
MAY_CHANGE = {
    # table: the columns that tell of refused rows
    "rows_refused": None,
    "doses": None,
    "dose_remarks": None,
    "dictionary": None,
    "values": {"n_refused"},
    "attrition": {"rows"},
    "criteria_items": {"reason"},
}


def comparable(tables: Mapping[str, Frame]) -> dict[str, list[dict[str, Any]]]:
    """Return the tables without what tells of refused rows; the doses that count among the others."""
    found = {}
    for name, frame in tables.items():
        unlike = MAY_CHANGE.get(name, set())
        if unlike is None:
            continue
        # A variable that only has refused rows is a row of the refusals.
        used = [row for row in frame.rows() if name != "values" or row["n"] > 0]
        lines = [{k: v for k, v in row.items() if k not in unlike} for row in used]
        found[name] = [{k: str(v) for k, v in line.items()} for line in lines]
    return found


def tables_of(*said: Row) -> Mapping[str, Frame]:
    with TemporaryDirectory() as folder:
        sheets(Path(folder), *said)
        study = becalm.run(becalm.open_records(folder), protocol="anakinra_mas")
    return study.result.tables


def life(by_date: bool) -> tuple[Row, ...]:
    death = "2020-01-02" if by_date else 54.0  # the day ends at 48 h, before the first late row
    who = person(death=death, age=50, age_at="2019-06-01", weight_kg=70.0)
    return who, *(row for row in BEFORE if not (by_date and row.table == "stays"))


@cache
def tables_without(by_date: bool) -> Mapping[str, Frame]:
    return tables_of(*life(by_date))


@given(late=st.lists(st.sampled_from(AFTER), min_size=4, unique_by=id), by_date=st.booleans())
@settings(max_examples=8)
def test_rows_after_death_change_nothing_but_the_refusals(late: list[Row], by_date: bool) -> None:
    """Measurements, findings, procedures, cultures and doses after a death: the same tables, and more refused rows."""
    without, tables = tables_without(by_date), tables_of(*life(by_date), *late)
    assert comparable(tables) == comparable(without)
    more = sum(row["rows"] for row in tables["rows_refused"].rows())
    assert more - sum(row["rows"] for row in without["rows_refused"].rows()) == len(late)


@pytest.mark.parametrize(
    ("death", "hour", "counts"),
    [
        (30.5, 30.5, True),
        (30.5, 30.5 - MINUTE, True),
        (30.5, 30.5 + MINUTE, False),
        ("2020-01-02", 24, True),
        ("2020-01-02", 48 - MINUTE, True),
        ("2020-01-02", 48, False),
        ("2020-01-02T00:00", 48 - MINUTE, True),
        (None, 9000, True),
    ],
)
def test_a_row_counts_to_the_minute_of_death_or_to_the_end_of_its_day(
    death: float | str | None, hour: float, counts: bool
) -> None:
    """Midnight as the time of a death is a date: the whole day counts."""
    said = (
        lab("ferritin", 900, hour),
        finding("splenomegaly", "yes", hour),
        procedure("CRRT", hour),
        culture("growth", hour),
    )
    found = refused(person(death=death), *said)
    assert found == ([] if counts else sorted((t, AFTER_DEATH, 1) for t in TABLES_OF))


TABLES_OF = ("labs", "findings", "procedures", "cultures")


def test_a_culture_collected_before_death_and_reported_after_it_counts() -> None:
    """What decides is when it was collected, drawn or begun."""
    reported = culture("growth", 20, available=90)
    drawn = lab("ferritin", 900, 20, available=90)
    urine = lab("urine_output", 300, 33, start=25)
    assert refused(person(death=30.5), reported, drawn, urine) == []


def test_a_result_that_was_ready_after_death_opens_no_index() -> None:
    """Nobody could know it while the patient lived."""
    said = (lab("ferritin", 900, 20, available=40), lab("temperature", 39, 20))
    assert left("hyperinflammation", person(death=50), *said) == [""]
    assert left("hyperinflammation", person(death=30.5), *said) == ["no index hour"]


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ((stay(55, 80, destination="home"),), [STAY_BEGINS]),
        ((stay(10, 80, destination="home"),), [STAY_ENDS]),
        ((stay(10, 80, destination="transfer"),), [STAY_ENDS]),
        ((stay(10, 80),), []),
        ((stay(10, 80, destination="died"),), []),
        ((stay(10, 54, destination="home"),), []),
        ((stay(54, 80),), []),
        ((stay(54 + MINUTE, 80),), [STAY_BEGINS]),
        ((lab("ferritin", 900, 80), procedure("CRRT", 90), infusion(100, 110)), []),
        ((condition("lymphoma", 200),), []),
    ],
)
def test_only_stays_and_contacts_contradict_a_death(said: tuple[Row, ...], how: list[str]) -> None:
    """A stay that begins later, or that ends later at home or by transfer; never a value, a dose or a diagnosis."""
    built = records(person(death=54), *said)
    assert [each.why for each in disputes(built)] == how
    deaths = Deaths.of(built)
    assert (bool(deaths.died[0]), bool(deaths.disputed[0])) == (not how, bool(how))
    assert hours(int(deaths.over[0])) == 54


@pytest.mark.parametrize(
    ("word", "contact", "disputed"),
    [
        ("alive", 80, True),
        ("", 80, True),
        ("lost to follow-up", 80, True),
        ("D", 80, True),
        ("died", 80, False),
        ("exitus", 80, False),
        ("alive", 54, False),
        ("alive", 50, False),
        ("alive", "2020-01-03", False),  # the day of the death
        ("alive", "2020-01-04", True),
    ],
)
def test_a_later_contact_contradicts_unless_it_says_that_the_person_died(
    word: str, contact: float | str, disputed: bool
) -> None:
    """A later contact with a word for dead reports the death."""
    built = records(person(death=54, last_contact=contact, last_contact_status=word))
    assert bool(Deaths.of(built).disputed[0]) is disputed


def test_of_a_contradicted_death_the_earliest_claim_ends_what_counts() -> None:
    """A death of the 5th, a stay that ended in death on the 4th, a readmission on the 10th: nothing after the 4th."""
    built = records(
        person(death=100),
        stay(0, 80, destination="died"),
        stay(220, 300, "S2", destination="home"),
        lab("ferritin", 900, 90),
    )
    assert hours(int(Deaths.of(built).over[0])) == 80
    row = entered(
        "hyperinflammation",
        person(death=100),
        stay(0, 80, destination="died"),
        stay(220, 300, "S2", destination="home"),
        lab("ferritin", 900, 10),
        lab("temperature", 39, 10),
    )
    assert row["index_time"] == 10
    assert hours(row["end_of_records"]) == 80


def test_a_diagnosis_made_after_death_still_excludes() -> None:
    """The autopsy found a lymphoma: it was there before."""
    storm = (*BEFORE, condition("lymphoma", 54 + 3 * DAY))
    assert left("anakinra_mas", person(death=54), *storm) == ["excluded: malignancy"]


@pytest.mark.parametrize(("hour", "counts"), [(-MINUTE, False), (0, True), (MINUTE, True)])
def test_a_row_counts_from_the_day_of_birth(hour: float, counts: bool) -> None:
    """The day of birth begins at its midnight; a dose before it is refused like a value."""
    said = lab("ferritin", 900, hour), dose("anakinra", hour, amount="10 mg")
    found = refused(person(birth="2020-01-01"), *said)
    assert [reason for _, reason, _ in found] == ([] if counts else [BEFORE_BIRTH] * 2)


@pytest.mark.skipif(not MIMIC.exists(), reason="shared/data/mimic-iv-demo is not here")
def test_deaths_of_mimic_have_later_rows_and_no_contradiction() -> None:
    """A dose of morphine and two procedures begin after a death; infusions of eleven people end with it."""
    result = becalm.run(becalm.open_records(str(MIMIC)), protocol="hyperinflammation").result
    assert rows(result, "disputed_deaths") == []
    late = {
        row["variable"]: row["rows"] for row in rows(result, "rows_refused", reason=AFTER_DEATH)
    }
    assert late == {"Morphine Sulfate": 1, "NEOB notified": 2}
    past = "runs past death: counted until death"
    cut = {row["person_id"] for row in rows(result, "dose_remarks", remark=past)}
    assert len(cut) == 11


@pytest.mark.parametrize(
    ("died", "end", "to", "disputed"),
    [
        ("2020-03-09", "2020-03-09", "transfer", False),
        ("2020-03-09T10:00", "2020-03-09", "home", False),
        ("2020-03-09T10:00", "2020-03-10", "home", True),
        ("2020-03-09", "2020-03-10", "home", True),
        ("2020-03-09T10:00", "2020-03-09T09:59", "home", False),
        ("2020-03-09T10:00", "2020-03-09T10:01", "home", True),
        ("2020-03-09", "2020-03-09T23:59", "home", False),
        ("2020-03-09", "2020-03-10", "died", False),
    ],
)
def test_a_stay_that_ended_on_the_day_of_death_contradicts_nothing(
    died: str, end: str, to: str, disputed: bool
) -> None:
    """Of an end known by its date the hour is open: only an end on a later day contradicts the death."""
    said = records(person(death_time=died), stay("2020-03-01T08:00", end, destination=to))
    assert bool(disputes(said)) is disputed


@pytest.mark.parametrize(
    ("end", "day"),
    [("2020-03-09", "2020-03-09"), ("2020-03-09T23:59", None), ("2020-03-09T00:01", None)],
)
def test_a_stay_that_ended_in_death_on_a_date_gives_the_day_of_death(
    end: str, day: str | None
) -> None:
    """The death was at some moment of that day, which counts to its end and not a day longer."""
    deaths = Deaths.of(records(person(), stay("2020-03-01T08:00", end, destination="died")))
    known = parse(end)[0]
    assert deaths.time.tolist() == [known]
    assert deaths.by_date.tolist() == [day is not None]
    assert deaths.over.tolist() == [known + (24 * HOUR if day else 0)]


def test_a_stay_that_ended_on_the_day_of_an_uncertain_contact_says_nothing_later() -> None:
    """Whether the discharge or the contact came later on that day is open."""
    for end, alive in (("2020-03-09", False), ("2020-03-10", True), ("2020-03-10T00:01", True)):
        said = records(
            person(last_contact="2020-03-09", last_contact_status="discharged or died"),
            stay("2020-03-01T08:00", end, destination="home"),
        )
        known = Alive.of(said, np.array([parse("2020-03-01")[0]]))
        assert known.alive.tolist() == [alive]
