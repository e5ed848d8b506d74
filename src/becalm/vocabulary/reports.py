"""What a laboratory's report says of itself: that it is preliminary, final, or replaces an earlier one."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Final

from becalm.core import toml

FILE: Final = Path(__file__).with_suffix(".toml")

PRELIMINARY: Final = 0
"""The report may be replaced by a final one."""
FINAL: Final = 1
"""The report replaces preliminary ones of its draw."""
CORRECTS: Final = 2
"""The report replaces every earlier one of its draw."""
NOTHING: Final = -1
"""The report says nothing of the kind."""
_SHORTEST: Final = 2
"""A word of fewer letters is a code: it must be the whole text."""


class ReportWords(toml.TomlTable, frozen=True):
    """The file `reports.toml`."""

    source: str
    verified: bool
    nothing: tuple[str, ...]
    corrects: tuple[str, ...]
    preliminary: tuple[str, ...]
    withdrawn: tuple[str, ...]
    final: tuple[str, ...]


def shipped() -> ReportWords:
    """Return the shipped words."""
    return toml.load(FILE, ReportWords)


def pattern(phrases: tuple[str, ...]) -> str:
    """Return a regular expression for any of the phrases, in lower case and without accents.

    A code of one letter must be the whole text. It is valid in Python and in DuckDB.
    """
    listed = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    apart = [phrase.replace(" ", r"\s+") for phrase in listed if len(phrase) >= _SHORTEST]
    alone = [phrase for phrase in listed if len(phrase) < _SHORTEST]
    return "|".join(
        part
        for part in (
            rf"\b(?:{'|'.join(apart)})\b" if apart else "",
            rf"^\s*(?:{'|'.join(alone)})\s*$" if alone else "",
        )
        if part
    )


@lru_cache(maxsize=65536)
def is_withdrawn(status: str) -> bool:
    """Return whether a status says that the report is no result.

    >>> is_withdrawn("Entered in error"), is_withdrawn("final")
    (True, False)
    """
    return bool(
        re.fullmatch(f"(?:{'|'.join(map(re.escape, shipped().withdrawn))})", _plain(status))
    )


@lru_cache(maxsize=65536)
def said(text: str) -> int:
    """Return what a comment or a status says of its report.

    >>> said("CORRECTED RESULT, PREVIOUSLY REPORTED AS 10.") == CORRECTS
    True
    >>> said("corrected for 12 NRBC") == NOTHING
    True
    """
    if not text:
        return NOTHING
    words = shipped()
    plain = re.sub(pattern(words.nothing), " ", _plain(text))
    for phrases, says in (
        (words.corrects, CORRECTS),
        (words.preliminary, PRELIMINARY),
        (words.final, FINAL),
    ):
        if re.search(pattern(phrases), plain):
            return says
    return NOTHING


def _plain(text: str) -> str:
    """Return a text in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).strip()
