"""The last digit that a laboratory printed: half of it is what rounding may have hidden."""

from __future__ import annotations

import numpy as np

from becalm.core.arrays import Floats
from becalm.events import Events
from becalm.kidney.kdigo import Kdigo
from becalm.timeline import Points


def half_digits(events: Events, creatinine: Points, kdigo: Kdigo) -> Floats:
    """Return half a unit of the last printed digit of each creatinine, in mg/dL.

    A laboratory prints as many decimals in one report as in another: the most that a person's values
    of one name and unit have. 1.0 that was stored as 1 is no coarser than the file says.
    """
    coarsest = kdigo.printed_mg_dl
    raw, row = events.records.measurements, creatinine.row
    written, kind = raw["value"][row], raw["kind"][row]
    unit = np.full(len(row), np.inf)
    known = np.isfinite(written) & (written > 0) & (creatinine.low == creatinine.high)
    factor = creatinine.low[known] / written[known]
    values, which = np.unique(written[known], return_inverse=True)
    decimals = [len(f"{value:.10g}".partition(".")[2]) for value in values.tolist()]
    unit[known] = factor * (10.0 ** -np.array(decimals, np.float64))[which]
    _, own = np.unique(np.column_stack((creatinine.person, kind)), axis=0, return_inverse=True)
    finest = np.full(len(row), coarsest)
    np.minimum.at(finest, own, unit)
    return finest[own] / 2
