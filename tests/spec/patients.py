"""One or a few patients as small tables in, the study's tables out, through the real stages.

Hours count from time zero. Columns of `labs`: hour, person (0 if absent), drawn or available where
the clock matters, then variables in canonical units. `doses`: hour, until, drug, route, mg, mg_h,
person. `procedures`: hour, until, name, person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from becalm import protocol as protocols
from becalm import vocabulary
from becalm.cohort.selection import COHORT
from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.definitions import Modifiers
from becalm.doses import Doses, rebuild
from becalm.events import Events, harmonise
from becalm.measures.outcome import outcome
from becalm.measures.previous_therapy import previous_therapy
from becalm.measures.response import primary, response
from becalm.measures.safety import safety
from becalm.protocol import Protocol
from becalm.records import ADMINISTRATIONS, MEASUREMENTS, PERSONS, PROCEDURES, STAYS, Records
from becalm.vocabulary import MeasurementKind
from tests.records.pictures import rows_of

ORIGIN = 1_600_000_000_000_000
"""Time zero of every patient here, µs."""
Row = dict[str, Any]


def at(hour: float | str | None) -> int:
    """A time of the record; '' and None are not known."""
    return UNKNOWN_TIME if hour in (None, "") else ORIGIN + round(float(hour or 0) * HOUR)


def hours(time: int) -> float | None:
    """A time of a table as hours from time zero."""
    return None if time == UNKNOWN_TIME else (time - ORIGIN) / HOUR


@dataclass(frozen=True)
class Patients:
    """Patients of one protocol with their cohort rows."""

    records: Records
    events: Events
    doses: Doses
    cohort: Frame
    protocol: Protocol
    modifiers: Modifiers = field(default_factory=dict)

    def response(self, variable: str = "ferritin", clock: str = "t0", person: int = 0) -> Row:
        return next(
            row
            for row in self.response_table().rows()
            if (row["variable"], row["clock"], row["person_id"]) == (variable, clock, f"P{person}")
        )

    def response_table(self) -> Frame:
        return response(
            self.cohort, self.events, self.doses, self.records, self.protocol, self.modifiers
        )

    def primary(self, clock: str = "t0", person: int = 0) -> Row:
        table = primary(self.cohort, self.response_table(), self.events, self.protocol)
        return next(
            row for row in table.rows() if (row["clock"], row["person_id"]) == (clock, f"P{person}")
        )

    def safety_table(self) -> Frame:
        return safety(self.cohort, self.events, self.doses, self.records, self.protocol)

    def safety(self, event: str, person: int = 0) -> Row:
        return next(
            row
            for row in self.safety_table().rows()
            if (row["event"], row["person_id"]) == (event, f"P{person}")
        )

    def outcome_table(self) -> Frame:
        return outcome(self.cohort, self.doses, self.records, self.protocol)

    def outcome(self, person: int = 0) -> Row:
        return next(row for row in self.outcome_table().rows() if row["person_id"] == f"P{person}")

    def prior(self) -> list[Row]:
        """Previous therapy, in the order in which it began."""
        table = previous_therapy(self.cohort, self.events, self.doses, self.protocol)
        return list(table.sort("person_id", "first", "drug").rows())


def patients(
    labs: str = "",
    *,
    doses: str = "",
    procedures: str = "",
    stays: str = "",
    protocol: str | Protocol = "anakinra_mas",
    persons: int = 1,
    limits: Mapping[str, tuple[float, float]] | None = None,
    modifiers: Modifiers | None = None,
    **known: Any,
) -> Patients:
    """Build patients; `known` are columns of the persons or of the cohort, times in hours.

    limits : reference limits that the record prints beside a variable.
    """
    study = protocols.load(protocol) if isinstance(protocol, str) else protocol
    words = vocabulary.load()
    people = {**dict.fromkeys(PERSONS), **{k: v for k, v in known.items() if k in PERSONS}}
    for name in ("death_time", "last_contact"):
        people[name] = at(people[name])
    people |= {"sex": known.get("sex", "F")}
    records = Records(
        Frame.of_rows(
            PERSONS, [{**people, "person_id": f"P{i}", "key": i + 1} for i in range(persons)]
        ),
        Frame.of_rows(STAYS, list(_stays(stays))),
        *_measurements(labs, limits or {}),
        administrations=Frame.of_rows(ADMINISTRATIONS, list(_doses(doses))),
        procedures=Frame.of_rows(PROCEDURES, list(_procedures(procedures))),
    )
    events = harmonise(records, words)
    given = rebuild(records, events, words)
    clocks = {name: at(known.get(name)) for name in ("infusion_start", "high_rate", "discharge")}
    row = {
        "sex": people["sex"],
        "age": known.get("age", 44),
        "t0": ORIGIN,
        "index_time": ORIGIN,
        "storm_onset": at(known.get("onset", -48)),
        "left_truncated": known.get("left_truncated", False),
        "death_time": people["death_time"],
        "last_contact": people["last_contact"],
        "end_of_records": at(known.get("end_of_records", 1000)),
        **clocks,
    }
    cohort = Frame.of_rows(
        COHORT, [{**row, "person_id": f"P{i}", "person": i} for i in range(persons)]
    )
    return Patients(records, events, given, cohort, study, modifiers or {})


def _measurements(
    labs: str, limits: Mapping[str, tuple[float, float]]
) -> tuple[tuple[MeasurementKind, ...], Frame]:
    rows = rows_of(labs) if labs.strip() else []
    names = [
        n for n in (rows[0] if rows else {}) if n not in ("hour", "person", "line", "available")
    ]
    units = vocabulary.load()
    kinds = tuple(
        MeasurementKind("labs", "name", "", name, units.variable(name).unit) for name in names
    )
    found: list[Row] = []
    for row in rows:
        for kind, name in enumerate(names):
            for text in filter(None, row[name].split(" and ")):
                low, high = limits.get(name, (None, None))
                plain = text.replace(".", "", 1).isdigit()
                found.append(
                    {
                        "person": int(row.get("person") or 0),
                        "time": at(row["hour"]),
                        "available": at(row.get("available")),
                        "kind": kind,
                        "value": float(text) if plain else None,
                        "text": "" if plain else text,
                        "ref_low": low,
                        "ref_high": high,
                        "key": 1000 * int(row["line"]) + len(found),
                    }
                )
    found.sort(key=lambda each: (each["person"], each["time"], each["key"]))
    return kinds, Frame.of_rows(MEASUREMENTS, found)


def _doses(table: str) -> list[Row]:
    rows = rows_of(table) if table.strip() else []
    return [
        {
            "person": int(row.get("person") or 0),
            "table": "doses",
            "label": row["drug"],
            "route": row.get("route") or "IV",
            "start": at(row["hour"]),
            "end": at(row.get("until")),
            "amount": float(row["mg"]) if row.get("mg") else None,
            "amount_unit": "mg" if row.get("mg") else "",
            "rate": float(row["mg_h"]) if row.get("mg_h") else None,
            "rate_unit": "mg/h" if row.get("mg_h") else "",
            "key": int(row["line"]),
        }
        for row in rows
    ]


def _procedures(table: str) -> list[Row]:
    rows = rows_of(table) if table.strip() else []
    return [
        {
            "person": int(row.get("person") or 0),
            "start": at(row["hour"]),
            "end": at(row.get("until")),
            "name": row["name"],
            "key": int(row["line"]),
        }
        for row in rows
    ]


def _stays(table: str) -> list[Row]:
    rows = rows_of(table) if table.strip() else []
    return [
        {
            "person": int(row.get("person") or 0),
            "stay_id": row["line"],
            "start": at(row["hour"]),
            "end": at(row.get("until")),
            "kind": row.get("kind") or "ward",
            "destination": row.get("to") or "",
            "key": int(row["line"]),
        }
        for row in rows
    ]
