"""From values to points: bands, coefficients, counts, rules and grades, on (lowest, highest).

All functions take pairs of arrays; an unknown value is (-inf, inf), and its points are the range
of all points of the item.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from becalm.core.arrays import Floats, Mask, Pair
from becalm.definitions.model import Definition, Item
from becalm.definitions.rules import Grade, ItemGroup
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
    """Round exact values to the precision in which laboratories report the unit.

    A converted value has rounding residues. A range is not rounded: the limit of `>x` is the next
    binary number after x, and rounding would turn it into x.
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
    """Return the fewest and most points for values from `low` to `high`.

    A range may cover several bands: a ferritin above 5,000 has 35 or 50 points. With a coefficient the
    points are value × coefficient, rounded to 9 decimals; a negative coefficient swaps the bounds.
    """
    low, high = as_printed(item, low, high)
    if item.coefficient is None:
        return _banded(item, low, high)
    if low is high:
        exact = rounded(low * item.coefficient)
        return exact, exact
    ends = rounded(low * item.coefficient), rounded(high * item.coefficient)
    least, most = ends if item.coefficient > 0 else ends[::-1]
    ranges = least < most  # a range ends at the plausible range; an exact value is not changed
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
    """Return the bounds of an item's points; where it is unknown, all its possible points."""
    low, high = pair
    return (
        np.where(low == -np.inf, item.minimum, low),
        np.where(high == np.inf, item.maximum, high),
    )


def count_met(item: Item, parts: Iterable[Pair]) -> Pair:
    """Return the least and greatest number of met parts; an unknown part may be met or not.

    Of three lineages with only a low haemoglobin known, one to three are low.
    """
    known = [worth(part, pair) for part, pair in zip(item.count, parts, strict=True)]
    low: Floats = np.sum([each for each, _ in known], axis=0)
    high: Floats = np.sum([each for _, each in known], axis=0)
    return low, high


def settled(item: Item, pair: Pair) -> tuple[Mask, Mask]:
    """Return where an item is certainly met, and where it is certainly not met.

    An item with a coefficient is met where its points are known and not 0.
    """
    low, high = pair
    if item.coefficient is None:
        return low > 0, high <= 0
    known = (low > item.minimum) | (high < item.maximum)
    return known & ((low > 0) | (high < 0)), (low == 0) & (high == 0)


def totalled(definition: Definition, items: Iterable[Pair]) -> Pair:
    """Return the lowest and highest total from the items' points, which may be unknown."""
    known = {
        item.key: worth(item, pair) for item, pair in zip(definition.items, items, strict=True)
    }
    if definition.rules:
        return _ruled(definition, known, 0), _ruled(definition, known, 1)
    low: Floats = np.sum([each for each, _ in known.values()], axis=0)
    high: Floats = np.sum([each for _, each in known.values()], axis=0)
    return (rounded(low), rounded(high)) if definition.linear else (low, high)


def _ruled(definition: Definition, known: Mapping[str, Pair], bound: int) -> Floats:
    """Return the highest met grade, or 1 for a met rule, with all points at one of their bounds.

    A rule has no negation, so the lowest points of all items give its lowest result.
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
    """Return whether any combination of the items adds up to this total.

    A score in a clinical note that is not possible was added up wrongly, or is another score.
    """
    if definition.rules:
        return total in {0.0, *(grade.grade for grade in definition.grades or (_ONE,))}
    if definition.linear:
        return definition.minimum <= total <= definition.maximum
    reached = {0.0}
    for item in definition.items:
        reached = {each + band.points for each in reached for band in item.scale}
    return total in reached
