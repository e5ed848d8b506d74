"""Definitions as data, and the one engine that evaluates them: scores that know what is missing.

`load` reads a definition, `evaluate` gives it over time as an interval from the lowest to the
highest possible total, and `criteria` writes it down at the moments that a study asks about.
"""

from becalm.scores.criteria import criteria, derived_in, peaks
from becalm.scores.definition import Definition, Item, Override
from becalm.scores.doubts import doubted
from becalm.scores.engine import Clock, Evaluation, Inputs, evaluate, status
from becalm.scores.examples import Case, disagreements, score_of
from becalm.scores.features import features, features_at, serial_changes
from becalm.scores.lookalikes import lookalikes, modifier_intervals
from becalm.scores.moments import Moments
from becalm.scores.points import attainable
from becalm.scores.probability import probability_interval
from becalm.scores.reading import load, load_all, parse, shipped
from becalm.scores.readings import Modifiers, SourceRow

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
