"""Tables of concentrations that a model gives for the doses of the cohort. Empty in a study that names no model."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    DRUG,
    HOURS_FROM_T0,
    PERSON_ID,
    SOURCE_ROW,
    Column,
    Table,
    number,
    text,
    time,
)

_MODEL: Final = text("The pharmacokinetic model, by its name.")
_EPISODE_START: Final = time("When the treatment episode began.")
_MODE: Final = text("continuous IV, intermittent IV, SC, IM or oral; empty if nobody says it.")
_LOW: Final = "a twentieth of the virtual patients lies below; empty where the model has no spread between patients."
_HIGH: Final = "a twentieth of the virtual patients lies above; empty where the model has no spread between patients."
_NOT_ALL: Final = "empty where a part of that time could not be calculated."


def _band(name: str, unit: str, what: str, also: str = "") -> dict[str, Column]:
    """Return the columns of a measure: of the model's typical patient with this weight and kidney, and of virtual ones."""
    return {
        name: number(unit, f"{what}, of the typical patient of the model with this person's covariates; {also or _NOT_ALL}"),
        f"{name}_p05": number(unit, f"The same: {_LOW}"),
        f"{name}_p95": number(unit, f"The same: {_HIGH}"),
    }  # fmt: skip


_AREA: Final = "Area under the concentration from `episode_begin` to `until`"
_AVERAGE: Final = "Average concentration while the episode lasted, to `episode_end`; of single doses until the last one"
EXPOSURE: Final = Table(
    "exposure",
    "Exposure by the real doses and the kidney over time, as a model gives it; all doses of the drug together. "
    "Simulated, not a dosing recommendation. Empty in a study that names no model.",
    "person, drug and treatment episode",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "episode_begin": _EPISODE_START,
        "episode_mode": _MODE,
        "episode_end": time("When its last dose ended."),
        "until": time(
            "The end of the time that is added up: the next episode, death, or the time after which nothing of a dose is left."
        ),
        **_band("auc_mg_h_l", "mg·h/L", _AREA),
        **_band("css_mg_l", "mg/L", _AVERAGE, "empty for one single dose, and where a part of that time could not be calculated."),
        **_band("peak_mg_l", "mg/L", "Highest concentration at the calculated hours from `episode_begin` to `until`"),
        "target_mg_l": number("mg/L", "The concentration that the protocol asks for; none ships with becalm."),
        **_band("hours_above_target", "h", "Hours at or above this concentration from `episode_begin` to `until`"),
        "auc_least_cleared": number(
            "mg·h/L",
            "The area of the typical patient where all that is assumed of the kidney and of renal replacement clears least; empty "
            "where nothing is assumed.",
        ),
        "auc_most_cleared": number("mg·h/L", "The same where it clears most."),
        "not_computed": text("Why a part was not calculated; empty if all was."),
        "computed_until": time("From when on it was not calculated; empty if all was."),
        "hours_too_old": number(
            "h",
            "Hours from `episode_begin` to `until` at which the newest clearance was older than a creatinine is valid, or its creatinine was "
            "a range: the last clearance was carried on.",
        ),
        "hours_carried_back": number(
            "h", "Hours before the first creatinine, for which the first clearance was taken."
        ),
        "hours_replaced": number(
            "h",
            "Hours of renal replacement, with the time until the next creatinine that tells of the kidney: the kidney's own clearance is assumed.",
        ),
        "extrapolated": text("What lies outside the studied patients, joined by |; empty if nothing does."),
        "exposure_remarks": text("What else is to be known of the row, joined by |."),
        "clearance_by": text("cockcroft_gault, ckd_epi_2021 or kinetic; empty for a model without the kidney."),
        "weight_taken": number("kg", "The weight in force at the first dose, used for the whole time; empty for a model without it."),
        "model": _MODEL,
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "drug", "episode_begin", "episode_mode"),
)  # fmt: skip
EXPOSURE_BY_DOSE: Final = Table(
    "exposure_by_dose",
    "The same at each dose level: while an infusion ran at one rate, or from dose to dose of one amount. All times of one level "
    "in an episode together. Not a dosing recommendation.",
    "person, drug, treatment episode and dose level",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "episode_begin": _EPISODE_START,
        "episode_mode": _MODE,
        "dose_level": number("as `dose_level_unit`", "The infusion rate, or the amount of a single dose."),
        "dose_level_unit": text("mg/h or mg."),
        "first_at_level": time("When it first was at this level."),
        "hours_at_level": number(
            "h", "How long, of the time that could be calculated; the last single dose of an episode has no end and is left out."
        ),
        **_band("average_mg_l", "mg/L", "Average concentration in this time", "in the hours of `hours_at_level`."),
        **_band("peak_at_level", "mg/L", "Highest concentration in this time", "in the hours of `hours_at_level`."),
        "model": _MODEL,
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "drug", "episode_begin", "episode_mode", "dose_level"),
)  # fmt: skip
EXPOSURE_OVER_TIME: Final = Table(
    "exposure_over_time",
    "The concentration that a model gives from 14 days before time zero to 30 days after it, hour by hour from the first dose and "
    "wherever a dose or the kidney changes; after a dose that is given at that moment at once. Not a dosing recommendation.",
    "person, drug and moment",
    {
        "person_id": PERSON_ID,
        "drug": DRUG,
        "at_time": time("The moment."),
        "hours_from_t0": HOURS_FROM_T0,
        "infused_mg_h": number("mg/h", "The infusion rate from this moment on, all infusions together."),
        "typical": number("mg/L", "The concentration of the typical patient with this person's covariates."),
        "p05": number("mg/L", "A twentieth of the virtual patients lies below."),
        "p25": number("mg/L", "A quarter of the virtual patients lies below."),
        "p50": number("mg/L", "The median of the virtual patients."),
        "p75": number("mg/L", "A quarter of the virtual patients lies above."),
        "p95": number("mg/L", "A twentieth of the virtual patients lies above."),
        "least_cleared": number(
            "mg/L", "Of the typical patient where all that is assumed of the kidney and of renal replacement clears least."
        ),
        "most_cleared": number("mg/L", "The same where it clears most."),
        "creatinine_clearance": number("mL/min", "The clearance by creatinine that was used; empty for a model without the kidney."),
        "clearance_state": text(
            "measured; too old (carried on); later (the first one, before it was measured); renal replacement (assumed); empty for "
            "a model without the kidney."
        ),
    },
    key=("person_id", "drug", "at_time"),
)  # fmt: skip
EXPOSURE_PARAMETERS: Final = Table(
    "exposure_parameters",
    "Every parameter of the models by which exposure was calculated, with its origin.",
    "model and parameter, spread or error",
    {
        "model": _MODEL,
        "parameter": text("The parameter; `spread of` and `error` before those of these kinds."),
        "part_of": text("What it is part of: clearance, a volume, absorption."),
        "value": number("as `unit`", "The value; of a spread the standard deviation of the logarithm."),
        "unit": text("The unit of the value."),
        "scaled_by": text("How it depends on covariates."),
        "plausible_low": number("as `unit`", "The lowest value that is plausible; empty where nobody says."),
        "plausible_high": number("as `unit`", "The highest value that is plausible; empty where nobody says."),
        "known_to": text("How exactly it is known, in words."),
        "origin": text("measured, calibrated or assumed."),
        "source": text("Where it comes from."),
        "read_in_source": Column("flag", "", "Whether somebody has read the number in its source."),
    },
    key=("model", "parameter"),
)  # fmt: skip
