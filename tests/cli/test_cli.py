"""The command line: what it writes, what it says when something is wrong, and its exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from becalm.cli import main
from becalm.core.staging import sha256
from becalm.protocol.reading import PROTOCOLS
from becalm.records.template import copy_template
from becalm.tables import WRITTEN

COMMANDS = ("cite", "demo", "hospital", "screen", "study", "template")


def becalm(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def one_line(result: Result, code: int) -> str:
    """The command failed with this code and said so in one line."""
    assert result.exit_code == code, result.output
    said = [line for line in result.stderr.splitlines() if line.startswith("becalm: ")]
    wrong = said[-1]
    assert result.stderr.splitlines()[-1] == wrong
    assert "Traceback" not in result.output
    return wrong


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The filled example: five patients in a folder of sheets."""
    return copy_template(tmp_path_factory.mktemp("five") / "records", True, "csv")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    result = becalm("demo", "--out", out, "--persons", "40")
    assert result.exit_code == 0, result.output
    assert "Illustrative: every patient is invented" in result.output
    assert "not a medical device" in result.output
    return out


def test_records_inside_the_results_stay(demo: Path) -> None:
    """`demo` has them there; with its tables as records, the study is not replaced."""
    files = {path: path.read_bytes() for path in demo.rglob("*") if path.is_file()}
    said = one_line(becalm("study", demo / "tables", "--out", demo), 6)
    assert "is read, and would be written over" in said
    sheet = demo / "records" / "labs.csv"
    sheet.write_text("mine")
    said = one_line(becalm("demo", "--out", demo, "--persons", "40"), 6)
    assert f"{sheet}: was changed since becalm wrote it" in said
    sheet.write_bytes(files[sheet])
    assert {path: path.read_bytes() for path in demo.rglob("*") if path.is_file()} == files


def test_help_names_every_command() -> None:
    result = becalm("--help")
    assert result.exit_code == 0
    assert all(f"  {name} " in result.output for name in COMMANDS)
    assert "not a medical device" in result.output


def test_the_demo_writes_a_report_tables_figures_and_last_a_manifest(demo: Path) -> None:
    manifest = json.loads((demo / "manifest.json").read_text())
    listed = {file["name"]: file for file in manifest["files"]}
    assert manifest["illustrative"] is True
    assert "report.html" in listed
    assert {"tables/persons.csv", "tables/persons.parquet", "tables/outcome.csv"} <= set(listed)
    assert any(name.startswith("figures/") and name.endswith(".svg") for name in listed)
    assert any(name.startswith("figures/") and name.endswith(".png") for name in listed)
    for name, file in listed.items():
        assert sha256(demo / name) == file["sha256"], name


def test_the_dictionary_names_every_column_that_was_written_and_no_other(demo: Path) -> None:
    """Each file of `tables/` has the columns of its lines in dictionary.csv, in their order."""
    with (demo / "tables" / "dictionary.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    described: dict[str, list[str]] = {}
    for line in lines:
        described.setdefault(line["table"], []).append(line["column"])
    written = {}
    for path in (demo / "tables").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            written[path.stem] = next(csv.reader(file))
    assert written == described
    assert all(line["unit"] for line in lines if line["kind"] in {"number", "count"})


def test_a_second_run_gives_the_same_bytes_in_every_table(demo: Path, tmp_path: Path) -> None:
    again = becalm("demo", "--out", tmp_path, "--persons", "40")
    assert again.exit_code == 0, again.output
    tables = sorted((demo / "tables").iterdir())
    assert len(tables) == 2 * len(WRITTEN)
    for table in tables:
        assert table.read_bytes() == (tmp_path / "tables" / table.name).read_bytes(), table.name


def test_a_release_is_a_second_folder_without_patients(demo: Path, tmp_path: Path) -> None:
    public = tmp_path / "public"
    result = becalm("study", demo / "records", "--out", tmp_path / "own", "--release", public)
    assert result.exit_code == 0, result.output
    for file in public.rglob("*"):
        if file.is_file():
            assert b"ILL-" not in file.read_bytes(), file


def test_a_release_into_the_internal_folder_is_refused(five: Path, tmp_path: Path) -> None:
    said = one_line(becalm("study", five, "--out", tmp_path, "--release", tmp_path), 2)
    assert "two folders" in said


def test_other_files_in_the_output_folder_stay(five: Path, tmp_path: Path) -> None:
    """Files of somebody else in becalm's own folder; a folder of somebody else is not written into."""
    out = tmp_path / "out"
    assert becalm("doctor", five, "--out", out).exit_code == 0
    (out / "notes.txt").write_text("mine")
    assert becalm("doctor", five, "--out", out).exit_code == 0
    assert (out / "notes.txt").read_text() == "mine"
    (out / "manifest.json").unlink()
    assert "becalm did not write it" in one_line(becalm("doctor", five, "--out", out), 6)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_screen_writes_peaks_of_everybody_in_the_form_its_name_asks_for(
    five: Path, tmp_path: Path, form: str
) -> None:
    out = tmp_path / f"peaks.{form}"
    result = becalm("screen", five, "--out", out, "--criteria", "hscore, mas2016")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        out.name,
        f"{out.name}.manifest.json",
    ]
    if form == "csv":
        lines = out.read_text().splitlines()
        assert len(lines) == 1 + 5 * 2
        assert all(",peak_ever," in line for line in lines[1:])


def test_screen_refuses_a_name_that_says_no_form(five: Path, tmp_path: Path) -> None:
    said = one_line(becalm("screen", five, "--out", tmp_path / "peaks.xlsx"), 2)
    assert ".parquet" in said


def test_screen_refuses_an_unknown_definition(five: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    said = one_line(becalm("screen", five, "--criteria", "hscor", "--out", out), 5)
    assert "hscore" in said
    assert not out.exists()


def test_cite_prints_bibtex_of_what_a_run_used(demo: Path) -> None:
    result = becalm("cite", demo)
    assert result.exit_code == 0
    assert "10.1002/art.38690" in result.output
    assert "mimic" not in result.output.lower()


def test_cite_without_results_prints_everything() -> None:
    result = becalm("cite")
    assert result.exit_code == 0
    assert result.output.count("@") > 10


def test_cite_of_a_folder_that_is_no_result(tmp_path: Path) -> None:
    assert "manifest" in one_line(becalm("cite", tmp_path), 3)


def test_template_copies_a_workbook(tmp_path: Path) -> None:
    result = becalm("template", tmp_path / "mine.xlsx")
    assert result.exit_code == 0
    assert (tmp_path / "mine.xlsx").is_file()


def test_records_that_are_not_there(tmp_path: Path) -> None:
    said = one_line(becalm("study", tmp_path / "nothing", "--out", tmp_path / "out"), 3)
    assert "nothing" in said


def test_records_of_no_known_kind(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    assert one_line(becalm("study", tmp_path / "records", "--out", tmp_path / "out"), 4)


def test_nothing_is_left_behind_by_a_failure(five: Path, tmp_path: Path) -> None:
    records = copy_template(tmp_path / "records", True, "csv")
    persons = records / "persons.csv"
    header, first, *others = persons.read_text().splitlines()
    persons.write_text("\n".join([header, first, first, *others]))
    said = one_line(becalm("study", records, "--out", tmp_path / "out"), 4)
    assert "persons.csv, row 3" in said
    assert not list(tmp_path.glob("out/*"))


def test_a_sheet_that_the_protocol_needs(tmp_path: Path) -> None:
    records = copy_template(tmp_path / "records", True, "csv")
    (records / "doses.csv").unlink()
    said = one_line(becalm("study", records, "--out", tmp_path / "out"), 4)
    assert "doses" in said


def test_an_unknown_protocol(five: Path, tmp_path: Path) -> None:
    said = one_line(becalm("study", five, "--protocol", "anakinra", "--out", tmp_path), 5)
    assert "anakinra_mas" in said


def test_an_unknown_protocol_key_is_shown_with_its_row(five: Path, tmp_path: Path) -> None:
    text = (PROTOCOLS / "anakinra_mas.toml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(text.replace("min_age", "min_agee", 1), encoding="utf-8")
    said = one_line(becalm("study", five, "--protocol", mine, "--out", tmp_path / "out"), 5)
    row = 1 + text[: text.index("min_age")].count("\n")
    assert f"mine.toml, row {row}" in said
    assert "'min_age'" in said


def test_an_output_folder_that_is_a_file(five: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    assert "--out" in one_line(becalm("study", five, "--out", tmp_path / "out"), 6)
    assert (tmp_path / "out").read_text() == "a file"


def test_a_command_that_does_not_exist() -> None:
    assert becalm("studdy").exit_code == 2


def test_a_mistake_of_ours_is_70_and_debug_shows_where(
    five: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no")

    monkeypatch.setattr("becalm.study.run.run", broken)
    result = becalm("study", five, "--out", tmp_path)
    assert result.exit_code == 70
    assert "--debug" in result.stderr
    again = becalm("--debug", "study", five, "--out", tmp_path)
    assert isinstance(again.exception, ZeroDivisionError)


def test_debug_shows_where_a_users_mistake_was_noticed(tmp_path: Path) -> None:
    result = becalm("--debug", "study", tmp_path / "nothing", "--out", tmp_path)
    assert result.exception is not None
    assert type(result.exception).__name__ == "UnreadableFileError"


def test_a_study_that_nobody_enters_says_why(tmp_path: Path) -> None:
    """The two largest losses, the others counted: three lines, the last ones."""
    records = tmp_path / "records"
    records.mkdir()
    kinds = [*[f"{i},F,40" for i in range(5)], *[f"{i},F," for i in range(5, 8)], "8,F,9"]
    (records / "persons.csv").write_text("\n".join(["person_id,sex,age", *kinds]))
    (records / "labs.csv").write_text(
        "person_id,time,name,value,unit\n0,2020-03-04T08:00,ferritin,20,ng/mL\n"
    )
    result = becalm("study", records, "--protocol", "hyperinflammation", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-3:] == [
        "Nobody entered the study, of 9 in the records. Why:",
        "  4 left: ferritin not measured",
        "  3 left: age not recorded; 2 at other steps (table attrition)",
    ]


def test_a_study_with_a_cohort_does_not(five: Path, tmp_path: Path) -> None:
    result = becalm("study", five, "--out", tmp_path / "out")
    assert "Nobody entered" not in result.stdout
