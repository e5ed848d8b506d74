"""Small tables of doses as a chart writes them, rebuilt, and asked for amounts, rates and episodes."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from becalm.core.clock import UNKNOWN_TIME
from becalm.doses import Doses, EpisodeRules, Treatments, rebuild, treatments, written_out
from becalm.events import harmonise
from becalm.protocol import load as protocol
from becalm.records import RepeatedCharting
from becalm.records.charted_again import NOTHING_REPEATED
from tests.records import V, at, hours, lab, person, pictures
from tests.records import records as build
from tests.records import stay as stay_of

RULES = EpisodeRules.of(protocol("anakinra_mas"))
Row = Mapping[str, Any]


def doses_of(
    table: str | Iterable[Row],
    *,
    weighed: Mapping[float, float] | None = None,
    weight_kg: float = float("nan"),
    death: float | None = None,
    death_date_only: bool = False,
    stay: tuple[float, float] | None = None,
    persons: int = 1,
    repeated: RepeatedCharting = NOTHING_REPEATED,
) -> Doses:
    """Rebuild the doses of a table, or of its lines by column (`tests.records.pictures.doses`).

    weighed : measured weights in kg by hour; weight_kg, death and stay are every person's;
    repeated : which tables chart one administration twice.
    """
    weights = sorted((weighed or {}).items())
    facts: dict[str, Any] = {"sex": "", "weight_kg": weight_kg, "death": death}
    facts |= {"death_date_only": death_date_only}
    everyone = [f"P{i + 1}" for i in range(persons)]
    records = build(
        *(person(one, age=None, **facts) for one in everyone),
        *(stay_of(*stay, person=one) for one in everyone if stay),
        *(lab("weight", kg, hour, person=one) for one in everyone for hour, kg in weights),
        *pictures.doses(table),
        repeated=repeated,
    )
    records = written_out(records)
    return rebuild(records, harmonise(records, V), V)


def column(doses: Doses, name: str) -> list[Any]:
    """One column of the table, unknown numbers and times as None."""
    return [
        None if value == UNKNOWN_TIME or str(value) == "nan" else value
        for value in doses.frame[name].tolist()
    ]


def mg(doses: Doses, hour: float = 10_000, drug: str = "anakinra", person: int = 0) -> float:
    """Mg of a drug given until and at an hour."""
    return float(np.round(doses.amounts(drug).at(person, at(hour)), 6))


def rates(
    doses: Doses, asked: Iterable[float], drug: str = "anakinra"
) -> dict[float, float | None]:
    """Mg/h at some hours; None where nothing is known to run."""
    line = doses.rate(drug)
    return {
        hour: round(float(line.at(0, at(hour))[0]), 6) if line.known_at(0, at(hour)) else None
        for hour in asked
    }


def courses(doses: Doses, drug: str = "anakinra") -> Treatments:
    """The treatment episodes of a drug by the rules of the main protocol."""
    return treatments(doses, [drug], RULES)


def modes(doses: Doses, drug: str = "anakinra") -> list[tuple[str, float | None, float | None]]:
    """Mode, start and end in hours of each treatment episode, in order."""
    return [
        (row["mode"], hours(row["start"]), hours(row["end"]))
        for row in courses(doses, drug).episodes.rows()
    ]
