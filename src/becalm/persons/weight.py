"""The weight of a person at a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.clock import span
from becalm.events import Events
from becalm.records import Records
from becalm.timeline import Floats, Persons, Times

FILE: Final = Path(__file__).with_suffix(".toml")


class WeightRules(toml.TomlTable, frozen=True):
    """The numbers of `weight.toml`."""

    weight_valid: str
    source: str
    verified: bool


def rules() -> WeightRules:
    """Return the shipped rules."""
    return toml.load(FILE, WeightRules)


def weights(records: Records, events: Events, person: Persons, time: Times) -> Floats:
    """Return the weight in kg of each (person, time): measured lately, else the persons table's."""
    low, high = events.points("weight").hold(span(rules().weight_valid)).at(person, time)
    written: Floats = records.persons["weight_kg"][person]
    return np.where((low > 0) & (high < np.inf), low, written)
