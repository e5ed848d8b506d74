"""What the words around the name of a disease say: it is there, suspected, denied, past, or somebody else's."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from becalm.vocabulary import icd, load, statements

with warnings.catch_warnings():  # it reads its data by a function that Python calls deprecated
    warnings.simplefilter("ignore", DeprecationWarning)
    import simple_icd_10_cm

V = load()
CASES = Path(__file__).parents[3] / "shared" / "cases"

ONE_NAME = {
    "confirmed": """HLH | known HLH | HLH (confirmed) | HIV positive | biopsy-proven lymphoma | EBV pos |
        active HLH | non-Hodgkin lymphoma | acute myeloid leukaemia not in remission | HIV+""",
    "excluded": """HIV negative | COVID-19 negative | HLH unlikely | HLH excluded | no HLH | HLH ruled out |
        HLH, ruled out | HLH: no | HLH no | no evidence of lymphoma | no history of lymphoma | HIV (-) | HIV- |
        neg HIV | HIV test negative | without lymphoma | non-HLH | excluded: HLH | HLH - unlikely | HIV negativ |
        kein HLH | HLH ausgeschlossen | pas de lymphoma | sin HLH | senza HLH | HLH escluso | never had HIV""",
    "suspected": """r/o HLH | rule out HLH | HLH? | ?HLH | possible HLH | suspected MAS | HLH suspected | HLH not excluded |
        HLH cannot be ruled out | workup for HLH | HLH workup | exposure to COVID-19 | COVID-19 exposure |
        COVID-19 contact | V.a. HLH | Verdacht auf HLH | probable HLH | likely MAS | DD HLH | sospecha de HLH | sospetto HLH""",
    "history": """history of lymphoma | h/o lymphoma | s/p lymphoma | hx of lymphoma | lymphoma in remission |
        lymphoma (history) | previous lymphoma | lymphoma 2010, in remission | status post CAR-T | Z.n. HLH |
        past HLH | resolved HLH""",
    "others": """family history of HLH | FHx: HLH | mother with SLE | brother had HLH | COVID-19 vaccination |
        vaccinated against COVID-19""",
    "undecided": """suspected HLH ruled out | HLH, unlikely given the ferritin | HLH, not likely at all""",
}


def said(text: str) -> list[tuple[str, str]]:
    return [(each.name, each.state) for each in V.read_diagnosis(text).said]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (state, " ".join(text.split()))
        for state, texts in ONE_NAME.items()
        for text in texts.split("|")
    ],
)
def test_one_name(state: str, text: str) -> None:
    """The words around the name of a disease say whether it is there."""
    assert [each for _, each in said(text)] == [state], text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HLH without lymphoma", ["confirmed", "excluded"]),
        ("no HLH or lymphoma", ["excluded", "excluded"]),
        ("HLH and lymphoma excluded", ["excluded", "excluded"]),
        ("HIV neg, EBV pos", ["excluded", "confirmed"]),
        ("suspected MAS in known SLE", ["suspected", "confirmed"]),
        ("SLE; r/o MAS", ["confirmed", "suspected"]),
        ("possible HLH/MAS", ["suspected", "suspected"]),
        # Whether a denial goes on behind a comma cannot be decided, so nothing is affirmed.
        ("no HLH, lymphoma", ["excluded", "undecided"]),
        ("history of SLE with HLH", ["history", "undecided"]),
    ],
)
def test_two_names(text: str, expected: list[str]) -> None:
    """With two diseases in one text each has its own state, and what cannot be decided is not affirmed."""
    assert [state for _, state in said(text)] == expected


NEGATING = sorted(
    {
        *statements.file().denied.before,
        *statements.file().suspected.before,
        *statements.file().history.before,
        *statements.file().others.before,
    }
)
BEHIND = sorted(
    {
        *statements.file().denied.after,
        *statements.file().suspected.after,
        *statements.file().history.after,
        *statements.file().others.after,
    }
)
NAMES = ["HLH", "lymphoma", "HIV", "COVID-19", "SLE", "macrophage activation syndrome"]


@given(
    st.sampled_from(NEGATING),
    st.sampled_from(NAMES),
    st.sampled_from(["", " 2012", ", see letter", " (ward)"]),
)
def test_nothing_that_is_denied_doubted_or_past_affirms(word: str, name: str, tail: str) -> None:
    """No word of denial, doubt or history before a name lets it count as present."""
    assert V.conditions_of("", "", f"{word} {name}{tail}") == ()


@given(
    st.sampled_from(NAMES), st.sampled_from([" ", ": ", ", ", " - ", " ("]), st.sampled_from(BEHIND)
)
def test_nothing_that_is_taken_back_affirms(name: str, between: str, word: str) -> None:
    """No word of denial, doubt or history behind a name lets it count as present."""
    assert V.conditions_of("", "", f"{name}{between}{word}") == ()


@given(
    st.sampled_from(NAMES),
    st.sampled_from(["", "acute ", "severe ", "new "]),
    st.sampled_from(["", " stage 4", " since 2019"]),
)
def test_a_plain_name_affirms(name: str, before: str, after: str) -> None:
    """A name with nothing against it counts as present."""
    assert V.conditions_of("", "", f"{before}{name}{after}") != ()


CERTAINTY = {
    "confirmed": "c001 c002 c008 c013 c023 c029 c030 c031 c035",
    "suspected": "c003 c010 c015 c018 c025 c027",
    "excluded": "c004 c006 c007 c009 c012 c014 c016 c017 c020 c021 c024 c026",
    "history": "c005 c019 c022",
    "": "c011 c028 c032 c033 c034 c036 c037",
}


@pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")
def test_letters_behind_a_code() -> None:
    """ICD-10-GM writes the certainty behind a code; ICD-10-CM writes other letters there."""
    expected = {person: state for state, persons in CERTAINTY.items() for person in persons.split()}
    rows = (CASES / "codes-certainty" / "conditions.csv").read_text("utf-8").splitlines()[1:]
    for person, _, quoted in (row.split(",") for row in rows):
        meaning = V.diagnosis("", quoted.strip('"'), "")
        states = {state for _, state in meaning.said}
        if expected[person]:
            assert states == {expected[person]}, (person, quoted, meaning)
        else:
            assert meaning.fate == "not understood", (person, quoted, meaning)


@pytest.mark.parametrize(
    ("code", "readings"),
    [
        ("T80.82XA", [("T8082XA", None)]),
        ("C34.1RV", [("C341", "suspected")]),
        ("M08.2A", [("M082", "excluded"), ("M082A", None)]),
        ("D47.Z1", [("D47Z1", None)]),
        ("C4A.9", [("C4A9", None)]),
        ("K29.-", [("K29", None)]),
        ("K29.7", [("K297", None)]),
        ("C81", [("C81", None)]),
        ("12345", []),
        ("", []),
    ],
)
def test_forms_of_codes(code: str, readings: list[tuple[str, str | None]]) -> None:
    """A code is read as the German or as the American modification of ICD-10 allows."""
    assert [(each.plain, each.certainty) for each in icd.read(code, "icd10")] == readings


def test_every_code_of_the_classification_is_well_formed() -> None:
    """Every code of ICD-10-CM has a form that becalm accepts."""
    codes = simple_icd_10_cm.get_all_codes(with_dots=True)
    leaves = [
        code
        for code in codes
        if "-" not in code and code[1:2].isdigit() and simple_icd_10_cm.is_leaf(code)
    ]
    assert len(leaves) > 70_000
    assert [code for code in leaves if not icd.read(code, "icd10")] == []
