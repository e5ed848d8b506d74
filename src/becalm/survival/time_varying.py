"""Hazards by a dose that changes with time: a Cox model on the rows of `person_time`.

The library is statsmodels (`pip install 'becalm[models]'`), imported when a model is fitted. A row counts
from its start to its stop only, so time before a dose is reached never belongs to that dose, and time
before the risk begins belongs to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Array, Floats
from becalm.core.errors import UsageError
from becalm.core.frame import Frame

FILE: Final = Path(__file__).with_suffix(".toml")


class Fewest(toml.TomlTable, frozen=True):
    """The fewest events with which a model is fitted."""

    fewest: int
    source: str
    verified: bool


class ModelRules(toml.TomlTable, frozen=True):
    """The whole file."""

    events: Fewest


@dataclass(frozen=True)
class HazardRatio:
    """The hazard in a band as a multiple of that in the reference band, with its 95 % interval.

    events and days : those of the band itself.
    """

    band: str
    reference: str
    events: int
    days: float
    ratio: float
    low: float
    high: float


def rules() -> ModelRules:
    """Return the shipped numbers."""
    return toml.load(FILE, ModelRules)


def fewest_events() -> int:
    """Return the fewest events with which a model is fitted."""
    return rules().events.fewest


def hazard_ratios(
    person_time: Frame,
    *,
    metric: str = "dose_24h",
    lag_h: float = 24.0,
    event: str = "bacterial infection",
    reference: str | None = None,
) -> tuple[HazardRatio, ...]:
    """Return the cause-specific hazard ratio of each band of dose against a reference band.

    The time scale is the time since time zero, ties are handled as by Efron. A ratio describes an
    association: what drives both the dose and the event, and was not measured, is in it.

    metric : dose_24h, days_high or cumulative. lag_h : one of the lags of the table. event : what ends a
    row (`ended_by`). reference : a band; by default the one with the most days at risk. Rows of unknown
    dose, and of who had no sample for culture, are left out; where time ends at a sample that may show an infection, it
    ends without an event.

    Raises
    ------
    UsageError
        If a name is not in the table, or if there are fewer events than a model needs: then the table
        `event_rates` describes what there is. Also if statsmodels is not installed.
    """
    column = f"{metric}_band"
    if column not in person_time.columns:
        raise UsageError(
            f"no measure of dose is called {metric!r}",
            hint="Measures are dose_24h, days_high and cumulative",
        )
    rows = person_time.take(person_time["lag_h"] == lag_h)
    known = (rows["infected"] >= 0) | (rows["ended_by"] == "possible infection")
    rows = rows.take((rows[column] != "unknown") & known & (rows["stop_h"] > rows["start_h"]))
    if not len(rows):
        lags = ", ".join(f"{lag:g}" for lag in sorted(set(person_time["lag_h"].tolist())))
        raise UsageError(
            f"no time at risk has a lag of {lag_h:g} h", hint=f"Lags are {lags or 'none'}"
        )
    happened = rows["ended_by"] == event
    bands = list(dict.fromkeys(rows[column].tolist()))
    days = {band: float(rows["days"][rows[column] == band].sum()) for band in bands}
    chosen = max(bands, key=lambda band: days[band]) if reference is None else reference
    if chosen not in days:
        raise UsageError(
            f"no band of {metric} is called {chosen!r}",
            hint=f"Bands are {', '.join(sorted(bands))}",
        )
    events = {band: int(happened[rows[column] == band].sum()) for band in bands}
    total, least = sum(events.values()), fewest_events()
    if total < least:
        raise UsageError(
            f"{total} events are too few for a model: it needs {least}",
            hint="The table event_rates describes them, with exact intervals",
        )
    others = [band for band in bands if band != chosen and events[band] and days[band]]
    if not others or not events[chosen]:
        raise UsageError(
            "all events lie in one band: no ratio can be estimated",
            hint="The table event_rates describes them, with exact intervals",
        )
    compared = np.isin(rows[column].astype(str), [chosen, *others])
    fitted = _cox(rows.take(compared), happened[compared], column, others)
    return tuple(
        HazardRatio(band, chosen, events[band], days[band], *(float(x) for x in np.exp(ends)))
        for band, ends in zip(others, fitted, strict=True)
    )


def _cox(rows: Frame, happened: Array, column: str, others: list[str]) -> Floats:
    """Return for each band the log hazard ratio and the ends of its interval."""
    inside = np.column_stack([rows[column] == band for band in others]).astype(float)
    model = _library()(
        rows["stop_h"], inside, status=happened.astype(float), entry=rows["start_h"], ties="efron"
    )
    result = model.fit(disp=0)
    found: Floats = np.column_stack([result.params, result.conf_int()])
    return found


def _library() -> Any:
    try:
        from statsmodels.duration.hazard_regression import PHReg
    except ImportError as error:
        raise UsageError(
            "a model of hazards needs statsmodels, which is not installed",
            hint="Install it with: pip install 'becalm[models]'",
        ) from error
    return PHReg
