"""Every table that a study writes, with the key columns that its rows are sorted by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.core.frame import Frame, Kind
from becalm.tables.cohort import ATTRITION, PERSONS, ROWS_REFUSED, VALUES
from becalm.tables.criteria import CRITERIA, CRITERIA_ITEMS, CRITERIA_LOOK_BACKS, CRITERIA_OVER_TIME
from becalm.tables.response import OUTCOME, RESPONSE, SAFETY
from becalm.tables.serial import FEVER, PROGNOSIS, SERIAL_CHANGES
from becalm.tables.therapy import (
    CALENDAR_DOSE,
    COURSES,
    DAILY_DOSE,
    DOSE_REMARKS,
    DOSES,
    EPISODES,
    ESCALATIONS,
    LINES,
    TIME_AT_DOSE,
)

WRITTEN: Final[Mapping[str, tuple[Mapping[str, Kind], tuple[str, ...]]]] = {
    # name: (columns, key columns that rows are sorted by)
    "attrition": (ATTRITION, ("step",)),
    "rows_refused": (ROWS_REFUSED, ("source_table", "variable", "unit", "reason")),
    "values": (VALUES, ("person_id", "variable")),
    "persons": (PERSONS, ("person_id",)),
    "criteria": (CRITERIA, ("person_id", "criterion", "moment")),
    "criteria_items": (CRITERIA_ITEMS, ("person_id", "criterion", "moment", "item")),
    "criteria_over_time": (CRITERIA_OVER_TIME, ("person_id", "criterion", "start")),
    "criteria_look_backs": (CRITERIA_LOOK_BACKS, ("person_id", "criterion", "factor")),
    "doses": (DOSES, ("person_id", "drug", "start", "end", "source_row")),
    "daily_dose": (DAILY_DOSE, ("person_id", "drug", "day")),
    "calendar_dose": (CALENDAR_DOSE, ("person_id", "drug", "date")),
    "episodes": (EPISODES, ("person_id", "drug", "start")),
    "escalations": (ESCALATIONS, ("person_id", "drug", "time")),
    "courses": (COURSES, ("person_id", "drug")),
    "time_at_dose": (TIME_AT_DOSE, ("person_id", "drug", "level_per_day")),
    "dose_remarks": (DOSE_REMARKS, ("person_id", "remark", "drug", "start", "source_row")),
    "lines": (LINES, ("person_id", "drug", "first")),
    "response": (RESPONSE, ("person_id", "variable", "clock")),
    "safety": (SAFETY, ("person_id", "event")),
    "outcome": (OUTCOME, ("person_id",)),
    "fever": (FEVER, ("person_id", "day")),
    "serial_changes": (SERIAL_CHANGES, ("person_id", "moment", "feature")),
    "prognosis": (PROGNOSIS, ("person_id", "marker")),
}


def empty(name: str) -> Frame:
    """Return a written table without rows."""
    return Frame.of(WRITTEN[name][0])
