"""Definitions added up by hand on the tidy truth, without any of becalm's engines.

Points and cut-offs are those of Fardet 2014 (HScore), Henter 2007 (HLH-2004) and Ravelli 2016
(2016 MAS set); look-backs are the protocols'. Slow and obvious on purpose.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from becalm.demo.tidy import DAY, HOUR, Patient

LOOK_BACK = {
    "temperature": 24 * HOUR,
    "haemoglobin": 48 * HOUR,
    "wbc": 48 * HOUR,
    "platelets": 48 * HOUR,
    "neutrophils": 48 * HOUR,
    "ferritin": 72 * HOUR,
    "ast": 72 * HOUR,
    "fibrinogen": 72 * HOUR,
    "triglycerides": 7 * DAY,
    "splenomegaly": 14 * DAY,
    "hepatomegaly": 14 * DAY,
    "haemophagocytosis": 30 * DAY,
    "immunosuppression": 90 * DAY,
}
LOWEST = ("haemoglobin", "wbc", "platelets", "neutrophils", "fibrinogen")
LONG_TERM = ("prednisolone", "prednisone", "azathioprine")


@dataclass(frozen=True)
class Total:
    """A total at a moment: what it is at least and at most."""

    minute: int
    low: int
    high: int


class Chart:
    """A patient's truth, asked for what is in force at a moment."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient
        self.draws: dict[str, list[tuple[int, float, str]]] = {}
        for draw in patient.draws:
            seen = self.draws.setdefault(draw.variable, [])
            seen.append((draw.minute, draw.value, draw.sign))

    def worst(self, variable: str, minute: int) -> float | None:
        """Return the worst value drawn in (minute - look-back, minute]; None when none was."""
        back = LOOK_BACK[variable]
        held = [
            value
            for when, value, _ in self.draws.get(variable, [])
            if minute - back < when <= minute
        ]
        if not held:
            return None
        return min(held) if variable in LOWEST else max(held)

    def finding(self, name: str, minute: int) -> bool | None:
        """Return whether something is known to be there, known not to be, or unknown."""
        back = LOOK_BACK[name]
        held = [
            (found.minute, found.present)
            for found in self.patient.findings
            if found.finding == name and minute - back < found.minute <= minute
        ]
        return {"yes": True, "no": False, "unknown": None}[max(held)[1]] if held else None

    def immunosuppressed(self, minute: int, onset: int) -> bool | None:
        """Return it from a finding, or from 28 of the 90 days before onset on such a drug."""
        noted = self.finding("immunosuppression", minute)
        if noted is not None:
            return noted
        days = {
            dose.start // DAY
            for dose in self.patient.doses
            if dose.drug.lower() in LONG_TERM and onset - 90 * DAY <= dose.start < onset
        }
        return True if len(days) >= 28 else None

    def moments(self, first: int, last: int) -> list[int]:
        """Return every minute in [first, last] at which something becomes known."""
        found = {f.minute for f in self.patient.findings}
        drawn = {minute for name in LOOK_BACK for minute, _, _ in self.draws.get(name, [])}
        return sorted(minute for minute in found | drawn if first <= minute <= last)


def _points(value: float | None, rule: Callable[[float], int], most: int) -> tuple[int, int]:
    return (0, most) if value is None else (rule(value), rule(value))


def _yes(known: bool | None, points: int) -> tuple[int, int]:
    return (0, points) if known is None else (points * known, points * known)


def hscore(chart: Chart, minute: int, onset: int) -> Total:
    """Return the HScore at a moment."""
    low_lines = [
        _yes(None if value is None else value <= edge, 1)
        for value, edge in (
            (chart.worst("haemoglobin", minute), 9.2),
            (chart.worst("wbc", minute), 5.0),
            (chart.worst("platelets", minute), 110),
        )
    ]
    lines = [0, 0, 24, 34]
    organs = [_yes(chart.finding(o, minute), 1) for o in ("hepatomegaly", "splenomegaly")]
    enlarged = [0, 23, 38]
    items = [
        _yes(chart.immunosuppressed(minute, onset), 18),
        _points(
            chart.worst("temperature", minute),
            lambda t: 0 if t < 38.4 else 33 if t <= 39.4 else 49,
            49,
        ),
        (enlarged[sum(o[0] for o in organs)], enlarged[sum(o[1] for o in organs)]),
        (lines[sum(n[0] for n in low_lines)], lines[sum(n[1] for n in low_lines)]),
        _points(
            chart.worst("ferritin", minute),
            lambda f: 0 if f < 2000 else 35 if f <= 6000 else 50,
            50,
        ),
        _points(
            chart.worst("triglycerides", minute),
            lambda t: 0 if t < 1.5 else 44 if t <= 4.0 else 64,
            64,
        ),
        _points(chart.worst("fibrinogen", minute), lambda f: 30 if f <= 2.5 else 0, 30),
        _points(chart.worst("ast", minute), lambda a: 19 if a >= 30 else 0, 19),
        _yes(chart.finding("haemophagocytosis", minute), 35),
    ]
    return Total(minute, sum(low for low, _ in items), sum(high for _, high in items))


def hlh2004(chart: Chart, minute: int) -> Total:
    """Return how many of the eight HLH-2004 criteria are met; NK and sCD25 are never known."""

    def met(variable: str, rule: Callable[[float], bool]) -> bool | None:
        value = chart.worst(variable, minute)
        return None if value is None else rule(value)

    lines = [
        _yes(met("haemoglobin", lambda h: h < 9.0), 1),
        _yes(met("platelets", lambda p: p < 100), 1),
        _yes(met("neutrophils", lambda n: n < 1.0), 1),
    ]
    fat_or_clot = [
        _yes(met("triglycerides", lambda t: t >= 3.0), 1),
        _yes(met("fibrinogen", lambda f: f <= 1.5), 1),
    ]
    items = [
        _yes(met("temperature", lambda t: t >= 38.5), 1),
        _yes(chart.finding("splenomegaly", minute), 1),
        (int(sum(n[0] for n in lines) >= 2), int(sum(n[1] for n in lines) >= 2)),
        (max(n[0] for n in fat_or_clot), max(n[1] for n in fat_or_clot)),
        _yes(chart.finding("haemophagocytosis", minute), 1),
        _yes(met("ferritin", lambda f: f >= 500), 1),
        (0, 2),
    ]
    return Total(minute, sum(low for low, _ in items), sum(high for _, high in items))


def mas2016(chart: Chart, minute: int) -> bool:
    """Return whether the 2016 set is met for certain: fever (38.0), ferritin and two more."""
    temperature, ferritin = (chart.worst(v, minute) for v in ("temperature", "ferritin"))
    if temperature is None or temperature < 38.0 or ferritin is None or ferritin <= 684:
        return False
    rules: Iterable[tuple[str, Callable[[float], bool]]] = (
        ("platelets", lambda p: p <= 181),
        ("ast", lambda a: a > 48),
        ("triglycerides", lambda t: t > 1.76),
        ("fibrinogen", lambda f: f <= 3.6),
    )
    held = [(chart.worst(variable, minute), rule) for variable, rule in rules]
    return sum(1 for value, rule in held if value is not None and rule(value)) >= 2


def peak(totals: Iterable[Total]) -> Total:
    """Return the highest lowest-possible total, the earliest on ties."""
    return min(totals, key=lambda total: (-total.low, total.minute))


def written_mg(row: Mapping[str, str], weight_kg: float) -> float:
    """Return the mg of one written row of `doses.csv`, in whichever notation it stands."""
    hours = _hours(row["start"], row["end"])
    if row["rate"]:
        rate = float(row["rate"])
        match row["rate_unit"]:
            case "mg/h":
                return rate * hours
            case "mg/kg/h":
                return rate * weight_kg * hours
            case "mL/h":
                assert row["concentration_unit"] == "mg/mL"
                return rate * float(row["concentration"]) * hours
        raise AssertionError(row)
    amount = float(row["amount"])
    syringe = re.fullmatch(r"syringe \((\d+) mg\)", row["amount_unit"])
    if syringe:
        return amount * float(syringe[1])
    return amount * {"mg": 1.0, "g": 1000.0}[row["amount_unit"]]


def _hours(start: str, end: str) -> float:
    from datetime import datetime

    if not end:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 3600


def sheet(folder: Path, name: str) -> list[dict[str, str]]:
    """Return the rows of a written sheet."""
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
