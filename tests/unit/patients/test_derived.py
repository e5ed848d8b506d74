"""What no row says by itself: age, vasopressors, oxygen, a masked fever, multiples of a limit."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from becalm import vocabulary
from becalm.core.clock import HOUR, YEAR
from becalm.core.frame import Frame
from becalm.definitions import evaluate, load
from becalm.patients.derived import Values
from becalm.patients.understood import Patients
from becalm.records import (
    ADMINISTRATIONS,
    CONDITIONS,
    CULTURES,
    FINDINGS,
    MEASUREMENTS,
    PERSONS,
    PROCEDURES,
    STAYS,
    Records,
)
from becalm.timeline import Points, Timeline
from becalm.vocabulary import MeasurementKind

V = vocabulary.load()
Row = Mapping[str, Any]


def chunk(
    *,
    labs: Iterable[tuple[float, str, float, str, float]] = (),
    doses: Iterable[Row] = (),
    findings: Iterable[tuple[float, str]] = (),
    procedures: Iterable[tuple[float, float, str]] = (),
    stay: tuple[float, float] | None = (0, 100),
    person: Row | None = None,
) -> Patients:
    """One person; labs are (hour, name, value, unit, upper limit), stays hours."""
    listed = list(labs)
    kinds = tuple(
        MeasurementKind("labs", "name", "", name, unit, "") for _, name, _, unit, _ in listed
    )
    records = Records(
        persons=Frame.of_rows(PERSONS, [{"person_id": "P1", "sex": "F", "key": 0, **(person or {})}]),
        stays=Frame.of_rows(STAYS, [
            {"person": 0, "stay_id": "s", "start": round(stay[0] * HOUR), "end": round(stay[1] * HOUR), "kind": "ICU", "key": 0}
        ] if stay else []),
        measurements=Frame.of_rows(MEASUREMENTS, [
            {"person": 0, "time": round(hour * HOUR), "available": round((hour + 2) * HOUR), "kind": at,
             "value": value, "ref_high": limit, "key": at}
            for at, (hour, _, value, _, limit) in enumerate(listed)
        ]),
        administrations=Frame.of_rows(ADMINISTRATIONS, [
            {"person": 0, "stay_id": "s", "table": "doses", "route": "IV", "status": "given", "key": at, **row}
            for at, row in enumerate(doses)
        ]),
        findings=Frame.of_rows(FINDINGS, [
            {"person": 0, "time": round(hour * HOUR), "finding": name, "present": "yes", "key": at}
            for at, (hour, name) in enumerate(findings)
        ]),
        conditions=Frame.of(CONDITIONS),
        procedures=Frame.of_rows(PROCEDURES, [
            {"person": 0, "start": round(start * HOUR), "end": round(end * HOUR), "name": name, "key": at}
            for at, (start, end, name) in enumerate(procedures)
        ]),
        cultures=Frame.of(CULTURES),
        kinds=kinds,
    )  # fmt: skip
    return Patients.of(records, V)


def infused(label: str, start: float, end: float, rate: float = 5) -> Row:
    return {
        "label": label, "start": round(start * HOUR), "end": round(end * HOUR), "rate": rate, "rate_unit": "mg/h",
    }  # fmt: skip


def given(label: str, hour: float) -> Row:
    return {
        "label": label,
        "start": round(hour * HOUR),
        "end": round(hour * HOUR),
        "amount": 500,
        "amount_unit": "mg",
    }


def at(chunk: Patients, name: str, *hours: float) -> list[tuple[float, float]]:
    known = chunk.inputs("drawn").values[name]
    assert isinstance(known, Timeline)
    low, high = known.at(np.zeros(len(hours), np.int32), [round(hour * HOUR) for hour in hours])
    return list(zip(low.tolist(), high.tolist(), strict=True))


UNKNOWN = (-np.inf, np.inf)


def test_every_derived_variable_of_the_vocabulary_is_worked_out() -> None:
    values = chunk().inputs("drawn").values
    for derived in V.derived:
        kind = Points if derived.kind == "points" else Timeline
        assert isinstance(values[derived.name], kind), derived.name


def test_vasopressors_are_counted_by_drug_and_vasopressin_apart() -> None:
    """Two pumps with noradrenaline are one vasopressor; vasopressin is counted by itself; in hospital with administrations recorded none is 0, elsewhere it is unknown."""
    one = chunk(
        doses=[
            infused("norepinephrine", 10, 20),
            infused("Noradrenaline", 15, 25),
            infused("epinephrine", 18, 22),
            infused("vasopressin", 12, 30),
            infused("norepinephrine", 40, 50, rate=0),
        ]
    )
    found = at(one, "vasopressors", 5, 10, 16, 18, 22, 25, 45, 101)
    assert found == [(0, 0), (1, 1), (1, 1), (2, 2), (1, 1), (0, 0), (0, 0), UNKNOWN]
    assert at(one, "vasopressin_running", 11, 12, 30) == [(0, 0), (1, 1), (0, 0)]
    assert at(chunk(), "vasopressors", 5) == [UNKNOWN]


def test_a_vasopressor_leads_back_to_its_row() -> None:
    one = chunk(
        labs=[(11, "temperature", 39, "°C", np.nan)], doses=[infused("norepinephrine", 10, 20)]
    )
    running = one.inputs("drawn").values["vasopressors"]
    assert isinstance(running, Timeline)
    assert [one.events.source_row(row) for row in running.evidence(0, 11 * HOUR)] == ["doses:0"]


def test_the_grade_of_cytokine_release_comes_out_of_a_record() -> None:
    """Fever at 10 h, noradrenaline from 12 h, adrenaline beside it from 14 h, ventilated from 30 h."""
    one = chunk(
        labs=[(hour, "temperature", 39, "°C", np.nan) for hour in (10, 30)]
        + [(hour, "systolic blood pressure", 110, "mmHg", np.nan) for hour in (10, 12, 14, 18, 30)]
        + [(10, "oxygen flow", 0, "L/min", np.nan), (20, "oxygen flow", 8, "L/min", np.nan)],
        doses=[infused("norepinephrine", 12, 18), infused("epinephrine", 14, 16)],
        procedures=[(30, 40, "invasive ventilation")],
    )
    grade = evaluate(load("astct_crs"), one.inputs("drawn"))
    hours = (10, 12, 14, 16, 18, 20, 30)
    low, high = grade.at([0] * len(hours), [hour * HOUR for hour in hours])
    assert low.tolist() == [1, 3, 4, 3, 1, 3, 4]
    assert high.tolist() == [2, 3, 4, 3, 2, 3, 4]  # the mean pressure was never charted


def test_oxygen_is_the_highest_that_is_recorded() -> None:
    one = chunk(
        labs=[(0, "oxygen flow", 6, "L/min", np.nan), (2, "oxygen flow", 7, "L/min", np.nan)],
        findings=[(4, "room air"), (20, "nasal cannula"), (40, "high-flow oxygen")],
        procedures=[(42, 44, "CPAP")],
    )
    hours = (0, 2, 4, 13, 14, 16, 20, 40, 42, 44, 52)
    expected = [1, 2, 2, 2, 0, None, 1, 2, 3, 2, None]
    assert at(one, "oxygen_support", *hours) == [UNKNOWN if x is None else (x, x) for x in expected]


def test_what_hides_a_fever() -> None:
    """Paracetamol for 6 h, dexamethasone for 48 h, tocilizumab for 28 days after a dose."""
    hidden = [at(chunk(doses=[given(label, 10)], stay=(0, 900)), "fever_masked", 9, 11, 17, 60, 600, 690)
              for label in ("acetaminophen", "dexamethasone", "tocilizumab", "ertapenem")]  # fmt: skip
    expected = [[0, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0], [0] * 6]
    assert hidden == [[(x, x) for x in each] for each in expected]


def test_multiples_need_the_limit_that_the_row_prints() -> None:
    """AST 100 with a limit of 40 is 2.5 times; a row without a limit says nothing."""
    one = chunk(
        labs=[
            (0, "AST", 100, "U/L", 40),
            (1, "AST", 900, "U/L", np.nan),
            (2, "PT", 18.5, "s", 13.5),
        ]
    )
    drawn = one.inputs("drawn").values["ast_uln"]
    assert isinstance(drawn, Points)
    assert (drawn.low.tolist(), drawn.time.tolist()) == ([2.5], [0])
    known = one.inputs("available").values["ast_uln"]
    assert isinstance(known, Points)
    assert (known.time.tolist(), known.drawn is not None) == ([2 * HOUR], True)
    pt = one.inputs("drawn").values["pt_prolongation"]
    assert isinstance(pt, Points)
    assert pt.low.tolist() == [5.0]


@pytest.mark.parametrize(
    ("person", "low", "high"),
    [
        ({"birth": -round(1.605 * YEAR)}, 1.6, 1.6),
        ({"birth": -round(1.615 * YEAR)}, 1.61, 1.61),
        ({"birth": -round(10.15 * YEAR)}, 10.1, 10.1),
        ({"birth": -round(44.9 * YEAR)}, 44, 44),
        ({"birth": -round(44.9 * YEAR), "birth_year_only": True}, 43, 44),
        ({"age": 44.0, "age_at": 0}, 44, 45),  # the birthday may have been a moment ago
        ({}, -np.inf, np.inf),
    ],
)
def test_age_is_told_as_exactly_as_it_is_known(person: Row, low: float, high: float) -> None:
    """Hundredths of a year in infants, tenths in children, whole years in adults; a range where only the year of birth or an age without a birthday is known."""
    one = chunk(labs=[(0, "AST", 20, "U/L", np.nan)], person=person)
    assert at(one, "age", 0.5) == [(low, high)]


def test_an_age_alone_begins_no_storm() -> None:
    """A child of whom nothing is measured has an MH score of 0 or more for ever, and no moment."""
    one = chunk(doses=[infused("norepinephrine", 1, 2)], person={"birth": -round(0.5 * YEAR)})
    found = evaluate(load("mh_score"), one.inputs("drawn"))
    assert len(found.total) > 0
    assert len(found.observed) == len(found.possible()) == 0


def test_nothing_is_worked_out_that_nobody_asks_for() -> None:
    asked: list[str] = []

    def made(name: str) -> Points:
        asked.append(name)
        return Points.empty()

    values = Values({name: (lambda name=name: made(name)) for name in ("ferritin", "age")})  # type: ignore[misc]
    assert values.get("ferritin") is values["ferritin"]
    assert asked == ["ferritin"]
    assert values.get("crp") is None
