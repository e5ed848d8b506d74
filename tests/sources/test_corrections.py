"""Rows entered and corrected in the page: read above the sheets, checked as the command checks, and noticed where the sheet changed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from becalm.core.errors import BecalmError, OutputError, UsageError
from becalm.records import Records, open_records
from becalm.records.review.corrections import HEADER
from becalm.records.review.entry import RowChange, SheetDesk
from becalm.records.template import copy_template
from tests.records.chart_review import differences, write

PERSONS = "person_id,sex\nP1,F\nP2,M\n"
LABS = "person_id,time,name,value,unit\nP1,2020-03-04T10:00,ferritin,9850,ng/mL\nP1,2020-03-05T10:00,ferritin,12000,ng/mL\n"


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return write(tmp_path / "records", persons=PERSONS, labs=LABS)


def read(records: Path) -> Records:
    (chunk,) = open_records(str(records)).chunks()
    return chunk


def ferritins(records: Path) -> list[float]:
    return [float(each) for each in read(records).measurements["value"].tolist()]


def mistake(records: Path) -> str:
    with pytest.raises(BecalmError) as told:
        list(open_records(str(records)).chunks())
    return told.value.line()


def change(desk: SheetDesk, row: str, column: str, value: str, who: str = "A") -> int:
    (found,) = [each for each in desk.rows("labs", "P1") if each.row == row]
    return desk.correct(
        "labs", RowChange(row, found.cells, {**found.cells, column: value}), who, "typo"
    )


def test_a_cell_is_corrected_and_the_sheet_is_not_touched(records: Path) -> None:
    before = {path.name: path.read_bytes() for path in records.iterdir()}
    desk = SheetDesk(records)
    assert change(desk, "2", "value", "985") == 1
    assert change(desk, "2", "value", "958", "B") == 1
    assert ferritins(records) == [958, 12000]
    assert {path.name: path.read_bytes() for path in records.iterdir()} == before
    with desk.file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["who"], row["was"], row["value"], row["row"]) for row in rows] == [
        ("A", "9850", "985", "2"),
        ("B", "985", "958", "2"),
    ]
    assert all(row["time"].endswith("Z") for row in rows)
    source = open_records(str(records))
    assert "2 corrections and entries by A, B are read" in source.notices[0]
    assert source.inputs()[-1].name == "../records.becalm/corrections.csv"


def test_a_row_is_entered_corrected_and_left_out(records: Path) -> None:
    """It leads back to the row of the file; a row that is left out stays where it is."""
    desk = SheetDesk(records)
    cells = {
        "person_id": "P2",
        "time": "2020-03-06 08:00",
        "name": "ferritin",
        "value": ">500",
        "unit": "ng/mL",
    }
    assert desk.enter("labs", cells, "A") == "+2"
    assert (
        desk.enter("cultures", {"person_id": "P2", "specimen": "blood", "result": "no growth"}, "A")
        == "+3"
    )
    assert desk.enter("persons", {"person_id": "P3", "sex": "F"}, "A") == "+4"
    chunk = read(records)
    assert chunk.persons["person_id"].tolist() == ["P1", "P2", "P3"]
    assert chunk.measurements["text"].tolist() == ["", "", ">500"]
    assert chunk.cultures["key"].tolist() == [3]
    (row,) = desk.rows("labs", "P2")
    desk.correct("labs", RowChange(row.row, row.cells, {**row.cells, "value": "501"}), "B")
    assert ferritins(records)[-1] == 501
    (row,) = desk.rows("labs", "P2")
    desk.leave_out("labs", row, "B", "of another patient")
    desk.leave_out("labs", desk.rows("labs", "P1")[0], "B", "haemolysed")
    assert ferritins(records) == [12000]
    assert desk.rows("labs", "P2") == []


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"time": "yesterday"}, "column time: 'yesterday' is not a date or a time"),
        ({"person_id": "P9"}, "column person_id: the sheet persons has no 'P9'"),
        ({"person_id": ""}, "column person_id: person_id is blank"),
    ],
)
def test_what_the_command_would_refuse_is_not_saved(
    records: Path, cells: dict[str, str], told: str
) -> None:
    desk = SheetDesk(records)
    row = {
        "person_id": "P1",
        "time": "2020-03-06",
        "name": "ferritin",
        "value": "1",
        "unit": "ng/mL",
    }
    assert desk.check("labs", row).wrong == ()
    checks = desk.check("labs", row | cells)
    assert [each.startswith(told) for each in checks.wrong] == [True], checks
    with pytest.raises(UsageError, match="column"):
        desk.enter("labs", row | cells, "A")
    assert not desk.file.exists()


def test_what_would_not_be_used_is_told(records: Path) -> None:
    """It may be saved: the command counts such cells and goes on."""
    desk = SheetDesk(records)
    (note,) = desk.check("persons", {"person_id": "P4", "height_cm": "16.4"}).notes
    assert "outside plausible range" in note
    assert desk.check("labs", {"person_id": "P1"}).wrong == ("the row is empty",)
    with pytest.raises(UsageError, match="no sheet"):
        desk.check("judgements", {})
    with pytest.raises(UsageError, match="is there already"):
        desk.enter("persons", {"person_id": "P2", "sex": "F"}, "A")
    with pytest.raises(UsageError, match="has no name"):
        desk.enter("persons", {"person_id": "P5", "sex": "F"}, " ")


def test_a_sheet_that_was_changed_meanwhile_is_noticed(records: Path) -> None:
    """By the cell, by the person of the row, and by a row that is gone: one line, and no result."""
    desk = SheetDesk(records)
    change(desk, "2", "value", "985")
    labs = (records / "labs.csv").read_text()
    (records / "labs.csv").write_text(labs.replace("9850", "98500"))
    told = mistake(records)
    assert told.startswith(
        "records.becalm/corrections.csv, row 2, column was: value of row 2 of labs was '9850'"
    )
    (records / "labs.csv").write_text(labs.replace("P1,2020-03-04", "P2,2020-03-04"))
    assert "row 2 of labs is about another person" in mistake(records)
    (records / "labs.csv").write_text(labs.splitlines()[0] + "\n")
    assert "labs has no row 2" in mistake(records)


def test_two_people_on_one_row_one_is_told(records: Path) -> None:
    one, other = SheetDesk(records), SheetDesk(records)
    (seen, _) = other.rows("labs", "P1")
    change(one, "2", "value", "985")
    with pytest.raises(UsageError, match="somebody changed this row meanwhile"):
        other.correct("labs", RowChange("2", seen.cells, {**seen.cells, "value": "900"}), "B")
    assert ferritins(records) == [985, 12000]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (",A,labz,2,P1,value,9850,1,", "column sheet: no sheet is called 'labz'"),
        (",A,labs,2,P1,valeu,9850,1,", "column column: labs has no column 'valeu'"),
        (",A,labs,99,P1,value,9850,1,", "column row: labs has no row 99"),
        (",A,labs,,P1,,,not json,", "column value: the cells of a new row cannot be read"),
        (",A,labs", ": not as many cells as row 1"),
    ],
)
def test_a_file_that_was_written_by_hand_is_checked(records: Path, row: str, told: str) -> None:
    folder = records.with_name("records.becalm")
    folder.mkdir()
    (folder / "corrections.csv").write_text(",".join(HEADER) + "\n" + row + "\n")
    assert told in mistake(records)


def test_save_as_writes_a_workbook_that_reads_the_same(tmp_path: Path) -> None:
    """Corrections included; a file that is there is never replaced."""
    book = copy_template(tmp_path / "five.xlsx", filled=True, kind="xlsx")
    desk = SheetDesk(book)
    (row, *_) = desk.rows("labs", "EXAMPLE-1")
    desk.correct("labs", RowChange(row.row, row.cells, {**row.cells, "value": "9851"}), "A")
    before = read(book)
    judged = [
        [each.cells.get(name, "") for name in ("person_id", "reviewer", "question", "answer", "confidence", "time", "comment")]
        for each in desk.everything("judgements")
    ]  # fmt: skip
    saved = desk.save_as(tmp_path / "six.xlsx", judged)
    assert differences(before, read(saved)) == []
    assert open_records(str(saved)).info == open_records(str(book)).info
    with pytest.raises(OutputError, match="is there already"):
        desk.save_as(saved, judged)
