"""From values to points: bands, coefficients, counts, rules and grades, on (lowest, highest).

Everything here is a pure function of pairs of arrays; unknown is (-inf, inf) on the way in, and
comes out as everything that the item could be worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from becalm.core.arrays import Floats, Mask, Pair
from becalm.definitions.model import Definition, Grade, Item, ItemGroup
from becalm.timeline import rounded


class _Steps(NamedTuple):
    edges: Floats  # ascending; a value reaches the next band at its edge
    least: Floats  # [i, j]: fewest points of the bands i to j
    most: Floats


@lru_cache(maxsize=1024)
def _steps(item: Item) -> _Steps:
    points = np.array([band.points for band in item.scale])
    size = len(points)
    least, most = np.empty((size, size)), np.empty((size, size))
    for i in range(size):
        for j in range(size):
            reach = points[min(i, j) : max(i, j) + 1]
            least[i, j], most[i, j] = reach.min(), reach.max()
    return _Steps(np.array([band.edge for band in item.scale[:-1]]), least, most)


def as_printed(item: Item, low: Floats, high: Floats) -> Pair:
    """Round exact values to the precision in which laboratories print the unit.

    A converted value carries residues that its laboratory never printed. A range stays as it is:
    its open end is the neighbouring binary number, which rounding would close.
    """
    if item.decimals is None:
        return low, high
    if low is high:
        exact = np.round(low, item.decimals)
        return exact, exact
    same = low == high
    return (
        np.where(same, np.round(np.where(same, low, 0), item.decimals), low),
        np.where(same, np.round(np.where(same, high, 0), item.decimals), high),
    )


def scored(item: Item, low: Floats, high: Floats) -> Pair:
    """Fewest and most points that values from `low` to `high` are worth.

    A value may straddle bands: a ferritin above 5,000 is worth 35 or 50. With a coefficient the
    points are the value times it, rounded to 9 decimals: a fall below zero turns the bounds round.
    """
    low, high = as_printed(item, low, high)
    if item.coefficient is None:
        return _banded(item, low, high)
    if low is high:
        exact = rounded(low * item.coefficient)
        return exact, exact
    ends = rounded(low * item.coefficient), rounded(high * item.coefficient)
    least, most = ends if item.coefficient > 0 else ends[::-1]
    ranges = least < most  # no further than what a patient can have; an exact value stands
    return (
        np.where(ranges, np.minimum(np.maximum(least, item.minimum), most), least),
        np.where(ranges, np.maximum(np.minimum(most, item.maximum), least), most),
    )


def _banded(item: Item, low: Floats, high: Floats) -> Pair:
    steps = _steps(item)
    first = np.searchsorted(steps.edges, low, "right")
    if low is high:
        exact: Floats = steps.least[first, first]
        return exact, exact
    last = np.searchsorted(steps.edges, high, "right")
    return steps.least[first, last], steps.most[first, last]


def worth(item: Item, pair: Pair) -> Pair:
    """Bounds of an item's points where it may be unknown: then all that it can be worth."""
    low, high = pair
    return (
        np.where(low == -np.inf, item.minimum, low),
        np.where(high == np.inf, item.maximum, high),
    )


def counted(item: Item, parts: Iterable[Pair]) -> Pair:
    """How many parts are met, at least and at most; a part not known may be met or not.

    Of three lineages with only a low haemoglobin known, one to three are low.
    """
    known = [worth(part, pair) for part, pair in zip(item.count, parts, strict=True)]
    low: Floats = np.sum([each for each, _ in known], axis=0)
    high: Floats = np.sum([each for _, each in known], axis=0)
    return low, high


def settled(item: Item, pair: Pair) -> tuple[Mask, Mask]:
    """Where an item is met for certain, and where it is not met for certain.

    An item with a coefficient is met where something is known of it that is not nothing.
    """
    low, high = pair
    if item.coefficient is None:
        return low > 0, high <= 0
    known = (low > item.minimum) | (high < item.maximum)
    return known & ((low > 0) | (high < 0)), (low == 0) & (high == 0)


def totalled(definition: Definition, items: Iterable[Pair]) -> Pair:
    """Lowest and highest total from the items' points, each possibly unknown."""
    known = {
        item.key: worth(item, pair) for item, pair in zip(definition.items, items, strict=True)
    }
    if definition.rules:
        return _ruled(definition, known, 0), _ruled(definition, known, 1)
    low: Floats = np.sum([each for each, _ in known.values()], axis=0)
    high: Floats = np.sum([each for _, each in known.values()], axis=0)
    return (rounded(low), rounded(high)) if definition.linear else (low, high)


def _ruled(definition: Definition, known: Mapping[str, Pair], bound: int) -> Floats:
    """The highest grade, or 1 for a rule, that holds with all points at one of their bounds.

    A rule has no negation, so it is least fulfilled when every item is.
    """
    met = {name: pair[bound] > 0 for name, pair in known.items()}
    if definition.rule is not None:
        return _holds(definition.rule, met).astype(np.float64)
    reached: Floats = np.max(
        [grade.grade * _holds(grade, met) for grade in definition.grades], axis=0, initial=0.0
    )
    return reached


def _holds(group: ItemGroup, met: Mapping[str, Mask]) -> Mask:
    terms = [met[term] if isinstance(term, str) else _holds(term, met) for term in group.terms]
    enough: Mask = np.sum(terms, axis=0) >= group.needed
    return enough


_ONE: Final = Grade(grade=1.0)


def attainable(definition: Definition, total: float) -> bool:
    """Whether any combination of the items adds up to this total.

    A score found in a note that cannot be reached was added up wrongly, or is another score.
    """
    if definition.rules:
        return total in {0.0, *(grade.grade for grade in definition.grades or (_ONE,))}
    if definition.linear:
        return definition.minimum <= total <= definition.maximum
    reached = {0.0}
    for item in definition.items:
        reached = {each + band.points for each in reached for band in item.scale}
    return total in reached
