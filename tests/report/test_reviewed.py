"""What reviewers judged, in a paper: every number from the results, no name of a reviewer, nothing in aggregates."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from becalm.report.cohort import cohort_of
from becalm.report.paper import writing
from becalm.report.paper.checklists import filled
from becalm.report.paper.content import REVIEW, paper
from becalm.report.paper.fields import plain
from becalm.report.release.aggregates import aggregates_of
from becalm.report.release.reviewed import Reviewed, ReviewTable, reviewed
from becalm.study.result import StudyResult
from tests.records import lab, person
from tests.report.test_paper import NAMES, body
from tests.spec.test_judgements import studied

SAID = {
    "P1": ("yes", "yes"), "P2": ("yes", "no"), "P3": ("cannot tell", "yes"), "P4": ("no", "no"), "OUT": ("yes", "no"),
}  # fmt: skip
"""What two reviewers answer; of P2 they agree later, and one is not in the study."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    rows = [
        f"{who},Dr {name},storm_active,{answer},,,"
        for who, answers in SAID.items()
        for name, answer in zip(("Alba", "Brun"), answers, strict=True)
    ]
    rows.append("P2,consensus,storm_active,yes,,,")
    outside = [person("OUT"), lab("ferritin", 20, 0, person="OUT")]
    return studied(tmp_path_factory.mktemp("judged"), "\n".join([*rows, ""]), more=outside)


def tables_of(result: StudyResult) -> tuple[dict[str, ReviewTable], dict[str, ReviewTable]]:
    found = reviewed(cohort_of(result))
    everybody, cohort = (
        {each.name: each for each in tables} for tables in (found.everybody, found.cohort)
    )
    return everybody, cohort


def test_kappa_and_disagreements_are_those_of_a_plain_count(judged: StudyResult) -> None:
    """Of everybody who was judged, or of the patients of the study alone, as single patients are printed."""
    for tables, who in zip(tables_of(judged), (list(SAID), ["P1", "P2", "P3", "P4"]), strict=True):
        words = ["yes", "no", "cannot tell"]
        pairs = [SAID[each] for each in who]
        kappa = cohens_kappa([[pairs.count((a, b)) for b in words] for a in words]).kappa
        same, differ = sum(a == b for a, b in pairs), sum(a != b for a, b in pairs)
        [row] = tables["reviewer_kappa"].rows
        assert row[0] == "Storm active, reviewers 1 and 2"
        assert float(row[1].replace("−", "-")) == pytest.approx(kappa, abs=0.005)
        assert row[2] == "none, fewer than 30 persons"
        assert row[4:] == [str(differ), str(differ - 1)]  # P2 has a consensus
        [agreed] = tables["reviewer_agreement"].rows
        assert agreed[2:4] == [str(same), str(len(pairs))]


def test_answers_and_definitions_are_counted(judged: StudyResult) -> None:
    """Who was judged `cannot tell` is in no share; where nobody could be counted there is none."""
    everybody, cohort = tables_of(judged)
    assert [row[1:4] for row in everybody["judged_answers"].rows] == [
        ["yes", "2", "3"], ["no", "1", "3"], ["cannot tell", "2", "5"],
    ]  # fmt: skip
    assert [row[1:4] for row in cohort["judged_answers"].rows][-1] == ["cannot tell", "1", "4"]
    wanted = {
        (row["criterion"], row["measure"]): (
            str(row["right"]),
            str(row["concerned"]),
            str(row["open"]),
        )
        for row in judged.tables["definition_accuracy"].rows()
        if row["moment"] == "peak_ever"
    }
    accuracy = everybody["definition_accuracy"].rows
    left_open = everybody["definition_accuracy_undetermined"].rows
    assert [
        (*row[2:4], undetermined[1]) for row, undetermined in zip(accuracy, left_open, strict=True)
    ] == [
        wanted[name, measure]
        for name in judged.protocol.definitions.report
        for measure in ("sensitivity", "specificity", "ppv", "npv")
    ]
    assert all(row[4] == "" for row in accuracy if row[3] == "0")


def test_the_draft_says_it_with_fields_and_without_names(
    judged: StudyResult, tmp_path: Path
) -> None:
    content = paper(aggregates_of(judged), "internal")
    writing.write(content, tmp_path)
    [section] = [each for each in content.results if each.title == REVIEW]
    texts = [plain(each) for each in section.paragraphs]
    record = {row[0]: row[3] for row in filled(content)[2].rows}
    assert record["6.2*"] == f"Results: {REVIEW}"
    assert texts[0].startswith("Storm active: yes 2 of 3 (67 %; 95 % interval ")
    assert any(text.startswith("HScore: sensitivity (met, of those judged yes) ") for text in texts)
    for text in section.paragraphs:
        words = " ".join(each for each in text if isinstance(each, str))
        assert not re.search(
            r"\d", NAMES.sub("", re.sub(r"reviewers \d and \d|HLH-2004", "", words))
        ), words
    assert any(
        field.startswith("reviewer_kappa.")
        for _, fields in body(tmp_path / "draft.docx")
        for field, _ in fields
    )
    files = [
        path.read_text("utf-8") for path in tmp_path.rglob("*") if path.suffix in {".csv", ".tex"}
    ]
    drafts = [words for path in tmp_path.glob("*.docx") for words, _ in body(path)]
    assert not any(name in text for text in [*files, *drafts] for name in ("Alba", "Brun"))


def test_a_paper_of_aggregates_has_none_of_it(judged: StudyResult) -> None:
    """Kappa and predictive values are made of counts that it suppresses."""
    found = aggregates_of(judged)
    content = paper(found, "aggregates")
    assert REVIEW not in {section.title for section in content.results}
    assert not any("judge" in table.name or "reviewer" in table.name for table in content.tables)
    assert found.reviewed != Reviewed()


def test_nobody_judged_gives_no_tables(tmp_path: Path) -> None:
    result = studied(tmp_path, "")
    assert reviewed(cohort_of(result)) == Reviewed()
    assert REVIEW not in {
        section.title for section in paper(aggregates_of(result), "internal").results
    }
