"""What the report draws and opens; none of these is written."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    CRITERION,
    DRUG,
    DRUG_CLASS,
    HOURS_FROM_T0,
    PERSON_ID,
    SOURCE_ROW,
    VARIABLE,
    Table,
    count,
    number,
    text,
    time,
)

SERIES: Final = Table(
    "series",
    "Every value of the cohort that a figure draws.",
    "value",
    {
        "person_id": PERSON_ID,
        "variable": VARIABLE,
        "time": time("When it was drawn."),
        "hours_from_t0": HOURS_FROM_T0,
        "low": number("as `unit`", "The lowest possible value."),
        "high": number("as `unit`", "The highest possible value."),
        "unit": text("The unit of low and high."),
        "source_row": SOURCE_ROW,
    },
)
NEAREST: Final = Table(
    "nearest",
    "Persons who came closest to entering, and what kept them out or was missing.",
    "person and definition",
    {
        "person_id": PERSON_ID,
        "reason": text("The step of the attrition at which the person left."),
        "criterion": CRITERION,
        "low": number("points", "The lowest possible total at its peak."),
        "high": number("points", "The highest possible total at its peak."),
        "missing": text("Items not assessed, joined by |."),
    },
)
LEFT: Final = Table(
    "left",
    "Whom each step of the attrition took.",
    "person who left",
    {"person_id": PERSON_ID, "step": count("1", "The number of the step.")},
)
MISSING: Final = Table(
    "missing",
    "How often each variable was measured in the cohort, per day from time zero until death or the "
    "end of the records.",
    "person, variable and day",
    {
        "person_id": PERSON_ID,
        "variable": VARIABLE,
        "day": count("d", "0 is the 24 h before time zero, 1 the first 24 h from it."),
        "n": count("values", "How often it was measured."),
    },
)
ROWS: Final = Table(
    "rows",
    "The rows that the report's numbers rest on, as the source wrote them.",
    "row of the records",
    {
        "source_row": SOURCE_ROW,
        "person_id": PERSON_ID,
        "time": time("When it was drawn, given or recorded."),
        "label": text("What the record calls it."),
        "value": text("The value as written."),
        "unit": text("The unit as written."),
        "available": time("When it could be known."),
        "canonical": text("How becalm reads it."),
    },
)
DOSE_STEPS: Final = Table(
    "dose_steps",
    "What the cohort was given: stretches of one rate, and single doses.",
    "stretch of one rate, or dose",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "drug_class": DRUG_CLASS,
        "route": text("The route."),
        "start": time("When it began."),
        "end": time("When it ended; the start for a single dose."),
        "hours_from_t0": HOURS_FROM_T0,
        "end_hours_from_t0": number("h", "From time zero to the end."),
        "rate": number("as `unit` per h", "The rate; empty for a single dose."),
        "amount": number("as `unit`", "The amount."),
        "unit": text("What the drug is added up in: mg, units, mL ..."),
        "label": text("What the record calls the drug."),
        "source_row": SOURCE_ROW,
    },
)
