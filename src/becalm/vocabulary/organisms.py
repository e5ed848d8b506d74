"""The name of an organism: whether it is well formed, says that none is there, or is no name at all."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.vocabulary.labels import Meaning
from becalm.vocabulary.text import phrases, words

FILE: Final = Path(__file__).with_suffix(".toml")
NOT_A_NAME: Final = "no genus, group or well-formed name of an organism"
_LATIN: Final = re.compile(r"(?<![A-Za-z])([A-Z])(\.|[a-z]{2,}) ?([a-z]{3,})(?![A-Za-z])")
_LONGEST: Final = 4


class OrganismNames(toml.TomlTable, frozen=True):
    """The file `organisms.toml`."""

    genera: tuple[str, ...]
    groups: tuple[str, ...]
    abbreviations: tuple[str, ...]
    denied: tuple[str, ...]
    not_needed: tuple[str, ...]
    genus_endings: tuple[str, ...]
    epithet_endings: tuple[str, ...]


def file() -> OrganismNames:
    """Return the shipped names."""
    return toml.load(FILE, OrganismNames)


@cache
def _known() -> frozenset[str]:
    names = file()
    return frozenset(words(each) for each in (*names.genera, *names.groups, *names.abbreviations))


@cache
def _whole(key: str) -> frozenset[str]:
    return frozenset(words(each) for each in getattr(file(), key))


def meaning(text: str) -> Meaning:
    """Return the fate of a written organism; an organism that is understood means its own name.

    >>> meaning("Escherichia coli").fate, meaning("GRAM NEGATIVE ROD(S)").fate, meaning("Keim 3").fate
    ('understood', 'understood', 'not understood')
    >>> meaning("no growth").fate, meaning("CANCELLED").fate
    ('denied', 'not needed')
    """
    plain = words(text)
    if not plain or plain in _whole("not_needed"):
        return Meaning((), "not needed")
    if plain in _whole("denied"):
        return Meaning(((plain, "excluded"),), "denied")
    known = any(phrase in _known() for _, phrase in phrases(text, _LONGEST))
    if known or any(part.endswith(("virus", "viridae")) for part in plain.split()) or _latin(text):
        return Meaning(((text.strip(), "confirmed"),), "understood")
    return Meaning((), "not understood", NOT_A_NAME)


def is_known(phrase: str) -> bool:
    """Return whether a phrase, as `words` writes it, is a genus, a group or an abbreviation of the list."""
    return phrase in _known()


def _latin(text: str) -> bool:
    """Return whether a text has a genus, or its initial, with an epithet: "Zymomonas mobilis", "E. coli"."""
    rule = file()
    return any(
        epithet.endswith(rule.epithet_endings)
        and (rest == "." or (initial + rest).casefold().endswith(rule.genus_endings))
        for initial, rest, epithet in _LATIN.findall(text)
    )
