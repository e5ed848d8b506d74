"""What is written of the kidneys: stages by creatinine and by urine, and the course of each injury."""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Mask, Persons, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.events import Events
from becalm.kidney import kdigo, recovery
from becalm.measures.kidney_injury import KidneyInjury
from becalm.measures.stage import Stage, StageInput
from becalm.persons.weight import weight_in_force
from becalm.tables import KIDNEY, KIDNEY_STAGES, URINE_STAGES
from becalm.timeline import Points

AKI: Final = "aki"


def kidney_stages(given: StageInput) -> Frame:
    """Return `kidney_stages`: one row per person and draw of creatinine in the window of injury."""
    cohort, patients, found = given.cohort, given.patients, given.kidney
    start, end = found.start, found.end
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
    found, patients = given.kidney.by_urine, given.patients
    start, end = given.kidney.start, given.kidney.end
    found = found.take((found.time >= start[found.person]) & (found.time <= end[found.person]))
    change = np.ones(len(found.person), np.bool_)
    change[1:] = (
        (found.person[1:] != found.person[:-1])
        | (found.low[1:] != found.low[:-1])
        | (found.high[1:] != found.high[:-1])
    )
    at = found.take(change)
    weight = weight_in_force(
        patients.records, patients.events, given.cohort["person"][at.person], at.time
    )
    return Frame.of(
        URINE_STAGES,
        person_id=given.cohort["person_id"][at.person],
        charted=at.time,
        urine_stage=at.low.astype(np.int64),
        urine_stage_high=at.high.astype(np.int64),
        decided_by_urine=at.by,
        **{f"per_kg_{name}": np.round(values, 6) for name, values in at.per_kg.items()},
        urine_weight_kg=at.kg,
        weight_source=weight.names(),
        weight_age_h=weight.age_h,
        source_row=patients.events.source_rows(at.row),
    ).sort("person_id", "charted")


def kidney(given: StageInput) -> Frame:
    """Return `kidney`: one row per person, the course of the injury by all arms together."""
    cohort, found, rules = given.cohort, given.kidney, kdigo.load()
    count, t0 = len(cohort), cohort["t0"]
    arms = {"creatinine": found.staged.points, "urine": found.by_urine.points}
    worst = {
        (name, when): _worst(points, found, t0, when)
        for name, points in (*arms.items(), ("replacement", found.replaced))
        for when in ("before", "after")
    }
    stage = {
        when: np.maximum.reduce([of for (_, period), of in worst.items() if period == when])
        for when in ("before", "after")
    }
    before, after = stage["before"], stage["after"]
    exempt = found.exempt != ""
    status = np.select(
        [exempt, (before >= 1) & (after > before), before >= 1, (before == 0) & (after >= 1),
         (before == 0) & (after == 0)],
        ["no stage", "worsened", "prevalent", "new", "none"],
        "not known",
    )  # fmt: skip
    top = np.maximum(before, after)
    decided = np.full(count, "", dtype=object)
    for name in ("creatinine", "urine", "replacement"):
        reach = np.maximum(worst[name, "before"], worst[name, "after"])
        mine = (top >= 1) & (reach == top)
        decided[mine] = [f"{text}|{name}" if text else name for text in decided[mine].tolist()]
    injuries = recovery.Injuries.of(
        arms["creatinine"],
        arms["urine"],
        found.courses.take(np.flatnonzero(~exempt[found.courses.person])),
        ~np.isnan(found.baseline.mg_dl),
        found.start,
    )
    valid = given.patients.vocabulary.variable("creatinine").valid.us
    left = cohort["discharge"]
    recovered = [
        injuries.recovered(at, rules.recovery, valid)
        for at in (np.where(left == UNKNOWN_TIME, -1, left), cohort["end_of_records"])
    ]
    first = np.where(injuries.first <= found.end, injuries.first, UNKNOWN_TIME)
    urine = found.by_urine
    lasts = (
        injuries.lasted(rules.recovery.persistent_after.us, rules.recovery, included=False),
        injuries.lasted(rules.recovery.disease_after.us, rules.recovery, included=True),
    )
    none = first == UNKNOWN_TIME
    known = [[None if no else said for no, said in zip(none.tolist(), each, strict=True)]
             for each in (*recovered, *lasts)]  # fmt: skip
    return Frame.of(
        KIDNEY,
        person_id=cohort["person_id"],
        status=status,
        stage_before=before,
        stage_after=after,
        deciding_arms=decided,
        first_injury=first,
        baseline_mg_dl=found.baseline.mg_dl,
        baseline_way=found.baseline.way,
        baseline_from=found.baseline.label,
        recovered_at_discharge=[
            None if when == UNKNOWN_TIME else said
            for when, said in zip(left.tolist(), known[0], strict=True)
        ],
        recovered_at_end=known[1],
        persistent=known[2],
        kidney_disease=known[3],
        urine_windows=_count(found, urine.person, urine.time),
        urine_without_weight=found.without_weight,
        urine_unsure=_count(
            found, urine.person[urine.low < urine.high], urine.time[urine.low < urine.high]
        ),
        source_row=_rows(given, found),
        **{f"{name}_{when}": worst[name, when] for name in arms for when in stage},
        **{
            f"replacement_{when}": [each >= 1 for each in worst["replacement", when].tolist()]
            for when in stage
        },
    ).sort("person_id")


def _worst(points: Points, found: KidneyInjury, t0: Times, when: str) -> Times:
    """Return the worst certain stage of each person before or after time zero; -1 if unmeasured."""
    who, time = points.person, points.time
    inside: Mask = (time >= found.start[who]) & (time <= found.end[who])
    inside &= time <= t0[who] if when == "before" else time > t0[who]
    worst = np.full(len(t0), -1)
    np.maximum.at(worst, who[inside], points.low[inside].astype(np.int64))
    return worst


def _count(found: KidneyInjury, person: Persons, time: Times) -> Times:
    """Return how many moments of each person lie where harm counts."""
    inside = (time >= found.start[person]) & (time <= found.end[person])
    return np.bincount(person[inside], minlength=len(found.start))


def _rows(given: StageInput, found: KidneyInjury) -> list[str]:
    """Return the rows of the baseline of each person, and those of the worst stages."""
    table = given.tables["safety"]
    mine = table.take(table["event"] == AKI)
    graded = dict(zip(mine["person_id"].tolist(), list(mine["source_row"]), strict=True))
    events = given.patients.events
    rows = []
    for i, name in enumerate(given.cohort["person_id"].tolist()):
        of = [events.source_row(row) for row in found.baseline.rows[i]]
        rows.append("|".join(filter(None, (*of, graded.get(name, "")))))
    return rows


STAGES: Final = (
    Stage(KIDNEY_STAGES, kidney_stages),
    Stage(URINE_STAGES, urine_stages),
    Stage(KIDNEY, kidney, needs=("safety",)),
)
