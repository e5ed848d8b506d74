"""What a study hands to the report: its tables, and where all of it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from becalm.core.frame import Frame
from becalm.definitions import Definition
from becalm.protocol import Protocol
from becalm.records import Absent, InputFile, StudyInfo
from becalm.tables import WRITTEN

PER_PERSON: Final = 100
"""Up to so many patients a report lists every one with the rows behind; above, the tables do."""


@dataclass(frozen=True)
class StudyResult:
    """One finished study, before anything is written.

    frames : every table of `becalm.tables.TABLES` by name, those included that only the report reads.
    """

    version: str
    protocol: Protocol
    source: str  # the name of the kind of records, as its package says it
    records_name: str  # last part of the records' path; never the whole path
    info: StudyInfo
    notices: tuple[str, ...]
    citations: tuple[str, ...]  # keys of the bibliography, in the order of first use
    unverified: tuple[str, ...]  # values used that nobody has checked against their source
    inputs: tuple[InputFile, ...]
    absent: tuple[Absent, ...]
    consequences: tuple[str, ...]  # "no temperature: fever not assessed in 5 of 5"
    counts: Mapping[str, int]  # rows by stage
    frames: Mapping[str, Frame]
    definitions: Mapping[str, Definition]  # by their names, as the protocol has them read

    @property
    def tables(self) -> Mapping[str, Frame]:
        """The tables that are written, by name."""
        return {name: self.frames[name] for name in WRITTEN}

    def with_frames(self, frames: Mapping[str, Frame]) -> StudyResult:
        """Return the same study with some tables replaced."""
        return replace(self, frames={**self.frames, **frames})
