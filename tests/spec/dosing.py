"""Small tables of doses as a chart writes them, turned into records and rebuilt.

Columns: drug, route, start, end (hours), amount, rate, concentration (number and unit in one
cell), weight (kg), status, person, label, code, table. A blank cell is not given.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from becalm.core.clock import HOUR, UNKNOWN_TIME
from becalm.core.frame import Frame
from becalm.doses import Doses, EpisodeRules, Treatments, rebuild, treatments, written_out
from becalm.events import harmonise
from becalm.protocol import load as protocol
from becalm.records import ADMINISTRATIONS, MEASUREMENTS, PERSONS, STAYS, Records, RepeatedCharting
from becalm.vocabulary import MeasurementKind, load
from tests.records.pictures import rows_of
from tests.records.pictures import us as hours

RULES = EpisodeRules.of(protocol("anakinra_mas"))
Row = Mapping[str, Any]


def us(hour: float | None) -> int:
    return UNKNOWN_TIME if hour is None else hours(hour)


def _measured(text: str) -> tuple[float, str]:
    number, _, unit = text.partition(" ")
    return (float(number), unit) if number else (float("nan"), "")


def _administration(row: Row, key: int) -> dict[str, Any]:
    cell = {name: str(value) for name, value in row.items()}
    written: dict[str, Any] = {}
    for name in ("amount", "rate", "concentration"):
        written[name], written[f"{name}_unit"] = _measured(cell.get(name, ""))
    return {
        "person": int(cell.get("person") or 0),
        "table": cell.get("table") or "doses",
        "label": cell.get("drug") or "anakinra",
        "code": cell.get("code", ""),
        "route": cell.get("route", "IV"),
        "start": us(float(cell["start"])) if cell.get("start") else UNKNOWN_TIME,
        "end": us(float(cell["end"])) if cell.get("end") else UNKNOWN_TIME,
        "weight_kg": float(cell.get("weight") or "nan"),
        "status": cell.get("status", "given"),
        "key": key,
        **written,
    }


def doses_of(
    table: str | Iterable[Row],
    *,
    weighed: Mapping[float, float] | None = None,
    weight_kg: float = float("nan"),
    death: float | None = None,
    death_date_only: bool = False,
    stay: tuple[float, float] | None = None,
    persons: int = 1,
    repeated: RepeatedCharting | None = None,
) -> Doses:
    """Rebuild the doses of a table.

    weighed : measured weights in kg by hour; weight_kg, death and stay are every person's;
    repeated : which tables chart one administration twice.
    """
    rows = rows_of(table) if isinstance(table, str) else list(table)
    given = Frame.of_rows(
        ADMINISTRATIONS, [_administration(row, i) for i, row in enumerate(rows, 2)]
    )
    everyone = range(persons)
    weights = sorted((weighed or {}).items())
    records = Records(
        Frame.of(
            PERSONS,
            person_id=[f"P{i + 1}" for i in everyone],
            weight_kg=np.full(persons, weight_kg),
            death_time=np.full(persons, us(death)),
            death_date_only=np.full(persons, death_date_only),
        ),
        stays=Frame.of_rows(
            STAYS,
            [{"person": i, "start": us(stay[0]), "end": us(stay[1])} for i in everyone]
            if stay
            else [],
        ),
        kinds=(MeasurementKind("labs", "name", "", "weight", "kg"),),
        measurements=Frame.of_rows(
            MEASUREMENTS,
            [
                {"person": i, "time": us(hour), "kind": 0, "value": kg, "key": 2}
                for i in everyone
                for hour, kg in weights
            ],
        ),
        administrations=given,
        repeated=repeated or RepeatedCharting(),
    )
    vocabulary, records = load(), written_out(records)
    return rebuild(records, harmonise(records, vocabulary), vocabulary)


def column(doses: Doses, name: str) -> list[Any]:
    """One column of the table, unknown numbers and times as None."""
    return [
        None if value == UNKNOWN_TIME or str(value) == "nan" else value
        for value in doses.frame[name].tolist()
    ]


def mg(doses: Doses, hour: float = 10_000, drug: str = "anakinra", person: int = 0) -> float:
    """Mg of a drug given until and at an hour."""
    return float(np.round(doses.amounts(drug).at(person, us(hour)), 6))


def rates(
    doses: Doses, hours: Iterable[float], drug: str = "anakinra"
) -> dict[float, float | None]:
    """Mg/h at some hours; None where nothing is known to run."""
    line = doses.rate(drug)
    return {
        hour: round(float(line.at(0, us(hour))[0]), 6) if line.known_at(0, us(hour)) else None
        for hour in hours
    }


def courses(doses: Doses, drug: str = "anakinra") -> Treatments:
    """The treatment episodes of a drug by the rules of the main protocol."""
    return treatments(doses, [drug], RULES)


def modes(doses: Doses, drug: str = "anakinra") -> list[tuple[str, float, float]]:
    """Mode, start and end in hours of each treatment episode, in order."""
    return [
        (row["mode"], row["start"] / HOUR, row["end"] / HOUR)
        for row in courses(doses, drug).episodes.rows()
    ]
