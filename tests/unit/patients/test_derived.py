"""What no row says by itself: age, vasopressors, oxygen, a masked fever, multiples of a limit."""

from typing import Any

import numpy as np
import pytest

from becalm.core.clock import HOUR
from becalm.core.clock import YEAR as YEAR_US
from becalm.definitions import evaluate, load
from becalm.patients.derived import Values
from becalm.patients.understood import Patients
from becalm.timeline import Points, Timeline
from tests.records import (
    Row,
    V,
    at,
    chunk,
    dose,
    finding,
    infusion,
    lab,
    person,
    procedure,
    stay,
)

YEAR = YEAR_US / HOUR
"""In hours."""


def icu(*rows: Row, stayed: tuple[float, float] | None = (0, 100), **facts: Any) -> Patients:
    """One person of unknown age unless `facts` say it, in intensive care for some hours."""
    stays = [stay(*stayed, kind="ICU")] if stayed else []
    return chunk(person(**{"age": None, **facts}), *stays, *rows)


def known(patients: Patients, name: str, *asked: float) -> list[tuple[float, float]]:
    line = patients.inputs("drawn").values[name]
    assert isinstance(line, Timeline)
    low, high = line.at(np.zeros(len(asked), np.int32), [at(hour) for hour in asked])
    return list(zip(low.tolist(), high.tolist(), strict=True))


UNKNOWN = (-np.inf, np.inf)


def test_every_derived_variable_of_the_vocabulary_is_worked_out() -> None:
    values = icu().inputs("drawn").values
    for derived in V.derived:
        kind = Points if derived.kind == "points" else Timeline
        assert isinstance(values[derived.name], kind), derived.name


def test_vasopressors_are_counted_by_drug_and_vasopressin_apart() -> None:
    """Two pumps with noradrenaline are one vasopressor; vasopressin is counted by itself; in hospital with administrations recorded none is 0, elsewhere it is unknown."""
    one = icu(
        infusion(10, 20, 5, "norepinephrine"),
        infusion(15, 25, 5, "Noradrenaline"),
        infusion(18, 22, 5, "epinephrine"),
        infusion(12, 30, 5, "vasopressin"),
        infusion(40, 50, 0, "norepinephrine"),
    )
    found = known(one, "vasopressors", 5, 10, 16, 18, 22, 25, 45, 101)
    assert found == [(0, 0), (1, 1), (1, 1), (2, 2), (1, 1), (0, 0), (0, 0), UNKNOWN]
    assert known(one, "vasopressin_running", 11, 12, 30) == [(0, 0), (1, 1), (0, 0)]
    assert known(icu(), "vasopressors", 5) == [UNKNOWN]


def test_a_vasopressor_leads_back_to_its_row() -> None:
    one = icu(lab("temperature", 39, 11), infusion(10, 20, 5, "norepinephrine"))
    running = one.inputs("drawn").values["vasopressors"]
    assert isinstance(running, Timeline)
    assert [one.events.source_row(row) for row in running.evidence(0, at(11))] == ["doses:2"]


def test_the_grade_of_cytokine_release_comes_out_of_a_record() -> None:
    """Fever at 10 h, noradrenaline from 12 h, adrenaline beside it from 14 h, ventilated from 30 h."""
    pressure = "systolic blood pressure"
    one = icu(
        *(lab("temperature", 39, hour) for hour in (10, 30)),
        *(lab(pressure, 110, hour, "mmHg") for hour in (10, 12, 14, 18, 30)),
        lab("oxygen flow", 0, 10, "L/min"),
        lab("oxygen flow", 8, 20, "L/min"),
        infusion(12, 18, 5, "norepinephrine"),
        infusion(14, 16, 5, "epinephrine"),
        procedure("invasive ventilation", 30, 40),
    )
    grade = evaluate(load("astct_crs"), one.inputs("drawn"))
    asked = (10, 12, 14, 16, 18, 20, 30)
    low, high = grade.at([0] * len(asked), [at(hour) for hour in asked])
    assert low.tolist() == [1, 3, 4, 3, 1, 3, 4]
    assert high.tolist() == [2, 3, 4, 3, 2, 3, 4]  # the mean pressure was never charted


def test_oxygen_is_the_highest_that_is_recorded() -> None:
    one = icu(
        lab("oxygen flow", 6, 0, "L/min"),
        lab("oxygen flow", 7, 2, "L/min"),
        finding("room air", "yes", 4),
        finding("nasal cannula", "yes", 20),
        finding("high-flow oxygen", "yes", 40),
        procedure("CPAP", 42, 44),
    )
    asked = (0, 2, 4, 13, 14, 16, 20, 40, 42, 44, 52)
    expected = [1, 2, 2, 2, 0, None, 1, 2, 3, 2, None]
    assert known(one, "oxygen_support", *asked) == [
        UNKNOWN if x is None else (x, x) for x in expected
    ]


def test_what_hides_a_fever() -> None:
    """Paracetamol for 6 h, dexamethasone for 48 h, anakinra for 72 h, tocilizumab for 28 days after a dose."""
    hidden = [known(icu(dose(label, 10, 10, amount="500 mg"), stayed=(0, 900)), "fever_masked", 9, 11, 17, 60, 600, 690)
              for label in ("acetaminophen", "dexamethasone", "anakinra", "canakinumab", "tocilizumab", "ertapenem")]  # fmt: skip
    month = [0, 1, 1, 1, 1, 0]
    expected = [[0, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 1, 1, 1, 0, 0], month, month, [0] * 6]
    assert hidden == [[(x, x) for x in each] for each in expected]


def test_multiples_need_the_limit_that_the_row_prints() -> None:
    """AST 100 with a limit of 40 is 2.5 times; a row without a limit says nothing."""
    one = icu(
        lab("AST", 100, 0, "U/L", ref_high=40, available=2),
        lab("AST", 900, 1, "U/L", available=3),
        lab("PT", 18.5, 2, "s", ref_high=13.5, available=4),
    )
    drawn = one.inputs("drawn").values["ast_uln"]
    assert isinstance(drawn, Points)
    assert (drawn.low.tolist(), drawn.time.tolist()) == ([2.5], [at(0)])
    known = one.inputs("available").values["ast_uln"]
    assert isinstance(known, Points)
    assert (known.time.tolist(), known.drawn is not None) == ([at(2)], True)
    pt = one.inputs("drawn").values["pt_prolongation"]
    assert isinstance(pt, Points)
    assert pt.low.tolist() == [5.0]


@pytest.mark.parametrize(
    ("facts", "low", "high"),
    [
        ({"birth": -1.605 * YEAR}, 1.6, 1.6),
        ({"birth": -1.615 * YEAR}, 1.61, 1.61),
        ({"birth": -10.15 * YEAR}, 10.1, 10.1),
        ({"birth": -44.9 * YEAR}, 44, 44),
        ({"birth": -44.9 * YEAR, "birth_year_only": True}, 43, 44),
        ({"age": 44.0, "age_at": 0}, 44, 45),  # the birthday may have been a moment ago
        ({}, -np.inf, np.inf),
    ],
)
def test_age_is_told_as_exactly_as_it_is_known(
    facts: dict[str, Any], low: float, high: float
) -> None:
    """Hundredths of a year in infants, tenths in children, whole years in adults; a range where only the year of birth or an age without a birthday is known."""
    one = icu(lab("AST", 20, 0, "U/L"), **facts)
    assert known(one, "age", 0.5) == [(low, high)]


def test_an_age_alone_begins_no_storm() -> None:
    """A child of whom nothing is measured has an MH score of 0 or more for ever, and no moment."""
    one = icu(infusion(1, 2, 5, "norepinephrine"), birth=-0.5 * YEAR)
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
