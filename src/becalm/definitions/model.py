"""A definition is a file: items, bands, points, cut-off, sources and worked examples.

An item reads one variable (`variable`, `take`, `within`), divides it by another (`over`), compares
it with earlier draws (`change`), counts how many of its parts are fulfilled (`count`), or takes the
total of another definition (`score`). What it finds becomes points: by `bands`, by one threshold
(`at_least`, `above`, `up_to`, `below`) that is worth `points`, 1 unless said, or times a
`coefficient`. Bands are read from the lowest up: `below` ends a band before its number, `up_to` at
it. The total is the sum of the items, 1 or 0 for a rule that names them, or the highest grade whose
rule holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf, isfinite, nextafter
from typing import Final, Literal, TypeAlias

import msgspec

from becalm.core.clock import HOUR, span
from becalm.core.errors import DefinitionError, did_you_mean
from becalm.core.toml import TomlTable

RESERVED: Final = ("total", "low", "high")
"""Words of an example's `expect` that mean the whole definition, not an item."""

STANDING: Final = frozenset({"age", "immunosuppression"})
"""What is known of a patient whatever happens: knowing nothing else, no storm has begun."""

Take: TypeAlias = Literal["max", "min", "last"]
Factors: TypeAlias = tuple[float, float, float]
"""Shift, times and by of a `units.Conversion` into a variable's own unit."""


class DefinitionTable(TomlTable, frozen=True):
    """A table of a definition file; an unknown key is a mistake."""


class Band(DefinitionTable, frozen=True):
    """What values up to an edge are worth; the last band of an item has no edge."""

    points: float
    below: float | None = None
    up_to: float | None = None

    @property
    def edge(self) -> float:
        """The lowest value that lies beyond the band; infinite for the last."""
        if self.up_to is not None:
            return nextafter(self.up_to, inf)
        return inf if self.below is None else self.below


class Change(DefinitionTable, frozen=True):
    """Now as a multiple of an earlier value: 2 is doubled, 0.5 halved.

    Worked out at every draw against the draws of the `within` before it: the `lowest` of them, the
    `highest`, or the value in force exactly `within` before (`then`, drawn at most `held` before
    that). `from_above` counts only earlier values above a number, in the item's unit: the greatest
    rise from one of them, 1 where there was none.
    """

    within: str
    against: Literal["lowest", "highest", "then"] = "lowest"
    held: str = "24h"
    from_above: float | None = None


class Resolved(DefinitionTable, frozen=True):
    """What reading a definition found out about an item; never written in a file.

    factors : from the item's unit to the variable's own. low and high : the lowest and highest
    plausible value, in the item's terms. referred : the definition that `score` names.
    """

    factors: Factors = (0.0, 1.0, 1.0)
    low: float = -inf
    high: float = inf
    referred: Definition | None = None


class Item(DefinitionTable, frozen=True):
    """One line of a score: where its value comes from and what it is worth.

    `unit` is the unit in which the item is written; values are converted to it. `decimals` is the
    precision at which laboratories print the unit: a converted value is rounded to it before it
    is compared, so that 354 mg/dL is 4.00 mmol/L and not a residue above it. Without `take` and
    `within` the variable must come as a timeline that knows itself when it stops being true.
    `clock` is the study's unless said.
    """

    name: str = ""
    title: str = ""
    variable: str = ""
    unit: str = ""
    take: Take | None = None
    within: str | None = None
    clock: Literal["drawn", "available"] | None = None
    decimals: int | None = None
    over: Item | None = None
    change: Change | None = None
    score: str = ""
    count: tuple[Item, ...] = ()
    bands: tuple[Band, ...] = ()
    at_least: float | None = None
    above: float | None = None
    up_to: float | None = None
    below: float | None = None
    coefficient: float | None = None
    points: float = 1.0
    source: str = ""
    verified: bool = True
    resolved: Resolved | None = None

    @property
    def key(self) -> str:
        """The item's name; a part of a count may leave it to its variable."""
        return self.name or self.variable or self.score

    @property
    def value_unit(self) -> str:
        """The unit of the value that the item compares; a ratio and a multiple have none."""
        return "" if self.over is not None or self.change is not None else self.unit

    @property
    def referred(self) -> Definition | None:
        """The definition whose total the item takes."""
        return self.resolved.referred if self.resolved else None

    @property
    def scale(self) -> tuple[Band, ...]:
        """Bands from the lowest value up, whichever way the file put it."""
        if self.bands:
            return self.bands
        yes = self.points
        if self.at_least is not None:
            return (Band(below=self.at_least, points=0), Band(points=yes))
        if self.above is not None:
            return (Band(up_to=self.above, points=0), Band(points=yes))
        if self.up_to is not None:
            return (Band(up_to=self.up_to, points=yes), Band(points=0))
        return (Band(below=self.below, points=yes), Band(points=0))

    @property
    def minimum(self) -> float:
        return min(self._extremes)

    @property
    def maximum(self) -> float:
        return max(self._extremes)

    @property
    def _extremes(self) -> tuple[float, ...]:
        """Points at the ends: a missing term of a linear score takes its plausible range."""
        if self.coefficient is None:
            return tuple(band.points for band in self.scale)
        known = self.resolved or Resolved()
        return tuple(_rounded(self.coefficient * value) for value in (known.low, known.high))

    def leaves(self) -> Iterator[Item]:
        """Yield what reads a variable: the item itself and what it is divided by, or its parts."""
        if self.variable:
            yield self
        if self.over is not None:
            yield self.over
        for part in (*self.count, *(self.referred.items if self.referred else ())):
            yield from part.leaves()

    def walk(self) -> Iterator[Item]:
        """Yield the item and every part of it."""
        yield self
        for part in self.count:
            yield from part.walk()


class ItemGroup(DefinitionTable, frozen=True):
    """All of some terms, any of them, or `at_least` so many `of` them; a term is an item or a group."""

    all: tuple[str | ItemGroup, ...] = ()
    any: tuple[str | ItemGroup, ...] = ()
    of: tuple[str | ItemGroup, ...] = ()
    at_least: int | None = None

    @property
    def terms(self) -> tuple[str | ItemGroup, ...]:
        return self.all or self.any or self.of

    @property
    def needed(self) -> int:
        """How many of the terms must hold."""
        if self.all:
            return len(self.all)
        return 1 if self.any or self.at_least is None else self.at_least

    def holds(self, met: Mapping[str, bool]) -> bool:
        """Whether enough of the terms hold, given which items are met; a name unknown is not."""
        terms = (met.get(t, False) if isinstance(t, str) else t.holds(met) for t in self.terms)
        return sum(terms) >= self.needed

    def walk(self) -> Iterator[ItemGroup]:
        """Yield the group and every group in it."""
        yield self
        for term in self.terms:
            if not isinstance(term, str):
                yield from term.walk()


class Rule(ItemGroup, frozen=True, kw_only=True):
    """A definition that is fulfilled or not."""


class Grade(ItemGroup, frozen=True, kw_only=True):
    """A grade and when it is reached; the total is the highest grade that is."""

    grade: float
    title: str = ""
    source: str = ""
    verified: bool = True


class Derivation(DefinitionTable, frozen=True):
    """In whom the definition was derived; what is not given does not restrict."""

    min_age: int | None = None  # completed years
    below_age: int | None = None
    underlying: tuple[str, ...] = ()
    source: str = ""
    verified: bool = True


class Variant(DefinitionTable, frozen=True):
    """The same items with another cut-off, under a name of its own."""

    name: str
    title: str
    cut_off: float
    cut_off_source: str
    cut_off_verified: bool = True
    cite: str = ""
    population: str = ""
    derivation: Derivation | None = None
    notes: tuple[str, ...] = ()


class ProbabilityRow(DefinitionTable, frozen=True):
    """A row of a printed table: the probability, in percent as printed, at a total."""

    total: float
    percent: str


Written: TypeAlias = bool | float | str
"""A value of an example; text such as ">15000" where the assay stopped."""


class Example(DefinitionTable, frozen=True):
    """A worked case. Values in the units in which the items are written, `true` or `false` for
    findings, text such as ">15000" where the assay stopped; what is not given is not known. Several
    values of one variable are pairs of hour and value, and the case is judged at the last hour.
    `expect` gives points by item, and `total` or `low` and `high` for the whole.
    """

    given: dict[str, Written | tuple[tuple[float, Written], ...]]
    expect: dict[str, float]
    source: str = ""


class Override(DefinitionTable, frozen=True):
    """How a study reads an item otherwise than its definition says; what is not given stays."""

    within: str | None = None
    take: Take | None = None
    clock: Literal["drawn", "available"] | None = None


class Definition(
    DefinitionTable,
    frozen=True,
    rename={"items": "item", "examples": "example", "grades": "grade", "variants": "variant"},
):
    """A score or a set of criteria as its file says it."""

    name: str
    title: str
    cite: str  # DOI
    population: str
    cut_off: float
    cut_off_source: str
    items: tuple[Item, ...]
    cut_off_verified: bool = True
    rule: Rule | None = None
    grades: tuple[Grade, ...] = ()
    variants: tuple[Variant, ...] = ()
    derivation: Derivation = Derivation()
    notes: tuple[str, ...] = ()
    probability: tuple[ProbabilityRow, ...] = ()
    probability_source: str = ""
    examples: tuple[Example, ...] = ()
    notices: tuple[str, ...] = ()  # what reading the file remarked; no key of a file

    @property
    def minimum(self) -> float:
        """The lowest total there can be: everything measured, nothing found."""
        if self.rules:
            return self._ruled({item.key: item.minimum > 0 for item in self.items})
        return _rounded(sum((item.minimum for item in self.items), 0.0))

    @property
    def maximum(self) -> float:
        if self.rules:
            return self._ruled({item.key: item.maximum > 0 for item in self.items})
        return _rounded(sum((item.maximum for item in self.items), 0.0))

    def _ruled(self, met: Mapping[str, bool]) -> float:
        reached = [grade.grade for grade in self.grades if grade.holds(met)]
        if self.rule is not None:
            return float(self.rule.holds(met))
        return max(reached, default=0.0)

    @property
    def rules(self) -> tuple[ItemGroup, ...]:
        """The rule, or those of the grades; empty where points are added up."""
        return self.grades or ((self.rule,) if self.rule else ())

    @property
    def linear(self) -> bool:
        """Whether some item is worth a coefficient times its value."""
        return any(item.coefficient is not None for item in self.items)

    @property
    def verified(self) -> bool:
        """False when any value was not yet checked against its source."""
        referred = [item.referred for item in self.items if item.referred]
        return (
            self.cut_off_verified
            and all(part.verified for item in self.items for part in item.walk())
            and all(grade.verified for grade in self.grades)
            and all(definition.verified for definition in referred)
        )

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that is read, once, in the order of the file."""
        leaves = (leaf.variable for item in self.items for leaf in item.leaves())
        return tuple(dict.fromkeys(leaves))

    def look_backs(self) -> dict[str, str]:
        """How far back each variable is looked for, by variable.

        Where one variable is looked back for in several ways, by the name of the item.
        """
        leaves = [leaf for item in self.items for leaf in item.leaves() if leaf.within]
        ways: dict[str, set[str | None]] = {}
        for leaf in leaves:
            ways.setdefault(leaf.variable, set()).add(leaf.within)
        return {
            leaf.variable if len(ways[leaf.variable]) == 1 else leaf.key: leaf.within
            for leaf in leaves
            if leaf.within
        }

    def with_look_backs(self, look_backs: Mapping[str, str]) -> Definition:
        """Return the definition with other look-backs for some variables."""
        return self.with_overrides(
            {name: Override(within=within) for name, within in look_backs.items()}
        )

    def with_overrides(self, overrides: Mapping[str, Override]) -> Definition:
        """Return the definition with another look-back, direction or clock for some variables."""
        known = self.look_backs()
        wrong = next((name for name in overrides if name not in known), None)
        if wrong is not None:
            raise DefinitionError(
                f"{self.name} looks back for nothing called {wrong!r}",
                hint=did_you_mean(wrong, known),
            )
        for name, override in overrides.items():
            try:
                if override.within is not None:
                    span(override.within)
            except ValueError as error:
                raise DefinitionError(f"look-back of {name}: {error}") from error

        def changed(item: Item) -> Item:
            said = (
                (overrides.get(item.variable) or overrides.get(item.key)) if item.within else None
            )
            said = said or Override()
            resolved = item.resolved
            if resolved is not None and resolved.referred is not None:
                referred = _with_items(resolved.referred, changed)
                resolved = msgspec.structs.replace(resolved, referred=referred)
            return msgspec.structs.replace(
                item,
                within=said.within or item.within,
                take=said.take or item.take,
                clock=said.clock or item.clock,
                over=changed(item.over) if item.over else None,
                count=tuple(changed(part) for part in item.count),
                resolved=resolved,
            )

        return _with_items(self, changed)

    def scaled_look_backs(self, factor: float) -> Definition:
        """Return the definition with every look-back longer or shorter: half, double."""

        def scaled(text: str) -> str:
            inclusive = text.strip().startswith("<=")
            hours = (span(text) - inclusive) / HOUR * factor
            return f"{'<=' if inclusive else ''}{hours!r}h"

        return self.with_look_backs(
            {name: scaled(text) for name, text in self.look_backs().items()}
        )

    def variant(self, name: str) -> Definition:
        """Return the same items under a variant's name and cut-off."""
        named = {each.name: each for each in self.variants}
        if name not in named:
            raise DefinitionError(
                f"{self.name} has no variant called {name!r}", hint=did_you_mean(name, named)
            )
        chosen = named[name]
        return msgspec.structs.replace(
            self,
            name=chosen.name,
            title=chosen.title,
            cite=chosen.cite or self.cite,
            population=chosen.population or self.population,
            cut_off=chosen.cut_off,
            cut_off_source=chosen.cut_off_source,
            cut_off_verified=chosen.cut_off_verified,
            derivation=chosen.derivation or self.derivation,
            notes=(*self.notes, *chosen.notes),
            variants=(),
        )


def _with_items(definition: Definition, changed: Callable[[Item], Item]) -> Definition:
    return msgspec.structs.replace(
        definition, items=tuple(changed(item) for item in definition.items)
    )


def _rounded(value: float) -> float:
    return round(value, 9) if isfinite(value) else value
