"""Administrations become rates, amounts, episodes and steps, to the minute and for any drug.

`rebuild` turns the rows of a record into `Doses`; from there `Doses.rate`, `Doses.amounts` and
`Doses.given` answer when and how much, `treatments` and `continuous_entries` which courses there
were, `daily_dose` how many mg in each 24 h.
"""

from becalm.doses.episodes import (
    CONTINUOUS,
    INTERMITTENT,
    STEPS,
    TREATMENT,
    Infusions,
    Rules,
    Treatments,
    continuous,
    continuous_entries,
    continuous_rate,
    treatments,
)
from becalm.doses.equivalents import EQUIVALENTS, equivalent_rate
from becalm.doses.escalation import Step, steps_up
from becalm.doses.exposure import DAILY, ROUTES, ROWS, SYSTEMIC, Doses, daily_dose
from becalm.doses.rebuild import rebuild

__all__ = [
    "CONTINUOUS",
    "DAILY",
    "EQUIVALENTS",
    "INTERMITTENT",
    "ROUTES",
    "ROWS",
    "STEPS",
    "SYSTEMIC",
    "TREATMENT",
    "Doses",
    "Infusions",
    "Rules",
    "Step",
    "Treatments",
    "continuous",
    "continuous_entries",
    "continuous_rate",
    "daily_dose",
    "equivalent_rate",
    "rebuild",
    "steps_up",
    "treatments",
]
