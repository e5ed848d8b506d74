"""A definition is a file: items, bands, points, cut-off, sources and worked examples.

An item reads one variable (`variable`, `take`, `within`), divides it by another (`over`), compares
it with earlier draws (`change`), counts how many of its parts are fulfilled (`count`), or takes the
total of another definition (`score`). The value becomes points: by `bands`, by one threshold
(`at_least`, `above`, `up_to`, `below`) that gives `points` (by default 1), or by multiplication
with a `coefficient`. Bands are in order from the lowest: `below` ends a band before its number,
`up_to` at it. The total is the sum of the items, 1 or 0 for a rule, or the highest grade whose rule
is met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf, isfinite, nextafter
from typing import Final, Literal, TypeAlias

import msgspec

from becalm.core.clock import Length
from becalm.core.errors import DefinitionError, did_you_mean
from becalm.definitions.rules import DefinitionTable, Grade, ItemGroup, Rule

RESERVED: Final = ("total", "low", "high")
"""Words of an example's `expect` that mean the whole definition, not an item."""

STANDING: Final = frozenset({"age", "immunosuppression"})
"""Variables that are known at all times: alone they are no beginning of a storm."""

Take: TypeAlias = Literal["max", "min", "last"]
Factors: TypeAlias = tuple[float, float, float]
"""Shift, times and by of a `units.Conversion` into a variable's own unit."""


class Band(DefinitionTable, frozen=True):
    """The points of values up to an edge; the last band of an item has no edge."""

    points: float
    below: float | None = None
    up_to: float | None = None

    @property
    def edge(self) -> float:
        """The lowest value above the band; infinite for the last."""
        if self.up_to is not None:
            return nextafter(self.up_to, inf)
        return inf if self.below is None else self.below


class Change(DefinitionTable, frozen=True):
    """The value now as a multiple of an earlier value: 2 is doubled, 0.5 is halved.

    Every draw is compared with the draws in the time `within` before it: with the `lowest` of them,
    the `highest`, or the value that was valid exactly `within` before (`then`, drawn at most `held`
    before that). With `from_above` only earlier values above this number count, in the item's unit:
    the result is the greatest rise from one of them, 1 if there was none.
    """

    within: Length
    against: Literal["lowest", "highest", "then"] = "lowest"
    held: Length = Length("24h")
    from_above: float | None = None


class OtherUnit(DefinitionTable, frozen=True):
    """The threshold of an item as its paper prints it in another unit as well; either meets the item.

    It has the same one of `at_least`, `above`, `up_to` and `below` as the item. A value is compared unrounded.
    """

    unit: str
    at_least: float | None = None
    above: float | None = None
    up_to: float | None = None
    below: float | None = None
    source: str = ""


class Resolved(DefinitionTable, frozen=True):
    """Facts about an item, computed when a definition is read; never written in a file.

    factors : from the item's unit to the variable's own. also : those of its other units. low and high : the lowest and highest
    plausible value, in the item's terms. referred : the definition that `score` names.
    """

    factors: Factors = (0.0, 1.0, 1.0)
    low: float = -inf
    high: float = inf
    referred: Definition | None = None
    also: tuple[Factors, ...] = ()


class Item(DefinitionTable, frozen=True):
    """One item of a score: the source of its value, and its points.

    `label` is the short name for tables and figures; by default the title.
    `unit` is the unit in which the item is written; values are converted to it. `decimals` is the
    precision at which laboratories report the unit: a converted value is rounded to it before it
    is compared, so that 354 mg/dL is 4.00 mmol/L and not slightly above it. Without `take` and
    `within` the variable must be a timeline, which has its own end time. `clock` is by default the
    study's. `also` is the threshold in other units.
    """

    name: str = ""
    title: str = ""
    label: str = ""
    variable: str = ""
    unit: str = ""
    take: Take | None = None
    within: Length | None = None
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
    also: tuple[OtherUnit, ...] = ()
    coefficient: float | None = None
    points: float = 1.0
    source: str = ""
    verified: bool = True
    resolved: Resolved | None = None

    @property
    def key(self) -> str:
        """The item's name, else its variable, else its score."""
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
    def in_other_units(self) -> tuple[Item, ...]:
        """The item with each threshold that is printed in another unit, instead of its own."""
        resolved = self.resolved or Resolved()
        return tuple(
            msgspec.structs.replace(
                self,
                unit=other.unit,
                decimals=None,
                at_least=other.at_least,
                above=other.above,
                up_to=other.up_to,
                below=other.below,
                also=(),
                resolved=Resolved(factors, resolved.low, resolved.high),
            )
            for other, factors in zip(self.also, resolved.also, strict=True)
        )

    @property
    def scale(self) -> tuple[Band, ...]:
        """Bands from the lowest value up, also for an item with one threshold."""
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
        """Lowest and highest points: with a coefficient, those at the ends of the plausible range."""
        if self.coefficient is None:
            return tuple(band.points for band in self.scale)
        known = self.resolved or Resolved()
        return tuple(_rounded(self.coefficient * value) for value in (known.low, known.high))

    def leaves(self) -> Iterator[Item]:
        """Yield the items that read a variable: the item, its divisor, or its parts."""
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


class Derivation(DefinitionTable, frozen=True):
    """The patients in whom the definition was derived; a missing key is no restriction."""

    min_age: int | None = None  # completed years
    below_age: int | None = None
    underlying: tuple[str, ...] = ()
    source: str = ""
    verified: bool = True


class Variant(DefinitionTable, frozen=True):
    """The same items with another cut-off and another name."""

    name: str
    title: str
    cut_off: float
    cut_off_source: str
    cut_off_verified: bool = True
    cite: str = ""
    label: str = ""
    population: str = ""
    derivation: Derivation | None = None
    notes: tuple[str, ...] = ()


class ProbabilityRow(DefinitionTable, frozen=True):
    """A row of a printed table: the probability, in percent as printed, at a total."""

    total: float
    percent: str


Written: TypeAlias = bool | float | str
"""A value of an example; text such as ">15000" for a limit."""


class Example(DefinitionTable, frozen=True):
    """A worked example.

    Values are in the units of the items, `true` or `false` for findings, text such as ">15000" for a
    limit; a missing value is unknown. Several values of one variable are pairs of hour and value, and
    the example is scored at the last hour. `expect` has the points by item, and `total` or `low` and
    `high` for the whole.
    """

    given: dict[str, Written | tuple[tuple[float, Written], ...]]
    expect: dict[str, float]
    source: str = ""


class Override(DefinitionTable, frozen=True):
    """Changes of a study to how an item is read; a missing key changes nothing."""

    within: Length | None = None
    take: Take | None = None
    clock: Literal["drawn", "available"] | None = None


class Definition(
    DefinitionTable,
    frozen=True,
    rename={"items": "item", "examples": "example", "grades": "grade", "variants": "variant"},
):
    """A score or a set of criteria, as in its file; `label` is its short name, by default the title.

    whole_stay : whether it was derived on the worst values of whole stays, so that the moment `whole_stay`
    is reported too.
    """

    name: str
    title: str
    cite: str  # DOI
    population: str
    cut_off: float
    cut_off_source: str
    items: tuple[Item, ...]
    label: str = ""
    cut_off_verified: bool = True
    rule: Rule | None = None
    grades: tuple[Grade, ...] = ()
    variants: tuple[Variant, ...] = ()
    derivation: Derivation = Derivation()
    whole_stay: bool = False
    notes: tuple[str, ...] = ()
    probability: tuple[ProbabilityRow, ...] = ()
    probability_source: str = ""
    examples: tuple[Example, ...] = ()
    notices: tuple[str, ...] = ()  # what reading the file remarked; no key of a file

    @property
    def short_title(self) -> str:
        return self.label or self.title

    @property
    def minimum(self) -> float:
        """The lowest possible total."""
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
        """The rule, or the grades; empty if points are added up."""
        return self.grades or ((self.rule,) if self.rule else ())

    @property
    def linear(self) -> bool:
        """Whether an item has a coefficient."""
        return any(item.coefficient is not None for item in self.items)

    @property
    def verified(self) -> bool:
        """False if any value was not checked against its source yet."""
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

    def look_backs(self) -> dict[str, Length]:
        """Return the look-back of each variable, by variable.

        If one variable has several look-backs, by the name of the item.
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
        """Return the definition with other look-backs for some variables: `{"ferritin": "24h"}`."""
        overrides = {}
        for name, within in look_backs.items():
            try:
                overrides[name] = Override(within=Length(within))
            except ValueError as error:
                raise DefinitionError(f"look-back of {name}: {error}") from error
        return self.with_overrides(overrides)

    def with_overrides(self, overrides: Mapping[str, Override]) -> Definition:
        """Return the definition with another look-back, direction or clock for some variables."""
        known = self.look_backs()
        wrong = next((name for name in overrides if name not in known), None)
        if wrong is not None:
            raise DefinitionError(
                f"{self.name} has no look-back for {wrong!r}",
                hint=did_you_mean(wrong, known),
            )

        def changed(item: Item) -> Item:
            override_of = (
                (overrides.get(item.variable) or overrides.get(item.key)) if item.within else None
            )
            override_of = override_of or Override()
            resolved = item.resolved
            if resolved is not None and resolved.referred is not None:
                referred = _with_items(resolved.referred, changed)
                resolved = msgspec.structs.replace(resolved, referred=referred)
            return msgspec.structs.replace(
                item,
                within=override_of.within or item.within,
                take=override_of.take or item.take,
                clock=override_of.clock or item.clock,
                over=changed(item.over) if item.over else None,
                count=tuple(changed(part) for part in item.count),
                resolved=resolved,
            )

        return _with_items(self, changed)

    def scaled_look_backs(self, factor: float) -> Definition:
        """Return the definition with every look-back longer or shorter: half, double."""
        return self.with_look_backs(
            {name: within.times(factor) for name, within in self.look_backs().items()}
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
            label=chosen.label,
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
