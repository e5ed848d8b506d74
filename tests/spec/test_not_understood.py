"""No label without a fate: what nobody knows is listed, and what depends on it is open, never "no"."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import becalm
from becalm import vocabulary
from becalm.core.errors import DefinitionError
from becalm.measures.response.table import response
from becalm.patients.unrecognised import LabelCounts, labels_of
from becalm.protocol import load
from becalm.vocabulary import site_words
from becalm.vocabulary.meanings import is_snomed
from tests.records import (
    chunk,
    condition,
    dose,
    entered,
    finding,
    infusion,
    lab,
    left,
    procedure,
    stay,
    study,
)

V = vocabulary.load()
CASES = Path(__file__).parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="shared/cases is not here")

DRUGS = {
    "understood": [
        "anakinra",
        "Kineret 100 mg",
        "dexamethasone",
        "tocilizumab 162 mg",
        "methylprednisolone",
    ],
    "not needed": [
        "omeprazole",
        "Atorvastatin 40 mg",
        "bisoprolol",
        "cefadroxil",
        "sodium chloride 0.9%",
        "ondansetron",
    ],
    "denied": ["no anakinra", "without tocilizumab", "anakinra not given"],
    "not understood": [
        "xyzumab",
        "study drug",
        "Anakira",
        "qwertinib",
        "foosone",
        "Zaubermittel",
        "bar-leucel",
    ],
}
DIAGNOSES = {
    "understood": ["HLH", "macrophage activation syndrome", "SLE", "non-Hodgkin lymphoma", "HIV positive"],
    "suspected": ["r/o HLH", "possible MAS", "lymphoma?"],
    "history": ["h/o lymphoma", "lymphoma in remission"],
    "denied": ["no HLH", "HIV negative", "lymphoma excluded"],
    "not needed": ["hypertension", "type 2 diabetes mellitus", "osteoporosis, severe", "family history of HLH"],
    "not understood": ["DRESS-like picture", "thymoblastosis", "no HLH, lymphoma", "HLH with odontoblastoma", "Zustand unklar"],
}  # fmt: skip
PROCEDURES = {
    "understood": ["CRRT", "plasma exchange", "CAR-T"],
    "not understood": ["levitation", "humours drained"],
}
FINDINGS = {"understood": ["splenomegaly", "ICANS"], "not understood": ["blue toes", "big ears"]}


@pytest.mark.parametrize(
    ("fate", "label"), [(f, each) for f, texts in DRUGS.items() for each in texts]
)
def test_the_fate_of_a_drug(fate: str, label: str) -> None:
    """A drug is known, denied, of no concern, or nobody knows it; a stem such as -mab is always asked about."""
    assert V.drug_meaning(label).fate == fate


@pytest.mark.parametrize(
    ("fate", "label"), [(f, each) for f, texts in DIAGNOSES.items() for each in texts]
)
def test_the_fate_of_a_diagnosis(fate: str, label: str) -> None:
    """A diagnosis has one of six fates; what cannot be decided is not understood."""
    assert V.diagnosis("", "", label).fate == fate


@pytest.mark.parametrize(
    ("system", "code", "name", "fate"),
    [
        ("SNOMED", "1234567", "lymphoma", "understood"),  # a code nobody knows falls back to the name
        ("", "LYM01", "lymphoma", "understood"),
        ("SNOMED", "1234567", "", "not understood"),
        ("SNOMED", "1234567", "no lymphoma", "denied"),
        ("ICD10CM", "C85.90", "lymphoma", "understood"),
        ("ICD10CM", "C85.90", "HIV disease", "not understood"),  # they contradict each other
        ("ICD10CM", "D76.1", "no HLH", "denied"),
        ("ICD10CM", "D76.1", "suspected HLH", "suspected"),
        ("ICD10CM", "I10", "Essential (primary) hypertension", "not needed"),
        ("ICD10CM", "D89.9", "macrophage activation syndrome", "understood"),
        ("ICD10CM", "Z21", "Asymptomatic human immunodeficiency virus [HIV] infection status", "understood"),
        ("", "", "", "not needed"),
    ],
)  # fmt: skip
def test_the_fate_of_a_code_with_a_name(system: str, code: str, name: str, fate: str) -> None:
    """A code that nobody knows falls back to its name; a code and a name that contradict each other are refused."""
    assert V.diagnosis(system, code, name).fate == fate


def test_a_thing_that_is_denied_says_nothing_of_the_wider_one() -> None:
    """No lymphoma is not no cancer; a suspected lymphoma is a suspected cancer."""
    assert V.diagnosis("", "", "no lymphoma").said == (("lymphoma", "excluded"),)
    assert ("malignancy", "suspected") in V.diagnosis("", "", "lymphoma?").said


POOL = st.lists(
    st.sampled_from(
        [("drug", f, each) for f, texts in DRUGS.items() for each in texts]
        + [("diagnosis", f, each) for f, texts in DIAGNOSES.items() for each in texts]
        + [("procedure", f, each) for f, texts in PROCEDURES.items() for each in texts]
        + [("finding", f, each) for f, texts in FINDINGS.items() for each in texts]
    ),
    max_size=12,
    unique=True,
)
MAKE: dict[str, Any] = {
    "drug": lambda label, hour: dose(label, hour, amount="1 mg"),
    "diagnosis": condition,
    "procedure": procedure,
    "finding": lambda label, hour: finding(label, "yes", hour),
}


@given(POOL)
@settings(max_examples=60)
def test_exactly_the_labels_that_nobody_knows_are_listed(
    labels: list[tuple[str, str, str]],
) -> None:
    """Whatever labels come together, exactly those that nobody knows are listed, and nothing that is denied is confirmed."""
    rows = [MAKE[kind](label, float(at)) for at, (kind, _, label) in enumerate(labels)]
    patients = chunk(*rows, lab("ferritin", 900, 1))
    found = patients.unrecognised
    listed = set(zip(found["kind"].tolist(), found["label"].tolist(), strict=True))
    assert listed == {(kind, label) for kind, fate, label in labels if fate == "not understood"}
    confirmed = patients.diagnosed.take(patients.diagnosed["status"] == "confirmed")
    for kind, fate, label in labels:
        if kind == "diagnosis" and fate in ("denied", "suspected", "history", "not needed"):
            row = [
                at
                for at, each in enumerate(patients.records.conditions["name"].tolist())
                if each == label
            ]
            assert not set(row) & set(confirmed["row"].tolist()), label
    [mine] = labels_of(found, 1)
    assert set(filter(None, mine.split("|"))) == {f"{kind}: {label}" for kind, label in listed}


def test_labels_are_counted_over_batches() -> None:
    """Rows and persons with an unknown name are added up over all batches of patients."""
    counts = LabelCounts()
    for _ in range(2):
        counts.add(
            chunk(
                dose("Zaubermittel", 1, amount="1 mg"), dose("Zaubermittel", 2, amount="1 mg")
            ).unrecognised
        )
    [row] = counts.frame(V).rows()
    assert (row["what"], row["written"], row["rows"], row["persons_with"]) == (
        "drug",
        "Zaubermittel",
        4,
        2,
    )
    assert row["first_row"].startswith("doses:") or ":" in row["first_row"]


def test_a_dose_that_was_not_given_is_not_listed() -> None:
    """A drug that was only ordered, or not given, needs no name."""
    rows = [
        dose("Zaubermittel", 1, amount="1 mg", status=status) for status in ("not given", "ordered")
    ]
    assert not len(chunk(*rows).unrecognised)


# ------------------------------------------------------------ what depends on them

STORM = (
    stay(0, 500), lab("ferritin", 20000, 90), lab("platelets", 20, 90), lab("temperature", 40, 90),
    lab("triglycerides", 5, 90), lab("fibrinogen", 1, 90), lab("ast", 400, 90), lab("haemoglobin", 7, 90),
    infusion(100, 200), condition("HLH", 95),
)  # fmt: skip


def test_somebody_with_an_unknown_diagnosis_stays_and_the_exclusion_is_open() -> None:
    """A diagnosis that nobody knows does not exclude; it leaves the exclusions undetermined."""
    row = entered("anakinra_mas", *STORM, condition("thymoblastosis", 50))
    assert row["exclusion_open"] == row["not_understood"] == "diagnosis: thymoblastosis"
    assert entered("anakinra_mas", *STORM)["exclusion_open"] == ""


def open_steps(selection: Any) -> set[str]:
    """The steps whose reason is open for the one person."""
    steps = [step for step in selection.steps if step.undetermined is not None]
    return {step.reason for step in steps if step.undetermined[0]}


def test_the_attrition_counts_who_stays_although_the_exclusion_is_open() -> None:
    """Each exclusion says how many stay although the records leave it open for them."""
    _, selection = study("anakinra_mas", *STORM, condition("thymoblastosis", 50))
    assert open_steps(selection) == {
        "excluded: malignancy", "excluded: immune effector therapy", "excluded: primary hlh",
    }  # fmt: skip
    _, selection = study("anakinra_mas", *STORM, finding("ICANS", "yes", 50))
    assert open_steps(selection) == {"excluded: immune effector therapy"}


def test_an_unknown_finding_leaves_no_exclusion_open_but_icans_does() -> None:
    """ICANS is seen after cell therapy: alone it leaves that exclusion open."""
    row = entered("anakinra_mas", *STORM, finding("blue toes", "yes", 50))
    assert (row["exclusion_open"], row["not_understood"]) == ("", "finding: blue toes")
    assert (
        entered("anakinra_mas", *STORM, finding("ICANS", "yes", 50))["exclusion_open"]
        == "finding: icans"
    )
    assert entered("anakinra_mas", *STORM, finding("ICANS", "no", 50))["exclusion_open"] == ""


@pytest.mark.parametrize(
    "given_as",
    [
        dose("Kymriah", 50, amount="1 dose"),
        dose("brexucabtagene autoleucel", 50, amount="1 dose"),
        procedure("CAR-T", 50),
        condition("CAR-T", 50),
        condition("s/p CAR-T", 50),
        condition("IEC-HS", 50),
    ],
)
def test_cells_exclude_however_they_are_written(given_as: Any) -> None:
    """Immune-effector cells exclude as a drug, as a procedure, as a diagnosis and as history."""
    assert left("anakinra_mas", *STORM, given_as) == ["excluded: immune effector therapy"]


@pytest.mark.parametrize(("hour", "out"), [(99.0, True), (100.0, True), (100.1, False)])
def test_cells_given_after_the_index_do_not_exclude(hour: float, out: bool) -> None:
    """Cells given up to the index exclude, the moment itself included; later ones do not."""
    reason = left("anakinra_mas", *STORM, procedure("CAR-T", hour))
    assert (reason == ["excluded: immune effector therapy"]) is out


DAY = 24.0


@pytest.mark.parametrize(
    ("hour", "out"),
    [
        (100 - 1826 * DAY, True), (100 - 1826 * DAY - 1, False),  # five years before the index
        (100 + 90 * DAY, True), (100 + 90 * DAY + 1, False),
    ],
)  # fmt: skip
def test_cancer_excludes_while_it_is_active(hour: float, out: bool) -> None:
    """Cancer excludes if recorded in the five years before entry or in the 90 days after it, both ends included."""
    reason = left("anakinra_mas", *STORM, condition("lymphoma", hour))
    assert (reason == ["excluded: malignancy"]) is out


def test_cancer_in_remission_or_of_the_past_does_not_exclude() -> None:
    """Cancer in remission, of the past, denied or suspected does not exclude."""
    for name in ("lymphoma in remission", "h/o lymphoma", "no lymphoma", "lymphoma?"):
        assert left("anakinra_mas", *STORM, condition(name, 50)) == [""], name


def test_the_clinicians_diagnosis_has_its_date() -> None:
    """The clinician's diagnosis has the date on which it was recorded, also where that is after entry."""
    _, selection = study("anakinra_mas", *STORM[:-1], condition("MAS", 150))
    [row] = selection.cohort.rows()
    assert row["clinician"] is True
    assert row["clinician_time"] > row["index_time"]


@pytest.mark.parametrize(
    ("hour", "seen"),
    [(100 - 28 * DAY, True), (100 - 28 * DAY - 1, False), (148, True), (148.1, False)],
)
def test_a_drug_that_nobody_knows_may_confound(hour: float, seen: bool) -> None:
    """It may be any of the protocol's confounders, so the widest of their windows counts: 28 d to 48 h."""
    rows = (*STORM, dose("Zaubermittel", hour, amount="1 mg"))
    patients = chunk(*rows)
    protocol = load("anakinra_mas")
    _, selection = study(protocol, *rows)
    table = response(
        selection.cohort, patients.events, patients.doses, patients.records, protocol, {}
    )
    said = {each["confounded_by"] for each in table.rows() if each["clock"] == "t0"}
    assert said == {"not understood: Zaubermittel" if seen else ""}


def test_one_word_may_say_two_findings() -> None:
    """Hepatosplenomegaly says that both organs are enlarged, or that neither is."""
    found = chunk(finding("HSM", "yes", 5), finding("hepatosplenomegaly", "no", 9)).events
    for name in ("splenomegaly", "hepatomegaly"):
        assert found.points(name).low.tolist() == [1.0, 0.0]
    assert not len(chunk(finding("Hepatosplenomegaly", "yes", 5)).unrecognised)


# ------------------------------------------------------------ a site's own words


def words_file(folder: Path, text: str) -> Path:
    path = folder / "words.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_site_says_what_its_words_mean(tmp_path: Path) -> None:
    """What a site says of its own names stands above what becalm knows."""
    path = words_file(
        tmp_path,
        """
        [drug]
        "Zaubermittel" = "dexamethasone"
        "study drug" = "not needed"
        "anakinra" = "not needed"
        [diagnosis]
        "thymoblastosis" = "hlh"
        "old thing" = "history: lymphoma"
        "maybe" = "suspected: HLH"
        [procedure]
        "levitation" = "crrt"
        [finding]
        "big ears" = "splenomegaly"
        "blue toes" = "not needed"
        [test]
        "Eisenspeicher" = "ferritin"
        [route]
        "into the arm" = "IM"
        """,
    )
    own = site_words.read(path, V).applied(V)
    drug = own.drug_of("Zaubermittel")
    assert drug is not None
    assert drug.name == "dexamethasone"
    assert own.drug_meaning("study drug").fate == "not needed"
    assert own.drug_of("anakinra") is None  # the site's statement stands above becalm's
    assert own.conditions_of("", "", "thymoblastosis") == ("hlh",)
    assert own.diagnosis("", "", "old thing").fate == "history"
    assert own.diagnosis("", "", "maybe").fate == "suspected"
    assert own.procedures_of("", "", "levitation") == ("crrt", "renal_replacement")
    assert own.finding_of("big ears") == "splenomegaly"
    assert not own.finding_is_asked("blue toes")
    assert own.route_of("into the arm") == "IM"
    kind = vocabulary.MeasurementKind("labs", "name", "Eisenspeicher", "Eisenspeicher", "ng/mL")
    resolved = own.resolve(kind)
    assert resolved.variable == own.code("ferritin")
    assert V.drug_of("Zaubermittel") is None  # and the shipped vocabulary is as it was


def test_every_mistake_of_a_file_of_words_is_told_with_its_row(tmp_path: Path) -> None:
    """All mistakes of a file of words are told together, each with its row and a hint."""
    path = words_file(
        tmp_path,
        '[drug]\n"dex" = "dexametasone"\n"x" = 3\n[drogue]\n"y" = "z"\n[diagnosis]\n"a" = "perhaps: hlh"\n',
    )
    with pytest.raises(DefinitionError) as error:
        site_words.read(path, V)
    lines = error.value.line().splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"words.toml, row {row}" for row in (2, 3, 4, 7)
    ]
    assert "Did you mean 'dexamethasone'?" in lines[0]


def test_what_is_written_to_be_filled_in_says_nothing_before_it_is(tmp_path: Path) -> None:
    """A guess in a file of words has no effect until somebody takes it out of the comment."""
    counts = LabelCounts()
    counts.add(
        chunk(
            dose("Anakira", 1, amount="1 mg"), condition('a "quoted" thymoblastosis', 1)
        ).unrecognised
    )
    text = site_words.written(counts.frame(V))
    assert '# "Anakira" = "anakinra"' in text  # our guess
    assert site_words.read(words_file(tmp_path, text), V).words == ()
    opened = "\n".join(
        line.removeprefix("# ") if " = " in line else line for line in text.splitlines()
    )
    opened = opened.replace('= ""', '= "not needed"')
    assert [word.label for word in site_words.read(words_file(tmp_path, opened), V).words] == [
        "Anakira", 'a "quoted" thymoblastosis',
    ]  # fmt: skip


# ------------------------------------------------------------ small records that were once read wrongly


@cache
def case(folder: str, protocol: str = "anakinra_mas") -> becalm.api.Study:
    return becalm.run(becalm.open_records(str(CASES / folder)), protocol=protocol)


def persons(folder: str) -> dict[str, Any]:
    return {row["person_id"]: row for row in case(folder).result.frames["persons"].rows()}


@needs_cases
def test_case_cell_therapy() -> None:
    """Cells exclude in whichever table they were written; ICANS alone leaves the exclusion open."""
    assert set(persons("words-cell-therapy")) == {"find_ICANS"}
    assert persons("words-cell-therapy")["find_ICANS"]["exclusion_open"] == "finding: icans"


@needs_cases
def test_case_codes() -> None:
    """A lymphoma beside a code that nobody knows excludes."""
    assert persons("words-codes") == {}


@needs_cases
def test_case_negated() -> None:
    """A negative test, an exclusion or a mere question is neither immunosuppression nor a diagnosis."""
    assert not any(row["clinician"] for row in persons("words-negated").values())
    items = case("words-negated").result.frames["criteria_items"].rows()
    points = {
        row["person_id"]: (row["points_low"], row["points_high"])
        for row in items
        if (row["criterion"], row["item"]) == ("hscore", "immunosuppression")
    }
    assert set(points.values()) == {(0.0, 18.0)}
    assert {"HIVneg", "HIV_excluded", "COVIDneg"} <= set(points)
    assert all(row["covid19"] != "positive" for row in persons("words-negated").values())


@needs_cases
def test_case_certainty() -> None:
    """Letters of ICD-10-GM say excluded, suspected, history, confirmed; an impossible tail is not understood."""
    gone = {"c008": True, "c035": False, "c023": True}
    entered_ = persons("codes-certainty")
    assert {name: name in entered_ for name in gone} == gone
    assert {name for name, row in entered_.items() if row["exclusion_open"]} == {
        "c011", "c028", "c032", "c033", "c034", "c036", "c037",
    }  # fmt: skip
    assert {name for name, row in entered_.items() if row["clinician"]} == {"c001", "c002"}


@needs_cases
def test_case_diagnosis_after_entry() -> None:
    """A diagnosis made after entry has its date; lymphoma of a year later or of ten years before does not exclude."""
    found = persons("diagnosis-after-entry")
    assert set(found) == {"C", "D", "E"}
    assert found["E"]["clinician_time"] > found["E"]["index_time"]


@needs_cases
def test_case_drugs() -> None:
    """No drug of the case is lost without a word: each is known, or stands under its own name."""
    study_ = case("words-drugs").result
    rows = {
        row["person_id"]: row for row in study_.frames["response"].rows() if row["clock"] == "t0"
    }
    for name in (
        "dex",
        "methylpred",
        "MP_pulse_text",
        "clean_dexa",
        "VP16_m2",
    ):
        if name in rows:
            assert rows[name]["confounded_by"], name
    if "none" in rows:
        assert rows["none"]["confounded_by"] == ""


PUBLISHED = {
    ("PTCL_nomarrow", "hscore"): (254, 254),
    ("PTCL", "hscore"): (254, 289),
    ("HIV", "hscore"): (204, 239),
    ("PNEUMO", "hscore"): (187, 271),
}
"""HScore at its peak by our windows, worked out from what the papers print."""


@needs_cases
def test_published_cases_typed_with_care_have_their_scores() -> None:
    """The published cases have the HScore that their printed values give."""
    rows = case("published/typed-with-care", "hyperinflammation").result.frames["criteria"].rows()
    peaks = {
        (row["person_id"], row["criterion"]): (row["low"], row["high"])
        for row in rows
        if row["moment"] == "peak_ever"
    }
    assert {key: peaks[key] for key in PUBLISHED} == PUBLISHED


LEFT = {
    ("test", "BP", ""),  # two pressures in one text
    ("unit", "mmol/L", "ldh"),  # as the paper prints it; an activity has no amount of substance
    ("unit", "U/L", "ferritin"),  # a mass is no activity
    ("unit", "mg daily", "dexamethasone"),  # an amount or a rate: nobody says
}
"""What stays unknown of the published cases, with the reason."""


@needs_cases
@pytest.mark.parametrize("typed", ["typed-with-care", "typed-in-a-hurry"])
def test_published_cases_lose_nothing_unnamed(typed: str) -> None:
    """What stays unknown of the published cases is short, and each was looked at."""
    result = case(f"published/{typed}", "hyperinflammation").result
    rows = result.frames["not_understood"].rows()
    assert {(row["what"], row["written"], row["about"]) for row in rows} <= LEFT


def test_every_concept_of_snomed_has_its_check_digit() -> None:
    """Every concept of SNOMED CT in the vocabulary has a valid check digit."""
    codes = [code for each in V.conditions for code in each.snomed]
    codes += [code for each in V.procedures for code in each.snomed]
    assert len(codes) > 20
    assert [code for code in codes if not is_snomed(code)] == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("118600007", "lymphoma"), ("363346000", "malignancy"), ("86406008", "hiv"), ("840539006", "covid19"),
        ("190979003", "hlh"), ("93143009", "leukaemia"), ("69896004", "rheumatoid_arthritis"), ("234646005", "gvhd"),
    ],
)  # fmt: skip
def test_a_concept_alone_is_understood(code: str, name: str) -> None:
    """A concept of SNOMED CT is understood without a name, and refused with a name that contradicts it."""
    assert V.conditions_of("SNOMED", code, "")[0] == name
    assert V.diagnosis("SNOMED", code, "chronic kidney disease").fate == "not understood"


def test_a_test_that_nobody_knows_is_counted_by_its_rows() -> None:
    """A laboratory test that nobody knows is one entry with the number of its rows."""
    rows = [lab("Zauberwert", 9, float(hour), "ng/mL") for hour in range(5)]
    found = chunk(*rows, lab("ferritin", 900, 1)).unrecognised
    assert (found["label"].tolist(), found["rows"].tolist()) == (["Zauberwert"], [5])
    counts = LabelCounts()
    counts.add(found)
    [row] = counts.frame(V).rows()
    assert (row["rows"], row["persons_with"]) == (5, 1)
