"""Read the planted patients from their data files and fill in values between their given values (anchors).

Three files have one form: five patients in `illustrative.toml`, the look-alikes in `mimics.toml` and
the treated patients without a storm in `treated.toml`. Hours count from each patient's own t0.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm.demo.charting import Step, chart_infusion
from becalm.demo.tidy import (
    DAY,
    HOUR,
    ConditionRow,
    Culture,
    Dose,
    Draw,
    FindingRow,
    Patient,
    ProcedureRow,
    Stay,
    minute_of,
)
from becalm.demo.untidy import quantities

FILES: Final = ("illustrative", "mimics", "treated")
Anchor = tuple[float, float, str]
"""Hours from t0, the value, and '' or the sign of a bound."""

_BOUND = re.compile(r"\s*(\D*?)\s*([\d.]+)\s*")
_ROUND: Final = 6 * HOUR + 10  # the morning round's first draw, 06:10
_CLEAR_OF_ANCHOR: Final = 5 * HOUR
_LINEAR: Final = frozenset({"temperature", "map", "haemoglobin", "urine"})
_CLINIC: Final = 30
# No clock shows 02:00 to 03:00 on the night it is put forward; ILL-4's infusion crosses one.
_SPRING_FORWARD: Final = minute_of(datetime(2018, 3, 11, 2))


@cache
def entries(file: str) -> tuple[Mapping[str, Any], ...]:
    """Return the patients of one data file as written there."""
    text = Path(__file__).with_name(f"{file}.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["person"])


def all_entries() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every planted patient with the name of their file."""
    for file in FILES:
        for entry in entries(file):
            yield file, entry


def t0_of(entry: Mapping[str, Any]) -> int:
    """Return the minute that the hours of an entry count from."""
    return minute_of(entry["t0"])


def at(entry: Mapping[str, Any], hours: float) -> int:
    """Return the minute of an hour of an entry."""
    return t0_of(entry) + round(hours * HOUR)


def anchors(entry: Mapping[str, Any], variable: str) -> list[Anchor]:
    """Return the planted draws of a variable; `">40000"` is a bound."""
    series = entry["series"].get(variable, [])
    return [(float(hours), *_value(written)) for hours, written in series]


def _value(written: float | str) -> tuple[float, str]:
    if not isinstance(written, str):
        return float(written), ""
    found = _BOUND.fullmatch(written)
    if found is None:
        raise ValueError(f"{written!r} is not a number or a bound")
    sign = found[1] if found[1] in "<>" else f"{found[1]} "
    return float(found[2]), sign


def infusion_steps(entry: Mapping[str, Any], infusion: Mapping[str, Any]) -> list[Step]:
    """Return an infusion's true rate function in minutes and mg/h."""
    return [(at(entry, hours), float(rate)) for hours, rate in infusion["steps"]]


def patient(entry: Mapping[str, Any], rng: np.random.Generator) -> Patient:
    """Build a planted patient; `rng` only jitters what lies between the anchors."""
    t0 = t0_of(entry)
    died = "death" in entry
    last = at(entry, entry["death"] if died else entry["last_contact"])
    chart = entry["chart"]
    return Patient(
        entry["id"],
        entry["sex"],
        entry["weight_kg"],
        entry["height_cm"],
        birth=entry["birth"].isoformat() if "birth" in entry else "",
        age=None if "birth" in entry else entry["age"],
        age_at=None if "birth" in entry else t0,
        death=last if died else None,
        cause_of_death=entry.get("cause_of_death", ""),
        last_contact=last,
        last_contact_status="died" if died else entry["last_contact_status"],
        planted=True,
        stays=_stays(entry),
        draws=_draws(entry, rng),
        doses=_doses(entry),
        findings=[FindingRow(at(entry, row[0]), *row[1:]) for row in chart["findings"]],
        conditions=[ConditionRow(at(entry, row[0]), *row[1:]) for row in chart["conditions"]],
        procedures=[
            ProcedureRow(at(entry, row[0]), at(entry, row[1]) if len(row) > 1 else None, *row[2:])
            for row in ([r[0], r[1], *r[2:]] for r in chart["procedures"])
        ],
        cultures=[_culture(entry, row) for row in chart["cultures"]],
    )


def _stays(entry: Mapping[str, Any]) -> list[Stay]:
    inpatient = [
        Stay(
            at(entry, stay["from"]),
            at(entry, stay["to"]),
            stay["kind"],
            stay.get("origin", ""),
            stay.get("destination", ""),
        )
        for stay in entry["stays"]
    ]
    visits = [
        Stay(at(entry, hours) - _CLINIC, at(entry, hours) + 2 * _CLINIC, "outpatient")
        for hours in entry["clinics"]
    ]
    return sorted(inpatient + visits, key=lambda stay: stay.start)


def _culture(entry: Mapping[str, Any], row: Sequence[Any]) -> Culture:
    hours, after, specimen, test, result, organism, judged = row
    collected = at(entry, hours)
    available = None if result == "pending" else collected + round(after * HOUR)
    return Culture(collected, available, specimen, test, result, organism, judged)


def _doses(entry: Mapping[str, Any]) -> list[Dose]:
    doses: list[Dose] = []
    for given in entry.get("doses", []):
        for i in range(given.get("times", 1)):
            start = at(entry, given["from"] + i * given.get("every", 0))
            lasts = given.get("minutes")
            doses.append(
                Dose(
                    given["drug"],
                    given["route"],
                    start,
                    start + lasts if lasts else None,
                    amount=given["amount"],
                    amount_unit=given["unit"],
                    status=given.get("status", "given"),
                    indication=given.get("indication", ""),
                    date_only=given.get("date_only", False),
                )
            )
    for infusion in entry.get("infusions", []):
        doses.extend(
            chart_infusion(
                infusion["drug"],
                infusion_steps(entry, infusion),
                infusion["written"],
                route=infusion["route"],
                weight_kg=entry["weight_kg"],
                mg_per_ml=infusion.get("mg_per_ml", 0.0),
                indication=infusion.get("indication", ""),
            )
        )
    return sorted(doses, key=lambda dose: dose.start)


def _draws(entry: Mapping[str, Any], rng: np.random.Generator) -> list[Draw]:
    draws: list[Draw] = []
    known = quantities()
    stays = [(at(entry, s["from"]), at(entry, s["to"]), s["kind"]) for s in entry["stays"]]
    rounds = _rounds(stays, rng)
    for variable in entry["series"]:
        planted = anchors(entry, variable)
        every = known[variable].every
        if variable == "urine":
            draws.extend(_urine(entry, planted))
            continue
        draws.extend(
            Draw(at(entry, hours), variable, value, sign, planted=True)
            for hours, value, sign in planted
        )
        if every is None or not stays:
            continue
        points = [(at(entry, hours), value) for hours, value, _ in planted]
        times = (
            _vital_times(stays, round(every * HOUR))
            if every <= 4
            else [minute for n, minute in rounds if n % round(every / 12) == 0]
        )
        draws.extend(_between(variable, points, times, known[variable].decimals, rng))
    return [draw for draw in draws if draw.planted or not _clock_skipped(draw.minute)]


def _rounds(
    stays: Sequence[tuple[int, int, str]], rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Return the morning (even) and evening (odd) laboratory rounds within the stays."""
    if not stays:
        return []
    first, last = stays[0][0], stays[-1][1]
    count = 2 * (last // DAY - first // DAY + 1)
    jitter = rng.integers(0, 50, count).tolist()
    times = [(n, (first // DAY) * DAY + _ROUND + n * 12 * HOUR + jitter[n]) for n in range(count)]
    return [(n, minute) for n, minute in times if first <= minute < last]


def _vital_times(stays: Sequence[tuple[int, int, str]], every: int) -> list[int]:
    """Return when vital signs are charted: hourly in intensive care, else every few hours."""
    times: list[int] = []
    for start, end, kind in stays:
        step = HOUR if kind == "ICU" else every
        times.extend(range(start - start % HOUR + HOUR, end, step))
    return times


def _between(
    variable: str,
    points: Sequence[tuple[int, float]],
    times: Sequence[int],
    decimals: int,
    rng: np.random.Generator,
) -> Iterator[Draw]:
    """Yield draws between the anchors: never beyond the two that they lie between.

    A temperature's anchors are its highest; between them it is at least 0.1 lower.
    """
    vital = variable in ("temperature", "map")
    clear = HOUR // 2 if vital else _CLEAR_OF_ANCHOR
    noise = rng.random(len(times)).tolist()
    shifts = rng.integers(0, 12, len(times)).tolist()
    for minute, below, shift in zip(times, noise, shifts, strict=True):
        when = minute + shift if vital else minute
        for (a, left), (b, right) in pairwise(points):
            if a + clear <= when <= b - clear:
                share = (when - a) / (b - a)
                if variable in _LINEAR or min(left, right) <= 0:
                    value = left + share * (right - left)
                else:
                    value = math.exp(math.log(left) + share * (math.log(right) - math.log(left)))
                if variable == "temperature":
                    value -= 0.1 + 0.5 * below
                yield Draw(when, variable, round(value, decimals))
                break


def _urine(entry: Mapping[str, Any], planted: Sequence[Anchor]) -> Iterator[Draw]:
    """Yield six-hourly urine volumes; its anchors are mL/kg/h."""
    every = 6
    hours = [anchor[0] for anchor in planted]
    rates = [anchor[1] for anchor in planted]
    h = hours[0]
    while h + every <= hours[-1]:
        rate = float(np.interp(h + every / 2, hours, rates))
        ml = round(rate * entry["weight_kg"] * every)
        end = at(entry, h + every)
        yield Draw(end, "urine", float(ml), start=at(entry, h))
        h += every


def _clock_skipped(minute: int) -> bool:
    return _SPRING_FORWARD <= minute < _SPRING_FORWARD + HOUR


def calendar(minute: int) -> datetime:
    """Return a minute as a naive wall-clock datetime."""
    return datetime(1970, 1, 1) + timedelta(minutes=minute)
