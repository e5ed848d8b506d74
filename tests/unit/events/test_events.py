"""Harmonising: what becomes an event, what is refused, both clocks, and the table of values."""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.clock import UNKNOWN_TIME
from becalm.events import (
    ENDS_BEFORE_START,
    NO_TIME,
    NOT_AN_ANSWER,
    OUTSIDE_RANGE,
    STATED_UNKNOWN,
    UNKNOWN_FINDING,
    Events,
    harmonise,
    merge,
    values,
)
from becalm.records import Refusal
from becalm.vocabulary import SPECIMEN_MISMATCH, UNIT_MISSING, UNKNOWN_VARIABLE, reports
from becalm.vocabulary.units import A_RANGE, NO_VALUE, NOT_A_NUMBER
from tests.records import Row, V, at, finding, hours, lab, person, records

MIMIC = Path(__file__).parents[3] / ".." / "shared" / "data" / "mimic-iv-demo"


def events(*rows: Row, persons: int = 2) -> Events:
    everyone = (person(f"P{i + 1}", age=None) for i in range(persons))
    return harmonise(records(*everyone, *rows), V)


def known(of: Events, variable: str) -> list[tuple[float, float]]:
    points = of.points(variable)
    return list(zip(points.low.tolist(), points.high.tolist(), strict=True))


def test_values_are_converted_and_keep_their_direction() -> None:
    e = events(
        lab("ferritin", ">15000", 0, "ng/mL"),
        lab("Triglycerides", 265.71, 0, "mg/dL"),
        lab("fibrinogen", "<50", 0, "mg/dL"),
        lab("temperature", "≥102.2", 0, "°F"),
    )
    assert known(e, "ferritin") == [(np.nextafter(15000, np.inf), np.inf)]
    assert known(e, "triglycerides") == [(3.0, 3.0)]
    assert known(e, "fibrinogen") == [(0.0, np.nextafter(0.5, 0))]
    assert known(e, "temperature") == [(39.0, np.inf)]
    assert e.refused == ()


def test_an_exact_value_is_one_number_not_a_range() -> None:
    e = events(lab("ferritin", 500, 0, "ng/mL"), lab("ferritin", 700, 1, "ug/L"))
    assert e.points("ferritin").exact


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (lab("ferritin", 500, 0, ""), UNIT_MISSING),
        (lab("ferritin", "1-2", 0, "ng/mL"), A_RANGE),
        (lab("ferritin", "Hemolyzed", 0, "ng/mL"), NOT_A_NUMBER),
        (lab("ferritin", "___", 0, "ng/mL"), NOT_A_NUMBER),
        (lab("ferritin", float("inf"), 0, "ng/mL"), NOT_A_NUMBER),
        (lab("ferritin", " ", 0, "ng/mL"), NO_VALUE),
        (lab("ferritin", float("nan"), 0, "ng/mL"), NO_VALUE),
        (lab("creatinine", 90, 0, "mg/dL", specimen="Urine"), SPECIMEN_MISMATCH),
        (lab("platelets", -1, 0, "K/uL"), OUTSIDE_RANGE),
        (lab("fibrinogen", 2.4, 0, "mg/dL"), OUTSIDE_RANGE),
        (lab("temperature", 99, 0, "°C"), OUTSIDE_RANGE),
        (lab("weight", 0, 0, "kg"), OUTSIDE_RANGE),
        (lab("ferritin", ">2000000", 0, "ng/mL"), OUTSIDE_RANGE),
        (lab("crp", "<0", 0, "mg/L"), OUTSIDE_RANGE),
        (lab("ferritin", 500, None, "ng/mL"), NO_TIME),
        (lab("urine output", 50, 2, "mL", start=3), ENDS_BEFORE_START),
    ],
)
def test_a_row_that_is_not_understood_is_refused_with_its_reason(row: Row, reason: str) -> None:
    e = events(row, lab("ast", 30, 1, "U/L"))
    assert [(r.reason, r.rows) for r in e.refused] == [(reason, 1)]
    assert e.refused[0].example.startswith("labs:2")
    assert len(e.frame) == len(e.rejected) == 1


@pytest.mark.parametrize(
    ("fahrenheit", "accepted"),
    [(111.2, True), (111.24, True), (111.3, False), (82.32, True), (82.3, False), (82.4, True)],
)
def test_the_plausible_range_includes_its_ends_after_conversion(
    fahrenheit: float, accepted: bool
) -> None:
    assert (not events(lab("temperature", fahrenheit, 0, "F")).refused) is accepted


def test_refusals_are_counted_by_table_variable_unit_and_reason() -> None:
    e = events(
        lab("ferritin", 1, 0, "stone"),
        lab("Serum ferritin", 2, 1, "stone"),
        lab("ferritin", 3, 2, ""),
        lab("ferritin", 4, 3, "ng/mL"),
    )
    assert e.refused == (
        Refusal("labs", "ferritin", "", UNIT_MISSING, 1, "labs:4 3"),
        Refusal("labs", "ferritin", "stone", "unknown unit", 2, "labs:2 1"),
    )


def test_unknown_variables_are_counted_apart() -> None:
    e = events(lab("Heart Rate Alarm", 1, 0, "bpm"), lab("Heart Rate Alarm", 2, 1, "bpm"))
    assert (e.refused, len(e.rejected)) == ((), 0)
    assert e.unknown == (
        Refusal("labs", "Heart Rate Alarm", "bpm", UNKNOWN_VARIABLE, 2, "labs:2 1"),
    )


def test_refusals_of_several_chunks_add_up() -> None:
    one = Refusal("labs", "ferritin", "", UNIT_MISSING, 2, "labs:1 3")
    other = Refusal("labs", "ferritin", "", UNIT_MISSING, 3, "labs:9 4")
    assert merge([one, other]) == (Refusal("labs", "ferritin", "", UNIT_MISSING, 5, "labs:1 3"),)


def test_events_are_sorted_by_person_time_variable_and_row() -> None:
    e = events(
        lab("ast", 2, 5, "U/L", person=1),
        lab("ast", 9, 5, "U/L", person=0),
        lab("ferritin", 5, 5, "ng/mL", person=0),
        lab("ferritin", 6, 1, "ng/mL", person=0),
        lab("ferritin", 7, 5, "ng/mL", person=0),
    )
    assert e.frame["row"].tolist() == [0, 2, 3, 1, 4]


def test_several_results_of_one_instant_stay_rows_and_meet_in_points() -> None:
    e = events(
        lab("ferritin", 500, 0, "ng/mL"),
        lab("ferritin", 500, 0, "ng/mL"),
        lab("ferritin", 800, 1, "ng/mL"),
        lab("ferritin", 600, 1, "ng/mL"),
    )
    assert len(e.frame) == 4
    assert known(e, "ferritin") == [(500, 500), (600, 800)]
    assert e.points("ferritin").conflicts == 1
    assert e.points("ferritin") is e.points(V.code("ferritin"))


def test_the_two_clocks() -> None:
    e = events(
        lab("ferritin", 500, 0, "ng/mL", available=7),
        lab("ferritin", 600, 2, "ng/mL"),
        lab("ferritin", 700, 24, "ng/mL", date_only=True),
        lab("ferritin", 800, 50, "ng/mL", available=49),
    )
    assert [hours(time) for time in e.points("ferritin", "drawn").time] == [0, 2, 24, 50]
    points = e.points("ferritin", "available")
    assert [hours(time) for time in points.time] == [2, 7, 48, 50]
    assert points.low.tolist() == [600, 500, 700, 800]
    assert points.drawn is not None
    assert [hours(time) for time in points.drawn] == [2, 0, 24, 50]
    assert e.frame["available_known"].tolist() == [True, False, False, False]


def test_reference_limits_are_converted_like_the_value() -> None:
    e = events(lab("creatinine", 88.4, 0, "umol/L", ref_low=44.2, ref_high=88.4))
    row = next(iter(e.frame.rows()))
    assert (row["low"], row["ref_low"], row["ref_high"]) == (1.0, 0.5, 1.0)


def test_a_finding_is_one_or_zero_and_unknown_is_neither() -> None:
    e = events(
        finding("spleen", "yes", 1),
        finding("splenomegaly", "No", 2),
        finding("splenomegaly", "unknown", 3),
        finding("splenomegaly", "", 4),
        finding("splenomegaly", "maybe", 5),
        finding("third eye", "yes", 6),
    )
    assert known(e, "splenomegaly") == [(1, 1), (0, 0)]
    assert [(r.reason, r.rows) for r in e.refused] == [(NOT_AN_ANSWER, 1), (STATED_UNKNOWN, 2)]
    assert [(r.variable, r.reason) for r in e.unknown] == [("third eye", UNKNOWN_FINDING)]


def test_every_row_leads_back_to_where_it_was_written() -> None:
    e = events(
        lab("S-Ferritin", "> 15,000", 3, "µg/L", available=5),
        lab("ferritin", 1, 4, ""),
        finding("spleen", "yes", 1, key=7),
    )
    assert e.source_row(0) == "labs:2"
    assert e.source_row(2) == "findings:7"
    assert e.describe(0) == {
        "source_row": "labs:2",
        "person_id": "P1",
        "time": at(3),
        "label": "S-Ferritin",
        "value": "> 15,000",
        "unit": "µg/L",
        "available": at(5),
        "variable": "ferritin",
        "low": np.nextafter(15000, np.inf),
        "high": np.inf,
        "canonical_unit": "ng/mL",
        "canonical": ">15000 ng/mL",
        "reason": "",
    }
    assert (e.describe(1)["value"], e.describe(1)["reason"]) == ("1", UNIT_MISSING)
    assert (e.describe(2)["label"], e.describe(2)["canonical"]) == ("spleen", "yes")


def test_nothing_in_gives_nothing_out() -> None:
    e = events()
    assert (len(e.frame), e.refused, e.unknown, len(values(e))) == (0, (), (), 0)
    assert len(e.points("ferritin")) == 0


def test_the_table_of_values_counts_rows_and_shows_limits_with_their_sign() -> None:
    e = events(
        lab("ferritin", ">40000", 0, "ng/mL"),
        lab("ferritin", 24600, 48, "ng/mL"),
        lab("ferritin", 24600, 48, "ng/mL"),
        lab("ferritin", "Hemolyzed", 50, "ng/mL"),
        lab("crp", "<0.2", 0, "mg/L"),
        lab("crp", 3, 1, "mg/L"),
        lab("ast", 30, 0, "", person=1),
        lab("crp", "<5", 0, "mg/L", person=1),
        lab("crp", 2, 1, "mg/L", person=1),
        lab("ferritin", ">15000", 0, "ng/mL", person=1),
        lab("ferritin", 20000, 1, "ng/mL", person=1),
        lab("ldh", ">=900", 0, "U/L", person=1),
    )
    rows = {(r["person_id"], r["variable"]): r for r in values(e).rows()}
    assert list(rows) == [
        ("P1", "crp"),
        ("P1", "ferritin"),
        ("P2", "ast"),
        ("P2", "crp"),
        ("P2", "ferritin"),
        ("P2", "ldh"),
    ]
    ferritin = rows["P1", "ferritin"]
    assert (ferritin["n"], ferritin["n_censored"], ferritin["n_refused"]) == (3, 1, 1)
    assert (ferritin["first"], ferritin["last"]) == (40000, 24600)
    assert (ferritin["min"], ferritin["max"], ferritin["time_of_max"]) == (24600, 40000, at(0))
    assert (ferritin["censored"], ferritin["unit"]) == ("first>|max>", "ng/mL")
    assert (rows["P1", "crp"]["censored"], rows["P1", "crp"]["min"]) == ("first<|min<", 0.2)
    assert (rows["P2", "crp"]["censored"], rows["P2", "crp"]["min"]) == ("first<|min<=|max<", 2)
    assert (rows["P2", "ferritin"]["censored"], rows["P2", "ferritin"]["max"]) == (
        "first>|min>|max>=",
        20000,
    )
    assert (rows["P2", "ldh"]["censored"], rows["P2", "ldh"]["min"]) == (
        "first>=|last>=|min>=|max>=",
        900,
    )
    ast = rows["P2", "ast"]
    assert (ast["n"], ast["n_refused"], ast["time_of_max"]) == (0, 1, UNKNOWN_TIME)
    assert np.isnan(ast["max"])


@pytest.mark.parametrize("turned", [False, True], ids=["as written", "in reverse"])
def test_the_first_and_the_last_value_of_one_moment_do_not_depend_on_the_order_of_rows(
    turned: bool,
) -> None:
    """The first reported is the first, a correction is the last; else the lowest and the highest."""
    rows = [
        lab("ast", 70, 0, "U/L"), lab("ast", 40, 0, "U/L"), lab("ast", 55, 0, "U/L"),
        lab("ldh", 500, 0, "U/L", available=1), lab("ldh", 300, 0, "U/L", available=2),
        lab("alt", 50, 0, "U/L", report=reports.CORRECTS), lab("alt", 90, 0, "U/L", report=reports.PRELIMINARY),
        lab("ferritin", ">900", 0, "ng/mL"), lab("ferritin", 900, 0, "ng/mL"),
    ]  # fmt: skip
    table = {r["variable"]: r for r in values(events(*(rows[::-1] if turned else rows))).rows()}
    ends = {name: (row["first"], row["last"]) for name, row in table.items()}
    assert ends == {"ast": (40, 70), "ldh": (500, 300), "alt": (90, 50), "ferritin": (900, 900)}
    assert table["ferritin"]["censored"] == "last>|max>"


def test_the_table_of_values_covers_the_population_asked_for() -> None:
    e = events(lab("ast", 30, 0, "U/L"), lab("ast", 40, 0, "U/L", person=1))
    assert values(e, np.array([False, True]))["person_id"].tolist() == ["P2"]


results = st.tuples(
    st.integers(0, 3),
    st.integers(0, 5),
    st.sampled_from(["ferritin", "ast"]),
    st.sampled_from(["", ">", "<", ">=", "<="]),
    st.integers(1, 5000),
)


RANGE: Final[Mapping[str, Callable[[int], tuple[float, float]]]] = {
    "": lambda x: (x, x),
    ">": lambda x: (x + 0.5, math.inf),
    ">=": lambda x: (x, math.inf),
    "<": lambda x: (0, x - 0.5),
    "<=": lambda x: (0, x),
}
"""From which to which number a result may be, by its sign; of one moment the lowest comes first."""


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(results, max_size=25))
def test_values_equal_a_plain_walk_over_the_rows(
    drawn: list[tuple[int, int, str, str, int]],
) -> None:
    units = {"ferritin": "ng/mL", "ast": "U/L"}
    e = events(
        *(
            lab(name, f"{sign}{x}", hour, units[name], person=person)
            for person, hour, name, sign, x in drawn
        ),
        persons=4,
    )
    table = {(r["person_id"], r["variable"]): r for r in values(e).rows()}
    walked: dict[tuple[str, str], list[tuple[int, str, int]]] = {}
    for who, hour, name, sign, x in drawn:
        walked.setdefault((f"P{who + 1}", name), []).append((hour, sign, x))
    assert set(table) == set(walked)
    for key, rows in walked.items():
        rows.sort(key=lambda row: (row[0], *RANGE[row[1]](row[2])))
        got = table[key]
        assert got["n"] == len(rows)
        assert got["n_censored"] == sum(sign != "" for _, sign, _ in rows)
        assert (got["first"], got["last"]) == (rows[0][2], rows[-1][2])
        if all(sign == "" for _, sign, _ in rows):
            assert (got["min"], got["max"]) == (min(r[2] for r in rows), max(r[2] for r in rows))
            assert got["censored"] == ""
            assert got["time_of_max"] == at(next(h for h, _, x in rows if x == got["max"]))
        if any(sign in (">", ">=") for _, sign, _ in rows):
            assert {"max>", "max>="} & set(got["censored"].split("|"))
            assert got["max"] == max(x for _, sign, x in rows if sign not in ("<", "<="))


@pytest.fixture(scope="module")
def hospital() -> Iterator[Events]:
    if not MIMIC.is_dir():
        pytest.skip("shared/data/mimic-iv-demo is absent")
    from becalm.records.mimic4 import open_mimic4

    yield harmonise(next(iter(open_mimic4(MIMIC).chunks())), V)


def test_a_real_hospital_agrees_with_a_plain_query(hospital: Events) -> None:
    import duckdb

    with duckdb.connect() as con:
        plain = con.execute(
            """SELECT subject_id::VARCHAR, count(*), min(valuenum), max(valuenum),
                      arg_min(valuenum, (charttime, labevent_id)),
                      arg_max(valuenum, (charttime, labevent_id))
               FROM read_csv($path) WHERE itemid = 50924 GROUP BY 1 ORDER BY 1""",
            {"path": str(MIMIC / "hosp" / "labevents.csv.gz")},
        ).fetchall()
    table = values(hospital)
    mine = table.take(table["variable"] == "ferritin")
    columns = ("person_id", "n", "min", "max", "first", "last")
    assert [tuple(row[c] for c in columns) for row in mine.rows()] == plain
    assert len(plain) == 32


def test_a_real_hospital_loses_no_row(hospital: Events) -> None:
    lost = sum(r.rows for r in (*hospital.refused, *hospital.unknown))
    assert hospital.measured + lost == len(hospital.records.measurements)
    reasons = {(r.variable, r.reason) for r in hospital.refused}
    assert ("d_dimer", "unit does not say FEU or DDU") in reasons
    assert ("temperature", OUTSIDE_RANGE) in reasons
    assert "<" in {c[-1] for c in values(hospital)["censored"] if c}
