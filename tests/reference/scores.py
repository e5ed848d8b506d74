"""Scores the slow, obvious way: one person, one moment, one item at a time, by trying everything.

What an item could be worth is the set of points over all values it could have; what a definition
could total is found from those sets. Draws are `Point`s by variable; timelines are segments.
"""

import math
from itertools import pairwise, product
from typing import NamedTuple

import msgspec

from becalm.definitions.model import STANDING, Band, Change, Definition, Item, Resolved
from becalm.definitions.rules import ItemGroup
from tests.reference.timeline import HOUR, UNKNOWN, Pair, Point, Segments, at, summary, window

Draws = dict[str, list[Point] | Segments]


def could_be_in(bands: tuple[Band, ...], number: int, low: float, high: float) -> bool:
    """Whether some value between low and high lies in one band."""
    band = bands[number]
    if band.below is not None and not low < band.below:
        return False
    if band.up_to is not None and not low <= band.up_to:
        return False
    if number == 0:
        return True
    before = bands[number - 1]
    if before.below is not None:
        return high >= before.below
    return before.up_to is not None and high > before.up_to


def value_at(draws: Draws, item: Item, person: int, time: int) -> Pair:
    """Lowest and highest value that an item compares, in its own unit."""
    if item.referred is not None:
        if not known_at_all(item.referred, draws, person, time):
            return UNKNOWN
        return total_at(item.referred, draws, person, time)
    if item.over is not None:
        own = item_without(item, "over")
        return divided(value_at(draws, own, person, time), value_at(draws, item.over, person, time))
    given = draws.get(item.variable, [])
    if isinstance(given, dict):
        found = at(given, person, time)
        return found if found == UNKNOWN else in_unit(item, found)
    assert item.take is not None and item.within is not None
    points = [
        p._replace(low=in_unit(item, p[2:4])[0], high=in_unit(item, p[2:4])[1]) for p in given
    ]
    if item.change is not None:
        points = multiples([p for p in points if p.person == person], item.change)
    inside = window(points, person, time, item.within.us)
    return summary(inside, item.take) if inside else UNKNOWN


def item_without(item: Item, field: str) -> Item:
    return msgspec.structs.replace(item, **{field: None})


def item_without_also(item: Item) -> Item:
    return msgspec.structs.replace(item, also=())


def decimals(x: float) -> float:
    return round(x, 9) if abs(x) < 2**43 else x


def in_unit(item: Item, pair: Pair) -> Pair:
    """A pair of the variable's own unit in the item's; an open end stays open."""
    shift, times, by = item.resolved.factors if item.resolved else (0.0, 1.0, 1.0)
    if (shift, times, by) == (0.0, 1.0, 1.0):
        return pair
    low, high = (x if math.isinf(x) else decimals(x * by / times - shift) for x in pair)
    if pair[0] != pair[1]:
        if (low + shift) * times / by < pair[0]:
            low = math.nextafter(low, math.inf)
        if (high + shift) * times / by > pair[1]:
            high = math.nextafter(high, -math.inf)
    return low, high


def divided(a: Pair, b: Pair) -> Pair:
    if UNKNOWN in (a, b):
        return UNKNOWN
    low = 0.0 if b[1] == 0 or math.isinf(b[1]) else decimals(a[0] / b[1])
    high = math.inf if b[0] == 0 or math.isinf(a[1]) else decimals(a[1] / b[0])
    return low, high


def multiples(points: list[Point], change: Change) -> list[Point]:
    """Every draw of one person as a multiple of earlier ones."""
    found = []
    for now in points:
        within = change.within.us
        begin, end = now.time - within, now.time - 1
        if change.against == "then":
            begin, end = now.time - within - change.held.us, now.time - within
        earlier = [p for p in points if begin < p.time <= end]
        if change.from_above is not None:
            found.append(risen(now, earlier, change.from_above))
            continue
        if not earlier:
            continue
        if change.against == "then":
            reference = max(earlier, key=lambda p: p.time)[2:4]
        else:
            best = min if change.against == "lowest" else max
            reference = best(p.low for p in earlier), best(p.high for p in earlier)
        low, high = divided((now.low, now.high), reference)
        found.append(now._replace(low=low, high=high))
    return found


def risen(now: Point, earlier: list[Point], gate: float) -> Point:
    """The greatest rise from above the gate, at its least and at its greatest."""
    least, most = 1.0, 1.0
    if not earlier:
        most = max(1.0, math.nextafter(now.high / gate, -math.inf))
    for p in earlier:
        if p.low > gate:
            least = max(least, divided((now.low, now.low), (p.high, p.high))[0])
        if p.high > gate:
            most = max(most, divided((now.high, now.high), (max(p.low, gate),) * 2)[1])
    return now._replace(low=least, high=max(least, most))


def possible_points(draws: Draws, item: Item, person: int, time: int) -> set[float]:
    """Every number of points that the item could be worth, given what is known.

    Of an item with a coefficient, or with one threshold printed in several units, only the fewest and the most.
    """
    if item.also:
        ways = [item_without_also(item), *item.in_other_units]
        each = [possible_points(draws, way, person, time) for way in ways]
        return {max(map(min, each)), max(map(max, each))}
    if item.count:
        parts = [possible_points(draws, part, person, time) for part in item.count]
        counts = {sum(points > 0 for points in each) for each in product(*parts)}
        return {
            band.points
            for count in counts
            for number in range(len(bands_of(item)))
            if could_be_in(bands_of(item), number, count, count)
            for band in (bands_of(item)[number],)
        }
    low, high = value_at(draws, item, person, time)
    if low == high and item.decimals is not None:
        low = high = round(low, item.decimals)
    if item.coefficient is not None:
        known = item.resolved or Resolved()
        least, most = (low, high) if low == high else (max(low, known.low), min(high, known.high))
        return {decimals(least * item.coefficient), decimals(most * item.coefficient)}
    bands = bands_of(item)
    return {
        band.points for number, band in enumerate(bands) if could_be_in(bands, number, low, high)
    }


def state_at(draws: Draws, item: Item, person: int, time: int) -> str:
    """Met, not met or not assessed."""
    points = possible_points(draws, item, person, time)
    if item.coefficient is not None:
        every = {item.minimum, item.maximum}  # a ratio of two values "more than" may be anything
        if points == every or value_at(draws, item, person, time) == UNKNOWN:
            return "not assessed"
        if len({x > 0 for x in points}) > 1:
            return "not assessed"
        return "met" if 0 not in points else "not met" if points == {0} else "not assessed"
    if all(x > 0 for x in points):
        return "met"
    return "not met" if all(x <= 0 for x in points) else "not assessed"


def bands_of(item: Item) -> tuple[Band, ...]:
    if item.bands:
        return item.bands
    nothing, all_of_it = Band(points=0), Band(points=item.points)
    if item.at_least is not None:
        return (Band(points=0, below=item.at_least), all_of_it)
    if item.above is not None:
        return (Band(points=0, up_to=item.above), all_of_it)
    if item.up_to is not None:
        return (Band(points=item.points, up_to=item.up_to), nothing)
    return (Band(points=item.points, below=item.below), nothing)


def total_at(definition: Definition, draws: Draws, person: int, time: int) -> Pair:
    possible = {item.key: possible_points(draws, item, person, time) for item in definition.items}
    if not definition.rules:
        low = sum(min(points) for points in possible.values())
        high = sum(max(points) for points in possible.values())
        return (decimals(low), decimals(high)) if definition.linear else (low, high)
    outcomes = set()
    # One way of being met and one of not being met stand for all: a rule asks for nothing else.
    ways = [{max(points), min(points)} for points in possible.values()]
    for each in product(*ways):
        met = {key: points > 0 for key, points in zip(possible, each, strict=True)}
        if definition.rule is not None:
            outcomes.add(float(holds(definition.rule, met)))
        else:
            outcomes.add(max([0.0, *(g.grade for g in definition.grades if holds(g, met))]))
    return min(outcomes), max(outcomes)


def holds(group: ItemGroup, met: dict[str, bool]) -> bool:
    terms = [met[term] if isinstance(term, str) else holds(term, met) for term in group.terms]
    if group.all:
        return all(terms)
    if group.any:
        return any(terms)
    assert group.at_least is not None
    return sum(terms) >= group.at_least


def known_at_all(definition: Definition, draws: Draws, person: int, time: int) -> bool:
    return any(item_known(item, draws, person, time) for item in definition.items)


def item_known(item: Item, draws: Draws, person: int, time: int) -> bool:
    if item.count:
        return any(item_known(part, draws, person, time) for part in item.count)
    return value_at(draws, item, person, time) != UNKNOWN


def leaves(definition: Definition) -> list[Item]:
    """Everything that reads a variable, each with what belongs to its reading."""
    return [leaf for item in definition.items for leaf in item.leaves()]


def anything_known(definition: Definition, draws: Draws, person: int, time: int) -> bool:
    """Whether anything happened: more is known than what stands whatever happens."""
    total = total_at(definition, draws, person, time)
    if not known_at_all(definition, draws, person, time) or total == UNKNOWN:
        return False
    return any(
        leaf.variable not in STANDING and item_known(leaf, draws, person, time)
        for leaf in leaves(definition)
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
                    moments |= {point.time, point.time + leaf.within.us}
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
