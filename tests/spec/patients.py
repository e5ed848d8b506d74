"""One or a few patients as small tables in, the study's tables out, through the real stages.

The tables are those of `tests.records.pictures`. Hour 0 is time zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from becalm import protocol as protocols
from becalm import vocabulary
from becalm.cohort.selection import COHORT
from becalm.core.clock import DAY, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.definitions import Modifiers
from becalm.doses import Doses, rebuild
from becalm.events import Events, harmonise
from becalm.measures.outcome import outcome
from becalm.measures.previous_therapy import previous_therapy
from becalm.measures.response import primary, response
from becalm.measures.safety import safety
from becalm.persons.death import Deaths
from becalm.protocol import Protocol
from becalm.records import PERSONS, Records
from tests.records import ORIGIN, at, person, pictures
from tests.records import records as build

Row = dict[str, Any]


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
            if (row["variable"], row["clock"], row["person_id"])
            == (variable, clock, f"P{person + 1}")
        )

    def response_table(self) -> Frame:
        return response(
            self.cohort, self.events, self.doses, self.records, self.protocol, self.modifiers
        )

    def primary(self, clock: str = "t0", person: int = 0) -> Row:
        table = primary(self.cohort, self.response_table(), self.events, self.protocol)
        return next(
            row
            for row in table.rows()
            if (row["clock"], row["person_id"]) == (clock, f"P{person + 1}")
        )

    def safety_table(self) -> Frame:
        return safety(self.cohort, self.events, self.doses, self.records, self.protocol)

    def safety(self, event: str, person: int = 0) -> Row:
        return next(
            row
            for row in self.safety_table().rows()
            if (row["event"], row["person_id"]) == (event, f"P{person + 1}")
        )

    def outcome_table(self) -> Frame:
        return outcome(self.cohort, self.doses, self.records, self.protocol)

    def outcome(self, person: int = 0) -> Row:
        return next(
            row for row in self.outcome_table().rows() if row["person_id"] == f"P{person + 1}"
        )

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
    facts: dict[str, Any] = {"sex": "F", "age": None, "death": known.get("death_time")}
    facts |= {name: value for name, value in known.items() if name in PERSONS}
    facts.pop("death_time", None)
    records = build(
        *(person(f"P{i + 1}", **facts) for i in range(persons)),
        *pictures.labs(labs, limits),
        *pictures.doses(doses),
        *pictures.procedures(procedures),
        *pictures.stays(stays),
    )
    events = harmonise(records, words)
    given = rebuild(records, events, words)
    deaths = Deaths.of(records)
    end, over = at(known.get("end_of_records", 1000)), int(max(deaths.over, default=UNKNOWN_TIME))
    if over != UNKNOWN_TIME:
        end = min(max(end, over - DAY), over) if deaths.by_date[0] else over
    clocks = {name: at(known.get(name)) for name in ("infusion_start", "high_rate", "discharge")}
    row = {
        "sex": facts["sex"],
        "age": known.get("age", 44),
        "t0": ORIGIN,
        "index_time": ORIGIN,
        "storm_onset": at(known.get("onset", -48)),
        "left_truncated": known.get("left_truncated", False),
        "death_time": int(max(deaths.time, default=UNKNOWN_TIME)),
        "last_contact": at(known.get("last_contact")),
        "end_of_records": end,
        **clocks,
    }
    cohort = Frame.of_rows(
        COHORT, [{**row, "person_id": f"P{i + 1}", "person": i} for i in range(persons)]
    )
    return Patients(records, events, given, cohort, study, modifiers or {})
