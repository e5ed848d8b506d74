"""Definitions as data, and the engine that evaluates them, with missing items in mind.

`load` reads a definition, `evaluate` returns its lowest and highest possible total over time, and
`criteria` makes the tables at the moments of a study.
"""

from becalm.definitions.criteria import criteria, derived_in, peaks, worst_stays
from becalm.definitions.evaluation import Clock, Evaluation, Inputs, evaluate, status
from becalm.definitions.examples import Case, failed_examples, score_of
from becalm.definitions.features import features, features_at, serial_changes
from becalm.definitions.item_evidence import Modifiers, SourceRow
from becalm.definitions.loading import load, load_all, parse, shipped
from becalm.definitions.lookalikes import lookalikes, modifier_intervals
from becalm.definitions.model import Definition, Item, Override
from becalm.definitions.moments import Moments
from becalm.definitions.next_test import Undetermined, next_tests
from becalm.definitions.qualifiers import doubted, probability_interval
from becalm.definitions.scoring import attainable

__all__ = [
    "Case",
    "Clock",
    "Definition",
    "Evaluation",
    "Inputs",
    "Item",
    "Modifiers",
    "Moments",
    "Override",
    "SourceRow",
    "Undetermined",
    "attainable",
    "criteria",
    "derived_in",
    "doubted",
    "evaluate",
    "evaluation",
    "failed_examples",
    "features",
    "features_at",
    "item_evidence",
    "load",
    "load_all",
    "lookalikes",
    "modifier_intervals",
    "moments",
    "next_tests",
    "parse",
    "peaks",
    "probability_interval",
    "score_of",
    "scoring",
    "serial_changes",
    "shipped",
    "status",
    "worst_stays",
]
