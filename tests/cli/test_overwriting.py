"""No command writes over what it reads, or over a file that becalm did not write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import becalm as bc
from becalm.cli import main
from becalm.core.errors import UsageError
from becalm.records.template import copy_template

MAPPING = """
[tables.persons]
file = "persons.csv"
person_id = "who"
[persons]
table = "persons"
sex = "sex"
[[labs]]
table = "persons"
time = "when"
[labs.columns]
ferritin = { name = "ferritin", unit = "ng/mL" }
[[doses]]
table = "persons"
start = "when"
[doses.columns]
anakinra = { drug = "anakinra", amount_unit = "mg" }
"""
TABLE = "who,sex,when,ferritin,anakinra\nA,F,2020-02-01T08:00,900,100\n"


def becalm(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """Records with a table called as one of the results, and its mapping beside it."""
    folder = tmp_path / "flat"
    folder.mkdir()
    (folder / "persons.csv").write_text(TABLE, encoding="utf-8")
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Records that becalm itself wrote, with a manifest."""
    folder = tmp_path / "hospital"
    assert becalm("hospital", folder, "--persons", 40).exit_code == 0
    return folder


@pytest.mark.parametrize("option", ["--out", "--release"])
@pytest.mark.parametrize("kind", ["flat", "own"])
def test_a_study_does_not_write_into_its_records(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, option: str
) -> None:
    folder: Path = request.getfixturevalue(kind)
    before = contents(folder)
    words = ["--mapping", folder / "mapping.toml"] if kind == "flat" else []
    places = {"--out": tmp_path / "out", "--release": tmp_path / "release", option: folder}
    options = [each for pair in places.items() for each in pair]
    done = becalm("study", folder, *words, "--protocol", "hyperinflammation", *options)
    assert done.exit_code == 2, done.output
    assert done.stderr.splitlines()[-1] == (
        f"becalm: {folder} is what is read, and the results would be written there. "
        "Choose another place for the results"
    )
    assert contents(folder) == before
    assert not (tmp_path / "out").exists()


def test_a_study_does_not_write_over_files_of_somebody_else(flat: Path, tmp_path: Path) -> None:
    """What was there stays, whichever folder it is, and the study is not written."""
    place = tmp_path / "mine"
    shutil.copytree(flat, place)
    for name in ("report.html", "attrition.csv"):
        (place / name).write_text("mine", encoding="utf-8")
    before = contents(place)
    words = ["--mapping", flat / "mapping.toml", "--protocol", "hyperinflammation"]
    done = becalm("study", flat, *words, "--out", place)
    assert done.exit_code == 6
    assert "becalm did not write it" in done.stderr
    done = becalm("study", flat, *words, "--out", tmp_path / "out", "--release", place)
    assert done.exit_code == 6, done.output
    assert contents(place) == before
    assert not (tmp_path / "out").exists()


def test_a_study_is_written_again_over_itself(flat: Path, tmp_path: Path) -> None:
    words = ["--mapping", flat / "mapping.toml", "--protocol", "hyperinflammation"]
    options = ["--out", tmp_path / "out", "--release", tmp_path / "release"]
    assert becalm("study", flat, *words, *options).exit_code == 0
    first = contents(tmp_path / "out")
    (flat / "persons.csv").write_text(TABLE.replace("900", "1900"), encoding="utf-8")
    done = becalm("study", flat, *words, *options)
    assert done.exit_code == 0, done.output
    assert contents(tmp_path / "out").keys() == first.keys()
    assert contents(tmp_path / "out") != first


@pytest.mark.parametrize("name", ["peaks.csv", "peaks.parquet"])
def test_screen_replaces_only_a_table_of_its_own(flat: Path, tmp_path: Path, name: str) -> None:
    words = ["screen", flat, "--mapping", flat / "mapping.toml", "--out"]
    assert becalm(*words, tmp_path / name).exit_code == 0
    assert becalm(*words, tmp_path / name).exit_code == 0
    (tmp_path / name).write_text("person_id,mine\n", encoding="utf-8")
    done = becalm(*words, tmp_path / name)
    assert done.exit_code == 6
    assert "was changed since becalm wrote it" in done.stderr
    assert (tmp_path / name).read_text(encoding="utf-8") == "person_id,mine\n"
    for _ in range(2):  # beside the records, and again
        assert becalm(*words, flat / name).exit_code == 0
    done = becalm(*words, flat / "persons.csv")
    assert done.exit_code == 6
    assert "is read, and would be written over" in done.stderr
    assert (flat / "persons.csv").read_text(encoding="utf-8") == TABLE


def test_doctor_and_hospital_and_demo_replace_only_their_own(own: Path, tmp_path: Path) -> None:
    before = contents(own)
    assert becalm("doctor", own, "--out", own).exit_code == 2
    assert contents(own) == before
    for _ in range(2):
        assert becalm("doctor", own, "--out", tmp_path / "out").exit_code == 0
    assert becalm("hospital", own, "--persons", 41).exit_code == 0
    chart = copy_template(tmp_path / "chart", True, "csv")
    before = contents(chart)
    assert becalm("hospital", chart, "--persons", 40).exit_code == 6
    shutil.move(chart, tmp_path / "demo" / "records")
    assert becalm("demo", "--out", tmp_path / "demo", "--persons", 40).exit_code == 6
    assert contents(tmp_path / "demo" / "records") == before


def test_the_notebook_does_not_write_over_the_records(flat: Path, tmp_path: Path) -> None:
    opened = bc.open_records(flat, mapping=str(flat / "mapping.toml"))
    study = bc.run(opened, "hyperinflammation")
    with pytest.raises(UsageError, match="is what is read"):
        study.write(flat)
    with pytest.raises(UsageError, match="is what is read"):
        study.write(tmp_path / "out", release=flat)
    assert contents(flat).keys() == {"persons.csv", "mapping.toml"}
