"""What a doctor's visit finds: a few small tables, one a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from becalm.core.frame import Frame, Kind
from becalm.records import Absent

PRECISION: Final[Mapping[str, Kind]] = {
    "source_table": "text",
    "time": "text",  # which time of the table
    "rows": "count",
    "unknown": "count",
    "date_only": "count",  # said to be a date
    "midnight": "count",  # 00:00:00 although not said to be a date
    "whole_hours": "count",  # midnight included
    "whole_minutes": "count",  # whole hours included
    "whole_seconds": "count",  # whole minutes included
}
UNITS: Final[Mapping[str, Kind]] = {
    "variable": "text",
    "source_table": "text",
    "unit": "text",  # as written
    "read_as": "text",  # the canonical unit and how it is reached
    "rows": "count",
    "used": "count",
    "refused": "text",  # reasons with their rows
}
VARIABLES: Final[Mapping[str, Kind]] = {
    "variable": "text",
    "rows": "count",  # values understood
    "persons": "count",  # with at least one
    "needed_by": "text",
    "consequence": "text",  # '' where some value is known
}
CONFLICTS: Final[Mapping[str, Kind]] = {
    "variable": "text",
    "instants": "count",
    "conflicts": "count",  # instants of one person with different results
    "example": "text",
}
DELAY: Final[Mapping[str, Kind]] = {
    "variable": "text",
    "rows": "count",
    "unknown": "count",  # no time at which the result became available
    "negative": "count",  # available before it was drawn
    "quartile_1_min": "number",
    "median_min": "number",
    "quartile_3_min": "number",
}
DOSES: Final[Mapping[str, Kind]] = {
    "source_table": "text",
    "remark": "text",
    "rows": "count",
    "drugs": "text",
    "example": "text",
}
UNKNOWN_DRUGS: Final[Mapping[str, Kind]] = {
    "source_table": "text",
    "label": "text",
    "rows": "count",
    "example": "text",
}
PERSONS: Final[Mapping[str, Kind]] = {"without": "text", "persons": "count"}
LABELS: Final[Mapping[str, Kind]] = {
    "source_table": "text",
    "code": "text",
    "label": "text",  # the record's
    "expected": "text",  # the vocabulary's
    "rows": "count",
    "why": "text",
}
REFUSED: Final[Mapping[str, Kind]] = {
    "source_table": "text",
    "variable": "text",
    "unit": "text",
    "reason": "text",
    "rows": "count",
    "example": "text",
}
ABSENT: Final[Mapping[str, Kind]] = {"table": "text", "consequence": "text"}

TABLES: Final[Mapping[str, Mapping[str, Kind]]] = {
    "absent_tables": ABSENT,
    "variables": VARIABLES,
    "units": UNITS,
    "labels": LABELS,
    "refused": REFUSED,
    "unknown_items": REFUSED,
    "precision": PRECISION,
    "delay": DELAY,
    "conflicts": CONFLICTS,
    "doses": DOSES,
    "unknown_drugs": UNKNOWN_DRUGS,
    "persons": PERSONS,
}
"""Every table of a diagnosis, in the order in which they are printed."""


@dataclass(frozen=True)
class Diagnosis:
    """What can and what cannot be understood of some records.

    `refused` are rows of variables that becalm knows, `unknown_items` those of names and items
    that it does not, which in a hospital are thousands and ordinary. Every table is sorted, what
    matters most first.
    """

    source: str
    persons: int
    measurements: int
    administrations: int
    notices: tuple[str, ...]
    tables: Mapping[str, Frame]

    def __getitem__(self, name: str) -> Frame:
        return self.tables[name]


def absent_frame(absent: tuple[Absent, ...]) -> Frame:
    return Frame.of(
        ABSENT,
        table=[each.table for each in absent],
        consequence=[each.consequence for each in absent],
    )
