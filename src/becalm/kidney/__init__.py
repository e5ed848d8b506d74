"""The kidney: equations, injury by KDIGO, clearance over time.

The equations take numbers or arrays, each with its unit in its name:

>>> from becalm import kidney
>>> round(float(kidney.cockcroft_gault(creatinine_mg_dl=1.2, age=64, weight_kg=61, sex="F")), 1)
45.6
"""

from becalm.kidney.equations import (
    ckd_epi_2021,
    cockcroft_gault,
    jelliffe_changing,
    jelliffe_stable,
    kegfr,
    max_rise,
    mdrd,
    mdrd_creatinine,
)

__all__ = [
    "baseline",
    "ckd_epi_2021",
    "clearance",
    "cockcroft_gault",
    "equations",
    "injury",
    "jelliffe_changing",
    "jelliffe_stable",
    "kdigo",
    "kegfr",
    "kinetics",
    "max_rise",
    "mdrd",
    "mdrd_creatinine",
    "over_time",
    "printed",
    "recovery",
    "replacement",
    "urine",
]
