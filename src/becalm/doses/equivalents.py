"""Several drugs as one dose: vasopressors in mcg/kg/min of noradrenaline."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Floats, Index
from becalm.doses.exposure import Doses
from becalm.doses.units import MASS, amount_unit, rate_unit
from becalm.timeline import Intervals, Timeline, overlay


class Weighing(toml.TomlTable, frozen=True):
    """The factor of one drug: its rate in `unit` is multiplied by `times` and divided by `by`."""

    unit: str
    times: float
    by: float


class DoseEquivalent(toml.TomlTable, frozen=True):
    """A dose that several drugs add up to; `verified` is False if its source was not read."""

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


def equivalent_rate(doses: Doses, name: str, *, at_one_weight: bool = False) -> Timeline:
    """Add up the infusion rates of an equivalent's drugs, in its unit.

    Bags of one drug that run at the same time add up; the rate is the delivered one (amount over time)
    if a row has both. The sum is unknown (no segment) while any of the drugs runs at an unknown rate
    or, for a dose per kg, without a known weight: otherwise a part would be taken for the whole.

    A rate charted per kg is that rate. at_one_weight : a rate that is not is divided by the person's first weight with
    that drug throughout, so that a new weight alone changes nothing.
    """
    f = doses.frame
    rows, parts, unknown = [np.empty(0, np.intp)], [np.empty(0)], Intervals.empty()
    for drug, weighing in EQUIVALENTS[name].times.items():
        exposed = doses.exposed(drug, ("IV",))
        running = exposed[~f["single"][exposed] & (f["until"][exposed] > f["start"][exposed])]
        per_unit = _in_unit(doses, running, weighing.unit, at_one_weight=at_one_weight)
        rate = per_unit * weighing.times / weighing.by
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


def _in_unit(doses: Doses, rows: Index, unit: str, *, at_one_weight: bool) -> Floats:
    """Return the delivered rate of rows in a unit, NaN if it is not known."""
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
    weight = _weights(doses, rows, at_one_weight=at_one_weight) if asked.per_kg else 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        rate: Floats = per_h / weight / asked.size * asked.hours
    return rate


def _weights(doses: Doses, rows: Index, *, at_one_weight: bool) -> Floats:
    """Return the weight that the rate of each row is divided by: what a rate per kg was multiplied by."""
    f = doses.frame
    weight, dosed_by = f["weight_kg"][rows], f["dosed_by_kg"][rows]
    if at_one_weight:
        person, order = f["person"][rows], np.argsort(f["start"][rows], kind="stable")
        order = order[~np.isnan(weight[order])]
        first, at = np.unique(person[order], return_index=True)
        one = np.full(len(doses.person_id), np.nan)
        one[first] = weight[order[at]]
        weight = one[person]
    return np.where(np.isnan(dosed_by), weight, dosed_by)
