"""Doses from midnight to midnight, as a ward's chart adds them up."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from becalm.core.arrays import Times
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doses.exposure import MG_DECIMALS, Doses, in_windows, weight_of
from becalm.tables import CALENDAR_DOSE
from becalm.timeline import Intervals


def calendar_dose(doses: Doses, drugs: Collection[str], since: Times) -> Frame:
    """Return the amount of each drug on every date with a dose, by the ward's clock.

    A date lasts from midnight to midnight on the chart. The amount is empty on a date with a dose of
    unknown amount. Day 1 is the whole date of the first dose at or after `since` (int64[persons],
    `UNKNOWN_TIME` leaves the person out).
    """
    frames = [Frame.of(CALENDAR_DOSE), *(_of_drug(doses, drug, since) for drug in sorted(drugs))]
    return Frame.concat(frames)


def _of_drug(doses: Doses, drug: str, since: Times) -> Frame:
    exposure = doses.exposure(drug)
    wanted = since[exposure.person]
    exposure = exposure.take((wanted != UNKNOWN_TIME) & (exposure.end > wanted))
    if not len(exposure):
        return Frame.of(CALENDAR_DOSE)
    opened, closed = exposure.start // DAY, (exposure.end - 1) // DAY
    opened = np.maximum(opened, since[exposure.person] // DAY)
    count = closed - opened + 1
    owner = np.repeat(np.arange(len(exposure)), count)
    date = opened[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    pairs = np.unique(np.column_stack((exposure.person[owner], date)), axis=0)
    person, date = pairs[:, 0].astype(np.int32), pairs[:, 1]
    begins = np.flatnonzero(np.diff(person, prepend=-1))
    first = np.repeat(date[begins], np.diff([*begins, len(person)]))
    windows = Intervals(person, date * DAY, (date + 1) * DAY)
    amount, peak = in_windows(doses, drug, windows)
    weight = weight_of(doses, drug, person, windows.start)
    unit = doses.unit(drug)
    return Frame.of(
        CALENDAR_DOSE,
        person_id=doses.person_id[person],
        drug=[drug] * len(person),
        date=windows.start,
        day=date - first + 1,
        mg=amount if unit == "mg" else np.full(len(person), np.nan),
        amount_canonical=amount,
        unit_canonical=[unit] * len(person),
        peak_rate_canonical_per_h=peak,
        amount_canonical_per_kg=np.round(amount / weight.kg, MG_DECIMALS),
        **weight.columns,
    )
