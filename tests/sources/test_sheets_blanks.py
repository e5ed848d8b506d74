"""Words that stand for a blank cell are blank in every column of every sheet, if they are no word of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from becalm import vocabulary
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.errors import RecordsError
from becalm.records import Records
from becalm.records.sheets.blanks import blank_words, stands_for_blank
from becalm.records.sheets.cells import make_sheet
from becalm.records.sheets.schema import SHEETS
from becalm.vocabulary import MeasurementKind
from tests.records.chart_review import (
    differences,
    read_sheets,
    source,
    write,
    write_book,
    write_parquet,
)

CASES = Path(__file__).parents[3] / "shared" / "cases"
WORDS = [word for group in blank_words() for word in group.words]
NUMBERS = [f"{number:g}" for group in blank_words() for number in group.numbers]
COLUMNS = [(sheet, name) for sheet, schema in SHEETS.items() for name in schema.columns]

FILLED = {
    # a row of each sheet in which every column may be blank but those that must be filled
    "persons": {"person_id": "P1"},
    "stays": {"person_id": "P1", "start": "2020-03-04"},
    "labs": {"person_id": "P1", "time": "2020-03-04", "name": "ferritin", "loinc": "2276-4",
             "value": "9000", "unit": "ng/mL"},
    "doses": {"person_id": "P1", "drug": "anakinra", "start": "2020-03-04"},
    "findings": {"person_id": "P1", "time": "2020-03-04", "finding": "splenomegaly", "present": "yes"},
    "conditions": {"person_id": "P1", "code": "D76.1", "name": "HLH"},
    "procedures": {"person_id": "P1", "name": "CRRT"},
    "cultures": {"person_id": "P1"},
    "judgements": {"person_id": "P1", "reviewer": "A", "question": "relapse", "answer": "no"},
}  # fmt: skip


def test_the_words_that_people_and_programs_write_are_listed() -> None:
    """R, pandas, spreadsheets, databases, SAS, REDCap, and people."""
    listed = "NA|N/A|NaN|NaT|None|null|.|-|-99|-98|-99.0|not done|nd|ND|na|Not  done|NULL"
    assert [text for text in listed.split("|") if not stands_for_blank(text)] == []


@pytest.mark.parametrize("text", ["0", "no", "99", "-97", "-100", "-99.5", "--", "nad", "NA+", "x"])
def test_what_says_something_is_not_blank(text: str) -> None:
    """A nought, a no, and a number beside the codes for missing."""
    assert not stands_for_blank(text)


def one_row(folder: Path, sheet: str, cells: dict[str, str]) -> Path:
    """Write a chart review whose sheet has one row, in a file separated by semicolons."""
    columns = list(SHEETS[sheet].columns)
    line = ";".join(cells.get(column, "") for column in columns)
    return write(folder, **{"persons": "person_id\nP1\n", sheet: f"{';'.join(columns)}\n{line}\n"})


def read(folder: Path) -> Records | str:
    """Return the records, or the mistakes that they have."""
    try:
        return read_sheets(folder)
    except RecordsError as error:
        return error.line()


@pytest.mark.parametrize(("sheet", "column"), COLUMNS)
def test_each_word_is_blank_in_each_column(tmp_path: Path, sheet: str, column: str) -> None:
    """The same records, or the same mistake, as with a cell that was left empty."""
    kept = {word.casefold() for word in SHEETS[sheet].columns[column].meant}
    blank = read(one_row(tmp_path, sheet, {**FILLED[sheet], column: ""}))
    for word in [*WORDS, *NUMBERS]:
        got = read(one_row(tmp_path, sheet, {**FILLED[sheet], column: word}))
        if isinstance(got, str) or isinstance(blank, str):
            assert got == blank, word
        else:
            assert bool(differences(got, blank)) is (word.casefold() in kept), word


def test_sodium_is_a_name_and_not_a_blank(tmp_path: Path) -> None:
    """A laboratory's Na, NA where it prints capitals; in another column of the row it is a blank."""
    header = "person_id,time,name,value,unit,comment\n"
    rows = "P1,2020-03-04T10:00,Na,140,mmol/L,\nP1,2020-03-04T11:00,NA,141,mmol/L,NA\n"
    got = read_sheets(write(tmp_path, labs=header + rows))
    assert [kind.name for kind in got.kinds] == ["Na", "NA"]


def test_no_name_of_the_vocabulary_is_read_as_blank() -> None:
    """A word that the vocabulary knows in a column is listed as a word of that column."""
    words = vocabulary.load()
    known: dict[str, Callable[[str], object]] = {
        "name of labs": lambda text: (
            words.resolve(MeasurementKind("labs", "name", text, text, "mmol/L")).variable
            is not None
        ),
        "drug": words.drug_of,
        "finding": words.finding_of,
        "name of conditions": lambda text: words.conditions_of("", "", text),
        "name of procedures": lambda text: words.procedures_of("", "", text),
    }
    found = {
        (column, text)
        for column, knows in known.items()
        for text in [*WORDS, *NUMBERS]
        if knows(text)
    }
    found.remove(("name of labs", "<NA>"))  # no laboratory writes sodium so
    assert found == {("name of labs", "NA")}
    assert SHEETS["labs"].columns["name"].meant == ("Na",)


def test_no_variable_can_have_a_number_that_stands_for_blank() -> None:
    """Else a true value would be lost."""
    for variable in vocabulary.load().variables:
        assert variable.plausible is None or variable.plausible.low > max(map(float, NUMBERS))


def test_no_closed_list_has_a_word_that_stands_for_blank() -> None:
    """So no meaning is lost."""
    for schema in SHEETS.values():
        for column in schema.columns.values():
            lost = {w for w in (*column.among, *column.spelled) if stands_for_blank(w)}
            assert lost <= {word.casefold() for word in column.meant}


def test_a_dose_that_was_not_done_was_not_given(tmp_path: Path) -> None:
    """A dose marked "not done" is no dose; elsewhere "not done" is a blank."""
    rows = "P1,anakinra,2020-03-04T10:00,100,mg,{}\n"
    header = "person_id,drug,start,amount,amount_unit,status\n"
    words = ("not done", "Not-Done", "held", "refused", "verabreicht", "")
    got = read_sheets(write(tmp_path, doses=header + "".join(rows.format(w) for w in words)))
    assert got.administrations["status"].tolist() == [*["not given"] * 4, "given", ""]


def test_a_word_of_a_column_is_kept_there() -> None:
    """Whatever is listed."""
    assert not stands_for_blank("ND", {"nd"})


def test_a_workbook_and_parquet_are_read_alike(tmp_path: Path) -> None:
    """A number -99 in a cell is the text -99 of a CSV."""
    persons: list[list[object]] = [["person_id", "age", "weight_kg"], ["P1", -99, -98.0]]
    book = write_book(tmp_path / "a.xlsx", persons=persons)
    folder = write_parquet(tmp_path / "p", {"persons": persons})
    csv = write(tmp_path / "c", persons="person_id,age,weight_kg\nP1,-99,-98.0\n")
    for path in (book, folder, csv):
        one = next(iter(read_sheets(path).persons.rows()))
        assert np.isnan(one["age"])
        assert np.isnan(one["weight_kg"])


def test_a_row_of_nothing_else_is_a_blank_row(tmp_path: Path) -> None:
    """As R writes one; row numbers go on as in the file."""
    got = read_sheets(write(tmp_path, persons="person_id,sex\nNA,NA\nP1,F\n"))
    assert got.persons["key"].tolist() == [3]


def test_a_person_called_na_is_no_person(tmp_path: Path) -> None:
    """The message says why the cell counts as blank."""
    line = read(write(tmp_path, persons="person_id,sex\nP1,F\nNA,M\n"))
    assert line == (
        "persons.csv, row 3, column person_id: person_id is blank. Every row of persons needs one; "
        "NA, nd, -99 and the like count as blank"
    )


def test_a_sheet_without_such_a_word_is_not_copied() -> None:
    """Large sheets cost nothing."""
    from becalm.records.sheets.blanks import with_blanks

    sheet = make_sheet("persons", "persons.csv", ["person_id"], [["P1"]])
    assert with_blanks(sheet) is sheet


@pytest.mark.skipif(not (CASES / "words-NA").is_dir(), reason="needs ../shared/cases")
def test_the_case_of_missing_values_as_r_writes_them() -> None:
    """A person of whom only sex and an undated age are known."""
    read_case = source(CASES / "words-NA")
    one = next(iter(next(read_case.chunks()).persons.rows()))
    assert (one["sex"], one["age"], one["cause_of_death"], one["last_contact_status"]) == (
        "F", 40, "", "",
    )  # fmt: skip
    for column in ("birth", "age_at", "death_time", "last_contact"):
        assert one[column] == UNKNOWN_TIME
    assert np.isnan(one["weight_kg"])
    assert np.isnan(one["height_cm"])


def test_a_patient_can_be_called_none(tmp_path: Path) -> None:
    """In a column of identifiers only the exact spelling of a program is blank."""
    folder = write(
        tmp_path,
        persons="person_id,sex\nnone,F\nNA,F\n",
        labs="person_id,time,name,value,unit\nnone,2020-03-04,ferritin,900,ng/mL\n",
    )
    with pytest.raises(RecordsError, match="row 3, column person_id: person_id is blank"):
        read_sheets(folder)
    write(tmp_path, persons="person_id,sex\nnone,F\n")
    records = read_sheets(tmp_path)
    assert records.persons["person_id"].tolist() == ["none"]
