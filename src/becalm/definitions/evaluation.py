"""Definitions over time: from values to items to the lowest and highest possible total."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import FAR_PAST, Floats, Pair, Persons, Times
from becalm.core.errors import DefinitionError
from becalm.definitions.model import STANDING, Definition, Item, Resolved
from becalm.definitions.scoring import count_met, scored, totalled, worth
from becalm.definitions.serial_changes import multiples
from becalm.timeline import Intervals, Points, Timeline, combine, ratio, rounded
from becalm.vocabulary.units import Conversion, limit

Given: TypeAlias = Points | Timeline
Clock: TypeAlias = Literal["drawn", "available"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Values by variable, on one clock, for one chunk of persons.

    Draws and findings are `Points` and have a look-back; a value with its own end time
    (immunosuppression) is a `Timeline` and is used as it is. A variable that is missing here is
    unknown in all persons. Use the same `Inputs` for several definitions: look-backs, items and
    totals that they share are computed once.

    other : the same values on another clock, for items with their own clock. until : int64 per person, µs, the
    end of life, after which no total exists; None where nobody is known to have died.
    """

    values: Mapping[str, Given]
    clock: Clock
    n_persons: int
    other: Mapping[Clock, Mapping[str, Given]] = field(default_factory=dict)
    until: Times | None = None
    _cache: dict[tuple[Any, ...], Timeline] = field(default_factory=dict)
    kept_points: dict[Item, Timeline] = field(default_factory=dict)
    kept_totals: dict[tuple[Any, ...], Timeline] = field(default_factory=dict)
    _evaluations: dict[str, list[Evaluation]] = field(default_factory=dict)

    def timeline(self, item: Item) -> Timeline:
        """Return the value of an item over time, in the item's unit."""
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
        values = self.values_of(item)
        if values is None:
            return Timeline.empty()
        if isinstance(values, Timeline):
            return values
        if item.take is None or item.within is None:
            raise DefinitionError(
                f"{item.key} has neither take nor within, but {item.variable} has single draws",
                hint="Add both to the item",
            )
        return values.trailing(item.take, item.within.us)

    def _changes(self, item: Item) -> Timeline:
        if item.change is None or item.take is None or item.within is None:
            raise DefinitionError(f"{item.key} compares draws, but does not say take and within")
        points = self.points(item).map(converted((item.resolved or Resolved()).factors))
        now, earlier = (
            each.trailing(item.take, item.within.us) for each in multiples(points, item.change)
        )
        return combine(
            lambda value, _: value, now, earlier
        )  # the same values, with the rows of both

    def values_of(self, item: Item) -> Given | None:
        """Return the values of an item's variable on the item's clock; None if not known."""
        if item.clock in (None, self.clock):
            return self.values.get(item.variable)
        if item.clock not in self.other:
            raise DefinitionError(
                f"{item.key} asks for the {item.clock} clock, but values are on the {self.clock} one"
            )
        return self.other[item.clock].get(item.variable)

    def points(self, item: Item) -> Points:
        """Return the draws of an item's variable; empty if it has no draws."""
        values = self.values_of(item)
        return values if isinstance(values, Points) else Points.empty()

    def lives(self) -> Intervals:
        """Return the life of every person, for `until`."""
        assert self.until is not None
        everybody = np.arange(self.n_persons, dtype=np.int32)
        return Intervals(everybody, np.full(self.n_persons, FAR_PAST), self.until)

    def evaluation(self, definition: Definition) -> Evaluation:
        """Return the evaluation of a definition, one object for all that refer to it."""
        kept = self._evaluations.setdefault(definition.name, [])
        for each in kept:
            if each.definition.items == definition.items:
                return each
        kept.append(Evaluation(definition, self))
        return kept[-1]

    def only(self, persons: Persons) -> Inputs:
        """Return the values of some persons only, so that nothing is computed for the others."""
        return Inputs(
            _Of(self.values, persons),
            self.clock,
            self.n_persons,
            {clock: _Of(values, persons) for clock, values in self.other.items()},
            self.until,
        )

    def on(self, clock: Clock) -> Inputs:
        """Return the same values on another clock."""
        if clock == self.clock:
            return self
        others = {name: values for name, values in self.other.items() if name != clock}
        every = others | {self.clock: self.values}
        return Inputs(self.other[clock], clock, self.n_persons, every, self.until)

    def as_known(self, until: Times) -> Inputs:
        """Return the values without those that a later report of their draw had replaced by a time.

        until : int64 per person, µs.
        """
        others = {clock: _Known(values, until) for clock, values in self.other.items()}
        known = _Known(self.values, until)
        return Inputs(known, self.clock, self.n_persons, others, self.until)

    def forget(self) -> None:
        """Delete the evaluations, which refer to this object, so that memory is freed at once."""
        self._evaluations.clear()


class _Of(Mapping[str, Given]):
    """The draws of some persons, selected when first read; timelines are not changed."""

    def __init__(self, values: Mapping[str, Given], persons: Persons) -> None:
        self._values, self._persons = values, persons
        self._cut: dict[str, Given] = {}

    def __getitem__(self, name: str) -> Given:
        if name not in self._cut:
            whole = self._values[name]
            self._cut[name] = (
                whole.take(np.isin(whole.person, self._persons))
                if isinstance(whole, Points)
                else whole
            )
        return self._cut[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class _Known(Mapping[str, Given]):
    """The draws without the values that had been replaced by a time of each person."""

    def __init__(self, values: Mapping[str, Given], until: Times) -> None:
        self._values, self._until = values, until
        self._kept: dict[str, Given] = {}

    def __getitem__(self, name: str) -> Given:
        if name not in self._kept:
            whole = self._values[name]
            if isinstance(whole, Points) and whole.replaced is not None:
                whole = whole.take(whole.replaced > self._until[whole.person])
            self._kept[name] = whole
        return self._kept[name]

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
    """Return a function from values in a variable's own unit to the unit of `factors`.

    It rounds to 9 decimals, so that 265 mg/dL, stored in mmol/L, is exactly 265 again. A limit stays
    a limit: more than 265 mg/dL is more than 265.
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

    Points and totals are ranges: all values that are possible with the missing data. They are
    computed when first read.
    """

    definition: Definition
    inputs: Inputs

    @property
    def clock(self) -> Clock:
        return self.inputs.clock

    @cached_property
    def total(self) -> Timeline:
        """Lowest and highest possible total where a value is known; `at` returns them everywhere."""
        key = (self.definition.items, self.definition.rule, self.definition.grades)
        known = self.inputs.kept_totals
        if key not in known:
            total = combine(
                lambda *pairs: totalled(self.definition, pairs),
                *(self.points(item) for item in self.definition.items),
            )
            known[key] = total if self.inputs.until is None else total.clip(self.inputs.lives())
        return known[key]

    @cached_property
    def observed(self) -> Timeline:
        """The total at times with a value other than age or immunosuppression.

        In an immunosuppressed person without measurements a total is always known, but this is no
        beginning of a storm.
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
        """Return the points of an item, or of a part of it, where a value is known."""
        known = self.inputs.kept_points
        if item not in known:
            known[item] = self._work_out(item)
        return known[item]

    def _work_out(self, item: Item) -> Timeline:
        if not item.count:
            own = self._by_value(item)
            others = [self._by_value(each) for each in item.in_other_units]
            return combine(_either, own, *others) if others else own
        parts = [self.points(part) for part in item.count]
        count = combine(lambda *pairs: count_met(item, pairs), *parts)
        return count.map(lambda low, high: scored(item, low, high))

    def _by_value(self, item: Item) -> Timeline:
        return self.value(item).map(lambda low, high: scored(item, low, high))

    def value(self, item: Item) -> Timeline:
        """Return the value of an item without parts: its variable or another definition's total."""
        if item.referred is not None:
            return self.inputs.evaluation(item.referred).total
        return self.inputs.timeline(item)

    def bounds(self, item: Item, person: ArrayLike, time: ArrayLike) -> Pair:
        """Return the fewest and most points of an item at each (person, time), also if unknown."""
        return worth(item, self.points(item).at(person, time))

    def at(self, person: ArrayLike, time: ArrayLike) -> Pair:
        """Return the lowest and highest possible total at each (person, time).

        Without any value these are the lowest and the highest total of the definition: an HScore of
        0 to 337, never 0.
        """
        low, high = self.total.at(person, time)
        return (
            np.where(low == -np.inf, self.definition.minimum, low),
            np.where(high == np.inf, self.definition.maximum, high),
        )

    def met(self) -> Intervals:
        """Return when the lowest possible total reaches the cut-off: certainly met."""
        return self.observed.where(lambda low, high: low >= self.definition.cut_off)

    def possible(self) -> Intervals:
        """Return when the highest possible total reaches the cut-off, with at least one known value.

        Before the first value and after the last has expired every total is possible; this is not
        counted, because otherwise every storm would begin with the records.
        """
        return self.observed.where(lambda low, high: high >= self.definition.cut_off)


def _either(*pairs: Pair) -> Pair:
    """Return the points of a threshold that is printed in several units: met if it is in one of them."""
    return np.maximum.reduce([low for low, _ in pairs]), np.maximum.reduce(
        [high for _, high in pairs]
    )


def evaluate(definition: Definition, inputs: Inputs) -> Evaluation:
    """Evaluate a definition on inputs; each part is computed when it is first read."""
    return inputs.evaluation(definition)


def status(definition: Definition, low: Floats, high: Floats) -> list[str]:
    """Return for each total: met, not met, or undetermined if missing values decide."""
    words = np.where(
        low >= definition.cut_off,
        "met",
        np.where(high < definition.cut_off, "not met", "undetermined"),
    )
    listed: list[str] = words.tolist()
    return listed
