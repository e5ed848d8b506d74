"""Time at risk of an infection by the dose before it, and the rates of infection and death in it."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import PERSON_ID, UNIT_CANONICAL, Table, count, number, text, time

END_EVENT: Final = text(
    "What ends the time: bacterial infection, death (before one), death in hospital, discharge alive, or death anywhere."
)
_LAG: Final = number(
    "h",
    "How long before each moment the dose is taken: a dose that is cut because an infection is suspected "
    "does not hide the dose that was given before.",
)
_DOSE_24H: Final = number(
    "as `unit_canonical`", "The dose in the 24 h before the stretch or the day begins."
)
_DAYS_HIGH: Final = number(
    "d", "The days at or above the high dose, from time zero until the stretch or the day begins."
)
_CUMULATIVE: Final = number(
    "as `unit_canonical`", "The total dose from time zero until the stretch or the day begins."
)

PERSON_TIME: Final = Table(
    "person_time",
    "Time at risk of a new bacterial infection, cut wherever the band of a dose changes (counting process).",
    "person, lag and stretch of time",
    {
        "person_id": PERSON_ID,
        "lag_h": _LAG,
        "start": time("When the stretch begins; not part of it."),
        "stop": time("When the stretch ends; an event at this moment belongs to it."),
        "start_h": number("h", "Hours from time zero to the start."),
        "stop_h": number("h", "Hours from time zero to the stop."),
        "days": number("d", "The time that passes from start to stop."),
        "dose_24h_band": text(
            "The band of the dose in the previous 24 h; `all` where the study has no drug of interest."
        ),
        "days_high_band": text("The band of the days so far at or above the high dose."),
        "cumulative_band": text("The band of the total dose so far, from time zero."),
        "dose_24h": _DOSE_24H,
        "days_high": _DAYS_HIGH,
        "cumulative": _CUMULATIVE,
        "unit_canonical": UNIT_CANONICAL,
        "infected": count(
            "1",
            "1 where a new bacterial infection ends the stretch, else 0; -1 where nobody knows: on all stretches of who had no "
            "sample for culture with a result from time zero on, or a sample that may show an infection and may be from before the "
            "risk began; and on the last stretch where `ended_by` is possible infection.",
        ),
        "ended_by": text(
            "On the last stretch of a person: bacterial infection, possible infection (a sample that may show a new one), death, "
            "discharge, last dose (some time after it, as the protocol says) or end of records; otherwise empty."
        ),
    },
    key=("person_id", "lag_h", "start"),
)
EVENT_RATES: Final = Table(
    "event_rates",
    "New bacterial infections and deaths for each 100 days at risk, by dose band and lag, with exact intervals.",
    "measure of dose, lag, event and band",
    {
        "metric": text(
            "What the bands are of: all, dose_24h, days_high or cumulative, as in `person_time`."
        ),
        "lag_h": _LAG,
        "end_event": END_EVENT,
        "band_number": count("1", "The place of the band, lowest dose first."),
        "band": text("The band of the dose; unknown where a dose has no known amount."),
        "persons_at_risk": count(
            "persons",
            "Persons with time in the band of whom it is known until the end of that time whether they had an infection.",
            persons=True,
        ),
        "persons_unknown": count(
            "persons",
            "Persons with time in the band of whom no sample for culture has a result, or what may be an infection may be from "
            "before the risk began: whether they had one is not known, so neither they nor their days are counted.",
            persons=True,
        ),
        "person_days": number("d", "Days at risk in the band."),
        "events": count("persons", "Persons whose first event lies in the band.", persons=True),
        "events_possible": count(
            "persons",
            "Persons whose time ends in the band at a sample that may show a new infection: they may be events too.",
            persons=True,
        ),
        "per_100_days": number("1/(100 d)", "Events for each 100 days at risk."),
        "per_100_days_high": number(
            "1/(100 d)", "The same if every possible event is one; else the same number."
        ),
        "rate_low": number(
            "1/(100 d)",
            "Lower end of the exact 95 % interval (Poisson), if no possible event is one.",
        ),
        "rate_high": number(
            "1/(100 d)", "Upper end of the exact 95 % interval, if every possible event is one."
        ),
    },
    key=("metric", "lag_h", "end_event", "band_number"),
)
EMULATION: Final = Table(
    "emulation",
    "The days at risk of each person, in the form that packages for the emulation of trials read.",
    "person and day",
    {
        "person_id": PERSON_ID,
        "period": count("d", "The day at risk, from 0."),
        "eligible": count(
            "1", "1 where the person has had no day at the high dose before this day, else 0."
        ),
        "treatment": count(
            "1",
            "1 where the dose in the 24 h before the day was at or above the high dose, else 0; -1 unknown.",
        ),
        "outcome": count(
            "1",
            "1 where a new bacterial infection ends the day, else 0; -1 where nobody knows, as `infected` in `person_time`.",
        ),
        "risk_ended": count(
            "1", "1 where the time at risk ends with this day by anything but an infection, else 0."
        ),
        "death": count("1", "1 where death before an infection ends the day, else 0."),
        "age": count("completed years", "Age at time zero."),
        "female": count("1", "1 for women, 0 for men."),
        "dose_24h": _DOSE_24H,
        "days_high": _DAYS_HIGH,
        "cumulative": _CUMULATIVE,
        "unit_canonical": UNIT_CANONICAL,
        "ferritin_ng_ml": number(
            "ng/mL", "The value in force when the day begins; empty where only a limit is known."
        ),
        "crp_mg_l": number(
            "mg/L", "The value in force when the day begins; empty where only a limit is known."
        ),
        "platelets_10_9_l": number(
            "10⁹/L", "The value in force when the day begins; empty where only a limit is known."
        ),
        "creatinine_mg_dl": number(
            "mg/dL", "The value in force when the day begins; empty where only a limit is known."
        ),
    },
    key=("person_id", "period"),
)
