"""What a diagnosis or a procedure means: by code, by name, and by the words around the name."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final, Generic, TypeVar

from becalm.vocabulary import icd, labels, statements
from becalm.vocabulary.codes import CodeSystem, system_key
from becalm.vocabulary.labels import Meaning
from becalm.vocabulary.model import Condition, Procedure, Term
from becalm.vocabulary.statements import State, Statement
from becalm.vocabulary.text import words

E = TypeVar("E", Condition, Procedure)
_T = TypeVar("_T", bound=Term)


class _Meanings(Generic[E]):
    """Entries with codes and names; each way to write one is read once."""

    in_capitals = False
    """Whether an abbreviation counts as a word in capitals, too."""

    def __init__(self, entries: Sequence[E], site: Mapping[str, Meaning] | None = None) -> None:
        self.entries: Sequence[E] = entries
        self._site = site or {}
        self.by_name: dict[str, E] = {entry.name: entry for entry in entries}
        self.index = _names(entries)
        """The entries of every name, as `text.words` gives it."""
        self.longest = max(len(name.split()) for name in self.index)
        self._abbreviations = {
            words(short): (entry.name,) for entry in entries for short in entry.abbreviations
        }
        self._known: dict[tuple[str, str, str], Meaning] = {}

    def of(self, system: str, code: str, name: str) -> Meaning:
        """Return the meaning of a row with a code, a name, or both."""
        key = (system.strip(), code.strip(), name.strip())
        if key not in self._known:
            blank = labels.blank(code, name)
            meaning = Meaning((), "not needed") if blank else self._stated(*key)
            self._known[key] = self._wider(meaning)
        return self._known[key]

    def _stated(self, system: str, code: str, name: str) -> Meaning:
        """Return what the site says of a name or a code, else what the vocabulary says."""
        for label in (name, code):
            if label and words(label) in self._site:
                return self._site[words(label)]
        return self._read(system, code, name)

    def _read(self, system: str, code: str, name: str) -> Meaning:
        raise NameError(f"{type(self).__name__} reads no label")

    def statement(self, name: str) -> Statement[tuple[str, ...]]:
        """Return what a written name says of each entry in it.

        An abbreviation that means other things too counts as the whole label; in a diagnosis also as a
        word in capitals, if other letters of the label are small: "ALL, relapsed", not "ALL NEGATIVE".
        """
        short = self._abbreviations.get(words(name))
        known: dict[str, tuple[str, ...]] = {words(name): short} if short else {}
        if not known and self.in_capitals and any(letter.islower() for letter in name):
            known = {
                words(word): self._abbreviations[words(word)]
                for word in re.findall(r"\w+", name)
                if word.isupper() and words(word) in self._abbreviations
            }
        return statements.read(
            name, ChainMap(known, self.index) if known else self.index, self.longest
        )

    def _spoken(self, name: str) -> Meaning | None:
        return labels.meaning_of(self.statement(name))

    def _wider(self, meaning: Meaning) -> Meaning:
        """Add the wider entries of those that are not excluded: no lymphoma is not no cancer."""
        said = dict(meaning.said)
        for name, state in meaning.said:
            if state not in ("excluded", "undecided"):
                for parent in self.by_name[name].parents:
                    said[parent] = state if state == "confirmed" else said.get(parent, state)
        return Meaning(tuple(said.items()), meaning.fate, meaning.reason)


class Diagnoses(_Meanings[Condition]):
    """The conditions of the vocabulary."""

    in_capitals = True

    def _read(self, system: str, code: str, name: str) -> Meaning:
        spoken = self._spoken(name)
        coded = self._coded(system, code) if code else None
        if coded is None or coded.fate == "not understood":
            if spoken is None and (
                labels.diagnosis_not_needed(name) or _harmless_concept(system, code, name)
            ):
                return Meaning((), "not needed")
            reason = coded.reason if coded and not name else labels.NOBODY_KNOWS
            return spoken or Meaning((), "not understood", reason)
        if not coded.said:  # a code of the classification outside our lists
            return spoken if spoken and words(name) in self.index else coded
        if spoken is None:
            return coded
        return (
            _stricter(coded, spoken)
            if self._agree(coded, spoken)
            else Meaning((), "not understood", labels.CONTRADICT)
        )

    def _agree(self, coded: Meaning, spoken: Meaning) -> bool:
        """Return whether a code and a name can mean one disease: one is the other, or a wider one."""
        ours, theirs = ({name for name, _ in each.said} for each in (coded, spoken))
        for names in (ours, theirs):
            names |= {parent for name in [*names] for parent in self.by_name[name].parents}
        return bool(ours & theirs)

    def _coded(self, system: str, code: str) -> Meaning:
        """Return the meaning of a code; not understood where nobody knows it."""
        version = icd.family(system)
        if not version and system:
            return _affirmed(_by_concept(self.entries, system, code), labels.UNKNOWN_CODE)
        if not version and icd.in_both_versions(code):
            old, new = self._coded("ICD9CM", code), self._coded("ICD10", code)
            same = old == new
            return old if same else Meaning((), "not understood", labels.WHICH_VERSION)
        ways = icd.read(code, version or "icd10")
        if not ways and not version and ("." in code or code[:1] in "VE"):
            version, ways = "icd9", icd.read(code, "icd9")
        if not ways:
            reason = labels.NO_SUCH_CODE if version else labels.UNKNOWN_CODE
            return Meaning((), "not understood", reason)
        american = system.upper().endswith("CM")
        for way in reversed(ways) if american else ways:
            names = _by_icd(self.entries, version or "icd10", way.plain)
            if names:
                return self._certain(names, way, ways[-1].plain)
        return Meaning((), "not needed")

    def _certain(self, names: Sequence[str], way: icd.IcdCode, american: str) -> Meaning:
        """Return the meaning of a code of ICD with its certainty; a disease in remission is past."""
        past = {
            name
            for name in names
            if any(fnmatchcase(american, pattern) for pattern in self.by_name[name].in_remission)
        }
        said = tuple(
            (name, way.certainty or ("history" if name in past else "confirmed")) for name in names
        )
        return Meaning(said, labels.fate_of(state for _, state in said))


class Procedures(_Meanings[Procedure]):
    """The procedures of the vocabulary, and the codes that sources list for them."""

    def __init__(
        self,
        entries: Sequence[Procedure],
        systems: Mapping[str, CodeSystem],
        site: Mapping[str, Meaning] | None = None,
    ) -> None:
        super().__init__(entries, site)
        self._systems = systems

    def _read(self, system: str, code: str, name: str) -> Meaning:
        registered = self._systems.get(system_key(system))
        if registered is not None and code:
            return self._listed(registered, code, name)
        version = icd.family(system)
        if code and version:
            names = _by_icd(self.entries, version, code.upper().replace(".", ""))
            return _affirmed(names, "") if names else Meaning((), "not needed")
        if code and (names := _by_concept(self.entries, system, code)):
            return _affirmed(names, "")
        nobody = labels.NOBODY_KNOWS if name else labels.UNKNOWN_CODE
        spoken = self._spoken(name)
        if spoken is None and (
            labels.procedure_not_needed(name) or _harmless_concept(system, code, name)
        ):
            return Meaning((), "not needed")
        return spoken or Meaning((), "not understood", nobody)

    def _listed(self, registered: CodeSystem, code: str, name: str) -> Meaning:
        """Return the meaning of an item of a source's own dictionary."""
        if code not in registered.procedures:
            return Meaning((), "not needed")
        entry, listed = registered.procedures[code]
        if name and listed.label and words(listed.label) != words(name):
            return Meaning((), "not understood", labels.CONTRADICT)
        return _affirmed((entry,), "")


def _harmless_concept(system: str, code: str, name: str) -> bool:
    """Return whether a concept of SNOMED CT that is not in our lists has a name that asks for nothing."""
    snomed = re.sub(r"[-_ ]", "", system.upper()) in ("SNOMED", "SNOMEDCT")
    return snomed and bool(name) and is_snomed(code) and not labels.always_asked(name)


_VERHOEFF: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2), (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1), (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)  # fmt: skip


def is_snomed(code: str) -> bool:
    """Return whether a code is an identifier of SNOMED CT: 6 to 18 digits whose last one is the check digit.

    Source: SNOMED CT, release file specification, check digit by Verhoeff's dihedral scheme.

    >>> is_snomed("118600007"), is_snomed("118600008")
    (True, False)
    """
    text = code.strip()
    if not re.fullmatch(r"[1-9]\d{5,17}", text):
        return False
    check = 0
    for place, digit in enumerate(reversed(text)):
        check = _dihedral(check, _VERHOEFF[place % 8][int(digit)])
    return check == 0


def _dihedral(a: int, b: int) -> int:
    """Multiply in the dihedral group of order ten."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


def _affirmed(names: Sequence[str], reason: str) -> Meaning:
    if not names:
        return Meaning((), "not understood", reason)
    return Meaning(tuple((name, "confirmed") for name in names), "understood")


def _names(entries: Iterable[_T]) -> dict[str, tuple[str, ...]]:
    index: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        for name in (entry.name, entry.title, *entry.names):
            key = words(name)
            if entry.name not in index.get(key, ()):
                index[key] = (*index.get(key, ()), entry.name)
    return index


def _by_icd(
    entries: Sequence[Condition] | Sequence[Procedure], version: str, plain: str
) -> tuple[str, ...]:
    """Return the entries with the longest prefix of a code of ICD."""
    scored = [
        (_prefix(plain, entry.icd10 if version == "icd10" else entry.icd9), entry.name)
        for entry in entries
    ]
    best = max((length for length, _ in scored), default=0)
    return tuple(name for length, name in scored if length == best > 0)


def _by_concept(
    entries: Sequence[Condition] | Sequence[Procedure], system: str, code: str
) -> tuple[str, ...]:
    """Return the entries with a concept of SNOMED CT or OMOP."""
    family, plain = re.sub(r"[-_ ]", "", system.upper()), code.strip()
    if family in ("SNOMED", "SNOMEDCT"):
        return tuple(entry.name for entry in entries if plain in entry.snomed)
    if family == "OMOP":
        return tuple(entry.name for entry in entries if plain in entry.omop)
    return ()


_WEAKER: Final[tuple[State, ...]] = ("excluded", "others", "history", "suspected", "confirmed")
"""Of two things said of one disease the earlier one holds: nothing affirms what something denies."""


def _stricter(coded: Meaning, spoken: Meaning) -> Meaning:
    """Return the meaning of a code, as weakly as its name says it."""
    states = [state for _, state in spoken.said]
    if "undecided" in states:
        return Meaning(coded.said, "not understood", spoken.reason)
    weakest = min(states, key=_WEAKER.index)
    said = tuple((name, min(state, weakest, key=_WEAKER.index)) for name, state in coded.said)
    return Meaning(said, labels.fate_of(state for _, state in said))


def _prefix(code: str, prefixes: Sequence[str]) -> int:
    """Return the length of the longest of `prefixes` of `code`; a range counts as three."""
    best = 0
    for prefix in prefixes:
        first, _, last = prefix.partition("-")
        if (last and first <= code[:3] <= last) or (not last and code.startswith(first)):
            best = max(best, len(first))
    return best
