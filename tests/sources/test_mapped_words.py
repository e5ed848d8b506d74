"""A mapping names a file of words; words given to the command stand above it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import becalm as bc
from becalm import vocabulary
from becalm.cli import main
from becalm.core.errors import BecalmError, DefinitionError
from becalm.records import open_records
from becalm.vocabulary import site_words

MAPPING = """
words_file = "words.toml"
[tables.t]
file = "t.csv"
person_id = "who"
[persons]
sex = "sex"
birth_date = { always = "1960-01-01" }
[[labs]]
time = "when"
name = "test"
value = "result"
unit = { always = "ng/mL" }
[[doses]]
drug = "drug"
start = "when"
amount = "mg"
amount_unit = { always = "mg" }
"""
TABLE = (
    "who,sex,when,test,result,drug,mg\n"
    "A,F,2020-02-01T08:00,FERR-X,20000,kin,100\n"
    "A,F,2020-02-02T08:00,FERR-X,30000,dx,20\n"
)
WORDS = '[test]\n"FERR-X" = "ferritin"\n[drug]\n"kin" = "anakinra"\n"dx" = "dexamethasone"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("m.toml", MAPPING), ("t.csv", TABLE), ("words.toml", WORDS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, command: str, *more: str) -> str:
    asked = [command, str(folder), "--mapping", str(folder / "m.toml"), *more]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    return done.output


def studied(folder: Path, *more: str) -> tuple[dict[str, Any], set[str]]:
    """Return the manifest, and the names that were not understood."""
    out = folder.parent / f"{folder.name}-out"
    run(folder, "study", "--protocol", "hyperinflammation", "--out", str(out), *more)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    with (out / "tables" / "not_understood.csv").open(encoding="utf-8", newline="") as file:
        return manifest, {row["written"] for row in csv.DictReader(file)}


def test_a_study_uses_the_words_of_the_mapping(folder: Path) -> None:
    """The test is a ferritin, the drugs are known, and the manifest names both files."""
    manifest, unknown = studied(folder)
    assert unknown == set()
    assert [each["name"] for each in manifest["inputs"]] == ["t.csv", "m.toml", "words.toml"]
    assert manifest["words"]["name"] == "words.toml"
    assert manifest["words"]["statements"] == 3
    (folder / "m.toml").write_text(
        MAPPING.replace('words_file = "words.toml"', ""), encoding="utf-8"
    )
    manifest, unknown = studied(folder)
    assert unknown == {"FERR-X", "kin", "dx"}
    assert manifest["words"] is None


def test_words_of_the_command_stand_above_those_of_the_mapping(folder: Path) -> None:
    """A statement of the command replaces the mapping's about the same label; the mapping's others hold."""
    above = folder / "above.toml"
    above.write_text('[drug]\n"DX" = "methylprednisolone"\n', encoding="utf-8")
    manifest, unknown = studied(folder, "--words", str(above))
    assert unknown == set()
    joined = site_words.joined(
        site_words.read(above, vocabulary.load()),
        open_records(str(folder), mapping=str(folder / "m.toml")).site,
    )
    assert joined is not None
    known = joined.applied(vocabulary.load())
    found = [known.drug_of(label) for label in ("dx", "kin")]
    assert [drug and drug.name for drug in found] == ["methylprednisolone", "anakinra"]
    assert manifest["words"]["name"] == "above.toml"
    assert manifest["words"]["statements"] == 3


def test_every_command_and_the_notebook_use_them(folder: Path) -> None:
    peaks = folder / "peaks.csv"
    run(folder, "screen", "--criteria", "hscore", "--out", str(peaks))
    with_words = peaks.read_text(encoding="utf-8")
    assert "FERR-X" not in run(folder, "doctor")
    opened = bc.open_records(folder, mapping=str(folder / "m.toml"))
    assert bc.understand(opened).values("ferritin").hold("72h").at("A", "2020-02-02T09:00")
    (folder / "words.toml").write_text("", encoding="utf-8")
    run(folder, "screen", "--criteria", "hscore", "--out", str(peaks))
    assert peaks.read_text(encoding="utf-8") != with_words
    assert "FERR-X" in run(folder, "doctor")


def test_mistakes_of_the_words_and_of_the_mapping_are_told_together(folder: Path) -> None:
    (folder / "words.toml").write_text(WORDS.replace("anakinra", "anakinrra"), encoding="utf-8")
    (folder / "m.toml").write_text(MAPPING.replace("sex =", "sx ="), encoding="utf-8")
    with pytest.raises(BecalmError) as caught:
        open_records(str(folder), mapping=str(folder / "m.toml"))
    assert isinstance(caught.value, DefinitionError)
    assert [line.split(":")[0] for line in caught.value.line().splitlines()] == [
        "m.toml, row 7, persons.sx",
        "words.toml, row 4",
    ]


def test_joined_statements(folder: Path) -> None:
    below = site_words.read(folder / "words.toml", vocabulary.load())
    above = site_words.read(folder / "words.toml", vocabulary.load())
    assert site_words.joined(None, None) is None
    assert site_words.joined(above, None) is above
    assert site_words.joined(None, below) is below
    assert site_words.joined(above, below) == above
