"""The table `values`: the measurements of each person, to be compared with a simple query."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Floats, Index, Mask
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.events.model import Events, number_and_sign
from becalm.events.one_draw import report_order
from becalm.tables import VALUES


def values(events: Events, population: Mask | None = None) -> Frame:
    """Return the table `values`: the measurements of each person, one row per person and variable.

    `population` is a mask over the chunk's persons; None means all. `n` counts rows, so that a
    simple query over the records gives the same number, also if a result is stored twice; derived values are
    counted in it and beside it. `first`
    and `last` are by the time of draw, within one instant by when and as what they were reported, else the lowest is
    the first: the order of rows says nothing. `min` and `max` use both ends of
    censored values: the greatest of `>40000` and 24,600 is `>40000`, the least is 24,600; the least of `<5` and 2
    is `<=2`, which is no exact number, and the least of `>15000` and 20,000 is `>15000`.
    """
    vocabulary, frame, rejected = events.vocabulary, events.frame, events.rejected
    if population is not None:
        frame = frame.take(population[frame["person"]])
        rejected = rejected.take(population[rejected["person"]])
    many = len(vocabulary.variables)
    key = frame["person"].astype(np.int64) * many + frame["variable"]
    lost = rejected["person"].astype(np.int64) * many + rejected["variable"]
    frame = frame.take(_in_order(frame, key))
    groups, start, n = np.unique(np.sort(key, kind="stable"), return_index=True, return_counts=True)
    all_groups = np.unique(np.concatenate([groups, lost]))
    at = np.searchsorted(all_groups, groups)

    low, high, time = frame["low"], frame["high"], frame["time"]
    ends = {
        "first": (low[start], high[start]),
        "last": (low[start + n - 1], high[start + n - 1]),
        "min": _extreme(np.minimum, low, high, start),
        "max": _extreme(np.maximum, low, high, start),
    }
    # A minimum between two bounds is told by the lower one, as a maximum is by the higher one.
    least, most = ends["min"]
    ends["min"] = least, np.where((least < most) & np.isfinite(least) & (least != 0), np.inf, most)
    greatest = np.flatnonzero(low == np.repeat(ends["max"][0], n))
    counts = np.zeros((3, len(all_groups)), np.int64)
    counts[0, at] = n
    derived = (frame["row"] >= events.derived_from).astype(np.int64)
    counts[2, at] = np.add.reduceat(derived, start) if len(start) else 0
    counts[1, at] = np.add.reduceat(low != high, start, dtype=np.int64) if len(start) else 0
    time_of_max = np.full(len(all_groups), UNKNOWN_TIME)
    time_of_max[at] = time[greatest[np.searchsorted(greatest, start)]]
    numbers, signs = {}, []
    for name, (lower, upper) in ends.items():
        number, sign = number_and_sign(lower, upper)
        numbers[name] = np.full(len(all_groups), np.nan)
        numbers[name][at] = number
        signs.append(sign)
    censored = np.full(len(all_groups), "", dtype=object)
    for i in np.flatnonzero(np.logical_or.reduce([sign != "" for sign in signs])).tolist():
        marks = zip(ends, (sign[i] for sign in signs), strict=True)
        censored[at[i]] = "|".join(f"{name}{mark}" for name, mark in marks if mark)
    names = np.array([v.name for v in vocabulary.variables], dtype=object)
    units = np.array([v.unit for v in vocabulary.variables], dtype=object)
    return Frame.of(
        VALUES,
        person_id=events.records.persons["person_id"][all_groups // many],
        variable=names[all_groups % many],
        n=counts[0],
        n_censored=counts[1],
        n_derived=counts[2],
        n_refused=np.searchsorted(np.sort(lost), all_groups, "right")
        - np.searchsorted(np.sort(lost), all_groups, "left"),
        **numbers,
        time_of_max=time_of_max,
        unit=units[all_groups % many],
        censored=censored,
    ).sort("person_id", "variable")


def _in_order(frame: Frame, key: npt.NDArray[np.int64]) -> Index:
    """Return the order of rows by key and time of draw, within one instant by report and by value."""
    order = np.argsort(key, kind="stable")
    key, time = key[order], frame["time"][order]
    again = (key[1:] == key[:-1]) & (time[1:] == time[:-1])
    at = np.flatnonzero(np.append(again, False) | np.append(False, again)) if len(key) else order
    if len(at):
        rows = frame.take(order[at])
        by = (rows["high"], rows["low"], report_order(rows["report"]), rows["available"])
        order[at] = order[at][np.lexsort((*by, time[at], key[at]))]
    return order


def _extreme(
    of: np.ufunc, low: Floats, high: Floats, start: npt.NDArray[np.intp]
) -> tuple[Floats, Floats]:
    if not len(start):
        return low, high
    return of.reduceat(low, start), of.reduceat(high, start)
