"""Steps up of an infusion: the size, the time, and the hours since the step before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from becalm.core.clock import HOUR
from becalm.timeline import rounded


class RateStep(NamedTuple):
    """A rise that was held: rates in the infusion's unit per hour, time, hours since the step before."""

    time: int
    from_rate: float
    to_rate: float
    hours_since_last: float


class _Segment(NamedTuple):
    time: int  # its start
    since: int  # µs of infusion before it, without pauses
    length: int
    rate: float


def steps_up(
    start: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    rate: npt.NDArray[np.float64],
    *,
    min_rise: float,
    held: int,
    resume_within: int,
) -> tuple[RateStep, ...]:
    """List the steps up of one infusion in sorted segments; gaps and zeros are pauses.

    A rate is *held* if no lower rate follows within `held` µs of infusion. The reference is the first
    rate of the infusion; it rises with each step, and falls when a lower rate is held. A held rate of
    at least (1 + min_rise) × the reference is a step. So a peak shorter than `held` is no step, the
    return from a dip shorter than `held` is no step, and a slow increase is a step when it is large
    enough in total.

    Pauses up to `resume_within` are left out: a restart at the same rate is no step. After a longer
    pause the reference is 0, and a restart is a step.

    hours_since_last counts from the start of the infusion for the first step.
    """
    steps: list[RateStep] = []
    runs = _runs(start, end, rate, resume_within)
    for number, run in enumerate(runs):
        reference = run[0].rate if number == 0 else 0.0
        for i, segment in enumerate(run):
            lowest, highest = _ahead(run, i, held)
            if lowest is None or highest is None:
                break
            reference = min(reference, highest)
            if not reference or float(rounded(lowest / reference - 1)) >= min_rise:
                last = steps[-1].time if steps else runs[0][0].time
                steps.append(
                    RateStep(segment.time, reference, lowest, (segment.time - last) / HOUR)
                )
                reference = lowest
    return tuple(steps)


def _runs(
    start: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    rate: npt.NDArray[np.float64],
    resume_within: int,
) -> list[list[_Segment]]:
    """Divide the segments at pauses longer than `resume_within`, and leave out shorter pauses."""
    runs: list[list[_Segment]] = []
    until, infused = 0, 0
    for begin, stop, each in zip(start.tolist(), end.tolist(), rate.tolist(), strict=True):
        if each <= 0:
            continue
        if not runs or begin - until > resume_within:
            runs.append([])
            infused = 0
        runs[-1].append(_Segment(begin, infused, stop - begin, each))
        infused += stop - begin
        until = stop
    return runs


def _ahead(run: Sequence[_Segment], i: int, held: int) -> tuple[float | None, float | None]:
    """Return the lowest and highest rate in the next `held` µs of infusion; None if it ends before."""
    until = run[i].since + held
    if run[-1].since + run[-1].length < until:
        return None, None
    lowest = highest = run[i].rate
    for segment in run[i + 1 :]:
        if segment.since >= until:
            break
        lowest, highest = min(lowest, segment.rate), max(highest, segment.rate)
    return lowest, highest
