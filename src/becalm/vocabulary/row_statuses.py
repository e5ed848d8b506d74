"""What a row is worth: the words of the closed lists for diagnoses, cultures and doses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, get_args

from becalm.core import toml
from becalm.vocabulary import vital_status
from becalm.vocabulary.text import words

FILE: Final = Path(__file__).with_suffix(".toml")


class RowStatus(toml.TomlTable, frozen=True):
    """A word of the closed list of a column, and other ways to write it."""

    column: str
    name: str
    spellings: tuple[str, ...] = ()


class RowStatuses(toml.TomlTable, frozen=True):
    """The file `row_statuses.toml`."""

    status: tuple[RowStatus, ...]


@cache
def names(column: str) -> tuple[str, ...]:
    """Return the closed list of a column.

    >>> names("conditions.status")
    ('confirmed', 'suspected', 'excluded')
    """
    return tuple(each.name for each in _file().status if each.column == column)


@cache
def spelled(column: str) -> Mapping[str, str]:
    """Return the word of the closed list for every other way to write it."""
    return {
        words(spelling): each.name
        for each in _file().status
        if each.column == column
        for spelling in each.spellings
    }


@cache
def every_name() -> tuple[str, ...]:
    """Return the words of all closed lists, with those for dead and alive."""
    own = (each.name for each in _file().status)
    return tuple(dict.fromkeys((*get_args(vital_status.Status), *own)))


def _file() -> RowStatuses:
    return toml.load(FILE, RowStatuses)
