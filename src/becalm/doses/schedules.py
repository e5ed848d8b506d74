"""A dose with a schedule ("100 mg q6h") becomes the single doses of this schedule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from becalm.core.arrays import FAR_FUTURE, Array, Index
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame, distinct_rows
from becalm.doses.limits import TABLE as LIMITS
from becalm.doses.notation import COUNTED, DoseNotation, taken_apart, times_in_label
from becalm.records import Records


def written_out(records: Records) -> Records:
    """Return the records with one row for each dose of an administered schedule.

    There is a dose at the start and at every interval after it, before the end: q6h from 8:00 to 8:00
    the next day is four doses. "x3" are three doses, "over 2 days" is half of the amount on each day, "over 4 h"
    ends after four hours. All of them keep the row's key. A row without a start, or without an end after it
    where the number of doses is not written, or with more doses than `most_doses` of `limits.toml`, is not changed,
    and its unit is refused with a reason.
    """
    administrations = records.administrations
    read = _notations(administrations)
    if read is None:
        return records
    which, listed = read
    every = np.array([one.step_h for one in listed])[which]
    times = np.array([one.doses for one in listed])[which]
    over = np.array([one.over_h for one in listed])[which]
    share = np.array([one.share for one in listed])[which]
    said = np.array([one.scheduled for one in listed])[which]
    repeats = np.array([bool(one.every_h or one.doses) for one in listed])[which]
    start, end = administrations["start"], administrations["end"]
    scheduled = (
        said
        & np.isin(administrations["status"].astype(str), ("", "given"))
        & ~np.isnan(administrations["amount"])
        & (start != UNKNOWN_TIME)
    )
    ends = (end != UNKNOWN_TIME) & (end > start)
    scheduled &= ends | (times > 0) | ~repeats
    step = np.where(scheduled, np.round(every * HOUR), 1).astype(np.int64)
    length = np.where(scheduled & ends, end - start, 0)
    until_end = np.where(ends, -(-length // step), FAR_FUTURE)
    number = np.where(times > 0, np.minimum(times, until_end), until_end)
    number = np.where(scheduled & repeats, number, 1)
    scheduled &= number <= LIMITS.limits.most_doses
    number = np.where(scheduled, number, 1)
    row = np.repeat(np.arange(len(administrations)), number)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    of_schedule = scheduled[row]
    begun = administrations["start"][row] + np.where(of_schedule, nth * step[row], 0)
    lasts = np.round(over[row] * HOUR).astype(np.int64)
    own_end = np.where(lasts > 0, begun + lasts, UNKNOWN_TIME)
    kept = ~of_schedule | (~repeats[row] & ends[row])
    plain = np.empty(len(listed), dtype=object)
    plain[:] = [one.unit for one in listed]
    rows = administrations.take(row)
    rows = rows.replace(
        start=begun,
        end=np.where(kept, rows["end"], own_end),
        amount=np.where(of_schedule, rows["amount"] * share[row], rows["amount"]),
        amount_unit=np.where(of_schedule, plain[which[row]], rows["amount_unit"]),
        schedule=np.where(of_schedule, _as_written(rows, listed, which[row]), rows["schedule"]),
    )
    order = np.lexsort((np.arange(len(rows)), rows["start"], rows["person"]))
    return replace(records, administrations=rows.take(order))


def _notations(administrations: Frame) -> tuple[Index, list[DoseNotation]] | None:
    """Return the notations of the amounts and which each row has; None if no row has a schedule."""
    which, units = distinct_rows(administrations["amount_unit"])
    listed = [taken_apart(unit) for (unit,) in units]
    label = administrations.coded("label")
    counting = label.map(lambda text: bool(COUNTED.search(text.casefold())), np.bool_)
    which, amounts = which.copy(), administrations["amount"]
    for at in np.flatnonzero(counting).tolist():
        (unit,) = units[which[at]]
        times = times_in_label(str(label.texts[label.code[at]]), float(amounts[at]), unit)
        if times > 1 and not listed[which[at]].scheduled:
            which[at] = len(listed)
            listed.append(DoseNotation(unit, times=times))
    return (which, listed) if any(one.scheduled for one in listed) else None


def _as_written(rows: Frame, listed: list[DoseNotation], which: Index) -> Array:
    """Return how the schedule of each row was written: its unit, or its label where that counts the doses."""
    in_label = np.array([one.unit for one in listed], object)[which] == rows["amount_unit"]
    return np.where(in_label, rows["label"], rows["amount_unit"])
