"""Labels of any length: listed whole, told short, and a statement about one is found again."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from becalm import vocabulary
from becalm.cli import main
from becalm.core.errors import SeveralMistakesError
from becalm.vocabulary import site_words

LABEL = "a diagnosis " + "that somebody dictated at length, " * 20 + "and that nobody knows"


def becalm(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "persons.csv").write_text("person_id,age,age_at\nA,40,2020-01-01\n", "utf-8")
    text = f'person_id,name,onset,status\nA,"{LABEL}",2020-01-01,confirmed\n'
    (folder / "conditions.csv").write_text(text, "utf-8")
    return folder


def test_a_statement_about_a_long_label_is_found_again(records: Path, tmp_path: Path) -> None:
    """What `doctor --words` writes holds the whole label, so filling it in settles it."""
    words = tmp_path / "words.toml"
    done = becalm("doctor", records, "--words", words, "--out", tmp_path / "told")
    assert done.exit_code == 0
    assert LABEL not in done.output
    assert "characters] ..." in done.output
    with (tmp_path / "told" / "not_understood.csv").open(encoding="utf-8", newline="") as file:
        assert LABEL in [row["written"] for row in csv.DictReader(file)]
    text = words.read_text("utf-8")
    assert LABEL in text
    [line] = [row for row in text.splitlines() if LABEL in row]
    filled = re.sub(r'=\s*"".*', '= "not needed"', line.lstrip("# "))
    words.write_text(f"[diagnosis]\n{filled}\n", "utf-8")
    again = becalm("doctor", records, "--words", words)
    assert again.exit_code == 0
    assert "nothing to add" in again.output


def test_each_wrong_statement_is_told_with_its_row(tmp_path: Path) -> None:
    """Labels in either quotes or bare, and a table that is not known; thousands of them at once."""
    file = tmp_path / "words.toml"
    many = "".join(f"l{i} = 1\n" for i in range(5_000))
    file.write_text(f"[drug]\n'one' = 1\n\"two words\" = 1\nthree = 1\n{many}[plant]\n", "utf-8")
    with pytest.raises(SeveralMistakesError) as caught:
        site_words.read(file, vocabulary.load())
    lines = [error.line() for error in caught.value.each()]
    assert len(lines) == 5_004
    for label, row in (("one", 2), ("two words", 3), ("three", 4), ("l0", 5), ("l4999", 5_004)):
        assert any(f"words.toml, row {row}: {label!r} needs a text" in line for line in lines)
    assert any("words.toml, row 5005: unknown table 'plant'" in line for line in lines)


@pytest.mark.parametrize("command", ["study", "screen", "doctor"])
def test_records_that_are_a_circle_of_links_are_unreadable(command: str, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    out = () if command == "doctor" else ("--out", tmp_path / "out.csv")
    done = becalm(command, tmp_path / "a", *out)
    assert done.exit_code == 3
    assert "is a link in a circle" in done.output
