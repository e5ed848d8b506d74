"""What an organism is: bacterium, fungus, virus or other, whether it commonly lives on skin, and its one name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.vocabulary import organisms
from becalm.vocabulary.text import phrases, words

FILE: Final = Path(__file__).with_suffix(".toml")
BACTERIAL: Final = "bacterial"
NOT_UNDERSTOOD: Final = "not understood"
KINDS: Final = (
    BACTERIAL,
    "fungal",
    "pneumocystis",
    "mycobacterial",
    "viral",
    "parasitic",
    "flora",
    NOT_UNDERSTOOD,
)
_LONGEST: Final = 4


class NamedOrganism(toml.TomlTable, frozen=True):
    """One organism and the ways to write it; `but_not` are phrases that mean another one."""

    name: str
    names: tuple[str, ...]
    commensal: bool = False
    but_not: tuple[str, ...] = ()


class OrganismKinds(toml.TomlTable, frozen=True):
    """The file `organism_kinds.toml`."""

    commensals_source: str
    commensals_verified: bool
    genera: dict[str, tuple[str, ...]]
    organism: tuple[NamedOrganism, ...]


@dataclass(frozen=True)
class Organism:
    """An organism: its name in one spelling, its kind (of `KINDS`), whether it is a common commensal of skin."""

    name: str
    kind: str
    commensal: bool


def file() -> OrganismKinds:
    """Return the shipped kinds."""
    return toml.load(FILE, OrganismKinds)


@cache
def of(text: str) -> Organism:
    """Return what a written organism is.

    A name that nobody knows is of no kind: it is neither a pathogen nor a commensal.

    >>> of("ESCHERICHIA COLI") == of("E. coli")
    True
    >>> of("Staph. epidermidis").commensal, of("Yeast").kind, of("Keim 3").kind
    (True, 'fungal', 'not understood')
    """
    found = [phrase for _, phrase in phrases(text, _LONGEST)]
    kind = _kind(text, found)
    named = _named(text, found)
    if named is not None:
        return Organism(named.name, kind, named.commensal)
    return Organism(words(text), kind, commensal=False)


def _kind(text: str, found: list[str]) -> str:
    if organisms.meaning(text).fate != "understood":
        return NOT_UNDERSTOOD
    kinds = _by_phrase()
    for phrase in found:
        if phrase in kinds:
            return kinds[phrase]
    if any(part.endswith(("virus", "viridae")) for part in words(text).split()):
        return "viral"
    return BACTERIAL


def _named(text: str, found: list[str]) -> NamedOrganism | None:
    plain = f" {words(text)} "
    for phrase in found:
        for each in _by_name().get(phrase, ()):
            if not any(f" {words(other)} " in plain for other in each.but_not):
                return each
    return None


@cache
def _by_phrase() -> dict[str, str]:
    return {words(name): kind for kind, names in file().genera.items() for name in names}


@cache
def _by_name() -> dict[str, tuple[NamedOrganism, ...]]:
    named: dict[str, tuple[NamedOrganism, ...]] = {}
    for each in file().organism:
        for name in each.names:
            named[words(name)] = (*named.get(words(name), ()), each)
    return named
