"""The engine against the slow oracle: random persons, gaps, censored results, ties, conflicts."""

import math
from typing import NamedTuple

import numpy as np
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from becalm import vocabulary
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.errors import DefinitionError
from becalm.core.frame import Frame
from becalm.definitions import Definition, Inputs, Moments, criteria, evaluate, load, parse, shipped
from becalm.definitions.evaluation import converted_back
from becalm.timeline import Points, Timeline
from tests.records.pictures import named
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
    bands = [{ below = 5, points = 2 }, { up_to = 5, points = 0 }, { below = 9, points = 7 }, { points = 1 }]
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
DEFINITIONS = [*map(load, shipped()), ODD, RULED]

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
    "crp": (4, 5, 9, 50, 51, 100, 101, 149.99, 150, 151),
    "esr": (0, 10, 40),
    "ldh": (300, 400),
    "il6": (14, 15),
    "d_dimer": (1.49, 1.5),
    "lymphocytes": (0.0, 0.5, 1.0),
    "neutrophils_percent": (50, 90),
    "lymphocytes_percent": (5, 9),
    "bilirubin": (2.5, 2.6),
    "ast_uln": (1.9, 2.0, 5.0),
    "d_dimer_uln": (1, 1.1, 10),
    "pt_prolongation": (0, 3, 6),
    "cns_dysfunction": (0, 1),
    "haemorrhage": (0, 1),
    "arthritis": (0, 1),
    "splenomegaly": (0, 1),
    "hepatomegaly": (0, 1),
    "haemophagocytosis": (0, 1),
    "nk_activity_low": (0, 1),
}
FINDINGS = {name for name, values in NEAR_EDGES.items() if values == (0, 1)}
WORDS = vocabulary.load()
FINDINGS |= {each.name for each in WORDS.variables if each.kind == "finding"}
STANDING = {"immunosuppression": (0.0, 1.0)} | {
    each.name: (0.0, 1.0, 2.0, 3.0) for each in WORDS.derived if each.kind == "timeline"
}
"""Values with their own end time; ages and numbers of drugs alike near their edges."""


def near(variable: str) -> tuple[float, ...]:
    """Numbers near the edges at which some definition reads a variable, in its own unit."""
    if variable in FINDINGS:
        return (0, 1)
    if variable in NEAR_EDGES:
        return NEAR_EDGES[variable]
    found = {0.0}
    for definition in DEFINITIONS:
        for leaf in (leaf for item in definition.items for leaf in item.leaves()):
            if leaf.variable == variable and not leaf.coefficient:
                edges = [band.edge for band in leaf.scale if 0 < band.edge < math.inf]
                kept = [converted_back(leaf, edge, edge)[0] for edge in edges]
                found |= {round(edge * by, 6) for edge in kept for by in (0.9, 1.0, 1.1)}
    return tuple(sorted(found))


UNITS = {
    "ferritin": ("ng/mL", "ug/L"),
    "triglycerides": ("mmol/L", "mg/dL"),
    "fibrinogen": ("g/L", "mg/dL"),
    "crp": ("mg/L", "mg/dL"),
    "platelets": ("10⁹/L",),
    "esr": ("mm/h",),
    "ast": ("U/L",),
    "splenomegaly": ("",),
}
FACTORS = {"triglycerides": 88.57, "fibrinogen": 100.0, "crp": 0.1}
WITHIN = ("10h", "<=24h", "72h", "7d")
TAKES = ("max", "min", "last")


@st.composite
def readings(draw: st.DrawFn, *, takes: tuple[str, ...] = TAKES) -> tuple[str, list[float]]:
    """How some variable is read, as TOML, and numbers near which it will lie."""
    variable = draw(st.sampled_from(sorted(UNITS)))
    unit = draw(st.sampled_from(UNITS[variable]))
    factor = FACTORS.get(variable, 1.0) if unit in ("mg/dL",) else 1.0
    numbers = sorted({round(value * factor, 6) for value in NEAR_EDGES[variable]})
    take, within = draw(st.sampled_from(takes)), draw(st.sampled_from(WITHIN))
    text = f'variable = "{variable}", unit = "{unit}", take = "{take}", within = "{within}"'
    return text, numbers


@st.composite
def compared(draw: st.DrawFn) -> tuple[str, list[float]]:
    """A reading, or two divided, or one against earlier ones."""
    text, numbers = draw(readings())
    kind = draw(st.sampled_from(("plain", "plain", "plain", "over", "change", "risen")))
    if kind == "over":
        return f"{text}, over = {{ {draw(readings())[0]} }}", [0.5, 1, 20]
    if kind == "plain":
        return text, numbers
    within, against = draw(st.sampled_from(WITHIN)), "lowest"
    gate = ""
    if kind == "risen":
        gate = (
            f", from_above = {draw(st.sampled_from([number for number in numbers if number > 0]))}"
        )
    else:
        against = draw(st.sampled_from(("lowest", "highest", "then")))
    change = f'change = {{ within = "{within}", against = "{against}"{gate} }}'
    return f"{text}, {change}", [0.5, 1, 1.5, 2]


@st.composite
def parts(draw: st.DrawFn, name: str) -> str:
    """A part of a count: something with a threshold."""
    text, numbers = draw(compared())
    threshold = draw(st.sampled_from(("at_least", "above", "up_to", "below")))
    return f'{{ name = "{name}", {text}, {threshold} = {draw(st.sampled_from(numbers))} }}'


@st.composite
def items(draw: st.DrawFn, name: str, *, weighed: bool) -> str:
    kinds = ("threshold", "bands", "count", "score", *(("coefficient",) if weighed else ()))
    kind = draw(st.sampled_from(kinds))
    worth = draw(st.sampled_from((1, 2, 2.5)))
    if kind == "count":
        number = draw(st.integers(1, 3))
        counted = ", ".join(draw(parts(f"part{at}")) for at in range(number))
        return f'name = "{name}", at_least = {draw(st.integers(1, number))}, points = {worth}, count = [{counted}]'
    if kind == "score":
        score, least = draw(st.sampled_from((("hlh2004", 3), ("mas2016", 1), ("ferritin_esr", 50))))
        return f'name = "{name}", score = "{score}", at_least = {least}, points = {worth}'
    text, numbers = draw(compared())
    text = f'name = "{name}", {text}'
    if kind == "coefficient":
        return f"{text}, coefficient = {draw(st.sampled_from((-0.4, 0.001, 2)))}"
    if kind == "threshold":
        threshold = draw(st.sampled_from(("at_least", "above", "up_to", "below")))
        return f"{text}, {threshold} = {draw(st.sampled_from(numbers))}, points = {worth}"
    edges = sorted(draw(st.sets(st.sampled_from(numbers), min_size=1, max_size=3)))
    bands = [
        f"{{ {draw(st.sampled_from(('below', 'up_to')))} = {edge}, points = {draw(st.integers(0, 4))} }}"
        for edge in edges
    ]
    return f"{text}, bands = [{', '.join(bands)}, {{ points = {draw(st.integers(0, 4))} }}]"


@st.composite
def groups(draw: st.DrawFn, names: list[str], depth: int = 0) -> str:
    terms = [f'"{name}"' for name in draw(st.sets(st.sampled_from(names), min_size=1))]
    if depth < 1 and draw(st.booleans()):
        terms.append(f"{{ {draw(groups(names, depth + 1))} }}")
    listed = ", ".join(sorted(terms))
    kind = draw(st.sampled_from(("all", "any", "of")))
    least = f", at_least = {draw(st.integers(1, len(terms)))}" if kind == "of" else ""
    return f"{kind} = [{listed}]{least}"


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """A definition as somebody might write one: a sum, a rule or grades."""
    kind = draw(st.sampled_from(("sum", "sum", "rule", "grades")))
    names = [f"item{at}" for at in range(draw(st.integers(1, 3)))]
    written = [draw(items(name, weighed=kind == "sum")) for name in names]
    text = f"""
    name = "mine"
    title = "Mine"
    cite = "10.1000/none"
    population = "nobody"
    cut_off = {1 if kind != "sum" else draw(st.sampled_from((0.5, 1, 2)))}
    cut_off_source = "made up"
    item = [{", ".join(f"{{ {item} }}" for item in written)}]
    """
    if kind == "rule":
        text += f"rule = {{ {draw(groups(names))} }}"
    if kind == "grades":
        grades = ", ".join(f"{{ grade = {grade}, {draw(groups(names))} }}" for grade in (1, 3))
        text += f"grade = [{grades}]"
    try:
        return parse(text, "mine.toml")
    except DefinitionError as error:
        allowed = ("lies outside the totals", "have no effect")
        assert any(word in error.line() for word in allowed), error.line()
        reject()


@st.composite
def draws_of(draw: st.DrawFn, variable: str) -> list[Point]:
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, PERSONS - 1),
                st.sampled_from((0, 1, 5, 20, 24, 48, 50, 72, 100, 168, 400)),
                st.sampled_from(near(variable)),
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
    definition = draw(st.one_of(st.sampled_from(DEFINITIONS), definitions()))
    slow: oracle.Draws = {}
    values: dict[str, Points | Timeline] = {}
    for variable in definition.variables:
        if variable in STANDING:
            spans = draw(
                st.lists(
                    st.tuples(
                        st.integers(0, 9), st.integers(0, 9), st.sampled_from(STANDING[variable])
                    ),
                    max_size=PERSONS,
                )
            )
            segments: Segments = {
                person: [(start * 24 * HOUR, (start + length + 1) * 24 * HOUR, state, state)]
                for person, (start, length, state) in enumerate(spans)
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


@settings(derandomize=True, deadline=None, max_examples=80)
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


@settings(derandomize=True, deadline=None, max_examples=80)
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
        source_row=named,
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
                state = oracle.state_at(case.oracle, item, person, moment_or_never)
                assert each["state"] == state
                assessed += state != "not assessed"
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
