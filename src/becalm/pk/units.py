"""Units of doses, concentrations and parameters: a closed list, so that a misspelt one is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from becalm.core import toml
from becalm.core.errors import UsageError, did_you_mean

FILE: Final = Path(__file__).with_suffix(".toml")


@cache
def by_kind() -> dict[str, dict[str, float]]:
    """Return the units of each kind, as multiples of the first."""
    return toml.load(FILE, dict[str, dict[str, float]])


def kind_of(unit: str) -> str | None:
    """Return what a unit measures; None for a unit that is not known.

    >>> kind_of("mL/min"), kind_of("mL/minute")
    ('flow', None)
    """
    return next((kind for kind, units in by_kind().items() if unit in units), None)


def factor(unit: str, to: str) -> float:
    """Return by how much a value in `unit` is multiplied to be one in `to`.

    Raises `UsageError` for a unit that is not known, or of another kind.

    >>> round(factor("mL/min", "L/h"), 9)
    0.06
    """
    kind = kind_of(to)
    known = by_kind()[kind] if kind is not None else {to: 1.0}
    if unit not in known:
        other = kind_of(unit)
        what = "is not known" if other is None else f"is a unit of {other}, not of {kind or to}"
        raise UsageError(f"the unit {unit!r} {what}", hint=did_you_mean(unit, known))
    return known[unit] / known[to]
