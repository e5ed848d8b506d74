"""Slopes before and after a clock, the half-time of a fall, and when a value was normal again.

A patient who gets better by himself does so before the drug, too: the slope before is the patient's own
control. A line through the logarithms is a constant change in per cent for each day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import stats, toml
from becalm.core.arrays import FAR_FUTURE, Floats, Index, Mask, Persons, Texts, Times, expand
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME, Length
from becalm.core.frame import Frame
from becalm.events import Events
from becalm.measures.response.questions import Questions
from becalm.measures.stage import Stage, StageInput
from becalm.tables import NORMAL_AGAIN, SLOPES
from becalm.timeline import Points, nearest

FILE: Final = Path(__file__).with_suffix(".toml")
FEVER: Final = "temperature"


class SlopeWindow(toml.TomlTable, frozen=True):
    """Which draws make a slope."""

    before: Length
    after: Length
    fewest: int
    source: str


class Normal(toml.TomlTable, frozen=True):
    """What counts as normal, in the variable's canonical unit."""

    variable: str
    source: str
    below: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def words(self) -> str:
        """The rule as it is printed."""
        if self.below is not None:
            return f"below {self.below:g}"
        return (
            f"at most {self.at_most:g}"
            if self.at_most is not None
            else f"at least {self.at_least:g}"
        )

    def met(self, low: Floats, high: Floats) -> Mask:
        """Return which values certainly are normal."""
        if self.below is not None:
            return high < self.below
        if self.at_most is not None:
            return high <= self.at_most
        assert self.at_least is not None
        return low >= self.at_least


class FeverFree(toml.TomlTable, frozen=True):
    """For how long temperature must stay down."""

    fever_free: Length
    source: str


class SlopeFile(toml.TomlTable, frozen=True):
    """The file `slopes.toml`."""

    window: SlopeWindow
    normal: tuple[Normal, ...]
    fever: FeverFree


def file() -> SlopeFile:
    """Return the shipped windows and targets."""
    return toml.load(FILE, SlopeFile)


@dataclass(frozen=True, eq=False)
class FittedLine:
    """A line through the logarithms of the draws of each question, per day; NaN where there is none.

    low and high : its 95 % interval. draws : how many. state : as in the table.
    """

    slope: Floats
    low: Floats
    high: Floats
    draws: Times
    state: Texts


def line(points: Points, first: Index, stop: Index, fewest: int) -> FittedLine:
    """Return the least-squares line of log value on time for the draws [first, stop) of each question."""
    owner, at = expand(first, stop)
    count = len(first)
    n = np.bincount(owner, minlength=count).astype(np.int64)
    low, high = points.low[at], points.high[at]
    limited = np.bincount(owner, (low != high) | ~np.isfinite(low), count) > 0
    naught = np.bincount(owner, low <= 0, count) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where((low > 0) & np.isfinite(low), np.log(np.where(low > 0, low, 1.0)), 0.0)
        x = points.time[at].astype(np.float64) / DAY
        middle = np.bincount(owner, x, count) / n
        mean = np.bincount(owner, y, count) / n
        dx, dy = x - middle[owner], y - mean[owner]
        sxx = np.bincount(owner, dx * dx, count)
        slope = np.bincount(owner, dx * dy, count) / sxx
        left = np.bincount(owner, (dy - slope[owner] * dx) ** 2, count)
        error = np.sqrt(left / (n - 2) / sxx)
    state = np.full(count, "estimated", dtype=object)
    state[n == 2] = "two draws"
    state[naught] = "zero"
    state[limited] = "censored"
    state[n == 1] = "one draw"
    state[n == 0] = "no draw"
    usable = np.isin(state, ["estimated", "two draws"]) & (sxx > 0)
    sure = usable & (n >= fewest)
    t = np.array([_t(int(each) - 2) if ok else np.nan for each, ok in zip(n, sure, strict=True)])
    slope = np.where(usable, slope, np.nan)
    half = np.where(sure, t * error, np.nan)
    return FittedLine(slope, slope - half, slope + half, n, state)


@lru_cache(maxsize=512)
def _t(freedom: int) -> float:
    return stats.t_quantile(freedom)


def _percent(slope: Floats) -> Floats:
    change: Floats = 100 * np.expm1(slope)
    return change


def _half_time(slope: Floats) -> Floats:
    """Return the hours in which a value falls to half; NaN where it does not fall."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(slope < 0, -math.log(2) / slope * 24, np.nan)


def slopes(cohort: Frame, events: Events, variables: tuple[str, ...]) -> Frame:
    """Return `slopes`: one row per person, variable, known clock and side."""
    asked, rule = Questions.of(cohort), file().window
    frames = [Frame.of(SLOPES)]
    for variable in variables:
        points = events.points(variable)
        for side in ("before", "after"):
            if side == "before":
                window = nearest.within(
                    points, asked.person, asked.time - rule.before.us, asked.time
                )
            else:
                end = asked.time + rule.after.us
                window = nearest.within(points, asked.person, asked.time, end, after=True)
            found = line(points, *window, rule.fewest)
            falls = found.slope < 0
            frames.append(
                Frame.of(
                    SLOPES,
                    person_id=asked.column("person_id"),
                    variable=np.full(len(asked), variable, object),
                    from_clock=asked.clock,
                    side=np.full(len(asked), side, object),
                    draws_in_window=found.draws,
                    percent_per_day=np.round(_percent(found.slope), 6),
                    percent_low=np.round(_percent(found.low), 6),
                    percent_high=np.round(_percent(found.high), 6),
                    half_time_h=np.round(_half_time(found.slope), 6),
                    half_time_low=np.round(np.where(falls, _half_time(found.low), np.nan), 6),
                    half_time_high=np.round(np.where(falls, _half_time(found.high), np.nan), 6),
                    slope_state=found.state,
                    source_row=_rows(events, points, *window),
                )
            )
    return Frame.concat(frames).sort("person_id", "variable", "from_clock", "side")


def _rows(events: Events, points: Points, first: Index, stop: Index) -> list[str]:
    """Return the first and the last draw of each question: those between lie between them in the records."""
    some = stop > first
    rows = np.full((2, len(first)), -1, np.int64)
    rows[0, some] = points.row[first[some]]
    some &= stop > first + 1
    rows[1, some] = points.row[stop[some] - 1]
    return events.joined_names(rows)


def normal_again(cohort: Frame, events: Events) -> Frame:
    """Return `normal_again`: when each value was first certainly normal after each known clock."""
    asked, frames = Questions.of(cohort), [Frame.of(NORMAL_AGAIN)]
    for rule in file().normal:
        points = events.points(rule.variable)
        met = rule.met(points.low, points.high)
        if rule.variable == FEVER:
            met = _stays(points, met, file().fever.fever_free.us)
        frames.append(_normal(asked, events, rule, points, met))
    return Frame.concat(frames).sort("person_id", "variable", "from_clock")


def _stays(points: Points, met: Mask, length: int) -> Mask:
    """Return the draws from which on all are normal for so long, with one at or after half of that time."""
    person, time = points.person, points.time
    wrong = Points(person[~met], time[~met], points.low[~met], points.high[~met], points.row[~met])
    first, stop = nearest.within(wrong, person, time, time + length)
    later = nearest.within(points, person, time + length // 2, time + length)
    stays: Mask = met & (stop == first) & (later[1] > later[0])
    return stays


def _normal(asked: Questions, events: Events, rule: Normal, points: Points, met: Mask) -> Frame:
    person, clock = asked.person, asked.time
    end = np.full(len(asked), FAR_FUTURE)
    good = points.take(np.flatnonzero(met))
    reached = _first(good, person, clock, end)
    last = nearest.last(points, *nearest.within(points, person, clock, end, after=True))
    at_clock = nearest.last(
        points, *nearest.within(points, person, clock - file().window.before.us, clock)
    )
    plain = rule.met(at_clock.low, at_clock.high)
    fine = at_clock.found & plain
    state = np.full(len(asked), "not reached", dtype=object)
    state[reached >= 0] = "reached"
    state[fine] = "not abnormal"
    state[~last.found | ~at_clock.found] = "no draw"
    shown = (state == "reached") & (reached >= 0)
    position = np.where(shown, reached, 0)
    time = np.where(shown, good.time[position] if len(good) else UNKNOWN_TIME, UNKNOWN_TIME)
    hours = np.where(shown, (time - clock) / HOUR, np.nan)
    rows = np.array([at_clock.row, last.row])
    rows[1, shown] = good.row[position[shown]]
    return Frame.of(
        NORMAL_AGAIN,
        person_id=asked.column("person_id"),
        variable=np.full(len(asked), rule.variable, object),
        from_clock=asked.clock,
        target=np.full(len(asked), rule.words, object),
        normal_state=state,
        hours_to_normal=np.round(hours, 6),
        hours_followed=np.where(last.found, np.round((last.time - clock) / HOUR, 6), np.nan),
        normal_from=time,
        source_row=events.joined_names(rows),
    )


def _first(points: Points, person: Persons, after: Times, end: Times) -> Times:
    """Return the position of the first draw in (after, end]; -1 where there is none."""
    first, stop = nearest.within(points, person, after, end, after=True)
    return np.where(stop > first, first, -1).astype(np.int64)


def measure(given: StageInput) -> Frame:
    """Fill the table `slopes`."""
    variables = given.protocol.response.variables
    return slopes(given.described, given.patients.events, variables)


def measure_normal(given: StageInput) -> Frame:
    """Fill the table `normal_again`."""
    return normal_again(given.described, given.patients.events)


STAGES: Final = (Stage(SLOPES, measure), Stage(NORMAL_AGAIN, measure_normal))
