"""Time at or above levels of a daily dose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Floats, Mask, Times
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.core.time_zones import ClockChanges
from becalm.doses.episodes import EpisodeRules, continuous_rate
from becalm.doses.exposure import Doses
from becalm.tables import TIME_AT_DOSE
from becalm.timeline import Intervals


def time_at_dose(
    cohort: Frame, doses: Doses, drug: str, levels_per_day: Sequence[float], rules: EpisodeRules
) -> Frame:
    """Return for each level (in the drug's unit per day) when it was first reached and for how long.

    Only time from t0 on counts. hours_at_rate : hours of continuous infusion at a rate of at least the
    level in 24 h. hours_at_24h : hours with at least this amount in the previous 24 h, by any systemic
    route. Both are empty for a person with a dose of unknown amount: a part is not the whole.
    """
    exposed = cohort.take(np.isin(cohort["person"], doses.exposure(drug).person))
    exposed = exposed.take(exposed["t0"] != UNKNOWN_TIME)
    person, t0 = exposed["person"], exposed["t0"]
    windows = Intervals(person, t0, np.full(len(exposed), FAR_FUTURE))
    dark = np.zeros(len(exposed), np.bool_)
    unknown = doses.unknown(drug)
    dark[windows.overlaps(unknown.person, unknown.start, unknown.end)[1]] = True
    rate, amounts = continuous_rate(doses, drug, rules), doses.amounts(drug)
    frames = [Frame.of(TIME_AT_DOSE)]
    for level in levels_per_day:
        # A rate is rounded to nine decimals: 2,400/24 mg/h × 24 is a millionth of a mg below 2,400.
        edge = level - 1e-6
        first, at_rate = _inside(windows, rate.where(partial(_daily, edge)), doses.clock)
        enough = amounts.bands(DAY, (edge,)).where(lambda low, _: low >= 1)
        _, at_24h = _inside(windows, enough, doses.clock)
        frames.append(
            Frame.of(
                TIME_AT_DOSE,
                person_id=exposed["person_id"],
                drug=[drug] * len(exposed),
                level_per_day=np.full(len(exposed), float(level)),
                unit_canonical=[doses.unit(drug)] * len(exposed),
                first_reached=first,
                hours_at_rate=np.where(dark, np.nan, at_rate),
                hours_at_24h=np.where(dark, np.nan, at_24h),
            )
        )
    return Frame.concat(frames)


def _inside(windows: Intervals, when: Intervals, clock: ClockChanges) -> tuple[Times, Floats]:
    """Return the first time inside `when` in each window, and the total hours that pass."""
    held, window = windows.overlaps(when.person, when.start, when.end)
    start = np.maximum(when.start[held], windows.start[window])
    end = np.minimum(when.end[held], windows.end[window])
    first = np.full(len(windows), FAR_FUTURE)
    np.minimum.at(first, window, start)
    hours = np.bincount(
        window, weights=(clock.real(end) - clock.real(start)) / HOUR, minlength=len(windows)
    )
    return np.where(first == FAR_FUTURE, UNKNOWN_TIME, first), np.round(hours, 6)


def _daily(edge: float, low: Floats, _: Floats) -> Mask:
    enough: Mask = low * 24 >= edge
    return enough
