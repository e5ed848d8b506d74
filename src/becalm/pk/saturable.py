"""Elimination that saturates (Michaelis-Menten), beside a linear one: solved step by step by SciPy's solver.

No closed solution exists, so this is the one part of the package with a tolerance. The solver stops at every
dose, every change of a rate and every change of a covariate, so that it never steps over one. The library is SciPy
(`pip install 'becalm[nonlinear]'`), imported when such a model is simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from becalm.core.arrays import Floats
from becalm.core.errors import MissingExtraError, UsageError
from becalm.pk.grid import Breakpoints, DoseArrays
from becalm.pk.propagation import CENTRAL, DEPOT, FIRST_DEPOT, PERIPHERAL

INSTALL: Final = "pip install 'becalm[nonlinear]'"
MOST_PATIENTS: Final = 2000
TOLERANCE: Final = 1e-9
_AREA: Final = 4
_ROWS: Final = 5


def saturable_block(
    grid: Breakpoints, given: DoseArrays, factors: Mapping[str, Floats], two_depots: bool
) -> tuple[Floats, Floats, Floats]:
    """Return concentrations before and after doses, and areas, of a block of patients: [patient, border or interval].

    Raises `MissingExtraError` if SciPy is not installed, `UsageError` if the solver gives up.
    """
    people, intervals = len(factors["clearance"]), len(grid.hours) - 1
    state = np.zeros((_ROWS, people))
    before, after = np.zeros((intervals + 1, people)), np.zeros((intervals + 1, people))
    area = np.zeros((intervals, people))
    entry = FIRST_DEPOT if two_depots else DEPOT
    absorbed = np.minimum(grid.fraction[:-1, None] * factors["bioavailability"], 1.0) * given.skin[:, None]  # fmt: skip
    volume = grid.volume[:, None] * factors["central_volume"]
    begins = _segments(grid, given)
    for begin, end in zip(begins, [*begins[1:], intervals], strict=True):
        state[CENTRAL] += given.bolus[begin]
        state[entry] += absorbed[begin]
        change = _change(grid, begin, given.rate[begin], factors)
        found = _solved(change, state, grid.hours[begin : end + 1])
        after[begin] = state[CENTRAL] / volume[begin]
        amounts = np.concatenate([state[None], found])
        area[begin:end] = np.diff(amounts[:, _AREA], axis=0) / volume[begin]
        inside = amounts[1:, CENTRAL] / volume[begin]
        before[begin + 1 : end + 1] = inside
        after[begin + 1 : end + 1] = inside
        state = found[-1]
    after[intervals] = state[CENTRAL] / volume[intervals]
    return before.T, after.T, area.T


def _segments(grid: Breakpoints, given: DoseArrays) -> list[int]:
    """Return the intervals at whose beginning something changes."""
    changes = (given.bolus > 0) | (given.skin > 0)
    changes[0] = True
    held = (given.rate, grid.which, grid.volume[:-1], *(grid.saturation or ()))
    for each in held:
        changes[1:] |= np.diff(each) != 0
    return [int(each) for each in np.flatnonzero(changes)]


def _change(
    grid: Breakpoints, interval: int, rate: float, factors: Mapping[str, Floats]
) -> Callable[[float, Any], Any]:
    """Return what changes in an hour, in the constants that hold in an interval."""
    if grid.saturation is None:
        raise ValueError("the breakpoints have no elimination that saturates")
    k = grid.constants.take(int(grid.which[interval]))
    v1, v2 = factors["central_volume"], factors["peripheral_volume"]
    linear = k.elimination * factors["clearance"] / v1
    out, back = k.outward * factors["exchange"] / v1, k.inward * factors["exchange"] / v2
    last, first = k.absorption * factors["absorption"], k.before * factors["first_absorption"]
    most = grid.saturation[0][interval] * factors["max_elimination"]
    half = grid.saturation[1][interval] * factors["half_elimination"] * grid.volume[interval] * v1

    def change(_: float, flat: Any) -> Any:
        y = flat.reshape(_ROWS, -1)
        found = np.empty_like(y)
        central = y[CENTRAL]
        flow = out * central - back * y[PERIPHERAL]
        found[CENTRAL] = rate + last * y[DEPOT] - flow - linear * central - most * central / (half + central)  # fmt: skip
        found[PERIPHERAL] = flow
        found[DEPOT] = first * y[FIRST_DEPOT] - last * y[DEPOT]
        found[FIRST_DEPOT] = -first * y[FIRST_DEPOT]
        found[_AREA] = central
        return found.ravel()

    return change


def _solved(change: Callable[[float, Any], Any], state: Floats, hours: Floats) -> Floats:
    """Return the amounts at the hours after the first one: [hour, compartment, patient]."""
    try:
        from scipy.integrate import solve_ivp
    except ImportError as error:
        raise MissingExtraError(
            "a model that saturates needs SciPy, which is not installed",
            hint=f"Install it: {INSTALL}",
        ) from error
    size = max(float(state.max()), 1e-3)
    done = solve_ivp(
        change, (hours[0], hours[-1]), state.ravel(), "DOP853",
        t_eval=hours[1:], rtol=TOLERANCE, atol=TOLERANCE * size,
    )  # fmt: skip
    if not done.success:
        raise UsageError(
            f"the solver gave up between {hours[0]:g} and {hours[-1]:g} h: {done.message}"
        )
    amounts: Floats = done.y.T.reshape(len(hours) - 1, _ROWS, -1)
    return np.maximum(amounts, 0.0)
