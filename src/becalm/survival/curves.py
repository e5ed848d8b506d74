"""Kaplan-Meier and Aalen-Johansen curves, with the numbers at risk.

Both are short exact sums, written here so that a report is the same whatever is installed; the tests hold
them against a statistics library. Discharge competes with death in hospital: counting who went home as still
at risk would give too many deaths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from becalm.core import toml
from becalm.core.arrays import Floats, Times
from becalm.core.stats import Z_95

FILE: Final = Path(__file__).with_suffix(".toml")
CENSORED: Final = 0
"""The cause of a time at which a person was last seen without any event."""


class CurvePatients(toml.TomlTable, frozen=True):
    """The fewest patients of whom a curve is drawn."""

    fewest: int
    source: str


class CurveDays(toml.TomlTable, frozen=True):
    """Until which day a curve is shown."""

    shown: int
    source: str


class CurveRules(toml.TomlTable, frozen=True):
    """The file `curves.toml`."""

    patients: CurvePatients
    days: CurveDays


def rules() -> CurveRules:
    """Return the shipped numbers."""
    return toml.load(FILE, CurveRules)


@dataclass(frozen=True, eq=False)
class StepCurve:
    """An estimate at each time of an event, with a 95 % interval and the number at risk just before it.

    time, at_risk, events, estimate, error (standard error), low, high : float64[k] or int64[k].
    """

    time: Floats
    at_risk: Times
    events: Times
    estimate: Floats
    error: Floats
    low: Floats
    high: Floats

    def at(self, moments: ArrayLike, before: float) -> tuple[Floats, Floats, Floats]:
        """Return estimate, low and high at moments; `before` is the estimate before the first event."""
        index = np.searchsorted(self.time, np.asarray(moments, np.float64), "right") - 1
        none = index < 0
        return tuple(  # type: ignore[return-value]
            np.where(none, before, of[np.maximum(index, 0)])
            if len(of)
            else np.full(len(index), before)
            for of in (self.estimate, self.low, self.high)
        )


def at_risk(time: ArrayLike, moments: ArrayLike) -> Times:
    """Return how many are still followed at each moment, those whose time ends there included.

    >>> at_risk([1, 2, 2, 5], [0, 2, 3]).tolist()
    [4, 3, 1]
    """
    ends = np.sort(np.asarray(time, np.float64))
    left: Times = len(ends) - np.searchsorted(ends, np.asarray(moments, np.float64), "left")
    return left.astype(np.int64)


def kaplan_meier(time: ArrayLike, event: ArrayLike) -> StepCurve:
    """Return the share without an event over time, with Greenwood's error and intervals on the log-log scale.

    time : of each person, in any unit. event : whether the time ends with the event, else it is censored.
    Source: Kaplan and Meier, J Am Stat Assoc 1958;53:457-81.

    >>> curve = kaplan_meier([1, 2, 3, 4], [True, False, True, True])
    >>> curve.estimate.round(3).tolist()
    [0.75, 0.375, 0.0]
    """
    when, died = _arrays(time, np.asarray(event, np.bool_).astype(np.int64))
    steps = np.unique(when[died > 0])
    n = at_risk(when, steps)
    d = _at(when[died > 0], steps)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate: Floats = np.cumprod(1 - d / n).astype(np.float64)
        variance = np.cumsum(d / (n * (n - d)))
        error: Floats = np.where(estimate > 0, estimate * np.sqrt(variance), 0.0).astype(np.float64)
    low, high = _log_log(estimate, error)
    return StepCurve(steps, n, d, estimate, error, low, high)


def aalen_johansen(time: ArrayLike, cause: ArrayLike, of: int) -> StepCurve:
    """Return the share with an event of one cause over time, where others compete.

    cause : `CENSORED` (0) or the number of the cause that ends each time. of : the cause asked for. The error is
    that of the delta method; without censoring it is that of a proportion. Source: Aalen and Johansen, Scand J Stat
    1978;5:141-50; Marubini and Valsecchi, Analysing survival data, 1995, chapter 10.

    >>> curve = aalen_johansen([1, 2, 3, 4], [1, 2, 1, 0], 1)
    >>> curve.estimate.round(3).tolist()
    [0.25, 0.5]
    """
    when, why = _arrays(time, np.asarray(cause, np.int64))
    steps = np.unique(when[why != CENSORED])
    n = at_risk(when, steps).astype(np.float64)
    all_of = _at(when[why != CENSORED], steps).astype(np.float64)
    mine = _at(when[why == of], steps).astype(np.float64)
    if not len(steps):
        empty = np.empty(0)
        return StepCurve(
            empty, empty.astype(np.int64), empty.astype(np.int64), empty, empty, empty, empty
        )
    free = np.cumprod(1 - all_of / n)
    before = np.concatenate(([1.0], free[:-1]))
    estimate = np.cumsum(before * mine / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(n > all_of, all_of / (n * (n - all_of)), 0.0)
    # The sum over j <= i of (estimate_i - estimate_j)^2 spread_j, and the like, multiplied out.
    own = before**2 * mine * (n - mine) / n**3
    shared = before * mine / n**2
    variance = (
        estimate**2 * np.cumsum(spread)
        - 2 * estimate * np.cumsum(estimate * spread)
        + np.cumsum(estimate**2 * spread + own)
        - 2 * (estimate * np.cumsum(shared) - np.cumsum(estimate * shared))
    )
    error = np.sqrt(np.maximum(variance, 0.0))
    low, high = _log_log(1 - estimate, error)
    kept = mine > 0
    return StepCurve(
        steps[kept], n[kept].astype(np.int64), mine[kept].astype(np.int64), estimate[kept], error[kept],
        1 - high[kept], 1 - low[kept],
    )  # fmt: skip


def _at(when: Floats, steps: Floats) -> Times:
    """Return how many of some moments fall on each step."""
    return np.bincount(np.searchsorted(steps, when), minlength=len(steps)).astype(np.int64)


def _arrays(time: ArrayLike, event: Times) -> tuple[Floats, Times]:
    when: Floats = np.asarray(time, np.float64)
    if len(when) != len(event):
        raise ValueError(f"{len(when)} times and {len(event)} events are not of the same persons")
    if np.isnan(when).any() or (when < 0).any():
        raise ValueError("a time to an event is missing or negative")
    return when, event


def _log_log(free: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return the interval of a share without an event, from that of the logarithm of its logarithm."""
    with np.errstate(divide="ignore", invalid="ignore"):
        width = Z_95 * error / (free * np.log(free))
        inside = (free > 0) & (free < 1) & (error > 0)
        low = np.where(inside, free ** np.exp(-width), free)
        high = np.where(inside, free ** np.exp(width), free)
    return low, high


def enough(persons: Sequence[object] | int) -> bool:
    """Return whether there are enough patients for a curve."""
    return (persons if isinstance(persons, int) else len(persons)) >= rules().patients.fewest
