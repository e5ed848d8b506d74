"""Look-up of names and codes of records in the vocabulary; each answer is stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import Final, TypeVar

from becalm.core.errors import did_you_mean
from becalm.vocabulary import labels, loading, statements
from becalm.vocabulary.codes import CodeSystem, system_key
from becalm.vocabulary.labels import Meaning
from becalm.vocabulary.meanings import Diagnoses, Procedures
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
from becalm.vocabulary.row_words import ROW_WORDS, RowWords
from becalm.vocabulary.statements import Statement
from becalm.vocabulary.text import best_phrase, words
from becalm.vocabulary.unit_lookup import AS_IS, UnitLookup
from becalm.vocabulary.units import BLANK_UNITS, Conversion, normalise

UNKNOWN_VARIABLE: Final = "unknown variable"
LABEL_CONTRADICTS: Final = "item label contradicts the vocabulary"
CODE_AND_NAME_DISAGREE: Final = "code and name disagree"

LOINC: Final = re.compile(r"\d{1,5}-\d")
_E = TypeVar("_E", bound=Term)


class Vocabulary:
    """All entries, and their look-up by name and code. Entries never change; answers are stored."""

    def __init__(
        self, files: loading.Files, site: Mapping[tuple[str, str], Meaning] | None = None
    ) -> None:
        self.variables: tuple[Variable, ...] = files.variables
        """In a fixed order; a variable's code is its position."""
        self.derived: tuple[Derived, ...] = files.derived
        """Variables of definitions that are computed from several rows."""
        self.drugs: tuple[Drug, ...] = files.drugs
        self.conditions: tuple[Condition, ...] = files.conditions
        self.findings: tuple[Finding, ...] = files.findings
        self.procedures: tuple[Procedure, ...] = files.procedures
        self._files = files
        self._units = UnitLookup(files.variables, files.spellings)
        self._site = {(kind, words(label)): said for (kind, label), said in (site or {}).items()}
        self._codes = {variable.name: code for code, variable in enumerate(files.variables)}
        self._drugs = {drug.name: drug for drug in files.drugs}
        self._conditions = {condition.name: condition for condition in files.conditions}
        self._procedures = {procedure.name: procedure for procedure in files.procedures}
        self._resolved: dict[MeasurementKind, Resolution] = {}
        self._drug_answers: dict[tuple[str, str, str], Drug | None] = {}
        self.row_words = RowWords(
            files.specimens, dict.fromkeys(files.spellings.values()), self._site
        )
        """Units, specimens, organisms and statuses."""
        self._diagnoses = Diagnoses(files.conditions, self._of_site("diagnosis"))
        self._procedure_meanings = Procedures(
            files.procedures, files.systems, self._of_site("procedure")
        )

    def with_words(self, site: Mapping[tuple[str, str], Meaning]) -> Vocabulary:
        """Return the same vocabulary with a site's own words, by kind and label, above it."""
        return Vocabulary(self._files, site)

    def _of_site(self, kind: str) -> dict[str, Meaning]:
        return {label: said for (each, label), said in self._site.items() if each == kind}

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
        return did_you_mean(words(name), self._findings_by_name)

    def suggest_condition(self, name: str) -> str:
        """Return a hint for a condition that was not understood."""
        return did_you_mean(words(name), self._diagnoses.index)

    def suggest_procedure(self, name: str) -> str:
        """Return a hint for a procedure that was not understood."""
        return did_you_mean(words(name), self._procedure_meanings.index)

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
        by_name = self._variable_names.get(name) or self._variable_names.get(
            words(labels.component(kind.name)), ()
        )
        site = self._site.get(("test", name))
        if site is not None and site.said:
            by_name = (self.code(site.said[0][0]),)
        by_code = self._variable_codes.get((system_key(kind.system), code))
        unit, reason = self.row_words.stated("unit", kind.unit), ""
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
            return Resolution(None, AS_IS, UNKNOWN_VARIABLE)
        variable = self.variables[chosen]
        if variable.specimen:
            reason = reason or self.row_words.specimens.refusal(kind.specimen, variable.specimen)
        known = code if by_code is not None and system_key(kind.system) == "LOINC" else ""
        conversion, unit_reason = self._units.of_code(variable, known, kind.name, unit)
        return Resolution(chosen, conversion, reason or unit_reason)

    def _by_unit(self, candidates: Sequence[int], unit: str) -> int | None:
        """Choose among variables of one name by the unit: "neutrophils" in % or in 10⁹/L.

        If the unit fits none of them, return the first; its unit is then missing or unknown.
        """
        fitting = [c for c in candidates if not self._units.conversion(self.variables[c], unit)[1]]
        return next(iter(fitting or candidates), None)

    def unit_of(self, variable: Variable, unit: str) -> tuple[Conversion, str]:
        """Return the conversion of a unit to the variable's own, or the reason why there is none."""
        return self._units.conversion(variable, self.row_words.stated("unit", unit))

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
        said = self._site.get(("drug", words(label)))
        if said is not None:
            return self._drugs[said.said[0][0]] if said.said else None
        by_name = self._drug_named(label)
        if by_name is not None and self._denied(label):
            return None
        by_code = self._drug_codes.get((system_key(system), code.strip()))
        if by_code is None:
            return by_name
        return by_code if by_name in (None, by_code) else None

    def _drug_named(self, label: str) -> Drug | None:
        found = best_phrase(label, self._drug_names, self._longest_drug)
        if found is not None:
            return found
        known = self._drug_abbreviations
        return known.get(words(label)) or known.get(labels.without_dose(label))

    def _denied(self, label: str) -> bool:
        """Return whether a label says of every drug in it that it was not given: "no steroids"."""
        said = statements.read(label, self._drug_names, self._longest_drug).said
        return bool(said) and all(each.state == "excluded" for each in said)

    def drug_meaning(self, label: str, code: str = "", system: str = "") -> Meaning:
        """Return the fate of an administration's label; see `drug_of`."""
        said = self._site.get(("drug", words(label)))
        if said is not None:
            return said
        drug = self.drug_of(label, code, system)
        if drug is not None:
            return Meaning(((drug.name, "confirmed"),), "understood")
        named = self._drug_named(label)
        if named is not None:
            if self._denied(label):
                return Meaning(((named.name, "excluded"),), "denied")
            return Meaning((), "not understood", labels.CONTRADICT)
        # An item of the source's own dictionary says what it is.
        own = bool(code.strip() and self._system(system)) and not labels.drug_always_asked(label)
        if labels.blank(label, code) or labels.drug_not_needed(label) or own:
            return Meaning((), "not needed")
        return Meaning((), "not understood", labels.NOBODY_KNOWS)

    def test_is_asked(self, kind: MeasurementKind) -> bool:
        """Return whether a measurement of no known variable has to be listed as not understood.

        An item of a source's own dictionary or a code of LOINC says what it is; it is only not needed.
        """
        if kind.code.strip() and (self._system(kind.system) or LOINC.fullmatch(kind.code.strip())):
            return False
        said = self._site.get(("test", words(kind.name)))
        return said is None and not labels.measurement_not_needed(kind.name)

    def finding_is_asked(self, text: str) -> bool:
        """Return whether a finding is not understood: no entry has its name, and no site says what it is."""
        return (
            bool(text.strip())
            and not self.findings_of(text)
            and (("finding", words(text)) not in self._site)
        )

    def route_is_asked(self, text: str) -> bool:
        """Return whether a route is not understood."""
        return bool(text.strip()) and not self.route_of(text)

    def entries_of(self, kind: str, name: str) -> tuple[str, ...]:
        """Return the entries of a kind that a name means, for a site's file of words; () if none."""
        plain = name.strip()
        if kind == "drug":
            drug = self._drugs.get(plain) or self._drug_named(plain)
            return (drug.name,) if drug else ()
        if kind == "route":
            route = plain if plain in self._routes.values() else self._routes.get(words(plain), "")
            return (route,) if route else ()
        if kind == "finding":
            return self._findings_by_name.get(words(plain), ())
        if kind in ROW_WORDS:
            return (plain,) if self.row_words.can_mean(kind, plain) else ()
        if kind == "test":
            return tuple(
                self.variables[at].name for at in self._variable_names.get(words(plain), ())[:1]
            )
        meanings = self._diagnoses if kind == "diagnosis" else self._procedure_meanings
        return (plain,) if plain in meanings.by_name else meanings.index.get(words(plain), ())

    def names_of(self, kind: str) -> tuple[str, ...]:
        """Return the names of all entries of a kind."""
        entries: dict[str, Iterable[str]] = {
            "drug": self._drugs, "diagnosis": self._conditions, "procedure": self._procedures,
            "finding": {each.name for each in self.findings}, "test": self._codes,
            "route": set(self._routes.values()),
        }  # fmt: skip
        return self.row_words.names(kind) if kind in ROW_WORDS else tuple(entries.get(kind, ()))

    def nearest(self, kind: str, label: str) -> str:
        """Return the entry with the most similar name, as a guess for a reader; '' if none is near."""
        known: dict[str, Mapping[str, object]] = {
            "drug": self._drug_names,
            "diagnosis": self._diagnoses.index,
            "procedure": self._procedure_meanings.index,
            "finding": self._findings_by_name,
            "test": self._variable_names,
            "route": self._routes,
        }
        among = self.row_words.names(kind) if kind in ROW_WORDS else known.get(kind, {})
        near = get_close_matches(words(label), among, n=1, cutoff=0.75)
        return near[0] if near else ""

    def route_of(self, text: str) -> str:
        """Return IV, SC, IM, PO, topical, ophthalmic, inhaled or other; '' if not understood."""
        said = self._site.get(("route", words(text)))
        if said is not None:
            return said.said[0][0] if said.said else "other"
        return self._routes.get(words(text), "")

    def mode_of_route(self, text: str) -> str:
        """Return what a route also says of how a drug was given: continuous, intermittent or ''.

        >>> from becalm import vocabulary
        >>> vocabulary.load().mode_of_route("IV drip")
        'continuous'
        """
        said = set(words(text).split())
        modes = self._files.route_modes
        found = [
            mode
            for mode, among in (
                ("continuous", modes.continuous),
                ("intermittent", modes.intermittent),
            )
            if said & set(among)
        ]
        return found[0] if len(found) == 1 else ""

    def finding_of(self, text: str) -> str | None:
        """Return the finding with this whole name; None if there is none, or if it says several."""
        names = self.findings_of(text)
        return names[0] if len(names) == 1 else None

    def findings_of(self, text: str) -> tuple[str, ...]:
        """Return the findings that a whole name says: hepatosplenomegaly says two; () if not understood."""
        said = self._site.get(("finding", words(text)))
        if said is not None:
            return tuple(name for name, _ in said.said)
        return self._findings_by_name.get(words(text), ())

    # ------------------------------------------------------------ conditions, procedures

    def diagnosis(self, system: str, code: str, name: str) -> Meaning:
        """Return what a diagnosis means: the conditions, and what is said of each.

        By its code where the code is known, else by its name. Letters of ICD-10-GM behind a code and the
        words around a name say whether it is suspected, excluded or past. A code and a name that mean
        different diseases are not understood.
        """
        return self._diagnoses.of(system, code, name)

    def read_diagnosis(self, name: str) -> Statement[tuple[str, ...]]:
        """Return what a written name says of each condition in it."""
        return self._diagnoses.statement(name)

    def conditions_of(self, system: str, code: str, name: str) -> tuple[str, ...]:
        """Return the conditions that a diagnosis affirms, with the wider ones, narrowest first."""
        return self.diagnosis(system, code, name).names()

    def procedure_meaning(self, system: str, code: str, name: str) -> Meaning:
        """Return what a procedure means, as `diagnosis` does for a disease."""
        return self._procedure_meanings.of(system, code, name)

    def procedures_of(self, system: str, code: str, name: str) -> tuple[str, ...]:
        """Return the procedures of a row with the wider ones they belong to, narrowest first."""
        return self.procedure_meaning(system, code, name).names()

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
        return max(len(name.split()) for name in self._drug_names)

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
    def _findings_by_name(self) -> dict[str, tuple[str, ...]]:
        compound = {words(n): each.findings for each in self._files.compounds for n in each.names}
        single = {words(n): (f.name,) for f in self.findings for n in (f.name, f.title, *f.names)}
        return compound | single


@lru_cache(maxsize=1)
def load() -> Vocabulary:
    """Return the vocabulary that ships with becalm; it is read once."""
    return Vocabulary(loading.read())
