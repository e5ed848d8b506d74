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


CASE = Path(__file__).parents[3] / "shared" / "cases" / "overwrite-mapping-example"


@pytest.mark.skipif(not CASE.is_dir(), reason="shared/cases is not here")
@pytest.mark.parametrize("option", ["--out", "--release"])
def test_the_case_of_the_worked_example(tmp_path: Path, option: str) -> None:
    """`--release` with the records' own folder once replaced the records, with exit code 0."""
    folder = tmp_path / "records"
    shutil.copytree(CASE, folder)
    before = contents(folder)
    places = {"--out": tmp_path / "out", "--release": tmp_path / "release", option: folder}
    options = [each for pair in places.items() for each in pair]
    done = becalm("study", folder, "--mapping", folder / "mapping.toml", *options)
    assert done.exit_code == 2, done.output
    assert contents(folder) == before


@pytest.fixture
def desk(tmp_path: Path, flat: Path) -> Path:
    """A folder with records, with files of the user and with links to them."""
    user = tmp_path / "user"
    user.mkdir()
    (user / "notes.txt").write_text("mine")
    (user / "table.csv").write_text("person_id\n1\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "to_records").symlink_to(flat)
    (tmp_path / "to_user").symlink_to(user)
    (tmp_path / "to_table.csv").symlink_to(user / "table.csv")
    (tmp_path / "to_nothing").symlink_to("nowhere")
    (tmp_path / "to_nothing.csv").symlink_to("nowhere.csv")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "same.csv").hardlink_to(flat / "persons.csv")
    copy_template(tmp_path / "five.xlsx", True, "xlsx")
    copy_template(tmp_path / "sheets", True, "csv")
    return tmp_path


STUDY = "study flat --mapping flat/mapping.toml --protocol hyperinflammation"
DOCTOR, SCREEN = (f"{name} flat --mapping flat/mapping.toml" for name in ("doctor", "screen"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (f"{STUDY} --out to_records", 2, "is what is read"),
        (f"{STUDY} --out to_user", 6, "to_user/notes.txt: is there already"),
        (f"{STUDY} --out .", 6, "becalm did not write it"),
        (f"{STUDY} --out five.xlsx", 6, "five.xlsx: cannot be written"),
        (f"{STUDY} --out five.xlsx/x", 6, "cannot be written"),
        (f"{STUDY} --out to_nothing", 6, "cannot be written"),
        (f"{STUDY} --out circle", 6, "lead in a circle"),
        (f"{STUDY} --out out --release out", 2, "both"),
        (f"{STUDY} --out empty --release ./user/../empty", 2, "both"),
        (f"{STUDY} --out out --release out/public", 2, "out/public, is inside out"),
        (f"{STUDY} --out public/out --release public", 2, "public, is around public/out"),
        (f"{STUDY} --out out --release flat/public", 2, "is inside flat"),
        (f"{STUDY} --out out --release to_records/public", 2, "is inside flat"),
        (f"{STUDY} --out out --release to_user", 6, "to_user/notes.txt: is there already"),
        (f"{STUDY} --out out --release to_nothing", 6, "cannot be written"),
        ("study five.xlsx --out out --release .", 2, "is around"),
        (f"{DOCTOR} --out user", 6, "user/notes.txt: is there already"),
        (f"{DOCTOR} --out flat/../to_records", 2, "is what is read"),
        ("doctor five.xlsx --words study.toml", 6, "would be read as a part of the records"),
        ("doctor sheets --words sheets/labs.txt", 6, "would be read as a part of the records"),
        ("doctor sheets --words sheets/study.toml", 5, "unknown table"),
        (f"{SCREEN} --out user/table.csv", 6, "user/table.csv: is there already"),
        (f"{SCREEN} --out to_table.csv", 6, "to_table.csv: is there already"),
        (f"{SCREEN} --out to_nothing.csv", 6, "to_nothing.csv: is there already"),
        (f"{SCREEN} --out folder.csv", 6, "folder.csv: is a folder"),
        (f"{SCREEN} --out same.csv", 6, "same.csv: is read"),
        (f"{SCREEN} --out to_records/persons.csv", 6, "persons.csv: is read"),
        (f"{SCREEN} --words user/table.csv --out to_table.csv", 6, "to_table.csv: is read"),
        ("screen sheets --out sheets/labs.csv", 6, "labs.csv: is read"),
        ("screen sheets --out sheets/labs.parquet", 6, "would be read as a part of the records"),
        ("screen sheets --out sheets/procedure.csv", 6, "would be read as a part of the records"),
        ("hospital user --persons 20", 6, "user/notes.txt: is there already"),
        ("hospital sheets --persons 20", 6, "sheets/conditions.csv: is there already"),
        ("demo --out user --persons 20", 6, "user/notes.txt: is there already"),
        ("template five.xlsx", 6, "five.xlsx: is there already"),
        ("template user --csv", 6, "user/notes.txt: is there already"),
        ("template to_nothing.xlsx", 0, ""),
    ],
)
def test_what_is_the_users_stays_and_the_message_says_why(
    desk: Path, monkeypatch: pytest.MonkeyPatch, words: str, code: int, said: str
) -> None:
    monkeypatch.chdir(desk)
    before = contents(desk)
    done = becalm(*words.split())
    assert done.exit_code == code, done.output
    if code:
        assert said in done.stderr.splitlines()[-1]
        assert contents(desk) == before
        assert not list(desk.rglob(".becalm*"))
    else:
        assert contents(desk).items() > before.items()


def test_the_folders_of_one_command_are_not_those_of_another(
    flat: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study does not replace a hospital, a release or the tables of doctor, nor these a study."""
    monkeypatch.chdir(tmp_path)
    out, study = Path("out"), STUDY.split()
    assert becalm(*study, "--out", out, "--release", "public").exit_code == 0
    assert becalm(*DOCTOR.split(), "--out", "examined").exit_code == 0
    before = contents(tmp_path)
    for place in ("public", "examined", own):
        assert "holds what becalm calls" in becalm(*study, "--out", place).stderr
    assert "holds what becalm calls" in becalm(*study, "--out", "new", "--release", out).stderr
    assert "holds what becalm calls" in becalm(*DOCTOR.split(), "--out", out).stderr
    assert "holds what becalm calls" in becalm("hospital", out, "--persons", 20).stderr
    assert contents(tmp_path) == before


def test_results_inside_the_records_are_not_read_as_records(own: Path) -> None:
    """Nor are they replaced as such; the manifest of the records stays as it was."""
    before = contents(own)
    words = ["doctor", own, "--out", own / "results"]
    assert becalm(*words).exit_code == 0
    first = contents(own)
    assert becalm("screen", own, "--out", own / "peaks.csv").exit_code == 0
    assert becalm(*words).exit_code == 0
    again = contents(own)
    assert {name: again[name] for name in before} == before
    assert {name: again[name] for name in first} == first
