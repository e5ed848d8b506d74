"""Words that stand for a blank cell: one rule for every column of every sheet."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.records.sheets.cells import Sheet
from becalm.records.sheets.schema import SHEETS
from becalm.vocabulary.numbers import spelling

FILE: Final = Path(__file__).with_suffix(".toml")


class BlankWords(toml.TomlTable, frozen=True):
    """Some words or numbers that stand for a blank cell, and who writes them."""

    source: str
    words: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()


class UnknownWords(toml.TomlTable, frozen=True):
    """Words that stand for a blank cell in some columns only, `sheet.column`."""

    source: str
    columns: tuple[str, ...]
    words: tuple[str, ...]


class _File(toml.TomlTable, frozen=True):
    blank: tuple[BlankWords, ...]
    unknown: tuple[UnknownWords, ...]


def unknown_words() -> tuple[UnknownWords, ...]:
    """Return the shipped words that stand for a blank in some columns only."""
    return toml.load(FILE, _File).unknown


def blank_words() -> tuple[BlankWords, ...]:
    """Return the shipped words."""
    return toml.load(FILE, _File).blank


@cache
def _shipped() -> tuple[frozenset[str], frozenset[float]]:
    groups = blank_words()
    return (
        frozenset(_plain(word) for group in groups for word in group.words),
        frozenset(number for group in groups for number in group.numbers),
    )


@cache
def _spelled() -> frozenset[str]:
    return frozenset(word for group in blank_words() for word in group.words)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


IDS: Final = frozenset({"person_id", "stay_id", "reviewer"})
"""Columns of identifiers: a patient can be called "none", so only the exact spelling of a program is blank."""


def stands_for_blank(text: str, meant: Set[str] = frozenset(), *, identifier: bool = False) -> bool:
    """Return whether a cell's text stands for a blank.

    meant : words that the column itself gives a meaning, in lower case. identifier : whether the column
    holds identifiers, where capitals count: `None` is blank, "none" is a name.

    >>> stands_for_blank("N/A"), stands_for_blank("-99.0"), stands_for_blank("0")
    (True, True, False)
    >>> stands_for_blank("Na", meant={"na"})
    False
    """
    words, numbers = _shipped()
    plain = _plain(text)
    if plain in meant:
        return False
    if text.strip() in _spelled() if identifier else plain in words:
        return True
    number = spelling(plain) if plain.startswith("-") else None
    return number is not None and not number.flag and float(number.digits) in numbers


def with_blanks(sheet: Sheet) -> Sheet:
    """Return a sheet with blank cells for words that stand for them; a row of nothing else is left out."""
    columns: dict[str, list[str]] = {}
    changed = False
    for name, texts in sheet.columns.items():
        column = SHEETS[sheet.name].columns[name]
        meant = {_plain(word) for word in (*column.among, *column.spelled, *column.meant)}
        blank = {
            text
            for text in set(texts)
            if text and stands_for_blank(text, meant, identifier=name in IDS)
        }
        here = f"{sheet.name}.{name}"
        unknown = {
            _plain(w) for each in unknown_words() if here in each.columns for w in each.words
        }
        blank |= {text for text in set(texts) if unknown and _plain(text) in unknown}
        columns[name] = ["" if text in blank else text for text in texts] if blank else texts
        changed |= bool(blank)
    if not changed:
        return sheet
    kept = [i for i, row in enumerate(zip(*columns.values(), strict=True)) if any(row)]
    return replace(
        sheet,
        columns={name: [texts[i] for i in kept] for name, texts in columns.items()},
        rows=[sheet.rows[i] for i in kept],
    )
