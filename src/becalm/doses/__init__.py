"""From administrations to rates, amounts, episodes and steps, to the minute, for any drug.

`rebuild` turns the rows of a record into `Doses`; from there `Doses.rate`, `Doses.amounts` and
`Doses.exposure` return when and how much, `treatments` and `continuous_entries` the courses of
treatment, `daily_dose` the mg in each 24 h.
"""

from becalm.doses.calendar import calendar_dose
from becalm.doses.episodes import (
    CONTINUOUS,
    INTERMITTENT,
    STEPS,
    TREATMENT,
    EpisodeRules,
    Infusions,
    Treatments,
    continuous,
    continuous_entries,
    continuous_rate,
    stepped,
    treatments,
)
from becalm.doses.equivalents import EQUIVALENTS, equivalent_rate
from becalm.doses.exposure import DAILY, ROUTES, ROWS, SYSTEMIC, Doses, daily_dose
from becalm.doses.limits import PLAUSIBLE, TOLERANCE
from becalm.doses.plausibility import IMPLAUSIBLE
from becalm.doses.rate_steps import RateStep, steps_up
from becalm.doses.rebuild import rebuild
from becalm.doses.schedules import written_out
from becalm.doses.table import CONTRADICTS, NOT_CONSERVING, kind_of, remarks
from becalm.doses.time_at_dose import time_at_dose
from becalm.doses.units import unknown_units

__all__ = [
    "CONTINUOUS",
    "CONTRADICTS",
    "DAILY",
    "EQUIVALENTS",
    "IMPLAUSIBLE",
    "INTERMITTENT",
    "NOT_CONSERVING",
    "PLAUSIBLE",
    "ROUTES",
    "ROWS",
    "STEPS",
    "SYSTEMIC",
    "TOLERANCE",
    "TREATMENT",
    "Doses",
    "EpisodeRules",
    "Infusions",
    "RateStep",
    "Treatments",
    "calendar_dose",
    "continuous",
    "continuous_entries",
    "continuous_rate",
    "daily_dose",
    "equivalent_rate",
    "exposure",
    "kind_of",
    "rebuild",
    "remarks",
    "stepped",
    "steps_up",
    "time_at_dose",
    "treatments",
    "unknown_units",
    "written_out",
]
