"""What so many patients can show, and the rate without the drug beside each response."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from scipy import stats

from becalm.measures.response import background
from becalm.report import what_n_shows, without_drug
from becalm.report.cohort import Cohort
from becalm.report.sections import what_n_shows as section
from becalm.study.result import StudyResult
from tests.report import charts
from tests.report.charts import Person
from tests.report.conftest import Study, render, seen


def untreated(n: int, fell: int) -> list[Person]:
    """Return persons with the storm of the first of the five who never got the drug; the first `fell` respond."""
    first = charts.ONE
    found = []
    for i in range(n):
        last = "7400" if i < fell else "15000"
        labs = {
            **first.labs,
            "ferritin": ((-4, "14200"), (44, last)),
            "ast": ((-4, "412"), (44, "214")),
            "alt": ((-4, "300"), (44, "190")),
        }
        found.append(replace(first, id=f"OTHER-{i:02}", labs=labs, singles=(), rates=(), others=()))
    return found


@pytest.fixture(scope="module")
def compared(study: Study) -> Cohort:
    """Return the five beside twelve without the drug, of whom nine respond."""
    return Cohort(study([*charts.PERSONS, *untreated(12, 9)]))


def test_five_patients_can_show_almost_nothing(five: str) -> None:
    """4/5 fits 28.4 to 99.5 %; no rate would be found different from 68 % of 41; three infections are too few."""
    [told] = re.findall(r"What 5 patients can show: (.*?) How this is calculated", seen(five))
    assert told == (
        "a response in 4 of 5 fits any true rate from 28.4 to 99.5 %; no true rate, not even 100 %, would be found "
        "different, with a probability of 80 %, from the 68 % without the drug (28 of 41, AST alone, after the first AST of "
        "100 U/L or more, in other records) u ; and with equally many days at a high and a low dose, it takes 72 infections "
        "to see that they are twice as frequent at the high dose, and 20 to see that they are four times as frequent, but "
        "there were none, too few to show any difference."
    )


def test_the_true_rates_are_exact(cohort: Cohort) -> None:
    """On each clock, two-sided and one-sided, as scipy has them."""
    clocks = [what_n_shows.shown(cohort, clock) for clock in cohort.clocks]
    assert len(clocks) == 3
    for found in clocks:
        assert found is not None
        result = stats.binomtest(found.yes, found.of)
        assert found.allows == pytest.approx(tuple(result.proportion_ci(0.95, "exact")))
        one_sided = stats.binomtest(found.yes, found.of, alternative="greater")
        assert found.at_least == pytest.approx(one_sided.proportion_ci(0.95, "exact").low)
        assert found.smallest is None


def test_those_without_the_drug_stand_beside_the_response(compared: Cohort) -> None:
    """Nine of twelve by the same rule and storm: enough, so no level of a marker and no other records are used."""
    found = without_drug.by_storm(compared)
    assert found is not None
    assert (found["with_index"], found["known"], found["yes"]) == (12, 12, 9)
    assert not without_drug.few(compared)
    page = seen(render(compared.result))
    assert "without the drug, by the same rule: 9/12 (75 %; 42.8–94.5)" in page
    assert "from the 75 % without the drug (9 of 12, by the same rule, from the same storm)" in page
    assert "in other records" not in page
    assert not any("without the drug" in each for each in compared.result.unverified)
    [rate] = without_drug.candidates(compared)
    assert (rate.yes, rate.known, rate.here) == (9, 12, True)


@pytest.mark.parametrize(("n", "few"), [(9, True), (10, False)])
def test_fewer_than_ten_without_the_drug_are_too_few(study: Study, n: int, few: bool) -> None:
    """Then the level of a marker draws the index: the ferritin of the same persons, and other records beside."""
    cohort = Cohort(study([*charts.PERSONS, *untreated(n, n)]))
    assert background.file().here.fewest == 10
    assert without_drug.few(cohort) is few
    page = seen(render(cohort.result))
    assert ("without the drug, from the first high value" in page) is few
    assert ("28/41 (68 %; 51.9–81.9)" in page) is few
    assert any("AST falls without the drug" in each for each in cohort.result.unverified) is few


def test_where_nobody_was_without_the_drug_other_records_stand_beside(
    cohort: Cohort, five: str
) -> None:
    """Their source is named and they are marked: nobody has checked them."""
    assert without_drug.few(cohort)
    assert "AST alone, after the first AST of 100 U/L or more, in other records: 28/41 (68 %; 51.9–81.9) u" in seen(five)  # fmt: skip
    assert "Wuhan 2020 (10.1038/s42256-020-0180-7)" in seen(five)


def test_a_larger_series_could_have_seen_a_difference(hundred: StudyResult) -> None:
    """Of 120 patients against 41: the power at the smallest rate is 80 % by simulation of scipy's test."""
    cohort = Cohort(hundred)
    found = what_n_shows.shown(cohort, "t0")
    assert found is not None
    assert found.smallest is not None
    hits = 0.0
    for k in range(121):
        chance = stats.binom.pmf(k, 120, found.smallest)
        if chance < 1e-6:
            continue
        for m in range(42):
            both = chance * stats.binom.pmf(m, 41, 28 / 41)
            if both > 1e-8 and stats.fisher_exact([[k, 120 - k], [m, 41 - m]])[1] < 0.05:
                hits += both
    assert hits == pytest.approx(0.8, abs=0.002)
    assert "only a true rate of 88.6 % or more would be found different" in seen(render(cohort.result))  # fmt: skip


def test_a_study_that_claims_no_response_is_compared_with_nobody(
    many: str, thirty_six: StudyResult
) -> None:
    """An index design describes the course of everybody: the sentence has the true rates, and no more."""
    cohort = Cohort(thirty_six)
    assert list(without_drug.candidates(cohort)) == []
    assert what_n_shows.events(cohort) is None
    [told] = re.findall(r"What 36 patients can show: (.*?) How this is calculated", seen(many))
    assert re.fullmatch(r"a fall in \d+ of \d+ fits any true rate from [\d.]+ to [\d.]+ %\.", told)
    assert 'id="without_drug"' not in many


def test_nobody_shows_nothing(nobody: StudyResult) -> None:
    assert "can show" not in seen(render(nobody))


@pytest.mark.parametrize(
    ("seen_events", "words"),
    [(5, "but there were 5, too few to show any difference"), (6, "but there were 6"), (71, "but there were 71"),
     (72, "and there were 72"), (1, "but there was 1, too few to show any difference")],
)  # fmt: skip
def test_so_many_infections_can_show_so_much(seen_events: int, words: str) -> None:
    """Five can never show a ratio, six could; 72 are what twice as many takes."""
    found = what_n_shows.EventsNeeded(seen_events, 0, {2: 72, 3: 30, 4: 20}, 6)
    assert what_n_shows._dose(found).endswith(words)


def test_infections_of_which_nobody_can_tell_are_named() -> None:
    """29 and 1 more may be the 30 that three times as many take; 28 and 1 more are not enough."""
    for seen_events, enough in ((30, True), (29, None), (28, False)):
        found = what_n_shows.EventsNeeded(seen_events, 1, {2: 72, 3: 30, 4: 20}, 6)
        assert what_n_shows._dose(found).endswith(", and 1 more of which nobody can tell")
        assert section._enough(found, 30) is enough
