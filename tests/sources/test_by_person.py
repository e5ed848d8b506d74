"""Rows put by on disk come out as a sort would have them, by whole persons, whatever the blocks."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from becalm.core.errors import OutputError
from becalm.records import by_person
from becalm.records.by_person import ByPerson
from becalm.records.duck import Columns, Dictionary

TIMES = st.integers(0, 3) | st.sampled_from([-(1 << 62), 1 << 62])  # two of these fill an int64
ROWS = st.lists(
    st.tuples(st.integers(0, 11), TIMES, st.integers(0, 3), st.sampled_from(["", "µ", "long"])),
    max_size=40,
)


def batches(
    rows: list[tuple[int, int, int, str]], size: int, texts: Dictionary
) -> Iterator[Columns]:
    """Yield rows as a stream from DuckDB would: texts as codes, each batch on its own."""
    for at in range(0, len(rows), size):
        part = rows[at : at + size]
        codes = []
        for _, _, _, text in part:
            if text not in texts.words:
                texts.words.append(text)
            codes.append(texts.words.index(text))
        yield {
            "person": np.array([row[0] for row in part], np.int32),
            "time": np.array([row[1] for row in part], np.int64),
            "key": np.array([row[2] for row in part], np.int64),
            "text": np.array(codes, np.int32),
        }


def listed(columns: Columns) -> list[tuple[int, int, int, str]]:
    if not columns:
        return []
    names = ("person", "time", "key", "text")
    return list(zip(*(columns[name].tolist() for name in names), strict=True))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    rows=ROWS,
    size=st.integers(1, 9),
    block=st.integers(1, 9),
    ranges=st.integers(1, 15),
    words=st.integers(0, 2),
    wanted=st.integers(1, 20),
)
def test_every_row_comes_out_once_sorted_with_its_person(
    *,
    rows: list[tuple[int, int, int, str]],
    size: int,
    block: int,
    ranges: int,
    words: int,
    wanted: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_person, "_BLOCK", block)
        patch.setattr(by_person, "_RANGES", ranges)
        patch.setattr(by_person, "_WORDS_AT_MOST", words)
        texts = Dictionary()
        shelf = ByPerson(12, ("time", "key"), {"text": texts})
        for batch in batches(rows, size, texts):
            shelf.add(batch)
        chunks = list(shelf.chunks(wanted))
        shelf.close()
    assert [low for low, _, _ in chunks] == [0, *(high for _, high, _ in chunks[:-1])]
    assert chunks[-1][1] == 12
    found = [row for _, _, columns in chunks for row in listed(columns)]
    assert found == sorted(rows, key=lambda row: row[:3])
    for low, high, columns in chunks:
        assert all(low <= person < high for person, *_ in listed(columns))


def test_a_chunk_ends_with_the_person_of_the_row_asked_for() -> None:
    shelf = ByPerson(6, (), {})
    shelf.add({"person": np.array([4, 0, 2, 2, 2, 4], np.int32)})
    assert [(low, high) for low, high, _ in shelf.chunks(2)] == [(0, 3), (3, 6)]
    shelf.close()


def test_nobody_is_lost_where_there_are_no_rows() -> None:
    shelf = ByPerson(3, ("time",), {"text": Dictionary()})
    assert list(shelf.chunks(10)) == [(0, 3, {})]
    shelf.close()


def test_no_place_to_put_rows_by_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match="rows cannot be stored on disk while sorting") as caught:
        ByPerson(1, (), {})
    assert str(tmp_path / "gone") in caught.value.line()
