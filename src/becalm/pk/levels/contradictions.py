"""Why a level may contradict the model: drawn at another time, from the line, or from another patient."""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.arrays import Floats
from becalm.pk.levels.course import PkLevel, TreatmentCourse
from becalm.pk.levels.likelihood import LevelError
from becalm.pk.levels.predicting import Prediction
from becalm.pk.levels.transfer import CourseGrid, curves
from becalm.pk.levels.walk import Deviations
from becalm.pk.model import PkModel

AROUND: Final = 12.0
"""Hours before and after in which another time of the draw is looked for."""
_EVERY: Final = 0.5
_FROM_LINE: Final = 2.0
"""A level this many times what was predicted, during an infusion or soon after it, may come from its line."""
_SOON: Final = 1.0
LINE: Final = "higher than expected near an infusion: perhaps drawn from its line"
NOTHING: Final = "no time within 12 h explains it: another patient's, a dose that is not recorded, or a sudden change"


def reason(
    model: PkModel,
    course: TreatmentCourse,
    deviations: Deviations,
    middle: Floats,
    *,
    level: PkLevel,
    prediction: Prediction,
    error: LevelError,
) -> str:
    """Return in words what may be wrong with a level. middle : the most probable normal numbers before it."""
    value = level.low if level.low > 0 else level.high
    near = any(d.hours <= level.hours <= d.end + _SOON for d in course.doses)
    if near and value > _FROM_LINE * prediction.middle:
        return LINE
    begin = max(level.hours - AROUND, 0.0)
    times = np.arange(begin, level.hours + AROUND + _EVERY / 2, _EVERY)
    grid = CourseGrid.of(
        model,
        course.plan,
        course.covariates,
        deviations,
        times=times.tolist(),
        horizon=float(times[-1]),
    )
    one = middle[None, :]
    found, _ = curves(
        grid, deviations.factors(one), deviations.log_clearance(one), grid.border(times.tolist())
    )
    log_level = np.log(np.maximum(found[0], 1e-12))
    fits = np.abs(np.log(value) - log_level) <= error.spread(log_level)
    fits &= np.abs(times - level.hours) >= _EVERY
    if not fits.any():
        return NOTHING
    at = times[fits][np.argmin(np.abs(times[fits] - level.hours))]
    apart = at - level.hours
    return f"would fit a draw {abs(apart):.1f} h {'later' if apart > 0 else 'earlier'}: a wrong time, or the wrong patient"
