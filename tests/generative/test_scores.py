"""The engine against the slow oracle: random persons, gaps, censored results, ties, conflicts."""

import math
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.clock import UNKNOWN_TIME
from becalm.frame import Frame
from becalm.scores import Definition, Inputs, Moments, criteria, evaluate, load, parse
from becalm.timeline import Points, Timeline
from tests.reference import scores as oracle
from tests.reference.timeline import HOUR, Point, Segments, collapse

PERSONS = 3

ODD = parse(
    """
    name = "odd"
    title = "Bands that rise and fall, a last value, a count of counts, a negative item"
    cite = "10.1000/none"
    population = "nobody"
    cut_off = 3
    cut_off_source = "made up"
    [[item]]
    variable = "crp"
    unit = "mg/L"
    take = "last"
    within = "<=10h"
    bands = [{ below = 5, points = 2 }, { upto = 5, points = 0 }, { below = 9, points = 7 }, { points = 1 }]
    [[item]]
    name = "nested"
    points = 3
    at_least = 2
    count = [
      { variable = "ferritin", unit = "ng/mL", take = "max", within = "20h", above = 6000 },
      { variable = "ast", unit = "U/L", take = "min", within = "20h", decimals = 0, below = 30 },
      { name = "either", at_least = 1, count = [
        { variable = "splenomegaly", take = "last", within = "30h", at_least = 1 },
        { variable = "hepatomegaly", take = "max", within = "30h", at_least = 1 },
      ] },
    ]
    [[item]]
    name = "lowers"
    variable = "immunosuppression"
    at_least = 1
    points = -2
    """,
    "odd.toml",
)
RULED = parse(
    """
    name = "ruled"
    title = "One item and two of three"
    cite = "10.1000/none"
    population = "nobody"
    cut_off = 1
    cut_off_source = "made up"
    [rule]
    all = ["crp", { at_least = 2, of = ["ferritin", "ast", "spleen"] }]
    [[item]]
    variable = "crp"
    unit = "mg/L"
    take = "max"
    within = "100h"
    at_least = 5
    [[item]]
    variable = "ferritin"
    unit = "ng/mL"
    take = "max"
    within = "100h"
    at_least = 500
    [[item]]
    variable = "ast"
    unit = "U/L"
    take = "last"
    within = "100h"
    above = 29.5
    [[item]]
    name = "spleen"
    variable = "splenomegaly"
    take = "max"
    within = "200h"
    at_least = 1
    """,
    "ruled.toml",
)
DEFINITIONS = [load("hscore"), load("hlh2004"), load("mas2016"), ODD, RULED]

NEAR_EDGES = {
    "temperature": (36.5, 37.999, 38.0, 38.4, 38.5, 39.4, 39.41),
    "ferritin": (499.96, 500, 684, 685, 2000, 6000, 6000.4),
    "triglycerides": (1.2, 1.4951, 1.5, 156 / 88.57, 3.0, 4.0, 354.3 / 88.57),
    "fibrinogen": (1.5, 1.504, 2.5, 3.6, 3.61),
    "haemoglobin": (8.96, 9.0, 9.2, 9.25, 11),
    "wbc": (0.0, 5.0, 5.01, 9.0),
    "platelets": (99.9, 100, 110, 181, 182),
    "neutrophils": (0.9, 1.0, 4.0),
    "ast": (29.4, 29.6, 30, 48, 49),
    "sil2r": (2399, 2400),
    "crp": (4, 5, 5.5, 9, 12),
    "splenomegaly": (0, 1),
    "hepatomegaly": (0, 1),
    "haemophagocytosis": (0, 1),
    "nk_activity_low": (0, 1),
}
FINDINGS = {"splenomegaly", "hepatomegaly", "haemophagocytosis", "nk_activity_low"}


@st.composite
def draws_of(draw: st.DrawFn, variable: str) -> list[Point]:
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, PERSONS - 1),
                st.sampled_from((0, 1, 5, 20, 24, 48, 50, 72, 100, 168, 400)),
                st.sampled_from(NEAR_EDGES[variable]),
                st.sampled_from(("",) if variable in FINDINGS else ("", "", ">", "<", "<=")),
            ),
            max_size=5,
        )
    )
    points = []
    for row, (person, hour, value, sign) in enumerate(rows):
        low = high = float(value)
        if sign == ">":
            low, high = math.nextafter(value, math.inf), math.inf
        elif sign == "<=":
            low = 0.0
        elif sign == "<" and value > 0:
            low, high = 0.0, math.nextafter(value, 0)
        points.append(Point(person, hour * HOUR, low, high, row))
    return points


class Case(NamedTuple):
    definition: Definition
    oracle: oracle.Draws
    inputs: Inputs
    indices: list[int | None]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    definition = draw(st.sampled_from(DEFINITIONS))
    slow: oracle.Draws = {}
    values: dict[str, Points | Timeline] = {}
    for variable in definition.variables:
        if variable == "immunosuppression":
            spans = draw(
                st.lists(
                    st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=PERSONS
                )
            )
            segments: Segments = {
                person: [(start * 24 * HOUR, (start + length + 1) * 24 * HOUR, state, state)]
                for person, (start, length, yes) in enumerate(spans)
                for state in (float(yes),)
            }
            slow[variable] = segments
            flat = [(person, *each[0]) for person, each in segments.items()]
            values[variable] = Timeline.build(
                [each[0] for each in flat],
                [each[1] for each in flat],
                [each[2] for each in flat],
                [each[3] for each in flat],
            )
            continue
        if draw(st.integers(0, 9)) == 0:
            continue  # a variable that the records do not have at all
        points = draw(draws_of(variable))
        slow[variable] = collapse(points)[0]
        values[variable] = Points.build(
            [p.person for p in points],
            [p.time for p in points],
            [p.low for p in points],
            [p.high for p in points],
            [p.row for p in points],
        )
    hours = st.one_of(st.none(), st.sampled_from((0, 20, 24, 60, 72, 120, 300)))
    indices = [
        None if hour is None else hour * HOUR for hour in draw(st.tuples(*[hours] * PERSONS))
    ]
    return Case(definition, slow, Inputs(values, "drawn", PERSONS), indices)


@settings(derandomize=True, deadline=None, max_examples=120)
@given(cases())
def test_totals_are_those_of_the_oracle_at_every_change(case: Case) -> None:
    """Just before, at and after every moment at which anything could change."""
    evaluation = evaluate(case.definition, case.inputs)
    for person in range(PERSONS):
        edges = oracle.changes(case.definition, case.oracle, person)
        moments = sorted({-HOUR, *edges, *(edge - 1 for edge in edges), *(e + 1 for e in edges)})
        low, high = evaluation.at(np.full(len(moments), person), moments)
        expected = [oracle.total_at(case.definition, case.oracle, person, t) for t in moments]
        assert list(zip(low.tolist(), high.tolist(), strict=True)) == expected


@settings(derandomize=True, deadline=None, max_examples=120)
@given(cases(), st.sampled_from((12, 72, 336)))
def test_criteria_rows_are_those_of_the_oracle(case: Case, look_back: int) -> None:
    """Moment, interval, first met, first possible and hours held, person by person."""
    persons = Frame.of(
        {"person_id": "text", "age": "count", "underlying": "text"},
        person_id=[str(person) for person in range(PERSONS)],
    )
    index = np.array([UNKNOWN_TIME if t is None else t for t in case.indices], np.int64)
    totals, items = criteria(
        evaluate(case.definition, case.inputs),
        persons,
        Moments(index, look_back * HOUR),
        modifiers={},
        source_row=lambda variable, row: f"{variable}:{row}",
    )
    found = {(row["person_id"], row["moment"]): row for row in totals.rows()}
    states = {(r["person_id"], r["moment"], r["item"]): r for r in items.rows()}
    expected = set()
    for person, at in enumerate(case.indices):
        windows: dict[str, tuple[int | None, int | None]] = {"peak_ever": (None, None)}
        if at is not None:
            windows |= dict.fromkeys(("index", "peak_to_index"), (at - look_back * HOUR, at))
        for moment, (start, end) in windows.items():
            expected.add((str(person), moment))
            row = found[str(person), moment]
            wanted = oracle.summarised(case.definition, case.oracle, person, start, end)
            time = at if moment == "index" else wanted.peak
            assert _time(row["time"]) == time
            assert _time(row["first_met"]) == wanted.first_met
            assert _time(row["first_possible"]) == wanted.first_possible
            assert math.isclose(row["held_hours"], wanted.held_hours, abs_tol=1e-9)
            moment_or_never = -(10**15) if time is None else time
            low, high = oracle.total_at(case.definition, case.oracle, person, moment_or_never)
            assert (row["low"], row["high"]) == (low, high)
            assert (row["low_unmodified"], row["high_unmodified"]) == (low, high)
            assessed = 0
            for item in case.definition.items:
                points = oracle.possible_points(case.oracle, item, person, moment_or_never)
                each = states[str(person), moment, item.key]
                assert (each["points_low"], each["points_high"]) == (min(points), max(points))
                open_ = each["state"] == "not assessed"
                assert open_ == (min(points) <= 0 < max(points))
                assessed += not open_
            assert row["items_assessed"] == assessed
    assert set(found) == expected


def _time(time: int) -> int | None:
    return None if time == UNKNOWN_TIME else time


@settings(derandomize=True, deadline=None, max_examples=60)
@given(cases())
def test_knowing_more_never_widens_a_total(case: Case) -> None:
    """Taking a variable away can only widen the interval: missing is never zero."""
    evaluation = evaluate(case.definition, case.inputs)
    for variable in case.inputs.values:
        fewer = {k: v for k, v in case.inputs.values.items() if k != variable}
        without = evaluate(case.definition, Inputs(fewer, "drawn", PERSONS))
        total = evaluation.total
        low, high = without.at(total.person, total.start)
        assert (low <= total.low).all()
        assert (high >= total.high).all()
