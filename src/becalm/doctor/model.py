"""The result of `becalm doctor`: a few small tables, one for each question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from becalm.core.frame import Frame, Kind
from becalm.records import Absent
from becalm.tables import DISPUTED_DEATHS, NOT_UNDERSTOOD

PRECISION: Final[Mapping[str, Kind]] = {
    "source_table": "text",
    "time": "text",  # which time of the table
    "rows": "count",
    "unknown": "count",
    "date_only": "count",  # marked as a date
    "midnight": "count",  # 00:00:00 although not marked as a date
    "whole_hours": "count",  # midnight included
    "whole_minutes": "count",  # whole hours included
    "whole_seconds": "count",  # whole minutes included
}
UNITS: Final[Mapping[str, Kind]] = {
    "variable": "text",
    "source_table": "text",
    "unit": "text",  # as written
    "read_as": "text",  # the canonical unit and the conversion
    "rows": "count",
    "used": "count",
    "refused": "text",  # reasons with their rows
}
VARIABLES: Final[Mapping[str, Kind]] = {
    "variable": "text",
    "rows": "count",  # values understood
    "persons": "count",  # with at least one
    "needed_by": "text",
    "consequence": "text",  # '' if there is any value
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
    "not_understood": {name: column.kind for name, column in NOT_UNDERSTOOD.columns.items()},
    "disputed_deaths": {name: column.kind for name, column in DISPUTED_DEATHS.columns.items()},
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
    """The rows of some records that can and that cannot be understood.

    `refused` are rows of known variables, `unknown_items` rows of unknown names and items (normally
    thousands in a hospital). Every table is sorted, the most important rows first.
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
