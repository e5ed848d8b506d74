"""Cells of a mapping that are looked up, counted from a time, named by position, or come from a workbook."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from becalm.core.clock import iso
from becalm.core.errors import BecalmError
from becalm.records import Records, open_records
from becalm.records.mapped.filling import fill
from becalm.records.mapped.flat import read_flat
from becalm.records.mapped.reading import parse
from becalm.records.sheets.schema import SHEETS
from tests.records.chart_review import write_book

PATIENTS = "mrn,sex,admitted\nA,F,2020-02-01T08:00\nB,M,2020-02-03\n"
STAYS = (
    "stay,mrn,from,icu\n7,A,2020-02-01T08:00,N\n8.0,B,2020-02-03T10:30,Y\n09,B,2020-05-01T00:00,N\n"
)
HEAD = """
[tables.patients]
file = "patients.csv"
[tables.stays]
file = "stays.csv"
[tables.labs]
file = "labs.csv"
[persons]
table = "patients"
person_id = "mrn"
[[labs]]
table = "labs"
name = { always = "ferritin" }
unit = { always = "ng/mL" }
value = "result"
"""
BY_STAY = 'person_id = { table = "stays", column = "mrn", key = "stay" }\n'
BY_PERSON = 'person_id = "mrn"\n'


def opened(folder: Path, mapping: str, **tables: str) -> Records:
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    (folder / "m.toml").write_text(mapping, encoding="utf-8")
    (chunk,) = open_records(str(folder), mapping=str(folder / "m.toml")).chunks()
    return chunk


def refusal(folder: Path, mapping: str, **tables: str) -> list[str]:
    """Return the lines that say why a mapping or its tables are refused."""
    with pytest.raises(BecalmError) as caught:
        opened(folder, mapping, **tables)
    return caught.value.line().splitlines()


def drawn(
    folder: Path, labs: str, lines: str, *, patients: str = PATIENTS, stays: str = STAYS
) -> list[tuple[str, str]]:
    """Return the person and the time of every result."""
    chunk = opened(folder, HEAD + lines, patients=patients, stays=stays, labs=labs)
    frame, ids = chunk.measurements, chunk.persons["person_id"]
    rows = zip(ids[frame["person"]].tolist(), map(iso, frame["time"].tolist()), strict=True)
    return sorted(rows)


def wrong(
    folder: Path, labs: str, lines: str, *, patients: str = PATIENTS, stays: str = STAYS
) -> list[str]:
    return refusal(folder, HEAD + lines, patients=patients, stays=stays, labs=labs)


# ------------------------------------------------------------ looked up by a key


def test_the_person_of_a_row_is_looked_up_by_the_stay(tmp_path: Path) -> None:
    """Only the stay is in the row: 7 is of A, 8 (written 8.0 there) of B; 09 is another key than 9."""
    labs = "stay,at,result\n7.0,2020-02-01T09:00,5\n8,2020-02-03T11:00,6\n09,2020-05-01T01:00,7\n"
    assert drawn(tmp_path, labs, BY_STAY + 'time = "at"\n') == [
        ("A", "2020-02-01T09:00:00"), ("B", "2020-02-03T11:00:00"), ("B", "2020-05-01T01:00:00"),
    ]  # fmt: skip
    other = BY_STAY.replace("}", ', by = "visit" }')
    assert len(drawn(tmp_path, labs.replace("stay", "visit"), other + 'time = "at"\n')) == 3


def test_a_key_without_a_row_is_a_mistake_with_all_its_rows(tmp_path: Path) -> None:
    labs = "stay,at,result\n9,2020-02-01,5\n7,2020-02-01,\n6,2020-02-01,6\n,2020-02-01,6\n"
    assert wrong(tmp_path, labs, BY_STAY + 'time = "at"\n') == [
        "labs.csv, row 2, column stay: stays.csv has no row with stay '9', and 1 more like it (row 4). "
        "Add the row there, or correct the key",
        "labs.csv, row 5, column stay: person_id is blank. "
        "Every row of labs needs one; NA, nd, -99 and the like count as blank",
    ]


def test_a_key_with_two_answers_is_a_mistake_and_one_with_a_blank_answer_is_not(
    tmp_path: Path,
) -> None:
    labs = "stay,at,result\n7,2020-02-01,5\n"
    stays = STAYS + "7,B,2020-02-01T08:00,N\n"
    (said,) = wrong(tmp_path, labs, BY_STAY + 'time = "at"\n', stays=stays)
    assert said == (
        "labs.csv, row 2, column stay: rows 2 and 5 of stays.csv have different mrn for stay '7'. "
        "Correct one, or choose rows with where"
    )
    chosen = BY_STAY.replace("}", ', where = { from = "2020-02-01T08:00", icu = "N" } }')
    stays = STAYS + "7,B,2020-02-01T08:00,Y\n7,,2020-02-01T08:00,N\n"
    assert drawn(tmp_path, labs, chosen + 'time = "at"\n', stays=stays) == [
        ("A", "2020-02-01T00:00:00")
    ]


def test_every_mistake_of_a_looked_up_cell_is_told_with_its_row(tmp_path: Path) -> None:
    lines = (
        'person_id = { table = "stais", column = "mrn", key = "stay" }\n'
        'time = { column = "at", key = "stay" }\n'
        'ref_low = { table = "stays", always = "3", key = "stay" }\n'
        'ref_high = { table = "stays", column = "icu", key = { table = "labs", column = "x", key = "y" } }\n'
    )
    said = wrong(tmp_path, "stay,at,result\n", lines)
    hint = 'Write { table = "stays", column = "patient", key = "stay" }'
    assert [each.split(": ", 1)[1] for each in said[:3]] == [
        "no table is called 'stais'. Did you mean 'stays'?",
        f"'table' is missing. {hint}",
        f"'always' is not looked up. {hint}",
    ]
    unknown = [each.split(". Known")[0].split(". Did")[0] for each in said[3:]]
    assert unknown == [
        f"m.toml, row 19, labs[0].ref_high.key.{key}: unknown key {key!r}"
        for key in ("table", "key")
    ]
    columns = (
        'person_id = { table = "stays", column = "mnr", key = "sty", by = "visit" }\n'
        'time = { column = "h", in = "hours", since = { table = "stays", column = "fom", key = "stay" } }\n'
    )
    said = wrong(tmp_path, "stay,h,result\n7,1,5\n", columns)
    assert [each.split(": ", 1)[1].split(".")[0] for each in said] == [
        "stays", "stays", "labs", "stays",
    ]  # fmt: skip
    for each, column in zip(said, ("mnr", "sty", "visit", "fom"), strict=True):
        assert f"has no column {column!r}" in each


# ------------------------------------------------------------ counted from a time


@pytest.mark.parametrize(
    ("cell", "lengths", "times"),
    [
        ('in = "hours", since = { always = "2020-02-01T08:00" }', "0,1.5,-2", "02-01T08:00:00,02-01T09:30:00,02-01T06:00:00"),
        ('in = "minutes", since = { always = "2020-02-01T08:00" }', "90,1440", "02-01T09:30:00,02-02T08:00:00"),
        ('in = "days", since = { always = "2020-02-01T08:00" }', "0.5,2", "02-01T20:00:00,02-03T08:00:00"),
        ('in = "days", since = { always = "2020-02-01T08:00" }', "0,2.0", "02-01T00:00:00,02-03T00:00:00"),
        ('in = "days", since = { always = "2020-02-01" }, first = 1', "1,3", "02-01T00:00:00,02-03T00:00:00"),
        ('in = "hours", since = { always = "2020-02-01T08:00" }, nothing = [-1], words = { start = "0" }', "-1,start", "02-01T08:00:00"),
    ],
)  # fmt: skip
def test_a_time_is_counted_from_a_fixed_one(
    tmp_path: Path, cell: str, lengths: str, times: str
) -> None:
    labs = "mrn,n,result\n" + "".join(f"A,{each},5\n" for each in lengths.split(","))
    found = drawn(tmp_path, labs, BY_PERSON + f'time = {{ column = "n", {cell} }}\n')
    assert [time for _, time in found] == sorted(f"2020-{each}" for each in times.split(","))


def test_a_time_is_counted_from_a_column_of_its_row_of_another_table_and_of_another_row(
    tmp_path: Path,
) -> None:
    """Three anchors: beside the number, in the table of stays, and in the row of the same person's admission."""
    labs = "mrn,stay,n,result,beside\nA,7,24,5,2020-02-01T07:00\nB,8,0.5,6,2020-02-03T10:00\n"
    time = 'time = {{ column = "n", in = "hours", since = {} }}\n'
    beside = drawn(tmp_path, labs, BY_PERSON + time.format('"beside"'))
    assert beside == [("A", "2020-02-02T07:00:00"), ("B", "2020-02-03T10:30:00")]
    since = '{ table = "stays", column = "from", key = "stay" }'
    assert drawn(tmp_path, labs, BY_STAY + time.format(since)) == [
        ("A", "2020-02-02T08:00:00"), ("B", "2020-02-03T11:00:00"),
    ]  # fmt: skip
    rows = (
        "mrn,event,n,result,beside\nA,admission,,,2020-02-01T07:00\nA,death,,,2020-02-09T07:00\n"
        "A,draw,24,5,\n"
    )
    since = '{ table = "labs", column = "beside", key = "mrn", where = { event = "admission" } }'
    # the time of the rows without a number is blank, and so are they
    assert drawn(tmp_path, rows, BY_PERSON + time.format(since)) == [("A", "2020-02-02T07:00:00")]


def test_a_day_counted_from_a_day_is_a_date(tmp_path: Path) -> None:
    """Day 2 of a dose is the date, as if it were written; a date that ends is the whole day."""
    mapping = (
        '[tables.t]\nfile = "t.csv"\nperson_id = "who"\n[persons]\n[[doses]]\ndrug = "drug"\n'
        'start = { column = "a", in = "days", since = "came" }\n'
        'end = { column = "b", in = "days", since = "came" }\n'
        'amount = "mg"\namount_unit = { always = "mg" }\nweight_kg = "kg"\n'
    )
    table = "who,drug,came,a,b,mg,kg\nA,anakinra,2020-02-01T08:00,0,2,100,61.5\n"
    dose = opened(tmp_path, mapping, t=table).administrations
    assert dose["date_only"].tolist() == [True]
    assert [iso(dose["start"][0]), iso(dose["end"][0])] == [
        "2020-02-01T00:00:00",
        "2020-02-04T00:00:00",
    ]
    assert dose["weight_kg"].tolist() == [61.5]


@pytest.mark.parametrize(
    ("n", "anchor", "said"),
    [
        ("x", "2020-02-01T08:00", "labs.csv, row 2, column n: 'x' is not a number of hours. Write a number alone, or give it a meaning with words"),
        ("5", "2020-02-01", "labs.csv, row 2, column n: 5 hours after beside 2020-02-01, a date without a time of day. Write its time of day, or count in whole days"),
        ("5", "01/02/2020", "labs.csv, row 2, column n: 5 hours after beside: '01/02/2020' can be read in two ways. Write 2020-02-01 or 2020-01-02"),
        ("1e300", "2020-02-01T08:00", "labs.csv, row 2, column n: 1e300 hours after beside is not a date. Correct the number"),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_counted_stops_with_file_row_and_column(
    tmp_path: Path, n: str, anchor: str, said: str
) -> None:
    lines = BY_PERSON + 'time = { column = "n", in = "hours", since = "beside" }\n'
    labs = f"mrn,n,result,beside\nA,{n},5,{anchor}\n"
    assert wrong(tmp_path, labs, lines) == [said]


def test_a_blank_anchor_is_a_blank_time_where_that_is_counted_and_else_a_mistake(
    tmp_path: Path,
) -> None:
    """A result without a time is refused and counted; an end that nobody can count would leave the dose open."""
    labs = "mrn,n,result,beside\nA,5,5,\nA,5,5,9999-12-31\nA,-99,5,2020-02-01T08:00\nA,NA,5,2020-02-01T08:00\n"
    lines = BY_PERSON + 'time = { column = "n", in = "hours", since = "beside" }\n'
    found = HEAD + lines
    for name, text in (("patients", PATIENTS), ("stays", STAYS), ("labs", labs)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    (tmp_path / "m.toml").write_text(found, encoding="utf-8")
    source = open_records(str(tmp_path), mapping=str(tmp_path / "m.toml"))
    (refused,) = source.refused()
    assert refused.rows == 4
    available = (
        BY_PERSON + 'time = "beside"\navailable = { column = "n", in = "hours", since = "late" }\n'
    )
    labs = "mrn,n,result,beside,late\nA,5,5,2020-02-01T08:00,\n"
    assert wrong(tmp_path, labs, available) == [
        "labs.csv, row 2, column n: 5 hours after late, which is blank. Write the time it is counted from"
    ]


def test_an_offset_of_the_anchor_stays(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("who,n,came\nA,5,2020-02-01T08:00+02:00\n", encoding="utf-8")
    mapped = parse(
        '[tables.t]\nfile = "t.csv"\nperson_id = "who"\n[persons]\n[[stays]]\n'
        'start = { column = "n", in = "hours", since = "came" }\n',
        "m.toml",
    )
    flat = read_flat(tmp_path / "t.csv", mapped.tables["t"], ["who", "n", "came"])
    (stays,) = fill(mapped, {"t": flat})["stays"]
    assert stays.columns["start"] == ["2020-02-01T13:00:00+02:00"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('{ column = "n", in = "hour", since = "beside" }', "m.toml, row 16, labs[0].time.in: no unit of time is called 'hour'. Did you mean 'hours'?"),
        ('{ column = "n", in = "hours" }', "m.toml, row 16, labs[0].time: 'since' is missing. Write { column = \"hour\", in = \"hours\", since = \"admitted\" }"),
        ('{ column = "n", since = "beside" }', "m.toml, row 16, labs[0].time: 'in' is missing. Write { column = \"hour\", in = \"hours\", since = \"admitted\" }"),
        ('{ column = "n", in = "hours", since = { always = "2020-02-01" } }', "m.toml, row 16, labs[0].time.since: time: hours cannot be counted from 2020-02-01, a date without a time. Write 2020-02-01T00:00, or the time that is meant"),
        ('{ column = "n", in = "days", since = { always = "1.2.2020" } }', "m.toml, row 16, labs[0].time.since: time: '1.2.2020' can be read in two ways. Write 2020-02-01 or 2020-01-02"),
        ('{ always = "one", in = "days", since = "beside" }', "m.toml, row 16, labs[0].time: time: 'one' is not a number of days"),
        ('{ column = "n", in = "days", since = "beside", first = "x" }', "m.toml, row 16, labs[0].time.first: needs a number"),
        ('"beside"\nref_low = { column = "n", in = "hours", since = "beside" }', "m.toml, row 17, labs[0].ref_low.in: ref_low is not a time. Times of labs: time, start, available"),
    ],
)  # fmt: skip
def test_a_mistake_in_counting_is_told_before_any_row_is_read(
    tmp_path: Path, cell: str, said: str
) -> None:
    labs = "mrn,n,result,beside\nA,x,5,x\n"
    assert wrong(tmp_path, labs, f"time = {cell}\n{BY_PERSON}") == [said]


# ------------------------------------------------------------ columns without a name


def unnamed(cell: str, header: str = ",when,result") -> tuple[str, str]:
    mapping = (
        f'[tables.t]\nfile = "t.csv"\nperson_id = {cell}\n[persons]\n[[labs]]\n'
        'time = "when"\nname = { always = "ferritin" }\nunit = { always = "ng/mL" }\nvalue = "result"\n'
    )
    return mapping, f"{header}\nA,2020-02-01,5\nB,2020-02-01,6\n"


def test_a_column_without_a_name_is_named_by_its_position(tmp_path: Path) -> None:
    mapping, table = unnamed("{ position = 1 }")
    assert opened(tmp_path, mapping, t=table).persons["person_id"].tolist() == ["A", "B"]


@pytest.mark.parametrize(
    ("cell", "header", "said"),
    [
        ("{ position = 1 }", "id,when,result", "m.toml, row 3, tables.t.person_id: column 1 of t.csv has the name 'id'. Write column = \"id\""),
        ("{ position = 4 }", ",when,result", "m.toml, row 3, tables.t.person_id: t.csv has only 3 columns"),
        ("{ position = 0 }", ",when,result", "m.toml, row 3, tables.t.person_id.position: needs a whole number. The first column is 1"),
        ('{ position = 1, column = "when" }', ",when,result", "m.toml, row 3, tables.t.person_id: needs either 'column' or 'always'. A column without a name is { position = 1 }"),
        ('"id"', ",when,result", "m.toml, row 3, tables.t.person_id: t.csv has no column 'id'. Known: result, when"),
    ],
)  # fmt: skip
def test_a_wrong_position_is_a_mistake_of_the_mapping(
    tmp_path: Path, cell: str, header: str, said: str
) -> None:
    mapping, table = unnamed(cell, header)
    assert refusal(tmp_path, mapping, t=table) == [said]


# ------------------------------------------------------------ workbooks

BOOK = """
[tables.p]
file = "export.xlsx"
[tables.l]
file = "export.xlsx"
sheet = "Results 2020"
[persons]
table = "p"
person_id = "mrn"
sex = "sex"
[[labs]]
table = "l"
person_id = "mrn"
time = "at"
[labs.columns]
Ferritin = { name = "ferritin", unit = "ng/mL" }
"""
PERSONS: list[list[object]] = [["mrn", "sex"], ["A", "F"], [12.0, "M"]]
RESULTS: list[list[object]] = [
    ["mrn", "at", "Ferritin"],
    ["A", datetime(2020, 2, 1, 8, 30), 900.5],
    [None, None, None],
    [12, "2020-02-02", 300],
]


def book(folder: Path, **tabs: list[list[object]]) -> str:
    """Write a workbook and its mapping; return the mapping's path."""
    write_book(folder / "export.xlsx", **tabs)
    (folder / "m.toml").write_text(BOOK, encoding="utf-8")
    return str(folder / "m.toml")


@pytest.mark.parametrize("alone", [True, False])
def test_sheets_of_a_workbook_are_tables(tmp_path: Path, alone: bool) -> None:
    """The first sheet without a name, the other by its name; the file may be named alone, or its folder."""
    mapping = book(tmp_path, Patients=PERSONS, **{"Results 2020": RESULTS})
    source = open_records(str(tmp_path / "export.xlsx" if alone else tmp_path), mapping=mapping)
    (chunk,) = source.chunks()
    assert chunk.persons["person_id"].tolist() == ["12", "A"]
    frame = chunk.measurements
    assert [iso(time) for time in frame["time"]] == ["2020-02-02T00:00:00", "2020-02-01T08:30:00"]
    assert frame["value"].tolist() == [300, 900.5]
    keys = [(chunk.kinds[k].table, key) for k, key in zip(frame["kind"], frame["key"], strict=True)]
    assert keys == [("export Results 2020[Ferritin]", 4), ("export Results 2020[Ferritin]", 2)]
    assert [each.name for each in source.inputs()] == ["export.xlsx", "m.toml"]


def test_a_cell_with_an_error_of_the_workbook_is_a_mistake(tmp_path: Path) -> None:
    """An #N/A among the results is not a blank: its row and column are told."""
    rows = [*RESULTS, ["A", datetime(2020, 2, 3, 8, 30), "#N/A"]]
    mapping = book(tmp_path, Patients=PERSONS, **{"Results 2020": rows})
    with pytest.raises(BecalmError) as caught:
        open_records(str(tmp_path), mapping=mapping)
    assert caught.value.line() == (
        "export.xlsx, sheet Results 2020, row 5, column Ferritin: the cell shows the error #N/A. "
        "Correct it, or clear the cell if the value is unknown"
    )


def test_a_workbook_without_the_sheet_and_a_sheet_of_no_workbook(tmp_path: Path) -> None:
    mapping = book(tmp_path, Patients=PERSONS, Results=RESULTS)
    with pytest.raises(BecalmError) as caught:
        open_records(str(tmp_path), mapping=mapping)
    assert caught.value.line() == (
        "m.toml, row 6, tables.l.sheet: export.xlsx has no sheet 'Results 2020'. Did you mean 'Results'?"
    )
    text = BOOK.replace("export.xlsx", "export.csv").replace(
        "[persons]", 'separator = ";"\n[persons]'
    )
    assert refusal(tmp_path, text) == [
        "m.toml, row 6, tables.l.sheet: 'sheet' has no effect on export.csv. Remove it; it is for .xlsx"
    ]
    text = BOOK.replace("[persons]", 'separator = ";"\n[persons]')
    assert refusal(tmp_path, text) == [
        "m.toml, row 7, tables.l.separator: 'separator' has no effect on export.xlsx. "
        "Remove it; it is for .csv, .tsv, .txt"
    ]


# ------------------------------------------------------------ every column


@pytest.mark.parametrize("sheet", [name for name in SHEETS if name != "persons"])
def test_every_column_of_every_sheet_can_be_filled(tmp_path: Path, sheet: str) -> None:
    """A column that is added to a sheet, such as the weight in the row of a dose, can be mapped as well."""
    columns = list(SHEETS[sheet].columns)
    (tmp_path / "t.csv").write_text(
        ",".join(f"my_{name}" for name in columns) + "\n" + ",".join(columns) + "\n",
        encoding="utf-8",
    )
    mapped = parse(
        f'[tables.t]\nfile = "t.csv"\n[persons]\nperson_id = "my_person_id"\n[[{sheet}]]\n'
        + "\n".join(f'{name} = "my_{name}"' for name in columns),
        "m.toml",
    )
    flat = read_flat(tmp_path / "t.csv", mapped.tables["t"], [f"my_{name}" for name in columns])
    (filled,) = fill(mapped, {"t": flat})[sheet]
    assert filled.columns == {name: [name] for name in columns}
