"""When growth in a culture is an infection, when it is new, and whether a death is linked to it.

A sterile-site pathogen once; a commensal of skin in two draws within 48 h; urine or airway with four or more
days of antibiotic; or judged so by a clinician.
"""

from __future__ import annotations

from typing import Any

import pytest

from becalm.vocabulary import organism_kinds
from tests.records import Row, culture, dose, infusion, lab, measured, person, procedure
from tests.spec.edges import MINUTE, around, files, hours, read, unknown_keys

FILE = "measures/infections.toml"
RULES = read(FILE)["rules"]
STORM = (
    lab("ferritin", 20_000, -4),
    lab("platelets", 20, -4),
    lab("haemoglobin", 7, -4),
    lab("wbc", 1.0, -4),
    lab("neutrophils", 0.4, -4),
    lab("triglycerides", 5, -4),
    lab("fibrinogen", 1.0, -4),
    lab("ast", 400, -4),
    lab("temperature", 39.8, -4),
    infusion(0, 96),
)
"""A definite storm, and time zero at hour 0."""
COLI, EPI = "Escherichia coli", "Staphylococcus epidermidis"


def infections(*rows: Row) -> list[dict[str, Any]]:
    return measured("anakinra_mas", *STORM, *rows, only="infections")


def one(*rows: Row) -> dict[str, Any]:
    [row] = infections(*rows)
    return row


def outcome(*rows: Row) -> dict[str, Any]:
    [row] = measured("anakinra_mas", *rows, only="outcome")
    return row


def antibiotic(first: float, days: int, drug: str = "meropenem") -> list[Row]:
    """One dose on each of so many dates."""
    return [dose(drug, first + 24 * day, amount="1000 mg") for day in range(days)]


TESTED = dict.fromkeys(
    ["rules.commensal_within", "rules.antibiotic_days", "rules.antibiotic_from", "rules.antibiotic_to",
     "rules.episode_gap", "rules.shown_from", "rules.death_within", "rules.antibiotic_within"], "here",
)  # fmt: skip
NO_EDGE = dict.fromkeys(
    [
        "sites.sterile",
        "sites.not_sterile",
        "sites.treated",
        "sites.screens",
        "sites.source",
        "rules.source",
    ],
    "words",
)


def test_every_key_is_tested_or_has_no_edge() -> None:
    """A new window is tested here, or says why it has no edge."""
    assert FILE in files("measures")
    assert not unknown_keys(FILE, TESTED, NO_EDGE)


@pytest.mark.parametrize(
    ("written", "kind", "commensal"),
    [
        ("ESCHERICHIA COLI", "bacterial", False),
        ("E. coli", "bacterial", False),
        ("Staph aureus, methicillin resistant", "bacterial", False),
        ("MRSA", "bacterial", False),
        ("Staph. epi", "bacterial", True),
        ("STAPHYLOCOCCUS, COAGULASE NEGATIVE", "bacterial", True),
        ("KNS", "bacterial", True),
        ("Corynebacterium striatum", "bacterial", True),
        ("Corynebacterium diphtheriae", "bacterial", False),
        ("Bacillus cereus", "bacterial", True),
        ("Bacillus anthracis", "bacterial", False),
        ("Streptococcus mitis", "bacterial", True),
        ("Streptococcus pneumoniae", "bacterial", False),
        ("NON-FERMENTER, NOT PSEUDOMONAS AERUGINOSA", "bacterial", False),
        ("GRAM POSITIVE COCCUS(COCCI)", "bacterial", True),
        ("Candida albicans", "fungal", False),
        ("Hefen", "fungal", False),
        ("Pneumocystis jirovecii", "pneumocystis", False),
        ("Mycobacterium tuberculosis", "mycobacterial", False),
        ("Cytomegalovirus", "viral", False),
        ("EBV", "viral", False),
        ("Strongyloides stercoralis", "parasitic", False),
        ("MIXED BACTERIAL FLORA", "flora", False),
        ("Keim 3", "not understood", False),
        ("", "not understood", False),
    ],
)
def test_what_an_organism_is(written: str, kind: str, commensal: bool) -> None:
    """Its kind, and whether it lives on skin, in the common ways to write it."""
    found = organism_kinds.of(written)
    assert (found.kind, found.commensal) == (kind, commensal)


def test_one_organism_has_one_name_however_it_is_written() -> None:
    """So that its second culture is not another organism."""
    names = ["E. coli", "ESCHERICHIA COLI", "Escherichia coli (ESBL)"]
    assert {organism_kinds.of(each).name for each in names} == {"Escherichia coli"}
    resistant = ["MRSA", "Staph aureus coag +", "S. aureus"]
    assert {organism_kinds.of(each).name for each in resistant} == {"Staphylococcus aureus"}


@pytest.mark.parametrize(
    ("specimen", "site", "counts"),
    [
        ("blood", "blood", True),
        ("CSF", "cerebrospinal fluid", True),
        ("pleural fluid", "body fluid", True),
        ("tissue biopsy", "tissue", True),
        ("drain fluid", "body fluid", False),
        ("skin biopsy", "tissue", False),
        ("sputum", "airway", False),
        ("urine", "urine", False),
        ("stool", "stool", False),
        ("wound swab", "swab", False),
        ("catheter tip", "device", False),
        ("MRSA screen", "screen", False),
        ("", "not stated", False),
        ("Probe 7", "not understood", False),
    ],
)
def test_a_pathogen_counts_once_where_nothing_lives(specimen: str, site: str, counts: bool) -> None:
    """Elsewhere it stays in the table with the reason."""
    row = one(culture("growth", 60, COLI, specimen))
    assert row["site"] == site
    assert row["counts_as"] == ("bacterial infection" if counts else "")
    assert bool(row["reason"]) is not counts


def test_a_commensal_counts_from_two_draws_up_to_48_h_apart() -> None:
    """Exactly 48 h counts, a minute more does not; two bottles of one draw are one draw."""
    apart = hours(RULES["commensal_within"])
    for gap, counts in zip(around(apart), (True, True, False), strict=True):
        row = one(culture("growth", 60, EPI), culture("growth", 60 + gap, "CoNS"))
        assert bool(row["counts_as"]) is counts, gap
        assert row["proven"] == ("two draws" if counts else "")
    assert one(culture("growth", 60, EPI), culture("growth", 60, EPI))["counts_as"] == ""
    other = infections(culture("growth", 60, EPI), culture("growth", 62, "Micrococcus"))
    assert [row["counts_as"] for row in other] == ["", ""]


def test_urine_and_airway_count_from_four_days_of_antibiotic() -> None:
    """Three days are not enough; without any dose in the records nobody can tell."""
    least = RULES["antibiotic_days"]
    for days, counts in ((least - 1, False), (least, True)):
        for specimen in ("urine", "tracheal aspirate"):
            row = one(culture("growth", 72, COLI, specimen), *antibiotic(73, days))
            assert row["antibiotic_days"] == days
            assert bool(row["counts_as"]) is counts
            assert row["proven"] == ("treated" if counts else "")
    cream = one(culture("growth", 72, COLI, "urine"), *[
        dose("gentamicin", 73 + 24 * day, amount="1 mg", route="ophthalmic") for day in range(6)
    ])  # fmt: skip
    assert cream["counts_as"] == ""


def test_antibiotics_count_from_a_day_before_the_sample_to_a_week_after_it() -> None:
    """On each side at the bound, and one minute beyond it."""
    before, after = hours(RULES["antibiotic_from"]), hours(RULES["antibiotic_to"])
    at = 72.0
    for hour, counts in (
        (at - before, 1), (at - before - 2 * MINUTE, 0), (at + after, 1), (at + after + MINUTE, 0),
    ):  # fmt: skip
        row = one(culture("growth", at, COLI, "urine"), dose("meropenem", hour, amount="1000 mg"))
        assert row["antibiotic_days"] == counts, hour


def test_what_a_clinician_judged_decides() -> None:
    """An infection in stool, or by an unknown organism; and growth in blood that is a contaminant."""
    assert one(culture("growth", 60, COLI, "stool", judged="infection"))["proven"] == "judged"
    unknown = one(culture("growth", 60, "Keim 3", "blood", judged="infection"))
    assert unknown["counts_as"] == "bacterial infection"
    for judged in ("contaminant", "colonisation"):
        row = one(culture("growth", 60, COLI, judged=judged))
        assert (row["counts_as"], row["reason"]) == ("", f"judged {judged}")


def test_other_kinds_are_kept_apart() -> None:
    """A yeast in blood and a virus are no bacterial infection."""
    rows = infections(
        culture("growth", 60, "Candida albicans"),
        culture("detected", 61, "Cytomegalovirus", test="PCR"),
        culture("growth", 62, "Keim 3"),
    )
    assert [(row["class"], row["counts_as"]) for row in rows] == [
        ("fungal", "fungal infection"),
        ("viral", "viral infection"),
        ("not understood", ""),
    ]


def test_what_did_not_grow_is_no_row() -> None:
    """Negative, cancelled and pending cultures."""
    assert infections(*(culture(said, 60) for said in ("no growth", "cancelled", "pending"))) == []


def test_new_is_later_than_48_h_after_time_zero() -> None:
    """At 48 h it is not new, a minute later it is."""
    bound = 48.0
    found = [one(culture("growth", hour, COLI))["new_onset"] for hour in around(bound)]
    assert found == [False, False, True]


def test_new_is_another_organism_than_in_the_14_days_before() -> None:
    """The same one elsewhere 14 d before is no new one; a minute longer ago it is. Another organism is."""
    at, apart = 400.0, 14 * 24.0
    for gap, new in zip(around(apart), (False, False, True), strict=True):
        row = infections(
            culture("growth", at - gap, COLI, "urine"), culture("growth", at, "E. coli")
        )
        assert row[-1]["new_onset"] is new, gap
    other = infections(
        culture("growth", 200, "Klebsiella pneumoniae"), culture("growth", 300, COLI)
    )
    assert [row["new_onset"] for row in other] == [True, True]


def test_one_episode_lasts_until_nothing_grew_for_14_days() -> None:
    """At 14 d it is the same episode, a minute later another one."""
    gap = hours(RULES["episode_gap"])
    found = [
        len(infections(culture("growth", 60, COLI), culture("growth", 60 + apart, COLI)))
        for apart in around(gap)
    ]
    assert found == [1, 1, 2]


def test_what_grew_long_before_time_zero_is_not_listed() -> None:
    """Up to 14 d before it is."""
    since = hours(RULES["shown_from"])
    found = [len(infections(culture("growth", -before, COLI))) for before in around(since)]
    assert found == [1, 1, 0]


def test_a_culture_with_only_a_date_says_so_and_leaves_open_what_the_hour_decides() -> None:
    """Time zero is at midnight here: the date of the 48th hour begins at it."""
    early, late, open_ = (
        one(culture("growth", hour, COLI, date_only=True)) for hour in (24, 72, 48)
    )
    assert {row["onset_is"] for row in (early, late, open_)} == {"date"}
    assert [row["new_onset"] for row in (early, late, open_)] == [False, True, None]


def test_a_death_is_linked_to_a_new_infection_with_antibiotics_running() -> None:
    """Up to 14 d after its onset, and with a dose in the 48 h before; on each side of both bounds."""
    within, running = hours(RULES["death_within"]), hours(RULES["antibiotic_within"])
    death = 480.0
    for ago, linked in zip(around(within), (True, True, None), strict=True):
        row = outcome(
            *STORM, person(death=death), culture("growth", death - ago, COLI),
            dose("meropenem", death - 1, amount="1000 mg"),
        )  # fmt: skip
        assert row["infection_linked"] is linked, ago
        assert row["infection_active_at_death"] is bool(linked)
    for ago, linked in zip(around(running), (True, True, None), strict=True):
        row = outcome(
            *STORM, person(death=death), culture("growth", death - 100, COLI),
            dose("meropenem", death - ago, amount="1000 mg"),
        )  # fmt: skip
        assert row["infection_linked"] is linked, ago


def test_a_death_by_its_recorded_cause() -> None:
    """Infection named: linked. Another cause, cultures taken and no infection: not linked. No cultures: open."""
    negative, treated = culture("no growth", 60), dose("meropenem", 70, amount="1000 mg")
    named = outcome(*STORM, person(death=300, cause_of_death="infection"))
    other = outcome(*STORM, person(death=300, cause_of_death="haemorrhage"), negative, treated)
    silent = outcome(*STORM, person(death=300, cause_of_death="haemorrhage"))
    assert [row["infection_linked"] for row in (named, other, silent)] == [True, False, None]
    alive = outcome(*STORM, negative)
    assert (alive["infection_linked"], alive["infection_active_at_death"]) == (None, None)


def test_an_old_infection_can_be_active_at_death_without_being_new() -> None:
    """It was there before time zero: active, but the death is not linked by the rule."""
    row = outcome(
        *STORM, person(death=100), culture("growth", -5, COLI),
        dose("meropenem", 90, amount="1000 mg"), procedure("mechanical ventilation", 50, 100),
    )  # fmt: skip
    assert row["infection_active_at_death"] is True
    assert row["infection_linked"] is None
