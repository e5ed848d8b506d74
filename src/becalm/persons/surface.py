"""The body surface of a person at a moment, for doses per m²."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Floats, Persons, Times
from becalm.events import Events
from becalm.records import Records

FILE: Final = Path(__file__).with_suffix(".toml")


class SurfaceRule(toml.TomlTable, frozen=True):
    """The number of `surface.toml`."""

    divisor: float
    source: str


def rule() -> SurfaceRule:
    """Return the shipped number."""
    return toml.load(FILE, SurfaceRule)


def body_surface(height_cm: Floats, weight_kg: Floats) -> Floats:
    """Return the body surface in m² from a height in cm and a weight in kg; NaN where one is not known.

    >>> import numpy as np
    >>> body_surface(np.array([180.0, np.nan]), np.array([80.0, 80.0])).tolist()
    [2.0, nan]
    """
    surface: Floats = np.sqrt(height_cm * weight_kg / rule().divisor)
    return surface


def heights(records: Records, events: Events, person: Persons, time: Times) -> Floats:
    """Return the height in cm of each person at a time; NaN where none is known.

    The last one measured up to then, else the first one after, else the one of the persons sheet. A height
    that two measurements of one moment give differently is not known.
    """
    points = events.points("height", "drawn")
    measured: dict[int, list[tuple[int, float]]] = {}
    rows = zip(
        *(each.tolist() for each in (points.person, points.time, points.low, points.high)),
        strict=True,
    )
    for who, when, low, high in rows:
        if low == high:
            measured.setdefault(who, []).append((when, low))
    found: Floats = records.persons["height_cm"][person].astype(np.float64)
    for at, (who, when) in enumerate(zip(person.tolist(), time.tolist(), strict=True)):
        own = measured.get(who)
        if own:
            before = [cm for taken, cm in own if taken <= when]
            found[at] = before[-1] if before else own[0][1]
    return found
