"""A release from a results folder, and two releases of cohorts that overlap."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from becalm.cli import main
from tests.report import charts
from tests.report.conftest import repeated


def becalm(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def studied(folder: Path, n: int) -> Path:
    """Run a study of so many patients and return its results folder."""
    records = folder / f"records{n}"
    records.mkdir()
    charts.write(records, repeated(n))
    done = becalm("study", records, "--out", folder / f"own{n}", "--release", folder / f"out{n}")
    assert done.exit_code == 0, done.output
    return folder / f"own{n}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with studies of 12, 14 and 22 patients; the larger ones hold the smaller."""
    found = tmp_path_factory.mktemp("studies")
    for n in (12, 14, 22):
        studied(found, n)
    return found


def test_a_release_made_later_is_the_same(folder: Path, tmp_path: Path) -> None:
    done = becalm("release", folder / "own12", "--out", tmp_path / "later")
    assert done.exit_code == 0
    for path in (folder / "out12").iterdir():
        assert (tmp_path / "later" / path.name).read_bytes() == path.read_bytes()


def test_two_more_patients_are_warned_of_and_ten_more_are_not(folder: Path, tmp_path: Path) -> None:
    near = becalm(
        "release", folder / "own14", "--out", tmp_path / "a", "--previous", folder / "own12"
    )
    assert near.exit_code == 0
    assert "warning: only 2 persons differ from the cohort of" in near.output
    assert "(2 new, 0 gone)" in near.output
    manifest = folder / "own12" / "manifest.json"
    far = becalm("release", folder / "own22", "--out", tmp_path / "b", "--previous", manifest)
    assert far.exit_code == 0
    assert "warning" not in far.output


def test_the_same_persons_with_the_same_counts_are_not_warned_of(
    folder: Path, tmp_path: Path
) -> None:
    done = becalm(
        "release", folder / "own12", "--out", tmp_path / "a", "--previous", folder / "own12"
    )
    assert done.exit_code == 0
    assert "warning" not in done.output


def test_of_an_earlier_release_alone_only_what_is_printed_can_be_compared(
    folder: Path, tmp_path: Path
) -> None:
    done = becalm(
        "release", folder / "own22", "--out", tmp_path / "a", "--previous", folder / "out12"
    )
    assert done.exit_code == 0
    assert "printed counts differ from" in done.output
    assert "name the results folder of the earlier study instead" in done.output


def test_a_study_warns_too(folder: Path, tmp_path: Path) -> None:
    done = becalm("study", folder / "records14", "--out", tmp_path / "own", "--release", tmp_path / "out",
                  "--previous", folder / "own12")  # fmt: skip
    assert done.exit_code == 0
    assert "warning: only 2 persons differ" in done.output


@pytest.mark.parametrize("previous", ["nothing", "records12/persons.csv", "records12"])
def test_what_is_no_manifest_is_told(folder: Path, previous: str, tmp_path: Path) -> None:
    done = becalm(
        "release", folder / "own12", "--out", tmp_path / "a", "--previous", folder / previous
    )
    assert done.exit_code == 3
    assert "is not a manifest of becalm" in done.output
    assert not (tmp_path / "a").exists()


def test_a_folder_that_is_no_results_folder_is_told(folder: Path, tmp_path: Path) -> None:
    for name in ("records12", "out12", "nothing"):
        done = becalm("release", folder / name, "--out", tmp_path / "a")
        assert done.exit_code == 3, done.output
        assert not (tmp_path / "a").exists()


def test_changed_results_are_not_released(tmp_path: Path) -> None:
    own = studied(tmp_path, 5)
    facts = json.loads((own / "release.json").read_text("utf-8"))
    (own / "release.json").write_text(json.dumps({**facts, "n": 50}), "utf-8")
    done = becalm("release", own, "--out", tmp_path / "a")
    assert done.exit_code == 6
    assert "was changed since becalm wrote it" in done.output


@pytest.mark.parametrize("out", ["own12", "own12/inside", "."])
def test_a_release_stands_apart_from_the_results(folder: Path, out: str) -> None:
    before = sorted(folder.rglob("*"))
    done = becalm("release", folder / "own12", "--out", folder / out)
    assert done.exit_code in {2, 6}
    assert sorted(folder.rglob("*")) == before
