"""What the definitions said: totals, items, over time and with other look-backs."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    CENSORED,
    CRITERION,
    MODIFIED_BY,
    MOMENT,
    PERSON_ID,
    SOURCE_ROW,
    STATE,
    Column,
    Table,
    answer,
    count,
    number,
    text,
    time,
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
        "moment": MOMENT,
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
        "items_assessed": count("items", "Items that are certainly met or certainly not met."),
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
            "flag",
            "",
            "false where the definition rests on a value that nobody checked, or the total on something "
            "that the source of the records marks as inferred.",
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
        "moment": MOMENT,
        "item": text("The item, by its name in the definition's file; a part of it as item.part."),
        "state": STATE,
        "points_low": number(
            "points", "The fewest points that the item may give; empty for a part."
        ),
        "points_high": number(
            "points", "The most points that the item may give; empty for a part."
        ),
        "value": number(
            "as `unit`",
            "The value that decided; of an item of several parts how many are met, of an item that is "
            "another definition its total.",
        ),
        "unit": text("The unit of value; empty for a ratio, a count or a total."),
        "time": time("When that value was drawn, the latest of several parts."),
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
        "moment": MOMENT,
        "factor": number("1", "What every look-back is multiplied by: 0.5 or 2."),
        "time": time("When the moment is."),
        "low": _LOW,
        "high": _HIGH,
        "status": _STATUS,
    },
    key=("person_id", "criterion", "factor"),
)
