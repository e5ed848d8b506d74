"""Several drugs as one dose: vasopressors in mcg/kg/min of noradrenaline."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Floats
from becalm.doses.exposure import Doses
from becalm.doses.units import MASS, amount_unit, rate_unit
from becalm.timeline import Intervals, Timeline, overlay


class Weighing(toml.TomlTable, frozen=True):
    """What the rate of one drug counts for: times ÷ by, from the unit beside it."""

    unit: str
    times: float
    by: float


class DoseEquivalent(toml.TomlTable, frozen=True):
    """A dose that several drugs add up to; `verified` is False where its source was not read."""

    name: str
    unit: str
    source: str
    verified: bool
    times: dict[str, Weighing]


class _File(toml.TomlTable, frozen=True):
    equivalent: tuple[DoseEquivalent, ...]


EQUIVALENTS: Final = {
    one.name: one for one in toml.load(Path(__file__).with_suffix(".toml"), _File).equivalent
}


def equivalent_rate(doses: Doses, name: str) -> Timeline:
    """Add up the infusion rates of an equivalent's drugs, in its unit.

    Bags of one drug that run at once add up, and the rate is what was delivered (amount over time)
    where a row says so. Unknown, and so absent, while any of the drugs runs at a rate that is not
    known or, in a dose per kg, with no weight in force: a part would pass for the whole.
    """
    f = doses.frame
    rows, parts, unknown = [np.empty(0, np.intp)], [np.empty(0)], Intervals.empty()
    for drug, weighing in EQUIVALENTS[name].times.items():
        exposed = doses.exposed(drug, ("IV",))
        running = exposed[~f["single"][exposed] & (f["until"][exposed] > f["start"][exposed])]
        rate = _in_unit(doses, running, weighing.unit) * weighing.times / weighing.by
        known = ~np.isnan(rate)
        rows.append(running[known])
        parts.append(rate[known])
        dark = running[~known]
        unknown = unknown.union(
            Intervals.build(f["person"][dark], f["start"][dark], f["until"][dark])
        )
    at = np.concatenate(rows)
    line = overlay(f["person"][at], f["start"][at], f["until"][at], np.concatenate(parts), at)
    return line.clip(line.known().without(unknown)) if len(unknown) else line


def _in_unit(doses: Doses, rows: np.ndarray[tuple[int], np.dtype[np.intp]], unit: str) -> Floats:
    """The delivered rate of rows in a unit, NaN where it cannot be said."""
    f, asked = doses.frame, rate_unit(unit)
    if asked.dimension == MASS:
        per_h = f["rate_mg_h"][rows]
    else:
        sizes = {
            text: one.size if (one := amount_unit(text)).dimension == asked.dimension else np.nan
            for text in set(f["amount_unit"][rows].tolist())
        }
        size = np.array([sizes[text] for text in f["amount_unit"][rows].tolist()])
        per_h = f["rate_per_h"][rows] * size
    weight = f["weight_kg"][rows] if asked.per_kg else 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        rate: Floats = per_h / weight / asked.size * asked.hours
    return rate
