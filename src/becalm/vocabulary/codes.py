"""Codes of a source's own: which system they belong to, and what each stands for.

LOINC, OMOP, RxNorm, SNOMED and ICD codes stand in the entries of the vocabulary. The codes that a
hospital or a data set made up for itself are brought by whoever reads them, in a file `codes.toml`
beside the reader: data, found by its name, so the vocabulary imports no reader and a new reader
edits no list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import field

from becalm.core import toml
from becalm.core.errors import DefinitionError

PACKAGE: Final = Path(__file__).parents[1]
FILES: Final = "*/*/codes.toml"
"""Where files of codes lie in becalm: beside the reader of the records that carry them."""

SHARED: Final = ("LOINC", "OMOP", "RXNORM", "SNOMED", "SNOMEDCT", "NAME", "")
"""Systems whose codes stand in the entries themselves."""


class ListedCode(toml.TomlTable, frozen=True):
    """A code with the label that it has in the release that was read.

    A local code may stand for something else in another release, so the label is checked when a
    row is read; '' where there is none to check. `unit` is for codes whose rows have no unit: the
    one that the label states, or that the values show where a comment beside the code says so.
    """

    code: str
    label: str = ""
    unit: str = ""


class CodeFile(toml.TomlTable, frozen=True):
    """A `codes.toml`: the codes of one system, by the entry of the vocabulary they stand for.

    names_are_read : whether a row whose code is not listed may still be understood by its name.
    """

    system: str
    source: str
    names_are_read: bool = True
    variable: dict[str, tuple[ListedCode, ...]] = field(default_factory=dict)
    drug: dict[str, tuple[ListedCode, ...]] = field(default_factory=dict)
    procedure: dict[str, tuple[ListedCode, ...]] = field(default_factory=dict)


class CodeSystem:
    """All codes of one system: by code, the name of the entry and the code as listed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.names_are_read = True
        self.variables: dict[str, tuple[str, ListedCode]] = {}
        self.drugs: dict[str, tuple[str, ListedCode]] = {}
        self.procedures: dict[str, tuple[str, ListedCode]] = {}


def system_key(text: str) -> str:
    """Return a system's name as it is compared: "RxNorm" is "RXNORM"."""
    return text.strip().upper()


def code_files(package: Path = PACKAGE) -> Sequence[Path]:
    """Return every file of codes that ships with becalm, by name."""
    return sorted(package.glob(FILES))


def systems(
    files: Iterable[Path],
    *,
    variables: Iterable[str],
    drugs: Iterable[str],
    procedures: Iterable[str],
) -> Mapping[str, CodeSystem]:
    """Read files of codes, by the key of their system. Several files may add to one system.

    variables, drugs, procedures : the names of the vocabulary's entries.

    Raises
    ------
    DefinitionError
        A name that no entry has, one code for two entries, a system whose codes belong into the
        entries, or two files that disagree whether names are read.
    """
    known = {"variable": set(variables), "drug": set(drugs), "procedure": set(procedures)}
    found: dict[str, CodeSystem] = {}
    for path in files:
        where = f"{path.parent.name}/{path.name}"
        file = toml.load(path, CodeFile)
        key = system_key(file.system)
        if key in SHARED or key.startswith("ICD"):
            raise DefinitionError(
                f"codes of {file.system or 'no system'} stand in the entries of the vocabulary",
                where=where,
            )
        if key not in found:
            found[key] = CodeSystem(file.system)
            found[key].names_are_read = file.names_are_read
        system = found[key]
        if system.names_are_read != file.names_are_read:
            raise DefinitionError(
                f"names_are_read of {file.system} is not the same in two files", where=where
            )
        for kind, index, listed in (
            ("variable", system.variables, file.variable),
            ("drug", system.drugs, file.drug),
            ("procedure", system.procedures, file.procedure),
        ):
            for entry, one in _each(listed):
                if entry not in known[kind]:
                    raise DefinitionError(f"no {kind} is called {entry!r}", where=where)
                other, _ = index.setdefault(one.code, (entry, one))
                if other != entry:
                    raise DefinitionError(f"{one.code} is both {other} and {entry}", where=where)
    return found


def _each(listed: Mapping[str, tuple[ListedCode, ...]]) -> Iterator[tuple[str, ListedCode]]:
    for entry, codes in listed.items():
        for one in codes:
            yield entry, one
