"""The worked example of docs/mapping.md does what the page says."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from becalm import vocabulary
from becalm.cli import main
from becalm.core.frame import Frame
from becalm.definitions import doubted, load
from becalm.events import harmonise
from becalm.records import Doubt, open_records
from becalm.records.mapped.cell_reading import CELL, IN_COLUMNS
from becalm.records.mapped.model import SPREAD
from becalm.records.mapped.reading import _TABLE, _TOP, parse
from becalm.records.sheets.schema import SHEETS

PAGE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(csv|toml) (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert [name for _, name, _ in BLOCKS] == ["patients.csv", "results.csv", "mapping.toml"]
    for _, name, text in BLOCKS:
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_worked_example_is_read_as_the_page_says(folder: Path) -> None:
    """Eleven results, one refused; a bound; one finding; both with COVID-19, one of them dead."""
    source = open_records(str(folder), mapping=str(folder / "mapping.toml"))
    (chunk,) = source.chunks()
    assert len(chunk.measurements) == 11
    events = harmonise(chunk, vocabulary.load())
    (refused,) = events.refused
    assert f"`{refused.example}`" in PAGE
    ferritin = events.frame["variable"] == vocabulary.load().code("ferritin")
    assert (50000.0, np.inf) in list(
        zip(events.frame["low"][ferritin], events.frame["high"][ferritin], strict=True)
    )
    assert chunk.findings["person"].tolist() == [0]
    assert chunk.findings["present"].tolist() == ["no"]
    assert chunk.persons["sex"].tolist() == ["M", "F"]
    assert (chunk.persons["death_time"] > 0).tolist() == [False, True]
    assert len(chunk.conditions) == 2
    assert source.notices[0] == "Records of the worked example: invented."


def test_the_commands_of_the_page_run_on_it(folder: Path) -> None:
    out = folder / "out"
    words = ["--mapping", str(folder / "mapping.toml")]
    for command in (
        ["doctor", str(folder), *words],
        ["study", str(folder), *words, "--protocol", "covid_hyperinflammation", "--out", str(out)],
        ["screen", str(folder), *words, "--out", str(out / "peaks.csv")],
    ):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 0, done.output
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "CRP from column &#39;CRP&#39;, read in mg/L" in report
    assert "Records of the worked example: invented." in report


def marks(file: Path) -> dict[str, set[str]]:
    """Return whether the totals of each definition are called verified."""
    found: dict[str, set[str]] = {}
    with file.open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            found.setdefault(row["criterion"], set()).add(row["verified"])
    return found


@pytest.mark.parametrize(("flag", "cov_hi"), [("false", "false"), ("true", "true")])
def test_a_mark_follows_the_totals_that_rest_on_it(folder: Path, flag: str, cov_hi: str) -> None:
    """COV-HI reads the CRP whose unit was inferred and is marked; the HScore does not read it and is not."""
    mapping = folder / "mapping.toml"
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(text.replace("verified = false", f"verified = {flag}"), encoding="utf-8")
    out = folder / "peaks.csv"
    words = ["--mapping", str(mapping), "--criteria", "cov_hi,hscore", "--out", str(out)]
    done = CliRunner().invoke(main, ["screen", str(folder), *words])
    assert done.exit_code == 0, done.output
    assert marks(out) == {"cov_hi": {cov_hi}, "hscore": {"true"}}


def test_what_is_worked_out_from_several_rows_could_rest_on_any_of_them() -> None:
    """A multiple of the record's own limit is marked whichever variable is in doubt; nothing is where nothing is."""
    sure = Frame({"verified": np.ones(2, np.bool_)})
    for name, doubts, kept in (
        ("hbd_dic", (Doubt("ferritin's unit", "ferritin"),), False),
        ("hbd_dic", (Doubt("who is a woman"),), True),
        ("hbd_dic", (), True),
        ("hscore", (Doubt("CRP's unit", "crp"),), True),
        ("hscore", (Doubt("ferritin's unit", "ferritin"),), False),
    ):
        assert set(doubted(sure, load(name), doubts)["verified"].tolist()) == {kept}, (name, doubts)


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def rows(title: str) -> list[list[str]]:
    """Return the rows of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def keys(text: str) -> list[str]:
    return re.findall(r"`([a-z_]+)`", text)


def test_the_page_lists_exactly_the_keys_that_are_read() -> None:
    """The keys of the file, of a table, of a cell, and of a cell in `columns`: all of them, and no other."""
    top, study, table, persons, others = rows("What a mapping consists of")
    blocks = re.findall(r"\[+([a-z]+)\]", persons[0] + others[0])
    assert blocks == list(SHEETS)
    assert study[0] == "`[study]`"
    assert {*keys(top[1]), "study", "tables", *blocks} == set(_TOP)
    assert sorted(keys(table[1])) == sorted(_TABLE)
    assert keys(persons[1]) == ["table", "where"]
    assert keys(others[1]) == ["columns"]
    cells = [key for row in rows("Where a cell comes from") for key in keys(row[0])]
    assert sorted(cells) == sorted(CELL)
    (about,) = re.findall(
        r"there a text is what the\nmapping says itself, and (.*?) are about its cells", PAGE, re.S
    )
    assert sorted(keys(about)) == sorted(IN_COLUMNS)
    assert set(SPREAD.values()) - {"value"} <= set(keys(section("Long and wide")))


FRAGMENTS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
REST = {
    "labs": ("person_id", "time", "name", "value", "unit"),
    "doses": ("person_id", "drug", "start", "amount", "amount_unit"),
    "conditions": ("person_id",),
}


@pytest.mark.parametrize("number", range(6))
def test_the_fragments_of_the_page_are_good(number: int) -> None:
    """Each fragment, with the columns that it leaves out, put into a mapping that has everything else."""
    assert len(FRAGMENTS) == 6
    text = ""
    persons, _, _ = FRAGMENTS[number].partition("[[")
    for block in re.split(r"^(?=\[\[)", FRAGMENTS[number], flags=re.MULTILINE)[1:]:
        sheet = block[2 : block.index("]")]
        own, columns, spread = block.partition(f"[{sheet}.columns]")
        if not spread:
            own += "".join(f'{n} = "{n}"\n' for n in REST[sheet] if f"\n{n} =" not in own)
        own += "" if "\ntable =" in own else 'table = "results"\n'
        text += own + columns + spread
    head = "".join(
        f'[tables.{name}]\nfile = "{name}.csv"\nperson_id = "id"\n'
        for name in ("results", "stays", "death", "concept")
    )
    persons = f'[persons]\ntable = "stays"\n{persons.removeprefix("[persons]")}'
    assert parse(f"{head}{persons}\n{text}", "page").parts
