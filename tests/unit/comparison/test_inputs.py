"""What differs between the inputs of two runs, by their manifests."""

from __future__ import annotations

from typing import Any

import pytest

from becalm.api.write import _digest
from becalm.comparison.inputs import ABSENT, NOT_RECORDED, input_differences
from becalm.definitions import load

FILE = {"name": "labs.csv", "bytes": 10, "sha256": "a" * 64}


def told(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(e.part, e.name, e.old, e.new) for e in input_differences(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"becalm": "1", "rows": {"a": 1}}, {"becalm": "1", "rows": {"a": 2}}, []),
        ({"becalm": "1"}, {"becalm": "2"}, [("program", "becalm", "1", "2")]),
        ({"records": "a"}, {"records": "b"}, [("records", "records", "a", "b")]),
        ({"words": None}, {"words": {"name": "w.toml"}}, [("words", "", ABSENT, '{"name":"w.toml"}')]),
        (
            {"words": {"name": "w", "bytes": 1}},
            {"words": {"name": "w", "bytes": 2}},
            [("words", "bytes", "1", "2")],
        ),
        (
            {"protocol": {"a": {"b": [1, 2]}}},
            {"protocol": {"a": {"b": [1, 3]}, "c": "24h"}},
            [("protocol", "a.b", "[1,2]", "[1,3]"), ("protocol", "c", ABSENT, "24h")],
        ),
        (  # tables in a list: by position, or as a whole where one came or went
            {"protocol": {"l": [{"x": 1}, {"x": 2}]}},
            {"protocol": {"l": [{"x": 1}, {"x": 3}]}},
            [("protocol", "l[2].x", "2", "3")],
        ),
        (
            {"protocol": {"l": [{"x": 1}, {"x": 2}]}},
            {"protocol": {"l": [{"x": 2}]}},
            [("protocol", "l", '{"x":1}', ABSENT)],
        ),
        ({"inputs": [FILE]}, {"inputs": []}, [("file", "labs.csv", "10 bytes, SHA-256 aaaaaaaaaaaa", ABSENT)]),
        (
            {"inputs": [FILE]},
            {"inputs": [{**FILE, "sha256": "b" * 64}]},
            [("file", "labs.csv", "10 bytes, SHA-256 aaaaaaaaaaaa", "10 bytes, SHA-256 bbbbbbbbbbbb")],
        ),
        ({}, {"judged": {"n": 1}}, [("judged", "", NOT_RECORDED, '{"n":1}')]),
        (
            {"definitions": {"a": {"sha256": "a" * 64}, "b": {}}},
            {"definitions": {"a": {"sha256": "b" * 64}, "b": {"sha256": "c" * 64}}},
            [
                ("definitions", "a.sha256", "a" * 12, "b" * 12),
                ("definitions", "b.sha256", NOT_RECORDED, "c" * 12),
            ],
        ),
        ({"inputs": "none"}, {"inputs": None}, []),
    ],
)  # fmt: skip
def test_what_differs(
    old: dict[str, Any], new: dict[str, Any], expected: list[tuple[str, str, str, str]]
) -> None:
    assert told(old, new) == expected


def test_a_definition_that_says_something_else_has_another_digest() -> None:
    """One number of an item is enough, so that a file of one's own that was changed is seen."""
    import msgspec

    one = load("mas2016")
    other = msgspec.structs.replace(one, cut_off=2.0)
    assert _digest(one) == _digest(load("mas2016")) != _digest(other)
    assert len({_digest(load(name)) for name in ("hscore", "hlh2004", "mas2016")}) == 3
