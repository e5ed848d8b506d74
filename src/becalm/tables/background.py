"""What happened to those in the same records who did not get the drug."""

from __future__ import annotations

from typing import Final

from becalm.tables.schema import (
    DIED,
    PERSON_ID,
    SOURCE_ROW,
    Table,
    answer,
    count,
    number,
    text,
    time,
)

_INDEX_BY: Final = text(
    "What draws the index: storm (the first moment at which it was definite or possible by the protocol's definitions), or the "
    "first value of a variable at or above a level, such as `ast 100`; t0, infusion_start or high_rate for those with the drug."
)
_RULE: Final = text(
    "primary (the protocol's response), fall_15, fall_25, fall_50 (ferritin), or a variable that is lower at 48 h than before."
)
UNTREATED: Final = Table(
    "untreated",
    "The response rule of the protocol applied to those in the same records who never got the drug of interest.",
    "person, index and rule",
    {
        "person_id": PERSON_ID,
        "index_by": _INDEX_BY,
        "rule": _RULE,
        "index_drawn": time("The moment of the index: when the blood was drawn."),
        "result": text(
            "yes, no, no sample, died before, discharged before, or open (limits of the laboratory leave it open)."
        ),
        "value_at_index": number("the variable's own", "The value before the index, or at it."),
        "age": count("completed years", "Age at time zero."),
        "sex": text("F, M, or empty if it is not known."),
        "died": DIED,
        "immunotherapy": answer(
            "Whether any immunotherapy was given in the 72 h before and the 48 h after the index."
        ),
        "source_row": SOURCE_ROW,
    },
    key=("person_id", "index_by", "rule"),
)
WITHOUT_DRUG: Final = Table(
    "without_drug",
    "How many responded by the same rule with the drug and without it, counted and not compared by a test.",
    "group, index and rule",
    {
        "group": text("with the drug, or without the drug."),
        "index_by": _INDEX_BY,
        "rule": _RULE,
        "with_index": count("persons", "Persons with such an index.", persons=True),
        "known": count("persons", "Persons of whom the result is known.", persons=True),
        "yes": count("persons", "Persons with the result yes.", persons=True),
        "share": number("1", "yes of known."),
        "share_low": number("1", "Lower end of the exact 95 % interval."),
        "share_high": number("1", "Upper end of the exact 95 % interval."),
        "no_sample": count("persons", "Persons without a sample that decides.", persons=True),
        "died_before": count(
            "persons",
            "Persons who died before 48 h; with the rule primary they are a no.",
            persons=True,
        ),
        "discharged_before": count(
            "persons", "Persons discharged before 48 h without a sample.", persons=True
        ),
        "women": count("persons", "Women among those with an index.", persons=True),
        "died_persons": count("persons", "Persons known to have died, at any time.", persons=True),
        "with_immunotherapy": count(
            "persons",
            "Persons given an immunotherapy around the index; -1 where all were given the drug.",
            persons=True,
        ),
        "age_median": number("y", "The median age."),
        "baseline_median": number(
            "the variable's own", "The median of the values before the index; empty for primary."
        ),
    },
    key=("rule", "index_by", "group"),
)
