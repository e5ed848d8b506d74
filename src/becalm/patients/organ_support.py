"""The times of procedures and organ support, by the vocabulary's names."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import distinct_rows
from becalm.persons.lifetime import Lifetime
from becalm.persons.stays import admissions
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


def of_day_alone(
    records: Records, vocabulary: Vocabulary, names: Collection[str], charted: Intervals
) -> Intervals:
    """Return when procedures of which only the date is known may have run.

    From the begin of that day to the end of the stay in hospital, because nobody wrote when they were over; not
    where one with an hour was charted on that day.

    names : of the procedures. charted : when they ran for certain.
    """
    table, over = records.procedures, Lifetime.of(records).over
    found = [at for at, known in named(records, vocabulary) if not set(names).isdisjoint(known)]
    rows = np.array(found, np.int64)
    rows = rows[table["date_only"][rows]]
    person, day, end = table["person"][rows], table["start"][rows], table["end"][rows]
    until = np.where(end == UNKNOWN_TIME, day, end) + DAY
    # A date alone is a row of one microsecond in `charted`.
    told, of = charted.overlaps(person, day, until)
    told = told[charted.durations()[of] > 1]
    alone = np.setdiff1d(np.arange(len(rows)), told)
    person, day, until = person[alone].astype(np.int32), day[alone], until[alone]
    whole = admissions(records)
    asked, stay = whole.overlaps(person, day, until)
    np.maximum.at(until, asked, whole.end[stay])
    return Intervals.build(person, day, np.maximum(day + 1, np.minimum(until, over[person])))
