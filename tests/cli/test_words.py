"""`--words`: names that becalm does not know are written to be filled in, and read again."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from becalm.cli import main
from becalm.core.staging import sha256
from tests.records import condition, dose, infusion, lab, sheets, stay

ROWS = (
    stay(0, 500), lab("ferritin", 20000, 90), infusion(100, 200), condition("HLH", 95),
    dose("Anakira", 60, amount="20 mg"), dose("Zaubermittel", 60, amount="20 mg"),
)  # fmt: skip


def becalm(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_from_the_doctor_to_a_study(tmp_path: Path) -> None:
    records = sheets(tmp_path / "records", *ROWS)
    words = tmp_path / "words.toml"
    done = becalm("doctor", records, "--words", words)
    assert done.exit_code == 0, done.output
    assert "Zaubermittel" in done.output
    assert "2 names to fill in" in done.output
    text = words.read_text(encoding="utf-8")
    assert '# "Anakira"      = "anakinra"' in text

    words.write_text('[drug]\n"Anakira" = "anakinra"\n', encoding="utf-8")
    again = becalm("doctor", records, "--words", words)
    assert "words.toml.new: 1 names to fill in" in again.output
    assert words.read_text(encoding="utf-8") == '[drug]\n"Anakira" = "anakinra"\n'
    new = tmp_path / "words.toml.new"
    kept = new.read_text(encoding="utf-8")
    assert "Zaubermittel" in kept
    assert "Anakira" not in kept
    assert "left as it is" in becalm("doctor", records, "--words", words).output
    assert new.read_text(encoding="utf-8") == kept

    words.write_text(
        '[drug]\n"Anakira" = "anakinra"\n"Zaubermittel" = "not needed"\n', encoding="utf-8"
    )
    assert "nothing to add" in becalm("doctor", records, "--words", words).output
    out = tmp_path / "out"
    study = becalm("study", records, "--words", words, "--out", out)
    assert study.exit_code == 0, study.output
    assert json.loads((out / "manifest.json").read_text())["words"]["sha256"] == sha256(words)
    assert (out / "tables" / "not_understood.csv").read_text().count("\n") == 1


def test_a_wrong_file_of_words_is_told_before_any_record_is_read(tmp_path: Path) -> None:
    words = tmp_path / "words.toml"
    words.write_text('[drug]\n"x" = "dexametasone"\n', encoding="utf-8")
    for command in ("study", "screen", "doctor"):
        done = becalm(command, tmp_path / "nowhere", "--words", words)
        assert done.exit_code in (3, 5), done.output
    done = becalm(
        "study", sheets(tmp_path / "records", *ROWS), "--words", words, "--out", tmp_path / "out"
    )
    assert done.exit_code == 5
    assert (
        "words.toml, row 2: no drug is called 'dexametasone'. Did you mean 'dexamethasone'?"
        in done.output
    )
    assert not (tmp_path / "out").exists()


def test_a_file_of_words_that_is_not_there(tmp_path: Path) -> None:
    records = sheets(tmp_path / "records", *ROWS)
    done = becalm("study", records, "--words", tmp_path / "nowhere.toml", "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert "nowhere.toml: does not exist. becalm doctor RECORDS --words" in done.output
    assert "becalm doctor RECORDS --words nowhere.toml writes one" in done.output
    words = tmp_path / "latin.toml"
    words.write_bytes(b'[drug]\n"k\xf6rper" = "anakinra"\n')
    done = becalm("study", records, "--words", words, "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert "latin.toml, row 2: byte 0xf6 is not UTF-8. Save it as UTF-8" in done.output
