"""Definitions over time: from values, through items, to a total that is an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from becalm.clock import span
from becalm.errors import DefinitionError
from becalm.scores.definition import Definition, Item
from becalm.scores.points import banded, counted, totalled, worth
from becalm.timeline import Floats, Intervals, Pair, Points, Timeline, combine

Given: TypeAlias = Points | Timeline
Clock: TypeAlias = Literal["drawn", "available"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Values by variable, on one clock, for one chunk of persons.

    Draws and findings come as `Points` and are looked back for; what knows itself when it stops
    being true (immunosuppression) comes as a `Timeline` and is taken as it is. A variable that is
    not here is not known of anybody. Hand the same `Inputs` to several definitions: what they
    look back for alike is worked out once.
    """

    values: Mapping[str, Given]
    clock: Clock
    n_persons: int
    _cache: dict[tuple[str, str | None, str | None], Timeline] = field(default_factory=dict)

    def timeline(self, item: Item) -> Timeline:
        """Return the value that an item reads, at every moment, in the variable's unit."""
        key = (item.variable, item.take, item.within)
        if key not in self._cache:
            self._cache[key] = self._timeline(item)
        return self._cache[key]

    def _timeline(self, item: Item) -> Timeline:
        given = self.values.get(item.variable)
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

    def points(self, variable: str) -> Points:
        """Return the draws of a variable; none where it comes as a timeline or not at all."""
        given = self.values.get(variable)
        return given if isinstance(given, Points) else Points.empty()


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One definition at every moment of every person's records.

    Points and totals are intervals: everything that the patient could score given what is not
    known. Worked out when first asked for.
    """

    definition: Definition
    inputs: Inputs
    _points: dict[Item, Timeline] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        return self.inputs.clock

    @cached_property
    def total(self) -> Timeline:
        """Lowest and highest possible total where anything is known; elsewhere ask `at`."""
        return combine(
            lambda *pairs: totalled(self.definition, pairs),
            *(self.points(item) for item in self.definition.items),
        )

    def points(self, item: Item) -> Timeline:
        """Points of an item, or of a part of one, where anything is known of it."""
        if item not in self._points:
            self._points[item] = self._work_out(item)
        return self._points[item]

    def _work_out(self, item: Item) -> Timeline:
        if not item.count:
            return self.inputs.timeline(item).map(lambda low, high: banded(item, low, high))
        parts = [self.points(part) for part in item.count]
        count = combine(lambda *pairs: counted(item, pairs), *parts)
        return count.map(lambda low, high: banded(item, low, high))

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
        return self.total.where(lambda low, high: low >= self.definition.cut_off)

    def possible(self) -> Intervals:
        """When the highest possible total reaches the cut-off, something at least being known.

        Before the first value and after the last has expired nothing is known and everything is
        possible; that is not counted, or every storm would begin with the records.
        """
        return self.total.where(lambda low, high: high >= self.definition.cut_off)


def evaluate(definition: Definition, inputs: Inputs) -> Evaluation:
    """Evaluate a definition on inputs; nothing is computed before it is asked for."""
    return Evaluation(definition, inputs)


def status(definition: Definition, low: Floats, high: Floats) -> list[str]:
    """Say of each total: met, not met, or undetermined when what is missing decides."""
    words = np.where(
        low >= definition.cut_off,
        "met",
        np.where(high < definition.cut_off, "not met", "undetermined"),
    )
    listed: list[str] = words.tolist()
    return listed
