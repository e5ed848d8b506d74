"""Data for the figures and the drill-down of the report; none of these tables is written."""

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
        "time": time("When the value was drawn."),
        "hours_from_t0": HOURS_FROM_T0,
        "low": number("as `unit`", "The lowest possible value."),
        "high": number("as `unit`", "The highest possible value."),
        "unit": text("The unit of low and high."),
        "source_row": SOURCE_ROW,
    },
)
NEAREST: Final = Table(
    "nearest",
    "Persons who came nearest to entering the study, with the reason why they left and the missing items.",
    "person and definition",
    {
        "person_id": PERSON_ID,
        "reason": text("The reason of the step at which the person left."),
        "criterion": CRITERION,
        "low": number("points", "The lowest possible total at the person's peak."),
        "high": number("points", "The highest possible total at the person's peak."),
        "missing": text("Items not assessed, joined by |."),
    },
)
LEFT: Final = Table(
    "left",
    "The persons who left at each step of the attrition.",
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
        "n": count("values", "How often the variable was measured."),
    },
)
ROWS: Final = Table(
    "rows",
    "The rows behind the numbers of the report, as the source wrote them.",
    "row of the records",
    {
        "source_row": SOURCE_ROW,
        "person_id": PERSON_ID,
        "time": time("When the value was drawn, given or recorded."),
        "label": text("The name in the records."),
        "value": text("The value as written."),
        "unit": text("The unit as written."),
        "available": time("When the value was available."),
        "canonical": text("The value as becalm reads it."),
    },
)
DOSE_STEPS: Final = Table(
    "dose_steps",
    "The drugs given to the cohort: intervals of one rate, and single doses.",
    "interval of one rate, or dose",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "drug_class": DRUG_CLASS,
        "route": text("The route."),
        "start": time("When the interval or dose began."),
        "end": time("When the interval ended; for a single dose, its start."),
        "hours_from_t0": HOURS_FROM_T0,
        "end_hours_from_t0": number("h", "From time zero to the end."),
        "rate": number("as `unit` per h", "The rate; empty for a single dose."),
        "amount": number("as `unit`", "The amount."),
        "unit": text("The unit in which the drug's doses are added up: mg, units, mL ..."),
        "label": text("The drug's name in the records."),
        "source_row": SOURCE_ROW,
        "end_assumed": text(
            "Why the end is an assumption: death, end of the stay or limit of the drug."
        ),
    },
)
