"""The meaning of the unit of a dose, a rate or a concentration, by the table `units.toml`.

Each unit is read once. Nothing is guessed: a unit that is not in the table has a reason instead of a
size.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np

from becalm.core.arrays import Mask
from becalm.doses.notation import DAY_H, DoseNotation, taken_apart
from becalm.doses.unit_table import TABLE
from becalm.vocabulary.units import BLANK_UNITS, normalise

MASS: Final = "mass"
VOLUME: Final = "volume"
BASE: Final = {
    MASS: "mg", VOLUME: "mL", "activity": "units", "substance": "mmol", "charge": "mEq",
}  # fmt: skip
"""The unit in which each dimension is added up; counted containers are added up as such."""
DIMENSION: Final = {unit: dimension for dimension, unit in BASE.items()}

NO_UNIT: Final = "no unit"
UNKNOWN_UNIT: Final = "unknown unit"
NO_TIME: Final = "the unit of a rate needs a time (mg/h)"
NOT_AN_AMOUNT: Final = "the unit of an amount has a time in it (mg, not mg/h)"
A_SCHEDULE: Final = "a schedule is not an administered dose: write one row for each dose, or add the schedule's start and end"
NOT_A_CONCENTRATION: Final = "the unit of a concentration is an amount per volume (mg/mL)"

REASONS: Final = (
    NO_UNIT,
    UNKNOWN_UNIT,
    NO_TIME,
    NOT_AN_AMOUNT,
    A_SCHEDULE,
    NOT_A_CONCENTRATION,
)
"""The reasons why a unit cannot be used."""


class DoseUnit(msgspec.Struct, frozen=True):
    """A written unit and its size.

    name : the unit without its kilograms and its time (`mg` of mg/kg/h). dimension : mass (mg),
    volume (mL), activity (units), substance (mmol), charge (mEq), or what is counted. size : base
    units of the dimension in one. per_kg : to be multiplied by a weight; per_m2 : by a body surface. hours : the time in
    the unit of a rate, 0 for an amount. reason : why the unit cannot be used, '' if it can.
    """

    name: str = ""
    dimension: str = ""
    size: float = 0.0
    per_kg: bool = False
    per_m2: bool = False
    hours: float = 0.0
    reason: str = ""


_AMOUNTS: Final = {
    normalise(spelling): DoseUnit(unit.name, unit.dimension, unit.times / unit.by)
    for unit in TABLE.unit
    for spelling in (unit.name, *unit.spellings)
} | {
    normalise(spelling): DoseUnit(name, name, 1.0)
    for name, spellings in TABLE.counted.items()
    for spelling in spellings
}
_TOGETHER: Final = {normalise(word): unit for word, unit in TABLE.written_together.items()}
_CONTAINERS: Final = {word: name for name, words in TABLE.counted.items() for word in words}
_CONTENT = re.compile(r"(?<!\d)(\d+(?:\.\d+)?)\s*([a-zµμ]+)")
_NUMBERED = re.compile(r"(\d+(?:\.\d+)?)?([a-z]+)")
_OF_THE_BODY: Final = {"kg": "kg", "m2": "m2", "m^2": "m2"}
"""What a dose may be per, beside a time: the weight, or the body surface."""
_PERCENT_MG_ML: Final = 10.0  # 1 % is 1 g in 100 mL


@lru_cache(maxsize=4096)
def amount_unit(text: str) -> DoseUnit:
    """Read the unit of an amount: `mg`, `g`, `mg/kg`, `units`, `syringes`, `syringe (100 mg)`."""
    unit = _read(text)
    if not unit.reason and unit.hours:
        return DoseUnit(reason=NOT_AN_AMOUNT)
    return unit


@lru_cache(maxsize=4096)
def rate_unit(text: str) -> DoseUnit:
    """Read the unit of a rate: `mg/h`, `mcg/kg/min`, `mL/hour`, `mg/day`, `mg daily`, `syringes/6h`."""
    notation = taken_apart(text)
    if notation == DoseNotation(notation.unit, every_h=DAY_H):
        return rate_unit(f"{notation.unit}/day")
    unit = _read(text)
    if not unit.reason and not unit.hours:
        return DoseUnit(reason=NO_TIME)
    return unit


@lru_cache(maxsize=4096)
def concentration_unit(text: str) -> DoseUnit:
    """Read the unit of a concentration: `mg/mL`, `g/L`, `units/mL`, `mg/50 mL`, `%`.

    Its size is base units of the dissolved drug per mL.
    """
    plain = normalise(text)
    if plain in BLANK_UNITS:
        return DoseUnit(reason=NO_UNIT)
    if plain == "%":
        return DoseUnit("%", MASS, _PERCENT_MG_ML)
    parts = re.split(r"/|(?<=[a-z])in(?=\d)", plain)
    if len(parts) == 2:
        dissolved, volume = _measured(parts[0]), _measured(parts[1])
        if dissolved and volume and volume[0] == VOLUME and volume[1]:
            return DoseUnit(text.strip(), dissolved[0], dissolved[1] / volume[1])
    return DoseUnit(reason=NOT_A_CONCENTRATION)


def unknown_units(of: str, texts: Sequence[str]) -> Mask:
    """Return which texts are no unit of an amount, a rate or a concentration that is known.

    of : "amount", "rate" or "concentration". A unit that is known and cannot be used here (mg/h of an amount) is
    not unknown.

    >>> unknown_units("rate", ["mg/h", "Hub/h", "mg"]).tolist()
    [False, True, False]
    """
    if of == "concentration":
        return np.array(
            [concentration_unit(text).reason == NOT_A_CONCENTRATION for text in texts], np.bool_
        )
    return np.array([_read(text).reason == UNKNOWN_UNIT for text in texts], np.bool_)


def _read(text: str) -> DoseUnit:
    plain = normalise(text)
    if plain in BLANK_UNITS:
        return DoseUnit(reason=NO_UNIT)
    notation = taken_apart(text)
    if notation.scheduled:
        return DoseUnit(reason=A_SCHEDULE)
    text = notation.unit
    plain = normalise(text)
    numerator, *rest = _TOGETHER.get(plain, text).casefold().replace(" per ", "/").split("/")
    words = [normalise(part).rstrip(".") for part in rest]
    held = _container(text.casefold())
    if held:
        # The slash in "100 mg/0.67 mL syringe" is not followed by a time; in "syringes/6h" it is.
        words = [word for word in words if _hours(word)]
    unit = held or _AMOUNTS.get(normalise(numerator).rstrip("."))
    if unit is None:
        return DoseUnit(reason=UNKNOWN_UNIT)
    body, hours = "", 0.0
    for word in words:
        if not body and word in _OF_THE_BODY:
            body = _OF_THE_BODY[word]
        elif not hours and _hours(word):
            hours = _hours(word)
        else:
            return DoseUnit(reason=UNKNOWN_UNIT)
    return DoseUnit(unit.name, unit.dimension, unit.size, body == "kg", body == "m2", hours)


def _measured(part: str) -> tuple[str, float] | None:
    """Return the dimension and size of `mg`, `50mL`."""
    match = _NUMBERED.fullmatch(part.rstrip("."))
    unit = _AMOUNTS.get(match[2]) if match else None
    return (unit.dimension, float(match[1] or 1) * unit.size) if match and unit else None


def _hours(word: str) -> float:
    """Return the hours of `h`, `24h`, `min`, `day`; 0 for any other word."""
    match = _NUMBERED.fullmatch(word)
    return float(match[1] or 1) * TABLE.hours.get(match[2], 0.0) if match else 0.0


def _container(text: str) -> DoseUnit | None:
    """Read a container with its content: `syringe (100 mg)`, `100 mg syringes`."""
    name = next((_CONTAINERS[w] for w in re.findall(r"[a-z]+", text) if w in _CONTAINERS), None)
    content = _CONTENT.search(text)
    unit = _AMOUNTS.get(normalise(content[2])) if content else None
    if name is None or content is None or unit is None or unit.dimension in _CONTAINERS.values():
        return None
    held = float(content[1])
    return DoseUnit(f"{name} ({held:g} {unit.name})", unit.dimension, held * unit.size)
