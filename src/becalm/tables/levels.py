"""The tables of `becalm levels`: levels and what was predicted of them, what was learned, curves, doses, scores."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import PERSON_ID, Column, Table, count, number, text, time

_COMMAND: Final = "levels"
_COURSE: Final = count("1", "The course of treatment of this person: a new one begins after ten days without a dose and without a level.")  # fmt: skip
_HOURS: Final = number("h", "From the beginning of the course.")


def _predicted(how: str, by: str) -> dict[str, Column]:
    """Return the columns of one prediction of what would be measured."""
    return {
        f"{how}_p05": number("mg/L", f"What would be measured, by {by}: a twentieth lies below."),
        f"{how}_p50": number("mg/L", f"What would be measured, by {by}: the median."),
        f"{how}_p95": number("mg/L", f"What would be measured, by {by}: a twentieth lies above."),
    }


LEVELS: Final = Table(
    "levels",
    "Measured concentrations beside what was predicted of each before it was known. Not a dosing recommendation.",
    "level",
    {
        "person_id": PERSON_ID,
        "course": _COURSE,
        "hours": _HOURS,
        "time": time("When it was drawn; empty where only hours were given."),
        "low": number("mg/L", "The lowest possible concentration; 0 for a result below the assay's limit."),
        "high": number("mg/L", "The highest possible concentration; infinite for a result above the assay's limit."),
        "since_dose_h": number("h", "From the beginning of the last dose before it; empty without one."),
        "last_dose_mg": number("mg", "The last dose before it; empty without one, or of unknown amount."),
        **_predicted("model", "the model alone"),
        **_predicted("fixed", "the levels before it and a clearance that does not move"),
        **_predicted("walk", "the levels before it and a clearance that moves"),
        "last_level": number("mg/L", "The last level before it that could be used."),
        "innovation": number("1", "Where it lies in what was predicted (walk), in standard deviations."),
        "crps_model": number("1", "Score of the logarithm (CRPS), by the model alone; small is good."),
        "crps_fixed": number("1", "Score of the logarithm (CRPS), by a fixed clearance."),
        "crps_walk": number("1", "Score of the logarithm (CRPS), by a moving clearance."),
        "used": Column("flag", "", "Whether it updated the patient."),
        "reason": text("Why it was not used, or what may be wrong with it; empty where nothing is."),
        "draws_worth": number("1", "How many draws of equal weight the prediction rests on."),
        "source_row": text("The row of the records, as table:key."),
    },
    key=("person_id", "course", "hours"),
    command=_COMMAND,
)  # fmt: skip
LEVEL_UPDATES: Final = Table(
    "level_updates",
    "What the levels of a course say of the patient's clearance of the drug at its end. Not a dosing recommendation.",
    "course",
    {
        "person_id": PERSON_ID,
        "course": _COURSE,
        "start": time("When the course began; empty where only hours were given."),
        "hours": number("h", "From the beginning to the last dose or level: this moment is now."),
        "doses": count("doses", "Doses of the drug."),
        "levels": count("levels", "Measured levels."),
        "levels_used": count("levels", "Levels that updated the patient."),
        "clearance_model": number("L/h", "Clearance of the drug now, of the typical patient with these covariates."),
        "clearance_before_p05": number("L/h", "Before the levels: a twentieth of such patients lies below."),
        "clearance_before_p95": number("L/h", "Before the levels: a twentieth of such patients lies above."),
        "clearance_p05": number("L/h", "After the levels: the probability to be below is a twentieth."),
        "clearance_p50": number("L/h", "After the levels: the median."),
        "clearance_p95": number("L/h", "After the levels: the probability to be above is a twentieth."),
        "clearance_fixed": number("L/h", "The most probable clearance if it does not move (maximum a posteriori)."),
        "central_volume_fixed": number("L", "The most probable central volume if clearance does not move."),
        "shrinkage": number("1", "How much of the variance of log clearance is left: 1 where levels said nothing, 0 where they say all."),
        "draws_worth": number("1", "How many draws of equal weight the numbers rest on."),
        "remarks": text("What was assumed or lies outside what the model was studied in; or why the course could not be looked at."),
    },
    key=("person_id", "course"),
    command=_COMMAND,
)  # fmt: skip
LEVEL_CURVES: Final = Table(
    "level_curves",
    "Concentrations given the levels that were used: until now, and in three named futures of the kidney. Not a dosing recommendation.",
    "course, future and hour",
    {
        "person_id": PERSON_ID,
        "course": _COURSE,
        "future": text("`past`; or from now on: `goes_on` (clearance changes as it did lately), `stays`, `recovers`."),
        "hours": number("h", "From the beginning of the course."),
        "p05": number("mg/L", "The concentration, without the error of an assay: 5 %."),
        "p25": number("mg/L", "The concentration: 25 %."),
        "p50": number("mg/L", "The concentration: the median."),
        "p75": number("mg/L", "The concentration: 75 %."),
        "p95": number("mg/L", "The concentration: 95 %."),
    },
    key=("person_id", "course", "future", "hours"),
    command=_COMMAND,
)  # fmt: skip
LEVEL_DOSES: Final = Table(
    "level_doses",
    "The doses that levels were compared with.",
    "dose",
    {
        "person_id": PERSON_ID,
        "course": _COURSE,
        "hours": _HOURS,
        "time": time("When it began; empty where only hours were given."),
        "mg": number("mg", "The dose; empty where nobody knows."),
        "over_h": number("h", "How long it ran; 0 for one that was given at once."),
        "route": text("iv or sc."),
        "origin": text("Where the amount and the length come from: written, from the order, assumed."),
        "source_row": text("The row of the records, as table:key."),
    },
    key=("person_id", "course", "hours", "source_row"),
    command=_COMMAND,
)  # fmt: skip
LEVEL_SCORES: Final = Table(
    "level_scores",
    "How well levels were predicted that have an earlier one in their course: the same levels by every method.",
    "method",
    {
        "method": text("`model` (without levels), `fixed` (clearance does not move), `walk` (it moves), `last` (the last level kept)."),
        "levels": count("levels", "Levels compared."),
        "persons": count("persons", "Persons they are of.", persons=True),
        "crps": number("1", "Mean score of the logarithm (CRPS); small is good."),
        "fold_error": number("1", "Median fold error of the predicted median."),
        "coverage": number("1", "Share of the levels inside the interval of 90 %."),
        "walk_ratio": number("1", "CRPS of `walk` by that of this method: below 1 where the walk is better."),
        "walk_ratio_low": number("1", "Of this ratio, 2.5 % when persons are drawn with replacement; empty below five persons."),
        "walk_ratio_high": number("1", "Of this ratio, 97.5 %."),
    },
    key=("method",),
    command=_COMMAND,
)  # fmt: skip
