"""Pharmacokinetics: concentrations of a drug over time, for doses and kidneys that change.

Models are data: a file for each, every parameter with its unit, its source and its status. What is computed
is simulated, not a dosing recommendation.
"""

from becalm.pk.differences import exp_difference
from becalm.pk.loading import load, shipped
from becalm.pk.model import PkModel
from becalm.pk.propagation import Amounts, RateConstants, propagate
from becalm.pk.regimen import Regimen
from becalm.pk.regimen_files import read_regimens
from becalm.pk.simulation import NOT_ADVICE, Simulation, simulate
from becalm.pk.words import read_quantity

__all__ = [
    "NOT_ADVICE",
    "Amounts",
    "PkModel",
    "RateConstants",
    "Regimen",
    "Simulation",
    "exp_difference",
    "load",
    "propagate",
    "read_quantity",
    "read_regimens",
    "shipped",
    "simulate",
]
