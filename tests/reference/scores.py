"""Scores the slow, obvious way: one person, one moment, one item at a time, by trying everything.

What an item could be worth is the set of points over all values it could have; what a definition
could total is found from those sets. Draws are `Point`s by variable; timelines are segments.
"""

import math
from itertools import pairwise, product
from typing import NamedTuple

from becalm.clock import span
from becalm.scores.definition import STANDING, Band, Definition, Item
from tests.reference.timeline import HOUR, UNKNOWN, Pair, Point, Segments, at, summary, window

Draws = dict[str, list[Point] | Segments]


def could_be_in(bands: tuple[Band, ...], number: int, low: float, high: float) -> bool:
    """Whether some value between low and high lies in one band."""
    band = bands[number]
    if band.below is not None and not low < band.below:
        return False
    if band.upto is not None and not low <= band.upto:
        return False
    if number == 0:
        return True
    before = bands[number - 1]
    if before.below is not None:
        return high >= before.below
    return before.upto is not None and high > before.upto


def value_at(draws: Draws, item: Item, person: int, time: int) -> Pair:
    given = draws.get(item.variable, [])
    if isinstance(given, dict):
        return at(given, person, time)
    assert item.take is not None and item.within is not None
    inside = window(given, person, time, span(item.within))
    return summary(inside, item.take) if inside else UNKNOWN


def possible_points(draws: Draws, item: Item, person: int, time: int) -> set[float]:
    """Every number of points that the item could be worth, given what is known."""
    bands = bands_of(item)
    if item.count:
        parts = [possible_points(draws, part, person, time) for part in item.count]
        counts = {sum(points > 0 for points in each) for each in product(*parts)}
        return {
            band.points
            for count in counts
            for number, band in enumerate(bands)
            if could_be_in(bands, number, count, count)
        }
    low, high = value_at(draws, item, person, time)
    if low == high and item.decimals is not None:
        low = high = round(low, item.decimals)
    return {
        band.points for number, band in enumerate(bands) if could_be_in(bands, number, low, high)
    }


def bands_of(item: Item) -> tuple[Band, ...]:
    if item.bands:
        return item.bands
    nothing, all_of_it = Band(points=0), Band(points=item.points)
    if item.at_least is not None:
        return (Band(points=0, below=item.at_least), all_of_it)
    if item.above is not None:
        return (Band(points=0, upto=item.above), all_of_it)
    if item.upto is not None:
        return (Band(points=item.points, upto=item.upto), nothing)
    return (Band(points=item.points, below=item.below), nothing)


def total_at(definition: Definition, draws: Draws, person: int, time: int) -> Pair:
    possible = {item.key: possible_points(draws, item, person, time) for item in definition.items}
    if definition.rule is None:
        return (
            sum(min(points) for points in possible.values()),
            sum(max(points) for points in possible.values()),
        )
    outcomes = set()
    for each in product(*possible.values()):
        met = {key: points > 0 for key, points in zip(possible, each, strict=True)}
        holds = True
        for term in definition.rule.terms:
            if isinstance(term, str):
                holds = holds and met[term]
            else:
                holds = holds and sum(met[name] for name in term.of) >= term.at_least
        outcomes.add(float(holds))
    return min(outcomes), max(outcomes)


def anything_known(definition: Definition, draws: Draws, person: int, time: int) -> bool:
    """Whether anything is known but what stands whatever happens."""
    return any(
        leaf.variable not in STANDING and value_at(draws, leaf, person, time) != UNKNOWN
        for item in definition.items
        for leaf in item.leaves()
    )


def changes(definition: Definition, draws: Draws, person: int) -> list[int]:
    """Every moment at which anything could change."""
    moments = set()
    for item in definition.items:
        for leaf in item.leaves():
            given = draws.get(leaf.variable, [])
            if isinstance(given, dict):
                for start, end, _, _ in given.get(person, []):
                    moments |= {start, end}
                continue
            for point in given:
                if point.person == person and leaf.within is not None:
                    moments |= {point.time, point.time + span(leaf.within)}
    return sorted(moments)


class Summary(NamedTuple):
    peak: int | None
    first_met: int | None
    first_possible: int | None
    held_hours: float


def summarised(
    definition: Definition, draws: Draws, person: int, start: int | None, end: int | None
) -> Summary:
    """Peak and first moments in [start, end], walking from change to change."""
    edges = changes(definition, draws, person)
    if start is not None and end is not None:
        edges = sorted({start, end + 1, *(edge for edge in edges if start < edge <= end)})
    peak, best = None, -math.inf
    first_met = first_possible = None
    held = 0
    for begin, stop in pairwise(edges):
        if not anything_known(definition, draws, person, begin):
            continue
        low, high = total_at(definition, draws, person, begin)
        if low > best:
            peak, best = begin, low
        if low >= definition.cut_off:
            held += stop - begin
            first_met = begin if first_met is None else first_met
        if high >= definition.cut_off and first_possible is None:
            first_possible = begin
    return Summary(peak, first_met, first_possible, held / HOUR)
