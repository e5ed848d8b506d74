"""The frozen table that stages hand to each other."""

from typing import Any

import numpy as np
import pytest

from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame, Kind

SCHEMA: dict[str, Kind] = {
    "id": "text", "time": "time", "value": "number", "person": "code", "key": "key",
    "ok": "flag", "n": "count", "yes": "answer",
}  # fmt: skip


def test_what_is_not_given_is_blank() -> None:
    """Unknown is never zero and never no."""
    [row] = Frame.of(SCHEMA, id=["a"]).rows()
    assert np.isnan(row.pop("value"))
    assert row == {
        "id": "a", "time": UNKNOWN_TIME, "person": -1, "key": -1, "ok": False, "n": -1, "yes": None,
    }  # fmt: skip


def test_rows_may_leave_cells_out_or_say_none() -> None:
    frame = Frame.of_rows(SCHEMA, [{"id": "a", "yes": True}, {"id": None, "n": 0, "yes": False}])
    assert frame["yes"].tolist() == [True, False]
    assert frame["id"].tolist() == ["a", ""]
    assert frame["n"].tolist() == [-1, 0]


def test_an_empty_table_has_its_columns_and_their_types() -> None:
    for frame in (Frame.of(SCHEMA), Frame.of_rows(SCHEMA, [])):
        assert len(frame) == 0
        assert list(frame.columns) == list(SCHEMA)
        assert frame["time"].dtype == np.int64
        assert list(frame.rows()) == []


def test_columns_that_the_table_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="does not have: \\['valeu'\\]"):
        Frame.of(SCHEMA, valeu=[1.0])
    with pytest.raises(ValueError, match="does not have: \\['valeu'\\]"):
        Frame.of_rows(SCHEMA, [{"valeu": 1.0}])


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        Frame.of(SCHEMA, id=["a", "b"], n=[1])


def test_a_table_cannot_be_written_to_and_leaves_what_it_was_given_alone() -> None:
    given = np.array([1.0, 2.0])
    frame = Frame.of(SCHEMA, value=given)
    given[0] = 9
    assert frame["value"].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        frame["value"][0] = 3


def test_sorting_is_stable_and_text_sorts_as_text() -> None:
    frame = Frame.of(SCHEMA, id=["9", "10", "9", "10"], n=[2, 2, 1, 1], key=[0, 1, 2, 3])
    assert frame.sort("id", "n")["key"].tolist() == [3, 1, 2, 0]
    assert frame.sort("id")["key"].tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize(
    ("index", "ids"), [(np.array([2, 0]), ["c", "a"]), (np.array([True, False, True]), ["a", "c"])]
)
def test_rows_by_position_or_by_mask(index: Any, ids: list[str]) -> None:
    assert Frame.of(SCHEMA, id=["a", "b", "c"]).take(index)["id"].tolist() == ids


def test_tables_laid_end_to_end() -> None:
    one, two = Frame.of(SCHEMA, id=["a"], yes=[None]), Frame.of(SCHEMA, id=["b"], yes=[True])
    both = Frame.concat([Frame.of(SCHEMA), one, two])
    assert both["id"].tolist() == ["a", "b"]
    assert both["yes"].tolist() == [None, True]
    with pytest.raises(ValueError, match="no frames"):
        Frame.concat([])
