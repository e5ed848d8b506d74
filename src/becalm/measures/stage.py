"""A stage of a study, and its input.

A stage fills one table. Each is declared once, next to the function that fills it; `study.stages`
finds all of them and sorts them. A value that several stages need and that is slow to compute is a
property here, computed once for each batch of patients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from becalm.cohort.landmark import treated
from becalm.cohort.selection import Candidates
from becalm.core.arrays import Mask, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.definitions import Definition, Evaluation, Inputs, Modifiers, Moments, criteria
from becalm.doses import EpisodeRules, Treatments, treatments
from becalm.kidney import kdigo
from becalm.kidney.clearance import clearance_per_kg
from becalm.kidney.replacement import Sessions, sessions
from becalm.measures.exposure.calculation import CohortCurves, calculated
from becalm.measures.kidney_injury import KidneyInjury, kidney_injury, window
from becalm.measures.on_treatment import Treated
from becalm.measures.organs import rules as organ_rules
from becalm.measures.organs import sofa
from becalm.patients.understood import Patients
from becalm.persons.whole_stays import whole_stays
from becalm.pk import PkModel
from becalm.protocol import Protocol
from becalm.records import Doubt
from becalm.tables import Table
from becalm.timeline import Intervals, Timeline


@dataclass(frozen=True, eq=False)
class StageInput:
    """One batch of patients, its cohort, and the tables that earlier stages made.

    patients : all persons of the batch. candidates : who could enter, and when; its `population` is
    all persons who are studied. cohort : one row per person who entered. inputs : what definitions
    read. evaluations : every definition over time, by name. tables : the tables of earlier stages; a
    stage reads only those in its `needs`. models : the pharmacokinetic models that the protocol names, by name.
    """

    patients: Patients
    candidates: Candidates
    cohort: Frame
    protocol: Protocol
    definitions: Mapping[str, Definition]
    inputs: Inputs
    evaluations: Mapping[str, Evaluation]
    doubts: tuple[Doubt, ...]
    tables: Mapping[str, Frame]
    models: Mapping[str, PkModel] = field(default_factory=dict)

    @cached_property
    def modifiers(self) -> Modifiers:
        """What changes each variable without a change of the inflammation, and when."""
        return self.patients.modifiers()

    @cached_property
    def moments(self) -> Moments:
        """The moments at which definitions are reported."""
        look_back = self.protocol.storm.look_back.us
        index = self.candidates.clocks.index
        return Moments(index, look_back, whole_stays(self.patients.records))

    @cached_property
    def in_cohort(self) -> Mask:
        """Whether each person of the batch is in the cohort."""
        inside = np.zeros(len(self.patients), np.bool_)
        inside[self.cohort["person"]] = True
        return inside

    @cached_property
    def described(self) -> Frame:
        """The cohort, or the part of it whose response the protocol describes."""
        rule = self.protocol.landmark
        if rule is None or self.protocol.response.of != "treated":
            return self.cohort
        return treated(self.patients, self.cohort, rule)

    @cached_property
    def totals_and_items(self) -> Mapping[str, tuple[Frame, Frame]]:
        """Totals and items of each reported definition, at the reported moments of everybody."""
        underlying = np.empty(len(self.patients), dtype=object)
        underlying[:] = self.candidates.underlying
        people = Frame(
            {
                "person_id": self.patients.records.persons["person_id"],
                "age": self.candidates.age,
                "underlying": underlying,
            }
        )
        return {
            name: criteria(
                self.evaluations[name],
                people,
                self.moments,
                modifiers=self.modifiers,
                source_row=lambda _, rows: self.patients.events.source_texts(rows),
                who=self.candidates.assessed,
                refused=self.patients.events.rejected_rows,
            )
            for name in self.protocol.definitions.report
        }

    @cached_property
    def episode_rules(self) -> EpisodeRules:
        """The gaps after which a treatment episode ends."""
        return EpisodeRules.of(self.protocol)

    @cached_property
    def drugs(self) -> tuple[str, ...]:
        """The drugs whose doses the study follows: immunotherapies and those that the protocol names."""
        asked = set(self.protocol.doses.also)
        if self.protocol.entry:
            asked.add(self.protocol.entry.drug)
        words = self.patients.vocabulary.drugs
        return tuple(drug.name for drug in words if drug.immunotherapy or drug.name in asked)

    @cached_property
    def treatments(self) -> Treatments:
        """The treatment episodes of the cohort with those drugs."""
        doses = self.patients.doses
        return treatments(doses, self.drugs, self.episode_rules, persons=self.in_cohort)

    @cached_property
    def sessions(self) -> Sessions:
        """The sessions of renal replacement of any kind."""
        return sessions(self.patients.records, self.patients.events)

    @cached_property
    def replacement(self) -> Intervals | None:
        """When renal replacement ran for certain; None if no procedure is recorded at all."""
        if not len(self.patients.records.procedures) and not len(self.sessions.certain):
            return None
        return self.sessions.certain

    @cached_property
    def kidney(self) -> KidneyInjury:
        """The kidneys of the cohort: stages by creatinine, urine and replacement."""
        patients = self.patients
        drug = Treated.of(self.cohort, patients.doses, self.protocol)
        start, end = window(self.cohort, drug, self.protocol)
        return kidney_injury(
            self.cohort,
            patients.events,
            patients.records,
            self.protocol,
            start=start,
            harm_end=end,
        )

    @cached_property
    def clearance(self) -> Timeline:
        """Creatinine clearance of the cohort, mL/min per kg; unknown on renal replacement."""
        # Between near sessions creatinine does not reflect the kidney either, and on a day with a session
        # at an unknown hour nobody knows what it reflects.
        courses = self.sessions.courses(kdigo.load().replacement).union(self.sessions.days)
        return clearance_per_kg(
            self.patients.records,
            self.patients.events,
            persons=self.in_cohort,
            replacement=courses,
        )

    @cached_property
    def concentrations(self) -> tuple[CohortCurves, ...]:
        """The concentrations of the cohort, one for each model that the protocol names."""
        asked = self.protocol.pharmacology
        return tuple(calculated(self, each, self.models[each.model]) for each in asked)

    @cached_property
    def sofa(self) -> Mapping[str, Timeline]:
        """The items of SOFA over time for the cohort, lowest and highest possible points."""
        return sofa.items(self.patients, organ_rules.load().sofa, self.in_cohort)

    @cached_property
    def first_days(self) -> Mapping[str, Times]:
        """The start of day 1 of each drug: time zero for the drug of interest, else its first dose."""
        t0 = np.full(len(self.patients), UNKNOWN_TIME)
        t0[self.cohort["person"]] = self.cohort["t0"]
        of_interest = self.protocol.entry.drug if self.protocol.entry else ""
        begins = {}
        for drug in self.drugs:
            begins[drug] = t0
            if drug != of_interest:
                person, first = self.patients.doses.first_dose(drug)
                begins[drug] = np.full(len(self.patients), UNKNOWN_TIME)
                begins[drug][person] = np.where(t0[person] == UNKNOWN_TIME, UNKNOWN_TIME, first)
        return begins


@dataclass(frozen=True)
class Stage:
    """One step of a study: the table, the function that fills it, and the other tables it reads.

    over : whether its rows are about the population or the cohort. opens : the columns with rows of
    the records that the report opens (`table:key` joined by `|`); by default `source_row` if the table
    has it.
    """

    table: Table
    measure: Callable[[StageInput], Frame]
    over: Literal["population", "cohort"] = "cohort"
    needs: tuple[str, ...] = ()
    opens: tuple[str, ...] | None = None

    @property
    def opened(self) -> tuple[str, ...]:
        """The columns whose rows the report opens."""
        if self.opens is not None:
            return self.opens
        return ("source_row",) if "source_row" in self.table else ()


@dataclass(frozen=True)
class Pooled:
    """A table about the whole cohort, made once from the finished tables of all batches.

    measure : gets the tables by name and the protocol. needs : the tables it reads.
    """

    table: Table
    measure: Callable[[Mapping[str, Frame], Protocol], Frame]
    needs: tuple[str, ...] = ()
