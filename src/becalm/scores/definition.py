"""A definition is a file: items, bands, points, cut-off, sources and worked examples.

An item reads one variable (`variable`, `take`, `within`) or counts how many of its parts are
fulfilled (`count`). What it finds becomes points, either by `bands` or by one threshold
(`at_least`, `above`, `upto`, `below`) that is worth `points`, 1 unless said. Bands are read from
the lowest up: `below` ends a band before its number, `upto` at it. The total is the sum of the
items, or 1 or 0 for a rule that names them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf, nextafter
from typing import Final, Literal

import msgspec

from becalm.clock import HOUR, span
from becalm.errors import DefinitionError, did_you_mean

RESERVED: Final = ("total", "low", "high")
"""Words of an example's `expect` that mean the whole definition, not an item."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a definition file; an unknown key is a mistake."""


class Band(Part, frozen=True):
    """What values up to an edge are worth; the last band of an item has no edge."""

    points: float
    below: float | None = None
    upto: float | None = None

    @property
    def edge(self) -> float:
        """The lowest value that lies beyond the band; infinite for the last."""
        if self.upto is not None:
            return nextafter(self.upto, inf)
        return inf if self.below is None else self.below


class Item(Part, frozen=True):
    """One line of a score: where its value comes from and what it is worth.

    `unit` is the variable's canonical unit, in which the bands are written. `decimals` is the
    precision at which laboratories print the unit: a converted value is rounded to it before it
    is compared, so that 354 mg/dL is 4.00 mmol/L and not a residue above it. Without `take` and
    `within` the variable must come as a timeline that knows itself when it stops being true.
    """

    name: str = ""
    title: str = ""
    variable: str = ""
    unit: str = ""
    take: Literal["max", "min", "last"] | None = None
    within: str | None = None
    decimals: int | None = None
    count: tuple[Item, ...] = ()
    bands: tuple[Band, ...] = ()
    at_least: float | None = None
    above: float | None = None
    upto: float | None = None
    below: float | None = None
    points: float = 1.0
    source: str = ""
    verified: bool = True

    @property
    def key(self) -> str:
        """The item's name; a part of a count may leave it to its variable."""
        return self.name or self.variable

    @property
    def scale(self) -> tuple[Band, ...]:
        """Bands from the lowest value up, whichever way the file put it."""
        if self.bands:
            return self.bands
        yes = self.points
        if self.at_least is not None:
            return (Band(below=self.at_least, points=0), Band(points=yes))
        if self.above is not None:
            return (Band(upto=self.above, points=0), Band(points=yes))
        if self.upto is not None:
            return (Band(upto=self.upto, points=yes), Band(points=0))
        return (Band(below=self.below, points=yes), Band(points=0))

    @property
    def minimum(self) -> float:
        return min(band.points for band in self.scale)

    @property
    def maximum(self) -> float:
        return max(band.points for band in self.scale)

    def leaves(self) -> Iterator[Item]:
        """Yield what reads a variable: the item itself, or the parts it counts."""
        if not self.count:
            yield self
        for part in self.count:
            yield from part.leaves()

    def walk(self) -> Iterator[Item]:
        """Yield the item and every part of it."""
        yield self
        for part in self.count:
            yield from part.walk()


class AtLeast(Part, frozen=True):
    """So many of these items."""

    at_least: int
    of: tuple[str, ...]


class Rule(Part, frozen=True):
    """A definition that is fulfilled or not: every one of these items and counts of items."""

    all: tuple[str | AtLeast, ...]


class Derivation(Part, frozen=True):
    """In whom the definition was derived; what is not given does not restrict."""

    min_age: int | None = None  # completed years
    below_age: int | None = None
    underlying: tuple[str, ...] = ()
    source: str = ""
    verified: bool = True


class ProbabilityRow(Part, frozen=True):
    """A row of a printed table: the probability, in percent as printed, at a total."""

    total: float
    percent: str


class Example(Part, frozen=True):
    """A worked case. Values in the canonical units, `true` or `false` for findings, text such as
    ">15000" where the assay stopped; what is not given is not known. `expect` gives points by
    item, and `total` or `low` and `high` for the whole.
    """

    given: dict[str, bool | float | str]
    expect: dict[str, float]
    source: str = ""


class Definition(Part, frozen=True, rename={"items": "item", "examples": "example"}):
    """A score or a set of criteria as its file says it."""

    name: str
    title: str
    cite: str  # DOI
    population: str
    cut_off: float
    cut_off_source: str
    items: tuple[Item, ...]
    rule: Rule | None = None
    derivation: Derivation = Derivation()
    notes: tuple[str, ...] = ()
    probability: tuple[ProbabilityRow, ...] = ()
    probability_source: str = ""
    examples: tuple[Example, ...] = ()

    @property
    def minimum(self) -> float:
        """The lowest total there can be: everything measured, nothing found."""
        return 0.0 if self.rule else sum((item.minimum for item in self.items), 0.0)

    @property
    def maximum(self) -> float:
        return 1.0 if self.rule else sum((item.maximum for item in self.items), 0.0)

    @property
    def verified(self) -> bool:
        """False when any value was not yet checked against its source."""
        return all(part.verified for item in self.items for part in item.walk())

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that is read, once, in the order of the file."""
        leaves = (leaf.variable for item in self.items for leaf in item.leaves())
        return tuple(dict.fromkeys(leaves))

    def look_backs(self) -> dict[str, str]:
        """How far back each variable is looked for."""
        leaves = (leaf for item in self.items for leaf in item.leaves())
        return {leaf.variable: leaf.within for leaf in leaves if leaf.within}

    def with_look_backs(self, look_backs: Mapping[str, str]) -> Definition:
        """Return the definition with other look-backs for some variables."""
        wrong = next((name for name in look_backs if name not in self.look_backs()), None)
        if wrong is not None:
            raise DefinitionError(
                f"{self.name} looks back for nothing called {wrong!r}",
                hint=did_you_mean(wrong, self.look_backs()),
            )
        for name, within in look_backs.items():
            try:
                span(within)
            except ValueError as error:
                raise DefinitionError(f"look-back of {name}: {error}") from error

        def changed(item: Item) -> Item:
            within = look_backs.get(item.variable, item.within) if item.within else None
            parts = tuple(changed(part) for part in item.count)
            return msgspec.structs.replace(item, within=within, count=parts)

        return msgspec.structs.replace(self, items=tuple(changed(item) for item in self.items))

    def scaled_look_backs(self, factor: float) -> Definition:
        """Return the definition with every look-back longer or shorter: half, double."""

        def scaled(text: str) -> str:
            inclusive = text.strip().startswith("<=")
            hours = (span(text) - inclusive) / HOUR * factor
            return f"{'<=' if inclusive else ''}{hours!r}h"

        return self.with_look_backs(
            {name: scaled(text) for name, text in self.look_backs().items()}
        )
