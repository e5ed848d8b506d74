"""Judgements of reviewers: as a sheet and in the folder beside the records, which answer counts, and what is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from becalm.cli import main
from becalm.core.clock import iso
from becalm.core.errors import BecalmError
from becalm.core.frame import Frame
from becalm.records import open_records
from becalm.records.review.folder import added_rows, review_folder
from becalm.records.sheets.standing import AnswerTime, answer_time
from tests.records.chart_review import write
from tests.sources.test_sheets import LABS

HEAD = "person_id,reviewer,question,answer,confidence,time,comment\n"


def review(folder: Path, sheet: str = "", beside: str | None = None) -> Path:
    """Write two patients with judgements in a sheet and, if given, in the folder beside them."""
    records = folder / "records"
    records.mkdir(exist_ok=True)
    texts = {"persons": "person_id\nP1\nP2\n", "labs": LABS}
    if sheet:
        texts["judgements"] = HEAD + sheet
    write(records, **texts)
    if beside is not None:
        (folder / "records.becalm").mkdir(exist_ok=True)
        (folder / "records.becalm" / "judgements.csv").write_text(HEAD + beside, encoding="utf-8")
    return records


def judgements(records: Path) -> Frame:
    (chunk,) = open_records(str(records)).chunks()
    return chunk.judgements


def holding(records: Path) -> list[tuple[str, str, str]]:
    """Return reviewer, question and answer of what holds."""
    frame = judgements(records)
    kept = frame.take(frame["holds"])
    columns = (kept[name].tolist() for name in ("reviewer", "question", "answer"))
    return sorted(zip(*columns, strict=True))


def mistake(records: Path) -> str:
    with pytest.raises(BecalmError) as told:
        list(open_records(str(records)).chunks())
    return told.value.line()


def test_answers_of_the_sheet_and_of_the_folder_are_read_together(tmp_path: Path) -> None:
    """Both in one format; each row leads back to where it stands."""
    records = review(
        tmp_path,
        "P1,A,storm_active,YES,high,2024-01-02T10:00,sure\n",
        "P1,B,storm_active,no,,2024-01-03T10:00:00.5Z,\nP2,A,relapse,cannot tell,,,\n",
    )
    assert holding(records) == [
        ("A", "relapse", "cannot tell"),
        ("A", "storm_active", "yes"),
        ("B", "storm_active", "no"),
    ]
    frame = judgements(records)
    assert set(zip(frame["table"].tolist(), frame["key"].tolist(), strict=True)) == {
        ("", 2), ("judgements.csv", 2), ("judgements.csv", 3)
    }  # fmt: skip
    source = open_records(str(records))
    assert source.inputs()[-1].name == "../records.becalm/judgements.csv"
    assert "judgements" not in {each.table for each in source.absent()}


def test_the_folder_beside_a_workbook_has_its_whole_name() -> None:
    assert review_folder("/data/five.xlsx") == Path("/data/five.xlsx.becalm")
    assert review_folder("/data/records/") == Path("/data/records.becalm")
    assert review_folder(".") == Path.cwd().with_name(f"{Path.cwd().name}.becalm")
    assert review_folder("postgres://here/records") is None


def test_a_blank_form_says_nothing(tmp_path: Path) -> None:
    """A row with a question and no answer is a form; with a comment it is kept, and no answer."""
    records = review(tmp_path, "P1,A,storm_active,,,,\nP1,A,relapse,,,,look again\n")
    assert holding(records) == []
    assert judgements(records)["comment"].tolist() == ["look again"]


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        ("2024-01-02T10:00", "2024-01-02T10:01", "no"),
        ("2024-01-02T10:01", "2024-01-02T10:00", "yes"),
        ("2024-01-02", "2024-01-03T00:00", "no"),
        ("2024-01-02T10:00+02:00", "2024-01-02T09:00Z", "no"),
        ("2024-01-02T10:00Z", "2024-01-03T00:01", "no"),
    ],
)
def test_the_later_answer_of_a_reviewer_counts(
    tmp_path: Path, first: str, second: str, holds: str
) -> None:
    sheet = f"P1,A,storm_active,yes,,{first},\nP1,a ,storm_active,no,,{second},\n"
    records = review(tmp_path, sheet)
    assert [answer for _, _, answer in holding(records)] == [holds]
    assert len(judgements(records)) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", ""),
        ("2024-01-02T10:00", ""),
        ("2024-01-02T10:00", "2024-01-02T10:00"),
        ("2024-01-02", "2024-01-02T23:59"),
        ("2024-01-02T10:00Z", "2024-01-03T00:00"),
    ],
)
def test_two_answers_of_which_nobody_knows_the_later_stop(
    tmp_path: Path, first: str, second: str
) -> None:
    """The same answer twice is one answer."""
    records = review(
        tmp_path, f"P1,A,storm_active,yes,,{first},\nP1,A,storm_active,no,,{second},\n"
    )
    told = mistake(records)
    assert "judgements.csv, row 3, column answer: 'A' answered storm_active of 'P1' twice" in told
    assert "Write the time of both" in told
    same = review(tmp_path, f"P1,A,storm_active,yes,,{first},\nP1,A,storm_active,yes,,{second},\n")
    assert [answer for _, _, answer in holding(same)] == ["yes"]


def test_in_the_folder_the_row_further_down_counts_and_a_blank_takes_back(tmp_path: Path) -> None:
    """Clocks may go back; the order of the rows does not."""
    later = "P1,A,relapse,yes,,2024-01-02T10:00Z,\nP1,A,relapse,no,,2024-01-02T09:00Z,\n"
    assert holding(review(tmp_path, beside=later)) == [("A", "relapse", "no")]
    back = later + "P1,A,relapse,,,2024-01-02T11:00Z,\n"
    records = review(tmp_path, beside=back)
    assert holding(records) == []
    assert len(judgements(records)) == 3


def test_two_consensus_answers_stop_unless_the_first_was_taken_back(tmp_path: Path) -> None:
    one, other = "P1,consensus,relapse,yes,,2024-01-02,\n", "P1,Consensus,relapse,no,,2024-02-02,\n"
    told = mistake(review(tmp_path, one + other))
    assert "judgements.csv, row 3, column answer: two consensus answers about 'P1'" in told
    told = mistake(review(tmp_path, one, other))
    assert told.startswith("records.becalm/judgements.csv, row 2, column answer: two consensus")
    back = one + "P1,consensus,relapse,,,,\n" + other
    (tmp_path / "records" / "judgements.csv").unlink()
    assert holding(review(tmp_path, beside=back)) == [("Consensus", "relapse", "no")]


@pytest.mark.parametrize(
    ("row", "column", "what"),
    [
        ("P9,A,relapse,no,,,", "person_id", "the sheet persons has no 'P9'"),
        ("P1,A,relapsed,no,,,", "question", "'relapsed' is not one of the list"),
        ("P1,A,relapse,maybe,,,", "answer", "'maybe' is not one of the list"),
        ("P1,A,relapse,drug,,,", "answer", "'drug' is no answer to relapse"),
        ("P1,A,relapse,no,certain,,", "confidence", "'certain' is not one of the list"),
        ("P1,A,relapse,no,,yesterday,", "time", "'yesterday' is not a date or a time"),
        ("P1,,relapse,no,,,", "reviewer", "reviewer is blank"),
        ("P1,A,,no,,,", "question", "question is blank"),
    ],
)
@pytest.mark.parametrize("beside", [False, True])
def test_a_mistake_is_one_line_with_file_row_and_column(
    tmp_path: Path, row: str, column: str, what: str, beside: bool
) -> None:
    """And no command gives a result."""
    records = review(tmp_path, **{"beside" if beside else "sheet": f"P1,B,relapse,no,,,\n{row}\n"})
    told = mistake(records)
    file = "records.becalm/judgements.csv" if beside else "judgements.csv"
    assert told.startswith(f"{file}, row 3, column {column}: {what}"), told
    done = CliRunner().invoke(main, ["screen", str(records), "--out", str(tmp_path / "c.csv")])
    assert done.exit_code == 4
    assert not (tmp_path / "c.csv").exists()


def test_a_row_that_was_cut_off_is_told_and_not_read(tmp_path: Path) -> None:
    """Whoever wrote it was told nothing; a whole row without the end of its line counts."""
    records = review(tmp_path, beside="P1,A,relapse,no,,,\nP2,A,rel")
    assert holding(records) == [("A", "relapse", "no")]
    assert "the last row was not finished" in open_records(str(records)).notices[-1]
    records = review(tmp_path, beside="P1,A,relapse,no,,,\nP2,A,relapse,yes,,,")
    assert len(holding(records)) == 2
    quoted = review(tmp_path, beside='P1,A,relapse,no,,,\nP2,A,relapse,yes,,,"it was')
    assert len(holding(quoted)) == 1
    assert added_rows(tmp_path / "records.becalm" / "judgements.csv").torn.endswith('"it was')


def test_the_time_of_an_answer_is_a_range_where_the_clock_is_not_known() -> None:
    assert answer_time("") == AnswerTime()
    assert answer_time("31.12.2024") is None
    with_offset = answer_time("2024-01-02T10:00+02:00")
    assert with_offset
    assert iso(with_offset.shown) == "2024-01-02T10:00:00"
    assert iso(with_offset.earliest) == "2024-01-02T08:00:00"
