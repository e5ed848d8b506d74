"""The next best test: which missing one would settle a definition, by which results, and for how long."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from becalm import protocol
from becalm.core.clock import HOUR
from becalm.core.columns import Categorical, listed
from becalm.definitions import Undetermined, evaluate, load, next_tests
from becalm.records import open_records
from becalm.study.run import run
from tests.records import Row, finding, lab, measured, person, stay
from tests.reference import next_test as brute
from tests.reference.next_test import Patient

DEMO: Final = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-demo"
PERSON: Final = (person(), stay(0, 400))
INDEX: Final = 100
"""The hour at which ferritin and temperature are both known."""


def asked(*rows: Row, criterion: str = "hscore") -> dict[str, dict[str, Any]]:
    """The tests that are listed for one definition, by their names; "" where no single one would settle it."""
    found = measured("hyperinflammation", *PERSON, *rows, only="next_test")
    return {row["test"]: row for row in found if row["criterion"] == criterion}


def known(**values: float | bool) -> list[Row]:
    """Values drawn at the index; findings say present or absent."""
    return [
        finding(name, "yes" if value else "no", INDEX)
        if isinstance(value, bool)
        else lab(name, value, INDEX)
        for name, value in values.items()
    ]


ENTRY: Final = {
    "ferritin": 3000.0,
    "temperature": 39.0,
    "haemoglobin": 8.0,
    "wbc": 2.0,
    "platelets": 60.0,
}
"""35 + 33 + 34 of HScore."""


def test_triglycerides_decide_either_way() -> None:
    """121 points and only triglycerides missing: below 1.5 mmol/L it stays 121, from 1.5 on it is 165 or 185."""
    found = asked(
        *known(
            **ENTRY,
            hepatomegaly=False,
            splenomegaly=False,
            haemophagocytosis=False,
            fibrinogen=3.0,
            ast=60,
        ),
        *known(immunosuppression=False),
    )
    [(name, row)] = found.items()
    assert (name, row["test_kind"], row["test_state"], row["settles"]) == (
        "triglycerides", "measurement", "missing", "whatever the result",
    )  # fmt: skip
    assert row["settles_met_if"] == "above 4 mmol/L"
    assert row["settles_not_met_if"] == "up to 4 mmol/L"
    assert row["counts_for_hours"] == 7 * 24
    assert (row["low"], row["high"], row["rank"]) == (121, 185, 1)


def test_the_spleen_is_apart_from_the_liver() -> None:
    """144 with one of the two known as enlarged: only the other decides, and only if it is enlarged too."""
    found = asked(
        *known(
            **ENTRY,
            hepatomegaly=True,
            haemophagocytosis=False,
            fibrinogen=2.0,
            ast=20,
            triglycerides=1.0,
        ),
        *known(immunosuppression=False),
    )
    # 102 + 23 or 38 + 30: 155 to 170
    assert set(found) == {"splenomegaly"}
    row = found["splenomegaly"]
    assert (row["test_kind"], row["settles_met_if"], row["settles_not_met_if"]) == (
        "finding",
        "present",
        "absent",
    )
    assert row["counts_for_hours"] == 14 * 24


def test_what_no_test_shows_is_a_question_to_the_history() -> None:
    """151 without the immunosuppression, 18 points more with it."""
    found = asked(
        *known(
            **ENTRY,
            hepatomegaly=False,
            splenomegaly=False,
            haemophagocytosis=False,
            fibrinogen=2.0,
            ast=60,
        ),
        *known(triglycerides=1.0),
    )
    row = found["immunosuppression"]
    assert (row["low"], row["high"]) == (151, 169)
    assert (row["test_kind"], row["settles_met_if"], row["settles_not_met_if"]) == (
        "history",
        "yes",
        "no",
    )
    assert row["counts_for_hours"] != row["counts_for_hours"]


def test_where_two_would_be_needed_no_single_one_is_listed() -> None:
    """Ferritin and fever alone: HLH-2004 lacks too much for one test, and one row says so."""
    found = asked(*known(ferritin=600.0, temperature=39.0), criterion="hlh2004")
    assert set(found) == {""}
    assert (found[""]["settles"], found[""]["rank"], found[""]["test_state"]) == (
        "no single test",
        0,
        "",
    )


@pytest.mark.parametrize(
    ("rows", "state", "value", "age"),
    [
        ((), "missing", None, None),
        ((lab("triglycerides", 3.3, INDEX - 200),), "expired", 3.3, 200),
        ((lab("triglycerides", 3.3, INDEX + 5),), "measured later", None, None),
        ((lab("triglycerides", 3.3, INDEX - 2, available=INDEX + 3),), "result pending", None, None),
        ((lab("triglycerides", 9, INDEX - 2, unit="furlongs"),), "not understood", None, None),
        ((lab("triglycerides", ">1.2", INDEX - 2),), "in part", 1.2, 2),
    ],
)  # fmt: skip
def test_why_a_test_is_asked_for(
    rows: tuple[Row, ...], state: str, value: float | None, age: float | None
) -> None:
    """Missing, too old, later, not yet known, not understood, or only a limit; with the last value and its age."""
    found = asked(
        *known(**ENTRY, hepatomegaly=False, splenomegaly=False, haemophagocytosis=False, fibrinogen=3.0, ast=60),
        *known(immunosuppression=False), *rows,
    )  # fmt: skip
    row = found["triglycerides"]
    assert row["test_state"] == state
    if value is not None:
        assert (row["last_value"], row["last_value_hours"]) == (value, age)
        assert row["source_row"]
        assert row["censored"] == ("last_value>" if state == "in part" else "")


def test_a_row_refused_before_the_look_back_is_not_the_reason() -> None:
    """Fibrinogen counts 72 h: a value of 80 h ago is expired, although a row of 75 h ago was not understood."""
    old = lab("fibrinogen", 3.3, INDEX - 80), lab("fibrinogen", 9, INDEX - 75, unit="furlongs")
    found = asked(*known(**ENTRY, ast=20.0), *known(triglycerides=1.0), *old, criterion="mas2016")
    assert found["fibrinogen"]["test_state"] == "expired"


def test_the_shortest_look_back_of_several_counts() -> None:
    """A temperature counts 24 h as the fever of now, and 7 d as one before antipyretics: 24 h are promised."""
    given, time = brute.inputs([Patient({}, {"fever_masked": 1.0})], [], 100 * HOUR, "drawn")
    evaluation = evaluate(load("astct_crs"), given)
    low, high = evaluation.at(np.array([0]), time)
    rows = next_tests(
        Undetermined(
            evaluation, listed(["a"]), np.array([0], np.int32), time, low, high,
            Categorical(np.zeros(1, np.int32), listed(["index"])),
        )
    )  # fmt: skip
    [row] = [row for row in rows.rows() if row["test"] == "temperature"]
    assert (row["counts_for_hours"], row["settles_met_if"]) == (24, "38 °C or more")


def test_a_threshold_in_two_units_is_one() -> None:
    """2016 MAS: 156 mg/dL and 1.76 mmol/L are one edge, and both are printed."""
    found = asked(
        *known(ferritin=3000.0, temperature=39.0, platelets=60.0, ast=20.0, fibrinogen=4.0),
        criterion="mas2016",
    )
    row = found["triglycerides"]
    assert row["settles_met_if"] == "above 1.76 mmol/L (156 mg/dL)"
    assert row["settles_not_met_if"] == "up to 1.76 mmol/L (156 mg/dL)"
    assert row["settles"] == "whatever the result"


def test_who_is_decided_asks_for_nothing() -> None:
    """Met for certain: no row."""
    full = known(**ENTRY, hepatomegaly=True, splenomegaly=True, triglycerides=5.0)
    assert asked(*full) == {}


@pytest.mark.skipif(not DEMO.is_dir(), reason=f"{DEMO.name} is absent")
def test_the_twelve_of_the_mimic_demo() -> None:
    """HScore is undetermined in 11: normal triglycerides alone would settle not met in five, an enlarged liver or spleen,
    marrow or immunosuppression would settle met in one (167 to 258), and no single test the others. HLH-2004 is
    undetermined in 12, and no single test would settle one. By the spleen or the liver alone nobody would be not met.
    """
    study = run(open_records(str(DEMO)), protocol.load("hyperinflammation"), DEMO.name)
    cohort = set(study.frames["persons"]["person_id"].tolist())
    assert len(cohort) == 12
    rows = [row for row in study.frames["next_test"].rows() if row["person_id"] in cohort]
    hscore = [row for row in rows if row["criterion"] == "hscore"]
    assert len({row["person_id"] for row in hscore}) == 11
    normal = {row["person_id"] for row in hscore if row["settles_not_met_if"] == "below 1.5 mmol/L"}
    assert normal == {"10003400", "10020740", "10032725", "10038999", "10039708"}
    met = {
        (row["person_id"], row["test"], row["settles_met_if"])
        for row in hscore
        if row["settles_met_if"]
    }
    assert met == {
        ("10035631", "hepatomegaly", "present"), ("10035631", "splenomegaly", "present"),
        ("10035631", "haemophagocytosis", "present"), ("10035631", "immunosuppression", "yes"),
    }  # fmt: skip
    [(low, high)] = {(r["low"], r["high"]) for r in hscore if r["person_id"] == "10035631"}
    assert (low, high) == (167, 258)
    assert {r["person_id"] for r in hscore if r["settles"] == "no single test"} == {
        "10018081", "10019003", "10021487", "10029291", "10038081",
    }  # fmt: skip
    # Neither spleen nor liver enlarged takes 38 points: two findings together would settle not met in two patients.
    both = {row["person_id"] for row in hscore if row["high"] - 38 < 169}
    assert both == {"10020740", "10039708"}
    assert not any(row["settles_not_met_if"] == "absent" for row in hscore)
    hlh = [row for row in rows if row["criterion"] == "hlh2004"]
    assert len(hlh) == 12
    assert {row["settles"] for row in hlh} == {"no single test"}


def test_the_words_of_results_are_these() -> None:
    """Every text of the table is one of few forms that the reference can read."""
    found = measured(
        "hyperinflammation", *PERSON, *known(ferritin=3000.0, temperature=39.0), only="next_test"
    )
    for row in found:
        for column in ("settles_met_if", "settles_not_met_if"):
            assert re.fullmatch(
                r"|present|absent|yes|no|any result|(below|up to|above|from) .*|.* or more",
                row[column],
            )
