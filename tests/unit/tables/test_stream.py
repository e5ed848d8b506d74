"""A table in pieces is the same file as in one, and is refused out of order."""

import csv
from pathlib import Path

import numpy as np
import pytest

from becalm import tables
from becalm.core.columns import Categorical, Keyed
from becalm.core.frame import Frame
from becalm.tables import stream, writing

IDS = [f"{at:03}" for at in range(50)]


def values(*ids: str) -> Frame:
    return Frame.of(
        tables.VALUES,
        person_id=ids,
        variable=["ferritin"] * len(ids),
        n=[int(each) for each in ids],
        first=[np.nan] * len(ids),
        time_of_max=np.arange(len(ids)) * 1_000_000,
    )


def cut(frame: Frame, size: int) -> list[Frame]:
    return [frame.take(np.arange(at, min(at + size, 50))) for at in range(0, 50, size)]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_where_a_piece_begins_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(stream, "_BLOCK", 16)
    written = set()
    for size in (1, 7, 16, 50):
        path = tmp_path / f"{size}.{form}"
        assert stream.write("values", iter(cut(values(*IDS), size)), path) == 50
        written.add(path.read_bytes())
    assert len(written) == 1
    assert len(list(tmp_path.iterdir())) == 4


def test_a_table_in_pieces_reads_as_the_whole_table(tmp_path: Path) -> None:
    stream.write("values", iter(cut(values(*IDS), 9)), tmp_path / "pieces.csv")
    writing.write("values", values(*IDS), tmp_path, formats=("csv",))
    assert (tmp_path / "pieces.csv").read_text() == (tmp_path / "values.csv").read_text()


def test_one_cell_that_could_be_calculated_is_found_in_whichever_piece(tmp_path: Path) -> None:
    """Columns of codes are looked at once for each text; numbers and other texts stay as they are."""
    pieces = [
        values(each).replace(
            unit=Categorical.of(np.array([unit], object)),
            variable=Keyed(Categorical.of(np.array([table], object)), np.array([at])),
            censored=np.array([sign], object),
        )
        for at, (each, unit, table, sign) in enumerate(
            [("1", "mg", "labs", "a"), ("2", "=1+1", "-5", "b"), ("3", "-5", "labs", "+c")]
        )
    ]
    stream.write("values", iter(pieces), tmp_path / "pieces.csv")
    writing.write("values", Frame.concat(pieces), tmp_path, formats=("csv",))
    with (tmp_path / "pieces.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["unit"] for row in rows] == ["mg", "'=1+1", "-5"]
    assert [row["variable"] for row in rows] == ["labs:0", "'-5:1", "labs:2"]
    assert [row["censored"] for row in rows] == ["a", "b", "'+c"]
    assert (tmp_path / "pieces.csv").read_text() == (tmp_path / "values.csv").read_text()


def test_no_pieces_are_a_table_without_rows(tmp_path: Path) -> None:
    assert stream.write("values", iter(()), tmp_path / "none.csv") == 0
    assert (tmp_path / "none.csv").read_text().splitlines() == [",".join(tables.VALUES)]


def test_pieces_out_of_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not in the order of person_id"):
        stream.write("values", iter([values("2"), values("1")]), tmp_path / "values.csv")
    assert not list(tmp_path.iterdir())


def test_a_folder_whose_name_is_a_pattern_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "[ab]*"
    folder.mkdir()
    assert stream.write("values", iter([values("1")]), folder / "values.parquet") == 1
