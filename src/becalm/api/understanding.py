"""Records without a protocol: values, doses and refused rows, all in memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from becalm import vocabulary
from becalm.api.moments import known_person, length, moment
from becalm.api.opening import PatientRecords
from becalm.api.table import DataTable
from becalm.core.clock import from_us
from becalm.core.errors import UsageError, did_you_mean
from becalm.core.frame import Frame
from becalm.definitions import Clock
from becalm.doses import Doses
from becalm.events import Events, merge
from becalm.patients.understood import Patients
from becalm.patients.unrecognised import LabelCounts
from becalm.tables import DOSES, NOT_UNDERSTOOD, ROWS_REFUSED, Table
from becalm.tables.schema import PERSON_ID, number, text, time
from becalm.timeline import Points, Timeline

MANY_ROWS: Final = 1_000_000
"""Above this number of rows a warning says that all of them are in memory."""

VALUES_OVER_TIME: Final = Table(
    "values_over_time",
    "Every value of a variable, lowest and highest possible.",
    "person and draw",
    {
        "person_id": PERSON_ID,
        "time": time("When it was drawn."),
        "low": number("as `unit`", "The lowest possible value; empty where it is open."),
        "high": number("as `unit`", "The highest possible value; empty where it is open."),
        "unit": text("The unit of low and high."),
        "source_row": text("The row of the records, as table:key."),
    },
)
STRETCHES: Final = Table(
    "stretches",
    "What holds from a moment to another, lowest and highest possible.",
    "person and stretch [start, end)",
    {
        "person_id": PERSON_ID,
        "start": time("When the stretch begins."),
        "end": time("When it ends; the end is not part of it."),
        "low": number("as `unit`", "The lowest possible value; empty where it is open."),
        "high": number("as `unit`", "The highest possible value; empty where it is open."),
        "unit": text("The unit of low and high."),
    },
)


class LowHigh(NamedTuple):
    """The lowest and the highest possible value."""

    low: float
    high: float


@dataclass(frozen=True, eq=False, repr=False)
class OverTime:
    """A quantity over time for every person; unknown where there is no interval."""

    name: str
    unit: str
    batches: Sequence[tuple[Sequence[str], Timeline]]

    def at(self, person: str, when: str | datetime | date) -> LowHigh | None:
        """Return the lowest and highest possible value at a moment; None where not known.

        Raises `UsageError` for an unknown person or a time that cannot be read.
        """
        ids, line = _batch(self.batches, person)
        low, high = line.at(ids.index(person), moment(when))
        if np.isneginf(low) and np.isposinf(high):
            return None
        return LowHigh(float(low), float(high))

    def first(self, at_least: float) -> dict[str, datetime]:
        """Return when it is first certainly at or above a bound, by person."""
        times_by_person: dict[str, datetime] = {}
        for ids, line in self.batches:
            persons, times = line.first(lambda low, _: low >= at_least)
            for at, when in zip(persons.tolist(), times.tolist(), strict=True):
                times_by_person[ids[at]] = from_us(when)
        return times_by_person

    @cached_property
    def table(self) -> DataTable:
        """All intervals."""
        frames = [
            Frame.of(
                STRETCHES,
                person_id=np.array(ids, object)[line.person],
                start=line.start,
                end=line.end,
                low=line.low,
                high=line.high,
                unit=[self.unit] * len(line),
            )
            for ids, line in self.batches
        ]
        return DataTable(STRETCHES, Frame.concat([STRETCHES.empty(), *frames]))

    def __repr__(self) -> str:
        return f"<{self.name} over time: {len(self.table):,} stretches, {self.unit}>"


@dataclass(frozen=True, eq=False, repr=False)
class VariableValues:
    """The values of one variable of every person, one an instant, in its own unit."""

    variable: str
    unit: str
    batches: Sequence[tuple[Sequence[str], Points, Events]]

    def hold(self, for_: str) -> OverTime:
        """Return each value until the next one, for at most a length of time (`72h`)."""
        return self._over_time(lambda points: points.hold(length(for_)))

    def highest(self, within: str) -> OverTime:
        """Return the highest value of a length of time before each moment."""
        return self._over_time(lambda points: points.trailing("max", length(within)))

    def lowest(self, within: str) -> OverTime:
        """Return the lowest value of a length of time before each moment."""
        return self._over_time(lambda points: points.trailing("min", length(within)))

    def _over_time(self, made: Callable[[Points], Timeline]) -> OverTime:
        batches = [(ids, made(points)) for ids, points, _ in self.batches]
        return OverTime(self.variable, self.unit, batches)

    @cached_property
    def table(self) -> DataTable:
        """Every value, with the row of the records that it comes from."""
        frames = [
            Frame.of(
                VALUES_OVER_TIME,
                person_id=np.array(ids, object)[points.person],
                time=points.taken,
                low=points.low,
                high=points.high,
                unit=[self.unit] * len(points),
                source_row=[events.source_row(row) for row in points.row.tolist()],
            )
            for ids, points, events in self.batches
        ]
        return DataTable(VALUES_OVER_TIME, Frame.concat([VALUES_OVER_TIME.empty(), *frames]))

    def __len__(self) -> int:
        return sum(len(points) for _, points, _ in self.batches)

    def __repr__(self) -> str:
        return f"<{self.variable}: {len(self):,} values, {self.unit}>"


@dataclass(frozen=True, eq=False, repr=False)
class Understood:
    """All data of some records in memory, without a protocol."""

    name: str
    batches: Sequence[Patients]
    refused_by_source: DataTable = field(repr=False)

    @cached_property
    def ids(self) -> list[str]:
        """The names of all persons, in order."""
        return [who for each in self.batches for who in _ids(each)]

    def values(self, variable: str, clock: Clock = "drawn") -> VariableValues:
        """Return every value of a variable, by its name in the vocabulary: `ferritin`.

        clock : "drawn" (by when blood was drawn) or "available" (by when the result could be known).

        Raises
        ------
        UsageError
            Where no variable has that name.
        """
        words = vocabulary.load()
        names = [each.name for each in words.variables]
        if variable not in names:
            raise UsageError(
                f"no variable is called {variable!r}", hint=did_you_mean(variable, names)
            )
        batches = [
            (_ids(each), each.events.points(variable, clock), each.events) for each in self.batches
        ]
        return VariableValues(variable, words.variable(variable).unit, batches)

    def rate(self, drug: str) -> OverTime:
        """Return the intravenous infusion rate of a drug over time, in its unit per hour.

        Raises `UsageError` where no drug has that name.
        """
        names = [each.name for each in vocabulary.load().drugs]
        if drug not in names:
            raise UsageError(f"no drug is called {drug!r}", hint=did_you_mean(drug, names))
        batches = [(_ids(each), each.doses.rate(drug)) for each in self.batches]
        unit = vocabulary.load().drug(drug).dose_unit
        return OverTime(f"rate of {drug}", f"{unit}/h", batches)

    @cached_property
    def doses(self) -> DataTable:
        """Every administered row, whether becalm knows the drug or not."""
        return self._doses(lambda doses: doses.table())

    def _doses(self, made: Callable[[Doses], Frame]) -> DataTable:
        frames = [made(each.doses) for each in self.batches]
        return DataTable(DOSES, Frame.concat([DOSES.empty(), *frames]))

    @property
    def refused(self) -> DataTable:
        """Rows that were not used, and why."""
        return self.refused_by_source

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def not_understood(self) -> DataTable:
        """The names and codes of the records that nobody knows, the most frequent of each kind first."""
        counts = LabelCounts()
        for each in self.batches:
            counts.add(each.unrecognised)
        return DataTable(NOT_UNDERSTOOD, counts.frame(vocabulary.load()))

    def __repr__(self) -> str:
        measured = sum(each.events.measured for each in self.batches)
        rows = sum(self.refused.frame["rows"].tolist())
        return (
            f"<{self.name!r} understood: {len(self):,} persons, {measured:,} values, "
            f"{len(self.doses):,} rows of doses, {rows:,} rows refused>"
        )


def understand(records: PatientRecords, *, words: str | Path | None = None) -> Understood:
    """Understand whole records and hold them in memory: values, doses, refusals; no protocol needed.

    words : a site's file of words, which says what its own names mean (docs/words.md).

    Above a million rows there is a warning: a study (`run`) reads in parts and needs far less memory.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from becalm.api import open_records, understand
    >>> from becalm.records.template import copy_template
    >>> with TemporaryDirectory() as folder:
    ...     book = copy_template(Path(folder) / "five.xlsx", filled=True, kind="xlsx")
    ...     patients = understand(open_records(book))
    >>> len(patients)
    5
    >>> patients.values("ferritin").hold("72h").unit
    'ng/mL'
    """
    source, known = records.open(), vocabulary.load()
    site = None if words is None else vocabulary.site_words.read(Path(words), known)
    if site := vocabulary.site_words.joined(site, source.site):
        known = site.applied(known)
    batches: list[Patients] = []
    rows, warned = 0, False
    for chunk in source.chunks():
        rows += len(chunk.measurements) + len(chunk.administrations)
        if rows > MANY_ROWS and not warned:
            warnings.warn(
                f"{records.name} has more than {MANY_ROWS:,} rows, and all of them are held in memory",
                ResourceWarning,
                stacklevel=2,
            )
            warned = True
        batches.append(Patients.of(chunk, known))
    refused = merge(
        (
            *(each for batch in batches for each in (*batch.events.refused, *batch.doses.refused)),
            *source.refused(),
        )
    )
    listed = [{name: getattr(each, name) for name in ROWS_REFUSED} for each in refused]
    table = DataTable(ROWS_REFUSED, Frame.of_rows(ROWS_REFUSED, listed))
    return Understood(records.name, batches, table)


def _ids(patients: Patients) -> list[str]:
    ids: list[str] = patients.records.persons["person_id"].tolist()
    return ids


def _batch(
    batches: Sequence[tuple[Sequence[str], Timeline]], person: str
) -> tuple[Sequence[str], Timeline]:
    for ids, line in batches:
        if person in ids:
            return ids, line
    everybody = [who for ids, _ in batches for who in ids]
    known_person(person, everybody)
    raise AssertionError("a person who is not there is refused")
