"""What a study hands to the report: the tables, what figures draw, and where all of it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from becalm.core.frame import Frame
from becalm.definitions import Definition
from becalm.protocol import Protocol
from becalm.records import Absent, InputFile, StudyInfo

PER_PERSON: Final = 100
"""Up to so many patients a report lists every one with the rows behind; above, the tables do."""


@dataclass(frozen=True)
class StudyResult:
    """One finished study, before anything is written.

    `tables` holds every table of `becalm.tables.WRITTEN`; the other frames follow the schema of the
    same name in `becalm.tables` (PRIMARY, PRIOR, ESCALATIONS, COURSES, SERIES, DOSE_STEPS, LEFT, NEAREST, MISSING, ROWS);
    but for LEFT and NEAREST they cover the cohort only.
    """

    version: str
    protocol: Protocol
    source: str  # sheets, mimic4
    records_name: str  # last part of the records' path; never the whole path
    info: StudyInfo
    notices: tuple[str, ...]
    citations: tuple[str, ...]  # keys of the bibliography, in the order of first use
    unverified: tuple[str, ...]  # values used that nobody has checked against their source
    inputs: tuple[InputFile, ...]
    absent: tuple[Absent, ...]
    consequences: tuple[str, ...]  # "no temperature: fever not assessed in 5 of 5"
    counts: Mapping[str, int]  # rows by stage
    tables: Mapping[str, Frame]
    definitions: Mapping[str, Definition]  # by their names, as the protocol has them read
    primary: Frame
    prior: Frame
    escalations: Frame
    courses: Frame
    series: Frame
    dose_steps: Frame
    left: Frame
    nearest: Frame
    missing: Frame
    rows: Frame
