"""What a model asks of each patient of the cohort: weight, age, the kidney over time, renal replacement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from becalm.core import toml
from becalm.core.arrays import FAR_FUTURE, FAR_PAST, Floats
from becalm.core.clock import MINUTE
from becalm.kidney import kdigo, kinetics
from becalm.measures.exposure.own_kidney import KnownClearance, OwnKidney, own_kidney
from becalm.measures.exposure.real_doses import DoseRun, Obstacle, RealDoses
from becalm.patients import organ_support
from becalm.persons.age import ages
from becalm.persons.surface import body_surface, heights
from becalm.persons.weight import weight_in_force
from becalm.pk import CovariateCourse, PkModel, in_unit
from becalm.protocol import Pharmacology
from becalm.timeline import Intervals, nearest

if TYPE_CHECKING:
    from becalm.measures.stage import StageInput

FILE: Final = Path(__file__).with_name("replacement.toml")
KNOWN: Final = ("weight", "age", "creatinine_clearance", "haemodialysis", "effluent_flow")
"""The covariates that a study has; a model's other ones are taken as its file says."""
KIDNEY: Final = "creatinine_clearance"
_KINDS: Final = {"effluent_flow": "continuous renal replacement", "haemodialysis": "dialysis"}
_SAID: Final = {
    "day": "renal replacement at an unknown hour of a day: what it clears is left out",
    "": "renal replacement of an unknown kind: what it clears is taken as none, at most as continuous",
}
_PER_BODY: Final = 1.73
"""m² of body surface to which an eGFR is printed."""


class Effluent(toml.TomlTable, frozen=True):
    """The flow of continuous renal replacement, mL/kg/h."""

    value: float
    low: float
    high: float
    source: str
    verified: bool


class ReplacementFile(toml.TomlTable, frozen=True):
    """The file `replacement.toml`."""

    effluent: Effluent


def effluent() -> Effluent:
    """Return the shipped flow of continuous renal replacement."""
    return toml.load(FILE, ReplacementFile).effluent


class Ends(NamedTuple):
    """The same covariates as they are taken, and where least and most is cleared."""

    middle: dict[str, CovariateCourse]
    least: dict[str, CovariateCourse]
    most: dict[str, CovariateCourse]


@dataclass(frozen=True, eq=False)
class RunCovariates:
    """The covariates of one run of doses. kidney : None for a model without it. replaced : when renal replacement ran.

    obstacles : from when on they are not known. weight : kg, NaN where the model needs none. remarks : what is
    to be known beside. rows : of the records, by the draw of `kidney` that has them.
    """

    courses: Ends
    kidney: OwnKidney | None
    weight: float
    obstacles: list[Obstacle]
    remarks: tuple[str, ...]
    rows: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class CohortCovariates:
    """Covariates of the cohort for one model."""

    given: StageInput
    asked: Pharmacology
    model: PkModel

    @cached_property
    def _row(self) -> dict[int, int]:
        """The row of the cohort of each person."""
        return {int(person): row for row, person in enumerate(self.given.cohort["person"])}

    @cached_property
    def _courses(self) -> Intervals:
        """Courses of renal replacement: creatinine does not tell of the kidney; persons are those of the batch."""
        sessions = self.given.sessions
        return sessions.courses(kdigo.load().replacement).union(sessions.days)

    @cached_property
    def _running(self) -> Mapping[str, Intervals]:
        """When renal replacement ran for certain, by the covariate that a model knows it by; '' if nobody says which."""
        certain = self.given.sessions.certain
        patients = self.given.patients
        named = organ_support.running(patients.records, patients.vocabulary)
        none = Intervals.empty()
        flowing = named.get("crrt", none).clip(certain)
        dialysis = named.get("haemodialysis", none).union(named.get("peritoneal_dialysis", none))
        dialysis = dialysis.clip(certain).without(flowing)
        rest = certain.without(flowing).without(dialysis)
        return {"effluent_flow": flowing, "haemodialysis": dialysis, "": rest}

    @cached_property
    def _clearances(self) -> tuple[kinetics.Clearances, Floats, Floats, Floats]:
        """Clearances at every creatinine of the cohort, with the middle and both ends of what the protocol asks for."""
        given = self.given
        cohort, events, records = given.cohort, given.patients.events, given.patients.records
        person = cohort["person"]
        ever = np.full(len(person), FAR_PAST), np.full(len(person), FAR_FUTURE)
        draws = nearest.by_question(events.points("creatinine"), person, *ever)
        whose = person[draws.person]
        kg = weight_in_force(records, events, whose, draws.time).kg
        old = ages(records.persons.take(whose), draws.time)[0].astype(np.float64)
        found = kinetics.clearances(
            draws,
            age=np.where(old >= 0, old, np.nan),
            sex=records.persons["sex"][whose],
            kg=kg,
            baseline_mg_dl=given.kidney.baseline.mg_dl[draws.person],
            courses=nearest.stretches(self._courses, person, *ever),
            valid=events.vocabulary.variable("creatinine").valid.us,
        )
        steady = found.cockcroft_gault
        if self.asked.clearance == "ckd_epi_2021":
            tall = heights(records, events, whose, draws.time)
            scaled = found.ckd_epi_2021 * body_surface(tall, kg) / _PER_BODY
            return found, scaled, scaled, scaled
        if self.asked.clearance == "kinetic":
            low = np.where(np.isnan(found.kinetic_low), steady, found.kinetic_low)
            high = np.where(np.isnan(found.kinetic_high), steady, found.kinetic_high)
            return found, (low + high) / 2, low, high
        return found, steady, steady, steady

    def of(self, doses: RealDoses, run: DoseRun) -> RunCovariates:
        """Return the covariates of one run."""
        used = self.model.used_covariates
        fixed, obstacles = self._fixed(run)
        remarks: list[str] = []
        kidney = None
        rows: dict[int, str] = {}
        courses = Ends(dict(fixed), dict(fixed), dict(fixed))
        if KIDNEY in used:
            kidney, rows, said = self._kidney(run)
            remarks += said
            unknown = np.flatnonzero(np.isnan(kidney.middle))
            if len(unknown):
                obstacles.append(Obstacle(int(kidney.time[unknown[0]]), self._no_clearance(run)))
            hours = doses.hours(run, kidney.time)
            for course, values in zip(
                courses, (kidney.middle, kidney.low, kidney.high), strict=True
            ):
                course[KIDNEY] = CovariateCourse(
                    KIDNEY, hours, in_unit(self.model, KIDNEY, values, "mL/min")
                )
        obstacles += self._replacement(doses, run, courses)
        unknown_kinds, said = self._not_in_model(run)
        obstacles += unknown_kinds
        remarks += said
        weight = float(fixed["weight"].values[0]) if "weight" in fixed else np.nan
        return RunCovariates(courses, kidney, weight, obstacles, tuple(remarks), rows)

    def _fixed(self, run: DoseRun) -> tuple[dict[str, CovariateCourse], list[Obstacle]]:
        """Return what is taken as it is at the first dose, and what of it is not known."""
        found: dict[str, CovariateCourse] = {}
        missing: list[Obstacle] = []
        patients = self.given.patients
        who, when = np.array([run.person], np.int32), np.array([run.start])
        for name in self.model.used_covariates:
            if name == "weight":
                value = float(weight_in_force(patients.records, patients.events, who, when).kg[0])
                value = float(in_unit(self.model, name, np.array([value]), "kg")[0])
            elif name == "age":
                years = int(ages(patients.records.persons.take(who), when)[0][0])
                value = float(years) if years >= 0 else np.nan
            elif name in KNOWN:
                continue
            else:
                value = np.nan
            otherwise = self.model.covariates[name].otherwise
            if np.isnan(value) and otherwise is not None:
                value = otherwise
            if np.isnan(value):
                missing.append(Obstacle(run.start, f"no {name} is known"))
            found[name] = CovariateCourse(name, np.empty(0), np.array([value]))
        return found, missing

    def _kidney(self, run: DoseRun) -> tuple[OwnKidney, dict[int, str], list[str]]:
        found, middle, low, high = self._clearances
        row = self._row[run.person]
        here = np.flatnonzero((found.draws.person == row) & np.isfinite(middle) & ~found.void)
        time = found.draws.time[here]
        known = KnownClearance(time, middle[here], low[here], high[here], found.draws.row[here])
        mine = self._courses.take(self._courses.person == run.person)
        kidney = own_kidney(
            known,
            mine,
            run.start,
            run.until,
            valid=self.given.patients.events.vocabulary.variable("creatinine").valid.us,
            assumed=self.asked.own_clearance_ml_min,
        )
        used = np.unique(kidney.draw[kidney.draw >= 0])
        texts = self.given.patients.events.source_texts(known.row[used]) if len(used) else ()
        said = []
        if self.asked.clearance == "kinetic":
            alone = int(np.isnan(found.kinetic_low[here][used]).sum())
            if alone:
                said.append(f"kinetic clearance not known at {alone} of {len(used)} draws: Cockcroft-Gault there")  # fmt: skip
        return kidney, dict(zip(used.tolist(), texts, strict=True)), said

    def _no_clearance(self, run: DoseRun) -> str:
        """Return why no clearance is known."""
        found, middle, *_ = self._clearances
        mine = found.draws.person == self._row[run.person]
        if not mine.any():
            return "no creatinine"
        if not (mine & np.isfinite(middle) & ~found.void).any():
            needs = {"ckd_epi_2021": "height, weight, "}.get(self.asked.clearance, "weight, ")
            return f"no creatinine with which clearance is known ({needs}age, sex; not during replacement)"
        return "no creatinine near the first dose"

    def _replacement(self, doses: RealDoses, run: DoseRun, courses: Ends) -> list[Obstacle]:
        """Add what renal replacement clears; return from when on its flow is not known."""
        used, ran = self.model.used_covariates, self._ran(run)
        if "haemodialysis" in used:
            for course in courses:
                course["haemodialysis"] = self._while(
                    doses, run, "haemodialysis", (ran["haemodialysis"], 1.0)
                )
        if "effluent_flow" not in used:
            return []
        flows = self._flows(run)
        known = bool(np.isfinite(flows[0]))
        taken = flows if known else (0.0, 0.0, 0.0)
        for course, flow, unsaid in zip(courses, taken, (0.0, 0.0, taken[2]), strict=True):
            course["effluent_flow"] = self._while(
                doses, run, "effluent_flow", (ran["effluent_flow"], flow), (ran[""], unsaid)
            )
        flowing = ran["effluent_flow"].union(ran[""])
        if known or not len(flowing):
            return []
        return [
            Obstacle(
                max(int(flowing.start[0]), run.start), "no weight for the flow of renal replacement"
            )
        ]

    def _ran(self, run: DoseRun) -> dict[str, Intervals]:
        """Return when renal replacement ran in a run, by covariate; the person is 0."""
        asked = np.array([run.person], np.int32), np.array([run.start]), np.array([run.until])
        return {name: nearest.stretches(each, *asked) for name, each in self._running.items()}

    def _not_in_model(self, run: DoseRun) -> tuple[list[Obstacle], list[str]]:
        """Return renal replacement that the model does not know, and what is to be known of the other."""
        used = set(self.model.used_covariates)
        obstacles: list[Obstacle] = []
        remarks: list[str] = []
        asked = np.array([run.person], np.int32), np.array([run.start]), np.array([run.until])
        days = nearest.stretches(self.given.sessions.days, *asked)
        for name, when in {**self._ran(run), "day": days}.items():
            if not len(when):
                continue
            needed = {name} if name in _KINDS else set(_KINDS)
            if KIDNEY not in used:
                remarks.append("renal replacement, of which the model knows nothing")
                continue
            if not needed <= used:
                reason = f"{_KINDS.get(name, 'renal replacement')}, whose clearance the model does not have"
                obstacles.append(Obstacle(max(int(when.start[0]), run.start), reason))
                continue
            if name in _SAID:
                remarks.append(_SAID[name])
            brief = int((when.durations() <= MINUTE).sum())
            if brief and name != "day":
                remarks.append(
                    f"sessions of renal replacement without a length, so that they clear nothing: {brief}"
                )
        return obstacles, list(dict.fromkeys(remarks))

    def _flows(self, run: DoseRun) -> tuple[float, float, float]:
        """Return the effluent flow in mL/min: as it is taken, the lowest and the highest; NaN without a weight."""
        own, rule = self.asked.effluent_ml_kg_h, effluent()
        each = (rule.value, rule.low, rule.high) if own is None else (own, own, own)
        patients = self.given.patients
        who, when = np.array([run.person], np.int32), np.array([run.start])
        kg = float(weight_in_force(patients.records, patients.events, who, when).kg[0])
        return each[0] * kg / 60, each[1] * kg / 60, each[2] * kg / 60

    def _while(
        self, doses: RealDoses, run: DoseRun, name: str, *parts: tuple[Intervals, float]
    ) -> CovariateCourse:
        """Return a covariate that has a value while something ran and is 0 in the other time."""
        edges = np.unique(
            np.concatenate(
                [[run.start], *(np.concatenate((ran.start, ran.end)) for ran, _ in parts)]
            )
        )
        edges = edges[(edges >= run.start) & (edges < run.until)]
        values = np.zeros(len(edges))
        none = np.zeros(len(edges), np.int32)
        for ran, amount in parts:
            values = np.where(ran.contains(none, edges), np.maximum(values, amount), values)
        unit = "1" if name == "haemodialysis" else "mL/min"
        return CovariateCourse(
            name, doses.hours(run, edges), in_unit(self.model, name, values, unit)
        )
