"""Counting the rows of a source chunk by chunk, so that records of any size fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from becalm import vocabulary
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.errors import shortened
from becalm.core.frame import Frame
from becalm.doctor.doses import Administered
from becalm.doctor.measured import Conflicts, Delays, Labels, Units, Variables
from becalm.doctor.model import PERSONS, REFUSED, TABLES, Diagnosis, absent_frame
from becalm.doctor.precision import Precision
from becalm.events import merge
from becalm.patients.understood import Patients
from becalm.patients.unrecognised import LabelCounts
from becalm.persons.death import disputed_deaths
from becalm.records import Records, Refusal, Source
from becalm.tables import DISPUTED_DEATHS
from becalm.vocabulary import UNKNOWN_VARIABLE, Vocabulary, site_words
from becalm.vocabulary.site_words import SiteWords


def examine(
    source: Source,
    progress: Callable[[str], None] = lambda _: None,
    *,
    site: SiteWords | None = None,
) -> Diagnosis:
    """Read a source once and return how well it can be understood; nothing is written.

    site : what a site says its own labels mean; it stands above what the source itself brings, and both
    above the vocabulary.
    """
    site = site_words.joined(site, source.site)
    words = site.applied(vocabulary.load()) if site else vocabulary.load()
    counts = _Counts(words)
    for records in source.chunks():
        progress(f"checking {len(records.persons):,} persons")
        counts.add(Patients.of(records, words))
    return counts.diagnosis(source)


class _Counts:
    def __init__(self, words: Vocabulary) -> None:
        self._precision = Precision()
        self._units = Units(words)
        self._variables = Variables(words)
        self._conflicts = Conflicts(words)
        self._delays = Delays(words)
        self._labels = Labels(words)
        self._administered = Administered()
        self._words = words
        self._unrecognised = LabelCounts()
        self._disputed: list[Frame] = []
        self._lacking: dict[str, int] = {}
        self._refused: tuple[Refusal, ...] = ()
        self._unknown: tuple[Refusal, ...] = ()
        self._counts = [0, 0, 0]

    def add(self, chunk: Patients) -> None:
        records = chunk.records
        self._precision.add(records)
        self._units.add(chunk.events)
        self._variables.add(chunk)
        self._conflicts.add(chunk.events)
        self._delays.add(chunk.events)
        self._labels.add(records)
        self._administered.add(records, chunk.doses)
        self._unrecognised.add(chunk.unrecognised)
        self._persons(records)
        self._disputed.append(disputed_deaths(records))
        self._refused = merge((*self._refused, *chunk.refused))
        self._unknown = merge((*self._unknown, *chunk.events.unknown))
        sizes = (len(records.persons), len(records.measurements), len(records.administrations))
        self._counts = [have + more for have, more in zip(self._counts, sizes, strict=True)]

    def _persons(self, records: Records) -> None:
        persons, n = records.persons, len(records.persons)
        ageless = np.isnan(persons["age"]) & (persons["birth"] == UNKNOWN_TIME)
        unseen = persons["last_contact"] == UNKNOWN_TIME

        def none_in(table: Frame) -> int:
            return n - len(np.unique(table["person"]))

        for what, count in (
            ("sex", int((persons["sex"] == "").sum())),
            ("age", int(ageless.sum())),
            ("stay", none_in(records.stays)),
            ("measurement", none_in(records.measurements)),
            ("drug given", none_in(records.administrations)),
            ("diagnosis", none_in(records.conditions)),
            ("last contact", int(unseen.sum())),
        ):
            self._lacking[what] = self._lacking.get(what, 0) + count

    def diagnosis(self, source: Source) -> Diagnosis:
        early = source.refused()
        unknown = [each for each in early if each.reason == UNKNOWN_VARIABLE]
        known = [each for each in early if each.reason != UNKNOWN_VARIABLE]
        doses, drugs = self._administered.frames()
        persons, measurements, administrations = self._counts
        tables = {
            "absent_tables": absent_frame(source.absent()),
            "not_understood": self._unrecognised.frame(self._words),
            "variables": self._variables.frame(),
            "units": self._units.frame(),
            "labels": self._labels.frame(),
            "refused": _frame(merge((*self._refused, *known))),
            "unknown_items": _frame(merge((*self._unknown, *unknown))),
            "precision": self._precision.frame(),
            "delay": self._delays.frame(),
            "conflicts": self._conflicts.frame(),
            "disputed_deaths": Frame.concat([DISPUTED_DEATHS.empty(), *self._disputed]),
            "doses": doses,
            "unknown_drugs": drugs,
            "persons": Frame.of(PERSONS, without=self._lacking, persons=self._lacking.values()),
        }
        return Diagnosis(
            source=source.name,
            persons=persons,
            measurements=measurements,
            administrations=administrations,
            notices=source.notices,
            tables={name: _told(tables[name]) for name in TABLES},
        )


_FROM_RECORDS: Final = frozenset({"unit", "label", "example"})
"""Columns with texts of the records, at any length."""


def _told(frame: Frame) -> Frame:
    """Return a table with long texts of the records shortened."""
    columns = {name: frame[name] for name in frame.columns}
    for name in _FROM_RECORDS & columns.keys():
        texts = [shortened(text) for text in columns[name].tolist()]
        columns[name] = np.fromiter(texts, object, len(texts))
    return Frame(columns)


def _frame(refused: Iterable[Refusal]) -> Frame:
    ordered = sorted(refused, key=lambda each: -each.rows)
    return Frame.of_rows(
        REFUSED, [{name: getattr(each, name) for name in REFUSED} for each in ordered]
    )
