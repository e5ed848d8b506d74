"""How long a drug was given at or above so much a day."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from becalm.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.dose_tables import TIME_AT_DOSE
from becalm.doses.episodes import Rules, continuous_rate
from becalm.doses.exposure import Doses
from becalm.frame import Frame
from becalm.timeline import Floats, Intervals, Mask

LATE: Final = 1 << 61
"""µs, later than any record."""


def time_at_dose(
    cohort: Frame, doses: Doses, drug: str, levels_per_day: Sequence[float], rules: Rules
) -> Frame:
    """Return for each level (the drug's unit a day) since when and how long it was reached from t0.

    hours_at_rate : of continuous infusion at a rate that gives as much in 24 h. hours_at_24h : with
    as much given in the previous 24 h, by any systemic route; it lags behind the rate and outlives it.
    Both are empty for a person with a dose of unknown amount: a part would pass for the whole.
    """
    rate = continuous_rate(doses, drug, rules)
    amounts, unknown = doses.amounts(drug), doses.unknown(drug)
    found: list[dict[str, Any]] = []
    for level in levels_per_day:
        # A rate is kept to nine decimals: 2,400/24 mg/h comes back a millionth short of 2,400.
        edge = level - 1e-6
        high = rate.where(partial(_daily, edge))
        full = amounts.bands(DAY, (edge,)).where(lambda low, _: low >= 1)
        for i in range(len(cohort)):
            t0, person = int(cohort["t0"][i]), int(cohort["person"][i])
            if t0 == UNKNOWN_TIME or not (doses.given(drug).person == person).any():
                continue
            later = cohort["t0"][(cohort["person"] == person) & (cohort["t0"] > t0)]
            mine = Intervals.build([person], [t0], [int(min(later, default=LATE))])
            dark = bool(len(unknown.clip(mine)))
            at_rate, at_24h = high.clip(mine), full.clip(mine)
            found.append(
                {
                    "person_id": cohort["person_id"][i],
                    "episode": cohort["episode"][i],
                    "drug": drug,
                    "level_per_day": level,
                    "unit": doses.unit(drug),
                    "first": int(at_rate.start[0]) if len(at_rate) else UNKNOWN_TIME,
                    "hours_at_rate": np.nan if dark else round(at_rate.durations().sum() / HOUR, 6),
                    "hours_at_24h": np.nan if dark else round(at_24h.durations().sum() / HOUR, 6),
                }
            )
    return Frame.of_rows(TIME_AT_DOSE, found)


def _daily(edge: float, low: Floats, _: Floats) -> Mask:
    enough: Mask = low * 24 >= edge
    return enough
