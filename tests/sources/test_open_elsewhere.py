"""A workbook that is open in another program: read as it was saved last, told in a line, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.errors import BecalmError, UnreadableFileError
from becalm.records import open_records
from becalm.records.review.answers import AnswerBook, Answered
from becalm.records.review.entry import SheetDesk
from tests.records import lab, person, sheets, workbook

ROWS = (person("P1"), lab("ferritin", 9000, 1, person="P1"))
TOLD = "is open in another program ({0} is beside it): it was read as it was saved last"


@pytest.mark.parametrize("beside", ["~${0}", ".~lock.{0}#"])
def test_it_is_read_as_it_was_saved_last(tmp_path: Path, beside: str) -> None:
    """Excel and LibreOffice keep a file beside it; the workbook and that file stay as they are."""
    file = workbook(tmp_path / "five.xlsx", *ROWS)
    assert open_records(str(file)).notices == ()
    lock = file.with_name(beside.format(file.name))
    lock.write_bytes(b"somebody")
    before = file.read_bytes()
    source = open_records(str(file))
    (notice,) = source.notices
    assert notice.startswith(f"five.xlsx {TOLD.format(lock.name)}")
    (chunk,) = source.chunks()
    assert chunk.measurements["value"].tolist() == [9000]
    out = tmp_path / "results"
    done = CliRunner().invoke(
        main, ["study", str(file), "--protocol", "hyperinflammation", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert TOLD.format(lock.name) in (out / "report.html").read_text("utf-8").replace("&#39;", "'")
    assert (file.read_bytes(), lock.read_bytes()) == (before, b"somebody")


def test_a_sheet_that_is_open_is_told_too(tmp_path: Path) -> None:
    folder = sheets(tmp_path / "records", *ROWS)
    (folder / ".~lock.labs.csv#").touch()
    (notice,) = open_records(str(folder)).notices
    assert notice.startswith("labs.csv is open")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half of it", b"~"])
def test_what_is_only_half_saved_is_one_line(tmp_path: Path, content: bytes) -> None:
    """It says to close the other program; without the file beside it, to save it again."""
    file = workbook(tmp_path / "five.xlsx", *ROWS)
    file.write_bytes(content)
    (tmp_path / "~$five.xlsx").touch()
    done = CliRunner().invoke(main, ["study", str(file), "--out", str(tmp_path / "results")])
    assert done.exit_code == UnreadableFileError.exit_code
    assert done.output.count("five.xlsx:") == 1
    assert "It is open in another program: save it there, close it, and run again" in done.output
    assert not (tmp_path / "results").exists()
    (tmp_path / "~$five.xlsx").unlink()
    assert "another program" not in CliRunner().invoke(main, ["doctor", str(file)]).output


def test_what_is_typed_meanwhile_is_refused_and_what_was_saved_stays(tmp_path: Path) -> None:
    """The page reads the workbook again before it saves a correction; answers need no workbook and are kept."""
    file = workbook(tmp_path / "five.xlsx", *ROWS)
    desk = SheetDesk(file)
    new = {"person_id": "P1", "time": "2020-01-05", "name": "crp", "value": "7", "unit": "mg/L"}
    assert desk.enter("labs", new, "A") == "+2"
    kept = desk.file.read_bytes()
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    (tmp_path / "~$five.xlsx").touch()
    with pytest.raises(BecalmError, match=r"XLSX workbook"):
        desk.enter("labs", new, "A")
    assert desk.file.read_bytes() == kept
    book = AnswerBook(desk.folder, [], frozenset({"P1"}))
    assert book.add(Answered("P1", "A", "relapse", "no", "", "")) == 2
    file.write_bytes(whole)
    (chunk,) = open_records(str(file)).chunks()
    assert sorted(chunk.measurements["value"].tolist()) == [7, 9000]
    assert len(chunk.judgements) == 1
