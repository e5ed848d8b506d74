"""What the report draws and opens; none of these is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.core.frame import Kind

SERIES: Final[Mapping[str, Kind]] = {
    # Every value of the cohort that a figure draws. Not written as a table of its own.
    "person_id": "text",
    "variable": "text",
    "time": "time",
    "hours_from_t0": "number",
    "low": "number",
    "high": "number",
    "unit": "text",
    "source_row": "text",
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
DOSE_STEPS: Final[Mapping[str, Kind]] = {
    # Constant-rate intervals (rate > 0) and single doses (start == end) of immunotherapies.
    "person_id": "text",
    "drug": "text",
    "class": "text",
    "route": "text",
    "start": "time",
    "end": "time",
    "hours_from_t0": "number",  # from t0
    "end_hours_from_t0": "number",
    "rate": "number",  # per hour, in the drug's unit
    "amount": "number",
    "unit": "text",  # what the drug is added up in: mg, units, mL ...
    "label": "text",
    "source_row": "text",
}
