"""What the definitions said: totals, items, over time and with other look-backs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.core.frame import Kind

CRITERIA: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "criterion": "text",
    "moment": "text",
    "time": "time",
    "low": "number",
    "high": "number",
    "status": "text",
    "first_met": "time",
    "first_possible": "time",
    "held_hours": "number",
    "items_assessed": "count",
    "items_total": "count",
    "clock": "text",
    "in_derivation_population": "answer",
    "low_unmodified": "number",  # without the items that something else moved
    "high_unmodified": "number",
    "probability": "text",  # HScore: the published interval for low to high, in percent
    "verified": "flag",  # False when the definition rests on a value not yet verified
}
CRITERIA_ITEMS: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "criterion": "text",
    "moment": "text",
    "item": "text",
    "state": "text",
    "points_low": "number",
    "points_high": "number",
    "value": "number",
    "unit": "text",
    "time": "time",
    "censored": "text",
    "modified_by": "text",
    "source_row": "text",
}
CRITERIA_OVER_TIME: Final[Mapping[str, Kind]] = {
    # Every definition of the cohort over time, from two weeks before time zero to thirty days after:
    # true on [start, end); where there is no row nothing that the definition reads was known.
    "person_id": "text",
    "criterion": "text",
    "start": "time",
    "end": "time",
    "low": "number",
    "high": "number",
    "status": "text",  # met, not met, undetermined
}
CRITERIA_LOOK_BACKS: Final[Mapping[str, Kind]] = {
    # What the definitions would have said with other look-backs, at the moment that is reported.
    "person_id": "text",
    "criterion": "text",
    "moment": "text",
    "factor": "number",  # that every look-back is multiplied by: 0.5, 2
    "time": "time",
    "low": "number",
    "high": "number",
    "status": "text",
}
