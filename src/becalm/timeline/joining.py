"""Making one step function from several."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import (
    Pair,
    Persons,
    Times,
    applied,
    check_lengths,
    check_pair,
    expand,
    frozen_pair,
    is_sorted,
)
from becalm.timeline.axis import axis, distinct_times
from becalm.timeline.item_rows import OpenRows, RowSource
from becalm.timeline.steps import Timeline


def combine(f: Callable[..., tuple[ArrayLike, ArrayLike]], *timelines: Timeline) -> Timeline:
    """Compute a new quantity at all times at which at least one of its parts is known.

    `f` takes one pair (low, high) of arrays per timeline and returns the pair of the result. A
    part that is unknown appears as (-inf, inf), so `f` decides what can be computed
    without it; a result of (-inf, inf) is unknown. f is called once, with all segments of all
    persons; where no part is known there is no segment.
    """
    if not timelines:
        return Timeline.empty()
    person, time = distinct_times(
        *((each.person, edge) for each in timelines for edge in (each.start, each.end))
    )
    stretch = np.flatnonzero(person[1:] == person[:-1])
    person, start, end = person[stretch], time[stretch], time[stretch + 1]
    held = [each.find(person, start) for each in timelines]
    known = np.maximum.reduce(held) >= 0
    person, start, end = person[known], start[known], end[known]
    pairs = [each.values(index[known]) for each, index in zip(timelines, held, strict=True)]
    low, high = applied(f, len(person), *pairs)
    sources: tuple[RowSource, ...] = tuple(
        dict.fromkeys(source for each in timelines for source in each._sources)
    )
    return Timeline.merged(person, start, end, *frozen_pair(low, high), sources=sources)


def overlay(
    person: ArrayLike,
    start: ArrayLike,
    end: ArrayLike,
    rate: ArrayLike,
    row: ArrayLike | None = None,
) -> Timeline:
    """Add up rates that may overlap: a drug through two lines, or a bolus written as an infusion.

    Rows in any order, each true on [start, end). Where no row is open the rate is unknown;
    where one is, the result is that row's number; a written rate of 0 is a known pause. Every sum
    is computed from the rows that are open at the time: running sums leave rounding residues, and
    an infusion would never end.
    """
    who: Persons = np.asarray(person, dtype=np.int32)
    begin: Times = np.asarray(start, dtype=np.int64)
    stop: Times = np.asarray(end, dtype=np.int64)
    each, _ = frozen_pair(rate, None)
    source = np.arange(len(who)) if row is None else np.asarray(row, dtype=np.int64)
    check_lengths("overlay", who, begin, stop, each, source)
    check_pair(each, each, "overlay")
    backwards = stop < begin
    if backwards.any():
        at = int(np.argmax(backwards))
        raise ValueError(f"overlay: position {at} (person {who[at]}) ends before it starts")
    order = None if is_sorted(source, begin, who) else np.lexsort((source, begin, who))
    if order is not None or (begin == stop).any():
        order = np.arange(len(who)) if order is None else order
        order = order[begin[order] != stop[order]]
        who, begin, stop, each, source = (
            who[order],
            begin[order],
            stop[order],
            each[order],
            source[order],
        )
    sources = () if row is None else (OpenRows(who, begin, stop, source),)
    if not ((who[1:] == who[:-1]) & (begin[1:] < stop[:-1])).any():
        alone = each + 0.0  # a sum is 0, never -0
        return Timeline.merged(who, begin, stop, alone, alone, sources=sources)
    by_end = np.lexsort((stop, who))
    starts, ends = (who, begin), (who[by_end], stop[by_end])
    at_person, at_time = distinct_times(starts, ends)
    line = axis(starts, ends)
    edges = line.place(at_person, at_time)
    owner, piece = expand(
        np.searchsorted(edges, line.place(who, begin)),
        np.searchsorted(edges, line.place(who, stop)),
    )
    count = np.bincount(piece, minlength=len(edges))
    summed = np.bincount(piece, each[owner], len(edges)).astype(np.float64)
    held = np.flatnonzero(count)
    low = summed[held]
    return Timeline.merged(
        at_person[held],
        at_time[held],
        at_time[np.minimum(held + 1, len(edges) - 1)],
        low,
        low,
        sources=sources,
    )


def either(*pairs: Pair) -> Pair:
    """Return the first pair that is known, for `combine`: the measured value, else a substitute."""
    low, high = pairs[0]
    for other in pairs[1:]:
        unknown = (low == -np.inf) & (high == np.inf)
        low, high = np.where(unknown, other[0], low), np.where(unknown, other[1], high)
    return low, high
