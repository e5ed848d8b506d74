"""Kidney injury of a cohort by creatinine, urine and replacement, and what creatinine was compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import FAR_PAST, Floats, Mask, Persons, Texts, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.events import Events
from becalm.kidney import injury, kdigo, printed, replacement, urine
from becalm.measures.on_treatment import Treated
from becalm.measures.stage import Stage, StageInput
from becalm.persons.diagnoses import diagnoses
from becalm.persons.stays import admissions
from becalm.persons.weight import weight_in_force
from becalm.protocol import Protocol
from becalm.records import Records
from becalm.tables import KIDNEY_STAGES, URINE_STAGES
from becalm.timeline import Intervals, Points, nearest

END_STAGE: Final = "end_stage_kidney_disease"
CHRONIC: Final = "ckd"
NO_STORM: Final = ("not met", "not assessed", "undetermined")


@dataclass(frozen=True, eq=False)
class KidneyInjury:
    """The kidneys of a cohort; persons are positions in it.

    staged : the stage of every draw. by_urine : the stage at every charted volume. without_weight : whose urine
    has no stage because no weight is known. replaced : the moments of stage 3 by replacement. baseline : what
    draws were compared with. exempt : who has no stage, in words; '' for the others. courses : of
    replacement. arrival : see `injury.falls_on_arrival`.
    """

    staged: injury.Staged
    by_urine: urine.UrineStages
    without_weight: Mask
    replaced: Points
    baseline: injury.CreatinineBaseline
    exempt: Texts
    courses: Intervals
    sessions: replacement.Sessions
    arrival: list[injury.Fall | None]

    def arrival_text(self, at: int) -> str:
        """Return an injury seen backwards from the fall after arrival; '' without one."""
        fall = self.arrival[at]
        if fall is None:
            return ""
        return f"fell {fall.high / fall.low:.2g}-fold, from {fall.high:.3g} to {fall.low:.3g} mg/dL"


def kidney_injury(
    cohort: Frame,
    events: Events,
    records: Records,
    protocol: Protocol,
    *,
    start: Times,
    end: Times,
) -> KidneyInjury:
    """Return the KDIGO stages by creatinine and by urine of each row of the cohort in [start, end]."""
    rules, person = kdigo.load(), cohort["person"]
    sessions = replacement.sessions(records, events)
    back = start - max(protocol.kidney.outpatient_from.us, protocol.kidney.minimum_within.us)
    courses = nearest.stretches(sessions.courses(rules.replacement), person, back, end)
    no_reference = nearest.stretches(
        sessions.no_reference(rules.replacement, protocol.kidney.after_session), person, back, end
    )
    open_days = nearest.stretches(sessions.days, person, back, end)
    measured = nearest.by_question(events.points("creatinine"), person, back, end)
    usable = measured.take(~no_reference.contains(measured.person, measured.time))
    stays = admissions(records)
    onset = np.minimum(storm_onset(cohort), cohort["t0"])
    # Without a storm nothing had begun: the value at that moment is one from before, too.
    onset = onset + np.isin(cohort["storm"], NO_STORM)
    end_stage, chronic = _chronic(cohort, records, events)
    reference = injury.baseline(
        usable,
        onset,
        inpatient=nearest.stretches(stays, person, np.full(len(cohort), FAR_PAST), end),
        age=cohort["age"],
        sex=cohort["sex"],
        kidney=protocol.kidney,
        chronic=chronic,
        half_digit=printed.half_digits(events, usable, rules.kdigo),
    )
    everyone = np.arange(len(cohort), dtype=np.int32)
    recent = nearest.by_question(measured, everyone, start - protocol.kidney.minimum_within.us, end)
    exempt = np.where(end_stage, "end-stage kidney disease: no stage", "").astype(object)
    recent = recent.take(~end_stage[recent.person])
    staged = injury.kdigo_stages(
        recent,
        reference,
        courses,
        rules.kdigo,
        no_reference=no_reference,
        open_days=open_days,
        half_digit=printed.half_digits(events, recent, rules.kdigo),
    )
    acute = courses.take(~end_stage[courses.person])
    arrivals = _arrivals(stays, cohort)
    after = nearest.by_question(
        measured, everyone, np.where(arrivals == UNKNOWN_TIME, end, arrivals), end
    )
    after = after.take(~no_reference.contains(after.person, after.time) & ~end_stage[after.person])
    by_urine, without_weight = _by_urine(cohort, events, records, start=start, end=end)
    acute_urine = by_urine.take(~end_stage[by_urine.person])
    return KidneyInjury(
        staged,
        acute_urine,
        without_weight,
        injury.replaced(acute, cohort["t0"], start, rules.kdigo),
        reference,
        exempt,
        courses,
        sessions,
        injury.falls_on_arrival(after, arrivals, rules.kdigo),
    )


def _by_urine(
    cohort: Frame, events: Events, records: Records, *, start: Times, end: Times
) -> tuple[urine.UrineStages, Mask]:
    """Return the stages by urine in [start, end], and who has volumes but no weight; persons are rows of the cohort."""
    rule, person = kdigo.load().urine, cohort["person"]
    before = max(window.within.us for window in rule.window) + rule.longest_gap.us
    wanted = np.zeros(len(records.persons), np.bool_)
    wanted[person] = True
    volumes = events.points("urine_output")
    volumes = volumes.take(np.flatnonzero(wanted[volumes.person]))
    volumes = nearest.by_question(volumes, person, start - before, end)
    everybody = np.arange(len(cohort), dtype=np.int32)
    stays = tuple(
        nearest.stretches(each, person, start - before, end) for each in urine.begins(records)
    )
    rate = urine.flow(volumes, (stays[0], stays[1]), rule, refused=_refused_urine(cohort, events))
    shown = nearest.by_question(volumes, everybody, start, end)
    weight = weight_in_force(records, events, person[shown.person], shown.time)
    without = np.zeros(len(cohort), np.bool_)
    without[shown.person[~np.isfinite(weight.kg)]] = True
    return urine.stages(shown, rate, weight.kg, rule), without


def _refused_urine(cohort: Frame, events: Events) -> tuple[Persons, Times]:
    """Return the volumes of the cohort that cannot be used; persons are rows of the cohort."""
    who, when, _ = events.rejected_rows("urine_output")
    row = np.full(len(events.records.persons), -1)
    row[cohort["person"]] = np.arange(len(cohort))
    mine = (row[who] >= 0) & (when != UNKNOWN_TIME)
    return row[who[mine]].astype(np.int32), when[mine]


def storm_onset(cohort: Frame) -> Times:
    """Return the onset of the storm, or time zero if it is not known."""
    onset: Times = np.where(
        cohort["storm_onset"] == UNKNOWN_TIME, cohort["t0"], cohort["storm_onset"]
    )
    return onset


def _chronic(cohort: Frame, records: Records, events: Events) -> tuple[Mask, Mask]:
    """Return who has end-stage, and who any chronic kidney disease, on record until time zero.

    A diagnosis without a date may be of before.
    """
    found = diagnoses(records, events.vocabulary)
    place = np.full(len(records.persons), -1)
    place[cohort["person"]] = np.arange(len(cohort))
    row = place[found["person"]]
    known = (row >= 0) & (found["status"] == "confirmed")
    known[known] &= found["first"][known] <= cohort["t0"][row[known]]
    masks = []
    for names in ((END_STAGE,), (END_STAGE, CHRONIC)):
        mask = np.zeros(len(cohort), np.bool_)
        mask[row[known & np.isin(found["condition"], names)]] = True
        masks.append(mask)
    return masks[0], masks[1]


def _arrivals(stays: Intervals, cohort: Frame) -> Times:
    """Return when the stay began in which time zero lies; `UNKNOWN_TIME` outside a stay."""
    t0 = cohort["t0"]
    asked, stay = stays.overlaps(cohort["person"], t0, t0 + 1)
    arrival = np.full(len(cohort), UNKNOWN_TIME)
    arrival[asked] = stays.start[stay]
    return arrival


def window(cohort: Frame, treated: Treated, protocol: Protocol) -> tuple[Times, Times]:
    """Return from when to when injury is looked for."""
    start = np.minimum(storm_onset(cohort), cohort["t0"] - protocol.baseline.other.us)
    return start, treated.harm_until(cohort, protocol, protocol.kidney.after_last_dose)


def kidney_stages(given: StageInput) -> Frame:
    """Return `kidney_stages`: one row per person and draw of creatinine in the window of injury."""
    cohort, patients = given.cohort, given.patients
    treated = Treated.of(cohort, patients.doses, given.protocol)
    start, end = window(cohort, treated, given.protocol)
    found = kidney_injury(
        cohort, patients.events, patients.records, given.protocol, start=start, end=end
    )
    staged, points = found.staged, found.staged.points
    inside = np.flatnonzero(
        (points.time >= start[points.person]) & (points.time <= end[points.person])
    )
    who = points.person[inside]
    value = _values(patients.events, points, inside)
    low = np.minimum(staged.rounded, points.low)[inside]
    remarks = np.full(len(inside), "", dtype=object)
    remarks[low < points.low[inside]] = "rounding of the printed digits could undo the ratio"
    remarks[staged.open_day[inside]] = "replacement on this day at an unknown hour"
    return Frame.of(
        KIDNEY_STAGES,
        person_id=cohort["person_id"][who],
        time=points.time[inside],
        creatinine=value,
        stage=points.low[inside].astype(np.int64),
        stage_low=low.astype(np.int64),
        stage_high=points.high[inside].astype(np.int64),
        stage_by=staged.decided_by(kdigo.load().kdigo)[inside],
        by_baseline=staged.baseline[inside].astype(np.int64),
        by_week=staged.week[inside].astype(np.int64),
        baseline_mg_dl=found.baseline.mg_dl[who],
        lowest_7d=staged.lowest[inside],
        why_range=remarks,
        source_row=patients.events.source_rows(points.row[inside]),
    ).sort("person_id", "time")


def _values(events: Events, points: Points, at: Times) -> Floats:
    """Return the creatinine of each draw, the lower bound of a range."""
    creatinine = events.points("creatinine")
    order = np.argsort(creatinine.row, kind="stable")
    place = order[np.searchsorted(creatinine.row[order], points.row[at])]
    return creatinine.low[place]


def urine_stages(given: StageInput) -> Frame:
    """Return `urine_stages`: one row wherever the stage of a person changes, in the window of injury."""
    cohort, patients = given.cohort, given.patients
    treated = Treated.of(cohort, patients.doses, given.protocol)
    start, end = window(cohort, treated, given.protocol)
    found, _ = _by_urine(cohort, patients.events, patients.records, start=start, end=end)
    change = np.ones(len(found.person), np.bool_)
    change[1:] = (
        (found.person[1:] != found.person[:-1])
        | (found.low[1:] != found.low[:-1])
        | (found.high[1:] != found.high[:-1])
    )
    at = found.take(change)
    return Frame.of(
        URINE_STAGES,
        person_id=cohort["person_id"][at.person],
        charted=at.time,
        urine_stage=at.low.astype(np.int64),
        urine_stage_high=at.high.astype(np.int64),
        decided_by_urine=at.by,
        **{f"per_kg_{name}": np.round(values, 6) for name, values in at.per_kg.items()},
        urine_weight_kg=at.kg,
        source_row=patients.events.source_rows(at.row),
    ).sort("person_id", "charted")


STAGES: Final = (Stage(KIDNEY_STAGES, kidney_stages), Stage(URINE_STAGES, urine_stages))
