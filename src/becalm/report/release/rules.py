"""The rules of disclosure control, with their sources; the numbers stand in `disclosure.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.core.digits import fixed

FILE: Final = Path(__file__).parent / "disclosure.toml"
CITED: Final = ("nhs_hes_disclosure2018", "hundepool2012")
"""Keys of the bibliography: what the rules follow."""


class _RulesFile(toml.TomlTable, frozen=True):
    threshold: int
    base: int
    protection: int
    median_from: int
    quartiles_from: int
    digits: int
    rows_from: int
    wide_total: float
    most_cases: int
    source: dict[str, str]


@dataclass(frozen=True)
class DisclosureRules:
    """What may be printed of a count of persons.

    threshold : the smallest count that is printed, in persons. base : printed counts are rounded to the nearest
    multiple of it. protection : how many persons the lowest and the highest possible value of a count that is
    not printed must be apart, for whoever has read everything that is printed.
    """

    threshold: int
    base: int
    protection: int

    @classmethod
    def default(cls) -> DisclosureRules:
        """Return the rules of `disclosure.toml`."""
        return cls(numbers().threshold, numbers().base, numbers().protection)

    def printed(self, count: int) -> int:
        """Return a count as it is printed: the nearest multiple of the base.

        >>> [DisclosureRules(8, 5, 3).printed(n) for n in (8, 12, 13, 17, 18)]
        [10, 10, 15, 15, 20]
        """
        return (2 * count + self.base) // (2 * self.base) * self.base

    def bounds(self, printed: int) -> tuple[int, int]:
        """Return the lowest and the highest count that are printed as `printed`.

        >>> DisclosureRules(8, 5, 3).bounds(10), DisclosureRules(8, 5, 3).bounds(15)
        ((8, 12), (13, 17))
        """
        low = printed - self.base // 2
        return max(low, self.threshold), low + self.base - 1

    @property
    def overridden(self) -> bool:
        return self != DisclosureRules.default()


@cache
def numbers() -> _RulesFile:
    """Return the numbers of `disclosure.toml`."""
    return toml.load(FILE, _RulesFile)


def coarse(value: float) -> str:
    """Return a number to so many significant digits as a release prints.

    >>> coarse(248.0), coarse(0.4567), coarse(1234.5)
    ('250', '0.46', '1,200')
    """
    if not value:
        return "0"
    rounded = float(f"{value:.{numbers().digits - 1}e}")
    places = max(0, numbers().digits - 1 - int(f"{rounded:e}".partition("e")[2]))
    return fixed(rounded, places)
