"""Acute kidney injury by urine: the KDIGO 2012 stage at every charted volume.

A volume is what was passed since the one before it, and is spread evenly over that time. So a volume of 0
after twelve hours is twelve hours of anuria, however seldom it is charted. Time before the first volume of a
stay in intensive care (of an admission elsewhere) counts from its begin. Where volumes are further apart than
the longest gap, nobody knows what was passed: such time is unknown and never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from becalm.core.arrays import Floats, Mask, Persons, Texts, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.events import IRRIGATION, URINE, Events
from becalm.kidney.kdigo import Urine, UrineWindow
from becalm.persons.stays import admissions
from becalm.records import Records
from becalm.timeline import Intervals, Points, Timeline, rounded


@dataclass(frozen=True, eq=False)
class UrineStages:
    """The stage at each charted volume at which at least the shortest window is known.

    person, time, row : of the volume. low and high : the lowest and the highest possible stage. by : what
    decided the lowest, in words. per_kg : for each window of the rule, mL/kg/h, lowest possible; NaN where the
    window is not known. kg : the weight.
    """

    person: Persons
    time: Times
    row: Times
    low: Floats
    high: Floats
    by: Texts
    per_kg: dict[str, Floats]
    kg: Floats

    def take(self, which: Mask) -> UrineStages:
        """Return some of them."""
        parts = {name: each[which] for name, each in self.per_kg.items()}
        return UrineStages(
            self.person[which], self.time[which], self.row[which], self.low[which], self.high[which], self.by[which],
            parts, self.kg[which],
        )  # fmt: skip

    @property
    def points(self) -> Points:
        """The certain stage of each."""
        return Points(self.person, self.time, self.low, self.high, self.row)


def begins(records: Records) -> tuple[Intervals, Intervals]:
    """Return the stays in intensive care, and the admissions: a volume covers no time before either."""
    stays = records.stays
    icu = stays.take((stays["kind"] == "ICU") & (stays["start"] != UNKNOWN_TIME))
    end = np.where(icu["end"] == UNKNOWN_TIME, icu["start"] + 1, icu["end"])
    care = Intervals.build(icu["person"], icu["start"], np.maximum(end, icu["start"] + 1))
    return care, admissions(records)


def unusable(events: Events) -> tuple[Persons, Times]:
    """Return of whom and when something was charted of which nobody knows how much was urine.

    Volumes that were refused, as during irrigation, and what ran out of an irrigated bladder.
    """
    who, when, _ = events.rejected_rows(URINE)
    rinsed = events.points(IRRIGATION)
    person, time = np.concatenate((who, rinsed.person)), np.concatenate((when, rinsed.time))
    known = time != UNKNOWN_TIME
    return person[known].astype(np.int32), time[known]


def flow(
    urine: Points,
    stays: tuple[Intervals, Intervals],
    rule: Urine,
    *,
    refused: tuple[Persons, Times] | None = None,
) -> Timeline:
    """Return urine in mL/h over the time that each volume covers; unknown elsewhere.

    urine : volumes in mL; persons are those of the stays. stays : see `begins`. refused : volumes that were
    charted and cannot be used, such as those during irrigation: what they cover is unknown, and the next one
    begins there.
    """
    person, time = urine.person, urine.time
    previous = _previous(person, time, *(refused or (person[:0], time[:0])))
    previous[previous < time - rule.longest_gap.us] = UNKNOWN_TIME
    care, admitted = (_begin_of(each, person, time) for each in stays)
    begun = np.where(care != UNKNOWN_TIME, care, admitted)
    begun[begun < time - rule.longest_gap.us] = UNKNOWN_TIME
    start = np.maximum(previous, begun)
    known = (start != UNKNOWN_TIME) & (start < time)
    hours = np.where(known, (time - start) / HOUR, 1.0)
    at = np.flatnonzero(known)
    return Timeline.build(
        person[at], start[at], time[at], (urine.low / hours)[at], (urine.high / hours)[at], row=urine.row[at]
    )  # fmt: skip


def _previous(person: Persons, time: Times, whose: Persons, refused: Times) -> Times:
    """Return the last volume before each one, used or refused; unknown before the first."""
    if not len(whose):
        previous = np.full(len(person), UNKNOWN_TIME)
        previous[1:] = np.where(person[1:] == person[:-1], time[:-1], UNKNOWN_TIME)
        return previous
    everyone = np.concatenate((person, whose))
    moments = np.concatenate((time, refused))
    place = np.concatenate((np.arange(len(person)), np.full(len(whose), -1)))
    order = np.lexsort((place >= 0, moments, everyone))
    everyone, moments, place = everyone[order], moments[order], place[order]
    before = np.full(len(moments), UNKNOWN_TIME)
    before[1:] = np.where(everyone[1:] == everyone[:-1], moments[:-1], UNKNOWN_TIME)
    previous = np.full(len(person), UNKNOWN_TIME)
    used = place >= 0
    previous[place[used]] = before[used]
    return previous


def _begin_of(stays: Intervals, person: Persons, time: Times) -> Times:
    """Return the begin of the stay in which each moment lies, its end included; unknown outside."""
    begin = np.full(len(person), UNKNOWN_TIME)
    if len(stays):
        asked, stay = stays.overlaps(person, time - 1, time)
        begin[asked] = stays.start[stay]
    return begin


def stages(urine: Points, rate: Timeline, kg: Floats, rule: Urine) -> UrineStages:
    """Return the stage at every volume: each window by itself, over exactly its length.

    The mean over a window counts, not each hour of it; a window counts only where all of its time is known.

    urine : the volumes. rate : from `flow`. kg : the weight at each volume, NaN where none is known.
    """
    count = len(urine)
    low, high = np.zeros(count), np.zeros(count)
    words = [""]
    by = np.zeros(count, np.int8)
    known = np.zeros(count, np.bool_)
    means: dict[int, tuple[Mask, Floats, Floats]] = {}
    weighed = np.isfinite(kg) & (kg > 0)
    passed = _Passed(rate, urine.person, urine.time)
    for window in sorted(rule.window, key=lambda each: (each.stage, each.within.us)):
        length = window.within.us
        if length not in means:
            full, least, most = passed.within(length)
            full = full & weighed
            with np.errstate(invalid="ignore", divide="ignore"):
                lowest = rounded(least / kg / (length / HOUR))
                highest = lowest if most is least else rounded(most / kg / (length / HOUR))
            means[length] = full, lowest, highest
            known |= full
        full, lowest, highest = means[length]
        sure = full & _reached(window, highest)
        # Later windows are of no lower stage, so the highest is the last; arithmetic is faster than a mask.
        by = np.maximum(by, sure * np.int8(len(words)))
        words.append(_words(window))
        low = np.maximum(low, sure * float(window.stage))
        possible = sure if highest is lowest else full & _reached(window, lowest)
        high = np.maximum(high, possible * float(window.stage))
    at = np.flatnonzero(known)
    per_kg = {
        f"{length // HOUR}h": np.where(full, lowest, np.nan)[at]
        for length, (full, lowest, _) in means.items()
    }
    return UrineStages(
        urine.person[at], urine.time[at], urine.row[at], low[at], np.maximum(low, high)[at],
        np.array(words, dtype=object)[by[at]], per_kg, kg[at],
    )  # fmt: skip


class _Passed:
    """What was passed in the windows that end at given moments, from sums over all time that is known."""

    def __init__(self, rate: Timeline, person: Persons, time: Times) -> None:
        self._rate, self._time = rate, time
        self._find = rate.finder(person, time)
        self._last = self._find(1)
        gap = np.ones(len(rate), np.bool_)
        gap[1:] = (rate.person[1:] != rate.person[:-1]) | (rate.start[1:] != rate.end[:-1])
        self._part = np.cumsum(gap)  # stretches of time that is known without a gap
        hours = (rate.end - rate.start) / HOUR
        bounds = (rate.low,) if rate.exact else (rate.low, rate.high)
        self._bounds = [np.where(np.isfinite(bound), bound, 0.0) for bound in bounds]
        self._sums = [np.concatenate(([0.0], np.cumsum(each * hours))) for each in self._bounds]
        last = np.maximum(self._last, 0)
        # Two volumes of one rate are one stretch, which may go on after the moment.
        lately = (time - rate.start[last]) / HOUR if len(rate) else np.zeros(len(time))
        self._until = [
            sums[last] + bound[last] * lately if len(rate) else lately
            for bound, sums in zip(self._bounds, self._sums, strict=True)
        ]
        self._endless = np.concatenate(([0], np.cumsum(~np.isfinite(rate.high))))

    def within(self, length: int) -> tuple[Mask, Floats, Floats]:
        """Return whether all of a window is known, and the lowest and highest volume in it, mL."""
        rate, since = self._rate, self._time - length
        if not len(rate):
            none = np.zeros(len(since))
            return np.zeros(len(since), np.bool_), none, none
        begin = self._find(length)
        first, last = np.maximum(begin, 0), np.maximum(self._last, 0)
        full = (begin >= 0) & (self._last >= 0) & (self._part[first] == self._part[last])
        before = (since - rate.start[first]) / HOUR
        amounts = [
            # Of a sum over millions of volumes no more than six decimals are exact.
            np.round(until - sums[first] - bound[first] * before, 6)
            for bound, sums, until in zip(self._bounds, self._sums, self._until, strict=True)
        ]
        if self._endless[-1]:
            endless = self._endless[last + 1] > self._endless[first]
            amounts.append(np.where(endless, np.inf, amounts.pop()))
        return full, amounts[0], amounts[-1]


def _reached(window: UrineWindow, per_kg: Floats) -> Mask:
    reached: Mask = per_kg < window.below if window.below > 0 else per_kg <= 0
    return reached


def _words(window: UrineWindow) -> str:
    if window.below > 0:
        return f"urine below {window.below:g} mL/kg/h for {window.within}"
    return f"no urine for {window.within}"
