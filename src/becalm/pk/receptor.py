"""What share of a receptor plasma would occupy: a range of curves, because the constant of binding is hardly known.

It is no effect and no benefit: tissue, local production and other mediators are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, sqrt
from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm import tables
from becalm.core import toml
from becalm.core.errors import UsageError
from becalm.core.frame import Frame
from becalm.pk import units
from becalm.pk.covariates import GivenCovariate, read_courses
from becalm.pk.loading import load
from becalm.pk.model import PkModel, Status
from becalm.pk.words import WordReader

BINDING: Final = Path(__file__).parent / "binding"
AMOUNTS: Final = tuple(25.0 * 2**n for n in range(9))
"""The daily amounts of the table, mg: an axis, each twice the one before; no regimen."""
FLAT: Final = 0.05
"""A curve is called flat where twice the amount adds less than this share."""


class BindingConstant(toml.TomlTable, frozen=True):
    """The concentration at which half of a receptor is occupied, in nM or mg/L."""

    title: str
    value: float
    unit: str
    status: Status
    source: str
    verified: bool


class BindingFile(toml.TomlTable, frozen=True):
    """The constants of one drug. molar_mass : g/mol."""

    molar_mass: float
    constant: dict[str, BindingConstant]


@dataclass(frozen=True, eq=False)
class Occupancy:
    """Curves of occupancy by daily amount, one for each constant.

    flat_from : by constant, the daily amount (mg) from which on twice as much adds less than `FLAT`.
    """

    model: PkModel
    frame: Frame
    titles: Mapping[str, str]
    flat_from: Mapping[str, float]
    remarks: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


def occupancy(
    model: str | PkModel,
    *,
    covariates: Mapping[str, GivenCovariate],
    constants: Sequence[str] = (),
) -> Occupancy:
    """Return what share of the receptor plasma would occupy at the average concentration of daily amounts by vein.

    No effect, no benefit, and not a dosing recommendation.

    Parameters
    ----------
    model : as of `simulate`. covariates : one value for each covariate of the model; a course over time has no average.
    constants : further constants of your own, such as `5 nM` or `0.1 mg/L`.

    Raises
    ------
    UsageError
        For a covariate or a constant that cannot be; for a model without constants where none is given; for a model
        that does not know doses by vein, or in which nothing is cleared.

    >>> found = occupancy("anakinra", covariates={"weight": 70, "creatinine_clearance": 120})
    >>> round(found.flat_from["lumped_in_vivo"], -1), round(found.flat_from["binding_in_vitro"])
    (430.0, 4)
    """
    chosen = load(model) if isinstance(model, str) else model
    if "iv" not in chosen.routes:
        raise UsageError(f"{chosen.name} does not know doses into a vein")
    courses, remarks = read_courses(chosen, covariates, 1.0, "last")
    moving = [name for name, each in courses.items() if not each.constant]
    if moving:
        raise UsageError(f"the covariate {moving[0]} changes, and an average needs one value")
    used = {name: courses[name].values[0] for name in chosen.used_covariates}
    clearance = float(chosen.typical(used)["clearance"])
    if not clearance > 0:
        raise UsageError("with these covariates nothing is cleared, so there is no average")
    known, mass = _shipped(chosen)
    half = {name: _in_mg_l(each.value, each.unit, mass, chosen) for name, each in known.items()}
    titles = {name: each.title for name, each in known.items()}
    for number, text in enumerate(constants, 1):
        name = f"own {number}"
        half[name], titles[name] = _own(text, mass, chosen), text.strip()
    if not half:
        raise UsageError(
            f"no constant of binding is kept for {chosen.name}", hint="Add --constant '0.1 mg/L'"
        )
    rows = []
    for name, constant in half.items():
        for amount in AMOUNTS:
            average = amount / 24 / clearance
            share, twice = (level / (level + constant) for level in (average, 2 * average))
            rows.append(
                {"constant": name, "constant_mg_l": constant, "mg_per_day": amount, "average_mg_l": average,
                 "occupied": share, "by_doubling": twice - share}
            )  # fmt: skip
    remarks += [
        f"not verified in its source: {name}" for name, each in known.items() if not each.verified
    ]
    return Occupancy(
        chosen,
        Frame.of_rows(tables.OCCUPANCY, rows),
        titles,
        {name: _flat_ratio() * constant * clearance * 24 for name, constant in half.items()},
        tuple(remarks),
        {
            "model": chosen.name,
            "covariates": {name: float(used[name]) for name in used if name in covariates},
            "clearance_l_h": clearance,
            "constants_mg_l": half,
            "sources": {name: each.source for name, each in known.items()},
        },
    )


def _flat_ratio() -> float:
    """Return the concentration, in multiples of the constant, above which twice as much adds less than `FLAT`.

    With r the multiple, doubling adds r / ((1 + r)(1 + 2r)).
    """
    most = 1 - 3 * FLAT
    return (most + sqrt(most * most - 8 * FLAT * FLAT)) / (4 * FLAT)


def _shipped(model: PkModel) -> tuple[dict[str, BindingConstant], float]:
    """Return the constants that are kept for the drug of a model, and its molar mass; NaN where it is not known."""
    path = BINDING / f"{model.drug}.toml"
    if not path.is_file():
        return {}, np.nan
    found = toml.load(path, BindingFile)
    return found.constant, found.molar_mass


def _own(text: str, mass: float, model: PkModel) -> float:
    reader = WordReader(text, "constant")
    value = reader.number("a constant")
    word = reader.next()
    if reader or not word.text:
        raise reader.error(
            "a constant has a number and a unit", hint="For example 5 nM, or 0.1 mg/L"
        )
    if not value > 0:
        raise UsageError("a constant of 0 is always exceeded", where="constant")
    return _in_mg_l(value, word.text, mass, model)


def _in_mg_l(value: float, unit: str, mass: float, model: PkModel) -> float:
    """Return a constant in mg/L. Raises `UsageError` for another unit, and for nM of a drug of unknown molar mass."""
    if units.kind_of(unit) != "molar":
        return value * units.factor(unit, "mg/L")
    if not isfinite(mass):
        raise UsageError(
            f"the molar mass of {model.drug} is not kept", hint="Give the constant in mg/L"
        )
    return value * units.factor(unit, "nM") * mass * 1e-6
