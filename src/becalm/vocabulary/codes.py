"""Local codes of a source: their system, and the meaning of each code.

LOINC, OMOP, RxNorm, SNOMED and ICD codes are in the entries of the vocabulary. The local codes of a
hospital or a data set are in a file `codes.toml` in the package that reads its records. The file is
found by its name, so the vocabulary imports no reader, and a new reader needs no other change.
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
"""Pattern of the files of local codes in becalm."""

SHARED: Final = ("LOINC", "OMOP", "RXNORM", "SNOMED", "SNOMEDCT", "NAME", "")
"""Systems whose codes are in the entries of the vocabulary."""


class ListedCode(toml.TomlTable, frozen=True):
    """A code with the label that it has in the release that was read.

    A local code may have another meaning in another release, so the label is checked when a row is
    read; '' if there is none. `unit` is for codes whose rows have no unit: it comes from the label,
    or from the values where a comment next to the code says so.
    """

    code: str
    label: str = ""
    unit: str = ""


class CodeFile(toml.TomlTable, frozen=True):
    """A `codes.toml`: the codes of one system, by the entry of the vocabulary that they mean.

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
    """Return a system's name in the form for comparison: "RxNorm" is "RXNORM"."""
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
        For a name that no entry has, one code for two entries, a system whose codes belong into the
        entries, or two files with different `names_are_read`.
    """
    known = {"variable": set(variables), "drug": set(drugs), "procedure": set(procedures)}
    by_key: dict[str, CodeSystem] = {}
    for path in files:
        where = f"{path.parent.name}/{path.name}"
        file = toml.load(path, CodeFile)
        key = system_key(file.system)
        if key in SHARED or key.startswith("ICD"):
            raise DefinitionError(
                f"codes of {file.system or 'no system'} belong into the entries of the vocabulary",
                where=where,
            )
        if key not in by_key:
            by_key[key] = CodeSystem(file.system)
            by_key[key].names_are_read = file.names_are_read
        system = by_key[key]
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
    return by_key


def _each(listed: Mapping[str, tuple[ListedCode, ...]]) -> Iterator[tuple[str, ListedCode]]:
    for entry, codes in listed.items():
        for one in codes:
            yield entry, one
