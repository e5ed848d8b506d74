"""Reading and checking the vocabulary's files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from becalm.core import toml
from becalm.core.errors import DefinitionError
from becalm.vocabulary.codes import CodeSystem, code_files, systems
from becalm.vocabulary.model import (
    Condition,
    Derived,
    Drug,
    Finding,
    Procedure,
    Range,
    Route,
    RouteModes,
    Specimen,
    Term,
    Unit,
    Variable,
)
from becalm.vocabulary.text import in_sentence, words
from becalm.vocabulary.units import Conversion, normalise

FOLDER: Final = Path(__file__).parent
E = TypeVar("E", bound=Term)


class DrugGroup(toml.TomlTable, frozen=True, rename={"drug_class": "class"}):
    """Many drugs of one class of which only the names are needed."""

    drug_class: str
    drugs: dict[str, tuple[str, ...]]
    immunosuppressant: bool = False
    immunotherapy: bool = False
    verified: bool = True
    source: str = ""

    def entries(self) -> list[Drug]:
        return [
            Drug(
                name=name,
                names=names,
                drug_class=self.drug_class,
                immunosuppressant=self.immunosuppressant,
                immunotherapy=self.immunotherapy,
                verified=self.verified,
                source=self.source,
            )
            for name, names in self.drugs.items()
        ]


class _Variables(toml.TomlTable, frozen=True):
    variable: tuple[Variable, ...]


class _Specimens(toml.TomlTable, frozen=True):
    specimen: tuple[Specimen, ...]


class _Derived(toml.TomlTable, frozen=True):
    derived: tuple[Derived, ...]


class _Drugs(toml.TomlTable, frozen=True):
    drug: tuple[Drug, ...] = ()
    group: tuple[DrugGroup, ...] = ()

    def entries(self) -> list[Drug]:
        return [*self.drug, *(drug for group in self.group for drug in group.entries())]


class _Conditions(toml.TomlTable, frozen=True):
    condition: tuple[Condition, ...]


class Compound(toml.TomlTable, frozen=True):
    """Names that say several findings at once."""

    names: tuple[str, ...]
    findings: tuple[str, ...]


class _Findings(toml.TomlTable, frozen=True):
    finding: tuple[Finding, ...]
    compound: tuple[Compound, ...]


class _Procedures(toml.TomlTable, frozen=True):
    procedure: tuple[Procedure, ...]


class _Units(toml.TomlTable, frozen=True):
    unit: tuple[Unit, ...]


class _Ambiguous(toml.TomlTable, frozen=True):
    letter: str
    beside: tuple[str, ...]


class _Sexes(toml.TomlTable, frozen=True):
    sex: tuple[Route, ...]
    ambiguous: _Ambiguous


class _Routes(toml.TomlTable, frozen=True):
    route: tuple[Route, ...]
    mode: RouteModes


class Files(msgspec.Struct, frozen=True):
    """All entries as read, findings also as variables."""

    variables: tuple[Variable, ...]
    derived: tuple[Derived, ...]
    drugs: tuple[Drug, ...]
    conditions: tuple[Condition, ...]
    findings: tuple[Finding, ...]
    compounds: tuple[Compound, ...]
    procedures: tuple[Procedure, ...]
    routes: tuple[Route, ...]
    route_modes: RouteModes
    spellings: dict[str, str]  # normalised spelling -> unit
    specimens: tuple[Specimen, ...]
    systems: Mapping[str, CodeSystem]  # of sources' own codes, by the key of the system


T = TypeVar("T")


def _read(name: str, kind: type[T]) -> T:
    return toml.load(FOLDER / name, kind)


@lru_cache(maxsize=1)
def read() -> Files:
    """Read and check every file of the vocabulary.

    Raises
    ------
    DefinitionError
        For an unknown key, a unit or parent that is not defined, two entries of one name, or a
        conversion by which a greater value becomes a smaller one.
    """
    units = _read("units.toml", _Units).unit
    spellings: dict[str, str] = {}
    for unit in units:
        for spelling in (unit.name, *unit.spellings):
            other = spellings.setdefault(normalise(spelling), unit.name)
            if other != unit.name:
                raise DefinitionError(f"{spelling!r} is both {other} and {unit.name}")
    measured = _read("variables.toml", _Variables)
    findings = _named(_read("findings.toml", _Findings).finding)
    conditions = _read("conditions.toml", _Conditions)
    variables = _named((*measured.variable, *map(_as_variable, findings)))
    drugs = _drugs()
    procedures = _named(_read("procedures.toml", _Procedures).procedure)
    files = Files(
        variables=variables,
        derived=_named(_read("derived_variables.toml", _Derived).derived),
        drugs=drugs,
        conditions=_named(conditions.condition),
        findings=findings,
        compounds=_read("findings.toml", _Findings).compound,
        procedures=procedures,
        routes=_read("routes.toml", _Routes).route,
        route_modes=_read("routes.toml", _Routes).mode,
        spellings=spellings,
        specimens=_read("specimens.toml", _Specimens).specimen,
        systems=systems(
            code_files(),
            variables=(entry.name for entry in variables),
            drugs=(entry.name for entry in drugs),
            procedures=(entry.name for entry in procedures),
        ),
    )
    _check(files)
    return files


@lru_cache(maxsize=1)
def sexes() -> Mapping[str, str]:
    """Return `F` or `M` for every word that means it."""
    return {
        words(each): sex.name for sex in _read("sexes.toml", _Sexes).sex for each in sex.spellings
    }


def ambiguous_sex(texts: Iterable[str]) -> tuple[str, str] | None:
    """Return the letter that has two meanings among some cells, and the word beside it that shows so.

    >>> ambiguous_sex(["M", "hombre"]), ambiguous_sex(["M", "female"])
    (('M', 'hombre'), None)
    """
    rule, found = _read("sexes.toml", _Sexes).ambiguous, set(texts)
    beside = {words(each) for each in rule.beside}
    shown = sorted(text for text in found if words(text) in beside)
    letters = [text for text in found if words(text) == words(rule.letter)]
    return (rule.letter, shown[0]) if shown and letters else None


def _drugs() -> tuple[Drug, ...]:
    """Return the drugs of all files in `drugs/`, by name; the file of a drug has no meaning."""
    files = sorted(path.name for path in (FOLDER / "drugs").glob("*.toml"))
    entries = [drug for name in files for drug in _read(f"drugs/{name}", _Drugs).entries()]
    return _named(tuple(sorted(entries, key=lambda drug: drug.name)))


def _as_variable(finding: Finding) -> Variable:
    """Return a finding as the variable of the same name: 1 present, 0 absent."""
    return Variable(
        name=finding.name,
        title=finding.title,
        label=finding.label,
        kind="finding",
        plausible=Range(0, 1, "present or absent"),
        valid=finding.valid,
        source=finding.source,
    )


def _named(entries: tuple[E, ...]) -> tuple[E, ...]:
    """Return the entries with titles and labels; two entries of one name are an error."""
    seen: set[str] = set()
    result = []
    for entry in entries:
        if entry.name in seen:
            raise DefinitionError(f"the vocabulary has {entry.name!r} twice")
        seen.add(entry.name)
        title = entry.title or entry.name.replace("_", " ").capitalize()
        named: dict[str, Any] = {"title": title, "label": entry.label or in_sentence(title)}
        result.append(msgspec.structs.replace(entry, **named))
    return tuple(result)


def _check(files: Files) -> None:
    spoken: dict[str, str] = {}
    for drug in files.drugs:
        for name in {words(n) for n in (drug.name, *drug.names, *drug.abbreviations)}:
            if spoken.setdefault(name, drug.name) != drug.name:
                raise DefinitionError(f"{name!r} is both {spoken[name]} and {drug.name}")
    _check_codes(files.drugs)
    specimens = {each.name for each in files.specimens}
    for variable in files.variables:
        if variable.specimen and variable.specimen not in specimens:
            raise DefinitionError(f"{variable.name}: no specimen is called {variable.specimen!r}")
        if variable.kind != "finding" and not variable.unit_optional:
            _check_units(variable, set(files.spellings.values()))
    for entries in (files.conditions, files.procedures):
        names = {entry.name for entry in entries}
        for entry in entries:
            missing = set(entry.parents) - names
            if missing:
                raise DefinitionError(f"{entry.name}: no parent is called {min(missing)!r}")


def _check_codes(drugs: tuple[Drug, ...]) -> None:
    names: dict[tuple[str, str], str] = {}
    for drug in drugs:
        for system, codes in (("RxNorm", drug.rxnorm), ("OMOP", drug.omop)):
            for code in codes:
                other = names.setdefault((system, code), drug.name)
                if other != drug.name:
                    raise DefinitionError(f"{system} {code} is both {other} and {drug.name}")


def _check_units(variable: Variable, known: set[str]) -> None:
    for unit, factor in variable.units.items():
        if unit not in known:
            raise DefinitionError(f"{variable.name}: {unit!r} is not in units.toml")
        if factor.times <= 0 or factor.by <= 0:
            raise DefinitionError(f"{variable.name}: {unit!r} needs times and by above 0")
    own = variable.units.get(variable.unit)
    if own is None or own.conversion() != Conversion():
        raise DefinitionError(
            f"{variable.name}: {variable.unit!r} must have no conversion: it is the variable's own unit"
        )
