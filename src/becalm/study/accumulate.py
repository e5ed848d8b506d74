"""The results of all batches of a study, added up, and its tables joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from becalm import __version__, tables, vocabulary
from becalm.cohort.attrition import Attrition
from becalm.core.citations import key_of
from becalm.core.frame import Frame
from becalm.definitions import Definition, serial_changes
from becalm.events import merge
from becalm.measures import ctcae
from becalm.patients.unrecognised import LabelCounts
from becalm.pk import PkModel, parameter_rows
from becalm.protocol import Protocol
from becalm.records import Doubt, Refusal, Source
from becalm.study import figure_data
from becalm.study.measuring import BatchResult
from becalm.study.result import PER_PERSON, StudyResult
from becalm.study.stages import pooled
from becalm.study.unverified import unverified, unverified_models
from becalm.tables.store import TableStore
from becalm.vocabulary.site_words import SiteWords


@dataclass
class Accumulator:
    """The results of the chunks of a study, added up."""

    protocol: Protocol
    definitions: Mapping[str, Definition]
    doubts: tuple[Doubt, ...] = ()
    models: Mapping[str, PkModel] = field(default_factory=dict)
    store: TableStore = field(default_factory=TableStore)
    attrition: Attrition = field(default_factory=Attrition)
    refused: list[Refusal] = field(default_factory=list)
    labels: LabelCounts = field(default_factory=LabelCounts)
    counts: Counter[str] = field(default_factory=Counter)
    rows: list[Frame] = field(default_factory=list)

    def add(self, batch: BatchResult) -> None:
        """Add up the results of one batch; batches are added in the order of the records."""
        self.store.add(batch.tables)
        self.attrition.join(batch.attrition)
        self.counts.update(batch.counts)
        self.refused += batch.refused
        self.labels.add(batch.labels)
        if batch.rows is None or self.counts["cohort"] > PER_PERSON:
            self.rows = []  # too many patients to list, so no rows are opened
        else:
            self.rows.append(batch.rows)

    def result(
        self,
        source: Source,
        refused_there: Iterable[Refusal],
        records_name: str,
        site: SiteWords | None = None,
    ) -> StudyResult:
        """Return the finished study.

        refused_there : the rows that the source itself could not type.
        """
        refused = merge((*self.refused, *refused_there))
        frames = {name: self.store.frame(table) for name, table in tables.TABLES.items()}
        del frames[tables.ANALYSIS_RESULTS.name]  # what the report prints; the report makes it
        frames["rows"] = Frame.concat([tables.ROWS.empty(), *self.rows])
        frames["dictionary"] = tables.dictionary(tables.WRITTEN.values())
        frames["attrition"] = self.attrition.table()
        frames["left"] = self.attrition.left()
        frames["rows_refused"] = Frame.of_rows(
            tables.ROWS_REFUSED,
            [{name: getattr(each, name) for name in tables.ROWS_REFUSED} for each in refused],
        )
        frames["not_understood"] = self.labels.frame(vocabulary.load())
        frames["exposure_parameters"] = _parameters(self.models)
        for each in pooled():
            frames[each.table.name] = each.measure(frames, self.protocol)
        frames["nearest"] = figure_data.nearest_misses(
            self.attrition.reasons(), frames["criteria"], frames["criteria_items"]
        )
        self.counts["rows refused"] = sum(each.rows for each in refused)
        return StudyResult(
            version=__version__,
            protocol=self.protocol,
            source=source.name,
            records_name=records_name,
            info=source.info,
            notices=(
                *self.protocol.notices,
                *(notice for each in self.definitions.values() for notice in each.notices),
                *source.notices,
            ),
            licences=source.licences,
            citations=_cited(self.protocol, self.definitions.values(), source),
            unverified=(
                *unverified(self.definitions.values(), frames, vocabulary.load()),
                *unverified_models(self.models, frames),
                *(doubt.what for doubt in source.doubts),
            ),
            doubts=tuple(doubt.what for doubt in source.doubts),
            inputs=source.inputs(),
            absent=source.absent(),
            consequences=figure_data.consequences(
                frames["criteria_items"], frames["persons"], self.definitions, self.protocol.moment
            ),
            counts=dict(self.counts),
            frames=frames,
            definitions=self.definitions,
            site=site,
            models=self.models,
        )


def _parameters(models: Mapping[str, PkModel]) -> Frame:
    """Return the parameters of every model that was used."""
    named = {"status": "origin", "low": "plausible_low", "high": "plausible_high", "verified": "read_in_source"}  # fmt: skip
    rows = [
        {"model": name, **{named.get(key, key): value for key, value in row.items()}}
        for name, model in models.items()
        for row in parameter_rows(model)
    ]
    return Frame.of_rows(tables.EXPOSURE_PARAMETERS, rows)


def _cited(
    protocol: Protocol, definitions: Iterable[Definition], source: Source
) -> tuple[str, ...]:
    serial = [key_of(serial_changes().cite), "kyriazopoulou2017"]
    cited = [key_of(each.cite) for each in definitions if each.cite.startswith("10.")]
    asked = set(protocol.safety.events)
    scales = [
        version.cite
        for version in ctcae.versions()
        if asked & {event.event for event in version.event}
    ]
    return tuple(
        dict.fromkeys([*protocol.cite, *cited, "kdigo2012", *scales, *serial, *source.citations])
    )
