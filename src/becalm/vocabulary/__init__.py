"""The vocabulary: names and codes of records, and becalm's own names for them, as TOML data.

Nothing is guessed: a code or name that is not listed, a unit that is not in the table, and a label
that contradicts its code are refused with a reason.
"""

from becalm.vocabulary.labels import Fate, Meaning
from becalm.vocabulary.loading import ambiguous_sex, sexes
from becalm.vocabulary.lookup import (
    CODE_AND_NAME_DISAGREE,
    LABEL_CONTRADICTS,
    UNKNOWN_VARIABLE,
    Vocabulary,
    load,
)
from becalm.vocabulary.model import (
    Condition,
    Drug,
    Finding,
    MeasurementKind,
    Procedure,
    Resolution,
    UsualLimits,
    Variable,
)
from becalm.vocabulary.specimens import SPECIMEN_MISMATCH, UNKNOWN_SPECIMEN
from becalm.vocabulary.text import in_sentence, words
from becalm.vocabulary.unit_lookup import UNIT_MISSING, UNKNOWN_UNIT

__all__ = [
    "CODE_AND_NAME_DISAGREE",
    "LABEL_CONTRADICTS",
    "SPECIMEN_MISMATCH",
    "UNIT_MISSING",
    "UNKNOWN_SPECIMEN",
    "UNKNOWN_UNIT",
    "UNKNOWN_VARIABLE",
    "Condition",
    "Drug",
    "Fate",
    "Finding",
    "Meaning",
    "MeasurementKind",
    "Procedure",
    "Resolution",
    "UsualLimits",
    "Variable",
    "Vocabulary",
    "ambiguous_sex",
    "icd",
    "in_sentence",
    "labels",
    "load",
    "numbers",
    "organism_kinds",
    "organisms",
    "reports",
    "row_statuses",
    "sexes",
    "site_words",
    "units",
    "vital_status",
    "words",
]
