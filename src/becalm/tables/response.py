"""Response, safety and outcome."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    BASELINE,
    CENSORED,
    DIED,
    HOURS_FROM_T0,
    MODIFIED_BY,
    PEAK,
    PERSON_ID,
    SOURCE_ROW,
    VARIABLE,
    Table,
    answer,
    count,
    number,
    text,
    time,
)

_CLOCK: Final = text("The clock from which hours are counted: t0, infusion_start or high_rate.")
_CONFOUNDED: Final = text("Other treatment that could explain the change, joined by |.")

RESPONSE: Final = Table(
    "response",
    "Values before and after each clock, in the variable's own unit.",
    "person, variable and clock",
    {
        "person_id": PERSON_ID,
        "variable": VARIABLE,
        "clock": _CLOCK,
        "baseline": BASELINE,
        "baseline_time": time("When the baseline was drawn."),
        "baseline_hours": number(
            "h", "From the draw of the baseline to the moment hours are counted from."
        ),
        "baseline_old": answer(
            "Whether the baseline is older than old_baseline.toml says; it is used all the same."
        ),
        "peak": PEAK,
        "h24": number("as `unit`", "The value nearest to 24 h in its window."),
        "h48": number("as `unit`", "The value nearest to 48 h in its window."),
        "h48_time": time("When the value at 48 h was drawn."),
        "h72": number("as `unit`", "The value nearest to 72 h in its window."),
        "d7": number("as `unit`", "The value nearest to day 7 in its window."),
        "ratio_48h": number("1", "The value at 48 h as a multiple of the baseline."),
        "censored": CENSORED,
        "status": text(
            "The result at 48 h: fell, did not fall, at least, no sample, both censored, died before or discharged before."
        ),
        "confounded_by": _CONFOUNDED,
        "modified_by": MODIFIED_BY,
        "unit": text("The unit of the values."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "variable", "clock"),
)
SAFETY: Final = Table(
    "safety",
    "Safety events: the worst grade before and after time zero.",
    "person and event",
    {
        "person_id": PERSON_ID,
        "event": text("aki (kidney injury by KDIGO) or an event of CTCAE by a laboratory value."),
        "grade_before": count("grade", "The worst grade (aki: stage) before time zero."),
        "grade_after": count("grade", "The worst grade (aki: stage) after time zero."),
        "grade_by_baseline": count(
            "grade",
            "The worst grade after time zero as CTCAE counts it where the last value until time zero was abnormal: by multiples of "
            "that value. Empty where that value was normal or not measured, and where CTCAE has no such rule.",
        ),
        "onset": time(
            "When the worst grade after was first reached, if it is worse than the one before; else when "
            "a grade of 1 or more was first seen."
        ),
        "hours_from_t0": HOURS_FROM_T0,
        "on_drug": answer("Whether the person was on the drug of interest at the onset."),
        "attribution": text(
            "storm, drug, infection or cannot tell. Reviewers judge it for the person, so it is the same for every event; "
            "without a judgement, and where they differ, it is cannot tell."
        ),
        "reference": text(
            "The baseline or the limit with which the value was compared for the grade."
        ),
        "decided_by": text(
            "Of kidney injury: what decided the worst stage, and whether the rounding of the printed digits could "
            "undo it, before time zero and after it; empty for other events."
        ),
        "injury_on_arrival": text(
            "Of kidney injury: a fall of creatinine of 1.5-fold or more in the first 7 d of the stay, seen backwards; "
            "no part of the stage."
        ),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "event"),
)
KIDNEY_STAGES: Final = Table(
    "kidney_stages",
    "The stage of kidney injury by KDIGO of each creatinine, by when it was drawn, and what decided it.",
    "person and draw",
    {
        "person_id": PERSON_ID,
        "time": time("When the blood was drawn."),
        "creatinine": number("mg/dL", "The creatinine; of a range its lower bound."),
        "stage": count("stage", "The stage by the printed digits, 0 to 3."),
        "stage_low": count(
            "stage", "The lowest stage that the rounding of the printed digits leaves possible."
        ),
        "stage_high": count(
            "stage",
            "The highest possible stage: of a range, or on a day with replacement at an unknown hour.",
        ),
        "stage_by": text(
            "What gave the stage: the baseline, the lowest value of the 7 d before, a rise within 48 h, or the height "
            "of the value; joined by `and`."
        ),
        "by_baseline": count("stage", "The stage by the ratio to the baseline alone."),
        "by_week": count(
            "stage", "The stage by the ratio to the lowest value of the 7 d before alone."
        ),
        "baseline_mg_dl": number("mg/dL", "The baseline of the person; empty if it is not known."),
        "lowest_7d": number(
            "mg/dL", "The lowest value of the 7 d before the draw; empty without another value."
        ),
        "why_range": text("What makes the stage a range; empty where it is none."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "time"),
)
OUTCOME: Final = Table(
    "outcome",
    "The outcome of each person: last contact, discharge, death and maintenance treatment.",
    "person",
    {
        "person_id": PERSON_ID,
        "follow_up_days": number(
            "d", "From time zero to last_contact; 0 where that is before time zero."
        ),
        "follow_up_is": text(
            "What it ends with: death, last contact (recorded, the discharge, or later rows), last record (nothing else is known), or "
            "before time zero (all records end before it). Empty where it is not known."
        ),
        "contact_before_zero": answer(
            "Whether the recorded last contact is before time zero, so that it cannot be the last; empty without one."
        ),
        "last_contact": time(
            "The death; for who did not die the last moment at which the person is known to have been alive; "
            "else the last recorded contact or the discharge, whichever is later; without either the last record."
        ),
        "discharged": time(
            "End of the admission in which the index lies; empty for persons who died in it."
        ),
        "died": DIED,
        "death_time": time("When the person died."),
        "death_time_is": text(
            "exact; date: at some moment of that day; at latest: the last contact says that the person had "
            "died by then."
        ),
        "cause_of_death": text("The causes of death as recorded, joined by |."),
        "infection_linked": answer(
            "Whether the death is linked to infection: the recorded cause names it, or a new bacterial infection began in "
            "the days before it and an antibiotic was still given; empty where the records cannot tell."
        ),
        "infection_active_at_death": answer(
            "Whether a bacterial infection had begun in the days before the death and an antibiotic was still given."
        ),
        "cultures_taken": count(
            "samples",
            "Samples cultured from time zero on that have a result, whatever grew; of one moment and specimen one. Searches for "
            "carriage, for one germ alone and for antibodies are none.",
        ),
        "on_drug_at_death": answer("Whether the person was on the drug of interest at death."),
        "hours_since_dose": number(
            "h",
            "From the end of the last dose of the drug of interest to the death, 0 while it ran; of a death known by its date to the "
            "begin of that day. Empty for who did not die, and without a dose.",
        ),
        "hours_since_dose_high": number(
            "h",
            "The same to the end of the day of a death known by its date; else the same number.",
        ),
        "last_dose_row": text("The row of that dose, as table:key."),
        "storm_active_at_death": answer(
            "Whether the storm was active at death; empty until a clinician has judged it."
        ),
        "storm_at_death": text(
            "The storm by the protocol's definitions at death, from the values of the days before it: definite, possible, "
            "undetermined, not met or not assessed; empty for who did not die."
        ),
        "resolution": text(
            "Whether the storm was over for the protocol's time: certain; possible (temperature was not measured "
            "on every day of it); not reached; unknown (no ferritin or no temperature after time zero); empty if the protocol has no rule."
        ),
        "resolution_time": time("When the storm had been over for that time."),
        "relapse": text(
            "none, relapse, uncertain (near an infection, or something was not measured), not resolved, or unknown "
            "(no last contact after the resolution); empty if the protocol has no rule."
        ),
        "relapse_time": time("When the storm came back, or when an uncertain one would have."),
        "relapse_why": text("What makes it a relapse, or uncertain."),
        "relapse_rows": text("The rows of the records it rests on, as table:key, joined by |."),
        "maintenance_drug": text(
            "Drugs given as maintenance treatment after the last infusion, joined by |."
        ),
    },
    key=("person_id",),
)
PRIMARY: Final = Table(
    "primary",
    "The primary response of the protocol, and falls of its marker by certain shares.",
    "person and clock",
    {
        "person_id": PERSON_ID,
        "clock": _CLOCK,
        "response": text(
            "responded, did not respond, no sample, died before or discharged before."
        ),
        "strict": text("The same, by the last value within the strict horizon."),
        "fall_15": answer("Whether ferritin fell by 15 % or more."),
        "fall_25": answer("Whether ferritin fell by 25 % or more."),
        "fall_50": answer("Whether ferritin fell by 50 % or more."),
        "confounded_by": _CONFOUNDED,
        "reason": text("The ratios that decided the response."),
    },
)
