"""A dose with a schedule ("100 mg q6h") becomes the single doses of this schedule."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import distinct_rows
from becalm.doses.limits import TABLE as LIMITS
from becalm.doses.units import TABLE
from becalm.records import Records

_EVERY = re.compile(r"\bq\s?(\d+)\s?(?:h|hr|hrs|hours?)\b")


def every(unit: str) -> tuple[str, float]:
    """The unit of one dose and the hours between doses; 0 where the unit has no schedule in it.

    >>> every("mg q6h")
    ('mg', 6.0)
    >>> every("mg")
    ('mg', 0.0)
    """
    text = unit.casefold().strip()
    interval = _EVERY.search(text)
    if interval:
        hours = float(interval[1])
        return f"{text[: interval.start()]} {text[interval.end() :]}".strip(), hours
    for word, hours in TABLE.schedule.items():
        parts = text.split()
        if len(parts) > 1 and parts[-1] == word:
            return " ".join(parts[:-1]), hours
    return unit, 0.0


def written_out(records: Records) -> Records:
    """Return the records with one row for each dose of an administered schedule.

    There is a dose at the start and at every interval after it, before the end: q6h from 8:00 to 8:00
    the next day is four doses. All of them keep the row's key. A row without a start or without an end
    after it, or with more doses than `most_doses` of `units.toml`, is not changed, and its unit is
    refused with a reason.
    """
    administrations = records.administrations
    which, units = distinct_rows(administrations["amount_unit"])
    read = [every(unit) for (unit,) in units]
    if not any(hours for _, hours in read):
        return records
    hours = np.array([hours for _, hours in read])[which]
    start, end = administrations["start"], administrations["end"]
    scheduled = (
        (hours > 0)
        & np.isin(administrations["status"].astype(str), ("", "given"))
        & ~np.isnan(administrations["amount"])
    )
    scheduled &= (start != UNKNOWN_TIME) & (end != UNKNOWN_TIME) & (end > start)
    step = np.where(scheduled, np.round(hours * HOUR), 1).astype(np.int64)
    number = np.where(scheduled, -(-np.where(scheduled, end - start, 1) // step), 1)
    scheduled &= number <= LIMITS.limits.most_doses
    number = np.where(scheduled, number, 1)
    row = np.repeat(np.arange(len(administrations)), number)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    of_schedule = scheduled[row]
    plain = np.empty(len(read), dtype=object)
    plain[:] = [unit for unit, _ in read]
    rows = administrations.take(row)
    rows = rows.replace(
        start=rows["start"] + np.where(of_schedule, nth * step[row], 0),
        end=np.where(of_schedule, UNKNOWN_TIME, rows["end"]),
        amount_unit=np.where(of_schedule, plain[which[row]], rows["amount_unit"]),
        schedule=np.where(of_schedule, rows["amount_unit"], rows["schedule"]),
    )
    order = np.lexsort((np.arange(len(rows)), rows["start"], rows["person"]))
    return replace(records, administrations=rows.take(order))
