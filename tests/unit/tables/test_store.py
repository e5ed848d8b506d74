"""Tables on disk read and are written as tables in memory."""

import errno
import gc
import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from becalm import tables
from becalm.core import on_demand, scratch
from becalm.core.columns import Categorical, Keyed, listed
from becalm.core.errors import OutputError
from becalm.core.frame import Frame
from becalm.tables import store, stream
from becalm.tables.schema import Column, Table
from becalm.tables.store import StoredFrame, TableStore

KINDS = Table(
    "kinds",
    "One column of each kind.",
    "row",
    {
        kind: Column(kind, "", kind)
        for kind in ("text", "time", "number", "code", "key", "flag", "count", "answer")
    }
    | {"source_row": Column("text", "", "Rows."), "word": Column("text", "", "Words.")},
)


def kinds(*numbers: int) -> Frame:
    count = len(numbers)
    return Frame(
        {
            "text": listed(f"p{each} ≥ ü" for each in numbers),
            "time": np.array(numbers, np.int64) * 1_000_000,
            "number": np.array([np.nan if each == 2 else each / 3 for each in numbers]),
            "code": np.array(numbers, np.int32),
            "key": np.array(numbers, np.int64),
            "flag": np.array([each % 2 == 0 for each in numbers]),
            "count": np.array(numbers, np.int64),
            "answer": listed([None, True, False][each % 3] for each in numbers),
            "source_row": Keyed(Categorical.by(np.zeros(count, np.int32), ["labs"]), np.array(numbers)),
            "word": Categorical.by(np.array(numbers, np.int32) % 2, ["even", "odd"]),
        }
    )  # fmt: skip


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "IN_MEMORY", 0)


def stored(*frames: Frame, name: str = "kinds") -> TableStore:
    held = TableStore()
    for frame in frames:
        held.add({name: frame})
    return held


@pytest.mark.usefixtures("on_disk")
def test_a_table_on_disk_reads_as_it_was() -> None:
    whole = Frame.concat([kinds(1, 2, 3), kinds(4, 5)])
    read = stored(kinds(1, 2, 3), kinds(), kinds(4, 5)).frame(KINDS)
    assert isinstance(read, StoredFrame)
    assert len(read) == 5
    for name in KINDS:
        assert read[name].dtype == whole[name].dtype
        np.testing.assert_array_equal(read[name], whole[name])
        assert not read[name].flags.writeable
    assert [*read["answer"]] == [True, False, None, True, False]
    assert all(each is None or isinstance(each, bool) for each in read["answer"])


@pytest.mark.usefixtures("on_disk")
def test_rows_of_a_table_on_disk_are_taken_sorted_and_selected() -> None:
    read = stored(kinds(3, 1, 2), kinds(5, 4)).frame(KINDS)
    assert read.sort("count")["count"].tolist() == [1, 2, 3, 4, 5]
    assert read.sort("text")["word"].tolist() == ["odd", "even", "odd", "even", "odd"]
    even = read.take(read["count"] % 2 == 0)
    assert (len(even), even["source_row"].tolist()) == (2, ["labs:2", "labs:4"])
    assert list(even.select(["word", "count"]).columns) == ["word", "count"]
    assert [row["count"] for row in even.light_rows()] == [2, 4]
    assert str([*read.rows()]) == str([dict(row) for row in read.light_rows()])


@pytest.mark.usefixtures("on_disk")
def test_only_what_was_used_last_is_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_demand, "KEPT", 4)
    read = stored(kinds(1, 2, 3)).frame(KINDS)
    first = read["count"]
    assert read["count"] is first
    assert read["key"].tolist() == read["count"].tolist() == [1, 2, 3]
    assert read["count"] is not first


def test_small_tables_stay_in_memory() -> None:
    assert type(stored(kinds(1)).frame(KINDS)) is Frame
    assert len(stored().frame(KINDS)) == 0


def values(*ids: str) -> Frame:
    return Frame.of(
        tables.VALUES,
        person_id=ids,
        variable=[f"v{-at % 7}" for at in range(len(ids))],
        n=list(range(len(ids))),
        first=[np.nan] * len(ids),
    )


@pytest.mark.parametrize(
    "pieces",
    [
        (values("1", "2", "2"), values("3"), values("5", "4")),
        (values("3", "4"), values("1", "2")),  # not in the order of the ids
        (values("1", "2"), values("2", "3")),  # a person in two pieces
    ],
)
@pytest.mark.usefixtures("on_disk")
def test_a_table_on_disk_is_written_as_one_in_memory(
    tmp_path: Path, pieces: tuple[Frame, ...]
) -> None:
    there = stored(*pieces, name="values").frame(tables.VALUES)
    for name, frame in (("disk", there), ("memory", Frame.concat(pieces))):
        (tmp_path / name).mkdir()
        stream.write_table("values", frame, tmp_path / name)
    for form in ("csv", "parquet"):
        disk, memory = (tmp_path / name / f"values.{form}" for name in ("disk", "memory"))
        assert disk.read_bytes() == memory.read_bytes()
    assert sorted(each.name for each in (tmp_path / "disk").iterdir()) == [
        "values.csv",
        "values.parquet",
    ]


@pytest.mark.usefixtures("on_disk")
def test_the_file_goes_with_its_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    held = stored(kinds(1))
    frame = held.frame(KINDS)
    [file] = [each for each in scratch.folder().iterdir() if each.name != "lock"]
    del held
    gc.collect()
    assert frame["count"].tolist() == [1]
    del frame
    gc.collect()
    assert not file.exists()


class Full(io.BytesIO):
    """A file on a disk that is full."""

    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.usefixtures("on_disk")
def test_a_full_disk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    scratch.new_place()
    monkeypatch.setattr(Path, "open", lambda *_, **__: Full())
    with pytest.raises(OutputError, match=r"tables of a large study do not fit.*No space left"):
        stored(kinds(1))
