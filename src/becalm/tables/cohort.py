"""Who was studied: the steps to the cohort, the persons, the measurements and the rows that were refused."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    CENSORED,
    PERSON_ID,
    VARIABLE,
    WEIGHT_AGE,
    WEIGHT_KG,
    WEIGHT_REMARK,
    WEIGHT_SOURCE,
    Table,
    answer,
    count,
    number,
    text,
    time,
)

ROWS_REFUSED: Final = Table(
    "rows_refused",
    "Rows of the records that were not used, and why.",
    "table, variable, unit and reason",
    {
        "source_table": text("The table of the records that contains the rows."),
        "variable": text(
            "The variable or the drug; `(not in the vocabulary)` if the name in the rows is not known."
        ),
        "unit": text("The unit as written; empty if none was written."),
        "reason": text("Why the rows were not used."),
        "rows": count("rows", "The number of rows."),
        "example": text("One of the rows, as written."),
    },
    key=("source_table", "variable", "unit", "reason"),
)
NOT_UNDERSTOOD: Final = Table(
    "not_understood",
    "Labels of the records that nobody here knows: drugs, diagnoses, procedures, findings, tests, routes, units, specimens, organisms and statuses.",
    "kind, name, code and what it belongs to",
    {
        "what": text(
            "drug, route, diagnosis, procedure, finding, test, unit, specimen, organism or status."
        ),
        "written": text("The name as written; empty where the row has only a code."),
        "code": text("The code as written; empty where none was."),
        "code_system": text("The system of the code, as written."),
        "about": text(
            "What a unit, a specimen or a status belongs to: a variable, a drug, or a column of a sheet."
        ),
        "reason": text("Why nobody knows what is meant."),
        "rows": count("rows", "Rows of the records with this name and code."),
        "persons_with": count("persons", "Persons with such a row.", persons=True),
        "first_row": text("The first of the rows, as table:key."),
        "nearest": text(
            "The entry of the vocabulary with the most similar name; a guess, never used."
        ),
    },
    key=("what", "written", "code", "code_system", "about"),
)
ATTRITION: Final = Table(
    "attrition",
    "The steps from all persons in the records to the cohort, with the persons who remain after each step.",
    "step",
    {
        "step": count("1", "The number of the step; 0 is all persons."),
        "persons": count("persons", "Persons who remain after the step.", persons=True),
        "stays": count("stays", "Stays in hospital of the persons who remain.", persons=True),
        "reason": text("The reason why persons left at this step."),
        "undetermined": count(
            "persons",
            "Persons who remain although the records leave the reason of this step open for them.",
            persons=True,
        ),
        "rows": count("rows", "Measurements and administrations of the persons who remain."),
    },
    key=("step",),
)
DISPUTED_DEATHS: Final = Table(
    "disputed_deaths",
    "Deaths that other rows of the records contradict: whether these persons died is unknown until the records are corrected.",
    "person and row that contradicts",
    {
        "person_id": PERSON_ID,
        "claimed": time(
            "The earliest death in the records; of a death known by its date, the end of that day."
        ),
        "claimed_row": text("The row that says so, as table:key."),
        "contradicted": time("The later moment at which the person lived by another row."),
        "contradicted_row": text("That row, as table:key."),
        "how": text("In what the other row contradicts the death."),
    },
    key=("person_id", "contradicted", "contradicted_row"),
)
VALUES: Final = Table(
    "values",
    "The measurements of all persons in the population, in the variable's own unit.",
    "person and variable",
    {
        "person_id": PERSON_ID,
        "variable": VARIABLE,
        "n": count("values", "Values that could be used."),
        "n_censored": count("values", "Of these, values reported as a limit (`>15000`)."),
        "n_derived": count(
            "values",
            "Of these, values that were not reported but derived: neutrophils from their percentage and the "
            "leucocytes of the same specimen.",
        ),
        "n_refused": count("rows", "Rows of this variable that could not be used."),
        "first": number(
            "as `unit`",
            "The first value that was drawn; of several at one moment the one reported first, else the lowest.",
        ),
        "last": number(
            "as `unit`",
            "The last value that was drawn; of several at one moment the one reported last, else the highest.",
        ),
        "min": number(
            "as `unit`", "The lowest value; of `<5` and 2 it is 2 or less: `min<=` in censored."
        ),
        "max": number(
            "as `unit`", "The highest value; of `>15000` and 20000 it is 20000 or more: `max>=`."
        ),
        "time_of_max": time(
            "When the highest value was drawn; the earliest time if there are several."
        ),
        "unit": text("The unit of first, last, min and max."),
        "censored": CENSORED,
    },
    key=("person_id", "variable"),
)
PERSONS: Final = Table(
    "persons",
    "The cohort: the persons, their clocks, and the class of the storm.",
    "person",
    {
        "person_id": PERSON_ID,
        "sex": text("F, M, or empty if it is not known."),
        "age": count("completed years", "Age at time zero."),
        "index_time": time("When the person enters the study by the protocol's rule."),
        "t0": time("Time zero: the primary clock."),
        "underlying": text("Underlying diseases with a confirmed diagnosis, joined by |."),
        "undated": text(
            "Known diagnoses with neither a date nor a stay, joined by |; they may be of any time."
        ),
        "undated_rows": text("The rows of those diagnoses, as table:key, joined by |."),
        "weight_kg": WEIGHT_KG,
        "weight_source": WEIGHT_SOURCE,
        "weight_age_h": WEIGHT_AGE,
        "left_truncated": answer(
            "Whether the person came from another hospital close to time zero, so that the treatment may "
            "have begun before these records."
        ),
        "time_unknown": text(
            "Immunotherapies that were given, nobody knows when, joined by |; they enter no clock and no amount."
        ),
        "time_unknown_rows": text("The rows of those doses, as table:key, joined by |."),
        "entry_end_assumed": answer(
            "Whether the person entered only because the end of an infusion is assumed: without it no infusion "
            "lasted long enough from the index."
        ),
        "infusion_start": time("When the continuous infusion of the drug of interest began."),
        "high_rate": time("When the drug of interest first reached the protocol's high rate."),
        "storm_onset": time(
            "First moment in the protocol's look-back at which the storm was definite or possible, by the draws; "
            "when the blood of the index was drawn if there is none."
        ),
        "storm": text(
            "definite, possible; not met, where no definition could reach its cut-off at the index or at its "
            "peak before it; undetermined, where missing values decide; or not assessed, where nothing "
            "that the definitions read was known. Judged up to the index."
        ),
        "storm_72h": text(
            "The same, judged up to a later moment if the protocol asks for one; otherwise empty."
        ),
        "taken_back": text(
            "What of index, storm and storm_72h rests on a value that a later report of the same draw "
            "replaced, joined by |."
        ),
        "clinician": answer(
            "Whether a confirmed diagnosis of the storm was recorded near the index; false if none was recorded."
        ),
        "clinician_time": time(
            "When that diagnosis was first recorded; after the index where it was made later."
        ),
        "clinician_rows": text("The rows of that diagnosis, as table:key, joined by |."),
        "not_understood": text(
            "What the records say of this person that nobody knows, as `kind: name`, joined by |."
        ),
        "exclusion_open": text(
            "What leaves the protocol's exclusions undetermined, as `kind: name`, joined by |; the person stays."
        ),
        "immunosuppressed": answer(
            "Whether the person was immunosuppressed before this illness; empty if the records do not say it."
        ),
        "first_route": text(
            "Route of the first dose of the drug of interest; of several at one moment all, joined by |."
        ),
        "age_undated": answer(
            "Whether the age was written without a date, so that it may be wrong by years."
        ),
        "class": text("primary, MAS, secondary, secondary (no trigger found) or unknown."),
        "associated": text(
            "Conditions that decide the class or can be mistaken for a storm, joined by |."
        ),
        "cancer": text("found, doubtful, negative (looked for) or not looked for."),
        "infection": text("found, doubtful, negative (looked for) or not looked for."),
        "covid19": text("positive, doubtful, negative or not tested."),
        "context_rows": text(
            "The rows from which class, cancer, infection and covid19 come, joined by |."
        ),
        "weight_remark": WEIGHT_REMARK,
        "weight_row": text("The row of the records that the weight at time zero comes from."),
    },
    key=("person_id",),
)
