"""The rows of a simulation's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from becalm.core.arrays import Index
from becalm.pk.covariates import CovariateCourse
from becalm.pk.grid import DoseArrays, weight_at
from becalm.pk.measures import SHARES, UNITS
from becalm.pk.model import PkModel
from becalm.pk.regimen import DosePlan, Regimen
from becalm.pk.summary import RegimenSummary


def concentration_rows(
    regimen: Regimen, printed: Sequence[float], at: Index, given: DoseArrays, found: RegimenSummary
) -> list[dict[str, Any]]:
    """Return a row for each printed hour. at : the borders of these hours."""
    rate = np.append(given.rate, given.rate[-1])
    return [
        {"regimen": regimen.name, "hours": hour, "rate_mg_h": rate[border], "typical": found.typical[n],
         **dict(zip(SHARES, found.levels[:, n], strict=True))}
        for n, (hour, border) in enumerate(zip(printed, at, strict=True))
    ]  # fmt: skip


def attainment_rows(
    regimen: Regimen, printed: Sequence[float], targets: Sequence[float], found: RegimenSummary
) -> list[dict[str, Any]]:
    """Return for each target and printed hour the share of virtual patients at or above it."""
    return [
        {"regimen": regimen.name, "target": target, "hours": hour, "share": found.reached[at, n]}
        for at, target in enumerate(targets)
        for n, hour in enumerate(printed)
    ]


def exposure_rows(regimen: Regimen, found: RegimenSummary) -> list[dict[str, Any]]:
    """Return a row for each measure."""
    return [
        {
            "regimen": regimen.name,
            "measure": name,
            "target": target,
            "unit": UNITS[name],
            "typical": each.typical,
            **each.shares,
            "never": each.never if name == "hours_to_target" else None,
        }
        for (name, target), each in found.measures.items()
    ]


def dose_rows(
    regimen: Regimen, plan: DosePlan, weight: CovariateCourse | None, policy: str
) -> list[dict[str, Any]]:
    def used(hour: float, per_kg: bool) -> float | None:
        return weight_at(weight, hour, policy, per_kg) if per_kg else None

    found: list[dict[str, Any]] = [
        {"regimen": regimen.name, "hours": each.hours,
         "what": "SC" if each.route == "sc" else "IV infusion" if each.over else "IV bolus",
         "amount": each.amount, "unit": "mg/kg" if each.per_kg else "mg", "over_h": each.over or None,
         "weight_used": used(each.hours, each.per_kg)}
        for each in plan.doses
    ]  # fmt: skip
    found += [
        {"regimen": regimen.name, "hours": each.hours, "what": "rate", "amount": each.rate,
         "unit": "mg/kg/h" if each.per_kg else "mg/h", "weight_used": used(each.hours, each.per_kg)}
        for each in plan.rates
    ]  # fmt: skip
    return found


def parameter_rows(model: PkModel) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, each in model.parameters.items():
        scaled = [f"({by}/{s.at:g})^{s.exponent:g}" for by, s in each.scaled_by.items()]
        found.append(
            {"parameter": name, "part_of": each.part_of, "value": each.value, "unit": each.unit,
             "scaled_by": " × ".join(scaled), "low": each.low, "high": each.high, "known_to": each.known_to,
             "status": each.status, "source": each.source, "verified": each.verified}
        )  # fmt: skip
    for name, apart in model.spreads.items():
        found.append(
            {"parameter": f"spread of {name} between {apart.between}", "part_of": name, "value": apart.value,
             "unit": "1", "status": apart.status, "source": apart.source, "verified": apart.verified}
        )  # fmt: skip
    for name, error in model.residual.items():
        found.append(
            {"parameter": f"error, {name}", "value": error.value, "unit": error.unit,
             "status": error.status, "source": error.source, "verified": error.verified}
        )  # fmt: skip
    for name, walk in model.walks.items():
        found.append(
            {"parameter": f"walk of {name} in a day", "part_of": name, "value": walk.value, "unit": "1",
             "status": walk.status, "source": walk.source, "verified": walk.verified}
        )  # fmt: skip
    for name, taken in model.assumptions.items():
        found.append(
            {"parameter": f"assumed {name}", "value": taken.value, "unit": taken.unit,
             "status": taken.status, "source": taken.source, "verified": taken.verified}
        )  # fmt: skip
    return found
