"""The evidence for each item at a moment: its value, its rows, and what changed the value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import FAR_FUTURE, Floats, Mask, Pair, Persons, Texts, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.definitions.evaluation import Evaluation
from becalm.definitions.model import Item
from becalm.definitions.not_assessed import NEVER, Refused, none_refused
from becalm.definitions.scoring import count_met, scored, totalled
from becalm.timeline import Intervals, Points
from becalm.vocabulary.units import limit

Modifiers: TypeAlias = Mapping[str, Sequence[tuple[str, Intervals]]]
"""By variable: causes that change it, and when a draw is changed by each."""
SourceRow: TypeAlias = Callable[[str, Times], Texts]
"""Returns rows of a variable, each as `table:key`."""


def nameless(variable: str, rows: Times) -> Texts:
    """Return no row, if only totals are needed."""
    del variable
    return blank(len(rows))


@dataclass(frozen=True, eq=False)
class Readings:
    """One definition at many (person, time): points, values, draws, rows and modifiers.

    never : why an item without any value is not assessed.
    """

    evaluation: Evaluation
    person: Persons
    time: Times
    modifiers: Modifiers
    source_row: SourceRow = nameless
    refused: Refused = none_refused
    never: str = NEVER
    _points: dict[Item, Pair] = field(default_factory=dict)
    _draws: dict[Item, ItemDraws] = field(default_factory=dict)
    _leaves: dict[Item, Leaf] = field(default_factory=dict)

    def points(self, item: Item) -> Pair:
        """Return the bounds of an item's points, also where nothing is known."""
        if item not in self._points:
            self._points[item] = self.evaluation.bounds(item, self.person, self.time)
        return self._points[item]

    @cached_property
    def total(self) -> Pair:
        return self.evaluation.at(self.person, self.time)

    @cached_property
    def total_unmodified(self) -> Pair:
        """The total without values that a modifier changed: they count 0 points."""
        items = self.evaluation.definition.items
        return totalled(self.evaluation.definition, [self._unmodified(item) for item in items])

    def _unmodified(self, item: Item) -> Pair:
        if item.count:
            parts = [self._unmodified(part) for part in item.count]
            return scored(item, *count_met(item, parts))
        if item.referred:
            parts = [self._unmodified(part) for part in item.referred.items]
            return scored(item, *totalled(item.referred, parts))
        low, high = self.points(item)
        if not any(self.modifiers.get(leaf.variable) for leaf in item.leaves()):
            return low, high
        moved = self.draws(item).moved
        return np.where(moved, 0.0, low), np.where(moved, 0.0, high)

    def referred(self, item: Item) -> tuple[Floats, Texts]:
        """Return total and sign of the definition whose total is the item's value."""
        low, high = self.evaluation.value(item).at(self.person, self.time)
        value, sign = bound_and_sign(low, high, prefer_high=False)
        censored = blank(len(value))
        censored[sign != ""] = [f"value{each}" for each in sign[sign != ""]]
        return value, censored

    def draws(self, item: Item) -> ItemDraws:
        """Return the draws from which the value of an item comes."""
        if item not in self._draws:
            self._draws[item] = looked_up(self, item)
        return self._draws[item]

    def leaf(self, item: Item) -> Leaf:
        """Return the value of an item that reads a variable."""
        if item not in self._leaves:
            self._leaves[item] = read(self, item)
        return self._leaves[item]


@dataclass(frozen=True, eq=False)
class ItemDraws:
    """The draws from which the values of one variable come, at each question.

    asked, row : pairs of a question and a row of the records. drawn : the time of each
    question's first draw, `UNKNOWN_TIME` where not known. hits : by label of the modifier, the questions
    whose draws it changed.
    """

    asked: Times
    row: Times
    drawn: Times
    hits: Mapping[str, Mask]

    @property
    def moved(self) -> Mask:
        """Whether anything modified them."""
        moved: Mask = np.logical_or.reduce(
            [np.zeros(len(self.drawn), np.bool_), *self.hits.values()]
        )
        return moved


def looked_up(readings: Readings, item: Item) -> ItemDraws:
    """Return the draws of an item that reads a variable, with their modifiers."""
    inputs = readings.evaluation.inputs
    asked, row = readings.evaluation.value(item).evidence_at(readings.person, readings.time)
    count = len(readings.person)
    drawn = np.full(count, UNKNOWN_TIME)
    hits: dict[str, Mask] = {}
    for leaf in item.leaves():
        when = drawn_at(inputs.points(leaf), row)
        own = when != UNKNOWN_TIME
        first = np.full(count, UNKNOWN_TIME)
        first[asked[own][::-1]] = when[own][::-1]  # of several draws the one named first
        drawn = np.maximum(drawn, first)
        for label, span in readings.modifiers.get(leaf.variable, ()):
            hit = hits.setdefault(label, np.zeros(count, np.bool_))
            hit[asked[span.contains(readings.person[asked], when) & own]] = True
    return ItemDraws(asked, row, drawn, hits)


@dataclass(frozen=True, eq=False)
class Leaf:
    """The values of one variable at each question.

    value : float64, NaN unknown; of a range the bound that the item uses. sign : '', '>',
    '>=', '<', '<='. drawn : `UNKNOWN_TIME` where not known. modified_by and source_row joined by
    `|`. derived : the variable, where its value rests on several rows of one specimen.
    """

    value: Floats
    sign: Texts
    drawn: Times
    modified_by: Texts
    derived: Texts
    source_row: Texts


def read(readings: Readings, item: Item) -> Leaf:
    """Return the values of an item that reads a variable, and their rows."""
    low, high = readings.evaluation.value(item).at(readings.person, readings.time)
    value, sign = bound_and_sign(low, high, prefer_high=item.take == "max")
    draws, count = readings.draws(item), len(readings.person)
    modified_by = blank(count)
    for label, hit in sorted(draws.hits.items(), key=lambda each: each[0]):
        modified_by[hit] = with_label(modified_by[hit], label)
    names = readings.source_row(item.variable, draws.row)
    derived = blank(count)
    several = np.fromiter(("|" in name for name in names.tolist()), np.bool_, len(names))
    derived[draws.asked[several]] = item.variable
    rows = gathered(count, draws.asked, names)
    return Leaf(value, sign, draws.drawn, modified_by, derived, rows)


def taken_back_at(readings: Readings) -> Times:
    """Return when a later report first replaced a value that each total rests on; else `UNKNOWN_TIME`."""
    evaluation, count = readings.evaluation, len(readings.person)
    first = np.full(count, FAR_FUTURE)
    leaves = {leaf for item in evaluation.definition.items for leaf in item.leaves()}
    for leaf in leaves:
        points = evaluation.inputs.points(leaf)
        if points.replaced is None:
            continue
        gone = points.take(points.replaced < FAR_FUTURE)
        some = np.flatnonzero(np.isin(readings.person, gone.person))
        who, when = readings.person[some], readings.time[some]
        asked, row = evaluation.inputs.timeline(leaf).evidence_at(who, when)
        known: dict[tuple[int, int], list[int]] = {}
        for at, of in enumerate(zip(gone.person.tolist(), gone.row.tolist(), strict=True)):
            known.setdefault(of, []).append(at)
        for question, used in zip(asked.tolist(), row.tolist(), strict=True):
            for at in known.get((int(who[question]), used), ()):
                until = int(gone.until[at])
                if gone.time[at] <= when[question] < until:
                    first[some[question]] = min(first[some[question]], until)
    return np.where(first < FAR_FUTURE, first, UNKNOWN_TIME)


def drawn_at(points: Points, row: Times) -> Times:
    """Return when each row was drawn; `UNKNOWN_TIME` for rows that are not draws of this variable."""
    if not len(points):
        return np.full(len(row), UNKNOWN_TIME)
    order = np.argsort(points.row, kind="stable")
    known = points.row[order]
    place = np.minimum(np.searchsorted(known, row), len(known) - 1)
    return np.where(known[place] == row, points.taken[order[place]], UNKNOWN_TIME)


def bound_and_sign(low: Floats, high: Floats, *, prefer_high: bool) -> tuple[Floats, Texts]:
    """Return one number and its sign for each range, to print it: 15000 and `>`.

    The limit of `>x` is stored as the next binary number, so that `>x` and `≥x` are different. For a
    range with two finite bounds (two results at one instant) the result is the bound that the item
    uses, with the sign of a bound.
    """
    value = np.where(low == high, low, np.nan)
    sign = blank(len(low))
    for i in np.flatnonzero((low != high) & ((low != -np.inf) | (high != np.inf))).tolist():
        bottom, top = float(low[i]), float(high[i])
        if top == np.inf:
            value[i] = limit(bottom)
            sign[i] = ">" if value[i] != bottom else ">="
        elif bottom <= 0:
            value[i] = limit(top)
            sign[i] = "<" if value[i] != top else "<="
        else:
            value[i], sign[i] = (top, "<=") if prefer_high else (bottom, ">=")
    return value, sign


def blank(count: int) -> Texts:
    return np.full(count, "", dtype=object)


def with_label(texts: Texts, label: str) -> list[str]:
    return [f"{text}|{label}" if text else label for text in texts]


def gathered(count: int, asked: npt.NDArray[Any], names: Texts) -> Texts:
    """Join the names of each question's rows by `|`, each once."""
    texts = blank(count)
    texts[asked[::-1]] = names[::-1]  # of several rows the first
    more = np.flatnonzero(np.bincount(asked, minlength=count)[asked] > 1) if len(asked) else asked
    for question, name in zip(asked[more].tolist(), names[more].tolist(), strict=True):
        before = texts[question]
        if not before:
            texts[question] = name
        elif name not in before.split("|"):
            texts[question] = f"{before}|{name}"
    return texts
