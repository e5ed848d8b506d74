"""The raw tables of every source, and one chunk of persons with these tables.

A source reads and types its records without interpretation: units and drug names stay as written.
`person` is the position of a person in the chunk's `persons`. `key` is the row's own key in the
table it came from, so `table:key` leads back to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from becalm.core.errors import LONGEST_TOLD, shortened
from becalm.core.frame import Frame, Kind
from becalm.core.time_zones import ClockChanges
from becalm.records.charted_again import NOTHING_REPEATED, RepeatedCharting
from becalm.vocabulary import MeasurementKind
from becalm.vocabulary.site_words import SiteWords

PERSONS: Final[Mapping[str, Kind]] = {
    "person_id": "text",  # business identifier
    "sex": "text",  # F, M or ''
    "birth": "time",  # exact birth date, when known
    "birth_year_only": "flag",  # birth is 1 January of a known year
    "age": "number",  # completed years, with age_at; used when birth is unknown
    "age_at": "time",
    "weight_kg": "number",
    "height_cm": "number",
    "died": "text",  # yes, no, unknown or ''; says more than death_time only where that is unknown
    "death_time": "time",
    "death_date_only": "flag",
    "cause_of_death": "text",  # joined by '|'
    "last_contact": "time",
    "last_contact_status": "text",  # as written; read by vocabulary.vital_status
    "table": "text",  # of the row, with the source's name; '' means persons
    "key": "key",
}
STAYS: Final[Mapping[str, Kind]] = {
    "person": "code",
    "stay_id": "text",
    "start": "time",
    "end": "time",  # of a date, the end of that day
    "end_date_only": "flag",
    "kind": "text",  # ED, ward, ICU, outpatient, hospital
    "hospital": "text",
    "origin": "text",  # from: home, transfer
    "destination": "text",  # to: home, transfer, died, or alive where it is not known where to
    "table": "text",  # of the row; '' means stays
    "key": "key",
}
MEASUREMENTS: Final[Mapping[str, Kind]] = {
    "person": "code",
    "time": "time",  # drawn
    "start": "time",  # of an interval quantity (urine over hours)
    "available": "time",  # UNKNOWN_TIME if not recorded
    "date_only": "flag",
    "kind": "code",  # position in Records.kinds
    "value": "number",  # NaN where the text is not a plain number
    "text": "text",  # '' where value is a plain number; else the value as written
    "ref_low": "number",
    "ref_high": "number",
    "report": "code",  # what the report says of itself (vocabulary.reports), −1 nothing
    "key": "key",
}
ADMINISTRATIONS: Final[Mapping[str, Kind]] = {
    "person": "code",
    "stay_id": "text",
    "table": "text",
    "label": "text",  # the drug as written
    "code": "text",  # as written, '' if none
    "system": "text",  # of the code: RxNorm, OMOP, a local system
    "route": "text",  # as written
    "start": "time",
    "end": "time",
    "elapsed_h": "number",  # hours from start to end by the row's own offsets, NaN if it has none
    "date_only": "flag",
    "amount": "number",
    "amount_unit": "text",
    "rate": "number",
    "rate_unit": "text",
    "entered_rate": "number",  # the set rate, in rate_unit, if recorded in addition to `rate`
    "concentration": "number",
    "concentration_unit": "text",
    "weight_kg": "number",  # weight used in the row itself
    "status": "text",  # given, stopped, not given, ordered
    "category": "text",  # the record's own class of administration (Drug Push, Continuous Med ...)
    "indication": "text",
    "reason_for_change": "text",
    "schedule": "text",  # the written unit ("mg q6h"), for a dose of a schedule
    "key": "key",
}
FINDINGS: Final[Mapping[str, Kind]] = {
    "person": "code",
    "time": "time",
    "end": "time",
    "date_only": "flag",
    "finding": "text",
    "present": "text",  # yes, no, unknown
    "method": "text",
    "value": "text",
    "unit": "text",
    "key": "key",
}
CONDITIONS: Final[Mapping[str, Kind]] = {
    "person": "code",
    "stay_id": "text",
    "onset": "time",
    "onset_from": "time",  # of an onset known only as a month or a year: its first moment ...
    "onset_until": "time",  # ... and its last; `onset` is unknown then
    "system": "text",  # ICD9CM, ICD10CM, SNOMED, '' if only a name
    "code": "text",
    "name": "text",
    "status": "text",  # confirmed, suspected, excluded; '' means confirmed
    "key": "key",
}
PROCEDURES: Final[Mapping[str, Kind]] = {
    "person": "code",
    "start": "time",
    "end": "time",
    "date_only": "flag",  # the start is a date: the procedure was done at some hour of that day
    "system": "text",
    "code": "text",
    "name": "text",
    "amount": "number",
    "amount_unit": "text",
    "key": "key",
}
CULTURES: Final[Mapping[str, Kind]] = {
    "person": "code",
    "collected": "time",
    "date_only": "flag",
    "available": "time",
    "specimen": "text",
    "test": "text",
    "result": "text",
    "organism": "text",
    "judged": "text",
    "key": "key",
}
JUDGEMENTS: Final[Mapping[str, Kind]] = {
    "person": "code",
    "reviewer": "text",
    "question": "text",  # of records.review.questions
    "answer": "text",  # '' where an answer was withdrawn, or never given
    "confidence": "text",
    "time": "time",  # when it was answered, by the clock that was written
    "written": "text",  # the same as written, with an offset if it has one
    "comment": "text",
    "holds": "flag",  # whether it is the reviewer's answer: given, and no later one replaced it
    "table": "text",  # of the row: the sheet, or the file of the page
    "key": "key",
}


@dataclass(frozen=True)
class Refusal:
    """Rows that were not used, counted by table, variable, unit and reason, with one example."""

    source_table: str
    variable: str  # vocabulary name, or the record's own label where unknown
    unit: str
    reason: str
    rows: int
    example: str  # `table:key value` of the first one

    def __post_init__(self) -> None:
        """Shorten what a record may say at any length."""
        for name in ("variable", "unit", "reason", "example"):
            text = getattr(self, name)
            if len(text) > LONGEST_TOLD:
                object.__setattr__(self, name, shortened(text))


@dataclass(frozen=True)
class Absent:
    """A table that the records do not have, and the consequence."""

    table: str
    consequence: str  # "no temperature: fever not assessed"


@dataclass(frozen=True)
class InputFile:
    """A file that was read, for the manifest."""

    name: str  # relative to the records' folder
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Doubt:
    """An unchecked statement about the records, such as an inferred unit.

    `variable` is the vocabulary's name of the variable that depends on it, '' if it is not about one
    variable.
    """

    what: str
    variable: str = ""


@dataclass(frozen=True)
class CaseStatement:
    """What the authors of a study state about publishing its patients one by one.

    consent, waiver : the consent of the patients, or the decision that it is not needed: one of them. ethics : the
    reference of the ethics committee. decided_by : who decided that these patients are published. ages : `bands` of
    ten years, or `years`. words : the diseases and drugs that may be named; others are not.
    """

    consent: str = ""
    waiver: str = ""
    ethics: str = ""
    decided_by: str = ""
    ages: str = "bands"
    words: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return the keys of `study.toml` that are still needed."""
        needed = {
            "case_series_consent": self.consent or self.waiver,
            "case_series_ethics": self.ethics,
            "case_series_decided_by": self.decided_by,
        }
        return [key for key, text in needed.items() if not text]

    def allows(self, word: str) -> bool:
        """Return whether a disease or a drug may be named, in whatever letters."""
        return word.casefold() in {each.casefold() for each in self.words}

    def lines(self) -> list[tuple[str, str]]:
        """Return the statement as it is printed."""
        given = [
            ("Consent", self.consent),
            ("Consent waived", self.waiver),
            ("Ethics", self.ethics),
            ("Decided by", self.decided_by),
        ]
        return [(name, text) for name, text in given if text]


@dataclass(frozen=True)
class StudyInfo:
    """Facts about the study from `study.toml` or the source; '' if not known."""

    title: str = ""
    setting: str = ""
    centre: str = ""
    country: str = ""
    timezone: str = ""
    recruitment_start: str = ""
    recruitment_end: str = ""
    consecutive: str = ""
    ethics_ref: str = ""
    consent_basis: str = ""
    registration: str = ""
    illustrative: bool = False
    cases: CaseStatement | None = None


@dataclass(frozen=True)
class Records:
    """One chunk: persons with all their records.

    `measurements` is sorted by person, time, key; the small tables by person, time, key.
    `repeated` lists the tables of the source that may contain one administration twice. `clock` has the changes
    of the ward's clock, none where the source cannot have any (shifted dates).
    """

    persons: Frame
    stays: Frame = field(default_factory=lambda: Frame.of(STAYS))
    kinds: tuple[MeasurementKind, ...] = ()
    measurements: Frame = field(default_factory=lambda: Frame.of(MEASUREMENTS))
    administrations: Frame = field(default_factory=lambda: Frame.of(ADMINISTRATIONS))
    findings: Frame = field(default_factory=lambda: Frame.of(FINDINGS))
    conditions: Frame = field(default_factory=lambda: Frame.of(CONDITIONS))
    procedures: Frame = field(default_factory=lambda: Frame.of(PROCEDURES))
    cultures: Frame = field(default_factory=lambda: Frame.of(CULTURES))
    judgements: Frame = field(default_factory=lambda: Frame.of(JUDGEMENTS))
    repeated: RepeatedCharting = NOTHING_REPEATED
    clock: ClockChanges = field(default_factory=ClockChanges.none)


class Source(Protocol):
    """Records that can be read: a folder, a file, a database."""

    name: str  # the name of its package in `becalm.records`
    notices: tuple[str, ...]  # what a report must say of the records
    licences: tuple[
        str, ...
    ]  # those of the notices that the data's licence asks for, also in a release
    citations: tuple[str, ...]  # keys of the bibliography
    doubts: tuple[Doubt, ...]
    info: StudyInfo
    missing: tuple[str, ...]  # missing tables: labs, doses, findings ...
    site: SiteWords | None  # what the records' own description says their labels mean

    def inputs(self) -> tuple[InputFile, ...]: ...

    def absent(self) -> tuple[Absent, ...]: ...

    def refused(self) -> tuple[Refusal, ...]:
        """Return rows that could not be typed; complete after the last of `chunks`."""
        ...

    def chunks(self) -> Iterator[Records]:
        """Yield whole persons, persons in the order of their ids as text."""
        ...
