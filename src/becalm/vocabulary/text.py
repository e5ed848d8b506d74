"""Comparison of names: one spelling for all, whole words only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, TypeVar

T = TypeVar("T")

_SPELLINGS: Final = (
    ("haem", "hem"),
    ("aemi", "emi"),
    ("oedem", "edem"),
    ("leuco", "leuko"),
    ("tumour", "tumor"),
    ("sulph", "sulf"),
    ("foet", "fet"),
    ("oesoph", "esoph"),
    ("paed", "ped"),
)
_SEPARATOR = re.compile(r"[^\w%#]+|_+")


def in_sentence(title: str) -> str:
    """Return a title as it stands within a sentence; abbreviations keep their letters.

    >>> in_sentence("Ferritin"), in_sentence("AST"), in_sentence("D-dimer")
    ('ferritin', 'AST', 'D-dimer')
    """
    first = title.partition(" ")[0]
    ordinary = first[1:2].islower() and first[1:] == first[1:].lower()
    return title[:1].lower() + title[1:] if ordinary else title


@lru_cache(maxsize=131072)
def words(text: str) -> str:
    """Return a name's words: lower case, no accents, American vowels, single spaces.

    `%` and `#` are kept as separate words, because "neutrophils %" is not "neutrophils".

    >>> words("Haemoglobin (g)") == words("hemoglobin  G")
    True
    """
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Cf"))
    plain = plain.casefold().replace("%", " % ").replace("#", " # ")
    plain = f"{plain} ".replace("\u2019", "'").replace("'s ", "s ")
    plain = " ".join(_SEPARATOR.sub(" ", plain).split())
    for british, american in _SPELLINGS:
        plain = plain.replace(british, american)
    return plain


def phrases(text: str, longest: int) -> Iterator[tuple[int, str]]:
    """Yield every phrase of up to `longest` whole words of a label, with its first word's position."""
    parts = words(text).split()
    for length in range(min(longest, len(parts)), 0, -1):
        for begin in range(len(parts) - length + 1):
            yield begin, " ".join(parts[begin : begin + length])


def best_phrase(text: str, known: Mapping[str, T], longest: int) -> T | None:
    """Return the entry of the longest known phrase in a label, the first one of equal length."""
    matches = [
        (-len(phrase), begin, known[phrase])
        for begin, phrase in phrases(text, longest)
        if phrase in known
    ]
    return min(matches, key=lambda f: f[:2])[2] if matches else None
