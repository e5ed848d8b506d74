"""The status of a definition if one more value of one variable were known."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from becalm.core.arrays import FAR_FUTURE, Floats, Index, Mask, Pair, Persons, Times
from becalm.definitions.evaluation import Evaluation, Inputs, converted
from becalm.definitions.model import Definition, Item, Resolved
from becalm.definitions.scoring import count_met, scored, totalled
from becalm.timeline import Points, Timeline, ratio

UNDETERMINED, MET, NOT_MET = 0, 1, 2

Statuses = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class WhatIf:
    """One definition at one moment of each of some persons, with one more value.

    person : int32[n], each person once. time : int64[n], µs. The value is thought of as drawn at the
    moment, known at once, and later than all values that are known then.
    """

    evaluation: Evaluation
    person: Persons
    time: Times
    _points: dict[Item, Pair] = field(default_factory=dict)
    _values: dict[Item, Pair] = field(default_factory=dict)

    @property
    def definition(self) -> Definition:
        return self.evaluation.definition

    def known(self, leaf: Item) -> Pair:
        """Return the value of a leaf as it is known, in its unit; (-inf, inf) where it is not."""
        alone = msgspec.structs.replace(leaf, over=None)
        if alone not in self._values:
            self._values[alone] = self.evaluation.inputs.timeline(alone).at(self.person, self.time)
        return self._values[alone]

    def status(self, variable: str, value: Floats, of: Index) -> Statuses:
        """Return the status of the persons `of` if their variable had this value, in its own unit."""
        parts = [self.points(item, variable, value, of) for item in self.definition.items]
        low, high = totalled(self.definition, parts)
        cut_off = self.definition.cut_off
        found: Statuses = np.where(
            low >= cut_off, MET, np.where(high < cut_off, NOT_MET, UNDETERMINED)
        ).astype(np.int8)
        return found

    def points(self, item: Item, variable: str, value: Floats, of: Index) -> Pair:
        """Return the fewest and most points of an item with the value."""
        if not reads(item, variable):
            if item not in self._points:
                self._points[item] = self.evaluation.bounds(item, self.person, self.time)
            low, high = self._points[item]
            return low[of], high[of]
        if item.count:
            parts = [self.points(part, variable, value, of) for part in item.count]
            return scored(item, *count_met(item, parts))
        if item.referred is not None:
            parts = [self.points(each, variable, value, of) for each in item.referred.items]
            return scored(item, *totalled(item.referred, parts))
        each = [
            scored(unit, *self.value(unit, variable, value, of))
            for unit in (item, *item.in_other_units)
        ]
        return (
            np.maximum.reduce([low for low, _ in each]),
            np.maximum.reduce([high for _, high in each]),
        )

    def value(self, item: Item, variable: str, value: Floats, of: Index) -> Pair:
        """Return what an item without parts compares, in its unit, with the value."""
        if item.over is None:
            return self._leaf(item, variable, value, of)
        return ratio(
            self._leaf(item, variable, value, of), self._leaf(item.over, variable, value, of)
        )

    def _leaf(self, leaf: Item, variable: str, value: Floats, of: Index) -> Pair:
        low, high = (each[of] for each in self.known(leaf))
        if leaf.variable != variable:
            return low, high
        if leaf.change is not None:
            return self._changed(leaf, value, of)
        new, _ = converted((leaf.resolved or Resolved()).factors)(value, value)
        if leaf.take == "last" or leaf.within is None:
            return new, new
        best = np.maximum if leaf.take == "max" else np.minimum
        unknown = low == -np.inf
        return (
            np.where(unknown, new, best(low, new)),
            np.where(unknown, new, best(high, new)),
        )

    def _changed(self, leaf: Item, value: Floats, of: Index) -> Pair:
        """Return the change of a variable with one more draw, as the engine works it out."""
        inputs = self.evaluation.inputs
        person, time = self.person[of], self.time[of]
        known = inputs.points(leaf)
        known = known.take(np.isin(known.person, person))
        if len(known):  # a draw at the very moment is an earlier one
            taken = known.count_until(person, time) > known.count_until(person, time - 1)
            time = time + taken
        with_it = _joined(known, person, time, value)
        alone = msgspec.structs.replace(leaf, over=None, clock=None)
        given = Inputs({leaf.variable: with_it}, inputs.clock, inputs.n_persons)
        return given.timeline(alone).at(person, time)


def reads(item: Item, variable: str) -> bool:
    """Whether an item, or a part of it, reads a variable."""
    return any(leaf.variable == variable for leaf in item.leaves())


def not_exact(pair: Pair) -> tuple[Mask, Mask]:
    """Return where a value is not known at all, and where it is known only as a range."""
    low, high = pair
    unknown = (low == -np.inf) & (high == np.inf)
    return unknown, ~unknown & (low != high)


def timeline_of(evaluation: Evaluation, leaf: Item) -> bool:
    """Whether a leaf reads what stands or runs (immunosuppression, age), not single draws."""
    return isinstance(evaluation.inputs.values_of(leaf), Timeline) or leaf.within is None


def _joined(points: Points, person: Persons, time: Times, value: Floats) -> Points:
    """Return draws with one more of each person."""
    new = {
        "person": person, "time": time, "low": value, "high": value,
        "row": np.full(len(person), -1), "drawn": time, "replaced": np.full(len(person), FAR_FUTURE),
    }  # fmt: skip
    old = {
        "person": points.person, "time": points.time, "low": points.low, "high": points.high,
        "row": points.row, "drawn": points.taken, "replaced": points.until,
    }  # fmt: skip
    both = {name: np.concatenate([old[name], new[name]]) for name in new}
    order = np.lexsort((both["drawn"], both["time"], both["person"]))
    sorted_ = {name: column[order] for name, column in both.items()}
    return Points(
        sorted_["person"].astype(np.int32),
        sorted_["time"],
        sorted_["low"],
        sorted_["high"],
        sorted_["row"],
        None if points.drawn is None else sorted_["drawn"],
        replaced=None if points.replaced is None else sorted_["replaced"],
    )
