"""Patients in a few words: raw records in memory, as a source would yield them.

Times are hours from midnight of 1 January 2020; None is not known. A row belongs to the first
person unless it says otherwise. Values may be texts: `">15000"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from becalm import definitions, protocol, vocabulary
from becalm.cohort.selection import Candidates, Selection, candidates, select
from becalm.core.clock import HOUR, UNKNOWN_TIME, to_us
from becalm.core.frame import Frame, Kind
from becalm.patients.understood import Patients
from becalm.protocol import Protocol
from becalm.records import (
    ADMINISTRATIONS,
    CONDITIONS,
    CULTURES,
    FINDINGS,
    MEASUREMENTS,
    PERSONS,
    PROCEDURES,
    STAYS,
    Records,
    StudyInfo,
)
from becalm.vocabulary import MeasurementKind

ORIGIN = to_us(datetime(2020, 1, 1))
V = vocabulary.load()
Hour = float | None


@dataclass(frozen=True)
class Row:
    """One row of one table."""

    table: str
    cells: Mapping[str, Any]


def at(hour: Hour) -> int:
    """Hours from the origin as µs."""
    return UNKNOWN_TIME if hour is None else ORIGIN + round(hour * HOUR)


def hours(time: int) -> Hour:
    """µs as hours from the origin."""
    return None if time == UNKNOWN_TIME else float((time - ORIGIN) / HOUR)


def person(
    name: str = "P1", *, age: float | None = 44, birth: str = "", death: Hour = None, **more: Any
) -> Row:
    """Return a person; `birth` as a date, `age` undated."""
    cells: dict[str, Any] = {"person_id": name, "sex": "F", "death_time": at(death)}
    if birth:
        cells["birth"] = to_us(datetime.fromisoformat(birth))
    elif age is not None:
        cells["age"] = float(age)
    return Row("persons", {**cells, **more})


def lab(
    name: str,
    value: float | str,
    hour: Hour,
    unit: str | None = None,
    *,
    available: Hour = None,
    **more: Any,
) -> Row:
    """Return a measurement, in the canonical unit where none is given."""
    said = V.variable(name).unit if unit is None else unit
    number, text = (np.nan, value) if isinstance(value, str) else (float(value), "")
    kind = MeasurementKind("labs", "name", "", name, said)
    cells = {"time": at(hour), "value": number, "text": text, "available": at(available)}
    return Row("measurements", {"kind": kind, **cells, **more})


def dose(drug: str, start: Hour, end: Hour = None, **more: Any) -> Row:
    """Return an administration: `amount="100 mg"` or `rate="100 mg/h"`, IV unless it says so."""
    for name in ("amount", "rate"):
        if name in more:
            number, _, unit = more[name].partition(" ")
            more |= {name: float(number), f"{name}_unit": unit}
    cells = {"table": "doses", "label": drug, "start": at(start), "end": at(end)}
    return Row("administrations", {**cells, "route": "IV", "status": "given", **more})


def infusion(start: float, end: float, rate: float = 100, drug: str = "anakinra") -> Row:
    """Return a constant infusion in mg/h."""
    return dose(drug, start, end, rate=f"{rate} mg/h")


def finding(name: str, present: str, hour: Hour, **more: Any) -> Row:
    """Return a finding: present, or not."""
    return Row("findings", {"finding": name, "present": present, "time": at(hour), **more})


def stay(start: Hour, end: Hour, name: str = "S1", kind: str = "ward", **more: Any) -> Row:
    """Return a stay."""
    return Row("stays", {"stay_id": name, "start": at(start), "end": at(end), "kind": kind, **more})


def condition(name: str, onset: Hour = None, **more: Any) -> Row:
    """Return a diagnosis by name; by code where `code` and `system` are given."""
    cells = {"name": "" if "code" in more else name, "onset": at(onset), "status": "confirmed"}
    return Row("conditions", {**cells, **more})


def procedure(name: str, start: Hour, end: Hour = None, **more: Any) -> Row:
    """Return a procedure."""
    return Row("procedures", {"name": name, "start": at(start), "end": at(end), **more})


def culture(
    result: str, collected: Hour, organism: str = "", specimen: str = "blood", **more: Any
) -> Row:
    """Return a culture or another test for a germ."""
    cells = {"result": result, "organism": organism, "specimen": specimen, "test": "culture"}
    return Row("cultures", {**cells, "collected": at(collected), **more})


def records(*rows: Row) -> Records:
    """Return the records of all rows; one person of 44 where none is given."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for number, row in enumerate(rows, 2):
        tables.setdefault(row.table, []).append({"person": 0, "key": number, **row.cells})
    people = tables.pop("persons", None) or [{**person().cells}]
    kinds = tuple(dict.fromkeys(row["kind"] for row in tables.get("measurements", [])))
    for cells in tables.get("measurements", []):
        cells["kind"] = kinds.index(cells["kind"])
    people = [{k: v for k, v in cells.items() if k != "person"} for cells in people]

    def frame(name: str, schema: Mapping[str, Kind], time: str) -> Frame:
        return Frame.of_rows(schema, tables.get(name, [])).sort("person", time, "key")

    return Records(
        Frame.of_rows(PERSONS, people),
        frame("stays", STAYS, "start"),
        kinds,
        frame("measurements", MEASUREMENTS, "time"),
        frame("administrations", ADMINISTRATIONS, "start"),
        frame("findings", FINDINGS, "time"),
        frame("conditions", CONDITIONS, "onset"),
        frame("procedures", PROCEDURES, "start"),
        frame("cultures", CULTURES, "collected"),
    )


def chunk(*rows: Row) -> Patients:
    """Return the rows as every stage after the source sees them."""
    return Patients.of(records(*rows), V)


def study(
    chosen: Protocol | str, *rows: Row, info: StudyInfo | None = None
) -> tuple[Candidates, Selection]:
    """Select a cohort from rows; return the candidates and the selection."""
    rules = protocol.load(chosen) if isinstance(chosen, str) else chosen
    patients = chunk(*rows)
    found = candidates(patients, rules, info or StudyInfo())
    inputs = patients.inputs(rules.clock)
    evaluations = {
        name: definitions.evaluate(definitions.load(name), inputs)
        for name in rules.definitions.report
    }
    return found, select(patients, found, evaluations, rules)


def left(chosen: Protocol | str, *rows: Row, info: StudyInfo | None = None) -> list[str]:
    """Return, for each person, the reason of the step at which they left; '' for the cohort."""
    _, selection = study(chosen, *rows, info=info)
    reasons = [""] * len(selection.steps[0].remaining)
    for step in reversed(selection.steps):
        for one in np.flatnonzero(~step.remaining).tolist():
            reasons[one] = step.reason
    return reasons


def entered(chosen: Protocol | str, *rows: Row, info: StudyInfo | None = None) -> dict[str, Any]:
    """Return the one row of the cohort, its times in hours."""
    _, selection = study(chosen, *rows, info=info)
    [row] = selection.cohort.rows()
    times = ("index_time", "t0", "infusion_start", "high_rate", "storm_onset", "discharge")
    return {**row, **{name: hours(row[name]) for name in times}}
