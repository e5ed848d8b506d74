"""Invented patients with a storm, and the plain sheets that say what is known of them."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

LABS: Final = {
    "ferritin": "ng/mL", "platelets": "10^9/L", "ast": "U/L", "fibrinogen": "mg/dL", "triglycerides": "mg/dL",
    "temperature": "C",
}  # fmt: skip
SIGNS: Final = {"1": "splenomegaly", "2": "hepatomegaly", "-1": "haemophagocytosis"}
DISEASES: Final = {"sle": "systemic lupus erythematosus", "aosd": "adult-onset Still's disease"}
Row = dict[str, str]


@dataclass
class Visit:
    """One day of the chart: values by variable, and what was seen ('' where nobody looked)."""

    time: str
    labs: dict[str, str]
    spleen: str
    signs: dict[str, str]


@dataclass
class Patient:
    """One invented patient."""

    name: str
    sex: str
    born: str
    centre: str
    admitted: str
    left: str
    visits: list[Visit]
    doses: list[tuple[str, str]]
    diseases: list[str]


def storms(seed: int, persons: int = 4) -> list[Patient]:
    """Return invented patients whose ferritin rises and falls, some values missing."""
    dice = random.Random(seed)
    return [_patient(dice, number) for number in range(1, persons + 1)]


def _patient(dice: random.Random, number: int) -> Patient:
    start = datetime(2021, 2, 1, 8, 30) + timedelta(days=dice.randrange(300))
    visits = []
    for day in range(dice.randint(2, 5)):
        labs = {
            "ferritin": dice.choice([str(dice.randint(300, 30000)), ">15000"]),
            "platelets": str(dice.randint(20, 300)),
            "ast": str(dice.randint(20, 900)),
            "fibrinogen": str(dice.randint(60, 500)),
            "triglycerides": str(dice.randint(80, 500)),
            "temperature": f"{dice.uniform(36, 40.5):.1f}",
        }
        visits.append(
            Visit(
                f"{start + timedelta(days=day, minutes=dice.randrange(600)):%Y-%m-%d %H:%M}",
                {name: value if dice.random() < 0.7 else "" for name, value in labs.items()},
                dice.choice(["yes", "no", ""]),
                {sign: dice.choice(["yes", ""]) for sign in SIGNS.values()},
            )
        )
    doses = [
        (f"{start + timedelta(hours=6 * n):%Y-%m-%d %H:%M}", str(dice.choice([100, 200])))
        for n in range(dice.randint(0, 4))
    ]
    return Patient(
        f"{dice.randint(1, 9)}{number:02d}-{number}",
        dice.choice("FM"),
        f"{dice.randint(1940, 2010)}-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}",
        dice.choice(["north", "south"]),
        f"{start - timedelta(days=1):%Y-%m-%d}",
        f"{start + timedelta(days=20):%Y-%m-%d}",
        visits,
        doses,
        [name for name in DISEASES if dice.random() < 0.4],
    )


def write_sheets(folder: Path, patients: Sequence[Patient], says: frozenset[str]) -> Path:
    """Write patients as sheets; `says` names what the shape of the project can hold."""
    found: dict[str, list[Row]] = {"persons": [], "labs": []}
    for one in patients:
        who = {"person_id": one.name}
        found["persons"].append({**who, "sex": one.sex, "birth_date": one.born})
        if "stays" in says:
            stay = {**who, "start": one.admitted, "end": one.left}
            found.setdefault("stays", []).append(
                {**stay, "hospital": one.centre} if "groups" in says else stay
            )
        for visit in one.visits:
            found["labs"] += [
                {**who, "time": visit.time, "name": name, "value": value, "unit": LABS[name]}
                for name, value in visit.labs.items()
                if value
            ]
            if "spleen" in says and visit.spleen:
                row = {**who, "time": visit.time, "finding": "splenomegaly"}
                found.setdefault("findings", []).append({**row, "present": visit.spleen})
            if "signs" in says:
                found.setdefault("findings", []).extend(
                    {**who, "time": visit.time, "finding": sign, "present": present}
                    for sign, present in visit.signs.items()
                    if present
                )
        if "doses" in says:
            found.setdefault("doses", []).extend(
                {**who, "drug": "anakinra", "start": time, "amount": mg, "amount_unit": "mg"}
                for time, mg in one.doses
            )
        if "diseases" in says:
            found.setdefault("conditions", []).extend(
                {**who, "name": DISEASES[name], "status": "confirmed"} for name in one.diseases
            )
    folder.mkdir()
    for name, rows in found.items():
        write_csv(
            folder / f"{name}.csv",
            list(_COLUMNS[name]),
            [[row.get(c, "") for c in _COLUMNS[name]] for row in rows],
        )
    return folder


_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "persons": ("person_id", "sex", "birth_date"),
    "stays": ("person_id", "start", "end", "hospital"),
    "labs": ("person_id", "time", "name", "value", "unit"),
    "doses": ("person_id", "drug", "start", "amount", "amount_unit"),
    "findings": ("person_id", "time", "finding", "present"),
    "conditions": ("person_id", "name", "status"),
}


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write one CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
