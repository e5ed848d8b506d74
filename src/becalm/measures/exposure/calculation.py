"""The concentrations of the cohort by one model: curves of every run of doses, as far as they can be calculated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from becalm.core.arrays import Floats, Times
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doses import treatments
from becalm.measures.exposure.own_kidney import REPLACED
from becalm.measures.exposure.patient_covariates import CohortCovariates, RunCovariates
from becalm.measures.exposure.real_doses import DoseRun, Obstacle, RealDoses
from becalm.pk import PatientCurves, PkModel, VirtualPatients, at_ends, outside, patient_curves
from becalm.protocol import Pharmacology

if TYPE_CHECKING:
    from becalm.measures.stage import StageInput

VIRTUAL: Final = 500
"""Virtual patients from whom the band of each patient is taken; the same ones for every patient."""
SEED: Final = 20
BEFORE: Final = 14 * DAY
AFTER: Final = 30 * DAY
FINE: Final = HOUR
"""Between the printed moments near time zero."""
COARSE: Final = 6 * HOUR
"""Between the borders at other times."""
ORAL: Final = {"PO": "oral", "IM": "IM", "SC": "SC"}


@dataclass(frozen=True, eq=False)
class RunCurves:
    """One run of doses with its curves. curves : None where nothing could be calculated; ends : of the typical patient where
    least and most is cleared, None where nothing is assumed. printed : moments near time zero. stop : the first obstacle.
    episodes : the treatment episodes of the run, by start.
    """

    run: DoseRun
    doses: RealDoses
    covariates: RunCovariates
    curves: PatientCurves | None
    ends: tuple[PatientCurves, PatientCurves] | None
    printed: Times
    stop: Obstacle | None
    episodes: Frame

    @property
    def computed_until(self) -> int:
        """Up to when it was calculated, µs."""
        return self.run.until if self.stop is None else self.stop.time

    def hours(self, *times: int) -> Floats:
        """Return times as hours from the begin of the run."""
        return self.doses.hours(self.run, np.array(times, np.int64))


@dataclass(frozen=True, eq=False)
class CohortCurves:
    """Everything that one model gives for a cohort."""

    asked: Pharmacology
    model: PkModel
    runs: list[RunCurves]


def calculated(given: StageInput, asked: Pharmacology, model: PkModel) -> CohortCurves:
    """Calculate the concentrations of the cohort by one model."""
    doses = RealDoses.of(given.patients.doses, model, given.in_cohort)
    episodes = treatments(
        given.patients.doses, [model.drug], given.episode_rules, persons=given.in_cohort
    ).episodes
    left_out = [ORAL[each] for each in model.not_absorbed]
    episodes = episodes.take(~np.isin(episodes["mode"].astype(str), left_out))
    t0 = np.full(len(given.patients), UNKNOWN_TIME)
    t0[given.cohort["person"]] = np.where(
        given.cohort["t0"] == UNKNOWN_TIME, given.cohort["index_time"], given.cohort["t0"]
    )
    covariates = CohortCovariates(given, asked, model)
    virtual = VirtualPatients(model, VIRTUAL if model.spreads else 0, SEED)
    least, most = (VirtualPatients(each, 0, SEED) for each in at_ends(model))
    runs = []
    for run in doses.runs():
        own = (episodes["person"] == run.person) & (episodes["start"] >= run.start)
        own &= episodes["start"] <= run.end
        known = covariates.of(doses, run)
        obstacles = sorted([*known.obstacles, *doses.obstacles(run)], key=lambda each: each.time)
        stop = obstacles[0] if obstacles and obstacles[0].time < run.until else None
        mine = episodes.take(np.flatnonzero(own)).sort("start")
        end = run.until if stop is None else stop.time
        # Whatever a table begins or ends with is a border.
        edges = _edges(doses, run, mine, end)
        printed = _printed(run, known, edges, int(t0[run.person]), end)
        curves, ends = None, None
        if end > run.start:
            edges = np.unique(np.concatenate([printed, np.arange(run.start, end, COARSE), edges]))
            at, last = doses.hours(run, edges), float(doses.hours(run, np.array([end]))[0])
            what = doses.given(run)
            curves = patient_curves(virtual, what, known.courses.middle, at, last)
            if _assumes(known):
                ends = (
                    patient_curves(least, what, known.courses.least, at, last),
                    patient_curves(most, what, known.courses.most, at, last),
                )
        runs.append(RunCurves(run, doses, known, curves, ends, printed, stop, mine))
    return CohortCurves(asked, model, runs)


def _assumes(known: RunCovariates) -> bool:
    """Return whether anything was taken as a range: renal replacement, or both choices of kinetic clearance."""
    if known.kidney is None:
        return False
    return bool(
        (known.kidney.state == REPLACED).any()
        or (known.kidney.low != known.kidney.high)[np.isfinite(known.kidney.low)].any()
    )


def _printed(run: DoseRun, known: RunCovariates, edges: Times, t0: int, end: int) -> Times:
    """Return the moments that are printed: every hour near time zero, and changes of dose or kidney."""
    if t0 == UNKNOWN_TIME:
        return np.empty(0, np.int64)
    hourly = np.arange(run.start, end, FINE)
    changes = [edges] if known.kidney is None else [edges, known.kidney.time]
    every = np.unique(np.concatenate([hourly, *changes]))
    inside = (every >= t0 - BEFORE) & (every <= t0 + AFTER) & (every >= run.start) & (every < end)
    found: Times = every[inside]
    return found


def _edges(doses: RealDoses, run: DoseRun, episodes: Frame, end: int) -> Times:
    """Return the begins and ends of doses and episodes of a run."""
    f = doses.doses.frame
    times = [f["start"][run.rows], episodes["start"], episodes["end"], np.array([end])]
    rate = doses.rate
    here = rate.person == run.person
    times += [rate.start[here], rate.end[here], doses.ends[np.isin(doses.rows, run.rows)]]
    every = np.concatenate(times)
    found: Times = every[(every >= run.start) & (every <= end)]
    return found


def reasons(found: CohortCurves, each: RunCurves, start: int, end: int) -> Iterator[str]:
    """Yield in words what of a stretch lies outside the patients in whom the model was studied."""
    model, asked = found.model, found.asked
    if not asked.group:
        yield "no group named"
    elif not model.groups[asked.group].studied:
        yield f"not studied in {model.groups[asked.group].title}"
    begin, stop = each.hours(start, end).tolist()
    for name, course in each.covariates.courses.middle.items():
        values = course.values
        if not course.constant:
            until = np.append(course.hours[1:], np.inf)
            values = values[(course.hours < stop) & (until > begin)]
        if words := outside(model, name, values):
            yield words
