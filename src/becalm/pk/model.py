"""What a pharmacokinetic model is: parameters with unit, source and status; spreads; covariates; groups."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from becalm.core import toml
from becalm.core.arrays import Floats
from becalm.core.errors import UsageError, did_you_mean
from becalm.pk import units

Status = Literal["measured", "calibrated", "assumed"]
PkRoute = Literal["iv", "sc"]
PARTS: Final[Mapping[str, str]] = {
    "clearance": "L/h",
    "central_volume": "L",
    "exchange": "L/h",
    "peripheral_volume": "L",
    "absorption": "/h",
    "first_absorption": "/h",
    "bioavailability": "1",
}
"""What the propagation needs, each in the unit in which it is computed."""
SATURABLE: Final[Mapping[str, str]] = {"max_elimination": "mg/h", "half_elimination": "mg/L"}
"""Parts of an elimination that saturates: the most that is eliminated, and the concentration at half of it."""
ALWAYS_ABOVE_ZERO: Final = frozenset({"kg", "g"})
"""Covariates in these units are never 0: a weight."""


class Scaling(toml.TomlTable, frozen=True):
    """How a parameter depends on a covariate: × (covariate / at) ^ exponent."""

    at: float
    exponent: float


class PkParameter(toml.TomlTable, frozen=True):
    """One parameter. Several with the same `part_of` are added, as non-renal and renal clearance are.

    low, high, known_to : how exactly it is known; nothing is drawn from it.
    """

    part_of: str
    value: float
    unit: str
    status: Status
    source: str
    verified: bool
    scaled_by: dict[str, Scaling] = msgspec.field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    known_to: str = ""


class PkSpread(toml.TomlTable, frozen=True):
    """How far patients (or occasions in one patient) lie apart: the standard deviation of the logarithm."""

    value: float
    status: Status
    source: str
    verified: bool
    between: Literal["patients", "occasions"] = "patients"


class PkCovariate(toml.TomlTable, frozen=True):
    """What is known of a patient. studied : lowest and highest value of the studied patients.

    otherwise : the value where none is given; without it one must be given.
    """

    unit: str
    studied: tuple[float, float]
    source: str
    verified: bool
    otherwise: float | None = None


class PkGroup(toml.TomlTable, frozen=True):
    """A group of patients, and whether the model was studied in it."""

    title: str
    studied: bool
    source: str
    verified: bool


class ResidualError(toml.TomlTable, frozen=True):
    """How far a measured concentration lies from the patient's own curve."""

    value: float
    unit: str
    status: Status
    source: str
    verified: bool


class PkWalk(toml.TomlTable, frozen=True):
    """How far a part of one patient moves by chance: the standard deviation of its logarithm's change in one day."""

    value: float
    status: Status
    source: str
    verified: bool


class PkAssumption(toml.TomlTable, frozen=True):
    """What is taken for something that records leave out, such as how fast a dose without an end was infused."""

    value: float
    unit: str
    status: Status
    source: str
    verified: bool


class PkModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of one drug, linear unless it is `saturable`. apparent : why doses into the vein are refused; empty if they are not.

    not_absorbed : routes by which nothing reaches the blood, such as PO, so that such doses count for nothing.
    walks : which parts of a patient move. level : the variable of the vocabulary that is its measured concentration.
    """

    name: str
    title: str
    drug: str
    routes: tuple[PkRoute, ...]
    parameters: dict[str, PkParameter]
    covariates: dict[str, PkCovariate] = msgspec.field(default_factory=dict)
    groups: dict[str, PkGroup] = msgspec.field(default_factory=dict)
    spreads: dict[str, PkSpread] = msgspec.field(default_factory=dict)
    residual: dict[str, ResidualError] = msgspec.field(default_factory=dict)
    walks: dict[str, PkWalk] = msgspec.field(default_factory=dict)
    assumptions: dict[str, PkAssumption] = msgspec.field(default_factory=dict)
    level: str = ""
    apparent: str = ""
    not_absorbed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def two_depots(self) -> bool:
        """Whether a dose under the skin passes two depots."""
        return any(each.part_of == "first_absorption" for each in self.parameters.values())

    @property
    def saturable(self) -> bool:
        """Whether a part of the elimination saturates, so that doses do not simply add up."""
        return any(each.part_of in SATURABLE for each in self.parameters.values())

    @property
    def used_covariates(self) -> tuple[str, ...]:
        """The covariates that a parameter depends on, in the order of the file."""
        used = {name for each in self.parameters.values() for name in each.scaled_by}
        return tuple(name for name in self.covariates if name in used)

    @property
    def unverified(self) -> tuple[str, ...]:
        """The parameters and spreads that nobody has compared with their source, by name."""
        parameters = [name for name, each in self.parameters.items() if not each.verified]
        return (
            *parameters,
            *(f"spread of {name}" for name, each in self.spreads.items() if not each.verified),
        )

    @property
    def assumed(self) -> tuple[str, ...]:
        """The parameters and spreads that are assumed, by name."""
        parameters = [name for name, each in self.parameters.items() if each.status == "assumed"]
        spreads = [name for name, each in self.spreads.items() if each.status == "assumed"]
        return (*parameters, *(f"spread of {name}" for name in spreads))

    def typical(
        self, covariates: Mapping[str, ArrayLike], *, saturable: bool = False
    ) -> dict[str, Floats]:
        """Return each part for the typical patient, in the units of `PARTS` and `SATURABLE`.

        covariates : each in the unit of the model's file, for every covariate that is used. saturable : whether the
        caller can do with an elimination that saturates.

        Raises `UsageError` for a covariate that the model does not have, or that is missing, and for a model that
        saturates where only linear ones can be used.

        >>> from becalm.pk import load
        >>> found = load("anakinra").typical(
        ...     {"weight": 70, "creatinine_clearance": 100, "haemodialysis": 0, "effluent_flow": 0}
        ... )
        >>> round(float(found["clearance"]), 9), float(found["central_volume"])
        (7.2, 5.0)
        """
        for name in covariates:
            self.covariate(name)
        missing = [name for name in self.used_covariates if name not in covariates]
        if missing:
            raise UsageError(f"{self.name} needs the covariate {missing[0]}")
        if self.saturable and not saturable:
            raise UsageError(f"{self.name} saturates: it can be simulated, and nothing else yet")
        found: dict[str, Floats] = {}
        for each in self.parameters.values():
            to = PARTS[each.part_of] if each.part_of in PARTS else SATURABLE[each.part_of]
            value = np.asarray(each.value * units.factor(each.unit, to))
            for name, scaling in each.scaled_by.items():
                given = np.asarray(covariates[name], np.float64)
                value = value * (given / scaling.at) ** scaling.exponent
            found[each.part_of] = found[each.part_of] + value if each.part_of in found else value
        return found

    def covariate(self, name: str) -> PkCovariate:
        """Return one covariate. Raises `UsageError` for a name that the model does not have."""
        if name not in self.covariates:
            raise UsageError(
                f"{self.name} has no covariate {name!r}", hint=did_you_mean(name, self.covariates)
            )
        return self.covariates[name]

    def group(self, name: str) -> PkGroup:
        """Return one group of patients. Raises `UsageError` for a name that the model does not have."""
        if name not in self.groups:
            raise UsageError(
                f"{self.name} has no group {name!r}", hint=did_you_mean(name, self.groups)
            )
        return self.groups[name]

    def replaced(self, values: Mapping[str, float]) -> PkModel:
        """Return the model with other values of some parameters, each in the unit of the file.

        Raises `UsageError` for a name that the model does not have, and for a value that cannot be.

        >>> from becalm.pk import load
        >>> load("anakinra").replaced({"sieving": 0.7}).parameters["sieving"].status
        'assumed'
        """
        parameters = dict(self.parameters)
        for name, value in values.items():
            if name not in parameters:
                hint = did_you_mean(name, parameters)
                if not difflib.get_close_matches(name, parameters, n=1, cutoff=0.6):
                    hint = f"Its parameters: {', '.join(parameters)}"
                raise UsageError(f"{self.name} has no parameter {name!r}", hint=hint)
            if not np.isfinite(value) or value < 0 or (value == 0 and self._above_zero(name)):
                raise UsageError(f"the parameter {name} cannot be {value:g}")
            if parameters[name].part_of == "bioavailability" and self._fraction(name, value) > 1:
                raise UsageError(f"the parameter {name} cannot be above 100 %")
            parameters[name] = msgspec.structs.replace(
                parameters[name],
                value=value,
                status="assumed",
                source="set by the user",
                verified=True,
            )
        return msgspec.structs.replace(self, parameters=parameters)

    def _above_zero(self, name: str) -> bool:
        return self.parameters[name].part_of != "clearance"

    def _fraction(self, name: str, value: float) -> float:
        return value * units.factor(self.parameters[name].unit, "1")
