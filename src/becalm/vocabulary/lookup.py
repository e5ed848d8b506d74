"""Look-up of names and codes of records in the vocabulary; each answer is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Final, TypeVar

from becalm.core.errors import did_you_mean
from becalm.vocabulary import loading
from becalm.vocabulary.codes import CodeSystem, system_key
from becalm.vocabulary.model import (
    Condition,
    Derived,
    Drug,
    Finding,
    MeasurementKind,
    Procedure,
    Resolution,
    Term,
    Variable,
)
from becalm.vocabulary.text import all_phrases, best_phrase, words
from becalm.vocabulary.units import BLANK_UNITS, Conversion, normalise

UNKNOWN_VARIABLE: Final = "unknown variable"
UNKNOWN_UNIT: Final = "unknown unit"
UNIT_MISSING: Final = "unit missing"
LABEL_CONTRADICTS: Final = "item label contradicts the vocabulary"
CODE_AND_NAME_DISAGREE: Final = "code and name disagree"
SPECIMEN_MISMATCH: Final = "another specimen"

_AS_IS: Final = Conversion()
_E = TypeVar("_E", bound=Term)


class Vocabulary:
    """All entries, and their look-up by name and code. Entries never change; answers are stored."""

    def __init__(self, files: loading.Files) -> None:
        self.variables: tuple[Variable, ...] = files.variables
        """In a fixed order; a variable's code is its position."""
        self.derived: tuple[Derived, ...] = files.derived
        """Variables of definitions that are computed from several rows."""
        self.drugs: tuple[Drug, ...] = files.drugs
        self.conditions: tuple[Condition, ...] = files.conditions
        self.findings: tuple[Finding, ...] = files.findings
        self.procedures: tuple[Procedure, ...] = files.procedures
        self._files = files
        self._codes = {variable.name: code for code, variable in enumerate(files.variables)}
        self._drugs = {drug.name: drug for drug in files.drugs}
        self._conditions = {condition.name: condition for condition in files.conditions}
        self._procedures = {procedure.name: procedure for procedure in files.procedures}
        self._resolved: dict[MeasurementKind, Resolution] = {}
        self._drug_answers: dict[tuple[str, str, str], Drug | None] = {}
        self._condition_answers: dict[tuple[str, str, str], tuple[str, ...]] = {}
        self._procedure_answers: dict[tuple[str, str, str], tuple[str, ...]] = {}

    # ------------------------------------------------------------ by name

    def code(self, name: str) -> int:
        """Return a variable's code: its position in `variables`."""
        try:
            return self._codes[name]
        except KeyError:
            raise KeyError(f"no variable is called {name!r}. {self.suggest(name)}") from None

    def variable(self, name: str) -> Variable:
        """Return a variable by its name."""
        return self.variables[self.code(name)]

    def drug(self, name: str) -> Drug:
        """Return a drug by its name."""
        try:
            return self._drugs[name]
        except KeyError:
            hint = did_you_mean(name, self._drugs)
            raise KeyError(f"no drug is called {name!r}. {hint}") from None

    def drugs_of_class(self, *classes: str) -> tuple[str, ...]:
        """Return the names of all drugs of some classes."""
        return tuple(drug.name for drug in self.drugs if drug.drug_class in classes)

    def condition(self, name: str) -> Condition:
        """Return a condition by its name."""
        return self._conditions[name]

    def procedure(self, name: str) -> Procedure:
        """Return a procedure by its name."""
        return self._procedures[name]

    def suggest(self, name: str) -> str:
        """Return a hint for a variable's name that was not understood."""
        return did_you_mean(words(name), self._variable_names)

    def suggest_drug(self, name: str) -> str:
        """Return a hint for a drug's name that was not understood."""
        return did_you_mean(words(name), self._drug_names)

    def suggest_finding(self, name: str) -> str:
        """Return a hint for a finding that was not understood."""
        return did_you_mean(words(name), self._finding_names)

    def suggest_condition(self, name: str) -> str:
        """Return a hint for a condition that was not understood."""
        return did_you_mean(words(name), self._condition_names)

    def suggest_procedure(self, name: str) -> str:
        """Return a hint for a procedure that was not understood."""
        return did_you_mean(words(name), self._procedure_names)

    def measured_codes(self, system: str) -> frozenset[str]:
        """Return the codes of a source's own system that are read as measurements."""
        registered = self._system(system)
        return frozenset(registered.variables) if registered else frozenset()

    def measured_label(self, system: str, code: str) -> str:
        """Return the label that a measured code of a source's own system has; '' if none."""
        registered = self._system(system)
        listed = registered.variables.get(code.strip()) if registered else None
        return listed[1].label if listed else ""

    def _system(self, name: str) -> CodeSystem | None:
        return self._files.systems.get(system_key(name))

    # ------------------------------------------------------------ measurements

    def resolve(self, kind: MeasurementKind) -> Resolution:
        """Return the variable of a measurement, first by its code, else by its whole name."""
        known = self._resolved.get(kind)
        if known is None:
            known = self._resolved[kind] = self._resolve(kind)
        return known

    def _resolve(self, kind: MeasurementKind) -> Resolution:
        name, code = words(kind.name), kind.code.strip()
        by_name = self._variable_names.get(name, ())
        by_code = self._variable_codes.get((system_key(kind.system), code))
        unit, reason = kind.unit, ""
        registered = self._system(kind.system)
        if registered is not None:
            by_name = by_name if registered.names_are_read else ()
            if code in registered.variables:
                listed = registered.variables[code][1]
                label = words(listed.label)
                reason = LABEL_CONTRADICTS if name and label and label != name else ""
                unit = listed.unit if normalise(unit) in BLANK_UNITS else unit
        elif by_code is not None and by_name and by_code not in by_name:
            reason = CODE_AND_NAME_DISAGREE
        chosen = self._by_unit(by_name, unit) if by_code is None else by_code
        if chosen is None:
            return Resolution(None, _AS_IS, UNKNOWN_VARIABLE)
        variable = self.variables[chosen]
        if variable.specimen and not self._is_specimen(kind.specimen, variable.specimen):
            reason = reason or SPECIMEN_MISMATCH
        conversion, unit_reason = self._conversion(variable, unit)
        return Resolution(chosen, conversion, reason or unit_reason)

    def _by_unit(self, candidates: Sequence[int], unit: str) -> int | None:
        """Choose among variables of one name by the unit: "neutrophils" in % or in 10⁹/L.

        If the unit fits none of them, return the first; its unit is then missing or unknown.
        """
        fitting = [c for c in candidates if not self._conversion(self.variables[c], unit)[1]]
        return next(iter(fitting or candidates), None)

    def _conversion(self, variable: Variable, unit: str) -> tuple[Conversion, str]:
        key = normalise(unit)
        if key in BLANK_UNITS:
            return _AS_IS, "" if variable.unit_optional else UNIT_MISSING
        name = self._files.spellings.get(key, key)
        refused = self._refused_units.get((variable.name, key))
        if refused:
            return _AS_IS, refused
        factor = variable.units.get(name)
        return (factor.conversion(), "") if factor else (_AS_IS, UNKNOWN_UNIT)

    def unit_of(self, variable: Variable, unit: str) -> tuple[Conversion, str]:
        """Return the conversion of a unit to the variable's own, or the reason why there is none."""
        return self._conversion(variable, unit)

    def _is_specimen(self, written: str, expected: str) -> bool:
        plain = words(written)
        return not plain or plain in {words(s) for s in self._files.specimens[expected]}

    # ------------------------------------------------------------ drugs, routes, findings

    def drug_of(self, label: str, code: str = "", system: str = "") -> Drug | None:
        """Return the drug of an administration, by code, else the longest name in its label.

        None if neither is known, or if code and label mean two different drugs.
        """
        key = (label, code, system)
        if key not in self._drug_answers:
            self._drug_answers[key] = self._drug_of(*key)
        return self._drug_answers[key]

    def _drug_of(self, label: str, code: str, system: str) -> Drug | None:
        by_name = best_phrase(label, self._drug_names, self._longest_drug)
        by_name = by_name or self._drug_abbreviations.get(words(label))
        by_code = self._drug_codes.get((system_key(system), code.strip()))
        if by_code is None:
            return by_name
        return by_code if by_name in (None, by_code) else None

    def route_of(self, text: str) -> str:
        """Return IV, SC, IM, PO, topical, ophthalmic, inhaled or other; '' if not understood."""
        return self._routes.get(words(text), "")

    def finding_of(self, text: str) -> str | None:
        """Return the finding with this whole name; None if not understood."""
        return self._finding_names.get(words(text))

    # ------------------------------------------------------------ conditions, procedures

    def conditions_of(self, system: str, code: str, name: str) -> tuple[str, ...]:
        """Return the conditions of a diagnosis with the wider ones they belong to, narrowest first.

        By code if there is one; else by every condition named in the text, unless a word in it ("no",
        "family history of") means that the patient does not have it.
        """
        key = (system, code, name)
        if key not in self._condition_answers:
            self._condition_answers[key] = self._conditions_of(*key)
        return self._condition_answers[key]

    def _conditions_of(self, system: str, code: str, name: str) -> tuple[str, ...]:
        if code.strip():
            plain = _plain(code)
            names = tuple(
                name
                for name in _by_code(self.conditions, system, code)
                if not any(fnmatchcase(plain, p) for p in self._conditions[name].in_remission)
            )
        elif self._negated(name):
            names = ()
        else:
            short = self._condition_abbreviations
            names = short.get(words(name)) or all_phrases(
                name, self._condition_names, self._longest_condition, short
            )
        return _with_parents(names, self._conditions)

    def _negated(self, name: str) -> bool:
        text = f" {words(name)} "
        return "?" in name or any(f" {word} " in text for word in self._negations)

    def procedures_of(self, system: str, code: str, name: str) -> tuple[str, ...]:
        """Return the procedures of a row with the wider ones they belong to, narrowest first."""
        key = (system, code, name)
        if key not in self._procedure_answers:
            self._procedure_answers[key] = self._procedures_of(*key)
        return self._procedure_answers[key]

    def _procedures_of(self, system: str, code: str, name: str) -> tuple[str, ...]:
        names: tuple[str, ...] = ()
        if code.strip():
            registered = self._system(system)
            if registered is None:
                names = _by_code(self.procedures, system, code)
            elif code.strip() in registered.procedures:
                entry, listed = registered.procedures[code.strip()]
                fits = not name or not listed.label or words(listed.label) == words(name)
                names = (entry,) if fits else ()
        else:
            names = self._procedure_abbreviations.get(words(name)) or all_phrases(
                name, self._procedure_names, self._longest_procedure
            )
        return _with_parents(names, self._procedures)

    # ------------------------------------------------------------ indexes

    @cached_property
    def _variable_codes(self) -> dict[tuple[str, str], int]:
        index: dict[tuple[str, str], int] = {}
        for place, variable in enumerate(self.variables):
            for system, codes in (
                ("LOINC", variable.loinc),
                ("OMOP", variable.omop),
            ):
                for code in codes:
                    index[system, code] = place
        for key, registered in self._files.systems.items():
            for code, (name, _) in registered.variables.items():
                index[key, code] = self.code(name)
        return index

    @cached_property
    def _refused_units(self) -> dict[tuple[str, str], str]:
        return {
            (variable.name, normalise(unit)): reason
            for variable in self.variables
            for unit, reason in variable.refused_units.items()
        }

    @cached_property
    def _variable_names(self) -> dict[str, tuple[int, ...]]:
        index: dict[str, dict[int, None]] = {}
        for place, variable in enumerate(self.variables):
            if variable.kind != "finding":
                for name in (variable.name, *variable.names):
                    index.setdefault(words(name), {})[place] = None
        return {name: tuple(places) for name, places in index.items()}

    @cached_property
    def _drug_names(self) -> dict[str, Drug]:
        return {words(name): drug for drug in self.drugs for name in (drug.name, *drug.names)}

    @cached_property
    def _drug_abbreviations(self) -> dict[str, Drug]:
        return {words(short): drug for drug in self.drugs for short in drug.abbreviations}

    @cached_property
    def _longest_drug(self) -> int:
        return _longest(self._drug_names)

    @cached_property
    def _drug_codes(self) -> dict[tuple[str, str], Drug]:
        index: dict[tuple[str, str], Drug] = {}
        for drug in self.drugs:
            index.update({("RXNORM", code): drug for code in drug.rxnorm})
            index.update({("OMOP", code): drug for code in drug.omop})
        for key, registered in self._files.systems.items():
            for code, (name, _) in registered.drugs.items():
                index[key, code] = self._drugs[name]
        return index

    @cached_property
    def _routes(self) -> dict[str, str]:
        return {
            words(spelling): route.name
            for route in self._files.routes
            for spelling in (route.name, *route.spellings)
        }

    @cached_property
    def _finding_names(self) -> dict[str, str]:
        return {words(n): f.name for f in self.findings for n in (f.name, f.title, *f.names)}

    @cached_property
    def _condition_names(self) -> dict[str, tuple[str, ...]]:
        return _names(self.conditions)

    @cached_property
    def _condition_abbreviations(self) -> dict[str, tuple[str, ...]]:
        return {
            words(short): (each.name,) for each in self.conditions for short in each.abbreviations
        }

    @cached_property
    def _longest_condition(self) -> int:
        return _longest(self._condition_names)

    @cached_property
    def _procedure_names(self) -> dict[str, tuple[str, ...]]:
        return _names(self.procedures)

    @cached_property
    def _procedure_abbreviations(self) -> dict[str, tuple[str, ...]]:
        return {
            words(short): (each.name,) for each in self.procedures for short in each.abbreviations
        }

    @cached_property
    def _longest_procedure(self) -> int:
        return _longest(self._procedure_names)

    @cached_property
    def _negations(self) -> tuple[str, ...]:
        return tuple(words(text) for text in self._files.negations)


def _names(entries: Iterable[_E]) -> dict[str, tuple[str, ...]]:
    index: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        for name in (entry.name, entry.title, *entry.names):
            key = words(name)
            if entry.name not in index.get(key, ()):
                index[key] = (*index.get(key, ()), entry.name)
    return index


def _longest(names: Iterable[str]) -> int:
    return max(len(name.split()) for name in names)


def _by_code(
    entries: Sequence[Condition] | Sequence[Procedure], system: str, code: str
) -> tuple[str, ...]:
    """Return the entries with a code; for ICD those with the longest prefix of the code."""
    family = system.upper().replace("-", "").replace("_", "").replace(" ", "")
    plain = _plain(code)
    if family.startswith(("ICD9", "ICD10")):
        scored = [
            (_prefix(plain, entry.icd10 if family.startswith("ICD10") else entry.icd9), entry.name)
            for entry in entries
        ]
        best = max((length for length, _ in scored), default=0)
        return tuple(name for length, name in scored if length == best > 0)
    if family in ("SNOMED", "SNOMEDCT"):
        return tuple(entry.name for entry in entries if plain in entry.snomed)
    if family == "OMOP":
        return tuple(entry.name for entry in entries if plain in entry.omop)
    return ()


def _plain(code: str) -> str:
    return code.strip().upper().replace(".", "")


def _prefix(code: str, prefixes: Sequence[str]) -> int:
    """Return the length of the longest of `prefixes` of `code`; a range counts as three."""
    best = 0
    for prefix in prefixes:
        first, _, last = prefix.partition("-")
        if (last and first <= code[:3] <= last) or (not last and code.startswith(first)):
            best = max(best, len(first))
    return best


def _with_parents(
    names: Sequence[str], entries: Mapping[str, Condition] | Mapping[str, Procedure]
) -> tuple[str, ...]:
    result = dict.fromkeys(names)
    for name in names:
        result.update(dict.fromkeys(entries[name].parents))
    return tuple(result)


@lru_cache(maxsize=1)
def load() -> Vocabulary:
    """Return the vocabulary that ships with becalm; it is read once."""
    return Vocabulary(loading.read())
