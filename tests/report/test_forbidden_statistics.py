"""Every number and word of a report against the statistics that its number of patients forbids."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from scipy import stats

from becalm import tables
from becalm.measures import definition_agreement
from becalm.measures.event_rates import event_rates
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.figures import crowd
from becalm.report.sections import agreement
from becalm.study.result import StudyResult
from tests.report import charts
from tests.report.conftest import Study, render, repeated, seen
from tests.report.forbidden import allowed, blocks, plant, rules, violations

PHRASES = {each["name"]: each for each in rules()["phrase"]}
COLUMNS = re.compile(
    r"(?:^|_)(?:p|p_?value|sd|sem|se|stderr|hr|hazard_ratio|odds_ratio|q1|q3|iqr|r2)(?:_|$)"
)
"""Parts of the name of a column that would hold such a statistic."""


def infections(result: StudyResult) -> int:
    """Return the most events of any kind in the time at risk."""
    return max(result.tables["event_rates"]["events"].tolist(), default=0)


def test_the_report_of_five_prints_nothing_that_five_forbid(five: str, result: StudyResult) -> None:
    assert len(blocks(five)) > 1000
    assert violations(five, 5, infections(result)) == []


def test_the_built_in_example_prints_nothing_that_five_forbid(demo: str) -> None:
    assert violations(demo, 5, 3) == []


@pytest.mark.parametrize("n", [1, 12])
def test_a_chart_review_prints_nothing_that_its_number_forbids(
    study: Study, twelve: StudyResult, n: int
) -> None:
    found = twelve if n == 12 else study(repeated(n))
    assert Cohort(found).n == n
    assert violations(render(found), n, infections(found)) == []


def test_a_series_of_more_than_a_hundred_prints_nothing_forbidden(hundred: StudyResult) -> None:
    assert violations(render(hundred), 120, infections(hundred)) == []


def test_a_study_without_a_drug_of_interest_prints_nothing_forbidden(many: str) -> None:
    assert violations(many, 36, 0) == []


def test_a_summary_of_real_patients_prints_nothing_forbidden(real: StudyResult) -> None:
    assert violations(render(real), Cohort(real).n, infections(real)) == []


SMALL = '<section id="key"><h2>Key results</h2></section>'


@pytest.mark.parametrize("name", PHRASES)
def test_each_rule_finds_its_examples_and_nothing_harmless(name: str) -> None:
    rule = PHRASES[name]
    for words in rule["example"]:
        found = violations(plant(SMALL, words), 5, 3)
        assert [each for each in found if each.startswith(f"{name}: key")], words
    for words in rule["harmless"]:
        assert violations(plant(SMALL, words), 5, 3) == [], words


def test_what_is_planted_in_a_real_report_is_found(five: str) -> None:
    """All examples of all rules at once, and a percentage without its counts: nothing of the page hides them."""
    page = five
    for rule in PHRASES.values():
        for words in rule["example"]:
            page = plant(page, words)
    found = [each.partition(":")[0] for each in violations(plant(page, "40 % died"), 5, 3)]
    for name, rule in PHRASES.items():
        assert found.count(name) >= len(rule["example"]), name
    assert found.count("percentage without its counts") >= 1


@pytest.mark.parametrize("name", [n for n, r in PHRASES.items() if "below" in r or "below_events" in r])  # fmt: skip
def test_a_rule_ends_at_its_number(name: str) -> None:
    """One patient or event fewer, and the words are forbidden; with so many they are not."""
    rule = PHRASES[name]
    for words in rule["example"]:
        text = plant(SMALL, re.sub(r"\d+\s%", "", words))
        if re.search(rule["pattern"], re.sub(r"\d+\s%", "", words)) is None:
            continue
        least, few = rule.get("below", 10_000), rule.get("below_events", 10_000)
        n, events = (10_000, few) if "below_events" in rule else (least, 10_000)
        assert not [each for each in violations(text, n, events) if each.startswith(name)]
        n, events = (n, few - 1) if "below_events" in rule else (least - 1, events)
        assert [each for each in violations(text, n, events) if each.startswith(name)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Response 4/5 (80 %; 44–97.5)", "interval"),  # the Wilson interval rounded: not the exact one
        ("Response 4/5 (75 %; 28.4–99.5)", "interval"),
        ("Response 6/5 (120 %; 28.4–99.5)", "interval"),
        ("a response in 4 of 5 fits any true rate from 37.6 to 96.4 %", "interval"),
        ("80 % responded", "percentage without its counts"),
        ("mortality was 40 %", "percentage without its counts"),
        ("with 5 patients the smallest p-value that a test can reach is 0.03", "p-value"),
    ],
)  # fmt: skip
def test_a_wrong_number_is_found(words: str, said: str) -> None:
    found = violations(plant(SMALL, words), 5, 3)
    assert [each for each in found if each.startswith(said)], found


def test_an_interval_in_a_table_of_a_curve_is_found() -> None:
    for heading, section in (
        ("Kaplan-Meier, overall", "key"),
        ("Shares at some days", "incidence"),
    ):
        table = f"<table><caption>{heading}</caption><tr><td>60 % (14 to 90)</td></tr></table>"
        page = f'<section id="{section}">{table}</section>'
        name = "interval of a Kaplan"
        assert [each for each in violations(page, 9, 3) if each.startswith(name)]
        assert not [each for each in violations(page, 10, 3) if each.startswith(name)]


def test_every_sentence_that_may_stand_is_printed_somewhere(
    five: str, many: str, demo: str, twelve: StudyResult
) -> None:
    """A sentence that nobody prints any more would only hide another."""
    pages = [seen(page) for page in (five, many, demo, render(twelve))]
    for each in rules()["sentence"]:
        words = re.escape(each["words"]).replace(re.escape("{}"), r"[\d.,]+")
        assert any(re.search(words, page) for page in pages), each["words"]
        assert each["words"].strip()
        assert allowed(re.sub(r"\{\}", "5", each["words"])).strip() == "", each["words"]


def test_no_table_has_a_column_for_such_a_statistic() -> None:
    named = {
        f"{table}.{column}"
        for table, each in tables.TABLES.items()
        for column in each.columns
        if COLUMNS.search(column)
    }
    assert named == set()
    assert COLUMNS.search("p_value")
    assert COLUMNS.search("mean_sd")


def checked_intervals(rows: list[dict[str, Any]]) -> int:
    """Compare each exact interval of a share or a rate with scipy's; return how many there were."""
    seen_ = 0
    for row in rows:
        if "share_low" in row and row["known"]:
            exact = stats.binomtest(row["yes"], row["known"]).proportion_ci(0.95, "exact")
            assert (row["share_low"], row["share_high"]) == pytest.approx((exact.low, exact.high))
            seen_ += 1
        if "rate_low" in row and not math.isnan(row["rate_low"]):
            low = stats.chi2.ppf(0.025, 2 * row["events"]) / 2 if row["events"] else 0.0
            most = row["events"] + row["events_possible"]
            high = stats.chi2.ppf(0.975, 2 * most + 2) / 2
            per = 100 / row["person_days"]
            assert (row["rate_low"], row["rate_high"]) == pytest.approx((low * per, high * per))
            seen_ += 1
    return seen_


def test_every_interval_of_the_tables_is_exact(result: StudyResult, hundred: StudyResult) -> None:
    for each in (result, hundred):
        assert checked_intervals(list(each.tables["without_drug"].rows())) > 5
        # These patients have no cultures; as if each had had one, without growth.
        person_time, rule = each.tables["person_time"], each.protocol.person_time
        assert rule is not None
        assert set(person_time["infected"].tolist()) == {-1}
        looked = person_time.replace(infected=np.zeros(len(person_time), np.int64))
        assert checked_intervals(list(event_rates(looked, rule).rows())) > 5
        ends = np.where(looked["ended_by"] == "discharge", "possible infection", looked["ended_by"])
        doubtful = list(event_rates(looked.replace(ended_by=ends), rule).rows())
        assert max(row["events_possible"] for row in doubtful) > 0
        assert checked_intervals(doubtful) > 5


def test_fewer_than_ten_values_have_no_quartiles_in_a_figure() -> None:
    """On a day on which nine of the patients have a value, no band is drawn."""
    person, day = np.arange(10), np.zeros(10)
    assert crowd.quartiles(person[:9], day[:9], np.ones(9), 5.0) == []
    assert len(crowd.quartiles(person, day, np.ones(10), 5.0)) == 1


@pytest.mark.parametrize(("pairs", "shown"), [(29, False), (30, True)])
def test_an_interval_for_large_samples_needs_them(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch, pairs: int, shown: bool
) -> None:
    """The interval of Cohen's kappa is an approximation: none below thirty pairs that are decided."""
    counts = (10, 2, 3, pairs - 15)
    made = definition_agreement.Agreement(
        "hscore", "hlh2004", *counts, 0, *definition_agreement.kappa(*counts)
    )
    monkeypatch.setattr(agreement, "pairs", lambda _: [made])
    cell = str(agreement.agreed(cohort, Drill(cohort)).rows[0][-1])
    assert (" to " in re.sub(r"<[^>]+>", "", cell)) is shown


def test_five_pairs_cannot_reach_a_p_value_of_five_per_cent() -> None:
    """All five fell: the smallest two-sided p of any exact test of pairs is 0.0625; of six 0.031."""
    fell = np.array([-1.0, -2.0, -3.0, -4.0, -5.0])
    assert stats.wilcoxon(fell).pvalue == pytest.approx(0.0625)
    assert stats.wilcoxon([*fell, -6.0]).pvalue == pytest.approx(0.03125)
    assert len(charts.PERSONS) == 5
