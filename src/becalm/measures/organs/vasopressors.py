"""Vasopressor rates for each kg; their sum as noradrenaline is `doses.equivalent_rate`."""

from __future__ import annotations

import numpy as np

from becalm.core.arrays import Mask
from becalm.patients.understood import Patients
from becalm.timeline import Timeline, overlay

PER_MINUTE = 60.0
MICROGRAMS = 1000.0
IN_A_VEIN = ("IV", "")


def rates(patients: Patients, drug: str, persons: Mask) -> Timeline:
    """Return the rate of a drug in µg/kg/min, of vasopressin in units/min; unknown without a weight.

    persons : bool[persons], whom it is asked for. The weight is that with which a rate per kg was written, else
    the one in force where the rate begins.
    """
    frame = patients.doses.frame
    rows = patients.doses.exposed(drug, IN_A_VEIN)
    rows = rows[persons[frame["person"][rows]] & frame["counted"][rows] & ~frame["single"][rows]]
    per_h = frame["dose_per_h"][rows]
    usable = np.isfinite(per_h) & frame["plausible"][rows]
    usable &= frame["until"][rows] > frame["start"][rows]
    rows, per_h = rows[usable], per_h[usable]
    if patients.doses.unit(drug) == "mg":
        by = frame["dosed_by_kg"][rows]
        kg = np.where(np.isfinite(by), by, frame["weight_kg"][rows])
        known = (np.isfinite(kg) & (kg > 0)) | (per_h == 0)
        rows, per_h, kg = rows[known], per_h[known], np.where(per_h == 0, 1.0, kg)[known]
        per_h = per_h * MICROGRAMS / kg
    return overlay(
        frame["person"][rows], frame["start"][rows], frame["until"][rows], per_h / PER_MINUTE, rows
    )
