"""Sources of records: each reads and types its records without interpretation, into the same tables."""

from becalm.records.charted_again import ChartedAgain, ChartedElsewhere, RepeatedCharting
from becalm.records.model import (
    ADMINISTRATIONS,
    CONDITIONS,
    CULTURES,
    FINDINGS,
    MEASUREMENTS,
    PERSONS,
    PROCEDURES,
    STAYS,
    Absent,
    Doubt,
    InputFile,
    Records,
    Refusal,
    Source,
    StudyInfo,
)
from becalm.records.recognise import KINDS, not_among_records, open_records

__all__ = [
    "ADMINISTRATIONS",
    "CONDITIONS",
    "CULTURES",
    "FINDINGS",
    "KINDS",
    "MEASUREMENTS",
    "PERSONS",
    "PROCEDURES",
    "STAYS",
    "Absent",
    "ChartedAgain",
    "ChartedElsewhere",
    "Doubt",
    "InputFile",
    "Records",
    "Refusal",
    "RepeatedCharting",
    "Source",
    "StudyInfo",
    "charted_again",
    "not_among_records",
    "open_records",
    "possible",
    "template",
]
