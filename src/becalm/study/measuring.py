"""Every stage of a study for one batch of patients, in this process or in one beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from becalm.cohort.attrition import Attrition
from becalm.cohort.selection import candidates, select
from becalm.core import stopping
from becalm.core.beside import Beside, Once
from becalm.core.frame import Frame
from becalm.definitions import Definition, evaluate
from becalm.measures.stage import StageInput
from becalm.patients.understood import Patients
from becalm.pk import PkModel
from becalm.protocol import Protocol
from becalm.records import Doubt, Records, Refusal, StudyInfo
from becalm.study import source_rows
from becalm.study.result import PER_PERSON
from becalm.study.stages import stages
from becalm.tables.store import PackedTable, packed
from becalm.vocabulary import Vocabulary

OUTSIDE: Final = "(not in the vocabulary)"


@dataclass(frozen=True)
class BatchResult:
    """What one batch of patients adds to a study.

    rows : the rows of the records that the report opens; None where too many patients are in the cohort.
    """

    tables: Mapping[str, Frame | PackedTable]
    attrition: Attrition
    counts: Counter[str]
    refused: Sequence[Refusal]
    labels: Frame
    rows: Frame | None


@dataclass(frozen=True, eq=False)
class Measurement:
    """What is asked of every batch."""

    protocol: Protocol
    definitions: Mapping[str, Definition]
    doubts: tuple[Doubt, ...]
    vocabulary: Vocabulary
    info: StudyInfo
    models: Mapping[str, PkModel] = field(default_factory=dict)

    def of(self, records: Records, cohort_before: int) -> BatchResult:
        """Run every stage for one batch of patients; nothing is added up yet. Threads may do so at once.

        cohort_before : persons of the cohort that are known of already; once they are too many to be listed one
        by one, no rows are opened.
        """
        patients = Patients.of(records, self.vocabulary)
        could_enter = candidates(patients, self.protocol, self.info)
        inputs = patients.inputs(self.protocol.clock)
        evaluations = {
            name: evaluate(definition, inputs) for name, definition in self.definitions.items()
        }
        selection = select(patients, could_enter, evaluations, self.protocol)
        attrition = Attrition()
        attrition.add(patients, selection)
        made: dict[str, Frame] = {}
        given = StageInput(
            patients,
            could_enter,
            selection.cohort,
            self.protocol,
            self.definitions,
            inputs,
            evaluations,
            self.doubts,
            made,
            self.models,
        )
        for stage in stages():
            stopping.check()
            made[stage.table.name] = stage.measure(given)
        listed = cohort_before + len(selection.cohort) <= PER_PERSON
        rows = _opened_rows(patients, selection.cohort, made) if listed else None
        inputs.forget()
        unknown = patients.unrecognised
        return BatchResult(
            made,
            attrition,
            _counts(patients, selection.cohort),
            _refusals(patients),
            unknown.take(could_enter.population[unknown["person"]]),
            rows,
        )


LARGE: Final = 50_000_000
"""Bytes of records from which on the other process is started before the first batch is read."""


def prepare(other: Beside, records: Path) -> None:
    """Start the other process while records are opened, if they are so large that it will be needed."""
    files = records.rglob("*") if records.is_dir() else [records]
    with suppress(OSError):
        if sum(path.stat().st_size for path in files if path.is_file()) >= LARGE:
            other.prepare(ready)


def ready() -> None:
    """Do nothing: what a measurement needs was imported to find this function."""
    stages()


class Measuring:
    """A measurement of batches, two at a time: one here, one in the process beside this one."""

    def __init__(self, asked: Measurement, other: Beside) -> None:
        self._asked, self._other = Once(asked), other
        self._begun = False

    def of(self, records: Records, cohort_before: int) -> BatchResult:
        """Measure a batch where somebody is free; the first of all is measured here, since there may be no other."""
        if self._begun and self._other.there and not self._other.busy.locked():
            return self._other.call(measured, self._asked, records, cohort_before)
        self._begun = True
        return self._asked.value.of(records, cohort_before)


def measured(asked: Once[Measurement], records: Records, cohort_before: int) -> BatchResult:
    """Measure a batch, and pack its tables for the way."""
    result = asked.value.of(records, cohort_before)
    return replace(result, tables={name: packed(table) for name, table in result.tables.items()})


def _opened_rows(patients: Patients, cohort: Frame, made: Mapping[str, Frame]) -> Frame:
    """Return the rows of the records from which the tables come."""
    wanted = source_rows.named(
        ((made[stage.table.name], column) for stage in stages() for column in stage.opened),
        cohort["person_id"],
    )
    return source_rows.wanted_rows(patients, cohort, wanted)


def _counts(patients: Patients, cohort: Frame) -> Counter[str]:
    return Counter(
        {
            "persons": len(patients),
            "measurements": len(patients.records.measurements),
            "values understood": patients.events.measured,
            "administrations": len(patients.records.administrations),
            "cohort": len(cohort),
        }
    )


def _refusals(patients: Patients) -> list[Refusal]:
    return [
        *patients.refused,
        *(
            Refusal(each.source_table, OUTSIDE, "", each.reason, each.rows, each.example)
            for each in patients.events.unknown
        ),
    ]
