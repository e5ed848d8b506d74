"""Urine and the stage of kidney injury by it."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import PERSON_ID, SOURCE_ROW, Table, count, number, text, time

URINE_STAGES: Final = Table(
    "urine_stages",
    "The stage of kidney injury by urine, wherever it changes; a volume is spread over the time since the one before it.",
    "person and change",
    {
        "person_id": PERSON_ID,
        "charted": time("When the volume was charted that ends the windows."),
        "urine_stage": count("stage", "The certain stage, 0 to 3."),
        "urine_stage_high": count(
            "stage", "The highest possible stage, where how much was urine is a range."
        ),
        "decided_by_urine": text("What gave the stage; empty for 0."),
        "per_kg_6h": number(
            "mL/kg/h", "The mean of the 6 h before; empty where not all of them are known."
        ),
        "per_kg_12h": number(
            "mL/kg/h", "The mean of the 12 h before; empty where not all of them are known."
        ),
        "per_kg_24h": number(
            "mL/kg/h", "The mean of the 24 h before; empty where not all of them are known."
        ),
        "urine_weight_kg": number("kg", "The body weight in force, with which it was calculated."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "charted"),
)
