"""Urine and the stage of kidney injury by it."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    PERSON_ID,
    SOURCE_ROW,
    WEIGHT_AGE,
    WEIGHT_KG,
    WEIGHT_SOURCE,
    Table,
    answer,
    count,
    number,
    text,
    time,
)

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
        "weight_source": WEIGHT_SOURCE,
        "weight_age_h": WEIGHT_AGE,
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "charted"),
)
KIDNEY: Final = Table(
    "kidney",
    "The kidney injury of each person: before and after time zero, by which arm, and whether the kidney recovered.",
    "person",
    {
        "person_id": PERSON_ID,
        "status": text(
            "prevalent (a stage at time zero that did not rise after it), worsened (one that did), new, none, "
            "not known (not measured on both sides of time zero), or no stage (end-stage kidney disease)."
        ),
        "stage_before": count("stage", "The worst stage before time zero; empty if unmeasured."),
        "stage_after": count("stage", "The worst stage after it; empty if unmeasured."),
        "creatinine_before": count("stage", "The worst stage by creatinine before time zero."),
        "creatinine_after": count("stage", "The worst stage by creatinine after it."),
        "urine_before": count("stage", "The worst stage by urine before time zero."),
        "urine_after": count("stage", "The worst stage by urine after it."),
        "replacement_before": answer("Whether renal replacement ran before time zero."),
        "replacement_after": answer("Whether it ran after it."),
        "deciding_arms": text(
            "The arms that reach the worst stage of all: creatinine, urine, replacement; joined by |."
        ),
        "first_injury": time("When a stage of 1 or more was first seen."),
        "baseline_mg_dl": number("mg/dL", "The baseline of the person; empty if it is not known."),
        "baseline_way": text(
            "By which way of the protocol it was found: outpatient_median, minimum_before_onset, back_calculated, "
            "rolling_minimum (none is stated), or not known (no way gave one)."
        ),
        "baseline_from": text("The same in words, with how many values."),
        "recovered_at_discharge": answer(
            "Whether the injury was over: no stage for 48 h and no replacement; empty without an injury or if nobody knows."
        ),
        "recovered_at_end": answer("The same at the end of the records."),
        "persistent": answer("Whether the first injury lasted longer than 48 h."),
        "kidney_disease": answer("Whether it was still there 7 d after it began."),
        "urine_windows": count("1", "Charted volumes with a stage by urine while harm counts."),
        "urine_without_weight": count(
            "1", "Such volumes without a stage because no weight is known."
        ),
        "urine_unsure": count("1", "Windows whose stage by urine is a range."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id",),
)
KIDNEY_OVER_TIME: Final = Table(
    "kidney_over_time",
    "The stage of kidney injury over time, by each arm and the worst of all, while harm counts: a row wherever one changes.",
    "person and change",
    {
        "person_id": PERSON_ID,
        "stage_from": time("From when on these are the stages."),
        "stage_until": time("Until when: the next change, or when nothing is known any more."),
        "worst_stage": count(
            "stage",
            "The worst certain stage of the arms that are known, 0 to 3; an arm that is empty may be worse.",
        ),
        "worst_stage_high": count(
            "stage", "The highest possible stage of the arms that are known."
        ),
        "stage_by_creatinine": count(
            "stage", "Of the last draw, for 48 h at most; empty if unmeasured or on replacement."
        ),
        "stage_by_urine": count(
            "stage", "Of the last charted volume, for 24 h at most; empty if unmeasured."
        ),
        "on_replacement": answer(
            "Whether renal replacement ran; empty on a day with a session at an unknown hour."
        ),
        "creatinine_row": text("The row of the creatinine, as table:key; empty without one."),
        "urine_row": text("The row of the volume, as table:key; empty without one."),
        "replacement_row": text("The row of the replacement, as table:key; empty without one."),
    },
    key=("person_id", "stage_from"),
)
CLEARANCE: Final = Table(
    "clearance",
    "Clearance by creatinine at each draw where harm counts: Cockcroft-Gault, CKD-EPI 2021, and kinetic eGFR as a band.",
    "person and draw",
    {
        "person_id": PERSON_ID,
        "drawn": time("When the blood was drawn; a value holds until the next draw, 48 h at most."),
        "drawn_creatinine": number("mg/dL", "The creatinine; of a range its lower bound."),
        "cockcroft_gault_ml_min": number(
            "mL/min", "By Cockcroft and Gault, by the actual weight; empty during replacement."
        ),
        "ckd_epi_2021": number("mL/min/1.73 m²", "eGFR by CKD-EPI 2021; empty during replacement."),
        "kinetic_low_ml_min": number(
            "mL/min",
            "Kinetic eGFR between this draw and the one before it: the lower of two choices of the greatest rise "
            "that anuria can cause (1.5 mg/dL a day, or from the patient's own production).",
        ),
        "kinetic_high_ml_min": number("mL/min", "The same, the higher of the two."),
        "clearance_unknown": text("Why a clearance is empty; empty where none is."),
        "weight_kg": WEIGHT_KG,
        "weight_source": WEIGHT_SOURCE,
        "weight_age_h": WEIGHT_AGE,
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "drawn"),
)
