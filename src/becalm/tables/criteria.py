"""The definitions: totals, items, status over time and with other look-backs."""

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
    UNIT_CANONICAL,
    VARIABLE,
    Column,
    Table,
    answer,
    count,
    number,
    text,
    time,
)

_LOW: Final = number(
    "points", "The lowest possible total; items that are not known give the fewest points."
)
_HIGH: Final = number(
    "points", "The highest possible total; items that are not known give the most points."
)
_STATUS: Final = text("met, not met or undetermined.")

CRITERIA: Final = Table(
    "criteria",
    "The total and status of each definition for all persons in the population, at the reported moments.",
    "person, definition and moment",
    {
        "person_id": PERSON_ID,
        "criterion": CRITERION,
        "moment": MOMENT,
        "time": time("The time of the moment."),
        "low": _LOW,
        "high": _HIGH,
        "status": _STATUS,
        "first_met": time(
            "First moment in the window at which the lowest total reached the cut-off."
        ),
        "first_possible": time("First moment in the window at which the highest total reached it."),
        "held_hours": number(
            "h", "How long the lowest total was at the cut-off or above in the window."
        ),
        "items_assessed": count("items", "Items that are certainly met or certainly not met."),
        "items_total": count("items", "Items of the definition."),
        "clock": text("drawn or available: the time from which a result counts."),
        "in_derivation_population": answer(
            "Whether the person belongs to the kind of patients in whom the definition was derived."
        ),
        "low_unmodified": number(
            "points",
            "The lowest total without the items whose value a treatment or an illness could have changed (modified_by).",
        ),
        "high_unmodified": number("points", "The highest total without those items."),
        "probability": text(
            "The published probability for low to high, in percent; empty if none is published."
        ),
        "taken_back_at": time(
            "When a later report of the same draw first replaced one of the values that the total rests on; "
            "empty if none did."
        ),
        "next_test": text(
            "If the total is undetermined: each single test that could settle it alone, with the results that would, "
            "joined by | (`triglycerides: not met if below 1.5 mmol/L`), or no single test; details in next_test. Empty "
            "if the total is decided, or if nothing that the definition reads was ever measured."
        ),
        "verified": Column(
            "flag",
            "",
            "false if the definition uses a value that nobody has checked, or the total something "
            "that the source of the records marks as inferred.",
        ),
    },
    key=("person_id", "criterion", "moment"),
)
CRITERIA_ITEMS: Final = Table(
    "criteria_items",
    "Every item of every definition at each reported moment, with the value that decided its state.",
    "person, definition, moment and item",
    {
        "person_id": PERSON_ID,
        "criterion": CRITERION,
        "moment": MOMENT,
        "item": text("The item, by its name in the definition's file; a part of it as item.part."),
        "state": STATE,
        "reason": text(
            "Why the item is not assessed: never measured, too old (date of the last value), measured only "
            "later (date), refused (reason, date), or known only as a limit or in part; of several variables "
            "each as `variable: reason`, joined by |."
        ),
        "points_low": number(
            "points", "The fewest points that the item can give; empty for a part."
        ),
        "points_high": number(
            "points", "The most points that the item can give; empty for a part."
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
        "derived": text(
            "The variables whose value was not reported but derived from others of the same specimen "
            "(neutrophils: percentage × leucocytes), joined by |."
        ),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "criterion", "moment", "item"),
)
REPLACED_REPORTS: Final = Table(
    "replaced_reports",
    "Reports that a later report of the same draw replaced or contradicted, of persons whose definitions are "
    "reported and of what those read.",
    "person, variable, draw and report",
    {
        "person_id": PERSON_ID,
        "variable": VARIABLE,
        "time": time("When the blood was drawn."),
        "available": time("From when the earlier value was known."),
        "replaced": time("When the later report was known."),
        "earlier_low": number(
            "as `unit`", "The earlier value, or its lower bound; empty without one."
        ),
        "earlier_high": number(
            "as `unit`", "The earlier value, or its upper bound; empty without one."
        ),
        "later_low": number(
            "as `unit`", "The value after the later report, or its lower bound; empty without one."
        ),
        "later_high": number(
            "as `unit`", "The value after the later report, or its upper bound; empty without one."
        ),
        "unit": UNIT_CANONICAL,
        "change": text(
            "replaced (the later report corrects, or is final after preliminary), both believed (neither says so: "
            "the value is the range of both) or withdrawn (the later report has no usable value)."
        ),
        "no_longer_met": text(
            "Definitions that were met until the later report and not from it on, joined by |; by the clock of the "
            "protocol."
        ),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "variable", "time", "available"),
)
CRITERIA_OVER_TIME: Final = Table(
    "criteria_over_time",
    "Every definition of the cohort over time, from two weeks before time zero to thirty days after. "
    "There is no row while nothing that the definition reads was known.",
    "person, definition and stretch [start, end)",
    {
        "person_id": PERSON_ID,
        "criterion": CRITERION,
        "start": time("When the interval begins."),
        "end": time("When it ends; the end is not part of it."),
        "low": _LOW,
        "high": _HIGH,
        "status": _STATUS,
    },
    key=("person_id", "criterion", "start"),
)
CRITERIA_LOOK_BACKS: Final = Table(
    "criteria_look_backs",
    "The total and status of the definitions with other look-backs, at the reported moment.",
    "person, definition and factor",
    {
        "person_id": PERSON_ID,
        "criterion": CRITERION,
        "moment": MOMENT,
        "factor": number("1", "The factor by which every look-back is multiplied: 0.5 or 2."),
        "time": time("The time of the moment."),
        "low": _LOW,
        "high": _HIGH,
        "status": _STATUS,
    },
    key=("person_id", "criterion", "factor"),
)
