"""Columns of texts that are held as codes: to all who read, they are the texts."""

import numpy as np
import pytest

from becalm.core.columns import Categorical, Held, Keyed
from becalm.core.frame import Frame, Kind

SCHEMA: dict[str, Kind] = {"said": "text", "source_row": "text", "n": "count"}
SAID = ["b", "", "a", "b", "ä", "a"]
KEYS = [3, 1, 2, 3, 10, 2]


def texts(*values: str) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.array(values, dtype=object)


def plain() -> Frame:
    rows = texts(*(f"t:{key}" for key in KEYS))
    return Frame.of(SCHEMA, said=texts(*SAID), source_row=rows, n=range(len(SAID)))


def coded() -> Frame:
    """The same, held as codes of texts of which one stands twice and one in no row."""
    said = Categorical(
        np.array([0, 2, 4, 1, 3, 4], np.int32), texts("b", "b", "", "ä", "a", "in no row")
    )
    keyed = Keyed(Categorical.by(np.zeros(6, np.int32), ["t"]), np.array(KEYS))
    return Frame.of(SCHEMA, said=said, source_row=keyed, n=range(len(SAID)))


def rows(frame: Frame) -> list[dict[str, object]]:
    return list(frame.rows())


def test_a_coded_table_reads_as_the_plain_one() -> None:
    assert rows(coded()) == rows(plain())
    assert isinstance(coded()["said"], np.ndarray)
    with pytest.raises(ValueError, match="read-only"):
        coded()["said"][0] = "x"


def test_it_sorts_as_text_and_stably() -> None:
    for keys in (["said"], ["source_row"], ["said", "source_row"]):
        assert rows(coded().sort(*keys)) == rows(plain().sort(*keys))


@pytest.mark.parametrize("index", [np.array([4, 0, 0]), np.array([True] * 3 + [False] * 3)])
def test_rows_by_position_or_by_mask(index: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    assert rows(coded().take(index)) == rows(plain().take(index))
    assert rows(coded().take(index[:0])) == []


def test_tables_laid_end_to_end_in_whichever_way_each_is_held() -> None:
    for one in (coded(), plain()):
        for other in (coded(), plain()):
            both = Frame.concat([one, Frame.of(SCHEMA), other])
            assert rows(both) == rows(plain()) * 2
    joined = Frame.concat([coded(), coded()]).columns.held["said"]
    assert isinstance(joined, Categorical)
    assert sorted(joined.texts.tolist()) == ["", "a", "b", "in no row", "ä"]


def test_some_columns_are_selected_as_they_are_held() -> None:
    some = coded().select(["n", "said"])
    assert list(some.columns) == ["n", "said"]
    assert isinstance(some.columns.held["said"], Categorical)


def test_plain_texts_are_coded_in_the_order_in_which_they_appear() -> None:
    found = plain().coded("said")
    assert found.texts.tolist() == ["b", "", "a", "ä"]
    assert found.code.tolist() == [0, 1, 2, 0, 3, 2]


def test_a_position_of_minus_one_is_the_last_text() -> None:
    column = Categorical.by(np.array([1, -1, 0], np.int32), ["a", "b", ""])
    assert column.written().tolist() == ["b", "", "a"]


def test_each_row_is_of_one_column_or_of_the_other() -> None:
    one, other = Categorical.of(texts("a", "b", "a")), Categorical.of(texts("x", "a", "y"))
    mask = np.array([True, False, False])
    assert Categorical.where(mask, one, other).written().tolist() == ["a", "a", "y"]
    assert one.among(["b", "c"]).tolist() == [False, True, False]


def test_a_column_not_given_is_blank_and_columns_of_different_lengths_are_refused() -> None:
    held: dict[str, Held] = {"n": np.arange(2)}
    assert Frame.around(SCHEMA, held)["said"].tolist() == ["", ""]
    with pytest.raises(ValueError, match="different lengths"):
        Frame.around(SCHEMA, {**held, "said": Categorical.of(texts("a"))})
    with pytest.raises(ValueError, match="another type"):
        Frame.around(SCHEMA, {"n": Categorical.of(texts("a"))})
