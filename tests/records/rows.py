"""Patients in words: what happened to somebody, and when.

A row is said as a physician would say it: `lab("ferritin", 9000, 5)`, `dose("anakinra", 6, amount="100 mg")`.
It belongs to the first person unless `person` names another, by id or by position. A time is a number of
hours from midnight of 1 January 2020, a calendar time (`"2020-01-02 08:00"`, or a date), or None where
nobody knows it. A value may be a text: `">15000"`. Other cells are given by the names of the raw tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from becalm import vocabulary
from becalm.core.clock import HOUR, UNKNOWN_TIME, parse, to_us

ORIGIN = to_us(datetime(2020, 1, 1))
"""Hour 0, µs."""
V = vocabulary.load()
Moment = float | str | None


@dataclass(frozen=True)
class Row:
    """One row of one raw table, its cells as they were said."""

    table: str
    cells: Mapping[str, Any]


def at(moment: Moment) -> int:
    """Return a time in µs; None and '' are not known."""
    if moment is None or moment == "":
        return UNKNOWN_TIME
    if isinstance(moment, str):
        return parse(moment)[0]
    return ORIGIN + round(moment * HOUR)


def hours(time: int) -> float | None:
    """µs as hours from the origin."""
    return None if time == UNKNOWN_TIME else float((time - ORIGIN) / HOUR)


def person(
    name: str = "P1",
    *,
    age: float | None = 44,
    birth: Moment = None,
    death: Moment = None,
    **more: Any,
) -> Row:
    """Return a person; `birth` as a date, `age` undated."""
    cells: dict[str, Any] = {"person_id": name, "sex": "F", "death_time": death}
    if birth not in (None, ""):
        cells["birth"] = birth
    elif age is not None:
        cells["age"] = float(age)
    return Row("persons", {**cells, **more})


def patient(name: str, *rows: Row, **facts: Any) -> tuple[Row, ...]:
    """Return a person and the rows that are theirs."""
    theirs = (Row(row.table, {**row.cells, "person": name}) for row in rows)
    return (person(name, **facts), *theirs)


def lab(
    name: str,
    value: float | str,
    hour: Moment,
    unit: str | None = None,
    *,
    available: Moment = None,
    **more: Any,
) -> Row:
    """Return a measurement, in the canonical unit where none is given."""
    said = V.variable(name).unit if unit is None else unit
    cells = {"name": name, "value": value, "unit": said, "time": hour, "available": available}
    return Row("measurements", {**cells, **more})


def dose(drug: str, start: Moment, end: Moment = None, **more: Any) -> Row:
    """Return an administration: `amount="100 mg"`, `rate="100 mg/h"`; IV and given unless it says so."""
    for name in ("amount", "rate", "concentration"):
        if isinstance(more.get(name), str):
            number, _, unit = more[name].partition(" ")
            more |= {name: float(number), f"{name}_unit": unit}
    cells = {"label": drug, "start": start, "end": end, "route": "IV", "status": "given"}
    return Row("administrations", {**cells, **more})


def infusion(start: float, end: float, rate: float = 100, drug: str = "anakinra") -> Row:
    """Return a constant infusion in mg/h."""
    return dose(drug, start, end, rate=f"{rate} mg/h")


def finding(name: str, present: str, hour: Moment, **more: Any) -> Row:
    """Return a finding: present, or not."""
    return Row("findings", {"finding": name, "present": present, "time": hour, **more})


def stay(start: Moment, end: Moment, name: str = "S1", kind: str = "ward", **more: Any) -> Row:
    """Return a stay."""
    return Row("stays", {"stay_id": name, "start": start, "end": end, "kind": kind, **more})


def condition(name: str = "", onset: Moment = None, **more: Any) -> Row:
    """Return a diagnosis by name; by code where `code` and `system` are given."""
    cells = {"name": "" if "code" in more else name, "onset": onset, "status": "confirmed"}
    return Row("conditions", {**cells, **more})


def procedure(name: str, start: Moment, end: Moment = None, **more: Any) -> Row:
    """Return a procedure."""
    return Row("procedures", {"name": name, "start": start, "end": end, **more})


def culture(
    result: str, collected: Moment, organism: str = "", specimen: str = "blood", **more: Any
) -> Row:
    """Return a culture or another test for a germ."""
    cells = {"result": result, "organism": organism, "specimen": specimen, "test": "culture"}
    return Row("cultures", {**cells, "collected": collected, **more})


def persons_of(rows: tuple[Row, ...]) -> list[Mapping[str, Any]]:
    """Return the cells of the persons; one of 44 where rows name none, nobody where there are no rows."""
    named = [row.cells for row in rows if row.table == "persons"]
    return named or [person().cells for _ in rows[:1]]
