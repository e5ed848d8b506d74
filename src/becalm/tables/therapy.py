"""The columns of the tables about doses; how they are written is in `becalm.tables`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.core.frame import Kind

DOSES: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "stay_id": "text",
    "drug": "text",
    "label": "text",
    "route": "text",
    "start": "time",
    "end": "time",
    "amount": "number",
    "amount_unit": "text",
    "rate_per_h": "number",
    "rate_mg_h": "number",
    "amount_mg": "number",
    "notation": "text",
    "source_row": "text",
    "status": "text",  # given, not given, ordered
    "flag": "text",  # why a dose looks implausible or could not be turned into a rate
    # In the unit that the drug is added up in where the row can be told in it, else in mg, mL,
    # units, mmol, mEq or what was counted; the rate is what was delivered (amount over time).
    "amount_canonical": "number",
    "rate_canonical_per_h": "number",
    "set_canonical_per_h": "number",  # the rate as set, where the row states one
    "unit_canonical": "text",
}
DAILY_DOSE: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "drug": "text",
    "day": "count",
    "mg": "number",
    "peak_rate_mg_h": "number",
    "mg_per_kg": "number",
    "weight_used": "number",
    "crcl_ml_min": "number",  # in force as the day begins; empty on renal replacement
    "rrt": "answer",
    "unit_canonical": "text",  # what the drug is added up in; mg, or units for heparin
    "amount_canonical": "number",
    "peak_rate_canonical_per_h": "number",
    "amount_canonical_per_kg": "number",
    "cumulative_canonical": "number",  # from day 1 to the end of this day
}
CALENDAR_DOSE: Final[Mapping[str, Kind]] = {
    # As daily_dose, from midnight to midnight.
    "person_id": "text",
    "drug": "text",
    "date": "time",
    "day": "count",  # 1 is the date of the first dose
    "mg": "number",
    "amount_canonical": "number",
    "unit_canonical": "text",
    "peak_rate_canonical_per_h": "number",
    "weight_used": "number",
    "amount_canonical_per_kg": "number",
}
EPISODES: Final[Mapping[str, Kind]] = {
    "person_id": "text",
    "drug": "text",
    "mode": "text",
    "start": "time",
    "end": "time",
    "cumulative_mg": "number",
    "peak_rate_mg_h": "number",
    "peak_mg_day": "number",
    "max_24h_mg": "number",
    "escalations": "count",
    "hours_to_peak": "number",
    "unit_canonical": "text",  # as in daily_dose
    "cumulative_canonical": "number",
    "peak_rate_canonical_per_h": "number",
    "max_24h_canonical": "number",
    "pauses": "count",  # of a continuous infusion: gaps and rates of 0 inside the episode
    "paused_hours": "number",
}
ESCALATIONS: Final[Mapping[str, Kind]] = {
    # Each step of a continuous infusion, and what there was before it.
    "person_id": "text",
    "drug": "text",
    "course_start": "time",  # of the treatment episode
    "step": "count",
    "time": "time",
    "hours_from_t0": "number",
    "hours_from_start": "number",
    "hours_since_last": "number",
    "from_rate": "number",
    "to_rate": "number",
    "to_rate_per_kg": "number",
    "weight_kg": "number",
    "ferritin": "answer",  # worse in the 24 h before
    "ast": "answer",
    "temperature": "answer",
    "vasopressor": "answer",
    "crcl_ml_min": "number",
    "rrt": "answer",
    "unit": "text",  # of the rates, per hour: what the drug is added up in
    "crcl_rows": "text",  # what the clearance rests on
    "direction": "text",  # up, down
}
COURSES: Final[Mapping[str, Kind]] = {
    # One row per person and drug: how it was stepped up, held and taken back.
    "person_id": "text",
    "drug": "text",
    "modes": "text",  # in order: SC > continuous IV > SC
    "ceiling_per_day": "number",  # highest continuous rate × 24, in the drug's unit
    "hours_to_ceiling": "number",  # from the first dose of any route
    "hours_at_ceiling": "number",
    "steps_up": "count",
    "steps_down": "count",
    "taper_hours": "number",  # from the first step down after the ceiling to the end of the infusion
    "unit": "text",  # of the ceiling, per day
    "pauses": "count",  # gaps and rates of 0 that do not end the treatment episode
    "paused_hours": "number",
    "switches": "count",  # changes of mode, the return included
}
TIME_AT_DOSE: Final[Mapping[str, Kind]] = {
    # How long the drug of interest was at or above an amount a day, from time zero.
    "person_id": "text",
    "drug": "text",
    "level_per_day": "number",
    "unit": "text",
    "first": "time",  # first rate that would give as much in a day
    "hours_at_rate": "number",  # continuous rate × 24 at or above it
    "hours_at_24h": "number",  # what was given in the previous 24 h at or above it, any route
}
DOSE_REMARKS: Final[Mapping[str, Kind]] = {
    # Every remark about a row of doses: refused, implausible, contradicting, overlapping ...
    "person_id": "text",
    "remark": "text",
    "detail": "text",  # the remark with the numbers of its row
    "drug": "text",
    "label": "text",
    "start": "time",
    "end": "time",
    "amount": "number",
    "amount_unit": "text",
    "delivered_per_h": "number",  # amount over time, in unit_canonical
    "set_per_h": "number",
    "unit_canonical": "text",
    "counted": "flag",  # whether the row counts in spite of it
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
    "class": "text",
    "begun": "time",  # of the course that led to time zero
    "total_mg": "number",
    "acts_until": "time",  # effects that outlive the dose, by the protocol's confounder windows
    "reason": "text",  # what decided about refractory
    "source_row": "text",
}
PRIOR: Final[Mapping[str, Kind]] = {
    # Earlier immunotherapies for the report's Table 1 and lanes.
    "person_id": "text",
    "drug": "text",
    "class": "text",
    "first": "time",
    "last": "time",
    "doses": "count",
    "hours_before_t0": "number",
    "source_row": "text",
}
