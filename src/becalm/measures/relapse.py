"""When a storm is over, and whether it came back, by the protocol's rule.

Silence is no proof: a storm is certainly over only where temperature was measured on every day of the
quiet time, and a patient without a last contact after it may have had a relapse elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Floats, Mask, Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.measures.stage import StageInput
from becalm.protocol import Protocol, Relapse
from becalm.timeline import Points

CERTAIN: Final = "certain"
POSSIBLE: Final = "possible"
NOT_REACHED: Final = "not reached"
UNKNOWN: Final = "unknown"
NONE: Final = "none"
RELAPSE: Final = "relapse"
UNCERTAIN: Final = "uncertain"
NOT_RESOLVED: Final = "not resolved"


@dataclass(frozen=True, eq=False)
class DrawnValues:
    """The draws of one variable of one person from time zero on, sorted."""

    time: Times
    low: Floats
    high: Floats
    row: Times

    @classmethod
    def of(cls, points: Points, person: int, since: int, until: int) -> DrawnValues:
        """Return the draws in [since, until]."""
        # Numbers of the same type: otherwise NumPy would copy all persons first.
        first, stop = np.searchsorted(points.person, np.array((person, person + 1), np.int32))
        at = np.arange(first, stop)
        at = at[(points.time[at] >= since) & (points.time[at] <= until)]
        return cls(points.time[at], points.low[at], points.high[at], points.row[at])

    def near(self, moment: int, within: int) -> Mask:
        """Return which draws are at most so long before or after a moment."""
        close: Mask = np.abs(self.time - moment) <= within
        return close


@dataclass(frozen=True)
class Onset:
    """The onset of an infection, or of what may be one (`sure` is False): the first and the last possible moment, µs."""

    first: int
    last: int
    sure: bool = True

    @property
    def words(self) -> str:
        """What it is."""
        return "an infection" if self.sure else "a sample that may show an infection"


@dataclass(frozen=True, eq=False)
class Course:
    """What the rule reads of one person; rescues are moments; `last_seen` ends the follow-up.

    earlier_peak : the greatest ferritin of the protocol's time before time zero, its lowest possible value; NaN
    without one.
    definite : when the storm was definite from time zero on. infections : those that count, and what may be one.
    """

    t0: int
    last_seen: int
    temperature: DrawnValues
    ferritin: DrawnValues
    platelets: DrawnValues
    earlier_peak: float
    rescues: Sequence[int]
    definite: Sequence[tuple[int, int]]
    infections: Sequence[Onset]


@dataclass(frozen=True)
class Judged:
    """The answer for one person; rows are row numbers as in `Events.source_row`."""

    resolution: str
    resolution_time: int = UNKNOWN_TIME
    relapse: str = ""
    relapse_time: int = UNKNOWN_TIME
    why: str = ""
    rows: tuple[int, ...] = ()


def judge(course: Course, rule: Relapse, quiet_for: int) -> Judged:
    """Return whether the storm of one person was over, and whether it came back.

    quiet_for : µs.
    """
    resolved = _resolution(course, rule, quiet_for)
    if resolved.resolution_time == UNKNOWN_TIME:
        word = NOT_RESOLVED if resolved.resolution == NOT_REACHED else UNKNOWN
        return replace(resolved, relapse=word)
    candidates = sorted(
        [*_definite_again(course, resolved.resolution_time), *_ferritin_again(course, rule, resolved.resolution_time)],
        key=lambda each: each[0],
    )  # fmt: skip
    uncertain: tuple[int, str, tuple[int, ...]] | None = None
    for time, why, rows, sure in candidates:
        within = rule.infection_near.us
        near = [
            each for each in course.infections if each.first - within <= time <= each.last + within
        ]
        if sure and not near:
            return replace(resolved, relapse=RELAPSE, relapse_time=time, why=why, rows=rows)
        if uncertain is None:
            surest = max(near, key=lambda each: each.sure, default=None)
            said = f"{why}; within {rule.infection_near} of {surest.words}" if surest else why
            uncertain = time, said, rows
    if uncertain is not None:
        time, why, rows = uncertain
        return replace(resolved, relapse=UNCERTAIN, relapse_time=time, why=why, rows=rows)
    followed = course.last_seen > resolved.resolution_time
    return replace(resolved, relapse=NONE if followed else UNKNOWN)


def _resolution(course: Course, rule: Relapse, quiet_for: int) -> Judged:
    """Return when the storm had been quiet for long enough: the first certain time, else the first possible one.

    The quiet time may begin with any draw, and with a rescue, from which on all is quiet: a day without temperature
    at the beginning of a long quiet time does not make its later weeks uncertain.
    """
    temperature, ferritin = course.temperature, course.ferritin
    if not len(temperature.time) or not len(ferritin.time):
        return Judged(UNKNOWN)
    # The peak up to each draw: a later one says nothing about whether it was quiet before.
    peak = np.fmax.accumulate(np.append(course.earlier_peak, ferritin.low))[1:]
    calm = (ferritin.high < rule.quiet_ferritin) | (ferritin.high <= rule.quiet_share * peak)
    changes = sorted(
        [
            *((int(t), 0, bool(h < rule.fever_at_least)) for t, h in zip(temperature.time, temperature.high, strict=True)),
            *((int(t), 1, bool(ok)) for t, ok in zip(ferritin.time, calm, strict=True)),
            *((int(t), 2, False) for t in course.rescues),
        ]
    )  # fmt: skip
    last_seen = changes[-1][0] if course.last_seen == UNKNOWN_TIME else course.last_seen
    changes = [each for each in changes if each[0] <= last_seen]
    fine, possible = [False, False], Judged(NOT_REACHED)
    starts: deque[int] = deque()  # moments since which all has been quiet
    for time, what, ok in [*changes, (last_seen + 1, 2, False)]:
        # At this moment itself it is still quiet only if it is fine.
        quiet_until = time if ok else time - 1
        while starts and quiet_until - starts[0] >= quiet_for:
            start = starts.popleft()
            if _every_day(temperature, start, quiet_for):
                return Judged(CERTAIN, start + quiet_for)
            if possible.resolution == NOT_REACHED:
                possible = Judged(POSSIBLE, start + quiet_for)
        if what < 2:
            fine[what] = ok
        if not ok:
            starts.clear()
        if all(fine) and time <= last_seen:
            starts.append(time)
    return possible


def _every_day(temperature: DrawnValues, since: int, quiet_for: int) -> bool:
    """Return whether temperature was measured in each 24 h of the quiet time."""
    inside = (temperature.time >= since) & (temperature.time < since + quiet_for)
    days = set(((temperature.time[inside] - since) // DAY).tolist())
    return len(days) >= -(-quiet_for // DAY)


Candidate = tuple[int, str, tuple[int, ...], bool]
"""When, why, the rows, and whether it is sure."""


def _definite_again(course: Course, after: int) -> list[Candidate]:
    """Return when a definition was met for certain again."""
    found: list[Candidate] = [
        (max(start, after), "the storm was definite again", (), True)
        for start, end in course.definite
        if end > after
    ]
    return found[:1]


def _ferritin_again(course: Course, rule: Relapse, after: int) -> list[Candidate]:
    """Return the rises of ferritin after the resolution that fulfil the rule, or may."""
    found: list[Candidate] = []
    ferritin, near = course.ferritin, rule.near.us
    for at in np.flatnonzero(ferritin.time > after).tolist():
        time, value = int(ferritin.time[at]), float(ferritin.low[at])
        lowest = float(ferritin.high[:at].min()) if at else np.inf
        if value < rule.ferritin_at_least or value < rule.rise * lowest:
            continue
        rescued = any(abs(time - rescue) <= near for rescue in course.rescues)
        if not rescued:
            continue
        warm = course.temperature.near(time, near)
        fever = warm & (course.temperature.low >= rule.fever_at_least)
        plates = course.platelets.near(time, near)
        before = (course.platelets.time >= after - near) & (course.platelets.time < time)
        usual = float(course.platelets.low[before].max()) if before.any() else np.nan
        fallen = plates & (course.platelets.high <= (1 - rule.platelet_fall) * usual)
        rows = (
            int(ferritin.row[at]),
            *course.temperature.row[fever].tolist()[:1],
            *course.platelets.row[fallen].tolist()[:1],
        )
        words = f"ferritin at {value:.6g} after {lowest:.6g}, treated anew"
        if fever.any() or fallen.any():
            also = [
                word
                for word, is_so in (("fever", fever.any()), ("platelets down", fallen.any()))
                if is_so
            ]
            found.append((time, f"{words}, {' and '.join(also)}", rows, True))
        elif not warm.any() or not plates.any():
            found.append((time, f"{words}; temperature or platelets not measured", rows, False))
    return found


def courses(given: StageInput, outcome: Frame, protocol: Protocol) -> dict[str, Course]:
    """Return what the rule reads of each person of the cohort, by id."""
    cohort, events = given.cohort, given.patients.events
    rule = protocol.relapse or Relapse()
    points = {name: events.points(name) for name in ("temperature", "ferritin", "platelets")}
    definite = definite_storms(given)
    rescues = _rescues(given, rule)
    infections: dict[str, list[Onset]] = {}
    for row in given.tables["infections"].rows():
        if row["counts"] is not False:
            infections.setdefault(row["person_id"], []).append(_onset(row))
    seen = dict(zip(outcome["person_id"].tolist(), outcome["last_contact"].tolist(), strict=True))
    found = {}
    for i, name in enumerate(cohort["person_id"].tolist()):
        who, t0 = int(cohort["person"][i]), int(cohort["t0"][i])
        if t0 == UNKNOWN_TIME:
            continue
        last = int(seen.get(name, UNKNOWN_TIME))
        until = FAR_FUTURE if last == UNKNOWN_TIME else last
        values = {key: DrawnValues.of(each, who, t0, until) for key, each in points.items()}
        earlier = DrawnValues.of(points["ferritin"], who, t0 - protocol.baseline.peak.us, t0)
        found[name] = Course(
            t0=t0,
            last_seen=last,
            earlier_peak=float(earlier.low.max()) if len(earlier.low) else np.nan,
            rescues=sorted(time for time in rescues.get(who, ()) if time >= t0),
            definite=definite.get(who, ()),
            infections=infections.get(name, ()),
            **values,
        )
    return found


def _onset(row: Mapping[str, Any]) -> Onset:
    """Return the onset of a row of `infections`; one without any time may be at every moment."""
    if row["onset"] == UNKNOWN_TIME:
        return Onset(-FAR_FUTURE, FAR_FUTURE, sure=False)
    last = row["onset"] + DAY - 1 if row["onset_is"] == "date" else row["onset"]
    return Onset(row["onset"], last, sure=row["counts"] is True)


def definite_storms(given: StageInput) -> dict[int, list[tuple[int, int]]]:
    """Return when the storm of each person of the cohort was definite, by the draws."""
    found: dict[int, list[tuple[int, int]]] = {}
    for rule in given.protocol.storm.definite:
        line = given.evaluations[rule.criterion].observed
        met = line.where(partial(_reaches, rule.at_least))
        for who, start, end in zip(
            met.person.tolist(), met.start.tolist(), met.end.tolist(), strict=True
        ):
            wanted = set(rule.underlying)
            if given.in_cohort[who] and (
                not wanted or wanted & set(given.candidates.underlying[who].split("|"))
            ):
                found.setdefault(who, []).append((start, end))
    return {who: sorted(spans) for who, spans in found.items()}


def _reaches(least: float, low: Floats, _: Floats) -> Mask:
    reached: Mask = low >= least
    return reached


def _rescues(given: StageInput, rule: Relapse) -> dict[int, list[int]]:
    """Return when each person of the cohort got a new agent, or the drug of interest at a doubled dose."""
    doses, words = given.patients.doses, given.patients.vocabulary
    by_agent: dict[str, list[str]] = {}
    for drug in words.drugs:
        if drug.immunotherapy:
            agent = drug.drug_class if drug.prednisolone_equivalent else drug.name
            by_agent.setdefault(agent, []).append(drug.name)
    found: dict[int, list[int]] = {}
    for names in by_agent.values():
        taken = doses.exposure(*names)
        taken = taken.take(given.in_cohort[taken.person]).bridge(rule.new_agent_after.us)
        for who, start in zip(taken.person.tolist(), taken.start.tolist(), strict=True):
            found.setdefault(who, []).append(start)
    entry = given.protocol.entry
    if entry is not None:
        amounts, window = doses.amounts(entry.drug), rule.dose_window.us
        inside = given.in_cohort[amounts.person]
        person, time = amounts.person[inside], amounts.time[inside]
        before = amounts.amount(person, time - 1 - window, time - 1)
        after = amounts.amount(person, time - 1, time - 1 + window)
        doubled = (before > 0) & (after >= rule.dose_rise * before)
        for who, when in zip(person[doubled].tolist(), time[doubled].tolist(), strict=True):
            found.setdefault(who, []).append(when)
    return found


def with_relapses(outcome: Frame, given: StageInput) -> Frame:
    """Return the outcomes with resolution and relapse; as they are where the protocol has no rule."""
    protocol = given.protocol
    rule, quiet_for = protocol.relapse, protocol.outcome.resolution_min
    if rule is None or quiet_for is None:
        return outcome
    found = courses(given, outcome, protocol)
    judged = [
        judge(found[name], rule, quiet_for.us)
        if name in found
        else Judged(UNKNOWN, relapse=UNKNOWN)
        for name in outcome["person_id"].tolist()
    ]
    events = given.patients.events
    columns: Mapping[str, Any] = {
        "resolution": np.array([each.resolution for each in judged], object),
        "resolution_time": np.array([each.resolution_time for each in judged], np.int64),
        "relapse": np.array([each.relapse for each in judged], object),
        "relapse_time": np.array([each.relapse_time for each in judged], np.int64),
        "relapse_why": np.array([each.why for each in judged], object),
        "relapse_rows": np.array(
            ["|".join(events.source_row(row) for row in each.rows) for each in judged], object
        ),
    }
    return outcome.replace(**columns)
