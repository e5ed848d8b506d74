"""The same rule among those who never got the drug: who they are, their index, and what became of them."""

from __future__ import annotations

from typing import Any

import pytest

from becalm.measures.response import background
from tests.records import Row, condition, dose, infusion, lab, measured, patient, stay
from tests.spec.edges import around, read, unknown_keys

FILE = "measures/response/background.toml"
HIGH = 14200.0


def storm(name: str = "A", *rows: Row, ferritin: float = 7000, ast: float = 100, at: float = 44, **facts: Any) -> tuple[Row, ...]:  # fmt: skip
    """Return somebody whose storm is possible from hour 0 on, with values 44 h later."""
    return patient(
        name,
        lab("ferritin", HIGH, 0), lab("ast", 300, 0), lab("ferritin", ferritin, at), lab("ast", ast, at),
        *rows, **facts,
    )  # fmt: skip


def results(*rows: Row, index_by: str = "storm", rule: str = "primary") -> dict[str, str]:
    """Return the result of each person with such an index."""
    table = measured("anakinra_mas", *rows, only="untreated")
    return {
        row["person_id"]: row["result"]
        for row in table
        if (row["index_by"], row["rule"]) == (index_by, rule)
    }


def test_who_responds_by_the_same_rule() -> None:
    """Ferritin lower and AST or ALT lower; an equal value did not fall, and without an ALT that alone is no answer."""
    rows = (
        *storm("both"), *storm("ferritin-rose", ferritin=15000), *storm("ast-equal", ast=300), *storm("both-enzymes-equal", lab("alt", 90, 0), lab("alt", 90, 44), ast=300),
        *storm("no-ast", at=44)[:3], *storm("no-ast")[3:4],
    )  # fmt: skip
    assert results(*rows) == {
        "both": "yes",
        "ferritin-rose": "no",
        "ast-equal": "no sample",
        "both-enzymes-equal": "no",
        "no-ast": "no sample",
    }
    falls = {share: results(*rows, rule=f"fall_{share}") for share in (15, 25, 50)}
    assert [falls[share]["both"] for share in (15, 25, 50)] == ["yes", "yes", "yes"]
    assert falls[15]["ferritin-rose"] == "no"
    assert results(*rows, rule="ast")["ast-equal"] == "no"


@pytest.mark.parametrize(
    "got",
    [
        dose("anakinra", -400, amount="100 mg", route="SC"),
        dose("anakinra", 900, amount="100 mg", route="SC"),
        infusion(2, 30),
        dose("anakinra", None, amount="100 mg"),
    ],
    ids=["long before", "long after", "the infusion", "nobody knows when"],
)
def test_whoever_got_the_drug_at_any_time_is_not_among_them(got: Row) -> None:
    """Long before, long after, by any route, or at a time that nobody knows."""
    assert results(*storm("never"), *storm("got", got)) == {"never": "yes"}


def test_another_drug_does_not_exclude() -> None:
    """Who got another immunotherapy still never got this drug."""
    assert results(*storm("A", dose("tocilizumab", 1, amount="600 mg"))) == {"A": "yes"}


def test_who_does_not_belong_to_the_population_or_is_excluded_is_not_among_them() -> None:
    """A child, and a patient with a condition for which the protocol excludes."""
    rows = (
        *storm("adult", age=18), *storm("child", age=17),
        *storm("leukaemia", condition("acute myeloid leukaemia", -100)),
    )  # fmt: skip
    assert results(*rows) == {"adult": "yes"}


def test_the_index_is_the_first_moment_of_the_storm() -> None:
    """From hour 100 on, when ferritin first is 684 or more: the value before does not count as the baseline."""
    rows = patient(
        "late", lab("ferritin", 683, 0), lab("ferritin", 5000, 100), lab("ferritin", 900, 148),
        lab("ast", 300, 99), lab("ast", 100, 148),
    )  # fmt: skip
    [row] = [
        row
        for row in measured("anakinra_mas", *rows, only="untreated")
        if (row["index_by"], row["rule"]) == ("storm", "primary")
    ]
    assert (row["result"], row["value_at_index"]) == ("yes", 5000)
    assert results(*patient("calm", lab("ferritin", 683, 0), lab("ferritin", 300, 48))) == {}


@pytest.mark.parametrize("drawn", [h for edge in (30, 54) for h in around(edge)])
def test_the_window_is_that_of_the_protocol(drawn: float) -> None:
    """(30, 54] h after the index, for the storm and for the level alike."""
    inside = 30 < drawn <= 54
    rows = storm("A", at=drawn)
    assert results(*rows) == {"A": "yes" if inside else "no sample"}
    assert results(*rows, index_by="ast 100", rule="ast") == {"A": "yes" if inside else "no sample"}


def test_death_and_discharge_before_48_hours_are_states() -> None:
    """A death before 48 h is no response whatever was measured; a single marker that was measured stays measured."""
    rows = (
        *storm("died", death=47), *storm("died-early", at=80, death=47),
        *storm("lived", death=49),
        *patient("left", lab("ferritin", HIGH, 0), lab("ast", 300, 0), stay(-5, 20, destination="home")),
    )  # fmt: skip
    assert results(*rows) == {
        "died": "died before",
        "died-early": "died before",
        "lived": "yes",
        "left": "discharged before",
    }
    assert results(*rows, rule="ast") == {
        "died": "yes",
        "died-early": "died before",
        "lived": "yes",
        "left": "discharged before",
    }


LEVELS = [(each["variable"], each["at_least"]) for each in read(FILE)["level"]]


@pytest.mark.parametrize(("variable", "level"), LEVELS)
def test_a_level_draws_the_index_at_it_and_not_below(variable: str, level: float) -> None:
    """The first value at or above the level is the index and the baseline, whatever came before."""
    index_by = f"{variable} {level:g}"

    def found(value: float) -> dict[str, str]:
        rows = patient(
            "A", lab(variable, level - 1, -10), lab(variable, value, 0), lab(variable, level - 2, 48)
        )  # fmt: skip
        return results(*rows, index_by=index_by, rule=variable)

    assert found(level - 1) == {}
    assert found(level) == {"A": "yes"}
    assert found(level + 1) == {"A": "yes"}
    rose = patient("A", lab(variable, level, 0), lab(variable, level + 5, 48), lab(variable, 1, 96))
    assert results(*rose, index_by=index_by, rule=variable) == {"A": "no"}


def test_two_reports_of_one_draw_reach_a_level_only_if_both_do() -> None:
    """55 and 100 U/L of one moment are a range that may lie below 100: the next value is the index."""
    rows = patient(
        "A", lab("ast", 100, 0), lab("ast", 55, 0), lab("ast", 260, 60), lab("ast", 80, 108)
    )
    table = measured("anakinra_mas", *rows, only="untreated")
    [row] = [row for row in table if row["index_by"] == "ast 100"]
    assert (row["value_at_index"], row["result"]) == (260, "yes")


def test_a_value_beyond_the_limit_of_the_laboratory_leaves_it_open() -> None:
    """>40,000 at the index and >40,000 later: nobody knows which is higher."""
    rows = patient(
        "A", lab("ferritin", ">40000", 0), lab("ferritin", ">40000", 44),
        lab("ast", 300, 0), lab("ast", 100, 44),
    )  # fmt: skip
    assert results(*rows, rule="ferritin") == {"A": "open"}
    assert results(*rows) == {"A": "no sample"}


@pytest.mark.parametrize("name", ["hyperinflammation", "covid_hyperinflammation"])
def test_a_protocol_without_a_drug_has_nobody_without_it(name: str) -> None:
    """It claims no effect of a drug, so there is nothing to compare with."""
    assert measured(name, *storm(), only="untreated") == []


def test_the_counts_of_other_records_are_those_of_the_evidence() -> None:
    """28 of 41 by AST, 21 of 32 by ALT, 16 of 22 by CRP; marked, because nobody else has checked them."""
    found = {each.variable: (each.fell, each.of, each.verified) for each in background.file().elsewhere}  # fmt: skip
    assert found == {"ast": (28, 41, False), "alt": (21, 32, False), "crp": (16, 22, False)}


def test_every_key_of_the_file_is_tested_or_has_no_edge() -> None:
    """A new key fails until it has a test or a reason."""
    tested = ["level[].at_least", "here.fewest"]  # the second in tests/report/test_what_n_shows.py
    none = [
        "here.source", "level[].variable", "level[].source",
        *(f"elsewhere[].{key}" for key in ("variable", "at_least", "fell", "of", "source", "verified")),
    ]  # fmt: skip
    assert unknown_keys(FILE, dict.fromkeys([*tested, *none])) == []
