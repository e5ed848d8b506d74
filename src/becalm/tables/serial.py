"""The columns of the tables that follow single markers: fever, what rose and fell, ferritin and death."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.core.frame import Kind

FEVER: Final[Mapping[str, Kind]] = {
    # Each 24 h from the day before time zero: how long fever stood, and how densely it was looked for.
    "person_id": "text",
    "day": "count",  # 1 = the first 24 h from time zero, 0 = the 24 h before
    "hours_observed": "number",  # of the day, until death or the end of the records
    "hours_febrile": "number",  # certainly at or above the bound
    "hours_afebrile": "number",
    "hours_unknown": "number",
    "measurements": "count",
    "longest_gap_h": "number",  # without a measurement, the day's ends included
    "highest": "number",
    "modified_by": "text",
    "source_row": "text",
}
SERIAL_CHANGES: Final[Mapping[str, Kind]] = {
    # What rose and fell over 24 and 48 h: features, never a score.
    "person_id": "text",
    "moment": "text",  # index, and the peaks of `peak_of`
    "feature": "text",  # a part of a sign as sign.part
    "state": "text",  # met: it certainly moved as in a storm; not met; not assessed
    "value": "number",  # multiple of the earlier value
    "time": "time",
    "censored": "text",
    "modified_by": "text",
    "peak_of": "text",  # definition whose peak the moment is; empty for the index
    "moment_time": "time",
    "source_row": "text",
}
PROGNOSIS: Final[Mapping[str, Kind]] = {
    # Ferritin as a marker of death: what was known of it by day 3.
    "person_id": "text",
    "marker": "text",
    "died": "answer",
    "baseline": "number",
    "peak": "number",
    "day3": "number",
    "fall_day3": "number",  # share of the baseline by which it was lower; negative: it rose
    "small_fall": "answer",  # fell by less than the published share
    "status": "text",  # of day 3: measured, no baseline, no sample, died before, discharged before
    "censored": "text",
    "unit": "text",
    "source_row": "text",
}
