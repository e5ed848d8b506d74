"""Pharmacokinetics: concentrations of a drug over time, for doses and kidneys that change.

Models are data: a file for each, every parameter with its unit, its source and its status. What is computed
is simulated, not a dosing recommendation.
"""

from becalm.pk.differences import exp_difference
from becalm.pk.loading import load, shipped
from becalm.pk.model import PkModel
from becalm.pk.propagation import Amounts, RateConstants, propagate

__all__ = [
    "Amounts",
    "PkModel",
    "RateConstants",
    "exp_difference",
    "load",
    "propagate",
    "shipped",
]
