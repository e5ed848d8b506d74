"""Units, specimens, organisms, routes and statuses have a fate too: what nobody knows is listed by its kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from becalm import protocol, vocabulary
from becalm.core.errors import DefinitionError
from becalm.patients.unrecognised import LabelCounts, as_listed, labels_of
from becalm.records import open_records
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.sections.not_understood import section
from becalm.report.sections.patients import each_patient
from becalm.study.run import run
from becalm.vocabulary import site_words
from becalm.vocabulary.organisms import meaning as organism
from tests.records import (
    Row,
    chunk,
    condition,
    dose,
    entered,
    finding,
    infusion,
    lab,
    patient,
    person,
    procedure,
    sheets,
    stay,
)
from tests.records.rows import culture
from tests.spec.test_not_understood import DIAGNOSES, DRUGS, FINDINGS, PROCEDURES, STORM, words_file

V = vocabulary.load()

UNITS = {"understood": ["ng/mL", "µg/L", "ug/L"], "not understood": ["ng/Glas", "Löffel/L"]}
DOSE_UNITS = {"understood": ["mg", "g", "mg/kg"], "not understood": ["Hub", "Messlöffel"]}
SPECIMENS = {
    "understood": ["serum", "Urine", "pleural fluid"],
    "not understood": ["Zaubertrank", "cord blood"],
}
CULTURED = {
    "understood": ["blood", "BLOOD CULTURE - NEONATE", "swab, left foot", "Mini-BAL", "Trachealsekret", "CSF;SPINAL FLUID", "Staph aureus Screen"],
    "not understood": ["Zaubertrank", "Probe 7"],
}  # fmt: skip
ORGANISMS = {
    "understood": ["Escherichia coli", "E. coli", "STAPH AUREUS COAG +", "Zymomonas mobilis", "GRAM NEGATIVE ROD(S)", "MRSA", "Influenza A virus", "Candida spp."],
    "denied": ["no growth", "keine Keime", "not detected"],
    "not needed": ["CANCELLED", "see comment"],
    "not understood": ["Keim 3", "big ears", "Zaubererreger"],
}  # fmt: skip
ROUTES = {
    "understood": ["IV", "p.o.", "subkutan", "PICC"],
    "not understood": ["durch die Nase gedacht", "XQ"],
}
CONTACTS = {
    "understood": ["alive", "Died at home", "exitus", "lost to follow-up", "D"],
    "not understood": ["gestrobed", "dead?"],
}
ENDS = {
    "understood": ["home", "died", "transfer", "alive"],
    "not understood": ["hospice", "not died"],
}
SURE = {
    "understood": ["confirmed", "suspected", "excluded", ""],
    "not understood": ["sure", "entered-in-error"],
}
RESULTS = {
    "understood": ["growth", "no growth", "pending", ""],
    "not understood": ["positive", "mixed"],
}

KINDS: dict[tuple[str, str], tuple[dict[str, list[str]], Any]] = {
    ("drug", ""): (DRUGS, lambda label, hour: dose(label, hour, amount="1 mg")),
    ("diagnosis", ""): (DIAGNOSES, condition),
    ("procedure", ""): (PROCEDURES, procedure),
    ("finding", ""): (FINDINGS, lambda label, hour: finding(label, "yes", hour)),
    ("test", ""): ({"understood": ["ferritin", "Troponin T"], "not understood": ["Zauberwert", "ferritn"]},
                   lambda label, hour: Row("measurements", {"name": label, "value": 5.0, "time": hour, "unit": "ng/mL"})),
    ("unit", "ferritin"): (UNITS, lambda label, hour: lab("ferritin", 500, hour, label)),
    ("unit", "anakinra"): (DOSE_UNITS, lambda label, hour: dose("anakinra", hour, amount=f"2 {label}")),
    ("specimen", "ferritin"): (SPECIMENS, lambda label, hour: lab("ferritin", 500, hour, specimen=label)),
    ("specimen", "cultures"): (CULTURED, lambda label, hour: culture("growth", hour, "Escherichia coli", label)),
    ("organism", ""): (ORGANISMS, lambda label, hour: culture("growth", hour, label)),
    ("route", ""): (ROUTES, lambda label, hour: dose("anakinra", hour, amount="100 mg", route=label)),
    ("status", "stays.to"): (ENDS, lambda label, hour: stay(hour, hour + 1, f"S{hour}", destination=label)),
    ("status", "conditions.status"): (SURE, lambda label, hour: condition("HLH", hour, status=label)),
    ("status", "cultures.result"): (RESULTS, culture),
}  # fmt: skip
"""For each kind: labels by their fate, and the row of the records that has one."""

LABELS = st.lists(
    st.sampled_from(
        [(kind, fate, label) for kind, (fates, _) in KINDS.items() for fate, all_ in fates.items() for label in all_]
    ),
    max_size=14,
    unique=True,
)  # fmt: skip


def listed(patients: Any) -> set[tuple[str, str, str]]:
    """What is listed as not understood: kind, what it belongs to, label."""
    found = patients.unrecognised
    return set(zip(*(found[name].tolist() for name in ("kind", "about", "label")), strict=True))


@given(LABELS, st.sampled_from([(f, each) for f, all_ in CONTACTS.items() for each in all_]))
@settings(max_examples=120)
def test_of_every_kind_exactly_the_words_that_nobody_knows_are_listed(
    labels: list[tuple[tuple[str, str], str, str]], contact: tuple[str, str]
) -> None:
    """Whatever words of all kinds come together, each has one fate, and exactly those that nobody knows are listed, with their kind and what they belong to."""
    last = [
        each for each in labels if each[0] == ("status", "stays.to")
    ]  # nothing is read after a death
    in_order = [each for each in labels if each not in last] + last
    rows = [KINDS[kind][1](label, float(at)) for at, (kind, _, label) in enumerate(in_order)]
    patients = chunk(person(last_contact=2000.0, last_contact_status=contact[1]), *rows)
    expected = {(*kind, label) for kind, fate, label in labels if fate == "not understood"}
    if contact[0] == "not understood":
        expected.add(("status", "persons.last_contact_status", contact[1]))
    assert listed(patients) == expected
    [mine] = labels_of(patients.unrecognised, 1)
    assert set(filter(None, mine.split("|"))) == {as_listed(*each) for each in expected}
    counts = LabelCounts()
    counts.add(patients.unrecognised)
    table = list(counts.frame(V).rows())
    assert {(row["what"], row["about"], row["written"]) for row in table} == expected
    assert all(row["reason"] and ":" in row["first_row"] and row["rows"] == 1 for row in table)


@given(st.text(max_size=20))
def test_every_text_has_one_of_six_fates(text: str) -> None:
    """Any text at all, as a drug, a diagnosis, a procedure, a specimen or an organism, has one of the six fates, and only what is not understood has a reason."""
    for meaning in (
        V.drug_meaning(text), V.diagnosis("", "", text), V.procedure_meaning("", "", text),
        V.row_words.specimen(text), V.row_words.organism(text),
    ):  # fmt: skip
        assert meaning.fate in {
            "understood", "denied", "suspected", "history", "not needed", "not understood",
        }  # fmt: skip
        assert bool(meaning.reason) == (meaning.fate == "not understood")


@pytest.mark.parametrize(
    ("fate", "name"), [(f, each) for f, texts in ORGANISMS.items() for each in texts]
)
def test_the_fate_of_an_organism(fate: str, name: str) -> None:
    """An organism is understood by a known genus, a group or a well-formed Latin name; "no growth" denies one."""
    assert organism(name).fate == fate


def test_words_on_which_nothing_depends_are_not_asked() -> None:
    """The route of a drug that is not needed, the unit of a test that is not needed, the specimen of a vital sign and the status of a comorbidity are not listed."""
    rows = [
        dose("omeprazole", 1, amount="20 Hub", route="XQ"),
        Row("measurements", {"name": "Protein [Mass/volume] in Urine", "value": 5.0, "time": 1.0, "unit": "Glas"}),
        lab("temperature", 38, 1, specimen="Zaubertrank"),
        condition("hypertension", 1, status="sure"),
        dose("anakinra", 2, amount="100 Hub", route="XQ", status="not given"),
    ]  # fmt: skip
    assert listed(chunk(*rows)) == set()


def test_an_unknown_drug_that_was_stopped_was_given() -> None:
    """A row that says only that a drug was stopped names a drug that was given before."""
    row = dose("Zaubermittel", 5, rate="1 mg/h", status="stopped")
    assert listed(chunk(row)) == {("drug", "", "Zaubermittel")}


def test_a_diagnosis_of_unknown_status_neither_excludes_nor_clears() -> None:
    """Where nobody knows whether lymphoma is confirmed, the patient stays and the exclusion is open."""
    row = entered("anakinra_mas", *STORM, condition("lymphoma", 50, status="sure"))
    assert row["exclusion_open"] == row["not_understood"] == "status of a diagnosis: sure"
    assert entered("anakinra_mas", *STORM, culture("positive", 50))["exclusion_open"] == ""


@pytest.mark.parametrize(
    ("specimen", "found"),
    [
        ("blood", "found"),
        ("Zaubertrank", "doubtful"),
        ("urine", "doubtful"),
        ("", "found"),
        ("pleural fluid", "found"),
    ],
)
def test_growth_in_a_specimen_that_nobody_knows_is_doubtful(specimen: str, found: str) -> None:
    """Growth counts as an infection from where no organism lives, and stays open where nobody knows the specimen."""
    rows = (*STORM, culture("growth", 95, "Escherichia coli", specimen))
    assert entered("anakinra_mas", *rows)["infection"] == found


# ------------------------------------------------------------ a site's own words


def test_a_site_says_what_its_units_specimens_organisms_and_statuses_mean(tmp_path: Path) -> None:
    """A word of the site counts as what the site says: the value is used, the dose has its amount, the person died, the diagnosis is suspected."""
    own = site_words.read(
        words_file(
            tmp_path,
            """
            [unit]
            "ng/Glas" = "ng/mL"
            "Hub" = "mg"
            [specimen]
            "Zaubertrank" = "serum"
            [organism]
            "Keim 3" = "Klebsiella oxytoca"
            "Keim 4" = "not needed"
            [route]
            "XQ" = "IV"
            [status]
            "gestrobed" = "died"
            "hospice" = "transfer"
            "sure" = "suspected"
            "positive" = "growth"
            """,
        ),
        V,
    ).applied(V)
    rows = [
        person(last_contact=2000.0, last_contact_status="gestrobed"),
        lab("ferritin", 500, 1, "ng/Glas", specimen="Zaubertrank"),
        dose("anakinra", 2, amount="100 Hub", route="XQ"),
        stay(0, 9, destination="hospice"),
        condition("HLH", 1, status="sure"),
        culture("positive", 3, "Keim 3", "Zaubertrank"),
        culture("growth", 4, "Keim 4"),
    ]
    assert len(listed(chunk(*rows))) == 11
    patients = chunk(*rows, vocabulary=own)
    assert listed(patients) == set()
    assert patients.events.points("ferritin").low.tolist() == [500.0]
    assert patients.doses.frame["amount_mg"].tolist() == [100.0]
    assert patients.records.stays["destination"].tolist() == ["transfer"]
    assert patients.diagnosed["status"].tolist() == ["suspected"]
    assert patients.records.cultures["result"].tolist() == ["growth", "growth"]
    assert patients.records.cultures["organism"].tolist() == ["Klebsiella oxytoca", ""]
    assert patients.records.persons["last_contact_status"].tolist() == ["died"]


@pytest.mark.parametrize(
    ("kind", "means", "says"),
    [
        ("specimen", "Zaubertrank", "no specimen is called"),
        ("organism", "Keim 3", "no organism is called"),
        ("status", "dead-ish", "no status is called"),
        ("unit", "suspected: mg", "a unit is not suspected"),
        ("specimen", "", "needs a text in quotes"),
    ],
)
def test_a_site_can_only_name_what_becalm_knows(
    tmp_path: Path, kind: str, means: str, says: str
) -> None:
    """A statement of a site about a specimen, an organism or a status names one that is known."""
    path = words_file(tmp_path, f'[{kind}]\n"x" = "{means}"\n')
    with pytest.raises(DefinitionError, match=says):
        site_words.read(path, V)


def test_a_unit_that_a_site_names_in_vain_stays_listed(tmp_path: Path) -> None:
    """Whether a unit is known depends on the variable, so a statement that does not help leaves the word on the list."""
    own = site_words.read(words_file(tmp_path, '[unit]\n"ng/Glas" = "ng/Becher"\n'), V).applied(V)
    assert listed(chunk(lab("ferritin", 500, 1, "ng/Glas"), vocabulary=own)) == {
        ("unit", "ferritin", "ng/Glas")
    }


def test_a_label_stands_once_in_a_file_to_be_filled_in(tmp_path: Path) -> None:
    """A unit that is unknown of two variables is one line, so that the filled file is valid."""
    counts = LabelCounts()
    counts.add(chunk(lab("ferritin", 5, 1, "X/Y"), lab("ldh", 5, 1, "X/Y")).unrecognised)
    text = site_words.written(counts.frame(V))
    assert text.count('"X/Y"') == 1
    assert "2 rows of 1 persons" in text


# ------------------------------------------------------------ from the sheets to the report

GIVEN = [("dex 20 mg", False), ("Zaubermittel", True), ("no anakinra", False), ("anakinra", False)]
SAID = [
    ("thymoblastosis", "", True),
    ("no lymphoma", "", False),
    ("r/o HLH", "", False),
    ("lymphoma", "sure", True),
    ("SLE", "", False),
]
ILL = (
    stay(0, 500),
    lab("ferritin", 20000, 90),
    lab("ast", 400, 90),
    infusion(100, 200),
    condition("HLH", 95),
)
HOURS = {"anakinra": 80}  # the others are before the first anakinra
NAMED = {"dex 20 mg": "dexamethasone", "Zaubermittel": "not understood: Zaubermittel"}
DISEASES = {
    "thymoblastosis": "not understood: thymoblastosis",
    "lymphoma": "not understood: status sure",
    "SLE": "SLE",
}


@given(
    st.sets(st.sampled_from(GIVEN), min_size=1),
    st.sets(st.sampled_from(SAID)),
)
@settings(max_examples=12, deadline=None, phases=[Phase.generate])
def test_no_text_says_none_where_something_was_given(
    tmp_path_factory: pytest.TempPathFactory,
    given_: set[tuple[str, bool]],
    said: set[tuple[str, str, bool]],
) -> None:
    """From the sheets to the report, every name that nobody knows is listed, and "none recorded" never stands where a drug was given or a disease was written down."""
    rows = (
        *ILL,
        *(dose(label, HOURS.get(label, 60), amount="20 mg") for label, _ in sorted(given_)),
        *(condition(label, 20, status=status) for label, status, _ in sorted(said)),
    )
    folder = sheets(tmp_path_factory.mktemp("fates"), *patient("A", *rows), *patient("B", *ILL))
    result = run(open_records(str(folder)), protocol.load("anakinra_mas"), "records")
    lost = {label for label, unknown in given_ if unknown}
    lost |= {status or label for label, status, unknown in said if unknown}
    assert {row["written"] for row in result.frames["not_understood"].rows()} == lost
    cohort = Cohort(result)
    assert {row["person_id"] for row in cohort.persons} == {"A", "B"}
    table = each_patient(cohort, Drill(cohort))
    cells = dict(zip(table.head, map(str, table.rows[0]), strict=True))
    before, disease = cells["Before t0"], cells["Background"]
    shown = {NAMED[label] for label, _ in given_ if label in NAMED}
    assert all(name in before for name in shown), before
    assert ("none recorded" in before) == (not shown), before
    diseases = {DISEASES[label] for label, _, _ in said if label in DISEASES}
    assert all(name in disease for name in diseases), disease
    assert ("none recorded" in disease) == (not diseases), disease
    assert (section(cohort, Drill(cohort), {}) is not None) == bool(lost)
