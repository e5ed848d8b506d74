"""When growth in a culture is an infection, when it is new, and whether a death is linked to it.

A sterile-site pathogen once; a commensal of skin in two draws within 48 h; urine or airway with four or more
days of antibiotic; or judged so by a clinician.
"""

from __future__ import annotations

from typing import Any

import pytest

from becalm.vocabulary import organism_kinds
from tests.records import (
    Row,
    culture,
    dose,
    infusion,
    lab,
    measured,
    patient,
    person,
    procedure,
)
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
        ("Staph. MRSA", "bacterial", False),
        ("Staphylococci", "bacterial", True),
        ("Influenza", "viral", False),
        ("Candda albicans", "not understood", False),
        ("unknown organism", "not understood", False),
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
    """An infection in stool; by an unknown organism nobody knows of which kind; growth in blood that is a contaminant."""
    assert one(culture("growth", 60, COLI, "stool", judged="infection"))["proven"] == "judged"
    unknown = one(culture("growth", 60, "Keim 3", "blood", judged="infection"))
    assert (unknown["counts"], unknown["counts_as"]) == (None, "")
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
    """Negative and cancelled cultures."""
    assert infections(*(culture(said, 60) for said in ("no growth", "cancelled"))) == []


@pytest.mark.parametrize(
    ("result", "why"),
    [("pending", "its result is pending"), ("", "its result is not known")],
)
def test_a_sample_whose_result_nobody_knows_is_open(result: str, why: str) -> None:
    """Where growth of a bacterium would count; a result of another test of the same sample makes a blank one known."""
    row = one(culture(result, 60))
    assert (row["organism"], row["class"], row["counts"], row["new_onset"], row["reason"]) == (
        "not known", "not understood", None, True, why,
    )  # fmt: skip
    for specimen in ("stool", "MRSA screen"):
        assert one(culture(result, 60, "", specimen))["counts"] is False
    urine = culture(result, 72, "", "urine")
    assert one(urine, *antibiotic(73, 3))["counts"] is False
    assert one(urine, *antibiotic(73, 4))["counts"] is None
    named = one(culture(result, 60, COLI))
    assert (named["organism"], named["class"], named["counts"]) == (COLI, "bacterial", None)
    assert infections(culture(result, 60, "", "serum", test="CMV IgG antibody")) == []
    assert len(infections(culture(result, 60), culture("no growth", 60))) == (result == "pending")
    assert one(culture(result, 60, judged="contaminant"))["counts"] is False


def test_two_samples_of_open_results_are_two_rows() -> None:
    """One at 24 h and one at 100 h: the later one may be a new infection, whatever the first one is."""
    first, second = infections(culture("pending", 24), culture("pending", 100))
    assert [row["counts"] for row in (first, second)] == [None, None]
    assert [row["new_onset"] for row in (first, second)] == [False, None]


@pytest.mark.parametrize(
    ("other", "new"),
    [
        (culture("pending", 60), None), (culture("growth", 60, "Keim 3"), None), (culture("cancelled", 60), True),
        (culture("growth", 60, "Klebsiella pneumoniae"), True), (culture("growth", 60, "E. coli", "urine"), False),
        (culture("pending", 60, "Klebsiella pneumoniae"), True), (culture("pending", 60, "E. coli"), None),
        (culture("detected", 60, COLI, "serum", test="antibody"), True),
    ],
)  # fmt: skip
def test_what_grew_before_and_nobody_knows_leaves_new_open(other: Row, new: bool | None) -> None:
    """An organism that nobody knows, or a result that is not known, may be the same one."""
    row = infections(other, culture("growth", 100, COLI))[-1]
    assert (row["counts"], row["new_onset"]) == (True, new)


def test_another_species_of_a_commensal_is_another_organism() -> None:
    """S. epidermidis grew before; S. hominis in two draws is new, and a name without a species may be the same."""
    for name, new in (("Staphylococcus hominis", True), ("CoNS", False)):
        row = infections(culture("growth", 40, EPI), culture("growth", 100, name), culture("growth", 110, name))[-1]  # fmt: skip
        assert (row["counts_as"], row["new_onset"]) == ("bacterial infection", new)


def test_a_commensal_beside_a_sample_that_nobody_knows_is_open() -> None:
    """The other sample may be the second draw: its result, its organism or its site is not known. A cancelled one is none."""
    others = (
        culture("pending", 80),
        culture("growth", 80, "Keim 3"),
        culture("growth", 80, EPI, "Probe 7"),
    )
    for other in others:
        assert infections(culture("growth", 60, EPI), other)[0]["counts"] is None
    for other in (
        culture("cancelled", 80),
        culture("pending", 110),
        culture("pending", 80, "", "stool"),
    ):
        assert infections(culture("growth", 60, EPI), other)[0]["counts"] is False


def test_which_samples_are_cultures() -> None:
    """With a result, of bacteria: not one that was cancelled, is pending, looks for carriage, one virus or antibodies."""
    no = (culture("cancelled", 60), culture("pending", 61), culture("", 62), culture("no growth", 63, "", "MRSA screen"),
          culture("not detected", 64, "", "blood", test="CMV PCR"), culture("no growth", -1))  # fmt: skip
    assert outcome(*STORM, *no)["cultures_taken"] == 0
    yes = (culture("no growth", 60), culture("growth", 70, COLI), culture("growth", 70, EPI))
    assert outcome(*STORM, *no, *yes)["cultures_taken"] == 2


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
            *STORM, person(death=death), culture("growth", death - ago, COLI), culture("no growth", death - 50),
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


def test_without_a_culture_in_the_days_before_a_death_nobody_says_no() -> None:
    """A sample with a result in the 14 d before; one before that, a cancelled or a pending one says nothing."""
    death, within = 480.0, hours(RULES["death_within"])
    ended = (
        *STORM,
        person(death=death, cause_of_death="haemorrhage"),
        dose("meropenem", death - 1, amount="1000 mg"),
    )
    for ago, active in zip(around(within), (False, False, None), strict=True):
        row = outcome(*ended, culture("no growth", death - ago))
        assert (row["infection_active_at_death"], row["infection_linked"]) == (active, active), ago
    for result in ("cancelled", "pending"):
        row = outcome(*ended, culture(result, death - 50))
        assert row["infection_active_at_death"] is None
    both = outcome(*ended, culture("no growth", death - 60), culture("pending", death - 50))
    assert both["infection_active_at_death"] is None


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


def test_two_samples_of_one_date_may_be_one_draw() -> None:
    """Only where both have an hour can two draws be told from one; the next day's sample is another draw."""
    same = one(*[culture("growth", 60, EPI, date_only=True) for _ in range(2)])
    assert (same["counts"], same["counts_as"]) == (None, "")
    assert "nobody knows whether in a second one" in same["reason"]
    half = one(culture("growth", 72, EPI, date_only=True), culture("growth", 80, EPI))
    assert half["counts"] is None
    following = one(*[culture("growth", hour, EPI, date_only=True) for hour in (72, 96)])
    assert (following["counts"], following["proven"]) == (True, "two draws")


def test_dates_three_days_apart_leave_a_commensal_open_and_four_do_not() -> None:
    """From midnight to midnight: two days later may be 24 to 72 h, three days later more than 48 h."""
    found = [
        one(*[culture("growth", hour, EPI, date_only=True) for hour in (72, 72 + 24 * apart)])
        for apart in (1, 2, 3)
    ]
    assert [row["counts"] for row in found] == [True, None, False]


def test_two_species_of_commensals_are_two_organisms() -> None:
    """S. epidermidis and S. hominis do not prove each other; a name without a species fits both."""
    names = ("Staph. epi", "Staphylococcus hominis", "CoNS")
    pairs = {(0, 1): "", (0, 2): "bacterial infection", (1, 2): "bacterial infection"}
    for (first, second), counts_as in pairs.items():
        row = one(culture("growth", 60, names[first]), culture("growth", 70, names[second]))
        assert row["counts_as"] == counts_as, (first, second)


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("E. coli; Candida albicans", ["Escherichia coli", "Candida albicans"]),
        ("Klebsiella pneumoniae and MRSA", ["Klebsiella pneumoniae", "Staphylococcus aureus"]),
        ("E. coli, Enterococcus faecium", ["Escherichia coli", "Enterococcus faecium"]),
        ("STAPHYLOCOCCUS, COAGULASE NEGATIVE", ["Coagulase-negative staphylococci"]),
        ("STAPH AUREUS COAG +", ["Staphylococcus aureus"]),
        ("Staph aureus, methicillin resistant", ["Staphylococcus aureus"]),
        ("BACILLUS SPECIES; NOT ANTHRACIS", ["Bacillus"]),
        ("MICROCOCCUS/STOMATOCOCCUS SPECIES", ["Micrococcus"]),
        ("YEAST, PRESUMPTIVELY NOT C. ALBICANS", ["yeast presumptively not c albicans"]),
        ("E. coli, ESBL", ["Escherichia coli"]),
    ],
)
def test_a_cell_may_name_several_organisms(written: str, names: list[str]) -> None:
    """Each is a row of its own with its own kind; words about one organism are no second one."""
    assert [each.name for each in organism_kinds.all_of(written)] == names
    rows = infections(culture("growth", 60, written))
    assert sorted(row["organism"] for row in rows) == sorted(names)
    kinds = {row["organism"]: row["class"] for row in rows}
    assert kinds == {name: organism_kinds.of(name).kind for name in names}


@pytest.mark.parametrize(
    "written", ["Eschrichia kolli", "Candda albcans", "Klebsela", "Staphyl aurs"]
)
def test_a_misspelt_name_is_not_understood(written: str) -> None:
    """It is listed, neither an infection nor none, and a death near it stays open."""
    row = one(culture("growth", 60, written))
    assert (row["class"], row["counts"], row["reason"]) == (
        "not understood", None, "the organism is not understood",
    )  # fmt: skip
    ended = outcome(
        *STORM, person(death=100, cause_of_death="haemorrhage"), culture("growth", 60, written),
        dose("meropenem", 99, amount="1000 mg"),
    )  # fmt: skip
    assert (ended["infection_active_at_death"], ended["infection_linked"]) == (None, None)


def test_an_antibody_is_no_infection() -> None:
    """It stays after an infection or a vaccination; the germ itself, or growth, counts."""
    rows = infections(
        culture("detected", 60, "", "serum", test="EPSTEIN-BARR VIRUS VCA-IgG AB"),
        culture("detected", 61, "", "serum", test="Helicobacter pylori antibody test"),
        culture("detected", 62, "Epstein-Barr virus", "blood", test="PCR"),
    )
    assert [row["counts"] for row in rows] == [False, False, True]


def test_a_virus_counts_wherever_it_was_detected() -> None:
    """No virus lives in the nose as bacteria do; a screen for viruses is no search for carriage."""
    for specimen in ("nasopharyngeal swab", "Rapid Respiratory Viral Screen & Culture", ""):
        row = one(culture("detected", 60, "Influenza A", specimen, test="PCR"))
        assert (row["counts_as"], row["proven"]) == ("viral infection", "detected")


def test_other_germs_where_organisms_live_are_left_to_a_clinician() -> None:
    """The rule for urine and airway is one for bacteria."""
    for organism in ("Candida albicans", "Pneumocystis jirovecii", "Mycobacterium tuberculosis"):
        assert one(culture("growth", 60, organism, "sputum"))["counts"] is None


def test_a_sample_without_any_time_stays_in_the_table() -> None:
    """A pathogen in blood is an infection of which nobody knows whether it is new; urine and a commensal stay open."""
    row = one(culture("growth", None, COLI))
    assert (row["counts"], row["onset_is"], row["new_onset"]) == (True, "unknown", None)
    urine = one(culture("growth", None, COLI, "urine"), *antibiotic(60, 5))
    assert urine["counts"] is None
    for other, counts in ((EPI, None), ("Micrococcus", False)):
        rows = infections(culture("growth", None, EPI), culture("growth", 60, other))
        assert [row["counts"] for row in rows] == [counts, counts]


def test_growth_before_the_first_sample_that_counts_is_an_episode_of_its_own() -> None:
    """Urine without and, ten days later, with antibiotics: no row of the records is lost."""
    first, second = infections(
        culture("growth", 60, COLI, "urine"), culture("growth", 300, COLI, "urine"), *antibiotic(301, 5)
    )  # fmt: skip
    assert (first["counts"], second["counts"]) == (False, True)
    assert first["source_row"] != second["source_row"]
    assert second["new_onset"] is False


def test_without_any_dose_of_a_person_nobody_knows_whether_urine_was_treated() -> None:
    """The doses of another patient say nothing about this one."""
    storm = [row for row in STORM if row.table != "administrations"]
    rows = measured(
        "hyperinflammation",
        *patient("A", *storm, culture("growth", 60, COLI, "urine")),
        *patient("B", *storm, culture("growth", 60, COLI, "urine"), *antibiotic(61, 2)),
        only="infections",
    )
    assert [(row["person_id"], row["counts"]) for row in rows] == [("A", None), ("B", False)]


def test_an_episode_with_one_open_sample_is_open() -> None:
    """A yeast in sputum that was judged colonisation, then one that nobody judged."""
    row = one(
        culture("growth", 60, "Candida albicans", "sputum", judged="colonisation"),
        culture("growth", 80, "Candida albicans", "sputum"),
    )
    assert (row["counts"], row["reason"]) == (None, "it may only live there: a clinician judges it")


@pytest.mark.parametrize(
    "written",
    ["E. coli?", "suspected E. coli", "V.a. MRSA", "r/o MRSA", "E. coli DD Klebsiella", "no MRSA", "MRSA negative", "kein MRSA"],
)  # fmt: skip
def test_an_organism_that_is_only_suspected_or_denied_is_not_understood(written: str) -> None:
    """Something grew, and nobody knows what."""
    row = one(culture("growth", 60, written))
    assert (row["class"], row["counts"]) == ("not understood", None)


@pytest.mark.parametrize(
    "written", ["PRESUMPTIVE GARDNERELLA VAGINALIS", "Gram negative", "staph coag neg", "HAEMOPHILUS SPECIES NOT INFLUENZAE"]
)  # fmt: skip
def test_words_of_a_name_are_no_doubt(written: str) -> None:
    """A laboratory's presumptive identification, and names with "negative" or "not" in them."""
    assert organism_kinds.of(written).kind == "bacterial"
