"""Who was studied: the steps to the cohort, the persons, what was measured and what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.core.frame import Kind

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
    "sex": "text",
    "age": "count",
    "index_time": "time",
    "t0": "time",
    "underlying": "text",
    "weight_kg": "number",
    "left_truncated": "answer",
    "infusion_start": "time",
    "high_rate": "time",
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
