"""The stage of kidney injury over time: of each arm, and the worst of all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from becalm.core.arrays import Floats, Pair
from becalm.timeline import Intervals, Points, Timeline, combine


@dataclass(frozen=True, eq=False)
class StageOverTime:
    """The stage of kidney injury of some persons at every moment, 0 to 3, lowest and highest possible.

    creatinine : of the last draw, while a creatinine is valid; unknown on replacement, which voids it.
    urine : of the last charted volume, which ends the windows that are judged, for as long as volumes may be
    apart. replacement : the highest stage while it runs; on a day of which only the date of a session is known
    the lowest is 0. An arm that is unknown has no segment: that is not stage 0.
    """

    creatinine: Timeline
    urine: Timeline
    replacement: Timeline

    @classmethod
    def of(
        cls,
        creatinine: Points,
        urine: Points,
        courses: Intervals,
        open_days: Intervals,
        *,
        valid: int,
        longest_gap: int,
        worst: int,
    ) -> StageOverTime:
        """Return it from the stages at draws and at charted volumes, and from when replacement ran.

        valid : for how long a creatinine holds, µs. longest_gap : for how long a volume does, µs. worst : the
        stage of replacement.
        """
        unsure = open_days.without(courses)
        sure, maybe = len(courses), len(unsure)
        return cls(
            _until_replaced(creatinine, courses).hold(valid),
            urine.hold(longest_gap),
            Timeline.build(
                np.concatenate((courses.person, unsure.person)),
                np.concatenate((courses.start, unsure.start)),
                np.concatenate((courses.end, unsure.end)),
                np.repeat((float(worst), 0.0), (sure, maybe)),
                np.full(sure + maybe, float(worst)),
            ),
        )

    def clip(self, windows: Intervals) -> StageOverTime:
        """Return it inside the windows."""
        return StageOverTime(*(each.clip(windows) for each in self.arms))

    @property
    def arms(self) -> tuple[Timeline, Timeline, Timeline]:
        """The three arms: creatinine, urine, replacement."""
        return self.creatinine, self.urine, self.replacement

    @cached_property
    def worst(self) -> Timeline:
        """The highest stage of the arms that are known; unknown where none is.

        An arm that nobody measured may be worse: whoever needs to know asks for the arms.
        """
        return combine(_highest, *self.arms)

    @cached_property
    def changes(self) -> Timeline:
        """A timeline with a segment wherever all three arms stay the same; its values mean nothing."""
        return combine(_together, *self.arms)


def _until_replaced(creatinine: Points, courses: Intervals) -> Points:
    """Return the stages at draws, with an unknown one where a course begins: no value reaches over it."""
    none = np.full(len(courses), np.inf)
    return Points.build(
        np.concatenate((creatinine.person, courses.person)),
        np.concatenate((creatinine.time, courses.start)),
        np.concatenate((creatinine.low, -none)),
        np.concatenate((creatinine.high, none)),
        np.concatenate((creatinine.row, np.full(len(courses), -1))),
    )


def _highest(*arms: Pair) -> Pair:
    known = [low > -np.inf for low, _ in arms]
    bounds: list[Floats] = [
        np.maximum.reduce([np.where(is_known, arm[b], 0.0) for is_known, arm in zip(known, arms, strict=True)])
        for b in (0, 1)
    ]  # fmt: skip
    return bounds[0], bounds[1]


def _together(*arms: Pair) -> Pair:
    """Return a number that differs wherever a bound of any arm does: stages are whole and below 9."""
    number = np.zeros(len(arms[0][0]))
    for bound in (bound for arm in arms for bound in arm):
        number = 10 * number + np.where(np.isfinite(bound), bound, 9)
    return number, number
