"""The tables that a study writes: columns, keys, and what each means.

Unknown is empty; a bound of infinity is empty too (unbounded). Lists are joined by `|`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.dose_tables import (
    CALENDAR_DOSE,
    COURSES,
    DAILY_DOSE,
    DOSE_ODDITIES,
    DOSES,
    EPISODES,
    ESCALATIONS,
    TIME_AT_DOSE,
)
from becalm.frame import Frame, Kind
from becalm.markers import CHANGES, FEVER, PROGNOSIS

ROWS_REFUSED: Final[Mapping[str, Kind]] = {
    "source_table": "text",
    "variable": "text",
    "unit": "text",
    "reason": "text",
    "rows": "count",
    "example": "text",
}
ATTRITION: Final[Mapping[str, Kind]] = {
    "step": "count",
    "persons": "count",
    "stays": "count",
    "reason": "text",
    "rows": "count",  # measurements and administrations remaining
}
VALUES: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "variable": "text",
    "n": "count",
    "n_censored": "count",
    "n_refused": "count",
    "first": "number",
    "last": "number",
    "min": "number",
    "max": "number",
    "time_of_max": "time",
    "unit": "text",
    "censored": "text",
}
PERSONS: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "episode": "count",
    "sex": "text",
    "age": "count",
    "index_time": "time",
    "t0": "time",
    "underlying": "text",
    "weight_kg": "number",
    "left_truncated": "answer",
    "t_civ": "time",
    "t_high": "time",
    "onset": "time",
    "storm": "text",  # definite, possible, not met: judged at entry or index
    "storm_72h": "text",  # the same, 72 h after the index, where a protocol asks
    "clinician": "answer",  # a clinician's diagnosis of the storm
    "immunosuppressed": "answer",
    "first_route": "text",  # of the drug of interest
    "age_undated": "answer",
    "class": "text",  # primary, MAS, secondary, secondary (no trigger found), unknown
    "associated": "text",  # what the class rests on or is confused by, narrowest names
    "cancer": "text",  # found, doubtful, negative (looked for), not looked for
    "infection": "text",
    "covid19": "text",  # positive, doubtful, negative, not tested
    "context_rows": "text",
}
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
LINES: Final[Mapping[str, Kind]] = {
    # Immunotherapies begun before time zero that reached the blood.
    "person_id": "text",
    "drug": "text",
    "first": "time",
    "last": "time",  # of the last dose, at the latest time zero
    "doses": "count",
    "peak_equivalent": "number",  # glucocorticoids: prednisolone, mg/kg in the highest 24 h
    "refractory": "answer",
    "episode": "count",
    "class": "text",
    "begun": "time",  # of the course that led to time zero
    "total_mg": "number",
    "acts_until": "time",  # effects that outlive the dose, by the protocol's confounder windows
    "reason": "text",  # what decided about refractory
    "source_row": "text",
}
RESPONSE: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "variable": "text",
    "clock": "text",
    "episode": "count",
    "baseline": "number",
    "baseline_time": "time",
    "peak": "number",
    "h24": "number",
    "h48": "number",
    "h48_time": "time",
    "h72": "number",
    "d7": "number",
    "ratio_48h": "number",
    "censored": "text",
    "status": "text",
    "confounded_by": "text",
    "modified_by": "text",
    "unit": "text",
    "source_row": "text",  # baseline, h48
}
SAFETY: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "event": "text",
    "episode": "count",
    "grade_before": "count",
    "grade_after": "count",
    "onset": "time",
    "hours_from_t0": "number",
    "on_drug": "answer",
    "attribution": "text",
    "reference": "text",  # baseline or limit that the grade was counted against
    "source_row": "text",
}
OUTCOME: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "episode": "count",
    "follow_up_days": "number",
    "last_contact": "time",
    "discharged": "time",
    "died": "answer",
    "death_time": "time",
    "cause_of_death": "text",
    "infection_linked": "answer",
    "on_drug_at_death": "answer",
    "storm_active_at_death": "answer",
    "relapse_time": "time",
    "maintenance_drug": "text",
}
PRIOR: Final[Mapping[str, Kind]] = {
    # Earlier immunotherapies for the report's Table 1 and lanes.
    "person_id": "text",
    "episode": "count",
    "drug": "text",
    "class": "text",
    "first": "time",
    "last": "time",
    "doses": "count",
    "hours_before_t0": "number",
    "source_row": "text",
}
CRITERIA_COURSE: Final[Mapping[str, Kind]] = {
    # Every definition of the cohort over time, from two weeks before time zero to thirty days after:
    # true on [start, end); where there is no row nothing that the definition reads was known.
    "person_id": "text",
    "episode": "count",
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
    "episode": "count",
    "criterion": "text",
    "moment": "text",
    "factor": "number",  # that every look-back is multiplied by: 0.5, 2
    "time": "time",
    "low": "number",
    "high": "number",
    "status": "text",
}
SERIES: Final[Mapping[str, Kind]] = {
    # Every value of the cohort that a figure draws. Not written as a table of its own.
    "person_id": "text",
    "episode": "count",
    "variable": "text",
    "time": "time",
    "hours": "number",  # from t0
    "low": "number",
    "high": "number",
    "unit": "text",
    "source_row": "text",
}
PRIMARY: Final[Mapping[str, Kind]] = {
    # The protocol's own response per person and clock, with its graded falls.
    "person_id": "text",
    "episode": "count",
    "clock": "text",
    "response": "text",  # responded, did not respond, no sample, died before, discharged before
    "strict": "text",  # the same on the strict horizon
    "fall_15": "answer",
    "fall_25": "answer",
    "fall_50": "answer",
    "confounded_by": "text",
    "reason": "text",  # which ratios decided
}
NEAREST: Final[Mapping[str, Kind]] = {
    # Persons who came closest to entering, and what kept them out or was missing.
    "person_id": "text",
    "reason": "text",  # the attrition step at which the person left
    "criterion": "text",
    "low": "number",
    "high": "number",
    "missing": "text",  # items not assessed, joined by |
}
LEFT: Final[Mapping[str, Kind]] = {
    # Whom each step of the attrition took.
    "person_id": "text",
    "step": "count",
}
MISSING: Final[Mapping[str, Kind]] = {
    # How often each variable was measured in the cohort, per day from time zero.
    "person_id": "text",
    "episode": "count",
    "variable": "text",
    "day": "count",  # 0 = the 24 h before time zero, 1 = the first 24 h ... (values on [start, end))
    "n": "count",
}
ROWS: Final[Mapping[str, Kind]] = {
    # The rows behind the numbers, as the source wrote them, for drill-down.
    "source_row": "text",
    "person_id": "text",
    "time": "time",
    "label": "text",
    "value": "text",
    "unit": "text",
    "available": "time",
    "canonical": "text",
}

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
