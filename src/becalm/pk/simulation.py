"""What regimens do to concentrations: the typical patient, and virtual patients who lie apart as the model says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final, NamedTuple

import numpy as np

from becalm import tables
from becalm.core.arrays import Floats
from becalm.core.errors import UsageError
from becalm.core.frame import Frame
from becalm.pk.covariates import CovariateCourse, GivenCovariate, read_courses
from becalm.pk.grid import Breakpoints, DoseArrays, breakpoints, doses_on, hours_of, weight_at
from becalm.pk.loading import load
from becalm.pk.model import PARTS, PkModel
from becalm.pk.propagation import CENTRAL, RateConstants, propagate
from becalm.pk.regimen import DosePlan, Regimen
from becalm.pk.regimen_files import read_regimens

NOT_ADVICE: Final = (
    "Simulated, not a dosing recommendation. Research use only: not a medical device."
)
BLOCK: Final = 500
"""Virtual patients that are drawn and computed together; their numbers do not depend on how many follow."""
MOST_PATIENTS: Final = 20_000
MOST_OUTPUTS: Final = 400
LONGEST: Final = 24.0 * 366 * 3
_STEPS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 6.0, 12.0, 24.0, 48.0, 96.0)
_LAST_DAY: Final = 24.0
_SHARES: Final = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
_UNITS: Final = {
    "area": "mg·h/L", "average": "mg/L", "peak": "mg/L", "average_last_day": "mg/L", "trough_last_day": "mg/L",
    "peak_last_day": "mg/L", "peak_to_trough": "1", "average_ratio": "1", "hours_below": "h", "hours_to_target": "h",
}  # fmt: skip


class Curves(NamedTuple):
    """Concentrations at the borders before and after doses given there, and areas; [patient, border], mg/L."""

    before: Floats
    after: Floats
    area: Floats


@dataclass(frozen=True, eq=False)
class Simulation:
    """A finished simulation: four tables, and remarks on what is extrapolated, assumed or not verified.

    concentration, exposure, doses, parameters : the tables `simulated_concentration`, `simulated_exposure`,
    `simulated_doses` and `model_parameters` (`becalm.tables`).
    """

    model: PkModel
    regimens: tuple[Regimen, ...]
    concentration: Frame
    exposure: Frame
    doses: Frame
    parameters: Frame
    remarks: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notice: str = NOT_ADVICE

    @property
    def frames(self) -> dict[str, Frame]:
        """The tables by name."""
        return {
            "simulated_concentration": self.concentration,
            "simulated_exposure": self.exposure,
            "simulated_doses": self.doses,
            "model_parameters": self.parameters,
        }

    def __repr__(self) -> str:
        names = ", ".join(each.name for each in self.regimens)
        return f"<simulation of {self.model.name}: {names}. {self.notice}>"


def simulate(
    model: str | PkModel,
    regimens: str | Sequence[str],
    *,
    covariates: Mapping[str, GivenCovariate],
    hours: float = 168.0,
    patients: int = 1000,
    seed: int = 20,
    policy: str = "last",
    targets: Sequence[float] = (),
    parameters: Mapping[str, float] | None = None,
    group: str | None = None,
    threads: int = 1,
) -> Simulation:
    """Simulate concentrations for one regimen or several, in the same virtual patients.

    Simulated, not a dosing recommendation.

    Parameters
    ----------
    model : a model that ships with becalm (`becalm.pk.shipped()`), a file of your own, or one that was loaded.
    regimens : see `becalm.pk.read_regimens`.
    covariates : for each covariate of the model a number in its unit, pairs of hours and numbers, or a text.
    hours : how long, h. patients : how many virtual patients, at most 20,000. seed : of their draws.
    policy : what holds between two values of a covariate: `last`, `next`, or `linear`.
    targets : concentrations of your choice, mg/L. parameters : other values, in the units of the model's file.
    group : the group of the model that the patients belong to.
    threads : changes how long it takes, and no number.

    Raises
    ------
    UsageError
        For a regimen, covariate, parameter, route, target or number that cannot be, with its place.
    DefinitionError
        For a model's file, or a file of regimens, with mistakes.

    >>> found = simulate("anakinra", "100 mg SC daily", covariates={"weight": 70, "creatinine_clearance": 100}, patients=20)
    >>> sorted(found.frames)
    ['model_parameters', 'simulated_concentration', 'simulated_doses', 'simulated_exposure']
    >>> next(row["typical"] for row in found.exposure.rows() if row["measure"] == "peak") > 0.5
    True
    """
    chosen = load(model) if isinstance(model, str) else model
    chosen = chosen.replaced(parameters or {})
    _check_numbers(hours, patients, targets, threads)
    read = read_regimens([regimens] if isinstance(regimens, str) else regimens)
    for each in read:
        _check_route(chosen, each, hours)
    courses, remarks = read_courses(chosen, covariates, hours, policy)
    remarks = [*_group_remarks(chosen, group), *remarks, *_origin_remarks(chosen)]
    plans = [each.plan(hours) for each in read]
    remarks += [
        f"{regimen.name} goes on after {hours:g} h; what comes later is not simulated"
        for regimen, plan in zip(read, plans, strict=True)
        if plan.cut
    ]
    printed = _printed_hours(hours)
    draws = _Draws(chosen, patients if chosen.spreads else 0, seed)
    concentration, exposure, doses = [], [], []
    first: Floats | None = None
    for regimen, plan in zip(read, plans, strict=True):
        day = [hours - _LAST_DAY] if hours > _LAST_DAY else []
        grid = breakpoints(chosen, courses, policy, [*printed, *day, *hours_of(plan)], hours)
        given = doses_on(grid.hours, plan, courses.get("weight"), policy)
        curves = draws.curves(grid, given, threads)
        measures = _measures(grid.hours, curves, targets)
        average = measures["average", None]
        if first is not None:
            with np.errstate(invalid="ignore", divide="ignore"):
                measures["average_ratio", None] = average / first
        first = average if first is None else first
        concentration += _concentration_rows(regimen, grid.hours, curves, given, printed)
        exposure += _exposure_rows(regimen, measures)
        doses += _dose_rows(regimen, plan, courses.get("weight"), policy)
    return Simulation(
        chosen,
        read,
        Frame.of_rows(tables.SIMULATED_CONCENTRATION, concentration),
        Frame.of_rows(tables.SIMULATED_EXPOSURE, exposure),
        Frame.of_rows(tables.SIMULATED_DOSES, doses),
        Frame.of_rows(tables.MODEL_PARAMETERS, _parameter_rows(chosen)),
        tuple(remarks),
        {
            "model": chosen.name, "regimens": {each.name: each.text for each in read}, "hours": hours,
            "covariates": {name: _shown(chosen, each) for name, each in courses.items()}, "policy": policy,
            "patients": patients if chosen.spreads else 0, "seed": seed, "targets": list(targets), "group": group or "",
            "parameters": dict(parameters or {}),
        },
    )  # fmt: skip


# ------------------------------------------------------------ what is asked


def _check_numbers(hours: float, patients: int, targets: Sequence[float], threads: int) -> None:
    if not 0 < hours <= LONGEST:
        raise UsageError(f"{hours:g} h cannot be simulated", hint=f"Choose up to {LONGEST:g} h")
    if not 1 <= patients <= MOST_PATIENTS:
        raise UsageError(f"{patients:,} virtual patients", hint=f"Choose 1 to {MOST_PATIENTS:,}")
    if threads < 1:
        raise UsageError(f"{threads} threads", hint="Choose 1 or more")
    for target in targets:
        if not 0 < target < float("inf"):
            raise UsageError(f"a target of {target:g} mg/L cannot be reached or missed")


def _check_route(model: PkModel, regimen: Regimen, hours: float) -> None:
    """Refuse the drug of another model, and a route that the model does not know."""
    if regimen.drug and regimen.drug.lower() != model.drug.lower():
        raise UsageError(
            f"{regimen.drug!r} is not the drug of the model {model.name} ({model.drug})",
            where=regimen.name,
        )
    plan = regimen.plan(hours)
    routes = {dose.route for dose in plan.doses} | ({"iv"} if plan.rates else set())
    if not any(change.rate for change in plan.rates) and not plan.doses:
        raise UsageError("nothing is given", where=regimen.name)
    for route in sorted(routes - set(model.routes)):
        words = {"iv": "into a vein", "sc": "under the skin"}[route]
        reason = f": {model.apparent}" if model.apparent and route == "iv" else ""
        raise UsageError(f"{model.name} does not know doses {words}{reason}", where=regimen.name)


def _group_remarks(model: PkModel, group: str | None) -> list[str]:
    studied = "; ".join(each.title for each in model.groups.values() if each.studied)
    if group is None:
        return [f"no group was named: extrapolated for all but {studied or 'nobody'}"]
    named = model.group(group)
    return [] if named.studied else [f"extrapolated: not studied in {named.title}; studied in {studied}"]  # fmt: skip


def _origin_remarks(model: PkModel) -> list[str]:
    found = list(model.notes)
    if model.assumed:
        found.append(f"assumed: {', '.join(model.assumed)}")
    if model.unverified:
        found.append(f"not verified in their source: {', '.join(model.unverified)}")
    parts = list(dict.fromkeys(each.part_of for each in model.parameters.values()))
    without = [part for part in parts if part not in model.spreads]
    if not model.spreads:
        found.append("no spread between patients is given: only the typical patient is simulated")
    elif without:
        found.append(
            f"no spread between patients is given, so all have the same: {', '.join(without)}"
        )
    if any(each.between == "occasions" for each in model.spreads.values()):
        found.append("a spread between occasions is drawn once for each virtual patient")
    return found


def _shown(model: PkModel, course: CovariateCourse) -> str:
    unit = model.covariates[course.name].unit.removeprefix("1")
    if course.constant:
        return f"{course.values[0]:g} {unit}".rstrip()
    pairs = zip(course.hours, course.values, strict=True)
    return ", ".join(f"{hour:g} h: {value:g} {unit}".rstrip() for hour, value in pairs)


def _printed_hours(hours: float) -> list[float]:
    """Return the hours that are printed: equal steps, at most some hundreds."""
    step = next((each for each in _STEPS if hours / each <= MOST_OUTPUTS), _STEPS[-1])
    return [*(n * step for n in range(ceil(hours / step - 1e-9))), hours]


# ------------------------------------------------------------ virtual patients


class _Draws:
    """The typical patient, and virtual patients who differ from it by factors with a log-normal spread."""

    def __init__(self, model: PkModel, patients: int, seed: int) -> None:
        self.model, self.patients, self.seed = model, patients, seed

    def factors(self, block: int) -> dict[str, Floats]:
        """Return the factors of a block of virtual patients, for every part; the same in every run."""
        source = np.random.SeedSequence(self.seed, spawn_key=(block,))
        draws = np.random.Generator(np.random.Philox(source)).standard_normal((len(PARTS), BLOCK))
        count = min(BLOCK, self.patients - block * BLOCK)
        return {
            part: np.exp(draws[at, :count] * self.model.spreads[part].value)
            if part in self.model.spreads
            else np.ones(count)
            for at, part in enumerate(PARTS)
        }

    def curves(self, grid: Breakpoints, given: DoseArrays, threads: int) -> Curves:
        """Return curves of the typical patient (the first) and of all virtual patients."""
        typical = dict.fromkeys(PARTS, np.ones(1))
        blocks = [typical, *(self.factors(n) for n in range(ceil(self.patients / BLOCK)))]
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(lambda factors: self._block(grid, given, factors), blocks))
        return Curves(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def _block(self, grid: Breakpoints, given: DoseArrays, factors: Mapping[str, Floats]) -> Curves:
        by = {part: each[:, None] for part, each in factors.items()}
        k = grid.constants
        own = RateConstants(
            k.elimination * (by["clearance"] / by["central_volume"]),
            k.outward * (by["exchange"] / by["central_volume"]),
            k.inward * (by["exchange"] / by["peripheral_volume"]),
            k.absorption * by["absorption"],
            k.before * by["first_absorption"],
        )
        absorbed = np.minimum(grid.fraction[:-1] * by["bioavailability"], 1.0) * given.skin
        found = propagate(
            own,
            np.diff(grid.hours),
            rate=given.rate,
            bolus=given.bolus,
            depot=absorbed,
            two_depots=self.model.two_depots,
            which=grid.which,
        )
        volume = grid.volume * by["central_volume"]
        until = np.concatenate([volume[:, :1], volume[:, :-1]], axis=1)
        return Curves(
            found.before[..., CENTRAL] / until,
            found.after[..., CENTRAL] / volume,
            found.area / volume[:, :-1],
        )


# ------------------------------------------------------------ measures


def _measures(
    hours: Floats, curves: Curves, targets: Sequence[float]
) -> dict[tuple[str, float | None], Floats]:
    """Return each measure for the typical patient (the first) and every virtual one."""
    total = hours[-1]
    area = curves.area.sum(axis=1)
    found: dict[tuple[str, float | None], Floats] = {
        ("area", None): area,
        ("average", None): area / total,
        ("peak", None): np.maximum(curves.before, curves.after).max(axis=1),
    }
    if total > _LAST_DAY:
        at = int(np.searchsorted(hours, total - _LAST_DAY))
        begin, end = curves.after[:, at:-1], curves.before[:, at + 1 :]
        trough, peak = np.minimum(begin, end).min(axis=1), np.maximum(begin, end).max(axis=1)
        found["average_last_day", None] = curves.area[:, at:].sum(axis=1) / _LAST_DAY
        found["trough_last_day", None] = trough
        found["peak_last_day", None] = peak
        with np.errstate(invalid="ignore", divide="ignore"):
            found["peak_to_trough", None] = peak / trough
    for target in targets:
        below, first = _against(hours, curves, target)
        found["hours_below", target] = below
        found["hours_to_target", target] = first
    return found


def _against(hours: Floats, curves: Curves, target: float) -> tuple[Floats, Floats]:
    """Return the hours below a target and the hour it is first reached (infinite if never).

    Between two borders the curve is taken as a straight line.
    """
    begin, end = curves.after[:, :-1], curves.before[:, 1:]
    length = np.diff(hours)
    low, high = np.minimum(begin, end), np.maximum(begin, end)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(
            high < target, 1.0, np.where(low >= target, 0.0, (target - low) / (high - low))
        )
    below = (part * length).sum(axis=1)
    crossed = np.where(begin >= target, hours[:-1], np.where(end >= target, hours[:-1] + part * length, np.inf))  # fmt: skip
    return below, crossed.min(axis=1)


def _spread(values: Floats) -> dict[str, float]:
    """Return the typical value (the first) and quantiles of the others; infinite where they are never reached.

    Without others, because no spread is known, there are no quantiles.
    """
    others = np.sort(values[1:])
    found = {"typical": float(values[0])}
    if not len(others):
        return found
    for name, share in _SHARES.items():
        at = share * (len(others) - 1)
        low, high = others[int(np.floor(at))], others[int(np.ceil(at))]
        found[name] = float(low if low == high else low + (high - low) * (at - np.floor(at)))
    return found


# ------------------------------------------------------------ rows of tables


def _concentration_rows(
    regimen: Regimen, hours: Floats, curves: Curves, given: DoseArrays, printed: Sequence[float]
) -> list[dict[str, Any]]:
    at = np.searchsorted(hours, printed)
    level = curves.after[:, at]
    shares = np.full((len(_SHARES), level.shape[1]), np.nan)
    if len(level) > 1:
        shares = np.quantile(level[1:], list(_SHARES.values()), axis=0)
    rate = np.append(given.rate, given.rate[-1])
    return [
        {"regimen": regimen.name, "hours": hour, "rate_mg_h": rate[border], "typical": level[0, n],
         **dict(zip(_SHARES, shares[:, n], strict=True))}
        for n, (hour, border) in enumerate(zip(printed, at, strict=True))
    ]  # fmt: skip


def _exposure_rows(
    regimen: Regimen, measures: Mapping[tuple[str, float | None], Floats]
) -> list[dict[str, Any]]:
    return [
        {
            "regimen": regimen.name,
            "measure": name,
            "target": target,
            "unit": _UNITS[name],
            **_spread(values),
            "never": _never(values) if name == "hours_to_target" else None,
        }
        for (name, target), values in measures.items()
    ]


def _never(values: Floats) -> float:
    """Return the share of the virtual patients, or of the typical one alone, who never reach a target."""
    return float(np.isinf(values[1:] if len(values) > 1 else values).mean())


def _dose_rows(
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


def _parameter_rows(model: PkModel) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, each in model.parameters.items():
        scaled = [f"({by}/{s.at:g})^{s.exponent:g}" for by, s in each.scaled_by.items()]
        found.append(
            {"parameter": name, "part_of": each.part_of, "value": each.value, "unit": each.unit,
             "scaled_by": " × ".join(scaled), "low": each.low, "high": each.high, "known_to": each.known_to,
             "status": each.status, "source": each.source, "verified": each.verified}
        )  # fmt: skip
    for name, spread in model.spreads.items():
        found.append(
            {"parameter": f"spread of {name} between {spread.between}", "part_of": name, "value": spread.value,
             "unit": "1", "status": spread.status, "source": spread.source, "verified": spread.verified}
        )  # fmt: skip
    for name, error in model.residual.items():
        found.append(
            {"parameter": f"error, {name}", "value": error.value, "unit": error.unit,
             "status": error.status, "source": error.source, "verified": error.verified}
        )  # fmt: skip
    return found
