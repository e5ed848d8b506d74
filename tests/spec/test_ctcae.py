"""Counts and liver enzymes: the CTCAE v5 grade before time zero and after it."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from becalm.measures import ctcae
from tests.records import hours
from tests.spec.patients import Patients, patients

CIV = "start | end | drug | mg_h\n0 | 96 | anakinra | 100"
LIMITS = {
    "neutrophils": (1.8, 7.7),
    "platelets": (150.0, 400.0),
    "wbc": (4.0, 11.0),
    "haemoglobin": (12.0, 16.0),
    "ast": (0.0, 40.0),
    "alt": (0.0, 40.0),
}


def measured(variable: str, values: str, **known: object) -> Patients:
    table = f"hour | {variable}\n" + "\n".join(v.replace(" ", " | ", 1) for v in values.split("|"))
    given = {"doses": CIV, "infusion_start": 0, "limits": LIMITS, **known}
    return patients(table, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "variable", "expected"),
    [
        ("neutropenia", "neutrophils", {1.8: 0, 1.79: 1, 1.5: 1, 1.49: 2, 1.0: 2, 0.99: 3, 0.5: 3, 0.49: 4}),
        ("thrombocytopenia", "platelets", {150: 0, 149: 1, 75: 1, 74: 2, 50: 2, 49: 3, 25: 3, 24: 4}),
        ("leucopenia", "wbc", {4.0: 0, 3.9: 1, 3.0: 1, 2.9: 2, 2.0: 2, 1.9: 3, 1.0: 3, 0.9: 4}),
        ("anaemia", "haemoglobin", {12: 0, 11.9: 1, 10: 1, 9.9: 2, 8: 2, 7.9: 3, 4.0: 3}),
        ("ast", "ast", {40: 0, 41: 1, 120: 1, 121: 2, 200: 2, 201: 3, 800: 3, 801: 4}),
        ("alt", "alt", {40: 0, 41: 1, 120: 1, 121: 2, 200: 2, 201: 3, 800: 3, 801: 4}),
    ],
)  # fmt: skip
def test_bounds_belong_to_the_milder_grade(
    event: str, variable: str, expected: dict[float, int]
) -> None:
    """A platelet count of 50 is grade 2, one of 49 grade 3; anaemia has no grade 4 by number."""
    found = {
        value: measured(variable, f"24 {value}").safety(event)["grade_after"] for value in expected
    }
    assert found == expected


def test_before_and_after_are_the_worst_of_their_windows() -> None:
    """72 h before, time zero included; after it until 7 d after the last continuous dose."""
    row = measured("platelets", "-73 10|-72 60|-4 80|0 70|0.02 55|263 20|265 5").safety(
        "thrombocytopenia"
    )
    assert (row["grade_before"], row["grade_after"]) == (2, 4)
    assert hours(row["onset"]) == 263
    assert row["hours_from_t0"] == 263
    assert row["on_drug"] is False
    assert row["attribution"] == "cannot tell"


def test_a_grade_that_did_not_worsen_has_the_onset_of_the_event_itself() -> None:
    """Grade 2 before and after: the onset is that of the grade 2, 60 h before time zero."""
    row = measured("platelets", "-60 140|-4 60|24 60").safety("thrombocytopenia")
    assert (row["grade_before"], row["grade_after"]) == (2, 2)
    assert hours(row["onset"]) == -60


def test_the_onset_is_the_first_draw_that_reaches_the_grade_after() -> None:
    """The onset of a worsened grade is the first draw that reaches it."""
    row = measured("platelets", "-4 160|20 140|30 60|40 60|50 90").safety("thrombocytopenia")
    assert hours(row["onset"]) == 30
    assert row["on_drug"] is True


def test_what_was_never_measured_has_no_grade() -> None:
    """Unknown is not grade 0; the row is there all the same."""
    row = measured("platelets", "-4 60").safety("neutropenia")
    assert (row["grade_before"], row["grade_after"], row["on_drug"]) == (-1, -1, None)
    assert (row["reference"], row["source_row"], hours(row["onset"])) == ("", "", None)
    half = measured("platelets", "-4 60").safety("thrombocytopenia")
    assert (half["grade_before"], half["grade_after"]) == (2, -1)


def test_the_records_own_limit_decides_and_a_default_one_is_labelled() -> None:
    """An AST of 45 is grade 1 where the upper limit is 40, and none where it is 50."""
    own = {"ast": (0.0, 50.0)}
    assert measured("ast", "24 45", limits=own).safety("ast")["grade_after"] == 0
    assert measured("ast", "24 45", limits=own).safety("ast")["reference"] == (
        "CTCAE v5; upper limit 50 (record)"
    )
    none = measured("ast", "24 45", limits={}).safety("ast")
    assert (none["grade_after"], none["reference"]) == (
        1,
        "CTCAE v5; upper limit 40 (default limit)",
    )


def test_a_grade_from_memory_says_that_it_was_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that nobody has compared with the published table carries that mark."""
    shipped, later = ctcae.versions()
    unread = tuple(msgspec.structs.replace(each, verified=False) for each in shipped.event)
    marked = msgspec.structs.replace(shipped, event=unread)
    monkeypatch.setattr(ctcae, "versions", lambda: (marked, later))
    row = measured("haemoglobin", "24 9.0").safety("anaemia")
    assert row["reference"].startswith("CTCAE v5, not verified")


@pytest.mark.parametrize(
    ("values", "event", "variable", "grade"),
    [
        ("24 <10", "thrombocytopenia", "platelets", 4),
        ("24 <60", "thrombocytopenia", "platelets", 2),
        ("24 >700", "ast", "ast", 3),
        ("24 >7000", "ast", "ast", 4),
    ],
)
def test_a_limit_has_the_grade_that_is_certain(
    values: str, event: str, variable: str, grade: int
) -> None:
    """Platelets below 60 are at least grade 2, whatever they were."""
    assert measured(variable, values).safety(event)["grade_after"] == grade


def test_an_enzyme_that_was_abnormal_before_says_that_ctcae_counts_otherwise() -> None:
    """Its rule is then multiples of the baseline; the last value until time zero decides, one after it does not."""
    words = "abnormal before t0: CTCAE then counts multiples of the baseline"
    high = measured("ast", "-4 90|24 210").safety("ast")
    assert (high["grade_before"], high["grade_after"]) == (1, 3)
    assert high["reference"] == f"CTCAE v5; upper limit 40 (record); {words}"
    assert words in measured("ast", "-4 30|0 41|24 30").safety("ast")["reference"]
    for normal in ("-4 30|24 210", "-4 90|0 40|24 210"):
        assert words not in measured("ast", normal).safety("ast")["reference"]


def test_fibrinogen_is_graded_against_its_lower_limit_and_at_half_a_gram() -> None:
    """Multiples of the laboratory's lower limit; below 50 mg/dL grade 4 also without one."""
    rule = ctcae.named("hypofibrinogenaemia")
    found = rule.grade(np.array([2.0, 1.99, 1.49, 0.99, 0.5, 0.49]), np.full(6, 2.0))
    assert found.tolist() == [0, 1, 2, 3, 3, 4]
    alone = rule.grade(np.array([0.5, 0.49]), np.full(2, np.nan))
    assert np.isnan(alone[0])
    assert alone[1] == 4


@pytest.mark.parametrize(
    ("event", "variable", "expected"),
    [
        ("neutropenia_v6", "neutrophils", {1.5: 0, 1.49: 1, 0.99: 2, 0.49: 3, 0.1: 3, 0.09: 4}),
        ("thrombocytopenia_v6", "platelets", {150: 0, 149: 1, 49: 3, 10: 3, 9: 4}),
        ("lymphopenia", "lymphocytes", {1.0: 0, 0.99: 1, 0.79: 2, 0.49: 3, 0.19: 4}),
        ("bilirubin", "bilirubin", {1.2: 0, 1.3: 1, 1.9: 2, 3.7: 3, 12.1: 4}),
    ],
)
def test_version_6_stands_beside_version_5(
    event: str, variable: str, expected: dict[float, int]
) -> None:
    """A neutrophil count of 0.4 is grade 4 by version 5 and grade 3 by version 6."""
    limits = LIMITS | {"lymphocytes": (1.0, 4.0), "bilirubin": (0.0, 1.2)}
    found = {}
    for value in expected:
        patient = measured(variable, f"24 {value}", limits=limits)
        rules = msgspec.structs.replace(patient.protocol.safety, events=(event,))
        asked = msgspec.structs.replace(patient.protocol, safety=rules)
        found[value] = replace(patient, protocol=asked).safety(event)["grade_after"]
    assert found == expected
    assert ctcae.version_of("neutropenia").title == "CTCAE v5"
    assert ctcae.version_of("neutropenia_v6").title == "CTCAE v6"


def test_without_any_limit_only_bounds_of_their_own_can_be_told() -> None:
    """Without the laboratory's lower limit grade 1 cannot be told from normal; grades 2 to 4 have numbers of their own."""
    rule = ctcae.named("neutropenia")
    found = rule.grade(np.array([1.7, 1.4, 0.4]), np.array([np.nan, np.nan, np.nan]))
    assert np.isnan(found[0])
    assert found[1:].tolist() == [2, 4]


def test_every_event_of_the_protocol_has_a_row() -> None:
    """An event that did not happen, or was not measured, has its row too."""
    patient = measured("platelets", "-4 60")
    events = patient.protocol.safety.events
    assert {patient.safety(event)["event"] for event in events} == set(events)


def test_rows_lead_back_to_the_draws_that_decided() -> None:
    """The worst draw before and the worst after are named with the row they came from."""
    row = measured("platelets", "-60 90|-4 60|20 90|30 20").safety("thrombocytopenia")
    assert row["source_row"] == "labs:3|labs:5"


def test_an_unknown_event_is_refused() -> None:
    """A misspelt event is an error and not a grade of zero."""
    with pytest.raises(Exception, match="no event is called 'headache'"):
        ctcae.named("headache")


BASELINES = [
    (event.event, kind, int(grade), bound)
    for event in ctcae.events()
    if event.from_baseline is not None
    for kind in ("above", "at_least", "below", "at_most")
    for grade, bound in getattr(event.from_baseline, kind).items()
]


@pytest.mark.parametrize(("event", "kind", "grade", "bound"), BASELINES)
def test_multiples_of_an_abnormal_baseline_have_their_bounds(
    event: str, kind: str, grade: int, bound: float
) -> None:
    """At the bound, and a little to either side of it."""
    rule = ctcae.named(event)
    base = 4.0 if rule.falls else 100.0
    less, at, more = rule.grade_from(base, base * bound * np.array([0.999, 1.0, 1.001]))
    worse, milder = (less, more) if rule.falls else (more, less)
    assert (worse, at) == (grade, grade if kind in {"at_least", "at_most"} else milder)
    assert milder < grade


def test_the_grade_by_an_abnormal_baseline_stands_beside_the_one_by_the_limit() -> None:
    """AST of 90, then 210: grade 3 by its limit of 40, grade 1 by 2.3 times the value before; after time zero alone."""
    row = measured("ast", "-30 300|-4 90|24 210|30 100").safety("ast")
    assert (row["grade_before"], row["grade_after"], row["grade_by_baseline"]) == (3, 3, 1)
    assert row["source_row"] == "labs:2|labs:3|labs:4"
    fell = measured("ast", "-4 400|24 390").safety("ast")
    assert (fell["grade_before"], fell["grade_after"], fell["grade_by_baseline"]) == (3, 3, 0)
    assert measured("ast", "-4 400|24 2001").safety("ast")["grade_by_baseline"] == 3
    assert measured("ast", "-4 400|24 2000").safety("ast")["grade_by_baseline"] == 2


@pytest.mark.parametrize(
    "values", ["-4 30|24 210", "-4 90|0 40|24 210", "24 210", "-4 90", "-4 >700|24 900"]
)
def test_without_an_abnormal_number_before_there_is_no_grade_by_it(values: str) -> None:
    """A normal value, none, none after, and a baseline of which only the limit is known."""
    assert measured("ast", values).safety("ast")["grade_by_baseline"] == -1


def test_a_fall_of_an_abnormal_fibrinogen_is_graded_by_the_fall() -> None:
    """1.6 g/L before, under a limit of 2: 1.2 is a fall of 25 %, 0.45 is below 50 mg/dL."""
    limits = {"fibrinogen": (2.0, 4.0)}
    found = {}
    for value in (1.6, 1.5, 1.21, 1.2, 0.8, 0.45):
        patient = measured("fibrinogen", f"-4 1.6|24 {value}", limits=limits)
        rules = msgspec.structs.replace(patient.protocol.safety, events=("hypofibrinogenaemia",))
        asked = msgspec.structs.replace(patient.protocol, safety=rules)
        found[value] = replace(patient, protocol=asked).safety("hypofibrinogenaemia")[
            "grade_by_baseline"
        ]
    assert found == {1.6: 0, 1.5: 1, 1.21: 1, 1.2: 2, 0.8: 3, 0.45: 4}
