"""Points and timelines the slow, obvious way: lists, loops, one person and one moment at a time.

A point is a `Point`; a timeline is {person: [(start, end, low, high), ...]}; intervals are
{person: [(start, end), ...]}. Persons of whom nothing is known are left out.
"""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

HOUR = 3_600_000_000
LIMIT = 2**62
UNKNOWN = (-math.inf, math.inf)

Pair = tuple[float, float]
Segments = dict[int, list[tuple[int, int, float, float]]]
Spans = dict[int, list[tuple[int, int]]]


class Point(NamedTuple):
    person: int
    time: int
    low: float
    high: float
    row: int
    drawn: int | None = None


class Rate(NamedTuple):
    person: int
    start: int
    end: int
    rate: float
    row: int


def move(time: int, by: int) -> int:
    return max(-LIMIT, min(LIMIT, time + by))


def collapse(points: Iterable[Point]) -> tuple[list[Point], int]:
    """Rule 4: one result an instant; the number of instants with different results beside it."""
    instants: dict[tuple[int, int, int | None], list[Point]] = {}
    for point in points:
        instants.setdefault((point.person, point.time, point.drawn), []).append(point)
    conflicts = 0
    result = []
    for key in sorted(instants, key=lambda k: (k[0], k[1], k[2] or 0)):
        together = instants[key]
        conflicts += len({(p.low, p.high) for p in together}) > 1
        low, high = min(p.low for p in together), max(p.high for p in together)
        result.append(Point(key[0], key[1], low, high, min(p.row for p in together), key[2]))
    return result, conflicts


def merge(person_segments: Segments) -> Segments:
    result: Segments = {}
    for person, segments in person_segments.items():
        merged: list[tuple[int, int, float, float]] = []
        for start, end, low, high in sorted(segments):
            if start == end or (low, high) == UNKNOWN:
                continue
            if merged and merged[-1][1:] == (start, low, high):
                merged[-1] = (merged[-1][0], end, low, high)
            else:
                merged.append((start, end, low, high))
        if merged:
            result[person] = merged
    return result


def window(points: list[Point], person: int, time: int, within: int) -> list[Point]:
    return [
        p for p in points if p.person == person and p.time <= time and move(p.time, within) > time
    ]


def summary(inside: list[Point], take: str) -> Pair:
    if take == "last":
        newest = max(inside, key=lambda p: (p.time if p.drawn is None else p.drawn, p.time))
        return newest.low, newest.high
    if take == "count":
        return float(len(inside)), float(len(inside))
    functions: dict[str, Callable[..., float]] = {"max": max, "min": min, "sum": math.fsum}
    f = functions[take]
    return f([p.low for p in inside]), f([p.high for p in inside])


def trailing(points: list[Point], take: str, within: int) -> Segments:
    result: Segments = {}
    for person in {p.person for p in points}:
        times = [p.time for p in points if p.person == person]
        edges = sorted({*times, *(move(t, within) for t in times)})
        for start, end in pairwise(edges):
            inside = window(points, person, start, within)
            if inside:
                result.setdefault(person, []).append((start, end, *summary(inside, take)))
    return merge(result)


def hold(points: list[Point], for_: int) -> Segments:
    """Without a second clock: each value until the next, or until it expires."""
    result: Segments = {}
    for p in points:
        later = [q.time for q in points if q.person == p.person and q.time > p.time]
        end = min([move(p.time, for_), *later])
        result.setdefault(p.person, []).append((p.time, end, p.low, p.high))
    return merge(result)


def nearest(points: list[Point], person: int, at: int, start: int, end: int) -> int:
    """Return the row of the draw in [start, end] that is nearest to a moment; -1 where there is none.

    Of two equally near the earlier one; of several that came at once the one taken last.
    """
    inside = [p for p in points if p.person == person and start <= p.time <= end]
    if not inside:
        return -1
    time = min(inside, key=lambda p: (abs(p.time - at), p.time)).time
    together = [p for p in inside if p.time == time]
    return max(together, key=lambda p: p.time if p.drawn is None else p.drawn).row


def evidence(points: list[Point], take: str, within: int, person: int, time: int) -> list[int]:
    inside = window(points, person, time, within)
    if not inside:
        return []
    low, high = summary(inside, take)
    if take == "last":
        return [max(inside, key=lambda p: (p.time if p.drawn is None else p.drawn, p.time)).row]
    if take in ("sum", "count"):
        return [p.row for p in inside]
    first = [next(p for p in inside if p.low == low), next(p for p in inside if p.high == high)]
    return list(dict.fromkeys(p.row for p in sorted(first, key=inside.index)))


def at(timeline: Segments, person: int, time: int) -> Pair:
    for start, end, low, high in timeline.get(person, []):
        if start <= time < end:
            return low, high
    return UNKNOWN


def combine(f: Callable[..., Pair], *timelines: Segments) -> Segments:
    result: Segments = {}
    for person in {p for each in timelines for p in each}:
        edges = sorted({t for each in timelines for s in each.get(person, []) for t in s[:2]})
        for start, end in pairwise(edges):
            pairs = [at(each, person, start) for each in timelines]
            if any(pair != UNKNOWN for pair in pairs):
                low, high = f(*pairs)
                result.setdefault(person, []).append((start, end, float(low), float(high)))
    return merge(result)


def overlay(rates: list[Rate]) -> Segments:
    result: Segments = {}
    for person in {r.person for r in rates}:
        mine = [r for r in rates if r.person == person]
        edges = sorted({t for r in mine for t in (r.start, r.end)})
        for start, end in pairwise(edges):
            running = [r.rate for r in mine if r.start <= start < r.end]
            if running:
                result.setdefault(person, []).append((start, end, sum(running), sum(running)))
    return merge(result)


def where(timeline: Segments, holds: Callable[[float, float], bool]) -> Spans:
    return union({p: [s[:2] for s in segs if holds(s[2], s[3])] for p, segs in timeline.items()})


def first(timeline: Segments, holds: Callable[[float, float], bool]) -> dict[int, int]:
    return {p: spans[0][0] for p, spans in where(timeline, holds).items()}


def shift(timeline: Segments, by: int) -> Segments:
    return {
        p: [(move(s, by), move(e, by), low, high) for s, e, low, high in segs]
        for p, segs in timeline.items()
    }


def clip(timeline: Segments, windows: Spans) -> Segments:
    return merge(
        {
            p: [
                (max(s, a), min(e, b), low, high)
                for s, e, low, high in segs
                for a, b in windows.get(p, [])
                if max(s, a) < min(e, b)
            ]
            for p, segs in timeline.items()
        }
    )


def integrate(timeline: Segments, person: int, start: int, end: int) -> Pair:
    low = high = 0.0
    for s, e, lower, upper in timeline.get(person, []):
        length = (min(e, end) - max(s, start)) / HOUR
        if length > 0:
            low, high = low + lower * length, high + upper * length
    return low, high


def covered(timeline: Segments, person: int, start: int, end: int) -> int:
    return sum(max(0, min(e, end) - max(s, start)) for s, e, *_ in timeline.get(person, []))


def bridge(spans: Spans, gap: int) -> Spans:
    result: Spans = {}
    for person, mine in spans.items():
        joined: list[tuple[int, int]] = []
        for start, end in sorted(mine):
            if start == end:
                continue
            if joined and start - joined[-1][1] <= gap:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        if joined:
            result[person] = joined
    return result


def union(spans: Spans) -> Spans:
    return bridge(spans, 0)


def contains(spans: Spans, person: int, time: int) -> bool:
    return any(start <= time < end for start, end in spans.get(person, []))


def given(rates: Segments, boluses: list[Point], person: int, time: int) -> float:
    """Mg in (-∞, time]."""
    flow, _ = integrate(rates, person, -LIMIT, time)
    return flow + sum(p.low for p in boluses if p.person == person and p.time <= time)
