"""Tables of the treatment: doses, days, episodes, steps, courses, earlier therapies."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    DRUG,
    DRUG_CLASS,
    HOURS_FROM_T0,
    PERSON_ID,
    SOURCE_ROW,
    UNIT_CANONICAL,
    WEIGHT_AGE,
    WEIGHT_KG,
    WEIGHT_REMARK,
    WEIGHT_SOURCE,
    WEIGHT_USED,
    Column,
    Table,
    answer,
    count,
    number,
    text,
    time,
)

_PEAK_RATE: Final = number("as `unit_canonical` per h", "The highest rate.")
_PEAK_RATE_MG: Final = number("mg/h", "The highest rate; empty for a drug not added up in mg.")
_CLEARANCE: Final = number(
    "mL/min",
    "Creatinine clearance by Cockcroft and Gault in force at the step, or at the start of the 24 h (if there is none, the first within the 24 h); empty during renal replacement.",
)
_RRT: Final = answer(
    "Whether renal replacement ran at the step, or within the 24 h; empty if the records have no procedures."
)
_PER_KG: Final = number("as `unit_canonical` per kg", "The amount per kg of weight_used.")
_PAUSED: Final = number("h", "The time of all pauses of the infusion together.")
_PAUSES: Final = count(
    "pauses", "Gaps and rates of 0 of a continuous infusion that do not end the treatment episode."
)

_WRITTEN_AMOUNT: Final = number(
    "as `amount_unit`",
    "The amount as written; if only a rate or an amount per kg was written, the amount calculated from it, the time and the weight.",
)
_AMOUNT_UNIT: Final = text("The unit of amount: as written, without per kg and per time.")
_AMOUNT: Final = number("as `unit_canonical`", "The amount; empty if it is not known.")
_ASSUMED: Final = number(
    "as `unit_canonical`", "The part of the amount from rates whose end is assumed."
)
_CUMULATIVE: Final = number(
    "as `unit_canonical`",
    "The sum of the doses in the episode, or from day 1 to the end of the day; empty if a dose is not known.",
)
_DELIVERED: Final = number("as `unit_canonical` per h", "The rate that was delivered.")
_SET: Final = number("as `unit_canonical` per h", "The rate that was set on the pump.")

DOSES: Final = Table(
    "doses",
    "Every administration of the population, also of drugs that are not in the vocabulary.",
    "row of the records, or dose written out from it",
    {
        "person_id": PERSON_ID,
        "stay_id": text("The stay that the row belongs to."),
        "drug": DRUG,
        "label": text("The drug's name in the records."),
        "route": text("The route, by its name in the vocabulary."),
        "start": time("When the dose began."),
        "end": time("When the dose ended; empty for a single dose."),
        "amount": _WRITTEN_AMOUNT,
        "amount_unit": _AMOUNT_UNIT,
        "rate_per_h": number(
            "as `amount_unit` per h",
            "The amount divided by the time; the rate as written if no amount was written. Empty for a row that is not counted.",
        ),
        "rate_mg_h": number("mg/h", "The rate; empty if it is not a mass."),
        "amount_mg": number("mg", "The amount; empty if it is not a mass."),
        "notation": text("How the dose was written and how it was read."),
        "source_row": SOURCE_ROW,
        "status": text("given, stopped, not given or ordered."),
        "flag": text("Remarks about the row, joined by |."),
        "amount_canonical": _AMOUNT,
        "rate_canonical_per_h": _DELIVERED,
        "set_canonical_per_h": _SET,
        "unit_canonical": UNIT_CANONICAL,
        "weight_kg": WEIGHT_KG,
        "weight_source": WEIGHT_SOURCE,
        "weight_age_h": WEIGHT_AGE,
        "end_assumed": text(
            "Why the end of a rate without a written end is an assumption: death, end of the stay or limit of the drug."
        ),
    },
    key=("person_id", "drug", "start", "end", "source_row"),
)
DAILY_DOSE: Final = Table(
    "daily_dose",
    "The amount of each drug given to the cohort in each 24 h. Day 1 begins at time zero for the drug of interest, and with the first dose for every other drug.",
    "person, drug and 24 h",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "day": count("d", "The number of the 24 h, from 1."),
        "mg": number("mg", "The amount given; empty for a drug not added up in mg."),
        "peak_rate_mg_h": _PEAK_RATE_MG,
        "mg_per_kg": number("mg/kg", "The amount per kg of weight_used."),
        "weight_used": WEIGHT_USED,
        "weight_source": WEIGHT_SOURCE,
        "weight_age_h": WEIGHT_AGE,
        "crcl_ml_min": _CLEARANCE,
        "rrt": _RRT,
        "unit_canonical": UNIT_CANONICAL,
        "amount_canonical": _AMOUNT,
        "peak_rate_canonical_per_h": _PEAK_RATE,
        "amount_canonical_per_kg": _PER_KG,
        "cumulative_canonical": _CUMULATIVE,
        "weight_remark": WEIGHT_REMARK,
        "assumed_end_canonical": _ASSUMED,
    },
    key=("person_id", "drug", "day"),
)
CALENDAR_DOSE: Final = Table(
    "calendar_dose",
    "The amount of each drug given to the cohort on each date, from midnight to midnight.",
    "person, drug and date",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "date": time("The date, at 00:00."),
        "day": count("d", "The number of the date; 1 is the date of the first dose."),
        "mg": number("mg", "The amount given; empty for a drug not added up in mg."),
        "amount_canonical": _AMOUNT,
        "unit_canonical": UNIT_CANONICAL,
        "peak_rate_canonical_per_h": _PEAK_RATE,
        "weight_used": WEIGHT_USED,
        "weight_source": WEIGHT_SOURCE,
        "weight_age_h": WEIGHT_AGE,
        "amount_canonical_per_kg": _PER_KG,
        "weight_remark": WEIGHT_REMARK,
    },
    key=("person_id", "drug", "date"),
)
EPISODES: Final = Table(
    "episodes",
    "Treatment episodes: doses of one mode no further apart than the gap of that mode. Rates, steps and "
    "pauses are those of continuous infusions; amounts are empty if a dose is not known.",
    "person, drug and treatment episode",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "mode": text("continuous IV, intermittent IV, SC, IM or oral; empty if nobody says it."),
        "start": time("When the episode began."),
        "end": time("When its last dose ended."),
        "cumulative_mg": number("mg", "The sum of all doses; empty if a dose is not known."),
        "peak_rate_mg_h": _PEAK_RATE_MG,
        "peak_mg_day": number("mg/d", "The highest rate times 24."),
        "max_24h_mg": number("mg", "The largest amount given in any 24 h."),
        "escalations": count("steps", "Steps up of the continuous rate."),
        "hours_to_peak": number("h", "From the start of the episode to its highest rate."),
        "unit_canonical": UNIT_CANONICAL,
        "cumulative_canonical": _CUMULATIVE,
        "peak_rate_canonical_per_h": _PEAK_RATE,
        "max_24h_canonical": number("as `unit_canonical`", "The largest amount given in any 24 h."),
        "pauses": _PAUSES,
        "paused_hours": _PAUSED,
        "assumed_end_canonical": _ASSUMED,
    },
    key=("person_id", "drug", "start"),
)
_WORSE: Final = (
    "was worse in the protocol's window before the step; empty if the values do not tell."
)
ESCALATIONS: Final = Table(
    "escalations",
    "Each step up or down of a continuous infusion of the cohort from time zero, and what there was "
    "before it.",
    "person, drug and step",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "episode_start": time("When the treatment episode began that the step belongs to."),
        "step_in_episode": count("1", "The number of the step in its episode and direction."),
        "time": time("When the rate was changed."),
        "hours_from_t0": HOURS_FROM_T0,
        "hours_from_start": number("h", "From the start of the episode to the step."),
        "hours_since_last": number(
            "h", "From the step before, or from the start of the episode if there is none."
        ),
        "from_rate": number("as `unit_canonical` per h", "The rate before the step."),
        "to_rate": number("as `unit_canonical` per h", "The rate after the step."),
        "to_rate_per_kg": number(
            "as `unit_canonical` per kg and h", "The rate after the step per kg of weight_used."
        ),
        "weight_used": WEIGHT_USED,
        "weight_source": WEIGHT_SOURCE,
        "weight_age_h": WEIGHT_AGE,
        "ferritin": answer(f"Whether ferritin {_WORSE}"),
        "ast": answer(f"Whether AST {_WORSE}"),
        "temperature": answer(f"Whether temperature {_WORSE}"),
        "vasopressor": answer(f"Whether the need of vasopressors {_WORSE}"),
        "crcl_ml_min": _CLEARANCE,
        "rrt": _RRT,
        "unit_canonical": UNIT_CANONICAL,
        "crcl_rows": text("The rows from which the clearance is calculated, joined by |."),
        "direction": text("up or down."),
        "weight_remark": WEIGHT_REMARK,
    },
    key=("person_id", "drug", "time"),
)
COURSES: Final = Table(
    "courses",
    "The whole course of treatment with a drug from time zero: steps up, highest rate, steps down and pauses. Without a continuous infusion only modes and switches are filled.",
    "person and drug",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "modes": text("The modes in their order, for example SC > continuous IV > SC."),
        "ceiling_per_day": number(
            "as `unit_canonical` per d", "The highest continuous rate times 24."
        ),
        "hours_to_ceiling": number("h", "From the first dose by any route to the highest rate."),
        "hours_at_ceiling": number("h", "How long the infusion ran at this highest rate."),
        "steps_up": count("steps", "Steps up."),
        "steps_down": count("steps", "Steps down."),
        "taper_hours": number(
            "h", "From the first step down after the highest rate to the end of the infusion."
        ),
        "unit_canonical": UNIT_CANONICAL,
        "pauses": _PAUSES,
        "paused_hours": _PAUSED,
        "switches": count("changes", "Changes of mode; a change back counts too."),
        "any_end_assumed": answer(
            "Whether the end of a rate in the course is assumed: neither written nor the next row of the drug."
        ),
    },
    key=("person_id", "drug"),
)
TIME_AT_DOSE: Final = Table(
    "time_at_dose",
    "The time from time zero during which the drug of interest was given at or above an amount a day.",
    "person, drug and level",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "level_per_day": number(
            "as `unit_canonical` per d", "The amount a day, as the protocol gives it."
        ),
        "unit_canonical": UNIT_CANONICAL,
        "first_reached": time(
            "First moment from time zero at which the continuous rate times 24 was at this amount or above."
        ),
        "hours_at_rate": number(
            "h",
            "How long the continuous rate times 24 was at this amount or above; empty if a dose is not "
            "known.",
        ),
        "hours_at_24h": number(
            "h",
            "How long the amount given in the last 24 h, by any systemic route, was at this amount or above; empty if a dose "
            "is not known.",
        ),
    },
    key=("person_id", "drug", "level_per_day"),
)
DOSE_REMARKS: Final = Table(
    "dose_remarks",
    "Every remark about a row of doses: refused, implausible, contradicting, overlapping and others.",
    "row of the records and remark",
    {
        "person_id": PERSON_ID,
        "remark": text("The kind of remark."),
        "detail": text("The remark with the numbers of its row."),
        "drug": DRUG,
        "label": text("The drug's name in the records."),
        "start": time("When the dose began."),
        "end": time("When the dose ended; empty for a single dose."),
        "amount": _WRITTEN_AMOUNT,
        "amount_unit": _AMOUNT_UNIT,
        "rate_canonical_per_h": _DELIVERED,
        "set_canonical_per_h": _SET,
        "unit_canonical": UNIT_CANONICAL,
        "counted": Column("flag", "", "Whether the dose is counted although there is a remark."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "remark", "drug", "start", "source_row"),
)
_FIRST: Final = time("When the first dose began.")
_LAST: Final = time("When the last dose before time zero ended, at the latest time zero.")
_DOSES: Final = count(
    "doses", "Administrations; infusions that follow one another without a gap are one."
)
PREVIOUS_THERAPY: Final = Table(
    "previous_therapy",
    "Systemic immunotherapies begun before time zero, and whether the storm was refractory to them.",
    "person and drug",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "first": _FIRST,
        "last": _LAST,
        "doses": _DOSES,
        "peak_equivalent": number(
            "mg/kg", "Glucocorticoids: the highest prednisolone equivalent per kg in 24 h."
        ),
        "weight_sources": text("The sources of the weights of its doses, joined by |."),
        "refractory": answer(
            "Whether the storm was refractory to the drug, by the protocol's rule."
        ),
        "drug_class": DRUG_CLASS,
        "begun": time("When the last course of the drug before time zero began."),
        "total_mg": number("mg", "The sum of the doses in that course until time zero."),
        "hours_before_t0": number("h", "From the end of the last dose to time zero."),
        "acts_until": time("Until when the drug could explain a response, by the protocol."),
        "reason": text("The reason for the value of refractory."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "drug", "first"),
)
