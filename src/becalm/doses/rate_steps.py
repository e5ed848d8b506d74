"""Steps up of an infusion: how far, when, and how long after the step before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from becalm.core.clock import HOUR
from becalm.timeline import rounded


class RateStep(NamedTuple):
    """A rise that held: from and to in the infusion's unit per hour, the moment, and hours since the step before."""

    time: int
    from_rate: float
    to_rate: float
    hours_since_last: float


class _Segment(NamedTuple):
    time: int  # when it began
    since: int  # µs infused before it, pauses left out
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
    """List the steps up of one infusion, given as sorted segments; gaps and zeros are pauses.

    A rate is *held* from a moment when no lower one follows within `held` µs of infusing. The
    reference is where the infusion began; it goes up with each step, and down when a lower rate is
    held. A held rate of at least (1 + min_rise) × the reference is a step. So a spike shorter than
    `held` is none, coming back from a dip shorter than `held` is none, and a slow climb is one once
    it adds up.

    Pauses up to `resume_within` are cut out: taking up the same rate is no step. After a longer
    one the reference is 0, and taking the infusion up again is a step.

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
    """Cut at pauses longer than `resume_within`, and leave the shorter ones out."""
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
    """Lowest and highest rate of the next `held` µs of infusing; None when it ends before."""
    until = run[i].since + held
    if run[-1].since + run[-1].length < until:
        return None, None
    lowest = highest = run[i].rate
    for segment in run[i + 1 :]:
        if segment.since >= until:
            break
        lowest, highest = min(lowest, segment.rate), max(highest, segment.rate)
    return lowest, highest
