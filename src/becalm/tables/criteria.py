"""What the definitions said: totals, items, over time and with other look-backs."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    CENSORED,
    CRITERION,
    MODIFIED_BY,
    PERSON_ID,
    SOURCE_ROW,
    Column,
    Table,
    answer,
    count,
    number,
    text,
    time,
)

_MOMENT: Final = text(
    "index, peak_to_index (highest lowest-possible total in the look-back that ends at the index) or "
    "peak_ever (the same over all records)."
)
_LOW: Final = number("points", "The lowest possible total, given what is not known.")
_HIGH: Final = number("points", "The highest possible total, given what is not known.")
_STATUS: Final = text("met, not met or undetermined.")

CRITERIA: Final = Table(
    "criteria",
    "What each definition said of everybody in the population, at the moments that are reported.",
    "person, definition and moment",
    {
        "person_id": PERSON_ID,
        "criterion": CRITERION,
        "moment": _MOMENT,
        "time": time("When the moment is."),
        "low": _LOW,
        "high": _HIGH,
        "status": _STATUS,
        "first_met": time(
            "First moment in the window at which the lowest total reached the cut-off."
        ),
        "first_possible": time("First moment in the window at which the highest total reached it."),
        "held_hours": number(
            "h", "How long in the window the lowest total was at the cut-off or above."
        ),
        "items_assessed": count("items", "Items with anything known at the moment."),
        "items_total": count("items", "Items of the definition."),
        "clock": text("drawn or available: by which time a result counts."),
        "in_derivation_population": answer(
            "Whether the person is of the kind the definition was made in."
        ),
        "low_unmodified": number(
            "points", "The lowest total without the items that something else moved."
        ),
        "high_unmodified": number("points", "The highest total without those items."),
        "probability": text(
            "The published probability for low to high, in percent, where there is one."
        ),
        "verified": Column(
            "flag", "", "false where the total rests on a value that nobody checked."
        ),
    },
    key=("person_id", "criterion", "moment"),
)
CRITERIA_ITEMS: Final = Table(
    "criteria_items",
    "Every item of every definition at each reported moment, with the value that decided.",
    "person, definition, moment and item",
    {
        "person_id": PERSON_ID,
        "criterion": CRITERION,
        "moment": _MOMENT,
        "item": text("The item, by its name in the definition's file."),
        "state": text("met, not met or not assessed."),
        "points_low": number("points", "The fewest points that the item may give."),
        "points_high": number("points", "The most points that the item may give."),
        "value": number("as `unit`", "The value that decided."),
        "unit": text("The unit of value."),
        "time": time("When that value was drawn."),
        "censored": CENSORED,
        "modified_by": MODIFIED_BY,
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "criterion", "moment", "item"),
)
CRITERIA_OVER_TIME: Final = Table(
    "criteria_over_time",
    "Every definition of the cohort over time, from two weeks before time zero to thirty days after. "
    "Where there is no row, nothing that the definition reads was known.",
    "person, definition and stretch [start, end)",
    {
        "person_id": PERSON_ID,
        "criterion": CRITERION,
        "start": time("When the stretch begins."),
        "end": time("When it ends; the end is not part of it."),
        "low": _LOW,
        "high": _HIGH,
        "status": _STATUS,
    },
    key=("person_id", "criterion", "start"),
)
CRITERIA_LOOK_BACKS: Final = Table(
    "criteria_look_backs",
    "What the definitions would have said with other look-backs, at the moment that is reported.",
    "person, definition and factor",
    {
        "person_id": PERSON_ID,
        "criterion": CRITERION,
        "moment": _MOMENT,
        "factor": number("1", "What every look-back is multiplied by: 0.5 or 2."),
        "time": time("When the moment is."),
        "low": _LOW,
        "high": _HIGH,
        "status": _STATUS,
    },
    key=("person_id", "criterion", "factor"),
)
