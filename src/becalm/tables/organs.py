"""Organs: SOFA and vasopressors at the named moments, and suspected infections."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import PERSON_ID, SOURCE_ROW, Table, answer, count, number, text, time


def _points(what: str) -> str:
    return f"{what}: the lowest possible points at time zero or at the end of the window, 0 to 4; empty where nothing of it was measured."


SOFA: Final = Table(
    "sofa",
    "SOFA at time zero and its worst afterwards, as an interval: an item that nobody measured is worth 0 to 4 points.",
    "person and moment",
    {
        "person_id": PERSON_ID,
        "moment_of": text("t0, or the worst of: 24h, 48h, 72h, d7 after it."),
        "sofa_low": count("points", "The lowest possible total."),
        "sofa_high": count("points", "The highest possible total."),
        "respiration": count("points", _points("PaO₂ by inspired oxygen")),
        "coagulation": count("points", _points("Platelets")),
        "liver": count("points", _points("Bilirubin")),
        "cardiovascular": count("points", _points("Pressure and vasopressors")),
        "nervous_system": count("points", _points("Glasgow coma scale")),
        "renal": count("points", _points("Creatinine and urine; the worse of what was measured")),
        "not_measured": text(
            "The items without a value at time zero or at the end of the window, joined by |."
        ),
        "change_low": number(
            "points", "The lowest possible change of the total since time zero; empty at time zero."
        ),
        "change_high": number(
            "points", "The highest possible change of the total since time zero."
        ),
        "change_of_measured": number(
            "points",
            "The change of the lowest possible points of those items that were measured at both moments.",
        ),
        "noradrenaline_equivalent": number(
            "µg/kg/min",
            "All vasopressors together at the moment, as noradrenaline; empty where none ran or no weight is known.",
        ),
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
            "Whether anything grew in that sample; empty if the result is pending or not understood."
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
