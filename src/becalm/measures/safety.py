"""Harm as a shift from time zero: kidney injury by creatinine, low counts, liver enzymes.

A grade before time zero is the storm's as much as anybody's; what is reported is both grades, and
attribution is for a person to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import FAR_PAST, Floats, Texts, Times
from becalm.core.clock import HOUR, UNKNOWN_TIME, span
from becalm.core.frame import Frame
from becalm.doses import Doses
from becalm.events import Events
from becalm.kidney import injury, kdigo
from becalm.measures import ctcae
from becalm.measures.ctcae import Event
from becalm.measures.on_treatment import Treated
from becalm.measures.stage import Stage, StageInput
from becalm.patients import organ_support
from becalm.persons.stays import admissions
from becalm.protocol import Protocol
from becalm.records import Records
from becalm.tables import SAFETY
from becalm.timeline import Intervals, Points, nearest
from becalm.vocabulary import UsualLimits

REPLACEMENT = "renal_replacement"
CANNOT_TELL = "cannot tell"
AKI = "aki"


@dataclass(frozen=True, eq=False)
class Graded:
    """Grades over time for each row of the cohort, and how to lead back from one to the records.

    grades : the certain grade of each draw; persons are positions in the cohort. source : the
    rows of the records behind a draw. reference : what the draws of a row were counted against.
    """

    grades: Points
    source: Callable[[int], str]
    reference: Texts


def safety(
    cohort: Frame, events: Events, doses: Doses, records: Records, protocol: Protocol
) -> Frame:
    """Return `safety`: one row per person and event, measured or not.

    Kidney injury: the worst KDIGO stage by creatinine in [onset, t0] (at least in the 24 h before
    t0, where a baseline is looked for), and after t0 until 7 d after the last continuous dose (or
    until discharge, as the protocol says). Other events: the worst
    CTCAE grade in the 72 h before t0 and in the same time after it, against the limits that the
    record prints beside the value; where it prints none, a customary limit, labelled. Both grades
    are on one scale: enzymes are multiples of the upper limit before and after, also where the
    baseline was abnormal. A value printed only as a limit has the grade that is certain.

    onset : when the grade after was first reached if it is worse than the one before; otherwise
    when the event was first seen at all. Grades are empty where nothing was measured, which is
    not grade 0.
    """
    treated = Treated.of(cohort, doses, protocol)
    frames = [Frame.of(SAFETY)]
    for event in protocol.safety.events:
        if event == AKI:
            start = np.minimum(_onset(cohort), cohort["t0"] - span(protocol.baseline.other))
            end = _end(cohort, treated, protocol, protocol.kidney.after_last_dose)
            graded = _kidney(cohort, events, records, protocol, start=start, end=end)
        else:
            start = cohort["t0"] - span(protocol.baseline.peak)
            end = _end(cohort, treated, protocol, protocol.safety.after_last_dose)
            graded = _ctcae(
                cohort, events, ctcae.load().named(event), protocol, start=start, end=end
            )
        frames.append(_shift(cohort, event, graded, treated, start=start, end=end))
    return Frame.concat(frames).sort("person_id", "event")


def _onset(cohort: Frame) -> Times:
    """When the storm began; time zero where that is not known."""
    onset: Times = np.where(
        cohort["storm_onset"] == UNKNOWN_TIME, cohort["t0"], cohort["storm_onset"]
    )
    return onset


def _end(cohort: Frame, treated: Treated, protocol: Protocol, after: str | None) -> Times:
    """The last moment at which harm is looked for: after the last dose, or at discharge.

    Without a discharge, or without a length of time, until the end of the records.
    """
    end = cohort["end_of_records"].copy()
    if protocol.safety.until == "discharge":
        known = cohort["discharge"] != UNKNOWN_TIME
        end[known] = cohort["discharge"][known]
    elif after is not None:
        known = treated.last_continuous != UNKNOWN_TIME
        end[known] = treated.last_continuous[known] + span(after)
    limited: Times = np.maximum(end, cohort["t0"])
    return limited


def _shift(
    cohort: Frame, event: str, graded: Graded, treated: Treated, *, start: Times, end: Times
) -> Frame:
    """Turn grades over time into one row a person: before, after, and when."""
    count, points = len(cohort), graded.grades
    before, after = np.full(count, -1), np.full(count, -1)
    onset = np.full(count, UNKNOWN_TIME)
    rows: list[str] = [""] * count
    first = np.searchsorted(points.person, np.arange(count))
    stop = np.searchsorted(points.person, np.arange(count), "right")
    t0 = cohort["t0"]
    for i in range(count):
        mine = slice(int(first[i]), int(stop[i]))
        time, grade = points.time[mine], points.low[mine].astype(np.int64)
        earlier = (time >= start[i]) & (time <= t0[i])
        later = (time > t0[i]) & (time <= end[i])
        deciding = []
        if earlier.any():
            before[i] = grade[earlier].max()
            deciding.append(int(np.flatnonzero(earlier & (grade == before[i]))[0]))
        if later.any():
            after[i] = grade[later].max()
            deciding.append(int(np.flatnonzero(later & (grade == after[i]))[0]))
        if after[i] > max(before[i], 0):
            onset[i] = time[deciding[-1]]
        elif max(before[i], after[i]) >= 1:
            seen = int(np.flatnonzero((earlier | later) & (grade >= 1))[0])
            onset[i] = time[seen]
            deciding.append(seen)
        names = [graded.source(int(points.row[mine][at])) for at in sorted(set(deciding))]
        rows[i] = "|".join(dict.fromkeys(names))
    return Frame.of(
        SAFETY,
        person_id=cohort["person_id"],
        event=[event] * count,
        grade_before=before,
        grade_after=after,
        onset=onset,
        hours_from_t0=np.where(onset == UNKNOWN_TIME, np.nan, (onset - t0) / HOUR),
        on_drug=treated.answers(cohort, onset),
        attribution=[CANNOT_TELL] * count,
        reference=graded.reference,
        source_row=rows,
    )


def _kidney(
    cohort: Frame,
    events: Events,
    records: Records,
    protocol: Protocol,
    *,
    start: Times,
    end: Times,
) -> Graded:
    """KDIGO stages by creatinine of each row, renal replacement included."""
    rules, person = kdigo.load(), cohort["person"]
    sessions = organ_support.running(records, events.vocabulary).get(REPLACEMENT, Intervals.empty())
    back = start - max(span(protocol.kidney.outpatient_from), span(protocol.kidney.minimum_within))
    courses = nearest.stretches(injury.course(sessions, rules.replacement), person, back, end)
    measured = nearest.by_question(events.points("creatinine", protocol.clock), person, back, end)
    off = measured.take(~courses.contains(measured.person, measured.time))
    everyone = np.arange(len(cohort))
    stays = admissions(records)
    earliest = np.full(len(cohort), FAR_PAST)
    reference = injury.baseline(
        off,
        np.minimum(_onset(cohort), cohort["t0"]),
        inpatient=nearest.stretches(stays, person, earliest, end),
        age=cohort["age"],
        sex=cohort["sex"],
        kidney=protocol.kidney,
    )
    recent = nearest.by_question(
        measured, everyone.astype(np.int32), start - span(protocol.kidney.minimum_within), end
    )
    stages = injury.kdigo_stages(recent, reference.mg_dl, courses, rules.kdigo)
    replaced = injury.replaced(courses, cohort["t0"], start, rules.kdigo)
    sources = _sessions(records, events, person[replaced.person], replaced.time)
    label = np.full(len(cohort), "", dtype=object)
    for i in everyone.tolist():
        value = reference.mg_dl[i]
        number = "" if np.isnan(value) else f" {value:.3g} mg/dL"
        label[i] = f"by creatinine; {reference.label[i]}{number}"
    for i in np.unique(courses.person[courses.end > start[courses.person]]).tolist():
        label[i] += "; renal replacement"
    return Graded(
        _together(stages, replaced),
        lambda row: events.source_row(row) if row >= 0 else sources[-row - 1],
        label,
    )


def _together(stages: Points, replaced: Points) -> Points:
    """Stages by creatinine and by replacement on one line; at one instant the worse one counts."""
    person = np.concatenate((stages.person, replaced.person))
    time = np.concatenate((stages.time, replaced.time))
    grade = np.concatenate((stages.low, replaced.low))
    row = np.concatenate((stages.row, replaced.row))
    order = np.lexsort((-grade, time, person))
    person, time = person[order], time[order]
    keep = np.ones(len(order), np.bool_)
    keep[1:] = (person[1:] != person[:-1]) | (time[1:] != time[:-1])
    worst = order[keep]
    return Points(person[keep], time[keep], grade[worst], grade[worst], row[worst])


def _sessions(
    records: Records, events: Events, person: npt.NDArray[np.int32], time: Times
) -> list[str]:
    """The procedure row behind each moment of replacement: the session in force, or the last."""
    table = records.procedures
    rows = [
        at for at, names in organ_support.named(records, events.vocabulary) if REPLACEMENT in names
    ]
    found = []
    for who, when in zip(person.tolist(), time.tolist(), strict=True):
        mine = [at for at in rows if table["person"][at] == who and table["start"][at] <= when]
        latest = max(mine, key=lambda at: (table["start"][at], at), default=None)
        found.append("" if latest is None else f"procedures:{table['key'][latest]}")
    return found


def _ctcae(
    cohort: Frame, events: Events, rule: Event, protocol: Protocol, *, start: Times, end: Times
) -> Graded:
    """CTCAE grades of each row's draws, against the record's own limit where it prints one."""
    points = nearest.by_question(
        events.points(rule.variable, protocol.clock), cohort["person"], start, end
    )
    variable = events.vocabulary.variable(rule.variable)
    own = _limits(events, rule.variable, points, "ref_low" if rule.falls else "ref_high")
    assumed = _usual(variable.usual, rule)
    limit = np.where(np.isnan(own), assumed, own)
    # The mildest value of a range gives the grade that is certain.
    grade = rule.grade(points.high if rule.falls else points.low, limit)
    told = ~np.isnan(grade)
    side = "lower" if rule.falls else "upper"
    mark = "" if rule.verified else ", not verified"
    label = np.full(len(cohort), "", dtype=object)
    for i in np.unique(points.person[told]).tolist():
        mine = told & (points.person == i)
        parts = [
            f"{side} limit {value:g} (record)" for value in np.unique(own[mine & ~np.isnan(own)])
        ]
        if (mine & np.isnan(own) & ~np.isnan(limit)).any():
            parts.append(f"{side} limit {assumed:g} (default limit)")
        label[i] = "; ".join([f"{ctcae.load().title}{mark}", *parts])
    graded = points.take(told)
    return Graded(
        Points(graded.person, graded.time, grade[told], grade[told], graded.row, graded.drawn),
        events.source_row,
        label,
    )


def _usual(usual: UsualLimits | None, rule: Event) -> float:
    """The customary limit of normal, NaN where there is none."""
    limit = None if usual is None else usual.low if rule.falls else usual.high
    return np.nan if limit is None else limit


def _limits(events: Events, variable: str, points: Points, column: str) -> Floats:
    """The limit that the record prints beside each draw; NaN where it prints none."""
    mine = np.flatnonzero(events.frame["variable"] == events.vocabulary.code(variable))
    rows, limits = events.frame["row"][mine], events.frame[column][mine]
    order = np.argsort(rows, kind="stable")
    beside: Floats = limits[order[np.searchsorted(rows[order], points.row)]]
    return beside


def measure(given: StageInput) -> Frame:
    """Fill the table `safety`."""
    patients = given.patients
    return safety(given.cohort, patients.events, patients.doses, patients.records, given.protocol)


STAGES: Final = (Stage(SAFETY, measure),)
