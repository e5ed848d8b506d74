"""From written rows to values that can be compared: one unit, one name, one order.

A row that cannot be understood is refused with a reason and counted; a censored value keeps its
direction.
"""

from becalm.events.derived_counts import derived_counts
from becalm.events.harmonising import (
    ENDS_BEFORE_START,
    NO_TIME,
    NOT_AN_ANSWER,
    OUTSIDE_RANGE,
    STATED_UNKNOWN,
    harmonise,
    merge,
)
from becalm.events.model import (
    EVENTS,
    UNKNOWN_FINDING,
    Clock,
    Events,
    UnusedRows,
    number_and_sign,
)
from becalm.events.one_draw import by_draw, by_report, draw_states
from becalm.events.values import values
from becalm.events.volumes import IRRIGATION, URINE

__all__ = [
    "ENDS_BEFORE_START",
    "EVENTS",
    "IRRIGATION",
    "NOT_AN_ANSWER",
    "NO_TIME",
    "OUTSIDE_RANGE",
    "STATED_UNKNOWN",
    "UNKNOWN_FINDING",
    "URINE",
    "Clock",
    "Events",
    "UnusedRows",
    "by_draw",
    "by_report",
    "derived_counts",
    "draw_states",
    "harmonise",
    "merge",
    "number_and_sign",
    "values",
]
