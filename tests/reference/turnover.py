"""The marker chain as a system of ordinary differential equations, solved with small tolerances."""

from __future__ import annotations

from math import exp, log

from scipy.integrate import solve_ivp

from becalm.core.arrays import Floats


def infusion(hours: float, rate: float, clearance: float, volume: float) -> float:
    """Return the concentration in one compartment at an hour of a constant infusion, mg/L."""
    return rate / clearance * (1 - exp(-clearance / volume * hours))


def marker(
    hours: list[float],
    *,
    rate: float,
    clearance: float,
    volume: float,
    half_effect: float,
    driven: float,
    mediator_half_life: float,
    half_life: float,
) -> list[float]:
    """Return the marker at some hours of a constant infusion, as a multiple of its value before."""

    def slope(hour: float, state: Floats) -> list[float]:
        level = infusion(hour, rate, clearance, volume)
        drive = 1 - level / (half_effect + level)
        mediator, value = state
        made = 1 - driven + driven * mediator
        return [
            log(2) / mediator_half_life * (drive - mediator),
            log(2) / half_life * (made - value),
        ]

    solved = solve_ivp(
        slope, (0, max(hours)), [1.0, 1.0], t_eval=hours, method="DOP853", rtol=1e-11, atol=1e-13
    )
    return [float(each) for each in solved.y[1]]
