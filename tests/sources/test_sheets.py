"""Chart-review sheets: what is read from them, and that every format says the same."""

from __future__ import annotations

import hashlib
import math
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.clock import UNKNOWN_TIME, iso
from becalm.core.errors import RecordsError, UnreadableFileError, UsageError
from becalm.records import open_records
from becalm.records.sheets.reading import read_common_times, read_time
from becalm.vocabulary import MeasurementKind
from tests.records.chart_review import (
    PERSONS,
    differences,
    read_sheets,
    source,
    write,
    write_book,
    write_bytes,
    write_parquet,
)

LABS = "person_id,time,name,value,unit\n"


def test_a_person_is_read_with_everything_said_of_them(tmp_path: Path) -> None:
    """One row a person; several causes of death are joined by |."""
    persons = read_sheets(
        write(
            tmp_path,
            persons="person_id,sex,birth_date,age,age_at,weight_kg,height_cm,death_time,"
            "cause_of_death,last_contact,last_contact_status\n"
            "P1,f,1980-02-29,40,2020-03-04,61.5,164,2020-05-01,Infection|storm,2020-05-01,dead\n",
        )
    ).persons
    (one,) = persons.rows()
    assert one["sex"] == "F"
    assert iso(one["birth"]) == "1980-02-29T00:00:00"
    assert (one["age"], iso(one["age_at"])) == (40, "2020-03-04T00:00:00")
    assert (one["weight_kg"], one["height_cm"]) == (61.5, 164)
    assert (iso(one["death_time"]), one["death_date_only"]) == ("2020-05-01T00:00:00", True)
    assert one["cause_of_death"] == "infection|storm"
    assert (one["last_contact_status"], one["key"]) == ("dead", 2)


def test_a_plain_number_is_a_value_and_anything_else_stays_text(tmp_path: Path) -> None:
    """`>15000` keeps its sign for later stages."""
    values = ["12", "-1.5", "1e3", ">15000", "<0.2", "5-6", "haemolysed", "1e999"]
    rows = "".join(f"P1,2020-03-04T10:{i:02d},x,{value},u\n" for i, value in enumerate(values))
    read = read_sheets(write(tmp_path, labs=LABS + rows)).measurements
    assert read["value"][:3].tolist() == [12, -1.5, 1000]
    assert np.isnan(read["value"][3:]).all()
    assert read["text"].tolist() == ["", "", "", ">15000", "<0.2", "5-6", "haemolysed", "1e999"]


def test_each_way_of_writing_a_measurement_is_one_kind(tmp_path: Path) -> None:
    """A LOINC goes before the name; another unit or specimen is another kind."""
    read = read_sheets(
        write(
            tmp_path,
            labs="person_id,time,name,loinc,value,unit,specimen\n"
            "P1,2020-03-04T10:00,Ferritin,2276-4,900,ng/mL,\n"
            "P1,2020-03-05T10:00,Ferritin,2276-4,800,ng/mL,\n"
            "P1,2020-03-06T10:00,Ferritin,,700,ng/mL,\n"
            "P1,2020-03-06T10:00,Ferritin,,700,,serum\n",
        )
    )
    assert read.kinds == (
        MeasurementKind("labs", "LOINC", "2276-4", "Ferritin", "ng/mL"),
        MeasurementKind("labs", "name", "Ferritin", "Ferritin", "ng/mL"),
        MeasurementKind("labs", "name", "Ferritin", "Ferritin", "", "serum"),
    )
    assert read.measurements["kind"].tolist() == [0, 0, 1, 2]


def test_a_date_without_a_time_is_flagged_and_available_at_the_end_of_its_day(
    tmp_path: Path,
) -> None:
    """Drawn at 00:00, available at 24:00; a midnight that was written is a time."""
    read = read_sheets(
        write(
            tmp_path,
            labs="person_id,time,name,value,unit,available\n"
            "P1,2020-03-04,x,1,u,2020-03-05\nP1,2020-03-05T00:00,x,1,u,2020-03-05 8:05\n"
            "P1,2020-03-06 10:00:30+01:00,x,1,u,\n",
        )
    ).measurements
    assert read["date_only"].tolist() == [True, False, False]
    assert [iso(t) for t in read["time"]] == [
        "2020-03-04T00:00:00",
        "2020-03-05T00:00:00",
        "2020-03-06T10:00:30",
    ]
    assert [iso(t) for t in read["available"]] == ["2020-03-06T00:00:00", "2020-03-05T08:05:00", ""]


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    st.sets(
        st.datetimes(datetime(1900, 1, 1), datetime(2999, 12, 31)).map(
            lambda moment: moment.replace(microsecond=0)
        )
    ),
    st.sampled_from(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S"]),
)
def test_times_read_all_at_once_are_those_read_one_by_one(
    moments: set[datetime], form: str
) -> None:
    """The quick way through a long sheet changes nothing."""
    texts = {moment.strftime(form) for moment in moments}
    assert read_common_times(texts) == {text: read_time(text) for text in texts}


def test_a_workbook_tells_a_date_from_its_midnight_by_the_format_of_the_cell(
    tmp_path: Path,
) -> None:
    """A spreadsheet stores both as one number; openpyxl gives a datetime a format with a clock."""
    book = write_book(
        tmp_path / "a.xlsx",
        persons=[["person_id"], ["P1"]],
        labs=[
            ["person_id", "time", "name", "value", "unit"],
            ["P1", date(2020, 3, 4), "x", 1, "u"],
            ["P1", datetime(2020, 3, 4, 10, 20), "x", 1, "u"],
            ["P1", datetime(2020, 3, 5), "x", 1, "u"],
        ],
    )
    read = read_sheets(book).measurements
    assert read["date_only"].tolist() == [True, False, False]
    assert iso(read["time"][1]) == "2020-03-04T10:20:00"


def test_a_dose_keeps_amount_rate_and_concentration_as_written(tmp_path: Path) -> None:
    """Units are not converted here, and an unknown end is unknown."""
    read = read_sheets(
        write(
            tmp_path,
            doses="person_id,drug,route,start,end,amount,amount_unit,rate,rate_unit,concentration,"
            "concentration_unit,status,indication,reason_for_change\n"
            "P1,Anakinra,IV,2020-03-04T10:00,2020-03-05,,,12.5,mL/h,4,mg/mL,Given,storm,more\n"
            "P1,Anakinra,SC,2020-03-04T08:00,,100,mg,,,,,,,\n",
        )
    ).administrations
    bolus, infusion = read.rows()
    assert (bolus["amount"], bolus["amount_unit"], bolus["end"]) == (100, "mg", UNKNOWN_TIME)
    assert math.isnan(bolus["rate"])
    assert bolus["status"] == ""
    assert (infusion["rate"], infusion["rate_unit"]) == (12.5, "mL/h")
    assert (infusion["concentration"], infusion["concentration_unit"]) == (4, "mg/mL")
    assert (infusion["table"], infusion["label"], infusion["key"]) == ("doses", "Anakinra", 2)
    assert (infusion["status"], infusion["reason_for_change"]) == ("given", "more")
    assert (iso(infusion["end"]), infusion["date_only"]) == ("2020-03-06T00:00:00", True)


def test_blank_is_unknown_and_never_no(tmp_path: Path) -> None:
    """Nobody said that there was no splenomegaly, that the drug was given, or how it ended."""
    read = read_sheets(
        write(
            tmp_path,
            persons="person_id,sex,age,weight_kg\nP1,,,\n",
            findings="person_id,time,finding,present\n"
            "P1,2020-03-04,splenomegaly,\nP1,2020-03-04,hepatomegaly,NO\n",
            conditions="person_id,name,status\nP1,lupus,\n",
            cultures="person_id,collected,result,judged\nP1,,,\n",
            stays="person_id,start,end,to\nP1,2020-03-01,,\n",
        )
    )
    assert read.findings["present"].tolist() == ["unknown", "no"]
    (person,) = read.persons.rows()
    assert person["sex"] == ""
    assert math.isnan(person["age"])
    assert math.isnan(person["weight_kg"])
    assert person["death_time"] == UNKNOWN_TIME
    assert read.conditions["status"].tolist() == [""]
    assert read.cultures["result"].tolist() == [""]
    assert read.cultures["collected"].tolist() == [UNKNOWN_TIME]
    assert read.stays["destination"].tolist() == [""]
    assert read.stays["end"].tolist() == [UNKNOWN_TIME]


def test_conditions_take_the_system_in_whose_form_a_code_is_written(tmp_path: Path) -> None:
    """A column `system` goes before the form of the code."""
    read = read_sheets(
        write(
            tmp_path,
            conditions="person_id,code,name,system\nP1,D76.1,,\nP1,D7612,,\nP1,288.4,,\n"
            "P1,91302008,,\nP1,V10.9,,ICD9CM\nP1,,lupus,\nP1,xyz,,\n",
        )
    ).conditions
    assert read["system"].tolist() == [
        "ICD10CM",
        "ICD10CM",
        "ICD9CM",
        "SNOMED",
        "ICD9CM",
        "",
        "",
    ]


def test_lab_rows_that_cannot_be_used_are_counted_by_reason(tmp_path: Path) -> None:
    """A missing value is not fatal; a missing unit is left for the stage that knows units."""
    read = source(
        write(
            tmp_path,
            labs=LABS + "P1,2020-03-04,AST,,U/L\nP1,2020-03-05,AST,,U/L\nP1,,AST,5,U/L\n"
            "P1,2020-03-05,,5,U/L\nP1,2020-03-05,AST,5,\n",
        )
    )
    assert [(r.variable, r.unit, r.reason, r.rows, r.example) for r in read.refused()] == [
        ("", "U/L", "name and loinc missing", 1, "labs:5 5"),
        ("AST", "U/L", "time missing", 1, "labs:4 5"),
        ("AST", "U/L", "value missing", 2, "labs:2"),
    ]
    (chunk,) = read.chunks()
    assert chunk.measurements["key"].tolist() == [6]
    assert chunk.kinds == (MeasurementKind("labs", "name", "AST", "AST", ""),)


def test_a_reference_limit_that_is_no_number_is_counted_and_the_value_kept(tmp_path: Path) -> None:
    """Only the limit is unknown then."""
    read = source(
        write(
            tmp_path,
            labs="person_id,time,name,value,unit,ref_low,ref_high\nP1,2020-03-04,AST,50,U/L,10,<40\n",
        )
    )
    (refusal,) = read.refused()
    assert refusal.reason == "ref_high is not a number: limit unknown, value used"
    (row,) = next(read.chunks()).measurements.rows()
    assert (row["value"], row["ref_low"]) == (50, 10)
    assert math.isnan(row["ref_high"])


def test_findings_conditions_and_procedures_without_a_name_are_counted(tmp_path: Path) -> None:
    """They say nothing, and nothing is dropped in silence."""
    read = source(
        write(
            tmp_path,
            findings="person_id,time,finding,present\nP1,2020-03-04,,yes\nP1,,spleen,yes\n",
            conditions="person_id,code,name\nP1,,\n",
            procedures="person_id,name\nP1,\n",
        )
    )
    assert {(r.source_table, r.reason, r.rows) for r in read.refused()} == {
        ("findings", "finding missing", 1),
        ("findings", "time missing", 1),
        ("conditions", "code and name missing", 1),
        ("procedures", "code and name missing", 1),
    }


def test_an_age_without_a_date_is_used_and_counted_as_undated(tmp_path: Path) -> None:
    """Not where a birth date makes it superfluous."""
    read = source(
        write(
            tmp_path,
            persons="person_id,age,age_at,birth_date\n"
            "P1,40,,\nP2,41,2020-01-01,\nP3,42,,1978-01-01\nP4,43,,\n",
        )
    )
    (refusal,) = read.refused()
    assert (refusal.source_table, refusal.variable) == ("persons", "age")
    assert (refusal.reason, refusal.rows, refusal.example) == ("age undated", 2, "persons:2 40")
    assert next(read.chunks()).persons["age"].tolist() == [40, 41, 42, 43]


def test_row_numbers_are_those_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    """Blank rows count; a line break inside quotation marks does not."""
    read = read_sheets(
        write(
            tmp_path,
            labs='person_id,time,name,value,unit,comment\n\n,,,,,\nP1,2020-03-04,a,1,u,"x\ny"\n'
            "P1,2020-03-05,a,2,u,\n",
        )
    )
    assert read.measurements["key"].tolist() == [4, 5]


def test_extra_columns_are_ignored_and_a_likely_misspelling_is_noticed(tmp_path: Path) -> None:
    """A user's own columns are welcome; `death_tme` is probably not one."""
    read = source(
        write(tmp_path, persons="person_id,my notes,Sex,death_tme\nP1,anything,F,2020-01-01\n")
    )
    assert read.notices == ("persons.csv: column 'death_tme' is not read. Is 'death_time' meant?",)
    assert next(read.chunks()).persons["sex"].tolist() == ["F"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_csv_as_excel_writes_it_says_the_same(tmp_path: Path, mark: str, ends: str) -> None:
    """With a byte-order mark, Windows line ends, `;` between cells and a decimal comma."""
    plain = write(
        tmp_path / "a",
        labs=LABS + "P1,2020-03-04,AST,12.5,U/L\nP1,2020-03-05,AST,>0.25,U/L\n",
        doses="person_id,drug,start,amount,amount_unit\nP1,anakinra,2020-03-04,0.125,g\n",
    )
    excel = tmp_path / "b"
    excel.mkdir()
    for name in ("persons", "labs", "doses"):
        text = (plain / f"{name}.csv").read_text(encoding="utf-8")
        text = mark + text.replace(",", ";").replace(".", ",").replace("\n", ends)
        (excel / f"{name}.csv").write_bytes(text.encode())
    assert differences(read_sheets(plain), read_sheets(excel)) == []


def test_a_comma_that_may_part_thousands_is_not_taken_for_a_decimal_comma(tmp_path: Path) -> None:
    """Even between semicolons, 1,234 could be a thousand and some: the text says both, for the later stages."""
    read = read_sheets(
        write(tmp_path, labs=LABS.replace(",", ";") + "P1;2020-03-04;ferritin;1,234;ng/mL\n")
    )
    assert read.measurements["text"].tolist() == ["1,234 (1.234 or 1234)"]


CELLS: dict[str, list[list[object]]] = {
    "persons": [
        ["person_id", "sex", "age", "age_at", "weight_kg", "my own"],
        [12, "F", 40, date(2020, 3, 4), 61.5, "x"],
        [7, None, None, None, None, None],
    ],
    "stays": [["person_id", "start", "end"], [12, datetime(2020, 3, 1, 8, 0), None]],
    "labs": [
        ["person_id", "time", "name", "value", "unit"],
        [12, datetime(2020, 3, 4, 10, 0), "ferritin", ">15000", "ng/mL"],
        [12, datetime(2020, 3, 4, 22, 30, 15), "AST", "12", "U/L"],
        [7, datetime(2020, 3, 5, 9, 7), "AST", "0.1", "U/L"],
        [7, datetime(2020, 3, 5, 9, 7), "AST", None, "U/L"],
    ],
    "doses": [
        ["person_id", "drug", "start", "end", "rate", "rate_unit"],
        [12, "anakinra", datetime(2020, 3, 4, 10, 20), datetime(2020, 3, 5, 7, 0), 12.5, "mg/h"],
        [12, "anakinra", datetime(2020, 3, 5, 7, 0), None, 25, "mg/h"],
    ],
    "findings": [
        ["person_id", "time", "finding", "present"],
        [7, date(2020, 3, 4), "splenomegaly", None],
    ],
    "conditions": [["person_id", "code"], [7, "D76.1"]],
    "procedures": [["person_id", "start", "name"]],
    "cultures": [["person_id", "collected", "result"], [12, date(2020, 3, 9), "growth"]],
}


def as_csv(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def test_a_workbook_a_csv_folder_and_parquet_give_the_same_records(tmp_path: Path) -> None:
    """Typed cells or text: the same persons, values, times and row numbers."""
    csv_folder = write(
        tmp_path / "csv",
        **{
            name: "".join(",".join(as_csv(cell) for cell in row) + "\n" for row in rows)
            for name, rows in CELLS.items()
        },
    )
    expected = source(csv_folder)
    numbers = {name: [list(row) for row in rows] for name, rows in CELLS.items()}
    numbers["labs"][2][3], numbers["labs"][3][3] = 12, 0.1
    book = source(write_book(tmp_path / "all.xlsx", **numbers))
    parquet = source(write_parquet(tmp_path / "parquet", CELLS))
    for other in (book, parquet):
        assert differences(next(expected.chunks()), next(other.chunks())) == []
        assert other.refused() == expected.refused()
        assert other.absent() == expected.absent()
    assert next(expected.chunks()).persons["person_id"].tolist() == ["12", "7"]


def test_a_percentage_in_a_workbook_is_read_as_it_shows(tmp_path: Path) -> None:
    """45 % is stored as 0.45: read so, it would be wrong by a factor of a hundred."""
    from openpyxl import load_workbook

    path = write_book(
        tmp_path / "a.xlsx",
        persons=[["person_id"], ["P1"]],
        labs=[
            ["person_id", "time", "name", "value", "unit"],
            ["P1", datetime(2020, 3, 4, 10), "FiO2", 0.45, "%"],
            ["P1", datetime(2020, 3, 4, 11), "FiO2", 45, "%"],
        ],
    )
    book = load_workbook(path)
    book["labs"]["D2"].number_format = "0.0%"
    book.save(path)
    read = read_sheets(path).measurements
    assert read["text"].tolist() == ["45%", ""]
    assert read["value"][1] == 45


def test_a_decimal_that_binary_cannot_hold_reads_as_a_spreadsheet_shows_it(tmp_path: Path) -> None:
    """A formula's 0.30000000000000004 is shown, and read, as 0.3."""
    path = write_book(
        tmp_path / "a.xlsx",
        persons=[["person_id"], ["P1"]],
        labs=[
            ["person_id", "time", "name", "value", "unit"],
            ["P1", datetime(2020, 3, 4, 10), "creatinine", 0.1 + 0.2, "mg/dL"],
        ],
    )
    assert read_sheets(path).measurements["value"].tolist() == [0.3]


def test_sheets_that_are_absent_or_empty_are_listed_with_what_is_unknown(tmp_path: Path) -> None:
    """An empty optional sheet is read; `missing` names only those that do not exist."""
    read = source(write(tmp_path, labs=LABS, doses="person_id,drug,start,rate,rate_unit\n"))
    consequences = {absent.table: absent.consequence for absent in read.absent()}
    assert set(consequences) == {
        "stays",
        "labs",
        "doses",
        "findings",
        "conditions",
        "procedures",
        "cultures",
        "judgements",
    }
    assert consequences["labs"].startswith("the sheet is empty: no laboratory value")
    assert "renal replacement" in consequences["procedures"]
    assert read.missing == (
        "stays", "findings", "conditions", "procedures", "cultures", "judgements",
    )  # fmt: skip
    assert len(next(read.chunks()).measurements) == 0


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_no_person_at_all_is_ordinary_empty_records(tmp_path: Path, kind: str) -> None:
    """Header only: empty tables of the right columns."""
    empty: dict[str, list[list[object]]] = {
        "persons": [["person_id"]],
        "labs": [["person_id", "time", "name", "value", "unit"]],
    }
    if kind == "xlsx":
        path = write_book(tmp_path / "a.xlsx", **empty)
    elif kind == "parquet":
        path = write_parquet(tmp_path, empty)
    else:
        path = write(tmp_path, persons="person_id\n", labs=LABS)
    read = read_sheets(path)
    assert len(read.persons) == len(read.measurements) == 0
    assert read.kinds == ()


def test_one_person_and_nothing_else_can_be_read(tmp_path: Path) -> None:
    """Only `persons` must exist."""
    read = read_sheets(write(tmp_path, persons="person_id\nP1\n"))
    assert read.persons["person_id"].tolist() == ["P1"]
    assert len(read.administrations) == 0


@pytest.mark.parametrize("recruited", [date(2020, 1, 1), datetime(2020, 1, 1), "2020-01-01T00:00"])
def test_the_study_is_described_by_a_file_or_by_a_sheet(tmp_path: Path, recruited: object) -> None:
    """The same words give the same description."""
    folder = write(tmp_path / "a")
    (folder / "study.toml").write_text(
        'title = "Five"\nconsecutive = true\nrecruitment_start = 2020-01-01\nillustrative = true\n'
    )
    book = write_book(
        tmp_path / "b.xlsx",
        persons=[["person_id"], ["P1"]],
        study=[
            ["key", "value"],
            ["title", "Five"],
            ["consecutive", "yes"],
            ["recruitment_start", recruited],
            ["illustrative", "yes"],
        ],
    )
    info = source(folder).info
    assert (info.title, info.consecutive, info.illustrative) == ("Five", "yes", True)
    assert info.recruitment_start == "2020-01-01"
    assert source(book).info == info


def test_every_file_read_is_named_with_its_size_and_hash(tmp_path: Path) -> None:
    """For the manifest."""
    folder = write(tmp_path, labs=LABS)
    (folder / "study.toml").write_text("")
    (folder / "other.csv").write_text("not a sheet")
    inputs = source(folder).inputs()
    assert [file.name for file in inputs] == ["labs.csv", "persons.csv", "study.toml"]
    assert inputs[0].bytes == len(LABS)
    assert inputs[1].sha256 == hashlib.sha256(PERSONS.encode()).hexdigest()


def test_characters_that_nobody_can_see_do_not_make_another_person(tmp_path: Path) -> None:
    """Zero-width and non-breaking spaces come along when text is pasted."""
    read = read_sheets(write(tmp_path, labs=LABS + "\u200bP1\u00a0, 2020-03-04 ,AST,5,U/L\n"))
    assert read.measurements["person"].tolist() == [0]


def test_records_are_recognised_by_what_they_hold(tmp_path: Path) -> None:
    """A folder of sheets, a workbook; `source` overrides."""
    folder = write(tmp_path / "a")
    book = write_book(tmp_path / "b.xlsx", persons=[["person_id"], ["P1"]])
    assert open_records(str(folder), None).name == "sheets"
    assert open_records(str(book), "sheets").name == "sheets"


def test_a_mimic_folder_is_recognised_by_its_patients(tmp_path: Path) -> None:
    """And records that are both kinds are not guessed at."""
    (tmp_path / "hosp").mkdir()
    for table in ("patients", "admissions"):
        (tmp_path / "hosp" / f"{table}.csv").write_text("subject_id\n")
    with pytest.raises(RecordsError, match="Did you mean"):
        open_records(str(tmp_path / "hosp"), None)
    write(tmp_path)
    with pytest.raises(RecordsError, match=r"both mimic4 and sheets fit. Choose one with --source"):
        open_records(str(tmp_path), None)


def test_a_folder_inside_a_mimic_folder_is_led_back_to_it(tmp_path: Path) -> None:
    """Also after another source has been opened."""
    open_records(str(write(tmp_path / "review")))
    hosp = tmp_path / "mimic" / "hosp"
    hosp.mkdir(parents=True)
    for table in ("patients", "admissions"):
        (hosp / f"{table}.csv").write_text("subject_id\n")
    with pytest.raises(RecordsError, match=r"Did you mean '.*mimic'\?"):
        open_records(str(hosp))


def test_records_of_no_known_kind_are_refused_with_what_to_give(tmp_path: Path) -> None:
    """The hint names the folder or workbook that was probably meant."""
    folder = write(tmp_path / "sheets")
    with pytest.raises(RecordsError, match="Name the folder itself"):
        open_records(str(folder / "persons.csv"), None)
    with pytest.raises(RecordsError, match=r"Did you mean .*sheets"):
        open_records(str(tmp_path), None)
    empty = tmp_path / "x" / "y"
    empty.mkdir(parents=True)
    with pytest.raises(RecordsError, match=r"becalm reads a .* folder with persons\.csv"):
        open_records(str(empty), None)
    write_book(empty / "review.xlsx", persons=[["person_id"]])
    with pytest.raises(RecordsError, match=r"Name the workbook itself: .*review\.xlsx"):
        open_records(str(empty), None)
    (empty / "old.xls").write_bytes(b"")
    with pytest.raises(RecordsError, match=r"save it as \.xlsx"):
        open_records(str(empty / "old.xls"), None)


def test_a_path_or_a_source_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """Exit codes 3 and 2."""
    with pytest.raises(UnreadableFileError, match="nowhere: no such file or folder"):
        open_records(str(tmp_path / "nowhere"), None)
    with pytest.raises(UsageError, match=r"no source is called 'sheet'\. Did you mean 'sheets'"):
        open_records(str(write_bytes(tmp_path, "labs.csv", LABS.encode())), "sheet")
    with pytest.raises(UsageError, match="postgresql:// is not read"):
        open_records("postgresql://host/db", None)


@pytest.mark.parametrize(
    ("words", "sex"),
    [
        (
            "F f female Female FEMALE woman W w weiblich femme femenino femenina mujer femmina donna",
            "F",
        ),
        ("M m male Male man männlich maennlich homme hombre masculino uomo maschio varón", "M"),
    ],
)
def test_sex_in_words(tmp_path: Path, words: str, sex: str) -> None:
    """In five languages, each word in a sheet of its own."""
    for word in words.split():
        read = read_sheets(write(tmp_path, persons=f"person_id,sex\nP1,{word}\n"))
        assert read.persons["sex"].tolist() == [sex], word


@pytest.mark.parametrize(
    "sexes", ["M F", "M female", "w m", "M femenino masculino", "m donna uomo"]
)
def test_m_is_a_man_where_no_word_says_otherwise(tmp_path: Path, sexes: str) -> None:
    """Also beside Spanish words that begin with f and m."""
    persons = "".join(f"P{i},{sex}\n" for i, sex in enumerate(sexes.split()))
    read = read_sheets(write(tmp_path, persons=f"person_id,sex\n{persons}"))
    men = [text in {"M", "m", "masculino", "uomo"} for text in sexes.split()]
    assert [sex == "M" for sex in read.persons["sex"].tolist()] == men


def test_a_diagnosis_is_dated_by_its_stay(tmp_path: Path) -> None:
    """Where no onset is known; a diagnosis without either may be of any time."""
    from becalm import vocabulary
    from becalm.core.arrays import FAR_FUTURE, FAR_PAST
    from becalm.core.clock import parse
    from becalm.persons.diagnoses import diagnoses

    folder = write(
        tmp_path,
        stays="person_id,stay_id,start,end\nP1,A,2020-03-01T10:00,2020-03-09T10:00\n",
        conditions="person_id,stay_id,onset,name\nP1,A,,lupus\nP1,A,2020-03-05,lupus\nP1,NA,,lupus\nP1,,,lupus\n",
    )
    found = diagnoses(read_sheets(folder), vocabulary.load())
    onset, start, end = (
        parse(text)[0] for text in ("2020-03-05", "2020-03-01T10:00", "2020-03-09T10:00")
    )
    times = set(zip(found["first"].tolist(), found["last"].tolist(), strict=True))
    assert times == {(start, end), (onset, onset), (FAR_PAST, FAR_FUTURE)}
