"""Kidney injury of a cohort by creatinine, urine and replacement, and what creatinine was compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import FAR_PAST, Mask, Persons, Texts, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.events import Events
from becalm.kidney import baseline, injury, kdigo, printed, replacement, urine
from becalm.kidney.baseline import CreatinineBaseline
from becalm.kidney.over_time import StageOverTime
from becalm.measures.on_treatment import Treated
from becalm.persons.diagnoses import diagnoses
from becalm.persons.stays import admissions
from becalm.persons.weight import weight_in_force
from becalm.protocol import Protocol
from becalm.records import Records
from becalm.timeline import Intervals, Points, nearest

END_STAGE: Final = "end_stage_kidney_disease"
CHRONIC: Final = "ckd"
NO_STORM: Final = ("not met", "not assessed", "undetermined")


@dataclass(frozen=True, eq=False)
class KidneyInjury:
    """The kidneys of a cohort; persons are positions in it.

    staged : the stage of every draw. by_urine : the stage at every charted volume. without_weight : how
    many volumes of each have no stage because no weight is known. replaced : the moments of stage 3 by replacement. baseline : what
    draws were compared with. exempt : who has no stage, in words; '' for the others. courses : of
    replacement. arrival : see `injury.falls_on_arrival`. start, end : when harm counts; stages reach to
    the end of the records. over_time : the stages at every moment at which harm counts.
    """

    staged: injury.Staged
    by_urine: urine.UrineStages
    without_weight: Times
    replaced: Points
    baseline: CreatinineBaseline
    exempt: Texts
    courses: Intervals
    sessions: replacement.Sessions
    arrival: list[injury.Fall | None]
    start: Times
    end: Times
    over_time: StageOverTime

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
    harm_end: Times,
) -> KidneyInjury:
    """Return the KDIGO stages by creatinine and by urine of each row of the cohort from start to the end of its records.

    harm_end : until when harm counts; what is later only says whether the kidney recovered.
    """
    rules, person = kdigo.load(), cohort["person"]
    end = np.maximum(harm_end, cohort["end_of_records"])
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
    reference = baseline.baseline(
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
        measured, everyone, np.where(arrivals == UNKNOWN_TIME, harm_end, arrivals), harm_end
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
        start,
        harm_end,
        StageOverTime.of(
            staged.points,
            acute_urine.points,
            acute,
            open_days.take(~end_stage[open_days.person]),
            valid=events.vocabulary.variable("creatinine").valid.us,
            longest_gap=rules.urine.longest_gap.us,
            worst=max(rules.kdigo.ratios),
        ).clip(_counted(cohort, start, harm_end)),
    )


def _counted(cohort: Frame, start: Times, harm_end: Times) -> Intervals:
    """Return when harm counts, its last moment included."""
    end = last_counted(cohort, harm_end) + 1
    return Intervals.build(np.arange(len(cohort), dtype=np.int32), start, np.maximum(end, start))


def last_counted(cohort: Frame, harm_end: Times) -> Times:
    """Return the last moment at which a stage is known: not after the end of the records, which death is, too."""
    last: Times = np.minimum(harm_end, np.maximum(cohort["end_of_records"], cohort["t0"]))
    return last


def _by_urine(
    cohort: Frame, events: Events, records: Records, *, start: Times, end: Times
) -> tuple[urine.UrineStages, Times]:
    """Return the stages by urine in [start, end], and how many volumes have no weight; persons are rows of the cohort."""
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
    without = np.bincount(shown.person[~np.isfinite(weight.kg)], minlength=len(cohort))
    return urine.stages(shown, rate, weight.kg, rule), without.astype(np.int64)


def _refused_urine(cohort: Frame, events: Events) -> tuple[Persons, Times]:
    """Return the volumes of the cohort that cannot be used; persons are rows of the cohort."""
    who, when = urine.unusable(events)
    row = np.full(len(events.records.persons), -1)
    row[cohort["person"]] = np.arange(len(cohort))
    mine = row[who] >= 0
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
