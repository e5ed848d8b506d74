"""Rows as records in memory: what the reader of sheets would make of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from becalm.core.clock import DAY, parse
from becalm.core.frame import Frame, Kind
from becalm.core.time_zones import ClockChanges
from becalm.patients.understood import Patients
from becalm.records import (
    ADMINISTRATIONS,
    CONDITIONS,
    CULTURES,
    FINDINGS,
    JUDGEMENTS,
    MEASUREMENTS,
    PERSONS,
    PROCEDURES,
    STAYS,
    Records,
    RepeatedCharting,
)
from becalm.records.charted_again import NOTHING_REPEATED
from becalm.vocabulary import MeasurementKind, Vocabulary
from tests.records.rows import Row, V, at, persons_of

SCHEMAS: Final[Mapping[str, Mapping[str, Kind]]] = {
    "persons": PERSONS,
    "stays": STAYS,
    "measurements": MEASUREMENTS,
    "administrations": ADMINISTRATIONS,
    "findings": FINDINGS,
    "conditions": CONDITIONS,
    "procedures": PROCEDURES,
    "cultures": CULTURES,
    "judgements": JUDGEMENTS,
}
"""Every raw table."""
_TIME: Final = {
    "stays": "start",
    "measurements": "time",
    "administrations": "start",
    "findings": "time",
    "conditions": "onset",
    "procedures": "start",
    "cultures": "collected",
    "judgements": "question",
}
"""The time by which the rows of a table are sorted."""
_DATED: Final = {"persons": "death_time"} | _TIME
_ENDS: Final = ("end", "available")
"""Times whose date alone means the end of that day."""


def records(*rows: Row, repeated: RepeatedCharting = NOTHING_REPEATED) -> Records:
    """Return the records of all rows, with one person of 44 where they name none.

    The key of a row is its number in a sheet that has the table's rows in their order, from 2.
    """
    persons = persons_of(rows)
    ids = [cells["person_id"] for cells in persons]
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
    tables["persons"] = [_typed("persons", cells, row) for row, cells in enumerate(persons, 2)]
    kinds: dict[MeasurementKind, int] = {}
    for row in rows:
        if row.table == "persons":
            continue
        whose = row.cells.get("person", 0)
        cells = {**row.cells, "person": ids.index(whose) if isinstance(whose, str) else whose}
        if row.table == "measurements":
            cells = _measured(cells, kinds)
        if row.table == "administrations":
            cells.setdefault("table", "doses")
        table = tables[row.table]
        table.append(_typed(row.table, cells, len(table) + 2))
    frames = {
        name: Frame.of_rows(SCHEMAS[name], tables[name]).sort("person", time, "key")
        for name, time in _TIME.items()
    }
    people = Frame.of_rows(PERSONS, tables["persons"])
    clock = ClockChanges.none()
    return Records(people, kinds=tuple(kinds), repeated=repeated, clock=clock, **frames)


def chunk(*rows: Row, vocabulary: Vocabulary = V) -> Patients:
    """Return the rows as every stage after the source sees them."""
    return Patients.of(records(*rows), vocabulary)


def _measured(cells: Mapping[str, Any], kinds: dict[MeasurementKind, int]) -> dict[str, Any]:
    """Return the cells of a measurement with its number, its text and its kind."""
    rest = dict(cells)
    name, system = rest.pop("name"), rest.pop("system", "name")
    kind = MeasurementKind(
        "labs", system, rest.pop("code", name), name, rest.pop("unit"), rest.pop("specimen", "")
    )
    value = rest.pop("value")
    number, text = (np.nan, value) if isinstance(value, str) else (float(value), "")
    return {**rest, "kind": kinds.setdefault(kind, len(kinds)), "value": number, "text": text}


def _typed(table: str, cells: Mapping[str, Any], key: int) -> dict[str, Any]:
    """Return cells with their times in µs, and whether one of them is a date alone."""
    typed = {"key": key, **cells}
    dates = []
    for name, value in cells.items():
        if SCHEMAS[table].get(name) == "time":
            dated = isinstance(value, str) and bool(value) and parse(value)[1]
            typed[name] = at(value) + (DAY if dated and name in _ENDS else 0)
            dates += [name] if dated else []
    flag = "death_date_only" if table == "persons" else "date_only"
    counted = {_DATED[table], *(("end",) if table == "administrations" else ())}
    if flag in SCHEMAS[table] and flag not in cells:
        typed[flag] = bool(counted & set(dates))
    if table == "stays":
        typed.setdefault("end_date_only", "end" in dates)
    return typed
