"""The page about REDCap does what it says, and so do the commands and the template as a project."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from becalm.cli import main
from becalm.records import open_records, redcap
from becalm.records.redcap.dictionary import read_dictionary
from becalm.records.redcap.fates import FATES
from becalm.records.redcap.header import possible
from becalm.records.sheets.schema import SHEETS
from tests.sources.test_redcap import records_of, told

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "redcap.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "src/becalm/records/sheets/template/becalm-example"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The worked example of the page, with its draft."""
    blocks = re.findall(r"^```csv (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in blocks] == ["dictionary.csv", "data.csv"]
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in blocks:
        (folder / name).write_text(text, encoding="utf-8")
    done = run(
        "redcap",
        "draft",
        folder / "data.csv",
        folder / "dictionary.csv",
        "--out",
        folder / "mapping.toml",
    )
    assert done.exit_code == 0, done.output
    return folder


def test_the_worked_example_is_drafted_as_the_page_says(project: Path) -> None:
    """Sex, birth, a disease, two ferritins, two spleens; -99 is missing; the platelets wait for their unit."""
    text = (project / "mapping.toml").read_text(encoding="utf-8")
    assert 'missing = { "-99" = "" }' in text
    assert '#     plt: "Platelets" (labs.value (platelets) lacks the unit' in text
    chunk = records_of(project, project / "mapping.toml")
    assert chunk.persons["sex"].tolist() == ["F", "M"]
    assert chunk.conditions["name"].tolist() == ["systemic lupus erythematosus"]
    assert chunk.measurements["value"].tolist() == [9100, 850]
    assert chunk.findings["present"].tolist() == ["yes", "unknown", "no"]
    (line,) = re.findall(r"^```toml\n(plt = .*?)\n```", PAGE, re.MULTILINE)
    (project / "mapping.toml").write_text(
        text.replace("[labs.columns]", f"[labs.columns]\n{line}"), encoding="utf-8"
    )
    assert len(records_of(project, project / "mapping.toml").measurements) == 5


def test_the_commands_of_the_page_run_on_it(project: Path, tmp_path: Path) -> None:
    """The fates are listed, doctor and study read the project, and the report has the counts among its notices."""
    words = ("--mapping", project / "mapping.toml")
    done = run("redcap", "fates", project, *words, "--out", tmp_path / "fates")
    assert done.exit_code == 0, done.output
    assert "6 rows and 14 columns, 84 cells" in done.output
    assert "3  plt (bloods): Platelets" in done.output
    with (tmp_path / "fates" / "fields.csv").open(encoding="utf-8") as file:
        fields = {row["column"]: row for row in csv.DictReader(file)}
    assert fields["fer"]["fills"] == "labs.value"
    assert sum(int(row[fate]) for row in fields.values() for fate in FATES) == 84
    assert (tmp_path / "fates" / "not_understood.csv").read_text() == "row,column,text,why,used\n"
    done = run("doctor", project, *words)
    assert done.exit_code == 0, done.output
    assert "84 cells" in " ".join(done.output.split())
    done = run(
        "study", project, *words, "--protocol", "hyperinflammation", "--out", tmp_path / "out"
    )
    assert done.exit_code == 0, done.output
    assert "84 cells" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_draft_is_never_written_over(project: Path) -> None:
    """A draft that somebody has corrected stays; the two files must be in one folder."""
    files = (project / "data.csv", project / "dictionary.csv")
    done = run("redcap", "draft", *files, "--out", project / "mapping.toml")
    assert done.exit_code == 6
    (project / "other").mkdir()
    moved = files[1].rename(project / "other" / "dictionary.csv")
    done = run("redcap", "draft", files[0], moved, "--out", project / "new.toml")
    assert done.exit_code == 2
    assert done.output.splitlines()[-1].startswith("becalm: the export and its dictionary")


def test_a_dictionary_that_does_not_fit_is_one_line(project: Path) -> None:
    """Exit code 4, where it stands, how to mend it, and nothing is written."""
    data = project / "data.csv"
    data.write_text(data.read_text().replace("fer,plt", "fer,plts"))
    out = project / "fates"
    done = run("redcap", "fates", project, "--mapping", project / "mapping.toml", "--out", out)
    assert done.exit_code == 4
    (line,) = done.output.splitlines()
    assert line.startswith(
        "becalm: data.csv, row 1, column 12: dictionary.csv has no field for the column 'plts'"
    )
    assert not out.exists()


def test_the_page_lists_every_fate_and_every_key() -> None:
    """The tables of the page are those of the program."""
    from becalm.records.mapped.redcap_block import _KEYS

    section = PAGE.split("\n## The fate of each cell\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| ([^|`]+?) \|", section, re.MULTILINE) == ["fate", *FATES]
    section = PAGE.split("\n## What `[redcap]` says\n")[1].split("\n**")[0]
    named = [
        key
        for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
        for key in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(named) == sorted(_KEYS)


def test_the_template_as_a_project_reads_back_as_its_sheets(tmp_path: Path) -> None:
    """The filled example, entered into a project made from our dictionary and exported, gives the same records."""
    folder = tmp_path / "project"
    done = run("redcap", "template", folder)
    assert done.exit_code == 0, done.output
    assert "verified = false" not in (folder / "becalm_mapping.toml").read_text()
    enter(folder)
    chunk = records_of(folder, folder / "becalm_mapping.toml")
    assert told(chunk) == told(records_of(EXAMPLE))
    found = redcap.fates_of(folder, str(folder / "becalm_mapping.toml"))
    assert found.counts()["not used by the mapping"] == 0
    assert found.unexplained == ()
    assert run("redcap", "template", folder).exit_code == 6


def enter(folder: Path) -> None:
    """Write the filled example as the raw export of a project: persons once, each other sheet repeating."""
    dictionary = read_dictionary(folder / "becalm_dictionary.csv")
    codes = {
        f"{one.name}": {choice.label: choice.code for choice in one.choices}
        for one in dictionary.fields
    }
    names = [column.name for column in possible(dictionary, {}) if "survey" not in column.role]
    rows = []
    for sheet in SHEETS:
        seen: dict[str, int] = {}
        with (EXAMPLE / f"{sheet}.csv").open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                who = line.pop("person_id")
                seen[who] = seen.get(who, 0) + 1
                cells = {f"{sheet}_{name}": text for name, text in line.items()}
                cells = {
                    name: codes[name].get(text, text)
                    for name, text in cells.items()
                    if name in codes
                }
                own = {"person_id": who, f"{sheet}_complete": "2"}
                if sheet != "persons":
                    own |= {
                        "redcap_repeat_instrument": sheet,
                        "redcap_repeat_instance": str(seen[who]),
                    }
                rows.append([{**cells, **own}.get(name, "") for name in names])
    with (folder / "export.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])


def test_the_dictionary_of_the_template_is_one_that_redcap_takes(tmp_path: Path) -> None:
    """Names of lower-case letters, each once; the record id first; choices with a code; one form after the other."""
    redcap.write_project(tmp_path / "project")
    with (tmp_path / "project" / "becalm_dictionary.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows[0]) == 18
    names = [row["Variable / Field Name"] for row in rows]
    assert names[0] == "person_id"
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) and "__" not in name for name in names)
    forms = [row["Form Name"] for row in rows]
    assert list(dict.fromkeys(forms)) == list(SHEETS)
    assert forms == sorted(forms, key=list(SHEETS).index)
    assert len(rows) == 1 + sum(len(schema.columns) - 1 for schema in SHEETS.values())
    for row in rows:
        choices = row["Choices, Calculations, OR Slider Labels"]
        assert (row["Field Type"] == "dropdown") == bool(choices)
        assert all(re.fullmatch(r"\d+, .+", each.strip()) for each in choices.split("|") if choices)
        assert row["Text Validation Type OR Show Slider Number"] in {"", "date_ymd", "number"}
        assert row["Field Type"] in {"text", "dropdown"}


def test_a_study_of_a_project_is_a_source_of_its_own(project: Path) -> None:
    """The source says what it is, and lists all files that it read."""
    source = open_records(str(project / "data.csv"), mapping=str(project / "mapping.toml"))
    assert source.name == "redcap"
    assert sorted(each.name for each in source.inputs()) == [
        "data.csv",
        "dictionary.csv",
        "mapping.toml",
    ]
    assert any("verified" in each for each in source.notices)
