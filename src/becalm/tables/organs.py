"""Organs: SOFA and vasopressors at the named moments, and suspected infections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from becalm.tables.schema import (
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

ITEMS: Final = {
    "respiration": "PaO₂ by inspired oxygen",
    "coagulation": "Platelets",
    "liver": "Bilirubin",
    "cardiovascular": "Pressure and vasopressors",
    "nervous_system": "Glasgow coma scale",
    "renal": "Creatinine and urine",
}


def _points() -> Iterator[tuple[str, Column]]:
    empty = "at `points_at`, 0 to 4; empty where nothing of it was measured."
    for name, what in ITEMS.items():
        yield name, count("points", f"{what}: the lowest possible points {empty}")
        yield f"{name}_high", count("points", f"{what}: the highest possible points {empty}")


SOFA: Final = Table(
    "sofa",
    "SOFA at time zero and its worst afterwards, as an interval: an item that nobody measured is worth 0 to 4 points.",
    "person and moment",
    {
        "person_id": PERSON_ID,
        "moment_of": text(
            "t0; the worst of 24h, 48h, 72h, d7 after it; at_72h and at_d7: the last moment of these times."
        ),
        "points_at": time(
            "The moment of the items: of a worst total the first one at which the lowest possible total is greatest."
        ),
        "sofa_low": count("points", "The lowest possible total."),
        "sofa_high": count(
            "points",
            "The highest possible total; of a worst total it may be that of another moment.",
        ),
        **dict(_points()),
        "not_measured": text("The items without a value at `points_at`, joined by |."),
        "change_low": number(
            "points", "The lowest possible change of the total since time zero; empty at time zero."
        ),
        "change_high": number(
            "points", "The highest possible change of the total since time zero."
        ),
        "change_of_measured": number(
            "points",
            "The change of the lowest possible points of those items that were measured at time zero and at `points_at`.",
        ),
        "noradrenaline_equivalent": number(
            "µg/kg/min",
            "All vasopressors together at `points_at`, as noradrenaline; empty where none ran or no weight is known.",
        ),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "moment_of"),
)
SUSPECTED_INFECTIONS: Final = Table(
    "suspected_infections",
    "Suspected infections by Sepsis-3: a culture and an antibiotic near each other; with SOFA around them.",
    "person and suspicion",
    {
        "person_id": PERSON_ID,
        "suspected": time("The onset: the earlier of culture and antibiotic."),
        "suspected_is": text(
            "exact; date: only the date of the culture is known; or possible: at some hours of that date the two are not near enough."
        ),
        "hours_after_t0": number("h", "From time zero to the onset."),
        "antibiotic": text("The antibiotic, by its name in the vocabulary."),
        "antibiotic_start": time("When it was first given."),
        "cultured": time(
            "When the culture was collected; the start of the day where only the date is known."
        ),
        "culture_grew": answer(
            "Whether anything grew in the samples of that moment; empty if nothing grew in one and the result of another is pending or not understood."
        ),
        "sofa_before": count("points", "The lowest possible total at the begin of the window."),
        "sofa_worst": count("points", "The greatest lowest possible total in the window."),
        "sofa_worst_high": count("points", "The greatest highest possible total in the window."),
        "sepsis_by_total": answer(
            "Whether the total reached the protocol's rise in the window, taking SOFA before as 0, as published queries do."
        ),
        "sepsis_by_change": answer(
            "Whether the total rose by so much from the begin of the window."
        ),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "suspected", "antibiotic", "antibiotic_start"),
)
