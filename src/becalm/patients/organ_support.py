"""The times of procedures and organ support, by the vocabulary's names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import distinct_rows
from becalm.persons.lifetime import Lifetime
from becalm.records import Records
from becalm.timeline import Intervals
from becalm.vocabulary import Vocabulary


def running(records: Records, vocabulary: Vocabulary) -> dict[str, Intervals]:
    """Return when each procedure was running.

    A procedure without an end lasts 1 µs, one without a start is left out, and none goes on after death. A narrower procedure is
    also its wider one: haemodialysis is renal replacement.
    """
    rows_of: dict[str, list[int]] = {}
    for at, names in named(records, vocabulary):
        for name in names:
            rows_of.setdefault(name, []).append(at)
    table, over = records.procedures, Lifetime.of(records).over
    result = {}
    for name, rows in rows_of.items():
        start, end = table["start"][rows], table["end"][rows]
        end = np.minimum(np.where(end == UNKNOWN_TIME, start, end), over[table["person"][rows]])
        stop = np.maximum(start + 1, end)
        result[name] = Intervals.build(table["person"][rows], start, stop)
    return result


def named(records: Records, vocabulary: Vocabulary) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each row of the procedures that has a start, with its names."""
    table = records.procedures
    written, ways = distinct_rows(table["system"], table["code"], table["name"])
    meant = [vocabulary.procedures_of(*way) for way in ways]
    for at in np.flatnonzero(table["start"] != UNKNOWN_TIME).tolist():
        yield at, meant[written[at]]
