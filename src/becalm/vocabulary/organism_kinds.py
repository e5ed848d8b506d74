"""What an organism is: bacterium, fungus, virus or other, whether it commonly lives on skin, and its one name."""

from __future__ import annotations

import re
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
_BETWEEN: Final = re.compile(r"[;|+&,\n]|\b(?:and|und|plus)\b", re.IGNORECASE)
_NO_SPECIES: Final = frozenset({"species", "sp", "spp", "group", "complex", "type"})
_NOT: Final = frozenset({"not", "no", "nicht", "kein", "keine"})


class NamedOrganism(toml.TomlTable, frozen=True):
    """One organism and the ways to write it.

    groups : those of the names that leave the species open. but_not : phrases that mean another one.
    """

    name: str
    names: tuple[str, ...]
    commensal: bool = False
    groups: tuple[str, ...] = ()
    but_not: tuple[str, ...] = ()


class DoubtfulNames(toml.TomlTable, frozen=True):
    """Words that leave open, or deny, that an organism is there; a question mark does too.

    anywhere : wherever they stand. begins, ends : at the begin or the end of the cell. names : phrases of which one is a
    part of a name.
    """

    anywhere: tuple[str, ...]
    begins: tuple[str, ...]
    ends: tuple[str, ...]
    names: tuple[str, ...]


class OrganismKinds(toml.TomlTable, frozen=True):
    """The file `organism_kinds.toml`."""

    commensals_source: str
    commensals_verified: bool
    of_no_kind: tuple[str, ...]
    doubt: DoubtfulNames
    genera: dict[str, tuple[str, ...]]
    organism: tuple[NamedOrganism, ...]


@dataclass(frozen=True)
class Organism:
    """An organism: its name in one spelling, its kind (of `KINDS`), whether it is a common commensal of skin.

    species : of a commensal, the second word of its Latin name; "" where nobody wrote it.
    """

    name: str
    kind: str
    commensal: bool
    species: str = ""

    def may_be(self, other: Organism) -> bool:
        """Return whether both are the same organism, as far as their names say.

        >>> of("S. epidermidis").may_be(of("CoNS")), of("S. epidermidis").may_be(of("S. hominis"))
        (True, False)
        """
        if self.name != other.name:
            return False
        one, two = self.species, other.species
        return one.startswith(two) or two.startswith(one)


def file() -> OrganismKinds:
    """Return the shipped kinds."""
    return toml.load(FILE, OrganismKinds)


@cache
def of(text: str) -> Organism:
    """Return what a written organism is.

    A name that nobody knows is of no kind, however well it is formed: it is neither a pathogen nor a commensal.

    >>> of("ESCHERICHIA COLI") == of("E. coli")
    True
    >>> of("Staph. epidermidis").commensal, of("Yeast").kind, of("Keim 3").kind
    (True, 'fungal', 'not understood')
    """
    found = [phrase for _, phrase in phrases(text, _LONGEST)]
    kind = _kind(text, found)
    phrase, named = _named(text, found)
    if named is not None and kind != NOT_UNDERSTOOD:
        species = _species(text, phrase, named) if named.commensal else ""
        return Organism(named.name, kind, named.commensal, species)
    return Organism(words(text), kind, commensal=False)


@cache
def all_of(text: str) -> tuple[Organism, ...]:
    """Return the organisms of a cell that may name several; a cell that names one gives that one.

    A slash does not separate: laboratories write "Micrococcus/Stomatococcus" for one of both.

    >>> [each.name for each in all_of("E. coli; Candida albicans")]
    ['Escherichia coli', 'Candida albicans']
    >>> [each.name for each in all_of("STAPHYLOCOCCUS, COAGULASE NEGATIVE")]
    ['Coagulase-negative staphylococci']
    """
    parts = [part.strip() for part in _BETWEEN.split(text) if part.strip()]
    if len(parts) < 2 or _across(text, parts):
        return (of(text),)
    found: dict[str, Organism] = {}
    for part in parts:
        if _names_one(part):
            found.setdefault(of(part).name, of(part))
    return tuple(found.values()) if len(found) > 1 else (of(text),)


def _across(text: str, parts: list[str]) -> bool:
    """Return whether a known name of one organism goes on across two parts."""
    within = {phrase for part in parts for _, phrase in phrases(part, _LONGEST)}
    known = (phrase for _, phrase in phrases(text, _LONGEST) if phrase in _by_name())
    return any(phrase not in within for phrase in known)


def _names_one(part: str) -> bool:
    """Return whether a part of a cell is the name of an organism, and not only a word about one."""
    if _kind(part, found := [phrase for _, phrase in phrases(part, _LONGEST)]) == NOT_UNDERSTOOD:
        return False
    if _NOT & set(words(part).split()):
        return False
    return (
        _named(part, found)[1] is not None
        or any(phrase in _genera() or phrase in _by_phrase() for phrase in found)
        or _kind(part, found) == "viral"
    )


def _species(text: str, phrase: str, named: NamedOrganism) -> str:
    """Return the species of a commensal: the last word of its name, or the word behind the name of its genus."""
    if " " in phrase:
        leaves_open = phrase in {words(each) for each in named.groups}
        return "" if leaves_open else phrase.rpartition(" ")[2]
    behind = words(text).partition(phrase)[2].split()
    word = behind[0] if behind and phrase in _genera() else ""
    return "" if word in _NO_SPECIES | _genera() or not word.isalpha() else word


def _kind(text: str, found: list[str]) -> str:
    if organisms.meaning(text).fate != "understood" or _in_doubt(text):
        return NOT_UNDERSTOOD
    kinds = _by_phrase()
    for phrase in found:
        if phrase in kinds:
            return kinds[phrase]
    if any(part.endswith(("virus", "viridae")) for part in words(text).split()):
        return "viral"
    of_no_kind = {words(each) for each in file().of_no_kind}
    known = any(
        phrase in _by_name() or organisms.is_known(phrase)
        for phrase in found
        if phrase not in of_no_kind
    )
    return BACTERIAL if known else NOT_UNDERSTOOD


def _in_doubt(text: str) -> bool:
    """Return whether a cell only suspects an organism, or denies it."""
    rule = file().doubt
    plain = f" {words(text)} "
    for name in rule.names:
        plain = plain.replace(f" {words(name)} ", " name ")
    return (
        "?" in text
        or any(f" {words(word)} " in plain for word in rule.anywhere)
        or any(plain.startswith(f" {words(word)} ") for word in rule.begins)
        or any(plain.endswith(f" {words(word)} ") for word in rule.ends)
    )


def _named(text: str, found: list[str]) -> tuple[str, NamedOrganism | None]:
    plain = f" {words(text)} "
    for phrase in found:
        for each in _by_name().get(phrase, ()):
            but = [f" {words(other)} " for other in each.but_not]
            if not any(other in plain and f" not{other}" not in plain for other in but):
                return phrase, each
    return "", None


@cache
def _genera() -> frozenset[str]:
    return frozenset(words(genus) for genus in organisms.file().genera)


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
