"""Rates of infection and death by the dose before them, over the whole cohort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from becalm.core import stats
from becalm.core.arrays import Mask, Texts
from becalm.core.frame import Frame
from becalm.measures.dose_history import METRICS, UNKNOWN_BAND, labels
from becalm.measures.person_time import DEATH, INFECTION, POSSIBLE, bands_of
from becalm.measures.stage import Pooled
from becalm.protocol import PersonTime, Protocol
from becalm.tables import EVENT_RATES, PERSON_TIME

DAYS: Final = 100
"""Rates are given for so many days at risk."""
ALL: Final = "all"


def event_rates(person_time: Frame, rule: PersonTime) -> Frame:
    """Return `event_rates`: events and days at risk in each band of each measure, at each lag.

    Each person has at most one event, the first; a death before an infection is an event of its own
    (cause-specific rates). An interval is exact (Garwood) and so never too narrow; with few events it is
    wide. There is a row for every band of the protocol, also for one in which nobody spent time. Who had no
    sample for culture with a result from time zero on is counted beside, not as free of infection. Where time ends at a
    sample that may show an infection, that is a possible event: the interval goes from the lower end without all of
    those to the upper end with them.
    """
    rows: list[dict[str, Any]] = []
    days, who, ended = (person_time[name] for name in ("days", "person_id", "ended_by"))
    known = (person_time["infected"] >= 0) | (ended == POSSIBLE)
    for lag in sorted(set(person_time["lag_h"].tolist())):
        at_lag = person_time["lag_h"] == lag
        for metric, number, band, everybody in _bands(person_time, at_lag, rule):
            inside = everybody & known
            exposure = float(days[inside].sum())
            for event in (INFECTION, DEATH):
                count = int((ended[inside] == event).sum())
                maybe = int((ended[inside] == POSSIBLE).sum()) if event == INFECTION else 0
                nothing = (np.nan, np.nan)
                low, _ = stats.rate(count, round(exposure, 9)) or nothing
                _, high = stats.rate(count + maybe, round(exposure, 9)) or nothing
                rows.append(
                    {
                        "metric": metric,
                        "lag_h": lag,
                        "end_event": event,
                        "band_number": number,
                        "band": band,
                        "persons_at_risk": len(set(who[inside].tolist())),
                        "persons_unknown": len(set(who[everybody & ~known].tolist())),
                        "person_days": exposure,
                        "events": count,
                        "events_possible": maybe,
                        "per_100_days": DAYS * count / exposure if exposure else np.nan,
                        "per_100_days_high": DAYS * (count + maybe) / exposure
                        if exposure
                        else np.nan,
                        "rate_low": DAYS * low,
                        "rate_high": DAYS * high,
                    }
                )
    return Frame.of_rows(EVENT_RATES, rows)


def _bands(person_time: Frame, at_lag: Mask, rule: PersonTime) -> list[tuple[str, int, str, Mask]]:
    """Return the measure, number, name and rows of each band, and first of all time together."""
    listed: list[tuple[str, int, str, Mask]] = [(ALL, 0, ALL, at_lag)]
    if not rule.bands_24h:
        return listed
    for metric in METRICS:
        told: Texts = person_time[f"{metric}_band"]
        names = list(enumerate(labels(bands_of(rule)[metric])))
        unknown = at_lag & (told == "unknown")
        if unknown.any():
            names.append((UNKNOWN_BAND, "unknown"))
        listed += [(metric, number, name, at_lag & (told == name)) for number, name in names]
    return listed


def measure(tables: Mapping[str, Frame], protocol: Protocol) -> Frame:
    """Fill the table `event_rates`."""
    rule = protocol.person_time
    frame = tables[PERSON_TIME.name]
    return EVENT_RATES.empty() if rule is None or not len(frame) else event_rates(frame, rule)


POOLED: Final = (Pooled(EVENT_RATES, measure, needs=("person_time",)),)
