"""The numbers of `organs.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.core.clock import Length

FILE: Final = Path(__file__).with_name("organs.toml")


class Sofa(toml.TomlTable, frozen=True):
    """The cut-offs of SOFA, by points."""

    source: str
    verified: bool
    worst_within: Length
    pressure: float
    oxygen: dict[int, float]
    platelets: dict[int, float]
    bilirubin: dict[int, float]
    creatinine: dict[int, float]
    urine: dict[int, float]
    coma: dict[int, float]
    any: dict[str, int]
    above: dict[str, dict[int, float]]


class Suspicion(toml.TomlTable, frozen=True):
    """When an infection is suspected, and when it is a sepsis."""

    culture_first: Length
    antibiotic_first: Length
    before: Length
    after: Length
    rise: int
    new_course: Length
    not_cultures: tuple[str, ...]
    source: str
    verified: bool


class OrganRules(toml.TomlTable, frozen=True):
    """The whole file."""

    sofa: Sofa
    suspicion: Suspicion


def load() -> OrganRules:
    """Return the shipped numbers."""
    return toml.load(FILE, OrganRules)
