"""The marker chain: what a course of concentrations would do to markers, were the chain as it is assumed to be.

A concentration takes away a part of the drive by interleukin-1, a mediator follows the drive, markers are made in
proportion and break down with their half-life. Before the drug everything stands still (assumed): every value is a
multiple of that. No marker can fall faster than by its own breakdown; what was measured and fell faster is flagged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, exp, log
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from becalm import tables
from becalm.core import toml
from becalm.core.arrays import Floats
from becalm.core.errors import UsageError, did_you_mean
from becalm.core.frame import Frame
from becalm.pk.covariates import GivenCovariate, read_courses
from becalm.pk.falls import FastFall, falls_too_fast
from becalm.pk.grid import breakpoints, doses_on, hours_of
from becalm.pk.loading import load
from becalm.pk.measures import spread
from becalm.pk.model import PARTS, PkModel, Status
from becalm.pk.regimen import DosePlan, Regimen
from becalm.pk.regimen_files import read_regimens
from becalm.pk.simulation import check_route
from becalm.pk.virtual import BLOCK, Curves, VirtualPatients

TURNOVER: Final = Path(__file__).parent / "turnover"
LONGEST: Final = 24.0 * 28
MOST_PATIENTS: Final = 5_000
_STEP: Final = 1 / 16
"""Hours: the drive is a parabola within each step, known at its ends and in its middle."""
_FINER: Final = 12
_PRINTED: Final = 1.0
_TERMS: Final = 14
_POSSIBLE: Final = {
    "half_effect": (1e-6, 1e6),
    "driven": (0.0, 1.0),
    "mediator_half_life": (1.0, 1000.0),
}
_SPAWN: Final = 1_000_000
"""Draws of the chain come from another stream than those of the patients."""


class ChainParameter(toml.TomlTable, frozen=True):
    """A parameter of the chain, with the range from which it is drawn."""

    title: str
    value: float
    low: float
    high: float
    scale: Literal["log", "linear"]
    unit: str
    status: Status
    source: str
    verified: bool


class Marker(toml.TomlTable, frozen=True):
    """A marker: its half-life (h) with the range from which it is drawn, and the fastest that a fall can be believed."""

    half_life: float
    low: float
    high: float
    fastest: float
    status: Status
    source: str
    verified: bool
    caution: str


class ChainFile(toml.TomlTable, frozen=True):
    """The chain of one drug."""

    parameter: dict[str, ChainParameter]
    marker: dict[str, Marker]


@dataclass(frozen=True, eq=False)
class MarkerCourses:
    """Courses of markers as multiples of their value before the drug: the table `simulated_markers`.

    flagged : measured values that fell faster than breakdown allows.
    """

    model: PkModel
    regimen: Regimen
    frame: Frame
    flagged: tuple[FastFall, ...]
    remarks: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


def marker_courses(
    model: str | PkModel,
    regimen: str,
    *,
    covariates: Mapping[str, GivenCovariate],
    hours: float = 168.0,
    patients: int = 1000,
    seed: int = 20,
    policy: str = "last",
    values: Mapping[str, float] | None = None,
    observed: Mapping[str, str] | None = None,
) -> MarkerCourses:
    """Return what one regimen would do to markers, were the assumed chain true; no benefit of a dose follows from it.

    Parameters
    ----------
    model, covariates, policy : as of `simulate`. regimen : one; courses by several doses are not compared, because what
    would make them differ is known to a factor of 100. hours : at most 28 days. patients : virtual patients, at most 5,000.
    values : other values of the chain (`half_effect`, mg/L; `driven`; `mediator_half_life`, h), which are then not drawn.
    observed : measured values by marker, such as `{"ferritin": "0 h: 12000, 48 h: 3000"}`.

    Raises
    ------
    UsageError
        For several regimens, a drug without a chain, a name or a number that cannot be.

    >>> found = marker_courses("anakinra", "4 mg/h", covariates={"weight": 70, "creatinine_clearance": 100}, patients=20)
    >>> [round(row["floor"], 2) for row in found.frame.rows() if row["marker"] == "ferritin" and row["hours"] == 48]
    [0.33]
    """
    chosen = load(model) if isinstance(model, str) else model
    chain = chain_of(chosen)
    read = read_regimens([regimen])
    if len(read) != 1:
        raise UsageError(
            "courses of markers are shown for one regimen at a time",
            hint="What would make them differ is known to a factor of 100",
        )
    if not 0 < hours <= LONGEST:
        raise UsageError(f"{hours:g} h cannot be simulated", hint=f"Choose up to {LONGEST:g} h")
    if not 1 <= patients <= MOST_PATIENTS:
        raise UsageError(f"{patients:,} virtual patients", hint=f"Choose 1 to {MOST_PATIENTS:,}")
    fixed_values = dict(values or {})
    _check_values(chain, fixed_values)
    flagged = falls_too_fast(observed or {}, {name: each.fastest for name, each in chain.marker.items()})  # fmt: skip
    courses, remarks = read_courses(chosen, covariates, hours, policy)
    check_route(chosen, read[0], hours)
    plan = read[0].plan(hours)
    grid = breakpoints(chosen, courses, policy, _times(plan, hours), hours)
    given = doses_on(grid.hours, plan, courses.get("weight"), policy)
    people = patients if chosen.spreads else 0
    draws = VirtualPatients(chosen, people, seed)
    parameters = _drawn(chain, fixed_values, people, seed)
    printed = np.arange(0.0, hours + 1e-9, _PRINTED).tolist()
    parts: dict[str, list[Floats]] = {name: [] for name in chain.marker}
    for factors, mine in _blocks(draws):
        own = {name: each[mine] for name, each in parameters.items()}
        block = courses_of(grid.hours, draws.block(grid, given, factors), own, list(parts), printed)
        for name, course in block.items():
            parts[name].append(course)
    found = {name: np.concatenate(courses) for name, courses in parts.items()}
    rows: list[dict[str, Any]] = []
    for name, each in chain.marker.items():
        for at, hour in enumerate(printed):
            floor = exp(-log(2) * hour / each.half_life)
            rows.append(
                {"regimen": read[0].name, "marker": name, "hours": hour, "floor": floor, **spread(found[name][:, at])}
            )  # fmt: skip
    return MarkerCourses(
        chosen,
        read[0],
        Frame.of_rows(tables.SIMULATED_MARKERS, rows),
        flagged,
        (*remarks, *_remarks(chain, fixed_values)),
        {
            "model": chosen.name, "regimen": read[0].text, "hours": hours, "patients": people, "seed": seed,
            "policy": policy, "values": fixed_values,
        },
    )  # fmt: skip


def _times(plan: DosePlan, hours: float) -> list[float]:
    """Return equal steps, and ever shorter ones after each change: there a concentration passes that of half the effect."""
    changes = hours_of(plan)
    steps = np.arange(0.0, hours + _STEP / 2, _STEP).tolist()
    return [
        *steps,
        *changes,
        *(hour + _STEP / 2**n for hour in {0.0, *changes} for n in range(1, _FINER)),
    ]


def chain_of(model: PkModel) -> ChainFile:
    """Return the chain of a model's drug. Raises `UsageError` where none is kept."""
    path = TURNOVER / f"{model.drug}.toml"
    if not path.is_file():
        raise UsageError(f"no chain of markers is kept for {model.drug}")
    return toml.load(path, ChainFile)


def _check_values(chain: ChainFile, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if name not in chain.parameter:
            raise UsageError(f"the chain has no {name!r}", hint=did_you_mean(name, chain.parameter))
        least, most = _POSSIBLE[name]
        if not least <= value <= most:
            raise UsageError(f"{name} cannot be {value:g}", hint=f"Choose {least:g} to {most:g}")


def _drawn(
    chain: ChainFile, values: Mapping[str, float], people: int, seed: int
) -> dict[str, Floats]:
    """Return every parameter for the typical patient (the first) and each virtual one, the same in every run."""
    ranges = {
        **{name: (p.value, p.low, p.high, p.scale) for name, p in chain.parameter.items()},
        **{name: (m.half_life, m.low, m.high, "log") for name, m in chain.marker.items()},
    }
    source = np.random.SeedSequence(seed, spawn_key=(_SPAWN,))
    uniform = np.random.Generator(np.random.Philox(source)).random((people, len(ranges)))
    found: dict[str, Floats] = {}
    for at, (name, (value, low, high, scale)) in enumerate(ranges.items()):
        if name in values:
            found[name] = np.full(people + 1, values[name])
            continue
        part = uniform[:, at]
        drawn = low * (high / low) ** part if scale == "log" else low + (high - low) * part
        found[name] = np.append(value, drawn)
    return found


def _blocks(draws: VirtualPatients) -> Iterator[tuple[dict[str, Floats], slice]]:
    """Yield the factors of the typical patient and of each block of virtual ones, and their places among all."""
    yield dict.fromkeys(PARTS, np.ones(1)), slice(0, 1)
    for block in range(ceil(draws.patients / BLOCK)):
        first = 1 + block * BLOCK
        yield draws.factors(block), slice(first, first + BLOCK)


def courses_of(
    hours: Floats,
    curves: Curves,
    parameters: Mapping[str, Floats],
    markers: Sequence[str],
    printed: Sequence[float],
) -> dict[str, Floats]:
    """Return each marker at the printed hours, [patient, hour], as a multiple of its value before the drug.

    hours : borders (h), among them every sixteenth of an hour. curves : concentrations at them, [patient, border]. Between
    two borders the drive is a parabola through its ends and its middle.
    """
    people = len(curves.after)
    half, driven = parameters["half_effect"], parameters["driven"]
    rate = {name: log(2) / parameters[name] for name in markers}
    mediator_rate = log(2) / parameters["mediator_half_life"]
    mediator = np.ones(people)
    value = {name: np.ones(people) for name in markers}
    kept = {name: np.ones((people, len(printed))) for name in markers}
    at = {round(hour, 9): place for place, hour in enumerate(printed)}
    known: dict[float, tuple[Weights, Weights, dict[str, Weights]]] = {}
    for step, length in enumerate(np.round(np.diff(hours), 12).tolist()):
        if length not in known:
            whole = {name: _weights(each, length) for name, each in rate.items()}
            known[length] = _half_weights(mediator_rate, length), _weights(mediator_rate, length), whole  # fmt: skip
        to_middle, to_end, of_marker = known[length]
        begin, end = curves.after[:, step], curves.before[:, step + 1]
        # the middle of the parabola with this area
        middle = np.maximum(1.5 * curves.area[:, step] / length - (begin + end) / 4, 0.0)
        drive = tuple(half / (half + level) for level in (begin, middle, end))
        inner, after = to_middle.of(mediator, *drive), to_end.of(mediator, *drive)
        made = tuple(1 - driven + driven * each for each in (mediator, inner, after))
        for name in markers:
            value[name] = of_marker[name].of(value[name], *made)
        mediator = after
        place = at.get(round(float(hours[step + 1]), 9))
        if place is not None:
            for name in markers:
                kept[name][:, place] = value[name]
    return kept


class Weights(NamedTuple):
    """How much of a value is left after a step, and the weights of what it follows: first, in the middle, last."""

    left: Floats
    first: Floats
    middle: Floats
    last: Floats

    def of(self, value: Floats, first: Floats, middle: Floats, last: Floats) -> Floats:
        """Return the value after the step, exactly, where what it follows is a parabola."""
        return value * self.left + first * self.first + middle * self.middle + last * self.last


def _weights(rate: Floats, length: float) -> Weights:
    """Return the weights for x' = rate · (target − x) at the end of a step."""
    z = rate * length
    level, slope, bend = (_moment(z, power) for power in range(3))
    return Weights(np.exp(-z), level - 3 * slope + 2 * bend, 4 * (slope - bend), 2 * bend - slope)


def _half_weights(rate: Floats, length: float) -> Weights:
    """Return the same in the middle of a step."""
    z = rate * length / 2
    level, slope, bend = (_moment(z, power) for power in range(3))
    return Weights(np.exp(-z), level - 1.5 * slope + bend / 2, 2 * slope - bend, (bend - slope) / 2)


def _moment(z: Floats, power: int) -> Floats:
    """Return z ∫ exp(−z (1 − u)) u^n du over u from 0 to 1, by its series: z is far below 1."""
    total, term = np.zeros_like(z), z / (power + 1)
    for n in range(_TERMS):
        total = total + term
        term = -term * z / (power + n + 2)
    return total


def _remarks(chain: ChainFile, values: Mapping[str, float]) -> list[str]:
    """Return what is assumed, what is not verified, and what each marker is not good for."""
    assumed = [name for name, each in chain.parameter.items() if each.status == "assumed" and name not in values]  # fmt: skip
    found = [
        f"assumed and drawn from a range: {', '.join(assumed)}" if assumed else "",
        "assumed: before the drug every marker stands still, and the storm would go on as it is",
        "nothing of this chain was measured in patients with macrophage activation",
    ]
    unverified = [
        *(name for name, each in chain.parameter.items() if not each.verified and name not in values),
        *(f"half-life of {name}" for name, each in chain.marker.items() if not each.verified),
    ]  # fmt: skip
    if unverified:
        found.append(f"not verified in their source: {', '.join(unverified)}")
    found += [f"{name}: {each.caution}" for name, each in chain.marker.items() if each.caution]
    return [each for each in found if each]
