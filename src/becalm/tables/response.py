"""How it went: response, harm and outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.core.frame import Kind

RESPONSE: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "variable": "text",
    "clock": "text",
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
PRIMARY: Final[Mapping[str, Kind]] = {
    # The protocol's own response per person and clock, with its graded falls.
    "person_id": "text",
    "clock": "text",
    "response": "text",  # responded, did not respond, no sample, died before, discharged before
    "strict": "text",  # the same on the strict horizon
    "fall_15": "answer",
    "fall_25": "answer",
    "fall_50": "answer",
    "confounded_by": "text",
    "reason": "text",  # which ratios decided
}
