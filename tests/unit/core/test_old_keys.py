"""Yesterday's keys in today's files: moved, said, and never guessed at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from becalm.core.old_keys import bring_up_to_date

KEYS = """
[[key]]
was = "deep"
now = "low"
anywhere = true
[[key]]
was = "top.old"
now = "top.new"
[[key]]
was = "gone"
[[value]]
key = "top.word"
was = "before"
now = "after"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "old_keys.toml"
    path.write_text(KEYS)
    return path


@pytest.mark.parametrize(
    ("document", "becomes", "where"),
    [
        ({"top": {"old": 1}}, {"top": {"new": 1}}, ["top.old"]),
        ({"old": 1}, {"old": 1}, []),
        ({"gone": 1, "kept": 2}, {"kept": 2}, ["gone"]),
        ({"top": {"word": "before"}}, {"top": {"word": "after"}}, ["top.word"]),
        ({"top": {"word": "after"}}, {"top": {"word": "after"}}, []),
        (
            {"deep": 1, "a": [{"deep": 2}, {"b": {"deep": 3}}]},
            {"low": 1, "a": [{"low": 2}, {"b": {"low": 3}}]},
            ["deep", "a[0].deep", "a[1].b.deep"],
        ),
        ({"top": 3}, {"top": 3}, []),
        ({}, {}, []),
    ],
)
def test_a_document_gets_todays_keys(
    file: Path, document: dict[str, Any], becomes: dict[str, Any], where: list[str]
) -> None:
    notices, mistakes = bring_up_to_date(document, file)
    assert document == becomes
    assert sorted(each.at for each in notices) == sorted(where)
    assert mistakes == []


def test_both_keys_at_once_are_a_mistake(file: Path) -> None:
    """Which of the two is meant nobody can tell."""
    notices, mistakes = bring_up_to_date({"top": {"old": 1, "new": 2}}, file)
    assert notices == []
    assert [each.at for each in mistakes] == ["top.old"]
