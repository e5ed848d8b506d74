"""Every table that a study writes, with the key columns that its rows are sorted by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.core.frame import Frame, Kind
from becalm.tables.cohort import ATTRITION, PERSONS, ROWS_REFUSED, VALUES
from becalm.tables.criteria import CRITERIA, CRITERIA_COURSE, CRITERIA_ITEMS, CRITERIA_LOOK_BACKS
from becalm.tables.response import OUTCOME, RESPONSE, SAFETY
from becalm.tables.serial import CHANGES, FEVER, PROGNOSIS
from becalm.tables.therapy import (
    CALENDAR_DOSE,
    COURSES,
    DAILY_DOSE,
    DOSE_ODDITIES,
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
    "persons": (PERSONS, ("person_id", "episode")),
    "criteria": (CRITERIA, ("person_id", "criterion", "moment")),
    "criteria_items": (CRITERIA_ITEMS, ("person_id", "criterion", "moment", "item")),
    "criteria_course": (CRITERIA_COURSE, ("person_id", "episode", "criterion", "start")),
    "criteria_look_backs": (CRITERIA_LOOK_BACKS, ("person_id", "episode", "criterion", "factor")),
    "doses": (DOSES, ("person_id", "drug", "start", "end", "source_row")),
    "daily_dose": (DAILY_DOSE, ("person_id", "drug", "day")),
    "calendar_dose": (CALENDAR_DOSE, ("person_id", "drug", "date")),
    "episodes": (EPISODES, ("person_id", "drug", "start")),
    "escalations": (ESCALATIONS, ("person_id", "episode", "drug", "time")),
    "courses": (COURSES, ("person_id", "episode", "drug")),
    "time_at_dose": (TIME_AT_DOSE, ("person_id", "episode", "drug", "level_per_day")),
    "dose_oddities": (DOSE_ODDITIES, ("person_id", "remark", "drug", "start", "source_row")),
    "lines": (LINES, ("person_id", "drug", "first")),
    "response": (RESPONSE, ("person_id", "episode", "variable", "clock")),
    "safety": (SAFETY, ("person_id", "episode", "event")),
    "outcome": (OUTCOME, ("person_id", "episode")),
    "fever": (FEVER, ("person_id", "episode", "day")),
    "changes": (CHANGES, ("person_id", "episode", "moment", "feature")),
    "prognosis": (PROGNOSIS, ("person_id", "episode", "marker")),
}


def empty(name: str) -> Frame:
    """Return a written table without rows."""
    return Frame.of(WRITTEN[name][0])
