"""The tables of `becalm simulate`: what was given, concentrations over time, exposure, the parameters used."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import Column, Table, number, text

_REGIMEN: Final = text("The regimen, as it was named.")
_HOURS: Final = number("h", "From the start of the simulation.")
_COMMAND: Final = "simulate"


def _quantiles(unit: str, what: str) -> dict[str, Column]:
    """Return columns for the typical patient and for quantiles of the virtual patients."""
    return {
        "typical": number(unit, f"{what} of the typical patient, without spread."),
        "p05": number(unit, f"{what}: a twentieth of the virtual patients lies below."),
        "p25": number(unit, f"{what}: a quarter of the virtual patients lies below."),
        "p50": number(unit, f"{what}: the median of the virtual patients."),
        "p75": number(unit, f"{what}: a quarter of the virtual patients lies above."),
        "p95": number(unit, f"{what}: a twentieth of the virtual patients lies above."),
    }


SIMULATED_CONCENTRATION: Final = Table(
    "simulated_concentration",
    "Simulated concentrations over time, without the error of an assay; after a dose that is given at that hour at once. Not a dosing recommendation.",
    "regimen and hour",
    {
        "regimen": _REGIMEN,
        "hours": _HOURS,
        "rate_mg_h": number("mg/h", "The infusion rate from this hour on, all infusions together."),
        **_quantiles("mg/L", "The concentration in plasma"),
    },
    key=("regimen", "hours"),
    command=_COMMAND,
)
SIMULATED_EXPOSURE: Final = Table(
    "simulated_exposure",
    "Exposure of the same virtual patients by each regimen. Not a dosing recommendation.",
    "regimen, measure and target",
    {
        "regimen": _REGIMEN,
        "measure": text(
            "area (from 0 h), average, peak, average_last_day, trough_last_day, peak_last_day, peak_to_trough (of the last day), "
            "accumulation (average of the last day by that of the first), hours_below (the target), hours_to_target (from 0 h), "
            "average_ratio, peak_ratio, trough_ratio (to the first regimen, in the same patient; the lowest level of the last day)."
        ),
        "target": number("mg/L", "The concentration that the user asked for; empty for measures without one."),
        "unit": text("The unit of the measure."),
        **_quantiles("as `unit`", "The measure"),
        "never": number(
            "1", "The share of virtual patients who never reach the target; empty for other measures."
        ),
    },
    key=("regimen", "measure", "target"),
    command=_COMMAND,
)  # fmt: skip
SIMULATED_ATTAINMENT: Final = Table(
    "simulated_attainment",
    "The share of virtual patients at or above each target over time. Not a dosing recommendation.",
    "regimen, target and hour",
    {
        "regimen": _REGIMEN,
        "target": number("mg/L", "The concentration that the user asked for."),
        "hours": _HOURS,
        "share": number("1", "The share of virtual patients at or above it; without virtual patients 1 or 0, for the typical one."),
    },
    key=("regimen", "target", "hours"),
    command=_COMMAND,
)  # fmt: skip
SIMULATED_DOSES: Final = Table(
    "simulated_doses",
    "What each regimen gives: doses, and changes of the infusion rate.",
    "dose or change",
    {
        "regimen": _REGIMEN,
        "hours": _HOURS,
        "what": text("IV bolus, IV infusion, SC or rate."),
        "amount": number("as `unit`", "The dose, or the rate from this hour on."),
        "unit": text("mg, mg/kg, mg/h or mg/kg/h."),
        "over_h": number("h", "How long an infusion of a dose runs; empty for others."),
        "weight_used": number("kg", "The weight by which a dose per kg is multiplied; empty for others."),
    },
    key=("regimen", "hours", "what"),
    command=_COMMAND,
)  # fmt: skip
OCCUPANCY: Final = Table(
    "occupancy",
    "What share of a receptor plasma would occupy at the average concentration of a daily amount by vein, for each constant of "
    "binding. No effect, no benefit, and not a dosing recommendation.",
    "constant and daily amount",
    {
        "constant": text("The constant, by its name; `own` and a number for those of the user."),
        "constant_mg_l": number("mg/L", "The concentration at which half of the receptor is occupied."),
        "mg_per_day": number("mg/d", "The amount a day, by vein, at a constant rate."),
        "average_mg_l": number("mg/L", "The average concentration of the typical patient of the model."),
        "occupied": number("1", "The share that is occupied."),
        "by_doubling": number("1", "By how much the share rises if the amount is doubled."),
    },
    key=("constant", "constant_mg_l", "mg_per_day"),
    command="occupancy",
)  # fmt: skip
SIMULATED_GRID: Final = Table(
    "simulated_grid",
    "Exposure of the same virtual patients for every combination of one or two covariates, as kidneys and weights. Not a dosing recommendation.",
    "combination, regimen, measure and target",
    {
        "row_covariate": text("The first covariate that has alternatives."),
        "row": text("Which of its alternatives."),
        "column_covariate": text("The second covariate that has alternatives; empty without one."),
        "column": text("Which of its alternatives."),
        "regimen": _REGIMEN,
        "measure": text("As in simulated_exposure."),
        "target": number("mg/L", "The concentration that the user asked for; empty for measures without one."),
        "unit": text("The unit of the measure."),
        **_quantiles("as `unit`", "The measure"),
        "never": number("1", "The share of virtual patients who never reach the target; empty for other measures."),
    },
    key=("row", "column", "regimen", "measure", "target"),
    command=_COMMAND,
)  # fmt: skip
SIMULATED_ENDS: Final = Table(
    "simulated_ends",
    "How regimens compare with the first one in the same patient, with each parameter that is known within a range at both ends of it.",
    "regimen, measure, parameter and end",
    {
        "regimen": _REGIMEN,
        "measure": text("average_ratio, peak_ratio or trough_ratio, as in simulated_exposure."),
        "parameter": text("The parameter that is moved; all others keep their values."),
        "end": text("lowest or highest."),
        "value": number("as `unit`", "The value at this end."),
        "unit": text("The unit of the value."),
        "typical": number("1", "The measure of the typical patient, without spread."),
        "p05": number("1", "The measure: a twentieth of the virtual patients lies below."),
        "p50": number("1", "The measure: the median of the virtual patients."),
        "p95": number("1", "The measure: a twentieth of the virtual patients lies above."),
    },
    key=("regimen", "measure", "parameter", "end"),
    command=_COMMAND,
)  # fmt: skip
MODEL_PARAMETERS: Final = Table(
    "model_parameters",
    "Every parameter of the model that was used, with its origin.",
    "parameter, spread or error",
    {
        "parameter": text("The parameter; `spread of`, `error`, `walk of` and `assumed` before those of these kinds."),
        "part_of": text("What it is part of: clearance, a volume, absorption."),
        "value": number("as `unit`", "The value; of a spread and of a walk the standard deviation of the logarithm."),
        "unit": text("The unit of the value."),
        "scaled_by": text("How it depends on covariates."),
        "low": number("as `unit`", "The lowest value that is plausible; empty where nobody says."),
        "high": number("as `unit`", "The highest value that is plausible; empty where nobody says."),
        "known_to": text("How exactly it is known, in words."),
        "status": text("measured, calibrated or assumed."),
        "source": text("Where it comes from."),
        "verified": Column("flag", "", "Whether somebody has read the number in its source."),
    },
    key=("parameter",),
    command=_COMMAND,
)  # fmt: skip
SIMULATED_MARKERS: Final = Table(
    "simulated_markers",
    "Courses of markers by one regimen, were the assumed chain from concentration to marker true; as multiples of the value before the drug. No forecast of a benefit, not a dosing recommendation.",
    "marker and hour",
    {
        "regimen": _REGIMEN,
        "marker": text("ferritin, crp, ast or alt."),
        "hours": _HOURS,
        "floor": number("1", "What would be left had production stopped at 0 h; nothing falls faster than it breaks down."),
        **_quantiles("1", "The marker as a multiple of its value before the drug"),
    },
    key=("marker", "hours"),
    command="turnover",
)  # fmt: skip
