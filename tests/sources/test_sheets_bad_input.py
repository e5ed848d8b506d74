"""What is wrong in a chart review: one line a mistake that names file, row and column, and the mend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from string import ascii_uppercase

import pytest

from becalm.core.errors import BecalmError, RecordsError, UnreadableFileError
from becalm.records.sheets.cells import make_sheet
from becalm.records.sheets.check import Mistakes
from becalm.records.sheets.reading import Wrong
from becalm.records.sheets.workbook import _require_near
from tests.records.chart_review import (
    PERSONS,
    source,
    write,
    write_book,
    write_bytes,
    write_parquet,
)

LABS = "person_id,time,name,value,unit\n"
DOSES = "person_id,drug,start,end,amount,amount_unit,rate,rate_unit\n"
AT = "2020-03-04T10:00"


def refusal(path: Path) -> BecalmError:
    """Return the error of opening a chart review: one line, of the two classes it may be."""
    with pytest.raises((RecordsError, UnreadableFileError)) as caught:
        source(path)
    assert "\n" not in caught.value.line()
    return caught.value


def said(path: Path) -> str:
    """Return the one line that a user is told about records that cannot be understood."""
    error = refusal(path)
    assert error.exit_code == 4
    return error.line()


def unreadable(path: Path) -> str:
    """Return the one line that a user is told about a file that cannot be read."""
    error = refusal(path)
    assert error.exit_code == 3
    return error.line()


def test_a_missing_sheet_persons_stops(tmp_path: Path) -> None:
    """It is the one sheet that every study needs."""
    (tmp_path / "labs.csv").write_text(LABS)
    assert "the sheet persons is missing. It needs one row a person" in said(tmp_path)


@pytest.mark.parametrize(
    ("sheet", "header", "says"),
    [
        ("persons", "sex,age", "the required column person_id is missing"),
        ("persons", "personid", "person_id is missing. Is 'personid' meant? Rename it"),
        ("stays", "person_id", "the required column start is missing"),
        ("labs", "person_id,time,name,value", "the required column unit is missing"),
        (
            "labs",
            "person_id,time,value,unit",
            "the required column name or loinc or code with system is missing",
        ),
        ("doses", "person_id,drug,start,amount", "amount with amount_unit or rate with rate_unit"),
        ("doses", "person_id,drug,start,rate,rate_units", "Is 'rate_units' meant?"),
        ("findings", "person_id,time,finding", "the required column present is missing"),
        ("conditions", "person_id,onset", "the required column code or name is missing"),
    ],
)
def test_a_missing_column_is_named(tmp_path: Path, sheet: str, header: str, says: str) -> None:
    """With the header that was perhaps meant."""
    line = said(write(tmp_path, **{sheet: header + "\n"}))
    assert line.startswith(f"{sheet}.csv, row 1: ")
    assert says in line


def test_a_column_that_is_there_twice_stops(tmp_path: Path) -> None:
    """Which of the two would be meant?"""
    line = said(write(tmp_path, persons="person_id,sex,Sex\nP1,F,M\n"))
    assert line == "persons.csv, row 1: the column sex exists twice. Rename or remove one"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("43894", "'43894' is a number, but a date is needed. Write 2020-03-04T10:00"),
        ("20200304", "'20200304' is a number, but a date is needed"),
        ("3.5", "'3.5' is a number, but a date is needed"),
        ("03/04/2020", "'03/04/2020' can be read in two ways. Write 2020-04-03 or 2020-03-04"),
        ("25/04/2020 10:00", "'25/04/2020 10:00' is not written year-month-day. Write"),
        ("4/3/20", "'4/3/20' is not written year-month-day"),
        ("10:00", "'10:00' is a time of day without a date"),
        ("2020-02-30", "'2020-02-30' is not a valid date and time"),
        ("2020-03-04T25:00", "'2020-03-04T25:00' is not a valid date and time"),
        ("March 2020", "'March 2020' is not a date or a time"),
    ],
)
def test_what_is_not_a_time_stops_and_says_how_to_write_one(
    tmp_path: Path, written: str, says: str
) -> None:
    """Nothing is guessed from a number or from day and month in an unknown order."""
    line = said(write(tmp_path, labs=LABS + f"P1,{AT},a,1,u\nP1,{written},a,1,u\n"))
    assert line.startswith(f"labs.csv, row 3, column time: {says}")


def test_a_number_where_a_date_belongs_stops_in_a_workbook_and_in_parquet(tmp_path: Path) -> None:
    """A serial number in a cell that was never formatted as a date; a time without its date."""
    header: list[object] = ["person_id", "start"]
    persons: list[list[object]] = [["person_id"], ["P1"]]
    for start, says in ((43894.5, "'43894.5' is a number"), (time(10, 5), "'10:05:00' is a time")):
        book = write_book(tmp_path / "a.xlsx", persons=persons, stays=[header, ["P1", start]])
        assert said(book).startswith(f"a.xlsx, sheet stays, row 2, column start: {says}")
    folder = write_parquet(tmp_path, {"persons": persons, "stays": [header, ["P1", 43894]]})
    assert said(folder).startswith("stays.parquet, row 2, column start: '43894' is a number")


def test_many_mistakes_of_one_kind_are_told_in_one_line(tmp_path: Path) -> None:
    """The first, how many more, and where the next ones are."""
    rows = "".join(f"P1,{43894 + i},a,1,u\n" for i in range(13))
    assert said(write(tmp_path, labs=LABS + rows)) == (
        "labs.csv, row 2, column time: '43894' is a number, but a date is needed, and 12 more like "
        "it (rows 3, 4, 5, 6, 7 ...). Write 2020-03-04T10:00, or 2020-03-04 if the time is not "
        "known"
    )


def test_two_persons_with_one_id_stop(tmp_path: Path) -> None:
    """Their records could not be told apart."""
    line = said(write(tmp_path, persons="person_id\nP1\nP2\nP1\n"))
    assert line.startswith(
        "persons.csv, row 4, column person_id: the person 'P1' is already in row 2"
    )


@pytest.mark.parametrize("sheet", ["persons", "labs"])
def test_a_row_without_a_person_stops(tmp_path: Path, sheet: str) -> None:
    """Everything else about it may be unknown, but not whose it is."""
    sheets = {
        "persons": "person_id,sex\nP1,F\n,M\n",
        "labs": LABS + f"P1,{AT},a,1,u\n,{AT},a,1,u\n",
    }
    line = said(write(tmp_path, **{sheet: sheets[sheet]}))
    assert line.startswith(f"{sheet}.csv, row 3, column person_id: person_id is blank")


def test_a_person_that_the_sheet_persons_lacks_stops(tmp_path: Path) -> None:
    """A mistyped id must not lose its rows."""
    line = said(write(tmp_path, persons="person_id\nPAT-01\n", labs=LABS + f"PAT-O1,{AT},a,1,u\n"))
    assert line.startswith("labs.csv, row 2, column person_id: the sheet persons has no 'PAT-O1'")
    assert "Did you mean 'PAT-01'?" in line


@pytest.mark.parametrize(
    ("sheet", "text", "column", "says"),
    [
        ("persons", "person_id,sex\nP1,H\n", "sex", "Known: F, M; leave it blank"),
        ("persons", "person_id,sex\nP1,1\n", "sex", "'1' is not one of the list"),
        (
            "persons",
            "person_id,cause_of_death\nP1,storm|sepsis\n",
            "cause_of_death",
            "'sepsis' is not one",
        ),
        (
            "findings",
            "person_id,time,finding,present\nP1,2020-03-04,x,maybe\n",
            "present",
            "Known: no, unknown, yes",
        ),
        (
            "findings",
            "person_id,time,finding,present,method\nP1,2020-03-04,x,yes,MRI\n",
            "method",
            "'MRI'",
        ),
        (
            "doses",
            f"person_id,drug,start,rate,rate_unit,status\nP1,x,{AT},1,mg/h,gven\n",
            "status",
            "Did you mean 'given'?",
        ),
        (
            "stays",
            f"person_id,start,kind\nP1,{AT},corridor\n",
            "kind",
            "'corridor' is not one of the list",
        ),
        ("cultures", "person_id,judged\nP1,infected\n", "judged", "Did you mean 'infection'?"),
    ],
)
def test_a_word_outside_a_closed_list_stops(
    tmp_path: Path, sheet: str, text: str, column: str, says: str
) -> None:
    """With the word that was perhaps meant, or the list."""
    line = said(write(tmp_path, **{sheet: text}))
    assert line.startswith(f"{sheet}.csv, row 2, column {column}: ")
    assert says in line


@pytest.mark.parametrize(
    ("cells", "column"),
    [("100,,,", "amount_unit"), (",,50,", "rate_unit"), ("100,mg,50,", "rate_unit")],
)
def test_a_dose_without_its_unit_stops(tmp_path: Path, cells: str, column: str) -> None:
    """An amount of 100 might be mg or mL."""
    line = said(write(tmp_path, doses=DOSES + f"P1,anakinra,{AT},,{cells}\n"))
    assert line == (
        f"doses.csv, row 2, column {column}: {column.removesuffix('_unit')} without {column}. "
        "Write the unit, such as mg or mg/h"
    )


def test_a_concentration_without_its_unit_stops(tmp_path: Path) -> None:
    """mL/h cannot be turned into mg/h with it."""
    header = "person_id,drug,start,rate,rate_unit,concentration\n"
    line = said(write(tmp_path, doses=header + f"P1,anakinra,{AT},5,mL/h,4\n"))
    assert "column concentration_unit: concentration without concentration_unit" in line


@pytest.mark.parametrize(
    ("sheet", "header", "row"),
    [
        ("doses", DOSES, "P1,x,2020-03-04T10:00,2020-03-04T09:00,,,1,mg/h"),
        ("stays", "person_id,start,end\n", "P1,2020-03-04T10:00,2020-03-03"),
        ("procedures", "person_id,start,end,name\n", "P1,2020-03-04,2020-03-03T23:00,CRRT"),
        ("findings", "person_id,time,end,finding,present\n", "P1,2020-03-04,2020-03-01,x,yes"),
    ],
)
def test_what_ends_before_it_starts_stops(
    tmp_path: Path, sheet: str, header: str, row: str
) -> None:
    """One of the two times is wrong, and nobody can say which."""
    line = said(write(tmp_path, **{sheet: f"{header}{row}\n"}))
    assert line.startswith(f"{sheet}.csv, row 2, column end: end 2020-03-0")
    assert "Correct one of the two" in line


def test_a_bare_date_may_be_any_moment_of_its_day(tmp_path: Path) -> None:
    """An end on the day of the start is not before it, nor a draw after its collection began."""
    read = source(
        write(
            tmp_path,
            doses=DOSES + "P1,x,2020-03-04T10:00,2020-03-04,,,1,mg/h\n",
            labs="person_id,time,start,name,value,unit\n"
            "P1,2020-03-04,2020-03-04T06:00,urine,900,mL\n",
        )
    )
    assert len(next(read.chunks()).administrations) == 1


def test_a_death_before_birth_stops(tmp_path: Path) -> None:
    """Two columns of `persons` disagree."""
    line = said(
        write(tmp_path, persons="person_id,birth_date,death_time\nP1,1980-01-01,1979-01-01\n")
    )
    assert "death_time 1979-01-01 is before birth_date 1980-01-01" in line


@pytest.mark.parametrize(
    ("cells", "column", "says"),
    [
        ("100 mg,mg,,", "amount", "'100 mg' is not a number. Write a number alone"),
        ('"12,5,1",mg,,', "amount", "'12,5,1' is not a number"),
        (">100,mg,,", "amount", "'>100' is not a number"),
        ("100 H,mg,,", "amount", "'100 H' is not a number"),
        ("1-2,mg,,", "amount", "'1-2' is not a number"),
        (",,-5,mg/h", "rate", "-5 must be at least 0"),
    ],
)
def test_a_dose_that_is_no_number_stops(tmp_path: Path, cells: str, column: str, says: str) -> None:
    """A dose is never guessed."""
    line = said(write(tmp_path, doses=DOSES + f"P1,x,{AT},,{cells}\n"))
    assert line.startswith(f"doses.csv, row 2, column {column}: ")
    assert says in line


@pytest.mark.parametrize("column", ["weight_kg", "height_cm"])
def test_nobody_weighs_or_measures_nothing(tmp_path: Path, column: str) -> None:
    """A nought stands for unknown in some records, and would be taken for a weight."""
    line = said(write(tmp_path, persons=f"person_id,{column}\nP1,0\n"))
    assert f"column {column}: 0 must be above 0. Clear the cell if it is unknown" in line


def test_a_date_of_an_age_without_the_age_stops(tmp_path: Path) -> None:
    """The age was probably forgotten."""
    assert "age_at without age" in said(
        write(tmp_path, persons="person_id,age,age_at\nP1,,2020-03-04\n")
    )


def test_a_dose_without_drug_stops(tmp_path: Path) -> None:
    """Exposure is what the study is about: a dose may not go missing. One without a start is kept."""
    assert "column drug: drug is blank" in said(
        write(tmp_path, doses=DOSES + f"P1,,{AT},,1,mg,,\n")
    )


def test_a_loinc_that_a_spreadsheet_made_a_date_of_stops(tmp_path: Path) -> None:
    """2276-4 becomes April 2276."""
    book = write_book(
        tmp_path / "a.xlsx",
        persons=[["person_id"], ["P1"]],
        labs=[
            ["person_id", "time", "loinc", "value", "unit"],
            ["P1", datetime(2020, 3, 4, 10), date(2276, 4, 1), 5, "ng/mL"],
        ],
    )
    line = said(book)
    assert "row 2, column loinc: '2276-04-01' is not a LOINC code" in line
    assert "format the column as text" in line


def test_an_excel_error_or_an_uncalculated_formula_is_not_a_blank(tmp_path: Path) -> None:
    """Both would otherwise be read as unknown."""
    for content, says in (
        ("#N/A", "the cell shows the error #N/A"),
        ("=1+1", "without a calculated"),
    ):
        book = write_book(
            tmp_path / "a.xlsx",
            persons=[["person_id", "weight_kg", "mine"], ["P1", 50, content], ["P2", content, 1]],
        )
        line = said(book)
        assert line.startswith("a.xlsx, sheet persons, row 3, column weight_kg: ")
        assert says in line


def test_a_sheet_under_a_misspelt_name_is_not_taken_for_absent(tmp_path: Path) -> None:
    """Nor one in a format that is not read, nor one that is there twice."""
    folder = write(tmp_path / "a", lab=LABS)
    assert "lab.csv: 'lab' is not the name of a sheet. Did you mean 'labs'?" in said(folder)
    book = write_book(tmp_path / "b.xlsx", persons=[["person_id"]], Dose=[["person_id"]])
    assert "b.xlsx: 'Dose' is not the name of a sheet. Did you mean 'doses'?" in said(book)
    (write(tmp_path / "c") / "labs.xlsx").write_bytes(b"")
    assert "labs.xlsx: the sheet labs is in a format that is not read" in said(tmp_path / "c")
    twice = write(tmp_path / "d", labs=LABS)
    write_parquet(twice, {"labs": [["person_id"]]})
    assert "the sheet labs exists twice: labs.csv and labs.parquet" in said(twice)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("titel = 'x'\n", "study.toml: 'titel' is not known. Did you mean 'title'?"),
        (
            "recruitment_start = '03/04/2020'\n",
            "recruitment_start: '03/04/2020' can be read in two",
        ),
        ("timezone = 'Europe/Pariss'\n", "Did you mean 'Europe/Paris'?"),
        ("title = ['a', 'b']\n", "study.toml, column title: must be one value"),
        ("illustrative = 'perhaps'\n", "illustrative must be yes or no"),
    ],
)
def test_a_study_that_is_badly_described_stops(tmp_path: Path, text: str, says: str) -> None:
    """An unknown key would otherwise be lost."""
    (write(tmp_path) / "study.toml").write_text(text)
    assert says in said(tmp_path)


def test_a_study_may_not_be_described_twice(tmp_path: Path) -> None:
    """By a file beside the workbook and by a sheet in it."""
    book = write_book(
        tmp_path / "a.xlsx", persons=[["person_id"]], study=[["key", "value"], ["title", "x"]]
    )
    (tmp_path / "study.toml").write_text('title = "y"\n')
    assert "both study.toml and the sheet study describe the study" in said(book)


def test_a_file_that_is_not_toml_cannot_be_read(tmp_path: Path) -> None:
    """Exit code 3."""
    (write(tmp_path) / "study.toml").write_text("title: x\n")
    assert "study.toml: not TOML" in unreadable(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "labs.csv: the file is empty"),
        (b"\xff\xfep\x00e\x00", "labs.csv: the text is UTF-16, not UTF-8"),
        (LABS.encode() + b"P1,x,caf\xe9,1,u\n", "row 2: byte 0xe9 is not UTF-8. In Excel, save it"),
        (LABS.encode() + b"P1,x\x00\n", "labs.csv, row 2: a zero byte"),
        (
            LABS.encode() + b"P1,2020-03-04,a,1,u\nP1,2020-03",
            "row 3: 2 cells where the header has 5",
        ),
        (LABS.encode() + b'P1,2020-03-04,"a,1,u\n', "row 2: a quotation mark has no partner"),
        (LABS.encode() + b'P1,2020-03-04,"a"b,1,u\n', "row 2: a quotation mark has no partner"),
        (LABS.encode() + b"P1,2020-03-04,a,1,234,u\n", "row 2: 6 cells where the header has 5"),
    ],
)
def test_a_damaged_or_badly_encoded_csv_cannot_be_read(
    tmp_path: Path, content: bytes, says: str
) -> None:
    """Exit code 3, with the row where it breaks."""
    assert says in unreadable(write_bytes(tmp_path, "labs.csv", content))


def test_a_header_of_blanks_is_no_header(tmp_path: Path) -> None:
    """Row 1 names the columns."""
    line = said(write(tmp_path, labs=",,,,\n" + LABS))
    assert line.startswith("labs.csv: row 1 has no column names")


def test_a_damaged_parquet_file_cannot_be_read(tmp_path: Path) -> None:
    """Cut off, it has lost its end, where the columns are listed."""
    folder = write_parquet(tmp_path, {"persons": [["person_id"], ["P1"]]})
    whole = (folder / "persons.parquet").read_bytes()
    (folder / "persons.parquet").write_bytes(whole[:-20])
    assert "persons.parquet: not a whole Parquet file" in unreadable(folder)


def test_a_parquet_time_with_a_time_zone_stops(tmp_path: Path) -> None:
    """An instant of UTC is not what the clock on the ward showed."""
    import duckdb

    write(tmp_path)
    duckdb.sql(
        "COPY (SELECT 'P1' AS person_id, TIMESTAMPTZ '2020-03-04 10:00:00+00' AS start) "
        f"TO '{tmp_path / 'stays.parquet'}' (FORMAT parquet)"
    )
    assert "stays.parquet, column start: the times are instants of UTC" in said(tmp_path)


def test_what_is_not_an_xlsx_workbook_cannot_be_read(tmp_path: Path) -> None:
    """Old .xls, passwords, text with the wrong name, and a download that was cut off."""
    book = tmp_path / "a.xlsx"
    book.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert "a.xlsx: an old .xls, or a workbook with a password. Save it as .xlsx" in unreadable(
        book
    )
    book.write_text(PERSONS)
    assert "a.xlsx: not an XLSX workbook" in unreadable(book)
    write_book(book, persons=[["person_id"], ["P1"]])
    book.write_bytes(book.read_bytes()[:2000])
    assert "a.xlsx: a cut-off XLSX workbook" in unreadable(book)


def test_a_zip_file_that_holds_no_workbook_cannot_be_read(tmp_path: Path) -> None:
    """A renamed archive, or an OpenDocument sheet."""
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as parts:
        parts.writestr("content.xml", "<x/>")
    assert "a.xlsx: not a whole XLSX workbook" in unreadable(tmp_path / "a.xlsx")


def test_a_workbook_without_persons_stops(tmp_path: Path) -> None:
    """Its other tabs are not taken for it."""
    assert "a.xlsx: the sheet persons is missing" in said(
        write_book(tmp_path / "a.xlsx", Sheet1=[["person_id"]])
    )


def test_a_mistake_in_the_last_sheet_hands_nothing_on(tmp_path: Path) -> None:
    """Never a part of the records."""
    folder = write(
        tmp_path,
        labs=LABS + f"P1,{AT},a,1,u\n",
        cultures="person_id,collected\nP1,43894\n",
    )
    assert said(folder).startswith("cultures.csv, row 2, column collected: '43894' is a number")


def all_said(path: Path) -> list[str]:
    """Return every line that a user is told about records that cannot be understood."""
    with pytest.raises(RecordsError) as caught:
        source(path)
    assert caught.value.exit_code == 4
    return caught.value.line().split("\n")


def test_every_kind_of_mistake_in_every_sheet_is_told_at_once(tmp_path: Path) -> None:
    """One run, one list: a line for each kind, in each column of each sheet."""
    folder = write(
        tmp_path,
        persons="person_id,sex,weight_kg\nP1,H,0\nP2,x,50\n",
        stays="person_id,starts\nP1,2020-03-04\n",
        labs=LABS + "P1,43894,a,1,u\nP3,10:00,a,1,u\nP1,43895,a,1,u\n",
    )
    (folder / "study.toml").write_text("titel = 'x'\n")
    begins = [line.partition(". ")[0] for line in all_said(folder)]
    assert begins == [
        "stays.csv, row 1: the required column start is missing",
        "study.toml: 'titel' is not known",
        "persons.csv, row 2, column sex: 'H' is not one of the list, and 1 more like it (row 3)",
        "persons.csv, row 2, column weight_kg: 0 must be above 0",
        "labs.csv, row 2, column time: '43894' is a number, but a date is needed, and 1 more like "
        "it (row 4)",
        "labs.csv, row 3, column time: '10:00' is a time of day without a date",
        "labs.csv, row 3, column person_id: the sheet persons has no 'P3'",
    ]


def test_a_workbook_tells_all_its_mistakes_too(tmp_path: Path) -> None:
    """Names of tabs, headers and cells together."""
    book = write_book(
        tmp_path / "a.xlsx",
        persons=[["person_id", "sex"], ["P1", "H"]],
        Dose=[["person_id"]],
        labs=[["person_id", "time", "name", "value"]],
    )
    tab, header, cell = all_said(book)
    assert tab.startswith("a.xlsx: 'Dose' is not the name of a sheet")
    assert header.startswith("a.xlsx, sheet labs, row 1: the required column unit is missing")
    assert cell.startswith("a.xlsx, sheet persons, row 2, column sex: 'H' is not one of the list")


def test_a_header_tells_all_its_mistakes(tmp_path: Path) -> None:
    """Two columns that are missing and one that is there twice are three lines."""
    lines = all_said(write(tmp_path, labs="person_id,name,name,value\n"))
    assert [line.partition(": ")[2].partition(" is missing")[0] for line in lines] == [
        "the column name exists twice. Rename or remove one",
        "the required column time",
        "the required column unit",
    ]


def test_persons_that_cannot_be_read_make_nobody_a_stranger(tmp_path: Path) -> None:
    """Who is in the sheet is not known, so no other row is blamed for it."""
    folder = write(tmp_path, persons="id\nP1\n", labs=LABS + f"P1,{AT},a,1,u\nP1,43894,a,1,u\n")
    header, cell = all_said(folder)
    assert header.startswith("persons.csv, row 1: the required column person_id is missing")
    assert cell.startswith("labs.csv, row 3, column time: '43894'")


@pytest.mark.parametrize(("kinds", "last"), [(50, "mistake 49"), (51, "2 more kinds of mistakes")])
def test_at_most_fifty_lines_are_told(kinds: int, last: str) -> None:
    """The last line then says how many kinds are left."""
    sheet = make_sheet("persons", "persons.csv", ["person_id"], [["P1"]])
    mistakes = Mistakes()
    for i in range(kinds):
        mistakes.add(sheet, 2, "person_id", Wrong(str(i), f"mistake {i}", "Mend it"))
    with pytest.raises(RecordsError) as caught:
        mistakes.stop()
    lines = caught.value.line().split("\n")
    assert len(lines) == 50
    assert last in lines[-1]


NOT_GIVEN = [
    (f"P1,anakinra,43894,,1,mg,,,{status}", "start", "43894") for status in ("ordered", "Not given")
] + [
    (f"P1,anakinra,{AT},,1 vial,mg,,,ordered", "amount", "1 vial"),
    (f"P1,anakinra,{AT},,1,,,,ordered", "amount_unit", ""),
    (f"P1,anakinra,{AT},2020-03-01,1,mg,,,ordered", "end", "2020-03-01"),
    (f"P9,anakinra,{AT},,1,mg,,,ordered", "person_id", "P9"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "column", "text"), NOT_GIVEN)
def test_a_mistake_in_a_dose_that_was_not_given_stops_nobody(
    tmp_path: Path, row: str, column: str, text: str
) -> None:
    """The row never counts as exposure: it is refused and counted. In a dose that was given it stops."""
    header = DOSES.strip() + ",status\n"
    good = f"P1,anakinra,{AT},,100,mg,,,given\n"
    read = source(write(tmp_path, doses=header + good + row + "\n"))
    assert next(read.chunks()).administrations["key"].tolist() == [2]
    (refusal,) = read.refused()
    said = row.rpartition(",")[2]
    status = said.lower()
    assert (refusal.source_table, refusal.variable, refusal.rows) == ("doses", "anakinra", 1)
    assert refusal.reason == f"the row is not used ({status}), and its {column} is wrong"
    assert refusal.example == f"doses:3 {text}".strip()
    given = write(tmp_path, doses=header + good + row.replace(said, "given") + "\n")
    assert all_said(given)[0].startswith(f"doses.csv, row 3, column {column}: ")


def test_a_sheet_with_a_misspelt_status_of_a_dose_stops(tmp_path: Path) -> None:
    """Nobody knows whether the row counts."""
    header = DOSES.strip() + ",status\n"
    line = said(write(tmp_path, doses=header + f"P1,anakinra,{AT},,1,mg,,,orderd\n"))
    assert "'orderd' is not one of the list. Did you mean 'ordered'?" in line


def sheet_xml(cells: Sequence[str]) -> bytes:
    """Return the rows of a workbook's sheet in which these cells are filled."""
    rows = "".join(
        f'<row r="{cell.lstrip(ascii_uppercase)}"><c r="{cell}"><v>1</v></c></row>'
        for cell in cells
    )
    return f"<sheetData>{rows}</sheetData>".encode()


@pytest.mark.parametrize(
    ("cells", "too_far"),
    [
        (["A1", "A16386"], False),  # 16,384 blank rows between them
        (["A1", "A16387"], False),  # few cells: nothing is lost by reading them
        (["A1", "IW16386"], False),
        (["A1", "IW16387"], True),
        (["A1", "A1048576"], True),
        (["A1", "P1048576"], True),
        (["A1048576", "AZ1"], True),
        (["A1", "XFD1"], False),
        (["A1", "XFD257"], True),
        ([f"A{row}" for row in range(1, 1048577, 16385)] + ["P1048576"], False),
        ([f"A{row}" for row in range(1, 1048577, 16385)] + ["Q1048576"], True),
        ([f"A{row}" for row in range(1, 1048577, 16386)], True),
        ([], False),
    ],
)
def test_a_stray_cell_far_from_the_table_is_told(cells: list[str], too_far: bool) -> None:
    """All cells up to it would have to be held in memory."""
    if not too_far:
        _require_near(sheet_xml(cells), "a.xlsx")
        return
    with pytest.raises(UnreadableFileError, match="too many to be read"):
        _require_near(sheet_xml(cells), "a.xlsx")


def test_a_cell_without_content_is_not_far() -> None:
    """A format that reaches to the last row, as some programs write it, is no cell."""
    xml = sheet_xml(["A1"]).replace(
        b"</sheetData>", b'<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>'
    )
    _require_near(xml, "a.xlsx")


def test_the_case_of_a_stray_cell_ends_in_one_line() -> None:
    """The last cell that a spreadsheet has; exit code 3."""
    book = Path(__file__).parents[3] / "shared" / "cases" / "workbooks" / "far.xlsx"
    if not book.is_file():
        pytest.skip("shared/cases is absent")
    assert unreadable(book) == (
        "far.xlsx, sheet persons: the sheet has 1048576 rows of 16384 columns because of the cell "
        "XFD1048576, too many to be read. Delete the rows and columns beside the table, and save it again"
    )


@pytest.mark.parametrize(
    ("sexes", "rows"),
    [
        ("M hombre M", "and 1 more like it (row 4)"),
        ("mujer m", ""),
        ("varón M", ""),
        ("homem M", ""),
        ("M mulher", ""),
    ],
)
def test_m_beside_a_word_of_a_language_in_which_it_may_be_a_woman_stops(
    tmp_path: Path, sexes: str, rows: str
) -> None:
    """M is mujer where men are H or V."""
    persons = "".join(f"P{i},{sex}\n" for i, sex in enumerate(sexes.split()))
    line = said(write(tmp_path, persons=f"person_id,sex\n{persons}"))
    assert "column sex: M may be a man or a woman: the column also has " in line
    assert rows in line


CONDITIONS = "person_id,stay_id,name\n"
STAYS = "person_id,stay_id,start,end\nP1,A,2020-03-01,2020-03-09\nP2,B1,2020-03-01,2020-03-09\n"


@pytest.mark.parametrize(
    ("row", "stays", "says"),
    [
        ("P1,B1", STAYS, "no stay_id 'B1' of the person 'P1'. Known: A. Correct the id"),
        ("P2,B2", STAYS, "no stay_id 'B2' of the person 'P2'. Known: B1. Correct the id"),
        ("P1,A", "person_id,start\nP1,2020-03-01\n", "no stay_id 'A' of the person 'P1'. Write the id"),
        ("P1,A", "", "no stay_id 'A' of the person 'P1'. Write the id of the stay in the sheet stays"),
    ],
)  # fmt: skip
def test_a_diagnosis_of_a_stay_that_does_not_exist_stops(
    tmp_path: Path, row: str, stays: str, says: str
) -> None:
    """The stay may be misspelt, or another patient's."""
    sheets = {"conditions": f"{CONDITIONS}{row},lupus\n", **({"stays": stays} if stays else {})}
    line = said(write(tmp_path, **sheets))
    assert line.startswith("conditions.csv, row 2, column stay_id: the sheet stays has ")
    assert says in line


def test_a_sheet_of_stays_that_cannot_be_read_is_not_blamed_on_diagnoses(tmp_path: Path) -> None:
    """Its header is the only mistake."""
    folder = write(
        tmp_path, conditions=CONDITIONS + "P1,A,lupus\n", stays="person_id,stay_id\nP1,A\n"
    )
    (line,) = all_said(folder)
    assert line.startswith("stays.csv, row 1: the required column start is missing")
