"""What published calculators of the outcome ask for, at time zero."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import PERSON_ID, SOURCE_ROW, Table, number, text

PROGNOSIS_INPUTS: Final = Table(
    "prognosis_inputs",
    "What published calculators of the outcome ask for, as far as it is known: the last value until time zero, with its age. Their results are not calculated.",
    "person and input",
    {
        "person_id": PERSON_ID,
        "prognosis_input": text("The input: age, or a variable by its name in the vocabulary."),
        "input_of": text("The calculators and models that ask for it, joined by |."),
        "input_value": number(
            "as `unit`",
            "The last value drawn until time zero, that moment included; of a sign 1 if present, 0 if absent.",
        ),
        "input_limit": text(
            "The sign of a value that is only a limit of the laboratory, such as >; empty of an exact value."
        ),
        "unit": text("The unit of the value."),
        "input_state": text(
            "in force; expired (drawn longer before time zero than such a value counts); or not measured."
        ),
        "input_age_h": number("h", "From the draw to time zero; empty for age."),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "prognosis_input"),
)
