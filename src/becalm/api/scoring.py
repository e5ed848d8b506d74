"""A definition over time for all persons: HScore, HLH-2004, or a user's own file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from becalm import definitions
from becalm.api.moments import known_person, moment
from becalm.api.table import DataTable
from becalm.api.understanding import OverTime, Understood
from becalm.core.clock import from_us
from becalm.core.frame import Frame
from becalm.definitions import Clock, Definition, Evaluation, status
from becalm.tables import CRITERIA_OVER_TIME


class TotalAt(NamedTuple):
    """A definition at a moment: lowest and highest possible total, and met, not met or undetermined."""

    low: float
    high: float
    status: str


@dataclass(frozen=True, eq=False, repr=False)
class Score:
    """One definition over time for all persons: the lowest and the highest possible total."""

    definition: Definition
    patients: Understood
    evaluations: tuple[Evaluation, ...]

    def at(self, person: str, when: str | datetime | date) -> TotalAt:
        """Return the total at a moment; if nothing is known, the range of all possible totals.

        Raises `UsageError` for an unknown person or a time that cannot be read.
        """
        place = known_person(person, self.patients.ids)
        for batch, evaluation in zip(self.patients.batches, self.evaluations, strict=True):
            if place < len(batch):
                low, high = evaluation.at(np.array([place]), np.array([moment(when)]))
                return TotalAt(float(low[0]), float(high[0]), status(self.definition, low, high)[0])
            place -= len(batch)
        raise AssertionError("every person is in a batch")

    def first(
        self, at_least: float | None = None, *, bound: Literal["low", "high"] = "low"
    ) -> dict[str, datetime]:
        """Return when the total first reaches a bound, by person; by default the cut-off.

        bound : "low" (it certainly does) or "high" (it possibly does, with at least one known value).
        """
        least = self.definition.cut_off if at_least is None else at_least
        times_by_person: dict[str, datetime] = {}
        for batch, evaluation in zip(self.patients.batches, self.evaluations, strict=True):
            ids = batch.records.persons["person_id"]
            persons, times = evaluation.observed.first(
                lambda low, high: (low if bound == "low" else high) >= least
            )
            for at, when in zip(persons.tolist(), times.tolist(), strict=True):
                times_by_person[str(ids[at])] = from_us(when)
        return times_by_person

    @property
    def over_time(self) -> OverTime:
        """The total over time, where a value is known."""
        batches = [
            (batch.records.persons["person_id"].tolist(), evaluation.observed)
            for batch, evaluation in zip(self.patients.batches, self.evaluations, strict=True)
        ]
        return OverTime(self.definition.title, "points", batches)

    @cached_property
    def table(self) -> DataTable:
        """Every interval with its status, as in the written table `criteria_over_time`."""
        frames = [CRITERIA_OVER_TIME.empty()]
        for batch, evaluation in zip(self.patients.batches, self.evaluations, strict=True):
            line = evaluation.observed
            frames.append(
                Frame.of(
                    CRITERIA_OVER_TIME,
                    person_id=batch.records.persons["person_id"][line.person],
                    criterion=[self.definition.name] * len(line),
                    start=line.start,
                    end=line.end,
                    low=line.low,
                    high=line.high,
                    status=status(self.definition, line.low, line.high),
                )
            )
        return DataTable(CRITERIA_OVER_TIME, Frame.concat(frames))

    def __repr__(self) -> str:
        met = len(self.first())
        return (
            f"<{self.definition.title}: cut-off {self.definition.cut_off:g}, certainly met by {met:,} of "
            f"{len(self.patients):,} persons>"
        )


def score(patients: Understood, definition: str, *, clock: Clock = "drawn") -> Score:
    """Evaluate a definition for all persons over time: lowest and highest possible total.

    definition : the name of a shipped one (`hscore`), or a TOML file. clock : "drawn" or "available".

    Raises
    ------
    DefinitionError
        If no definition has that name (the message names a similar one), or for every mistake in a file.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from becalm.api import open_records, score, understand
    >>> from becalm.records.template import copy_template
    >>> with TemporaryDirectory() as folder:
    ...     book = copy_template(Path(folder) / "five.xlsx", filled=True, kind="xlsx")
    ...     patients = understand(open_records(book))
    >>> hscore = score(patients, "hscore")
    >>> hscore.at("EXAMPLE-1", "1999-01-01")
    TotalAt(low=0.0, high=337.0, status='undetermined')
    """
    read = definitions.load(definition)
    evaluations = tuple(
        definitions.evaluate(read, batch.inputs(clock)) for batch in patients.batches
    )
    return Score(read, patients, evaluations)
