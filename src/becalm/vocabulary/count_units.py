"""Units of cell counts: a power of ten per volume, in the words of many countries."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.vocabulary.units import normalise

FILE: Final = Path(__file__).with_suffix(".toml")
_POWER: Final = re.compile(r"[x*]?10(?:\^|\*{1,2}|e|exp)?\+?0?([3-9])|[x*]?e\+?0?([3-9])")


class Power(toml.TomlTable, frozen=True):
    """Words for a power of ten."""

    exponent: int
    words: tuple[str, ...]
    source: str


class Volume(toml.TomlTable, frozen=True):
    """Words for a volume; `litres` is its power of ten in litres."""

    litres: int
    words: tuple[str, ...]


class CellWords(toml.TomlTable, frozen=True):
    """Words for what is counted."""

    words: tuple[str, ...]
    source: str


class PowerRange(toml.TomlTable, frozen=True):
    """The lowest and the highest power of ten per litre that laboratories print."""

    low: int
    high: int
    source: str


class CountUnits(toml.TomlTable, frozen=True):
    """The words of `count_units.toml`."""

    range: PowerRange
    power: tuple[Power, ...]
    volume: tuple[Volume, ...]
    cells: CellWords


@lru_cache(maxsize=1)
def count_units() -> CountUnits:
    """Return the shipped words."""
    return toml.load(FILE, CountUnits)


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, int], dict[str, int], tuple[str, ...]]:
    shipped = count_units()
    return (
        {normalise(word): each.exponent for each in shipped.power for word in each.words},
        {normalise(word): each.litres for each in shipped.volume for word in each.words},
        tuple(sorted(map(normalise, shipped.cells.words), key=len, reverse=True)),
    )


@lru_cache(maxsize=4096)
def per_litre(unit: str) -> int | None:
    """Return the power of ten of cells per litre that a unit says; None if it is no unit of a count.

    >>> per_litre("Tsd./µl"), per_litre("1/nl"), per_litre("lakh/cumm"), per_litre("mg/dL")
    (9, 9, 11, None)
    """
    powers, volumes, cells = _tables()
    before, stroke, after = normalise(unit).rpartition("/")
    if not stroke or after not in volumes:
        return None
    for word in cells:
        before = before.removesuffix(word)
    before = before.rstrip(".*")
    found = _POWER.fullmatch(before)
    power = int(found[1] or found[2]) if found else powers.get(before)
    if power is None:
        return None
    printed, per = count_units().range, power - volumes[after]
    return per if printed.low <= per <= printed.high else None
