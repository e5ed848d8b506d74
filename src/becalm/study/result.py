"""The result of a study: its tables and their sources, the input of the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from becalm.core.frame import Frame
from becalm.definitions import Definition
from becalm.pk import PkModel
from becalm.protocol import Protocol
from becalm.records import Absent, InputFile, StudyInfo
from becalm.tables import WRITTEN
from becalm.vocabulary.site_words import SiteWords

PER_PERSON: Final = 100
"""Up to this number a report lists every patient with the rows of the records."""


@dataclass(frozen=True)
class StudyResult:
    """One finished study, before anything is written.

    frames : every table of `becalm.tables.TABLES` by name, also those that only the report reads; but
    `analysis_results` only after the report has been made.
    """

    version: str
    protocol: Protocol
    source: str  # the name of the kind of records
    records_name: str  # last part of the records' path; never the whole path
    info: StudyInfo
    notices: tuple[str, ...]
    licences: tuple[
        str, ...
    ]  # those of the notices that the data's licence asks for, also in a release
    citations: tuple[str, ...]  # keys of the bibliography, in the order of first use
    unverified: tuple[str, ...]  # used values that were not checked against their source
    doubts: tuple[str, ...]  # those of them that stand in a mapping, whatever the records hold
    inputs: tuple[InputFile, ...]
    absent: tuple[Absent, ...]
    consequences: tuple[str, ...]  # "no temperature: fever not assessed in 5 of 5"
    counts: Mapping[str, int]  # rows by stage
    frames: Mapping[str, Frame]
    definitions: Mapping[str, Definition]  # by name, with the protocol's overrides
    site: SiteWords | None = None  # what the site says its own labels mean
    models: Mapping[str, PkModel] = field(default_factory=dict)  # of drugs, by name

    @property
    def tables(self) -> Mapping[str, Frame]:
        """The tables that are written, by name; `analysis_results` is there once the report has been made."""
        return {name: self.frames[name] for name in WRITTEN if name in self.frames}

    def with_frames(self, frames: Mapping[str, Frame]) -> StudyResult:
        """Return the same study with some tables replaced."""
        return replace(self, frames={**self.frames, **frames})
