"""The fate of a label: what a written drug, diagnosis, procedure, finding or test is taken for.

Every label has exactly one fate. `understood` is an entry of the vocabulary; `denied`, `suspected` and
`history` are entries of which the label says so; `not needed` is nothing that a study here asks for, by
a rule (`not_needed.toml`); everything else is `not understood`, and is listed, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

from becalm.core import toml
from becalm.vocabulary.statements import Said, State, Statement
from becalm.vocabulary.text import phrases, words

Fate: TypeAlias = Literal[
    "understood", "denied", "suspected", "history", "not needed", "not understood"
]
NOBODY_KNOWS: Final = "no entry of the vocabulary has this name"
UNKNOWN_CODE: Final = "no entry of the vocabulary has this code, and it has no name"
CANNOT_DECIDE: Final = "it cannot be decided what is said of {}"
ONLY_PARTLY: Final = "only partly understood: {}"
CONTRADICT: Final = "code and name mean different things"
WHICH_VERSION: Final = (
    "a code of ICD-9 and of ICD-10 that means two things, and no system stands beside it"
)
NO_SUCH_CODE: Final = "a code that its classification does not allow"

_LONG_NAME: Final = re.compile(
    r"([^\[\]]+)\[[^\]]+\](?: (?:in|of) ([A-Za-z ,]+?))?(?: (?:by|from|Per|-|--) ?.*)?",
    re.IGNORECASE,
)
"""How LOINC names a test: component [property] in material by method."""

_OF: Final = re.compile(r"([A-Za-z ]+) of (Urine|Stool|Sputum|Semen|Saliva)\b.*", re.IGNORECASE)

_AMOUNT: Final = re.compile(r"x?q?\d+(?:[a-zµ]{1,5}\d?)?")
"""A number, alone or with a unit or an interval: 20, 20mg, x3, q6h, m2."""

FILE: Final = Path(__file__).parent / "not_needed.toml"


class AlwaysAsked(toml.TomlTable, frozen=True):
    """Parts of words that are never set aside."""

    drug_stems: tuple[str, ...]
    diagnosis_parts: tuple[str, ...]
    diagnosis_words: tuple[str, ...]
    diagnosis_endings: tuple[str, ...]
    spared: tuple[str, ...]


class DrugsNotNeeded(toml.TomlTable, frozen=True):
    stems: tuple[str, ...]
    beginnings: tuple[str, ...]
    beside: tuple[str, ...]
    words: tuple[str, ...]


class DiagnosesNotNeeded(toml.TomlTable, frozen=True):
    phrases: tuple[str, ...]
    beside: tuple[str, ...]


class ProceduresNotNeeded(toml.TomlTable, frozen=True):
    words: tuple[str, ...]


class MeasurementsNotNeeded(toml.TomlTable, frozen=True):
    names: tuple[str, ...]
    materials: tuple[str, ...]


class NotNeeded(toml.TomlTable, frozen=True):
    """The whole file `not_needed.toml`."""

    always_asked: AlwaysAsked
    drugs: DrugsNotNeeded
    diagnoses: DiagnosesNotNeeded
    procedures: ProceduresNotNeeded
    measurements: MeasurementsNotNeeded


@dataclass(frozen=True)
class Meaning:
    """What a label means.

    said : the entries of the vocabulary and what the label says of each, narrowest first; wider entries
    follow. fate : of the whole label. reason : why it is not understood, in words.
    """

    said: tuple[tuple[str, State], ...] = ()
    fate: Fate = "not understood"
    reason: str = ""

    def names(self, state: State = "confirmed") -> tuple[str, ...]:
        """Return the entries of which the label says this."""
        return tuple(name for name, each in self.said if each == state)


@cache
def file() -> NotNeeded:
    """Return the shipped lists."""
    return toml.load(FILE, NotNeeded)


def blank(*texts: str) -> bool:
    """Return whether a label says nothing at all."""
    return not any(text.strip() for text in texts)


def meaning_of(statement: Statement[tuple[str, ...]]) -> Meaning | None:
    """Return the meaning of a statement that has names; None if it has none."""
    if not statement.said:
        return None
    said = _said(statement.said)
    undecided = [each.name for each in statement.said if each.state == "undecided"]
    if undecided:
        return Meaning(said, "not understood", CANNOT_DECIDE.format(", ".join(undecided)))
    asked = [word for word in statement.left if always_asked(word)]
    if asked:
        return Meaning(said, "not understood", ONLY_PARTLY.format(" ".join(asked)))
    return Meaning(said, fate_of(state for _, state in said))


def _said(each: Iterable[Said[tuple[str, ...]]]) -> tuple[tuple[str, State], ...]:
    """Return the entries with their states; two states of one entry cannot be decided."""
    states: dict[str, State] = {}
    for one in each:
        for name in one.means:
            before = states.setdefault(name, one.state)
            if before != one.state:
                states[name] = "undecided"
    return tuple(states.items())


def fate_of(states: Iterable[State]) -> Fate:
    """Return the fate of a label by what it says: what it affirms stands above what it denies."""
    all_states = set(states)
    if "undecided" in all_states:
        return "not understood"
    fates: tuple[tuple[State, Fate], ...] = (
        ("confirmed", "understood"),
        ("suspected", "suspected"),
        ("history", "history"),
        ("excluded", "denied"),
    )
    return next((fate for state, fate in fates if state in all_states), "not needed")


def always_asked(text: str) -> bool:
    """Return whether words may name a cancer, a transplant or a disease of defence."""
    rule = file().always_asked
    return any(
        part in rule.diagnosis_words
        or any(each in part for each in rule.diagnosis_parts)
        or (len(part) > 4 and part.endswith(rule.diagnosis_endings))
        for part in words(text).split()
        if part not in rule.spared
    )


def diagnosis_not_needed(name: str) -> bool:
    """Return whether a diagnosis is one that no study here asks for.

    >>> diagnosis_not_needed("Type 2 diabetes mellitus"), diagnosis_not_needed("thymoma")
    (True, False)
    """
    if always_asked(name):
        return False
    known, beside = _diagnosis_phrases(), _beside()
    parts, taken = words(name).split(), set[int]()
    found = False
    for begin, phrase in phrases(name, 6):
        places = set(range(begin, begin + len(phrase.split())))
        if phrase in known and not places & taken:
            taken |= places
            found = True
    return found and all(at in taken or part in beside for at, part in enumerate(parts))


@cache
def _diagnosis_phrases() -> frozenset[str]:
    return frozenset(words(phrase) for phrase in file().diagnoses.phrases)


@cache
def _beside() -> frozenset[str]:
    return frozenset(words(word) for word in file().diagnoses.beside)


def drug_always_asked(label: str) -> bool:
    """Return whether a name has the stem of an antibody, a cell therapy, a glucocorticoid or the like."""
    stems = file().always_asked.drug_stems
    return any(len(part) > 4 and part.endswith(stems) for part in words(label).split())


def drug_not_needed(label: str) -> bool:
    """Return whether a drug is one that no study here asks for, by its stem or by a list.

    >>> drug_not_needed("Omeprazole 20 mg"), drug_not_needed("sirukumab")
    (True, False)
    """
    plain, listed = words(label), _drug_words()
    parts = [part for part in plain.split() if part.isalpha()]
    if any(part in listed for part in plain.split()) or any(
        f" {phrase} " in f" {plain} " for phrase in listed if " " in phrase
    ):
        return True
    drugs = file().drugs
    return not drug_always_asked(label) and any(
        len(part) > 5 and (part.endswith(drugs.stems) or part.startswith(drugs.beginnings))
        for part in parts
    )


@cache
def _drug_words() -> frozenset[str]:
    return frozenset(words(word) for word in file().drugs.words)


def without_dose(label: str) -> str:
    """Return the words of a drug's label without those that say how much, how often and by which way.

    >>> without_dose("Dex 20 mg iv q6h"), without_dose("MP 1 g x3")
    ('dex', 'mp')
    """
    beside = _beside_drugs()
    return " ".join(
        part for part in words(label).split() if part not in beside and not _AMOUNT.fullmatch(part)
    )


@cache
def _beside_drugs() -> frozenset[str]:
    return frozenset(words(word) for word in file().drugs.beside)


def procedure_not_needed(name: str) -> bool:
    """Return whether a procedure is one that no study here asks for."""
    plain = f" {words(name)} "
    return not always_asked(name) and any(f" {word} " in plain for word in _procedure_words())


@cache
def _procedure_words() -> frozenset[str]:
    return frozenset(words(word) for word in file().procedures.words)


def component(name: str) -> str:
    """Return the component of a test that is named as LOINC does it, of the blood alone; else ''.

    >>> component("Hemoglobin [Mass/volume] in Blood"), component("Protein [Mass/volume] in Urine")
    ('Hemoglobin', '')
    """
    match = _LONG_NAME.fullmatch(name.strip())
    if match is None:
        return ""
    material = match.group(2)
    known = material is None or words(material) in _materials()
    return match.group(1).strip(" ,") if known else ""


@cache
def _materials() -> frozenset[str]:
    return frozenset(words(word) for word in file().measurements.materials)


def measurement_not_needed(name: str) -> bool:
    """Return whether a test is one that no definition here asks for."""
    if words(name) in _measurements() or words(component(name)) in _measurements():
        return True
    return elsewhere(name) or " ige ab " in f" {words(name)} "


def elsewhere(name: str) -> bool:
    """Return whether a test that is named as LOINC does it is of another material than blood.

    >>> elsewhere("Protein [Mass/volume] in Urine"), elsewhere("Clarity of Urine"), elsewhere("Ferritin")
    (True, True, False)
    """
    match = _LONG_NAME.fullmatch(name.strip()) or _OF.fullmatch(name.strip())
    return bool(match and match.group(2) and words(match.group(2)) not in _materials())


@cache
def _measurements() -> frozenset[str]:
    return frozenset(words(name) for name in file().measurements.names)
