"""`becalm diff`: two runs beside each other, checked against a plain comparison of the written tables."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from becalm.cli import main
from becalm.core.staging import sha256
from tests.records import condition, dose, finding, infusion, lab, patient, sheets, stay
from tests.reference import two_runs

SHIPPED = Path(__file__).parents[2] / "src" / "becalm" / "protocol" / "shipped"
STORM = (
    lab("ferritin", 20000, 90), lab("temperature", 39.6, 90), lab("platelets", 60, 90),
    lab("haemoglobin", 8, 90), lab("wbc", 2, 90), lab("ast", 300, 90), lab("fibrinogen", 1.2, 90),
    lab("triglycerides", 5, 90),
)  # fmt: skip
AFTER = (
    lab("ferritin", 18000, 99), lab("ferritin", 9000, 140), lab("ferritin", 4000, 152),
    lab("platelets", 65, 99), lab("platelets", 90, 150),
)  # fmt: skip
ANN = patient(
    "ANN", stay(0, 500), *STORM, *AFTER, infusion(100, 200), condition("MAS", 95),
    dose("Zaubermittel", 60, amount="20 mg"), age=40,
)  # fmt: skip
BOB = patient(
    "BOB", stay(0, 500, "S2"), *STORM[:5], *AFTER, infusion(100, 200), condition("MAS", 95), age=17
)
CAT = patient(
    "CAT", stay(0, 500, "S3"), *STORM, *AFTER, infusion(100, 200), condition("MAS", 95), age=50
)
DAN = patient("DAN", stay(0, 500, "S4"), *STORM[:5], finding("splenomegaly", "yes", 80), age=60)


def becalm(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def study(records: Path, out: Path, *options: str | Path) -> Path:
    done = becalm("study", records, "--out", out, *options)
    assert done.exit_code == 0, done.output
    return out


def protocol(folder: Path, old: str, new: str) -> Path:
    """Write the shipped protocol with one change."""
    text = (SHIPPED / "anakinra_mas.toml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    file = folder / "protocol.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sheets(tmp_path_factory.mktemp("r") / "records", *ANN, *BOB, *DAN)


@pytest.fixture(scope="module")
def base(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study(records, tmp_path_factory.mktemp("b") / "base")


def listed(folder: Path) -> Iterator[two_runs.Row]:
    yield from two_runs.read(folder / "rows.csv")


def test_a_window_that_was_changed_lists_exactly_the_rows_that_changed(
    records: Path, base: Path, tmp_path: Path
) -> None:
    """The draw at 40 h stays in the window of 48 h; the one at 52 h leaves it."""
    file = protocol(tmp_path, "h48 = { from = 30, to = 54", "h48 = { from = 30, to = 50")
    new = study(records, tmp_path / "new", "--protocol", file)
    done = becalm("diff", base, new, "--out", tmp_path / "diff")
    assert done.exit_code == 0, done.output
    assert re.search(r"protocol +horizons.h48.to +54.0 +50.0", done.output)
    rows = list(listed(tmp_path / "diff"))
    told: dict[two_runs.Key, set[str]] = {}
    for row in rows:
        key = (row["table"], row["person_id"], row["key"])
        told.setdefault(key, set()).add(row["column"])
    expected = two_runs.unequal(base, new)
    assert told.keys() == expected.keys()
    assert {("response", "ANN", "variable=ferritin, clock=t0")} <= told.keys()
    of_sources = {name for names in expected.values() for name in names if name.endswith("_row")}
    for row_key, columns in told.items():
        assert columns - {""} == expected[row_key] or columns <= of_sources | expected[row_key]
        assert expected[row_key] - of_sources <= columns
    [cell] = [
        row
        for row in rows
        if row["column"] == "h48"
        and row["key"] == "variable=ferritin, clock=t0"
        and row["person_id"] == "ANN"
    ]
    assert (cell["old"], cell["new"], cell["change"]) == ("4000.0", "9000.0", "changed")
    assert cell["old_source_rows"] != cell["new_source_rows"]
    inputs = two_runs.read(tmp_path / "diff" / "inputs.csv")
    assert [(row["part"], row["name"]) for row in inputs] == [("protocol", "horizons.h48.to")]
    assert becalm("diff", new, base, "--out", tmp_path / "back").exit_code == 0
    assert _cells(listed(tmp_path / "back"), "new", "old") == _cells(iter(rows), "old", "new")


def _cells(rows: Iterator[two_runs.Row], old: str, new: str) -> set[tuple[str, ...]]:
    """Return what changed in each cell, as it is seen from one of the two runs."""
    other = {"added": "gone", "gone": "added"} if old == "new" else {}
    return {
        (row["table"], row["person_id"], row["key"], row["column"],
         other.get(row["change"], row["change"]), row[old], row[new])
        for row in rows
    }  # fmt: skip


def test_two_runs_with_the_same_results_do_not_differ(base: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(base, tmp_path / "again [1] it's *"))
    done = becalm("diff", base, again, "--out", tmp_path / "diff")
    assert done.exit_code == 0, done.output
    assert "Nothing that the two manifests record." in done.output
    assert "0 entered, 0 left" in done.output
    assert list(listed(tmp_path / "diff")) == []
    assert two_runs.unequal(base, again) == {}
    assert "Research use only" in done.output
    manifest = again / "manifest.json"
    manifest.write_text(
        manifest.read_text().replace(sha256(again / "tables/values.parquet"), "0" * 64)
    )
    done = becalm("diff", base, again)
    assert done.exit_code == 3
    assert "values.parquet: was changed since becalm wrote it" in done.output


def test_records_that_grew_tell_who_entered_and_which_row_changed_a_status(
    base: Path, tmp_path: Path
) -> None:
    """The new patient stands first, so that every row of the others has another name."""
    missing = (lab("triglycerides", 5, 90), lab("fibrinogen", 1.2, 90), lab("ast", 300, 90))
    rows = (*CAT, *ANN, *BOB, *DAN, *patient("DAN", *missing)[1:])
    grown = sheets(tmp_path / "records", *rows)
    new = study(grown, tmp_path / "new")
    done = becalm("diff", base, new, "--out", tmp_path / "diff")
    assert done.exit_code == 0, done.output
    [entered] = two_runs.read(tmp_path / "diff" / "cohort.csv")
    assert (entered["person_id"], entered["change"]) == ("CAT", "entered")
    assert "doses: 1 new (doses:2)" in entered["because"]
    assert "Persons: 1 in the old run, 2 in the new; 1 entered, 0 left." in done.output
    assert "all persons in the records: 3 → 4" in done.output
    assert "no anakinra given" not in done.output  # DAN left there before and now
    statuses = {
        (row["person_id"], row["key"]): row
        for row in two_runs.read(tmp_path / "diff" / "statuses.csv")
        if row["table"] == "criteria"
    }
    found = statuses["DAN", "criterion=hlh2004, moment=peak_ever"]
    assert (found["old"], found["new"]) == ("undetermined", "met")
    where = (grown / "labs.csv").read_text().splitlines()
    at = next(n for n, row in enumerate(where, 1) if "DAN" in row and "triglycerides" in row)
    assert "triglycerides: state not assessed → met" in found["because"]
    assert f"((none) → labs:{at})" in found["because"]
    ann = [row for row in listed(tmp_path / "diff") if row["person_id"] == "ANN"]
    assert {row["change"] for row in ann} <= {"source rows only"}
    assert ann
    assert re.search(r"file +labs.csv +[\d,]+ bytes", done.output)


def test_a_word_that_was_learnt_and_a_rule_that_lets_somebody_in(
    records: Path, base: Path, tmp_path: Path
) -> None:
    words = tmp_path / "words.toml"
    words.write_text('[drug]\n"Zaubermittel" = "dexamethasone"\n', encoding="utf-8")
    file = protocol(tmp_path, "min_age = 18", "min_age = 16")
    new = study(records, tmp_path / "new", "--words", words, "--protocol", file)
    done = becalm("diff", base, new, "--out", tmp_path / "diff")
    assert done.exit_code == 0, done.output
    assert "1 no longer listed:\n  what=drug, written=Zaubermittel" in done.output
    assert re.search(r"words +\(none\)", done.output)
    assert re.search(r"protocol +population.min_age +18 +16", done.output)
    [entered] = two_runs.read(tmp_path / "diff" / "cohort.csv")
    assert (entered["person_id"], entered["change"]) == ("BOB", "entered")
    assert "younger than 18: 1 → (none)" in done.output
    assert "younger than 16: (none) → 0" in done.output
    back = becalm("diff", new, base)
    assert "BOB left" in back.output
    assert "Zaubermittel" in back.output


def test_what_cannot_be_compared_is_one_line_and_its_exit_code(base: Path, tmp_path: Path) -> None:
    empty, broken, other = (tmp_path / name for name in ("empty", "broken", "other"))
    for folder in (empty, broken, other):
        folder.mkdir()
    (broken / "manifest.json").write_text('{"becalm": 1}')
    (other / "manifest.json").write_text(
        json.dumps({"becalm": "0", "kind": "for release: small cells suppressed", "files": []})
    )
    cases = {
        tmp_path / "nowhere": (
            3,
            "nowhere: is not a folder. Name a folder that becalm study wrote",
        ),
        empty: (
            3,
            "manifest.json: does not exist. A folder without manifest.json is no finished run",
        ),
        broken: (3, "manifest.json: is not a manifest of a study"),
        other: (3, "other: the folder has no results of a study, but: for release"),
        base: (2, "OLD and NEW are the same folder"),
    }
    for folder, (code, message) in cases.items():
        done = becalm("diff", base, folder)
        assert (done.exit_code, done.output.count("\n")) == (code, 1), done.output
        assert message in done.output
    done = becalm("diff", base, empty, "--out", base)
    assert done.exit_code == 2
    assert "is what is read" in done.output


def test_a_table_that_was_changed_since_is_not_compared(base: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(base, copy)
    table = copy / "tables" / "response.parquet"
    table.write_bytes(table.read_bytes()[:-1])
    done = becalm("diff", base, copy, "--out", tmp_path / "diff")
    assert done.exit_code == 3
    assert "response.parquet: was changed since becalm wrote it" in done.output
    assert not (tmp_path / "diff").exists()
    table.unlink()
    done = becalm("diff", base, copy)
    assert done.exit_code == 3
    assert "response.parquet: is not there, although manifest.json lists it" in done.output
