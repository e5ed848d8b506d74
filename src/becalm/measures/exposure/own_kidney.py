"""Creatinine clearance of one patient over time for a model, and how each stretch of it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Floats, Index, Times
from becalm.timeline import Intervals

STATES: Final = ("measured", "too old", "later", "renal replacement", "unknown")
"""How a clearance is known: by a creatinine that is valid; by the last one, carried on; by the first one, carried
back; assumed, because creatinine tells of the machine; not at all."""
MEASURED, TOO_OLD, LATER, REPLACED, UNKNOWN = range(len(STATES))


class KnownClearance(NamedTuple):
    """Clearances of one patient at draws that tell of the kidney: time, middle, low and high (mL/min), row of the records."""

    time: Times
    middle: Floats
    low: Floats
    high: Floats
    row: Times


@dataclass(frozen=True, eq=False)
class OwnKidney:
    """Clearance from `time[i]` to `time[i + 1]`, mL/min; NaN where the state is unknown. state : positions in `STATES`.

    draw : the position of the draw that each stretch rests on, -1 for none.
    """

    time: Times
    middle: Floats
    low: Floats
    high: Floats
    state: Index
    draw: Index

    def draws(self, start: int, end: int) -> list[int]:
        """Return the draws on which [start, end) rests."""
        stop = np.append(self.time[1:], FAR_FUTURE)
        used = self.draw[(self.time < end) & (stop > start) & (self.draw >= 0)]
        return list(dict.fromkeys(used.tolist()))

    def lasting(self, state: int, start: int, end: int) -> Intervals:
        """Return when a state lasts within [start, end); the person is 0."""
        stop = np.append(self.time[1:], FAR_FUTURE)
        begin, close = np.maximum(self.time, start), np.minimum(stop, end)
        some = (self.state == state) & (close > begin)
        return Intervals.build(np.zeros(int(some.sum()), np.int32), begin[some], close[some])


def own_kidney(
    known: KnownClearance, replaced: Intervals, start: int, end: int, *, valid: int, assumed: float
) -> OwnKidney:
    """Return the clearance of one patient's own kidneys from `start` to `end`, µs.

    A clearance holds until the next one and is measured for `valid` µs, then it is too old. Before the first one it is
    the first, if that is at most `valid` later. From the begin of renal replacement to the next draw that tells of the kidney
    it is `assumed`; low is then 0, and high the last one before the replacement, if there is one.

    known : of draws outside replacement, ascending. replaced : courses of replacement of this person.
    """
    zones = _until_told(replaced, known.time, end)
    edges = [known.time, known.time + valid, known.time[:1] - valid, zones[:, 0], zones[:, 1]]
    inner = np.concatenate(edges)
    time = np.unique(np.append(inner[(inner > start) & (inner < end)], start))
    before = np.searchsorted(known.time, time, side="right") - 1
    count = len(known.time)
    if count:
        last = np.maximum(before, 0)
        old = time - known.time[last] >= valid
        near = known.time[0] - time <= valid
        state = np.where(
            before >= 0, np.where(old, TOO_OLD, MEASURED), np.where(near, LATER, UNKNOWN)
        )
        values = [np.where(state == UNKNOWN, np.nan, each[last]) for each in known[1:4]]
        draw = np.where(state == UNKNOWN, -1, last)
    else:
        state, draw = np.full(len(time), UNKNOWN), np.full(len(time), -1)
        values = [np.full(len(time), np.nan) for _ in range(3)]
    for begin, stop in zones.tolist():
        inside = (time >= begin) & (time < stop)
        prior = np.searchsorted(known.time, begin, side="right") - 1
        highest = known.high[prior] if prior >= 0 else assumed
        state[inside], draw[inside] = REPLACED, -1
        for each, value in zip(values, (assumed, 0.0, max(highest, assumed)), strict=True):
            each[inside] = value
    # What lies before a replacement is not told by a creatinine after it.
    if len(zones) and count and zones[0, 0] <= known.time[0]:
        hidden = (state == LATER) & (time < zones[0, 0])
        state[hidden], draw[hidden] = UNKNOWN, -1
        for each in values:
            each[hidden] = np.nan
    return OwnKidney(time, values[0], values[1], values[2], state, draw)


def _until_told(replaced: Intervals, drawn: Times, end: int) -> Times:
    """Return courses of replacement, each until the next draw after it: int64[n, 2]."""
    after = np.append(drawn, end)[np.searchsorted(drawn, replaced.end, side="left")]
    return np.column_stack((replaced.start, np.maximum(after, replaced.end)))
