"""What the chunks of a study add up to: every stage in its order, then laid end to end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from becalm import __version__, tables, vocabulary
from becalm.cohort.landmark import treated
from becalm.cohort.selection import Candidates, Selection, select
from becalm.core.citations import key_of
from becalm.core.clock import UNKNOWN_TIME, span
from becalm.core.frame import Frame, Kind
from becalm.definitions import (
    Definition,
    Evaluation,
    Modifiers,
    Moments,
    criteria,
    doubted,
    evaluate,
    features_at,
    serial_changes,
)
from becalm.doses import EpisodeRules, calendar_dose, daily_dose, remarks, time_at_dose, treatments
from becalm.events import merge, values
from becalm.kidney import injury, kdigo
from becalm.kidney.clearance import clearance
from becalm.measures.escalations import courses_of, escalations
from becalm.measures.fever import fever
from becalm.measures.lines import lines
from becalm.measures.look_backs import look_backs
from becalm.measures.outcome import outcome
from becalm.measures.prior import prior_therapy
from becalm.measures.response import primary, prognosis, response
from becalm.measures.safety import safety
from becalm.patients.understood import Patients
from becalm.protocol import Protocol
from becalm.records import Doubt, Refusal, Source
from becalm.study import figure_data, source_rows
from becalm.study.result import PER_PERSON, StudyResult
from becalm.study.unverified import unverified
from becalm.tables import DAILY_DOSE, DOSE_STEPS, EPISODES
from becalm.timeline import Intervals

Progress = Callable[[str], None]
OUTSIDE: Final = "(not in the vocabulary)"


@dataclass
class Accumulator:
    """What the chunks of a study add up to."""

    protocol: Protocol
    definitions: Mapping[str, Definition]
    doubts: tuple[Doubt, ...] = ()
    frames: dict[str, list[Frame]] = field(default_factory=dict)
    steps: dict[str, Counter[str]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    person_ids: list[str] = field(default_factory=list)
    left_at: list[tuple[int, str]] = field(default_factory=list)

    def add(self, chunk: Patients, found: Candidates, progress: Progress) -> None:
        """Take one chunk through every stage."""
        protocol = self.protocol
        inputs = chunk.inputs(protocol.clock)
        evaluations = {
            name: evaluate(definition, inputs) for name, definition in self.definitions.items()
        }
        progress("judging storms")
        selection = select(chunk, found, evaluations, protocol)
        cohort = selection.cohort
        self._attrition(chunk, selection)
        modifiers = chunk.modifiers()
        said = self._criteria(chunk, found, evaluations, modifiers)
        reported = [evaluations[name] for name in protocol.definitions.report]
        self._keep("criteria_over_time", figure_data.courses(cohort, reported))
        varied = look_backs(
            cohort,
            inputs,
            (self.definitions[name] for name in protocol.definitions.report),
            self._moments(found),
            protocol.moment,
        )
        self._keep("criteria_look_backs", varied)
        self._keep("values", values(chunk.events, found.population))
        self._keep("persons", Frame({name: cohort[name] for name in tables.PERSONS}))
        progress(f"measuring {len(cohort):,} persons of the cohort")
        self._doses(chunk, found, cohort)
        shown = cohort
        if protocol.landmark is not None and protocol.response.of == "treated":
            shown = treated(chunk, cohort, protocol.landmark)
        answered = response(shown, chunk.events, chunk.doses, chunk.records, protocol, modifiers)
        self._keep("response", answered)
        self._keep("primary", primary(shown, answered, chunk.events, protocol))
        harmed = safety(cohort, chunk.events, chunk.doses, chunk.records, protocol)
        self._keep("safety", harmed)
        ended = outcome(cohort, chunk.doses, chunk.records, protocol)
        self._keep("outcome", ended)
        told = self._serial(chunk, found, cohort, evaluations, modifiers)
        feverish = fever(cohort, chunk.events, protocol.clock, modifiers)
        marked = prognosis(cohort, chunk.events, ended, protocol)
        for name, frame in (("serial_changes", told), ("fever", feverish), ("prognosis", marked)):
            self._keep(name, frame)
        failed = lines(cohort, chunk.events, chunk.doses, protocol)
        self._keep("lines", failed)
        before = prior_therapy(cohort, chunk.doses)
        self._keep("prior", before)
        self._figures(
            chunk, cohort, [*said, answered, harmed, failed, before, told, feverish, marked]
        )
        inputs.forget()
        self._refusals(chunk)
        self.counts["persons"] += len(chunk)
        self.counts["measurements"] += len(chunk.records.measurements)
        self.counts["values understood"] += len(chunk.events.frame)
        self.counts["administrations"] += len(chunk.records.administrations)
        self.counts["cohort"] += len(cohort)

    def _keep(self, name: str, frame: Frame) -> None:
        self.frames.setdefault(name, []).append(frame)

    def _attrition(self, chunk: Patients, selection: Selection) -> None:
        records = chunk.records
        gone = np.full(len(chunk), -1)
        for number, step in enumerate(selection.steps):
            count = self.steps.setdefault(step.reason, Counter())
            count["persons"] += int(step.remaining.sum())
            count["stays"] += int(step.remaining[records.stays["person"]].sum())
            count["rows"] += int(step.remaining[records.measurements["person"]].sum())
            count["rows"] += int(step.remaining[records.administrations["person"]].sum())
            gone[(gone < 0) & ~step.remaining] = number
        self.person_ids += records.persons["person_id"].tolist()
        self.left_at += [(int(at), selection.steps[at].reason if at >= 0 else "") for at in gone]

    def _criteria(
        self,
        chunk: Patients,
        found: Candidates,
        evaluations: Mapping[str, Evaluation],
        modifiers: Modifiers,
    ) -> list[Frame]:
        people = Frame(
            {
                "person_id": chunk.records.persons["person_id"],
                "age": found.age,
                "underlying": _texts(found.underlying),
            }
        )
        moments = self._moments(found)
        said = []
        for name in self.protocol.definitions.report:
            totals, items = criteria(
                evaluations[name],
                people,
                moments,
                modifiers=modifiers,
                source_row=lambda _, row: chunk.events.source_row(row),
                who=found.assessed,
            )
            self._keep("criteria", doubted(totals, self.definitions[name], self.doubts))
            self._keep("criteria_items", items)
            said.append(items)
        return said

    def _moments(self, found: Candidates) -> Moments:
        return Moments(found.clocks.index, span(self.protocol.storm.look_back))

    def _serial(
        self,
        chunk: Patients,
        found: Candidates,
        cohort: Frame,
        evaluations: Mapping[str, Evaluation],
        modifiers: Modifiers,
    ) -> Frame:
        """Return what rose and fell in the cohort, at the moments of the first definition reported."""
        inside = np.zeros(len(chunk), np.bool_)
        inside[cohort["person"]] = True
        return features_at(
            next(iter(evaluations.values())),
            chunk.records.persons,
            self._moments(found),
            modifiers=modifiers,
            source_row=lambda _, row: chunk.events.source_row(row),
            who=inside,
        )

    def _doses(self, chunk: Patients, found: Candidates, cohort: Frame) -> None:
        everything = chunk.doses.table()
        self._keep("doses", everything.take(found.population[chunk.doses.frame["person"]]))
        drugs = figure_data.drugs_of(self.protocol, chunk.vocabulary)
        inside, rules = np.zeros(len(chunk), np.bool_), EpisodeRules.of(self.protocol)
        inside[cohort["person"]] = True
        courses = treatments(chunk.doses, drugs, rules, persons=inside)
        replaced = _replacement(chunk)
        cleared = clearance(
            chunk.records, chunk.events, chunk.doses, self.protocol.clock,
            persons=inside, replacement=_course_of(replaced),
        )  # fmt: skip
        self._keep("episodes", _columns(courses.episodes, EPISODES))
        since = self._since(chunk, cohort, drugs)
        daily = [
            daily_dose(chunk.doses, [drug], since=since[drug], inside={drug: courses.inside(drug)},
                       replacement=replaced, clearance=cleared)
            for drug in drugs
        ]  # fmt: skip
        self._keep("daily_dose", _columns(Frame.concat(daily), DAILY_DOSE))
        self._keep(
            "calendar_dose",
            Frame.concat([calendar_dose(chunk.doses, [drug], since[drug]) for drug in drugs]),
        )
        self._keep("dose_remarks", remarks(chunk.doses, found.population))
        if self.protocol.entry is not None:
            levels = self.protocol.doses.levels_per_day
            self._keep(
                "time_at_dose",
                time_at_dose(cohort, chunk.doses, self.protocol.entry.drug, levels, rules),
            )
        self._keep(
            "escalations",
            escalations(
                cohort,
                chunk.events,
                chunk.doses,
                self.protocol,
                courses,
                replacement=replaced,
                clearance=cleared,
            ),
        )
        self._keep("courses", courses_of(cohort, chunk.doses, drugs, self.protocol, courses))

    def _since(
        self, chunk: Patients, cohort: Frame, drugs: Iterable[str]
    ) -> Mapping[str, np.ndarray[tuple[int], np.dtype[np.int64]]]:
        """Day 1 of the drug of interest begins at time zero; of every other with its first dose."""
        t0 = np.full(len(chunk), UNKNOWN_TIME)
        t0[cohort["person"]] = cohort["t0"]
        entry = self.protocol.entry.drug if self.protocol.entry else ""
        found = {}
        for drug in drugs:
            found[drug] = t0
            if drug != entry:
                person, first = chunk.doses.first_dose(drug)
                found[drug] = np.full(len(chunk), UNKNOWN_TIME)
                found[drug][person] = np.where(t0[person] == UNKNOWN_TIME, UNKNOWN_TIME, first)
        return found

    def _figures(self, chunk: Patients, cohort: Frame, said: list[Frame]) -> None:
        variables = figure_data.variables_of(self.protocol, self.definitions.values())
        drawn = figure_data.series(chunk, cohort, variables)
        steps = figure_data.dose_steps(chunk, cohort, self.protocol)
        self._keep("series", drawn)
        self._keep("dose_steps", steps)
        self._keep("missing", figure_data.missing(chunk, cohort, variables))
        if self.counts["cohort"] + len(cohort) > PER_PERSON:
            self.frames["rows"] = []  # nobody is listed, so nobody's rows are opened
            return
        wanted = source_rows.named([*said, drawn, steps], cohort["person_id"])
        (stepped,) = self.frames["escalations"][-1:]
        wanted |= {key for rows in stepped["crcl_rows"] for key in rows.split("|") if key}
        wanted |= {key for rows in cohort["context_rows"] for key in rows.split("|") if key}
        self._keep("rows", source_rows.rows_behind(chunk, cohort, wanted))

    def _refusals(self, chunk: Patients) -> None:
        self.refused += [*chunk.events.refused, *chunk.doses.refused]
        self.refused += [
            Refusal(each.source_table, OUTSIDE, "", each.reason, each.rows, each.example)
            for each in chunk.events.unknown
        ]

    def result(self, source: Source, records_name: str) -> StudyResult:
        """Return the finished study."""
        refused = merge((*self.refused, *source.refused()))
        written = {name: self._all(name, schema) for name, schema in tables.WRITTEN.items()}
        written["dictionary"] = tables.dictionary(tables.WRITTEN.values())
        written["attrition"] = Frame.of_rows(
            tables.ATTRITION,
            [
                {"step": step, "reason": reason, **count}
                for step, (reason, count) in enumerate(self.steps.items())
            ],
        )
        written["rows_refused"] = Frame.of_rows(
            tables.ROWS_REFUSED,
            [{name: getattr(each, name) for name in tables.ROWS_REFUSED} for each in refused],
        )
        self.counts["rows refused"] = sum(each.rows for each in refused)
        return StudyResult(
            version=__version__,
            protocol=self.protocol,
            source=source.name,
            records_name=records_name,
            info=source.info,
            notices=source.notices,
            citations=_cited(self.protocol, self.definitions.values(), source),
            unverified=(
                *unverified(self.definitions.values(), written, vocabulary.load()),
                *(doubt.what for doubt in source.doubts),
            ),
            inputs=source.inputs(),
            absent=source.absent(),
            consequences=figure_data.consequences(
                written["criteria_items"],
                written["persons"],
                self.definitions,
                self.protocol.moment,
            ),
            counts=dict(self.counts),
            tables=written,
            definitions=self.definitions,
            primary=self._all("primary", tables.PRIMARY),
            prior=self._all("prior", tables.PRIOR),
            escalations=written["escalations"],
            courses=written["courses"],
            series=self._all("series", tables.SERIES),
            dose_steps=self._all("dose_steps", DOSE_STEPS),
            left=Frame.of(
                tables.LEFT,
                person_id=[
                    who
                    for who, (at, _) in zip(self.person_ids, self.left_at, strict=True)
                    if at >= 0
                ],
                step=[at for at, _ in self.left_at if at >= 0],
            ),
            nearest=figure_data.nearest_misses(
                self.person_ids, self.left_at, written["criteria"], written["criteria_items"]
            ),
            missing=self._all("missing", tables.MISSING),
            rows=self._all("rows", tables.ROWS),
        )

    def _all(self, name: str, schema: Mapping[str, Kind]) -> Frame:
        return Frame.concat([Frame.of(schema), *self.frames.get(name, [])])


def _cited(
    protocol: Protocol, definitions: Iterable[Definition], source: Source
) -> tuple[str, ...]:
    serial = [key_of(serial_changes().cite), "kyriazopoulou2017"]
    cited = [key_of(each.cite) for each in definitions if each.cite.startswith("10.")]
    return tuple(
        dict.fromkeys([*protocol.cite, *cited, "kdigo2012", "ctcae5", *serial, *source.citations])
    )


def _replacement(chunk: Patients) -> Intervals | None:
    """When renal replacement of any kind ran; None where no procedure is recorded at all."""
    if not len(chunk.records.procedures):
        return None
    return chunk.procedures().get("renal_replacement", Intervals.empty())


def _course_of(replaced: Intervals | None) -> Intervals | None:
    """Courses of renal replacement: between near sessions creatinine says nothing either."""
    return None if replaced is None else injury.course(replaced, kdigo.load().replacement)


def _columns(frame: Frame, schema: Mapping[str, Kind]) -> Frame:
    return Frame({name: frame[name] for name in schema})


def _texts(values: list[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
