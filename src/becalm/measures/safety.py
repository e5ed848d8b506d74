"""Harm as a change of grade: kidney injury, low blood counts, liver enzymes.

A grade before time zero may come from the storm, so both grades are reported, before and after; a
person has to judge the attribution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import Array, Floats, Index, Mask, Persons, Texts, Times, firsts
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.columns import listed
from becalm.core.frame import Frame
from becalm.doses import Doses
from becalm.events import Events
from becalm.kidney import kdigo
from becalm.measures import ctcae
from becalm.measures.ctcae import Event
from becalm.measures.judgements import judged_answers
from becalm.measures.kidney_injury import KidneyInjury, kidney_injury, window
from becalm.measures.on_treatment import Treated
from becalm.measures.stage import Stage, StageInput
from becalm.protocol import Protocol
from becalm.records import Records
from becalm.records.review.questions import CANNOT_TELL
from becalm.tables import SAFETY
from becalm.timeline import Points, nearest
from becalm.vocabulary import UsualLimits

REPLACEMENT = "renal_replacement"
AKI = "aki"


@dataclass(frozen=True, eq=False)
class Graded:
    """Grades over time for each row of the cohort, and the rows of the records they come from.

    grades : the certain grade of each draw; persons are positions in the cohort. source : returns
    the row of the records of a draw. reference : the baseline or limit with which draws were compared.
    why : returns what decided the grade of a row of the records. arrival : injury seen backwards.
    from_baseline : the grade of each draw after time zero by its multiple of an abnormal value before; NaN elsewhere.
    """

    grades: Points
    source: Callable[[int], str]
    reference: Texts
    why: Callable[[int, int], str] | None = None
    arrival: Sequence[str] | None = None
    from_baseline: Floats | None = None


def safety(  # noqa: PLR0917 - the last is only a shortcut
    cohort: Frame,
    events: Events,
    doses: Doses,
    records: Records,
    protocol: Protocol,
    found: KidneyInjury | None = None,
) -> Frame:
    """Return `safety`: one row per person and event, measured or not.

    Kidney injury: the worst KDIGO stage by creatinine, urine or renal replacement in [onset, t0] (at least in the 24 h before
    t0, in which a baseline is searched), and after t0 until 7 d after the last continuous dose (or
    until discharge, as the protocol says). Other events: the worst
    CTCAE grade in the 72 h before t0 and in the same time after it, against the limits that the
    record reports with the value; without them, against a customary limit, which is labelled. Both
    grades have the same scale: enzymes are multiples of the upper limit before and after, also if the
    last value until time zero was abnormal, where CTCAE counts multiples of that value: `grade_by_baseline`. A value reported only as a limit has the grade that is certain.

    found : the kidneys of the cohort, if they are known already.

    onset : when the grade after t0 was first reached if it is worse than the one before; otherwise
    the first time of the event. Grades are empty if nothing was measured, which is not grade 0.
    """
    treated = Treated.of(cohort, doses, protocol)
    frames = [Frame.of(SAFETY)]
    for event in protocol.safety.events:
        if event == AKI:
            if found is None:
                start, end = window(cohort, treated, protocol)
                found = kidney_injury(cohort, events, records, protocol, start=start, harm_end=end)
            start, end = found.start, found.end
            graded = _kidney(cohort, events, found)
        else:
            start = cohort["t0"] - protocol.baseline.peak.us
            end = treated.harm_until(cohort, protocol, protocol.safety.after_last_dose)
            graded = _ctcae(cohort, events, ctcae.named(event), protocol, start=start, end=end)
        frames.append(_shift(cohort, event, graded, treated, start=start, end=end))
    return Frame.concat(frames).sort("person_id", "event")


def _shift(
    cohort: Frame, event: str, graded: Graded, treated: Treated, *, start: Times, end: Times
) -> Frame:
    """Return one row per person: grade before, grade after, and onset."""
    count, points, t0 = len(cohort), graded.grades, cohort["t0"]
    who, time, grade = points.person, points.time, points.low.astype(np.int64)
    earlier = (time >= start[who]) & (time <= t0[who])
    later = (time > t0[who]) & (time <= end[who])
    worst_before, worst_after = (_first_worst(points, grade, when) for when in (earlier, later))
    before, after = (_of(grade, worst, count) for worst in (worst_before, worst_after))
    worst = np.fmax(before, after)
    first = _first_worst(points, np.zeros(len(who)), (earlier | later) & (grade >= 1))
    worsened = after > np.maximum(before, 0)
    onset = np.where(worsened, _of(time, worst_after, count), UNKNOWN_TIME)
    seen = ~worsened & (worst >= 1)
    onset = np.where(seen, _of(time, first, count), onset)
    by_baseline = np.full(count, -1)
    deciding = [worst_before, worst_after, {i: at for i, at in first.items() if seen[i]}]
    if graded.from_baseline is not None:
        beside = graded.from_baseline
        compared = _first_worst(points, beside, later & np.isfinite(beside))
        by_baseline = _of(beside, compared, count).astype(np.int64)
        last = dict(zip(who[earlier].tolist(), np.flatnonzero(earlier).tolist(), strict=True))
        deciding += [compared, {i: last[i] for i in compared}]
    rows: list[str] = [""] * count
    why: list[str] = [""] * count
    row = points.row.tolist()
    for i in set().union(*deciding):
        ats = sorted({each[i] for each in deciding if i in each})
        names = [graded.source(row[at]) for at in ats]
        rows[i] = "|".join(dict.fromkeys(names))
        if graded.why is not None:
            texts = [
                _why(graded, points, each[i], when)
                for each, when in ((worst_before, "before"), (worst_after, "after"))
                if i in each
            ]
            why[i] = "; ".join(filter(None, texts))
    return Frame.of(
        SAFETY,
        person_id=cohort["person_id"],
        event=[event] * count,
        grade_before=before,
        grade_after=after,
        grade_by_baseline=by_baseline,
        onset=onset,
        hours_from_t0=np.where(onset == UNKNOWN_TIME, np.nan, (onset - t0) / HOUR),
        on_drug=treated.answers(cohort, onset, onset),
        attribution=[CANNOT_TELL] * count,
        reference=graded.reference,
        decided_by=why,
        injury_on_arrival=graded.arrival or [""] * count,
        source_row=rows,
    )


def _first_worst(points: Points, value: Floats | Times, among: Mask) -> dict[int, int]:
    """Return the position of each person's highest value among some draws; of equal ones the earliest."""
    at = np.flatnonzero(among)
    at = at[np.lexsort((at, -value[at], points.person[at]))]
    at = at[firsts(points.person[at])]
    return dict(zip(points.person[at].tolist(), at.tolist(), strict=True))


def _of(values: Array, positions: Mapping[int, int], count: int) -> Array:
    """Return one value a person, -1 where there is no position."""
    found = np.full(count, -1, values.dtype)
    found[list(positions)] = values[list(positions.values())]
    return found


def _why(graded: Graded, points: Points, at: int, when: str) -> str:
    """Return what decided the worst grade before or after time zero; '' for grade 0 and other events."""
    grade = int(points.low[at])
    if graded.why is None or grade < 1:
        return ""
    return f"{when}: {graded.why(int(points.row[at]), grade)}"


def _kidney(cohort: Frame, events: Events, found: KidneyInjury) -> Graded:
    """Return the KDIGO stages of each row by creatinine, urine and renal replacement; the worst counts."""
    staged, baseline, person = found.staged, found.baseline, cohort["person"]
    sources = [
        found.sessions.row_at(int(person[who]), time)
        for who, time in zip(
            found.replaced.person.tolist(), found.replaced.time.tolist(), strict=True
        )
    ]
    label = np.full(len(cohort), "", dtype=object)
    with_urine = np.zeros(len(cohort), np.bool_)
    with_urine[found.by_urine.person] = True
    for i in range(len(cohort)):
        value = baseline.mg_dl[i]
        number = "" if np.isnan(value) else f" {value:.3g} mg/dL"
        arms = "by creatinine and urine" if with_urine[i] else "by creatinine"
        label[i] = f"{arms}; {found.exempt[i] or f'{baseline.label[i]}{number}'}"
        if found.without_weight[i]:
            label[i] += "; urine without a weight has no stage"
    for i in np.unique(
        found.courses.person[found.courses.end > found.start[found.courses.person]]
    ).tolist():
        label[i] += "; renal replacement"
    decided = dict(
        zip(staged.points.row.tolist(), staged.decided_by(kdigo.load().kdigo), strict=True)
    )
    decided |= dict(zip(found.by_urine.row.tolist(), found.by_urine.by, strict=True))
    lowest = dict(zip(staged.points.row.tolist(), staged.rounded.tolist(), strict=True))

    def why(row: int, stage: int) -> str:
        if row < 0:
            return "renal replacement"
        least = lowest.get(row, stage)
        unsure = f" ({least:g}–{stage} by rounding)" if least < stage else ""
        return f"{decided[row]}{unsure}"

    return Graded(
        _together(staged.points, found.by_urine.points, found.replaced),
        lambda row: events.source_row(row) if row >= 0 else sources[-row - 1],
        label,
        why,
        [found.arrival_text(i) for i in range(len(cohort))],
    )


def _together(*arms: Points) -> Points:
    """Join stages by creatinine, by urine and by replacement; at one instant the worst stage counts."""
    person, time, grade, row = (
        np.concatenate([getattr(arm, name) for arm in arms])
        for name in ("person", "time", "low", "row")
    )
    order = np.lexsort((-grade, time, person))
    person, time = person[order], time[order]
    keep = np.ones(len(order), np.bool_)
    keep[1:] = (person[1:] != person[:-1]) | (time[1:] != time[:-1])
    worst = order[keep]
    return Points(person[keep], time[keep], grade[worst], grade[worst], row[worst])


def _ctcae(
    cohort: Frame, events: Events, rule: Event, protocol: Protocol, *, start: Times, end: Times
) -> Graded:
    """Return the CTCAE grades of each row's draws, against the record's own limit if it has one."""
    points = nearest.by_question(events.points(rule.variable), cohort["person"], start, end)
    variable = events.vocabulary.variable(rule.variable)
    own = limits_beside(events, rule.variable, points.row, "ref_low" if rule.falls else "ref_high")
    assumed = _usual(variable.usual, rule)
    limit = np.where(np.isnan(own), assumed, own)
    # The mildest value of a range gives the grade that is certain.
    grade = rule.grade(points.high if rule.falls else points.low, limit)
    known = ~np.isnan(grade)
    side = "lower" if rule.falls else "upper"
    title, mark = ctcae.version_of(rule.event).title, "" if rule.verified else ", not verified"
    label = np.full(len(cohort), "", dtype=object)
    t0, beside = cohort["t0"], np.full(len(points), np.nan)
    parts = _limits(points.person[known], own[known], side, assumed)
    for i, of_person in _by_person(points, known, t0, grade) if rule.abnormal_baseline else ():
        last = _abnormal(points, grade, of_person, int(t0[i]))
        if last >= 0:
            parts[i].append(f"abnormal before t0: CTCAE then counts {rule.abnormal_baseline}")
            later = of_person[points.time[of_person] > t0[i]]
            # The mildest that is certain: the mildest value by the worst that the baseline can have been.
            mildest, base = (points.high, points.low) if rule.falls else (points.low, points.high)
            beside[later] = rule.grade_from(float(base[last]), mildest[later])
    for i, said in parts.items():
        label[i] = "; ".join([f"{title}{mark}", *said])
    graded = points.take(known)
    return Graded(
        Points(graded.person, graded.time, grade[known], grade[known], graded.row, graded.drawn),
        events.source_row,
        label,
        from_baseline=beside[known],
    )


def _limits(person: Persons, own: Floats, side: str, assumed: float) -> dict[int, list[str]]:
    """Return by which limits the draws of each person were graded: those of the record, then the customary one."""
    texts: dict[int, list[str]] = {i: [] for i in np.unique(person).tolist()}
    recorded = np.flatnonzero(~np.isnan(own))
    pairs = sorted(set(zip(person[recorded].tolist(), own[recorded].tolist(), strict=True)))
    for i, value in pairs:
        texts[i].append(f"{side} limit {value:g} (record)")
    for i in np.unique(person[np.isnan(own)]).tolist():
        texts[i].append(f"{side} limit {assumed:g} (default limit)")
    return texts


def _by_person(
    points: Points, known: Mask, t0: Times, grade: Floats
) -> Iterator[tuple[int, Index]]:
    """Yield the positions of the graded draws of each person who has one beyond the limit until time zero."""
    high = known & (points.time <= t0[points.person])
    high[high] = grade[high] >= 1
    for i in np.unique(points.person[high]).tolist():
        first, stop = np.searchsorted(points.person, (i, i + 1)).tolist()
        yield i, first + np.flatnonzero(known[first:stop])


def _abnormal(points: Points, grade: Floats, of_person: Index, t0: int) -> int:
    """Return the position of a person's last graded value until time zero if it is beyond the limit, else -1."""
    before = of_person[points.time[of_person] <= t0]
    return int(before[-1]) if len(before) and grade[before[-1]] >= 1 else -1


def _usual(usual: UsualLimits | None, rule: Event) -> float:
    """Return the customary limit of normal, NaN if there is none."""
    limit = None if usual is None else usual.low if rule.falls else usual.high
    return np.nan if limit is None else limit


def limits_beside(events: Events, variable: str, rows: Times, column: str) -> Floats:
    """Return the limit that the record reports with each of some rows; NaN if there is none."""
    of_variable = np.flatnonzero(events.frame["variable"] == events.vocabulary.code(variable))
    of, limits = events.frame["row"][of_variable], events.frame[column][of_variable]
    order = np.argsort(of, kind="stable")
    beside: Floats = limits[order[np.searchsorted(of[order], rows)]]
    return beside


def measure(given: StageInput) -> Frame:
    """Fill the table `safety`."""
    patients = given.patients
    frame = safety(
        given.cohort,
        patients.events,
        patients.doses,
        patients.records,
        given.protocol,
        given.kidney if AKI in given.protocol.safety.events else None,
    )
    said = judged_answers(given, "attribution")
    people = frame["person_id"].tolist()
    return Frame({**frame.columns, "attribution": listed(said.get(p, CANNOT_TELL) for p in people)})


STAGES: Final = (Stage(SAFETY, measure),)
