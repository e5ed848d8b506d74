"""Several reports of one draw are one draw.

A report that says that it corrects replaces the earlier ones, as does a final one after preliminary
ones. Reports that do not say so are both believed: the value is the range from the lowest to the
highest. By the draws, the value is what the last report left, from the draw on. By what was available,
each report changes it from its own time on, and the earlier value holds until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import FAR_FUTURE, Floats, Index, Mask, Persons, Times, is_sorted
from becalm.core.frame import Frame
from becalm.timeline import Points
from becalm.vocabulary import reports

_ORDER: Final = np.array([1, 0, 2, 3])  # of NOTHING, PRELIMINARY, FINAL, CORRECTS at one time


@dataclass(frozen=True, eq=False)
class DrawStates:
    """The values of each draw, one after the other, sorted by draw and time.

    draw : a number for each draw, ascending. time : from when the value is known. row : of a range the
    first of its rows. latest_row : the row of the last report until then. low and high : (-inf, inf) where a correction has no usable value. disagree :
    whether different reports are both believed.
    """

    draw: Times
    person: Persons
    drawn: Times
    time: Times
    low: Floats
    high: Floats
    row: Times
    latest_row: Times
    disagree: Mask

    @property
    def known(self) -> Mask:
        """Whether there is a value at all."""
        return (self.low > -np.inf) | (self.high < np.inf)


def draw_states(reported: Frame, low: Floats, high: Floats) -> DrawStates:
    """Return the values of each draw of one variable.

    reported : rows of `EVENTS` of one variable. low, high : their values.
    """
    person, drawn, row = reported["person"], reported["time"], reported["row"]
    draw = _draws(person, drawn)
    if np.array_equal(draw, np.arange(len(draw))):
        alone = np.zeros(len(draw), np.bool_)
        return DrawStates(draw, person, drawn, reported["available"], low, high, row, row, alone)
    says = reported["report"]
    time = _reported_at(reported, draw, says == reports.CORRECTS)
    order = np.lexsort((row, report_order(says), time, draw))
    draw, person, drawn, time = draw[order], person[order], drawn[order], time[order]
    low, high, row, says = low[order], high[order], row[order], says[order]
    latest_row = row.copy()
    unsettled = says == reports.PRELIMINARY
    disagree = np.zeros(len(draw), np.bool_)
    place = _place(draw)
    for number in range(1, int(place.max(initial=0)) + 1):
        at = np.flatnonzero(place == number)
        before = at - 1
        beside = (says[before] == reports.CORRECTS) & (time[before] == time[at])
        replaces = (says[at] == reports.CORRECTS) & ~beside
        replaces |= (says[at] == reports.FINAL) & unsettled[before]
        joined = at[~replaces]
        differs = (low[joined] != low[joined - 1]) | (high[joined] != high[joined - 1])
        disagree[joined] = disagree[joined - 1] | differs
        low[joined] = np.minimum(low[joined], low[joined - 1])
        high[joined] = np.maximum(high[joined], high[joined - 1])
        row[joined] = np.minimum(row[joined], row[joined - 1])
        unsettled[joined] &= unsettled[joined - 1]
    last = np.append((draw[1:] != draw[:-1]) | (time[1:] != time[:-1]), True)[: len(draw)]
    every = (draw, person, drawn, time, low, high, row, latest_row, disagree)
    return _changes(DrawStates(*(each[last] for each in every)))


def report_order(says: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return the order of reports of one time by what they say of themselves: a correction comes last."""
    order: npt.NDArray[np.int64] = _ORDER[says + 1]
    return order


def by_draw(of: DrawStates) -> Points:
    """Return the last value of each draw, by when it was drawn."""
    end = np.append(of.draw[1:] != of.draw[:-1], True)[: len(of.draw)] & of.known
    low, high = of.low[end], of.high[end]
    return Points(
        of.person[end],
        of.drawn[end],
        low,
        low if np.array_equal(low, high) else high,
        of.row[end],
        conflicts=int(of.disagree[end].sum()),
    )


def by_report(of: DrawStates) -> Points:
    """Return every value of each draw, by when it was known, with the time until which it held."""
    count = len(of.draw)
    replaced = np.full(count, FAR_FUTURE)
    again = np.flatnonzero(of.draw[1:] == of.draw[:-1])
    replaced[again] = of.time[again + 1]
    order = np.lexsort((of.drawn, of.time, of.person))
    order = order[of.known[order]]
    low, high = of.low[order], of.high[order]
    return Points(
        of.person[order],
        of.time[order],
        low,
        low if np.array_equal(low, high) else high,
        of.latest_row[order],
        of.drawn[order],
        replaced=replaced[order] if len(again) else None,
    )


def _draws(person: Persons, drawn: Times) -> Times:
    """Number the draws: the pairs of person and time, in their order."""
    order = np.arange(len(person)) if is_sorted(drawn, person) else np.lexsort((drawn, person))
    who, when = person[order], drawn[order]
    fresh = np.zeros(len(order), np.int64)
    fresh[1:] = (who[1:] != who[:-1]) | (when[1:] != when[:-1])
    draw = np.empty(len(order), np.int64)
    draw[order] = np.cumsum(fresh)
    return draw


def _reported_at(reported: Frame, draw: Times, corrects: Mask) -> Times:
    """Return when each report was known.

    A correction whose time is not recorded is as late as the last report of its draw; a report without
    a time was known by the time of the first correction.
    """
    time: Times = reported["available"]
    if not corrects.any():
        return time
    count = int(draw.max()) + 1
    stated: npt.NDArray[np.bool_] = reported["available_known"]
    last = np.full(count, -FAR_FUTURE)
    np.maximum.at(last, draw, time)
    time = np.where(corrects & ~stated, last[draw], time)
    first = np.full(count, FAR_FUTURE)
    np.minimum.at(first, draw[corrects], time[corrects])
    result: Times = np.where(~corrects & ~stated, np.minimum(time, first[draw]), time)
    return result


def _place(draw: Times) -> Index:
    """Return the number of each row within its draw, from 0, in sorted rows."""
    at = np.arange(len(draw))
    first = np.append(True, draw[1:] != draw[:-1])[: len(draw)]
    begin: Index = np.maximum.accumulate(np.where(first, at, 0)) if len(at) else at
    return at - begin


def _changes(of: DrawStates) -> DrawStates:
    """Leave out the values that are the same as the one before them."""
    same = np.zeros(len(of.draw), np.bool_)
    same[1:] = (
        (of.draw[1:] == of.draw[:-1]) & (of.low[1:] == of.low[:-1]) & (of.high[1:] == of.high[:-1])
    )
    keep = ~same
    return DrawStates(
        of.draw[keep], of.person[keep], of.drawn[keep], of.time[keep],
        of.low[keep], of.high[keep], of.row[keep], of.latest_row[keep], of.disagree[keep],
    )  # fmt: skip
