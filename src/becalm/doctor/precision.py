"""The precision of times: a column with all times at midnight is a column of dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from becalm.core.arrays import Array, Mask, Times
from becalm.core.clock import DAY, HOUR, MINUTE, SECOND, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doctor.model import PRECISION
from becalm.records import Records

_SMALL = (
    ("stays", "start"),
    ("stays", "end"),
    ("findings", "time"),
    ("conditions", "onset"),
    ("procedures", "start"),
    ("procedures", "end"),
    ("cultures", "collected"),
    ("cultures", "available"),
)
_GRAINS = (
    ("midnight", DAY),
    ("whole_hours", HOUR),
    ("whole_minutes", MINUTE),
    ("whole_seconds", SECOND),
)


class Precision:
    """Counts by table and time; measurements and doses by the table's name in the source."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counter[str]] = {}

    def add(self, records: Records) -> None:
        for table, name, times, date_only in _columns(records):
            count = self._counts.setdefault((table, name), Counter())
            unknown = times == UNKNOWN_TIME
            dates = date_only & ~unknown
            exact = times[~unknown & ~dates]
            count.update(rows=len(times), unknown=int(unknown.sum()), date_only=int(dates.sum()))
            count.update({grain: int((exact % unit == 0).sum()) for grain, unit in _GRAINS})

    def frame(self) -> Frame:
        """Return one row for each column of times, in the order of the tables' names."""
        return Frame.of_rows(
            PRECISION,
            [
                {"source_table": table, "time": name, **{k: count[k] for k in list(PRECISION)[2:]}}
                for (table, name), count in sorted(self._counts.items())
                if count["rows"] > count["unknown"]
            ],
        )


def _columns(records: Records) -> Iterator[tuple[str, str, Times, Mask]]:
    persons = records.persons
    dead = persons["death_time"] != UNKNOWN_TIME
    yield "persons", "death", persons["death_time"][dead], persons["death_date_only"][dead]
    measured = records.measurements
    table_of = np.array([kind.table for kind in records.kinds], dtype=object)
    for table in sorted(set(table_of)):
        rows = (table_of == table)[measured["kind"]]
        date_only = measured["date_only"][rows]
        yield table, "drawn", measured["time"][rows], date_only
        yield table, "available", measured["available"][rows], np.zeros(len(date_only), np.bool_)
    administrations = records.administrations
    for table in sorted(set(administrations["table"])):
        rows = administrations["table"] == table
        for name in ("start", "end"):
            yield (
                table or "doses",
                name,
                administrations[name][rows],
                administrations["date_only"][rows],
            )
    for table, name in _SMALL:
        frame: Frame = getattr(records, table)
        yield table, name, frame[name], _flag(frame, name)


def _flag(frame: Frame, name: str) -> Array:
    """Return whether each time is a date; times of availability and most ends have no such mark."""
    if name == "end" and "end_date_only" in frame.columns:
        return frame["end_date_only"]
    if "date_only" in frame.columns and name in ("time", "collected", "start"):
        return frame["date_only"]
    return np.zeros(len(frame), np.bool_)
