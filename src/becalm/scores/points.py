"""From values to points: bands, thresholds, counts and rules, on arrays of (lowest, highest).

Everything here is a pure function of pairs of arrays; unknown is (-inf, inf) on the way in, and
comes out as everything that the item could be worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from becalm.scores.definition import Definition, Item
from becalm.timeline import Floats, Pair


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


def banded(item: Item, low: Floats, high: Floats) -> Pair:
    """Fewest and most points that values from `low` to `high` are worth.

    A value may straddle bands: a ferritin above 5,000 is worth 35 or 50.
    """
    low, high = as_printed(item, low, high)
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


def totalled(definition: Definition, items: Iterable[Pair]) -> Pair:
    """Lowest and highest total from the items' points, each possibly unknown."""
    known = {
        item.key: worth(item, pair) for item, pair in zip(definition.items, items, strict=True)
    }
    if definition.rule is None:
        low: Floats = np.sum([each for each, _ in known.values()], axis=0)
        high: Floats = np.sum([each for _, each in known.values()], axis=0)
        return low, high
    return _fulfilled(definition, known, 0), _fulfilled(definition, known, 1)


def _fulfilled(definition: Definition, known: Mapping[str, Pair], bound: int) -> Floats:
    """1.0 where every term of the rule holds with all points at one of their bounds.

    A rule has no negation, so it is least fulfilled when every item is.
    """
    met = {name: pair[bound] > 0 for name, pair in known.items()}
    terms = []
    for term in definition.rule.all if definition.rule else ():
        if isinstance(term, str):
            terms.append(met[term])
        else:
            terms.append(np.sum([met[name] for name in term.of], axis=0) >= term.at_least)
    fulfilled: Floats = np.logical_and.reduce(terms).astype(np.float64)
    return fulfilled


def attainable(definition: Definition, total: float) -> bool:
    """Whether any combination of the items adds up to this total.

    A score found in a note that cannot be reached was added up wrongly, or is another score.
    """
    if definition.rule is not None:
        return total in (0.0, 1.0)
    reached = {0.0}
    for item in definition.items:
        reached = {each + band.points for each in reached for band in item.scale}
    return total in reached
