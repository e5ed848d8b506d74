"""The file `units.toml`: units of doses, schedules and what a container holds."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from becalm.core import toml


class WrittenUnit(toml.TomlTable, frozen=True):
    """A unit, and how many of its dimension's base unit one is."""

    name: str
    dimension: str
    times: float = 1
    by: float = 1
    spellings: tuple[str, ...] = ()


class Product(toml.TomlTable, frozen=True):
    """The content of one container of a drug."""

    drug: str
    container: str
    mg: float
    source: str


class CountedDoses(toml.TomlTable, frozen=True):
    """Doses of which only the number is written: "1 g x3"."""

    hours_apart: float
    source: str
    verified: bool


class DoseUnits(toml.TomlTable, frozen=True):
    """The whole file `units.toml`."""

    unit: tuple[WrittenUnit, ...]
    counted: dict[str, tuple[str, ...]]
    hours: dict[str, float]
    written_together: dict[str, str]
    schedule: dict[str, float]
    held: tuple[str, ...]
    counted_doses: CountedDoses
    product: tuple[Product, ...]


TABLE: Final = toml.load(Path(__file__).with_name("units.toml"), DoseUnits)
