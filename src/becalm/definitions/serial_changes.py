"""Each draw as a multiple of an earlier value: doubled, halved, unchanged."""

from __future__ import annotations

import numpy as np

from becalm.core.arrays import Index, Mask, Pair, Times
from becalm.definitions.model import Change
from becalm.timeline import Points, ratio
from becalm.timeline.windows import earliest, extreme, latest


def multiples(points: Points, change: Change) -> tuple[Points, Points]:
    """Return the multiple at every draw that has an earlier draw to be compared with.

    The numbers are returned twice: with the rows of the draws, and with the rows of the earlier
    values. A draw whose result is available after that of a later draw is left out, because it is
    never the newest value. Multiples are rounded to 9 decimals.
    """
    if not len(points):
        return points, points
    compared = points.standing(*_earlier(points, change), points.time)
    standing, first, stop = compared
    in_force = _newest(points)
    if change.from_above is not None:
        return _risen(points, change.from_above, compared, in_force)
    some = np.flatnonzero(in_force & (stop > first))
    low, high = points.low[standing], points.high[standing]
    least = extreme(low, first[some], stop[some], np.minimum)
    if change.against == "lowest":
        earlier = least, extreme(high, first[some], stop[some], np.minimum)
        at = earliest(low, first[some], stop[some], np.minimum)
    elif change.against == "highest":
        earlier = (
            extreme(low, first[some], stop[some], np.maximum),
            extreme(high, first[some], stop[some], np.maximum),
        )
        at = earliest(high, first[some], stop[some], np.maximum)
    else:
        at = latest(points.rank[standing], first[some], stop[some])
        earlier = low[at], high[at]
    return _compared(points, some, earlier, points.row[standing[at]])


def _risen(
    points: Points, gate: float, compared: tuple[Index, Index, Index], in_force: Mask
) -> tuple[Points, Points]:
    """Return the greatest rise from an earlier value above the gate, 1 if there was none.

    Without any earlier draw the value may have risen from just above the gate: the highest possible
    multiple is the value divided by the gate.
    """
    standing, first, stop = compared
    now = np.flatnonzero(in_force)
    low, high = np.ones(len(now)), np.ones(len(now))
    row = points.row[now].copy()
    alone = stop[now] <= first[now]
    unseen = np.nextafter(points.high[now[alone]] / gate, -np.inf)
    high[alone] = np.maximum(1.0, unseen)
    for bound, earlier, later in ((low, points.high, points.low), (high, points.low, points.high)):
        sure = np.flatnonzero((points.low if bound is low else points.high)[standing] > gate)
        begin, end = np.searchsorted(sure, first[now]), np.searchsorted(sure, stop[now])
        some = np.flatnonzero(end > begin)
        before = earlier[standing[sure]]
        least = extreme(np.maximum(before, gate), begin[some], end[some], np.minimum)
        rise = ratio((later[now[some]],) * 2, (least, least))[0 if bound is low else 1]
        bound[some] = np.maximum(1.0, rise)
        at = earliest(before, begin[some], end[some], np.minimum)
        row[some] = points.row[standing[sure[at]]]
    return _built(points, now, (low, np.maximum(low, high)), row)


def _compared(points: Points, some: Times, earlier: Pair, row: Times) -> tuple[Points, Points]:
    return _built(points, some, ratio((points.low[some], points.high[some]), earlier), row)


def _built(points: Points, at: Times, value: Pair, row: Times) -> tuple[Points, Points]:
    drawn = None if points.drawn is None else points.drawn[at]
    replaced = None if points.replaced is None else points.replaced[at]
    known = (points.person[at], points.time[at], *value)
    return (
        Points(*known, points.row[at], drawn, replaced=replaced),
        Points(*known, row, drawn, replaced=replaced),
    )


def _earlier(points: Points, change: Change) -> tuple[Times, Times]:
    """Return the positions [first, stop) of the draws with which each draw is compared."""
    within = change.within.us
    if change.against == "then":
        until = points.time - within
        return (
            points.count_until(points.person, until - change.held.us),
            points.count_until(points.person, until),
        )
    first = points.count_until(points.person, points.time - within)
    return first, np.arange(len(points))


def _newest(points: Points) -> Mask:
    """Return whether each draw is the newest one when its result becomes available."""
    if points.drawn is None:
        return np.ones(len(points), np.bool_)
    own = np.searchsorted(points.person, points.person)
    newest: Mask = latest(points.rank, own, np.arange(1, len(points) + 1)) == np.arange(len(points))
    return newest
