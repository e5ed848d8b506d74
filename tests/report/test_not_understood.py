"""Where somebody's records have a name that nobody knows, the report never says "none"."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from becalm import protocol, vocabulary
from becalm.records import open_records
from becalm.report import page
from becalm.report.cohort import Cohort
from becalm.report.figures import swimmer
from becalm.study.result import StudyResult
from becalm.study.run import run
from becalm.vocabulary import site_words
from tests.records import condition, dose, infusion, lab, patient, sheets, stay

ILL = (
    stay(0, 500), lab("ferritin", 20000, 90), lab("ferritin", 9000, 148), lab("ast", 400, 90),
    lab("ast", 200, 148), infusion(100, 200), condition("HLH", 95),
)  # fmt: skip
SHEETS = (
    *patient("A", *ILL, dose("Zaubermittel", 60, amount="20 mg"), condition("thymoblastosis", 20)),
    *patient("B", *ILL),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sheets(tmp_path_factory.mktemp("unknown"), *SHEETS)


def studied(folder: Path, words: Path | None = None) -> StudyResult:
    site = site_words.read(words, vocabulary.load()) if words else None
    return run(open_records(str(folder)), protocol.load("anakinra_mas"), "records", site=site)


def section(result: StudyResult, name: str) -> str:
    """The text of one section of the page."""
    whole = page.render(Cohort(result), {})
    found = re.search(rf'<section id="{name}".*?</section>', whole, re.DOTALL)
    return (
        html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.group()))) if found else ""
    )


def test_names_that_nobody_knows_have_a_section_above_the_methods(folder: Path) -> None:
    result = studied(folder)
    text = section(result, "not_understood")
    assert "1 of 2 patients have a name or a code" in text
    assert "Zaubermittel" in text
    assert "thymoblastosis" in text
    assert "exclusions of the protocol are undetermined" in text
    whole = page.render(Cohort(result), {})
    assert whole.index('id="not_understood"') < whole.index('id="methods"')


def test_no_text_says_none_of_somebody_who_was_given_an_unknown_drug(folder: Path) -> None:
    result = studied(folder)
    rows = section(result, "patients")
    table = rows[: rows.index("How the storm was recognised")]
    of_a = table[table.index(" A ") : table.rindex(" B ")]
    assert "none recorded" not in of_a
    assert "not understood: Zaubermittel" in of_a
    assert "not understood: thymoblastosis" in of_a
    assert "not understood: Zaubermittel 1" in section(result, "key")
    [row] = [
        row for row in result.frames["response"].rows()
        if (row["person_id"], row["variable"], row["clock"]) == ("A", "ferritin", "t0")
    ]  # fmt: skip
    assert row["confounded_by"] == "not understood: Zaubermittel"


def test_an_unknown_drug_is_a_lane_of_the_treatment_figure(folder: Path) -> None:
    ticks, _ = swimmer.lanes(Cohort(studied(folder)), "A", (-8, 10))
    assert {tick["lane"] for tick in ticks} == {"Zaubermittel (not understood)"}


def test_the_report_lists_what_the_site_says(folder: Path, tmp_path: Path) -> None:
    words = tmp_path / "ours.toml"
    words.write_text(
        '[drug]\n"Zaubermittel" = "dexamethasone"\n[diagnosis]\n"thymoblastosis" = "not needed"\n'
    )
    result = studied(folder, words)
    assert not len(result.frames["not_understood"])
    text = section(result, "not_understood")
    assert "ours.toml" in text
    assert "Zaubermittel dexamethasone" in text
    assert result.frames["previous_therapy"]["drug"].tolist() == ["dexamethasone"]


def test_a_diagnosis_made_after_entry_is_marked(tmp_path: Path) -> None:
    """Definite, possible and the clinician's diagnosis stand apart, each with its day."""
    rows = (
        *patient("late", *ILL[:-1], condition("MAS", 148)),
        *patient("early", *ILL[:-1], condition("MAS", 76)),
        *patient("undated", *ILL[:-1], condition("MAS")),
        *patient("never", *ILL[:-1]),
    )
    result = studied(sheets(tmp_path / "records", *rows))
    text = section(result, "patients")
    text = text[text.index("How the storm was recognised") :]
    assert "clinician's diagnosis" in text
    assert re.search(r"late .*?day \+?2\.0, after entry", text)
    assert re.search(r"early .*?day −1\.0 ", text)
    assert re.search(r"undated .*?a day that is not recorded", text)


def test_a_diagnosis_without_a_date_stands_apart(tmp_path: Path) -> None:
    """A diagnosis with neither a date nor a stay is shown apart; one that was coded for a stay is not."""
    rows = (
        *patient("dated", *ILL, condition("SLE", 20)),
        *patient("coded", *ILL, condition("SLE", stay_id="S1")),
        *patient("undated", *ILL, condition("SLE"), condition("h/o lymphoma"), condition("no HIV")),
        *patient("mixed", *ILL, condition("SLE", 20), condition("RA"), condition("hypertension")),
        *patient("none", *ILL),
    )
    result = studied(sheets(tmp_path / "records", *rows))
    told = {row["person_id"]: row["undated"] for row in result.frames["persons"].rows()}
    assert told == {
        "dated": "", "coded": "", "undated": "sle|history: lymphoma", "mixed": "rheumatoid_arthritis", "none": "",
    }  # fmt: skip
    rows_of = {row["person_id"]: row["undated_rows"] for row in result.frames["persons"].rows()}
    assert len(rows_of["undated"].split("|")) == 2
    text = section(result, "patients")
    assert "2 of 5 patients have a diagnosis with neither a date nor a stay" in text
    apart = text[text.rindex("Diagnoses without a date") :]
    assert re.search(r"undated SLE, history: lymphoma", apart)
    assert "coded" not in apart
    assert "dated SLE" not in apart.replace("undated SLE", "")
    nobody = studied(sheets(tmp_path / "dated", *patient("A", *ILL, condition("SLE", 20))))
    assert "without a date" not in section(nobody, "patients")
