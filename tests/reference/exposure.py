"""Exposure of one patient the slow, obvious way: rows of a chart, a matrix exponential from change to change, sums.

The numbers of the model are read from its file by their names; nothing of becalm computes here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg

MODELS = Path(__file__).parents[2] / "src" / "becalm" / "pk" / "models"


class Infused(NamedTuple):
    """mg/h from one hour to another."""

    start: float
    end: float
    rate: float


class Once(NamedTuple):
    """A dose at an hour, mg; `skin` or into a vein."""

    hour: float
    mg: float
    skin: bool


class Drawn(NamedTuple):
    """A creatinine, mg/dL."""

    hour: float
    value: float


class Answer(NamedTuple):
    """Concentrations at some hours, mg/L, and the area from hour to hour, mg·h/L."""

    level: list[float]
    area: list[float]


def parameters() -> dict[str, float]:
    """The values of the anakinra model in L, h and mg."""
    given = tomllib.loads((MODELS / "anakinra.toml").read_text(encoding="utf-8"))["parameter"]
    by = {"mL/min": 0.06, "L/h": 1.0, "L": 1.0, "/h": 1.0, "%": 0.01}
    return {name: each["value"] * by[each["unit"]] for name, each in given.items()}


def woman(creatinine: float, age: float, kg: float) -> float:
    """Clearance of a woman by Cockcroft and Gault, mL/min."""
    return (140 - age) * kg / (72 * creatinine) * 0.85


def anakinra(
    infused: Sequence[Infused],
    once: Sequence[Once],
    drawn: Sequence[Drawn],
    hours: Sequence[float],
    *,
    age: float,
    kg: float,
) -> Answer:
    """The typical woman: a creatinine counts from its draw on, the first one also before."""
    p = parameters()
    v1, q, v2 = p["central_volume"] * kg / 70, p["exchange"] * (kg / 70) ** 0.75, p["peripheral_volume"] * kg / 70  # fmt: skip
    changes = {*hours, *(each.hour for each in once), *(each.hour for each in drawn)}
    changes |= {edge for each in infused for edge in (each.start, each.end)}
    changes = {each for each in changes if hours[0] <= each <= hours[-1]}
    state = np.zeros(6)  # central, peripheral, depot, first depot, area, 1
    state[5] = 1
    level: list[float] = []
    areas: list[float] = []
    ordered = sorted(changes)
    for at, now in enumerate(ordered):
        for each in once:
            if each.hour == now and each.skin:
                state[3] += each.mg * p["bioavailability"]
            elif each.hour == now:
                state[0] += each.mg
        if now in hours:
            level.append(float(state[0] / v1))
            areas.append(float(state[4] / v1))
        if at + 1 == len(ordered):
            break
        last = [each.value for each in drawn if each.hour <= now]
        value = last[-1] if last else drawn[0].value
        clearance = p["non_renal_clearance"] * (kg / 70) ** 0.75 + 0.06 * woman(value, age, kg)
        rate = sum(each.rate for each in infused if each.start <= now < each.end)
        system = np.zeros((6, 6))
        system[0] = [-(clearance + q) / v1, q / v2, p["absorption"], 0, 0, rate]
        system[1, :2] = q / v1, -q / v2
        system[2, 2:4] = -p["absorption"], p["first_absorption"]
        system[3, 3] = -p["first_absorption"]
        system[4, 0] = 1
        state = scipy.linalg.expm(system * (ordered[at + 1] - now)) @ state
    return Answer(level, list(np.diff(areas)))


def states(
    drawn: Sequence[int], replaced: Sequence[tuple[int, int]], start: int, end: int, valid: int
) -> list[tuple[str, Any]]:
    """How the clearance of each minute is known, and by which draw; minute by minute.

    drawn : minutes of creatinines that tell of the kidney. replaced : courses of renal replacement.
    """
    zones = []
    for begin, stop in replaced:
        after = [each for each in drawn if each >= stop]
        zones.append((begin, after[0] if after else end))
    found: list[tuple[str, Any]] = []
    for now in range(start, end):
        before = [at for at, each in enumerate(drawn) if each <= now]
        if any(begin <= now < stop for begin, stop in zones):
            found.append(("renal replacement", None))
        elif before:
            age = now - drawn[before[-1]]
            found.append(("measured" if age < valid else "too old", before[-1]))
        elif drawn and drawn[0] - now <= valid and not any(now < begin <= drawn[0] for begin, _ in zones):  # fmt: skip
            found.append(("later", 0))
        else:
            found.append(("unknown", None))
    return found
