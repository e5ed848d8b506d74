"""Ordinary adults: pneumonia, heart failure, surgery and the like, each with a stay of their own.

None of them is given anakinra or has a storm, although some have a high ferritin.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from becalm.demo.tidy import (
    DAY,
    HOUR,
    ConditionRow,
    Culture,
    Dose,
    Draw,
    Patient,
    ProcedureRow,
    Stay,
    date_text,
    minute_of,
)
from becalm.demo.untidy import quantities

_FIRST: Final = minute_of(datetime(2015, 10, 1))
_PANDEMIC: Final = minute_of(datetime(2020, 3, 1))
_LAST: Final = minute_of(datetime(2020, 12, 1))
_VITALS: Final = ("temperature", "map", "heart_rate", "spo2")
_BLOOD_COUNT: Final = ("haemoglobin", "wbc", "platelets")
_CHEMISTRY: Final = ("creatinine", "urea_nitrogen", "sodium", "potassium")
_RARELY: Final = ("neutrophils", "lymphocytes", "magnesium", "albumin")
# Below these an assay prints only the bound.
_PRINTED_FROM: Final = {"crp": 1.0, "d_dimer": 0.2, "bilirubin": 0.2}

Minutes = npt.NDArray[np.int64]


@cache
def _tables() -> tuple[
    Mapping[str, Mapping[str, Any]], Sequence[Mapping[str, Any]], npt.NDArray[np.float64]
]:
    text = Path(__file__).with_name("ordinary.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    shares = np.cumsum([kind["share"] for kind in tables["archetype"]])
    return tables["normal"], tables["archetype"], shares / shares[-1]


def patient(number: int, rng: np.random.Generator) -> Patient:
    """Build ordinary patient `number`; all random choices come from `rng`."""
    _, kinds, shares = _tables()
    kind = kinds[int(np.searchsorted(shares, rng.random(), side="right"))]
    first = _PANDEMIC if kind.get("from_year") else _FIRST
    start = int(rng.integers(first, _LAST))
    low, high = kind["days"]
    end = start + int(rng.integers(low * DAY, high * DAY))
    sex = "F" if rng.random() < 0.5 else "M"
    age = int(np.clip(rng.normal(64, 17), 18, 99))
    weight = round(float(np.clip(rng.normal(76, 15), 40, 160)), 1)
    unknown = rng.random(6).tolist()
    died = unknown[0] < 0.03
    one = Patient(
        f"ORD-{number:06d}",
        "" if unknown[1] < 0.01 else sex,
        None if unknown[2] < 0.08 else weight,
        None if unknown[3] < 0.4 else float(int(rng.normal(170, 9))),
        last_contact=end if died else end + int(rng.integers(30, 700)) * DAY,
        last_contact_status="died" if died else "alive",
        death=end if died else None,
        cause_of_death="other" if died else "",
    )
    if unknown[4] < 0.6:
        # Born at least a day more than `age` years before, at most a day less than a year more.
        birth = start // DAY - int(age * 365.2425) - 2 - int(rng.integers(0, 360))
        one.birth = date_text(birth)
    else:
        one.age, one.age_at = age, start
    intensive = bool(unknown[5] < kind["intensive"])
    one.stays = _stays(start, end, intensive, died)
    one.draws = _draws(kind, start, end, intensive, rng)
    if one.weight_kg is not None and rng.random() < 0.7:
        one.draws.append(Draw(start + 45, "weight", one.weight_kg))
    one.doses = _doses(kind, start, end, intensive, rng)
    one.conditions = [
        ConditionRow(start, *given)
        for i, given in enumerate(kind["conditions"])
        if not i or age > 60
    ]
    one.cultures = _cultures(kind, start, rng)
    if "procedures" in kind and rng.random() < 0.6:
        given = start + 5 * HOUR
        one.procedures = [ProcedureRow(given, given + 3 * HOUR, *p) for p in kind["procedures"]]
    return one


def _stays(start: int, end: int, intensive: bool, died: bool) -> list[Stay]:
    to = "died" if died else "home"
    arrival = start + 4 * HOUR
    stays = [Stay(start, arrival, "ED", "home")]
    if not intensive:
        return [*stays, Stay(arrival, end, "ward", "", to)]
    moved = arrival + (end - arrival) // 2
    return [*stays, Stay(arrival, moved, "ICU"), Stay(moved, end, "ward", "", to)]


def _draws(
    kind: Mapping[str, Any], start: int, end: int, intensive: bool, rng: np.random.Generator
) -> list[Draw]:
    ill = _Course(kind["peak"], kind["tau"] * DAY, start, rng)
    chart = np.arange(start + 20, end, (4 if intensive else 8) * HOUR)
    vitals = chart + rng.integers(0, 40, len(chart))
    draws = [draw for name in _VITALS for draw in ill.draws(name, vitals)]
    rounds = _rounds(start, end, rng)
    for name in (*_BLOOD_COUNT, *_CHEMISTRY, *kind.get("daily", ())):
        draws.extend(ill.draws(name, rounds))
    for name in _RARELY:
        draws.extend(ill.draws(name, rounds[:1]))
    for name, share in kind["sometimes"].items():
        if rng.random() < share:
            # Every second or third day, and not for everybody from the first.
            draws.extend(ill.draws(name, rounds[int(rng.integers(2)) :: 3]))
    if rng.random() < 0.25:
        before = np.array([start - int(d) * DAY for d in rng.integers(20, 360, 2)])
        healthy = _Course({}, 1.0, start, rng)
        for name in ("creatinine", "haemoglobin"):
            draws.extend(healthy.draws(name, before))
    return draws


def _rounds(start: int, end: int, rng: np.random.Generator) -> Minutes:
    """Return the blood draws of a stay: on arrival, then each morning, with days left out."""
    mornings = np.arange((start // DAY + 1) * DAY + 6 * HOUR, end, DAY)
    mornings = mornings + rng.integers(0, 70, len(mornings))
    kept = mornings[rng.random(len(mornings)) > 0.1]
    return np.concatenate([[start + int(rng.integers(15, 120))], kept])


@dataclass(frozen=True, slots=True)
class _Course:
    """An illness: its worst values at `start`, and how fast a person's own normal comes back."""

    peak: Mapping[str, tuple[float, float]]
    tau: float  # minutes
    start: int
    rng: np.random.Generator

    def draws(self, name: str, times: Minutes) -> list[Draw]:
        """Return one quantity's draws, those below what the assay prints as bounds."""
        normal = _tables()[0][name]
        n = len(times)
        person, illness, *rest = self.rng.standard_normal(n + 2).tolist()
        noise = normal["noise"] * np.array(rest)
        log = normal.get("log", False)
        usual = _spread(normal["value"], normal["spread"], person, log)
        if name in self.peak:
            middle, width = self.peak[name]
            worst = _spread(middle, width, illness, log)
            left = np.exp((self.start - times) / self.tau)
        else:
            worst, left = usual, np.zeros(n)
        if log:
            values = usual * (worst / usual) ** left * np.exp(noise)
        else:
            values = usual + (worst - usual) * left + noise
        values = np.minimum(values, normal.get("most", np.inf))
        decimals = quantities()[name].decimals
        floor = _PRINTED_FROM.get(name, 0.0)
        return [
            Draw(minute, name, floor, "<")
            if value < floor
            else Draw(minute, name, round(value, decimals))
            for minute, value in zip(times.tolist(), values.tolist(), strict=True)
        ]


def _spread(middle: float, width: float, z: float, log: bool) -> float:
    return middle * math.exp(width * z) if log else middle + width * z


def _doses(
    kind: Mapping[str, Any], start: int, end: int, intensive: bool, rng: np.random.Generator
) -> list[Dose]:
    doses: list[Dose] = []
    most = kind.get("stay_doses", 16)
    for drug, route, amount, unit, every, lasts in kind["drugs"]:
        if rng.random() < 0.25:
            continue
        first = start + 2 * HOUR + int(rng.integers(0, 180))
        times = range(first, end, every * HOUR)[:most]
        missed = rng.random(len(times)).tolist()
        for minute, chance in zip(times, missed, strict=True):
            stop = min(minute + lasts, end) if lasts else None
            status = "not given" if chance < 0.03 else "given"
            doses.append(
                Dose(drug, route, minute, stop, amount=amount, amount_unit=unit, status=status)
            )
        if missed and missed[0] > 0.7:
            doses.append(
                Dose(drug, route, first, amount=amount, amount_unit=unit, status="ordered")
            )
    if intensive and rng.random() < 0.5:
        begin = start + 6 * HOUR
        for drug, rate, unit, lasts in (
            ("norepinephrine", 0.08, "mcg/kg/min", 20),
            ("propofol", 1.5, "mg/kg/h", 14),
        ):
            stop = min(begin + lasts * HOUR, end)
            doses.append(Dose(drug, "IV", begin, stop, rate=rate, rate_unit=unit))
    return sorted(doses, key=lambda dose: dose.start)


def _cultures(kind: Mapping[str, Any], start: int, rng: np.random.Generator) -> list[Culture]:
    cultures: list[Culture] = []
    for what in kind.get("cultures", ()):
        taken = start + int(rng.integers(20, 200))
        if what == "SARS-CoV-2 PCR":
            swab = "nasopharyngeal swab"
            cultures.append(
                Culture(taken, taken + 9 * HOUR, swab, what, "detected", "SARS-CoV-2", "infection")
            )
        elif rng.random() < 0.7:
            grows = rng.random() < 0.15
            cultures.append(
                Culture(
                    taken,
                    taken + (2 if grows else 5) * DAY,
                    what,
                    "culture",
                    "growth" if grows else "no growth",
                    "Streptococcus pneumoniae" if grows else "",
                    "infection" if grows else "",
                    date_only=bool(rng.random() < 0.1),
                )
            )
    return cultures
