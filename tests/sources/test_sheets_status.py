"""Dead or alive in the sheets of persons and stays: what is not understood is counted, and the run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from becalm.cli import main
from becalm.core.errors import RecordsError
from becalm.persons.death import Deaths
from becalm.vocabulary import row_statuses
from tests.records.chart_review import read_sheets, source, write, write_book

CASES = Path(__file__).parents[3] / "shared" / "cases"
CONTACT = "person_id,last_contact,last_contact_status\n"


def test_a_word_that_is_not_understood_is_counted_with_the_list_as_a_hint(tmp_path: Path) -> None:
    """The run goes on; the cell stays as written."""
    folder = write(
        tmp_path,
        persons=CONTACT + "P1,2020-03-04,gestrobed\nP2,2020-03-04,dead?\nP3,2020-03-04,died\n",
    )
    opened = source(folder)
    (refusal,) = opened.refused()
    assert (refusal.source_table, refusal.variable, refusal.rows, refusal.example) == (
        "persons", "last_contact_status", 2, "persons:2 gestrobed",
    )  # fmt: skip
    assert refusal.reason.startswith("not understood: cell not used. Known: died: died, dead, ")
    persons = next(opened.chunks()).persons
    assert persons["last_contact_status"].tolist() == ["gestrobed", "dead?", "died"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("home", "home"), ("Discharged home", "home"), ("nach Hause", "home"), ("verlegt", "transfer"),
        ("died in ICU", "died"), ("expired", "died"), ("exitus", "died"), ("†", "died"),
        ("discharged alive", "alive"), ("unknown", ""), ("D", ""), ("", ""), ("NA", ""),
    ],
)  # fmt: skip
def test_where_a_stay_ended(tmp_path: Path, written: str, read: str) -> None:
    """In the words of the list."""
    opened = source(write(tmp_path, stays=f"person_id,start,to\nP1,2020-03-04,{written}\n"))
    assert next(opened.chunks()).stays["destination"].tolist() == [read]
    assert opened.refused() == ()


@pytest.mark.parametrize("written", ["hospice", "not died", "died?", "alive until May"])
def test_an_end_of_a_stay_that_is_not_understood_is_counted(tmp_path: Path, written: str) -> None:
    """The stay is used; where it ended is unknown, and the word stays as written so that it can be listed."""
    opened = source(write(tmp_path, stays=f"person_id,start,to\nP1,2020-03-04,{written}\n"))
    assert next(opened.chunks()).stays["destination"].tolist() == [written]
    (refusal,) = opened.refused()
    assert (refusal.source_table, refusal.variable, refusal.example) == (
        "stays",
        "to",
        f"stays:2 {written}",
    )


@pytest.mark.parametrize(("written", "died"), [("yes", True), ("TRUE", True), ("ja", True), ("no", False), ("unknown", False), ("", False)])  # fmt: skip
def test_a_death_of_unknown_date_can_be_written(tmp_path: Path, written: str, died: bool) -> None:
    """Died = yes, and no time of death."""
    records = read_sheets(write(tmp_path, persons=f"person_id,died\nP1,{written}\n"))
    assert Deaths.of(records).died.tolist() == [died]


def test_a_tick_in_a_workbook_is_yes(tmp_path: Path) -> None:
    """A cell that holds true or false."""
    book = write_book(
        tmp_path / "a.xlsx", persons=[["person_id", "died"], ["P1", True], ["P2", False]]
    )
    assert read_sheets(book).persons["died"].tolist() == ["yes", "no"]


@pytest.mark.parametrize(
    ("column", "text"),
    [("death_time", "2020-03-04"), ("cause_of_death", "storm"), ("last_contact_status", "expired")],
)
def test_who_did_not_die_has_no_death(tmp_path: Path, column: str, text: str) -> None:
    """Two cells of one row contradict each other: somebody has to decide."""
    with pytest.raises(RecordsError) as caught:
        source(write(tmp_path, persons=f"person_id,died,{column}\nP1,no,{text}\nP2,yes,{text}\n"))
    assert caught.value.line() == (
        f"persons.csv, row 2, column {column}: died is no, but {column} says that the person died. "
        "Correct one of the two"
    )


def test_a_stay_that_ended_in_death_contradicts_died_no(tmp_path: Path) -> None:
    """Across two sheets."""
    with pytest.raises(RecordsError, match=r"stays.csv, row 3, column to: the stay ended in death"):
        source(
            write(
                tmp_path,
                persons="person_id,died\nP1,no\nP2,yes\n",
                stays="person_id,start,to\nP2,2020-03-04,died\nP1,2020-03-04,died\n",
            )
        )


def test_the_case_of_words_for_dead(tmp_path: Path) -> None:
    """One is alive, nine died by that date, three are unknown; nobody is alive by default."""
    if not (CASES / "words-status").is_dir():
        pytest.skip("shared/cases is absent")
    import csv

    from click.testing import CliRunner

    out = tmp_path / "out"
    done = CliRunner().invoke(
        main,
        [
            "study",
            str(CASES / "words-status"),
            "--protocol",
            "hyperinflammation",
            "--out",
            str(out),
        ],
    )
    assert done.exit_code == 0, done.output
    with (out / "tables" / "outcome.csv").open(encoding="utf-8", newline="") as file:
        rows = {
            row["person_id"]: (row["died"], row["death_time_is"]) for row in csv.DictReader(file)
        }
    assert rows == {
        "P00": ("false", ""),
        **{f"P{i:02}": ("true", "at latest") for i in range(1, 10)},
        **{f"P{i}": ("", "") for i in range(10, 13)},
    }


@pytest.mark.parametrize(
    ("sheet", "name", "column", "word", "known"),
    [
        ("conditions", "name", "status", "sure", "confirmed, suspected, excluded"),
        ("conditions", "name", "status", "definite?", "confirmed, suspected, excluded"),
        ("conditions", "name", "status", "confirmed?", "confirmed, suspected, excluded"),
        ("conditions", "name", "status", "entered-in-error", "confirmed, suspected, excluded"),
        ("cultures", "specimen", "result", "positive", "growth, no growth, detected"),
        ("cultures", "specimen", "result", "mixed", "growth, no growth, detected"),
    ],
)
def test_a_status_that_nobody_knows_is_counted_and_the_run_goes_on(  # noqa: PLR0917
    tmp_path: Path, sheet: str, name: str, column: str, word: str, known: str
) -> None:
    """The word stays as written, so that it is listed; the closed list is the hint."""
    text = f"person_id,{name},{column}\nP1,x,{word}\n"
    opened = source(write(tmp_path, **{sheet: text}))
    (refusal,) = opened.refused()
    assert (refusal.source_table, refusal.variable) == (sheet, column)
    assert refusal.example == f"{sheet}:2 {word}"
    assert known in refusal.reason
    assert getattr(next(opened.chunks()), sheet)[column].tolist() == [word]


@pytest.mark.parametrize("column", ["conditions.status", "cultures.result", "doses.status"])
def test_every_further_word_of_a_status_is_read(tmp_path: Path, column: str) -> None:
    """Each word of the shipped list, in small letters and in capitals, is the word of the closed list."""
    sheet, _, name = column.partition(".")
    before = {
        "conditions": "person_id,name,status\n", "cultures": "person_id,specimen,result\n",
        "doses": "person_id,drug,start,amount,amount_unit,status\n",
    }[sheet]  # fmt: skip
    cells = {"conditions": "HLH", "cultures": "blood", "doses": "anakinra,2020-03-04T10:00,1,mg"}[
        sheet
    ]
    listed = row_statuses.spelled(column)
    assert listed
    for word, meant in listed.items():
        for written in (word, word.upper()):
            folder = tmp_path / f"{word} {written}"
            got = read_sheets(write(folder, **{sheet: f"{before}P1,{cells},{written}\n"}))
            table = got.administrations if sheet == "doses" else getattr(got, sheet)
            assert table[name].tolist() == [meant], written
