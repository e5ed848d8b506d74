"""The rows of a simulation's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from becalm.core.arrays import Floats
from becalm.pk.covariates import CovariateCourse
from becalm.pk.grid import DoseArrays, weight_at
from becalm.pk.measures import SHARES, UNITS, spread
from becalm.pk.model import PkModel
from becalm.pk.regimen import DosePlan, Regimen
from becalm.pk.virtual import Curves


def concentration_rows(
    regimen: Regimen, hours: Floats, curves: Curves, given: DoseArrays, printed: Sequence[float]
) -> list[dict[str, Any]]:
    at = np.searchsorted(hours, printed)
    level = curves.after[:, at]
    shares = np.full((len(SHARES), level.shape[1]), np.nan)
    if len(level) > 1:
        shares = np.quantile(level[1:], list(SHARES.values()), axis=0)
    rate = np.append(given.rate, given.rate[-1])
    return [
        {"regimen": regimen.name, "hours": hour, "rate_mg_h": rate[border], "typical": level[0, n],
         **dict(zip(SHARES, shares[:, n], strict=True))}
        for n, (hour, border) in enumerate(zip(printed, at, strict=True))
    ]  # fmt: skip


def exposure_rows(
    regimen: Regimen, measures: Mapping[tuple[str, float | None], Floats]
) -> list[dict[str, Any]]:
    return [
        {
            "regimen": regimen.name,
            "measure": name,
            "target": target,
            "unit": UNITS[name],
            **spread(values),
            "never": _never(values) if name == "hours_to_target" else None,
        }
        for (name, target), values in measures.items()
    ]


def _never(values: Floats) -> float:
    """Return the share of the virtual patients, or of the typical one alone, who never reach a target."""
    return float(np.isinf(values[1:] if len(values) > 1 else values).mean())


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
    return found
