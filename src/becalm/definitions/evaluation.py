"""Definitions over time: from values, through items, to a total that is an interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import Floats, Pair, Persons
from becalm.core.clock import span
from becalm.core.errors import DefinitionError
from becalm.definitions.model import STANDING, Definition, Item, Resolved
from becalm.definitions.scoring import counted, scored, totalled, worth
from becalm.definitions.serial_changes import changes
from becalm.timeline import Intervals, Points, Timeline, combine, ratio, rounded
from becalm.vocabulary.units import Conversion, limit

Given: TypeAlias = Points | Timeline
Clock: TypeAlias = Literal["drawn", "available"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Values by variable, on one clock, for one chunk of persons.

    Draws and findings come as `Points` and are looked back for; what knows itself when it stops
    being true (immunosuppression) comes as a `Timeline` and is taken as it is. A variable that is
    not here is not known of anybody. Hand the same `Inputs` to several definitions: what they
    look back for alike, and items and totals that they share (another cut-off), are worked out once.

    other : the same values on another clock, for items that ask for it.
    """

    values: Mapping[str, Given]
    clock: Clock
    n_persons: int
    other: Mapping[Clock, Mapping[str, Given]] = field(default_factory=dict)
    _cache: dict[tuple[Any, ...], Timeline] = field(default_factory=dict)
    kept_points: dict[Item, Timeline] = field(default_factory=dict)
    kept_totals: dict[tuple[Any, ...], Timeline] = field(default_factory=dict)
    _evaluations: dict[str, list[Evaluation]] = field(default_factory=dict)

    def timeline(self, item: Item) -> Timeline:
        """Return the value that an item reads, at every moment, in the item's unit."""
        if item.over is None:
            return self._read(item)
        key = (item.variable, item.take, item.within, item.change, item.clock, item.unit, item.over)
        if key not in self._cache:
            self._cache[key] = combine(ratio, self._read(item), self._read(item.over))
        return self._cache[key]

    def _read(self, item: Item) -> Timeline:
        if item.change is not None:
            return self._kept(item, (item.change, item.unit), self._changes)
        known = self._kept(item, (), self._looked_back)
        factors = (item.resolved or Resolved()).factors
        if factors == Resolved().factors:
            return known
        return self._kept(item, (item.unit,), lambda _: known.map(converted(factors)))

    def _kept(
        self, item: Item, more: tuple[Any, ...], work: Callable[[Item], Timeline]
    ) -> Timeline:
        clock = () if item.clock in (None, self.clock) else (item.clock,)
        key = (item.variable, item.take, item.within, *more, *clock)
        if key not in self._cache:
            self._cache[key] = work(item)
        return self._cache[key]

    def _looked_back(self, item: Item) -> Timeline:
        given = self.given(item)
        if given is None:
            return Timeline.empty()
        if isinstance(given, Timeline):
            return given
        if item.take is None or item.within is None:
            raise DefinitionError(
                f"{item.key} says neither take nor within, but {item.variable} comes as single draws",
                hint="Add both to the item",
            )
        return given.trailing(item.take, span(item.within))

    def _changes(self, item: Item) -> Timeline:
        if item.change is None or item.take is None or item.within is None:
            raise DefinitionError(f"{item.key} compares draws, but does not say take and within")
        points = self.points(item).map(converted((item.resolved or Resolved()).factors))
        now, earlier = (
            each.trailing(item.take, span(item.within)) for each in changes(points, item.change)
        )
        return combine(lambda value, _: value, now, earlier)  # the same, with the rows of both

    def given(self, item: Item) -> Given | None:
        """Return the values of an item's variable on the item's clock; None where not known."""
        if item.clock in (None, self.clock):
            return self.values.get(item.variable)
        if item.clock not in self.other:
            raise DefinitionError(
                f"{item.key} asks for the {item.clock} clock, but values are on the {self.clock} one"
            )
        return self.other[item.clock].get(item.variable)

    def points(self, item: Item) -> Points:
        """Return the draws of an item's variable; none where it comes as a timeline or not at all."""
        given = self.given(item)
        return given if isinstance(given, Points) else Points.empty()

    def evaluation(self, definition: Definition) -> Evaluation:
        """Return a definition evaluated here, the same one for all that refer to it."""
        kept = self._evaluations.setdefault(definition.name, [])
        for each in kept:
            if each.definition.items == definition.items:
                return each
        kept.append(Evaluation(definition, self))
        return kept[-1]

    def only(self, persons: Persons) -> Inputs:
        """Return the same values of some persons: what is asked of few is not worked out for all."""
        return Inputs(
            _Of(self.values, persons),
            self.clock,
            self.n_persons,
            {clock: _Of(values, persons) for clock, values in self.other.items()},
        )

    def forget(self) -> None:
        """Let go of the evaluations, which refer back here: a chunk's memory is free at once."""
        self._evaluations.clear()


class _Of(Mapping[str, Given]):
    """Draws of some persons, cut out when first asked for; what comes as a timeline is left whole."""

    def __init__(self, values: Mapping[str, Given], persons: Persons) -> None:
        self._values, self._persons = values, persons
        self._cut: dict[str, Given] = {}

    def __getitem__(self, name: str) -> Given:
        if name not in self._cut:
            given = self._values[name]
            self._cut[name] = (
                given.take(np.isin(given.person, self._persons))
                if isinstance(given, Points)
                else given
            )
        return self._cut[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def converted_back(item: Item, low: float, high: float) -> tuple[float, float]:
    """Return a value written in an item's unit in the variable's own."""
    if item.resolved is None or item.resolved.factors == Resolved().factors:
        return low, high
    conversion = Conversion(*item.resolved.factors)
    ends = [conversion.apply(limit(end)) for end in (low, high)]
    if low == high:
        return ends[0], ends[0]
    return (
        math.nextafter(ends[0], math.inf) if limit(low) < low else ends[0],
        math.nextafter(ends[1], -math.inf) if limit(high) > high else ends[1],
    )


def converted(factors: tuple[float, float, float]) -> Callable[[Floats, Floats], Pair]:
    """Return how to turn values of a variable's own unit into the unit of `factors`.

    Rounded to 9 decimals, which undoes the way there: 265 mg/dL kept as 2.99 mmol/L is 265 again. An
    open end stays open: more than 265 mg/dL is more than 265.
    """
    conversion = Conversion(*factors)

    def convert(low: Floats, high: Floats) -> Pair:
        least = rounded(low * conversion.by / conversion.times - conversion.shift)
        if high is low:
            return least, least
        most = rounded(high * conversion.by / conversion.times - conversion.shift)
        again = [
            (each + conversion.shift) * conversion.times / conversion.by for each in (least, most)
        ]
        ranges = low != high
        return (
            np.where(ranges & (again[0] < low), np.nextafter(least, np.inf), least),
            np.where(ranges & (again[1] > high), np.nextafter(most, -np.inf), most),
        )

    return convert


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One definition at every moment of every person's records.

    Points and totals are intervals: everything that the patient could score given what is not
    known. Worked out when first asked for.
    """

    definition: Definition
    inputs: Inputs

    @property
    def clock(self) -> Clock:
        return self.inputs.clock

    @cached_property
    def total(self) -> Timeline:
        """Lowest and highest possible total where anything is known; elsewhere ask `at`."""
        key = (self.definition.items, self.definition.rule, self.definition.grades)
        known = self.inputs.kept_totals
        if key not in known:
            known[key] = combine(
                lambda *pairs: totalled(self.definition, pairs),
                *(self.points(item) for item in self.definition.items),
            )
        return known[key]

    @cached_property
    def observed(self) -> Timeline:
        """The total where something happened: more is known than what always stands.

        Of an immunosuppressed person of whom nothing was measured a total is known for ever, and
        no storm has begun.
        """
        leaves = [leaf for item in self.definition.items for leaf in item.leaves()]
        standing = [self.inputs.timeline(leaf) for leaf in leaves if leaf.variable in STANDING]
        persons = np.unique(np.concatenate([np.empty(0, np.int32), *(t.persons for t in standing)]))
        if not len(persons) or all(leaf.variable in STANDING for leaf in leaves):
            return self.total
        total = self.total
        others = np.flatnonzero(~np.isin(total.person, persons))
        parts = [(total.person[others], total.start[others], total.end[others])]
        for leaf in leaves:
            if leaf.variable not in STANDING:
                known = self.inputs.timeline(leaf)
                theirs = np.isin(known.person, persons)
                parts.append((known.person[theirs], known.start[theirs], known.end[theirs]))
        person, start, end = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return total.clip(Intervals.build(person, start, end))

    def points(self, item: Item) -> Timeline:
        """Points of an item, or of a part of one, where anything is known of it."""
        known = self.inputs.kept_points
        if item not in known:
            known[item] = self._work_out(item)
        return known[item]

    def _work_out(self, item: Item) -> Timeline:
        if not item.count:
            return self.value(item).map(lambda low, high: scored(item, low, high))
        parts = [self.points(part) for part in item.count]
        count = combine(lambda *pairs: counted(item, pairs), *parts)
        return count.map(lambda low, high: scored(item, low, high))

    def value(self, item: Item) -> Timeline:
        """What an item without parts compares: its variable, or the total of another definition."""
        if item.referred is not None:
            return self.inputs.evaluation(item.referred).total
        return self.inputs.timeline(item)

    def bounds(self, item: Item, person: ArrayLike, time: ArrayLike) -> Pair:
        """Fewest and most points of an item at each (person, time); all it can be if unknown."""
        return worth(item, self.points(item).at(person, time))

    def at(self, person: ArrayLike, time: ArrayLike) -> Pair:
        """Lowest and highest possible total at each (person, time).

        Where nothing at all is known that is everything from the lowest to the highest total of
        the definition: an HScore of 0 to 337, never 0.
        """
        low, high = self.total.at(person, time)
        return (
            np.where(low == -np.inf, self.definition.minimum, low),
            np.where(high == np.inf, self.definition.maximum, high),
        )

    def met(self) -> Intervals:
        """When the lowest possible total reaches the cut-off: fulfilled for certain."""
        return self.observed.where(lambda low, high: low >= self.definition.cut_off)

    def possible(self) -> Intervals:
        """When the highest possible total reaches the cut-off, something at least being known.

        Before the first value and after the last has expired nothing is known and everything is
        possible; that is not counted, or every storm would begin with the records.
        """
        return self.observed.where(lambda low, high: high >= self.definition.cut_off)


def evaluate(definition: Definition, inputs: Inputs) -> Evaluation:
    """Evaluate a definition on inputs; nothing is computed before it is asked for."""
    return inputs.evaluation(definition)


def status(definition: Definition, low: Floats, high: Floats) -> list[str]:
    """Say of each total: met, not met, or undetermined when what is missing decides."""
    words = np.where(
        low >= definition.cut_off,
        "met",
        np.where(high < definition.cut_off, "not met", "undetermined"),
    )
    listed: list[str] = words.tolist()
    return listed
