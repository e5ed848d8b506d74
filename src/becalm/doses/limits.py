"""Where a dose is remarked, joined to the next or counted otherwise: `limits.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.core.clock import Length


class Plausible(toml.TomlTable, frozen=True):
    """The highest rate that a drug can have, in a unit as charts write it."""

    drug: str
    high: float
    unit: str
    source: str
    verified: bool
    bolus_within: Length = Length("0min")  # an amount without a rate within this is a bolus


class Holds(toml.TomlTable, frozen=True):
    """How long a rate of some drugs holds that nothing ends."""

    drugs: tuple[str, ...]
    upto: Length
    source: str
    verified: bool


class Limits(toml.TomlTable, frozen=True):
    push_upto: Length
    tolerance: float
    changeover: Length
    long_single_dose: Length
    most_doses: int
    longest_row: Length
    largest_number: float
    without_weight_kg: float
    rate_holds: Length
    daily_rate_holds: Length


class DoseLimits(toml.TomlTable, frozen=True):
    """The whole file `limits.toml`."""

    limits: Limits
    holds: tuple[Holds, ...]
    plausible: tuple[Plausible, ...]


TABLE: Final = toml.load(Path(__file__).with_suffix(".toml"), DoseLimits)
PUSH_UPTO: Final = TABLE.limits.push_upto.us
TOLERANCE: Final = TABLE.limits.tolerance
CHANGEOVER: Final = TABLE.limits.changeover.us
PLAUSIBLE: Final = TABLE.plausible
LARGEST_NUMBER: Final = TABLE.limits.largest_number
LONGEST_ROW: Final = TABLE.limits.longest_row
LONG_SINGLE_DOSE: Final = TABLE.limits.long_single_dose.us
