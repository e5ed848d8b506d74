"""When a kidney injury is over, whether it lasted, and whether it became a kidney disease."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from becalm.core.arrays import FAR_FUTURE, FAR_PAST, Mask, Persons, Times
from becalm.kidney.kdigo import Recovery
from becalm.timeline import Intervals, Points


@dataclass(frozen=True, eq=False)
class Injuries:
    """What is known of the first injury of each person, and of its end.

    Evidence is a creatinine or a window of urine with a stage, or renal replacement. person, time,
    injured, frees : the evidence, sorted; frees is a creatinine without a stage, by which a recovery
    is judged. courses : of replacement. first : when injury was first seen, `FAR_FUTURE` if never.
    known : whose baseline is known: without one a plateau cannot be told from recovery.
    """

    person: Persons
    time: Times
    injured: Mask
    frees: Mask
    courses: Intervals
    first: Times
    known: Mask

    @classmethod
    def of(
        cls, creatinine: Points, urine: Points, courses: Intervals, known: Mask, start: Times
    ) -> Injuries:
        """Collect the evidence from each person's start on.

        creatinine, urine : the stages; persons are positions in `known` and `start`.
        """
        began = np.maximum(courses.start, start[courses.person])
        runs = courses.end > began
        sick = [urine.take(urine.low >= 1)]
        person = np.concatenate(
            (creatinine.person, sick[0].person, courses.person[runs], courses.person[runs])
        )
        time = np.concatenate((creatinine.time, sick[0].time, began[runs], courses.end[runs] - 1))
        injured = np.ones(len(person), np.bool_)
        injured[: len(creatinine)] = creatinine.low >= 1
        inside = time >= start[person]
        order = np.lexsort((injured, time, person))
        order = order[inside[order]]
        first = np.full(len(known), FAR_FUTURE)
        np.minimum.at(first, person[order][injured[order]], time[order][injured[order]])
        return cls(
            person[order],
            time[order],
            injured[order],
            ~injured[order],
            courses,
            first,
            known,
        )

    def recovered(self, at: Times, rule: Recovery, valid: int) -> list[bool | None]:
        """Return whether the injury was over at a moment of each person; None if nobody knows.

        Yes: no evidence of injury for 48 h, and a creatinine without a stage at the end of them or
        later. No: on replacement, or the last evidence is injury and still valid. Without an injury
        by then None.

        at : µs, one for each person. valid : for how long a creatinine tells of the kidney, µs.
        """
        count = len(self.known)
        within = self.time <= at[self.person]
        last, free = np.full(count, FAR_PAST), np.full(count, FAR_PAST)
        for of, which in ((last, self.injured), (free, self.frees)):
            chosen = within & which
            np.maximum.at(of, self.person[chosen], self.time[chosen])
        running = self.courses.contains(np.arange(count, dtype=np.int32), at)
        yes = self.known & ~running & (free - last >= rule.sustained.us)
        no = running | ((free <= last) & (at - last <= valid))
        injury = self.first <= at
        return _answers(injury & yes, injury & no)

    def lasted(self, longer: int, rule: Recovery, *, included: bool) -> list[bool | None]:
        """Return whether the first injury lasted so long before it was over; None if nobody knows.

        longer : µs. included : whether a duration of exactly that counts.
        """
        count = len(self.known)
        previous = np.where(self.injured, self.time, FAR_PAST)
        index = np.where(self.injured, np.arange(len(previous)), -1)
        at = np.maximum.accumulate(index) if len(index) else index
        mine = (at >= 0) & (self.person[np.maximum(at, 0)] == self.person)
        since = np.where(mine, previous[np.maximum(at, 0)], FAR_FUTURE)
        reversal = self.frees & mine & (self.time - since >= rule.sustained.us)
        over, end = np.full(count, FAR_FUTURE), np.full(count, FAR_PAST)
        np.minimum.at(over, self.person[reversal], self.time[reversal])
        before = self.injured & (self.time <= over[self.person])
        np.maximum.at(end, self.person[before], self.time[before])
        injury = self.first < FAR_FUTURE
        duration = np.where(injury, end - self.first, 0)
        long = duration >= longer if included else duration > longer
        short = self.known & (over < FAR_FUTURE) & ~long
        return _answers(injury & long, injury & short)


def _answers(yes: Mask, no: Mask) -> list[bool | None]:
    return [
        True if one else False if other else None
        for one, other in zip(yes.tolist(), no.tolist(), strict=True)
    ]
