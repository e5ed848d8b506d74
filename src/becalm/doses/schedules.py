"""A dose written once with its schedule, as the doses that it stands for: "100 mg q6h"."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import distinct_rows
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
    found = _EVERY.search(text)
    if found:
        hours = float(found[1])
        return f"{text[: found.start()]} {text[found.end() :]}".strip(), hours
    for word, hours in TABLE.schedule.items():
        parts = text.split()
        if len(parts) > 1 and parts[-1] == word:
            return " ".join(parts[:-1]), hours
    return unit, 0.0


def written_out(records: Records) -> Records:
    """Return the records with a row for each dose of a schedule that was given.

    Doses at the start and at every interval after it, before the end: from eight to eight, q6h is
    four. All of them keep the row's key. Without a start, an end after it, or with more doses than
    `most_doses` of `units.toml`, the row stays as it is, and its unit is refused with its reason.
    """
    given = records.administrations
    which, units = distinct_rows(given["amount_unit"])
    read = [every(unit) for (unit,) in units]
    if not any(hours for _, hours in read):
        return records
    hours = np.array([hours for _, hours in read])[which]
    start, end = given["start"], given["end"]
    told = (
        (hours > 0)
        & np.isin(given["status"].astype(str), ("", "given"))
        & ~np.isnan(given["amount"])
    )
    told &= (start != UNKNOWN_TIME) & (end != UNKNOWN_TIME) & (end > start)
    step = np.where(told, np.round(hours * HOUR), 1).astype(np.int64)
    number = np.where(told, -(-np.where(told, end - start, 1) // step), 1)
    told &= number <= TABLE.limits.most_doses
    number = np.where(told, number, 1)
    row = np.repeat(np.arange(len(given)), number)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    mine = told[row]
    plain = np.empty(len(read), dtype=object)
    plain[:] = [unit for unit, _ in read]
    found = given.take(row)
    found = found.replace(
        start=found["start"] + np.where(mine, nth * step[row], 0),
        end=np.where(mine, UNKNOWN_TIME, found["end"]),
        amount_unit=np.where(mine, plain[which[row]], found["amount_unit"]),
        schedule=np.where(mine, found["amount_unit"], found["schedule"]),
    )
    order = np.lexsort((np.arange(len(found)), found["start"], found["person"]))
    return replace(records, administrations=found.take(order))
