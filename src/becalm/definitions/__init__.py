"""Definitions as data, and the one engine that evaluates them: scores that know what is missing.

`load` reads a definition, `evaluate` gives it over time as an interval from the lowest to the
highest possible total, and `criteria` writes it down at the moments that a study asks about.
"""

from becalm.definitions.criteria import criteria, derived_in, peaks
from becalm.definitions.evaluation import Clock, Evaluation, Inputs, evaluate, status
from becalm.definitions.examples import Case, disagreements, score_of
from becalm.definitions.features import features, features_at, serial_changes
from becalm.definitions.item_evidence import Modifiers, SourceRow
from becalm.definitions.loading import load, load_all, parse, shipped
from becalm.definitions.lookalikes import lookalikes, modifier_intervals
from becalm.definitions.model import Definition, Item, Override
from becalm.definitions.moments import Moments
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
    "attainable",
    "criteria",
    "derived_in",
    "disagreements",
    "doubted",
    "evaluate",
    "features",
    "features_at",
    "load",
    "load_all",
    "lookalikes",
    "modifier_intervals",
    "parse",
    "peaks",
    "probability_interval",
    "score_of",
    "serial_changes",
    "shipped",
    "status",
]
