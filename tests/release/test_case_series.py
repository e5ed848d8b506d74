"""A declared release of single patients: only with a statement, and without what identifies."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from becalm.cli import main
from tests.report import charts
from tests.report.charts import PERSONS, STUDY
from tests.report.conftest import repeated, seen

STATED = """
case_series_consent = "written consent of all five, or of their next of kin"
case_series_ethics = "REC 1/2 (invented)"
case_series_decided_by = "the invented data protection officer"
case_series_words = "AOSD; Methylprednisolone"
"""


def becalm(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def studied(folder: Path, about: str) -> Result:
    records = charts.write(folder / "records", PERSONS, STUDY + about)
    return becalm("study", records, "--out", folder / "own", "--release", folder / "cases",
                  "--kind", "case-series")  # fmt: skip


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a study whose authors state what they may publish."""
    folder = tmp_path_factory.mktemp("stated")
    (folder / "records").mkdir()
    done = studied(folder, STATED)
    assert done.exit_code == 0, done.output
    return folder


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "cases" / f"case_series_{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_it_prints_single_patients_and_says_so_on_every_page(five: Path) -> None:
    html = (five / "cases" / "case_series.html").read_text("utf-8")
    assert "Case series: single patients, published under the statement of their study" in seen(
        html
    )
    assert '@bottom-center { content: "Case series: single patients, published' in html
    for words in ("written consent of all five", "REC 1/2 (invented)", "data protection officer"):
        assert words in html
    assert [row["patient"] for row in table(five, "patients")] == [f"Case {i}" for i in range(1, 6)]
    facts = json.loads((five / "cases" / "manifest.json").read_text("utf-8"))
    assert facts["kind"] == "for release: case series of single patients"
    assert not {"inputs", "records", "rows", "counts"} & set(facts)


def test_it_names_no_id_no_date_no_place_and_no_word_that_is_not_allowed(five: Path) -> None:
    everything = "\n".join(
        path.read_text("utf-8")
        for path in (five / "cases").iterdir()
        if path.suffix in {".csv", ".html"}
    )
    for person in PERSONS:
        assert person.id not in everything
    assert "Invented Hospital" not in everything
    assert not re.search(r"\b20\d\d-\d\d-\d\d", everything)
    allowed = {"AOSD", "methylprednisolone"}
    named = {
        word
        for row in table(five, "patients")
        for column in ("underlying disease", "immunotherapy before", "maintenance")
        for word in row[column].split(", ")
    }
    assert named <= allowed | {
        "a condition that is not named",
        "a drug that is not named",
        "none recorded",
        "anakinra",
    }


def test_ages_are_in_bands_unless_the_statement_gives_years(five: Path, tmp_path: Path) -> None:
    ages = {row["age, years"] for row in table(five, "patients")}
    assert all(re.fullmatch(r"\d0–\d9|90 or more", age) for age in ages)
    (tmp_path / "records").mkdir()
    assert studied(tmp_path, f'{STATED}case_series_ages = "years"\n').exit_code == 0
    years = sorted(int(row["age, years"]) for row in table(tmp_path, "patients"))
    assert years == sorted(person.age for person in PERSONS)


@pytest.mark.parametrize(
    ("stated", "missing"),
    [
        ("", "states nothing of publishing single patients"),
        ('case_series_consent = "yes"\n', "case_series_ethics, case_series_decided_by is missing"),
        (
            'case_series_ethics = "1"\ncase_series_decided_by = "A"\n',
            "case_series_consent is missing",
        ),
        (
            f'{STATED}case_series_waiver = "waived"\n',
            "both case_series_consent and case_series_waiver",
        ),
        (f'{STATED}case_series_ages = "exact"\n', "case_series_ages must be bands or years"),
    ],
)
def test_without_the_whole_statement_there_is_none(
    stated: str, missing: str, tmp_path: Path
) -> None:
    """And nothing is written, the patients' results neither."""
    (tmp_path / "records").mkdir()
    done = studied(tmp_path, stated)
    assert done.exit_code == 4
    assert missing in done.output.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records"]


def test_more_than_twenty_patients_are_no_case_series(tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    charts.write(records, repeated(21), STUDY + STATED)
    done = becalm("study", records, "--out", tmp_path / "own", "--release", tmp_path / "cases",
                  "--kind", "case-series")  # fmt: skip
    assert done.exit_code == 2
    assert "no patients who could be printed one by one" in done.output
    assert not (tmp_path / "cases").exists()


def test_the_words_that_are_not_named_are_told_to_who_decides(five: Path) -> None:
    done = becalm("release", five / "own", "--out", five / "again", "--kind", "case-series")
    assert done.exit_code == 0
    assert "not named, because case_series_words of study.toml does not allow them: " in done.output
    for path in (five / "cases").iterdir():
        assert (five / "again" / path.name).read_bytes() == path.read_bytes()


def test_a_value_beyond_the_range_of_the_test_keeps_its_sign(five: Path) -> None:
    """A ferritin of more than 40,000 is not one of 40,000."""
    shown = [
        row["baseline"] for row in table(five, "course") if row["variable"].startswith("ferritin")
    ]
    assert any(value.startswith((">", "≥")) for value in shown), shown
