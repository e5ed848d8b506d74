"""Pharmacokinetics: concentrations of a drug over time, for doses and kidneys that change.

Models are data: a file for each, every parameter with its unit, its source and its status. What is computed
is simulated, not a dosing recommendation.
"""

from becalm.pk.chain import MarkerCourses, marker_courses
from becalm.pk.check import CheckedRow, checked
from becalm.pk.compiled import PopulationLevels, population_levels
from becalm.pk.covariates import CovariateCourse, GivenCovariate
from becalm.pk.differences import exp_difference
from becalm.pk.falls import FastFall, falls_too_fast
from becalm.pk.given import (
    GivenDoses,
    PatientCurves,
    at_ends,
    in_unit,
    outside,
    patient_curves,
    washout,
)
from becalm.pk.gradients import differentiable_levels, differentiable_propagate
from becalm.pk.levels.asking import update, update_charted
from becalm.pk.levels.result import LevelUpdate
from becalm.pk.levels.updating import UpdateSettings
from becalm.pk.loading import load, shipped
from becalm.pk.measures import spread
from becalm.pk.model import PARTS, PkModel
from becalm.pk.propagation import Amounts, RateConstants, propagate
from becalm.pk.receptor import FLAT, Occupancy, occupancy
from becalm.pk.regimen import Regimen
from becalm.pk.regimen_files import read_regimens
from becalm.pk.rows import parameter_rows
from becalm.pk.scenarios import read_across
from becalm.pk.simulation import NOT_ADVICE, Simulation, simulate
from becalm.pk.units import factor as unit_factor
from becalm.pk.virtual import VirtualPatients
from becalm.pk.words import read_quantity

__all__ = [
    "FLAT",
    "NOT_ADVICE",
    "PARTS",
    "Amounts",
    "CheckedRow",
    "CovariateCourse",
    "FastFall",
    "GivenCovariate",
    "GivenDoses",
    "LevelUpdate",
    "MarkerCourses",
    "Occupancy",
    "PatientCurves",
    "PkModel",
    "PopulationLevels",
    "RateConstants",
    "Regimen",
    "Simulation",
    "UpdateSettings",
    "VirtualPatients",
    "at_ends",
    "checked",
    "covariates",
    "differentiable_levels",
    "differentiable_propagate",
    "exp_difference",
    "falls_too_fast",
    "in_unit",
    "levels",
    "load",
    "marker_courses",
    "occupancy",
    "outside",
    "parameter_rows",
    "patient_curves",
    "population_levels",
    "propagate",
    "read_across",
    "read_quantity",
    "read_regimens",
    "shipped",
    "simulate",
    "spread",
    "unit_factor",
    "units",
    "update",
    "update_charted",
    "washout",
]
