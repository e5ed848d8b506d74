"""The exact propagation for JAX: gradients of concentrations by every parameter, dose and time of a dose; graphics processors.

The formula is that of `propagation` and `differences`, which are the reference. The library is JAX
(`pip install 'becalm[gradients]'`), imported when it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from math import factorial
from typing import Any, Final, NamedTuple

from becalm.core.errors import MissingExtraError, UsageError

INSTALL: Final = "pip install 'becalm[gradients]'"
_CLOSE: Final = 2.0
_TERMS: Final = 24


class JaxAmounts(NamedTuple):
    """As `Amounts`: mg in the central, peripheral compartment, depot and first depot at each border; areas, mg·h."""

    before: Any
    after: Any
    area: Any


def differentiable_propagate(
    constants: Sequence[Any],
    hours: Any,
    *,
    rate: Any = 0.0,
    bolus: Any = 0.0,
    depot: Any = 0.0,
    two_depots: bool = False,
    skin: bool = True,
    single: bool = False,
) -> JaxAmounts:
    """Return the exact amounts of a drug as arrays of JAX; see `propagate`, which it equals to 1e-12.

    Parameters
    ----------
    constants : the five rate constants in the order of `RateConstants`, 1/h, [..., interval] each.
    hours, rate, bolus, depot : of the intervals, [..., interval]. They may be traced, so nothing checks that they are not below 0.
    skin : whether anything is given under the skin; without it less is compiled.
    single : allows single precision, of which the relative error is some 1e-6.

    Raises `MissingExtraError` if JAX is not installed, `UsageError` if it would calculate in single precision unasked.
    """
    jnp = _numpy(single)
    shape = jnp.broadcast_shapes(*(jnp.shape(each) for each in (*constants, hours, rate, bolus, depot)))  # fmt: skip
    wide = [jnp.broadcast_to(jnp.asarray(each, float), shape) for each in (*constants, hours, rate, bolus, depot)]  # fmt: skip
    k, (h, speed, at_once, under) = wide[:5], wide[5:]
    response = _response(jnp, k, h, skin, skin and two_depots)
    return _walk(jnp, response, h, speed, at_once, under, two_depots)


def differentiable_levels(
    parts: Mapping[str, Any],
    hours: Any,
    *,
    bolus: tuple[Any, Any] = ((), ()),
    skin: tuple[Any, Any] = ((), ()),
    infusion: tuple[Any, Any, Any] = ((), (), ()),
) -> Any:
    """Return concentrations (mg/L) at some hours, with gradients by every argument: parameters, amounts, and times too.

    Parameters
    ----------
    parts : clearance, central_volume and the others, in the units of `PARTS`, as `PkModel.typical` returns them.
    hours : at which concentrations are wanted, at least 0; at the hour of a dose, after it.
    bolus, skin : hours at which doses are given, and mg. infusion : from when, until when (h), mg/h.

    Raises the errors of `differentiable_propagate`.

    >>> from becalm.pk import load
    >>> import jax
    >>> jax.config.update("jax_enable_x64", True)
    >>> typical = load("anakinra").typical({"weight": 70, "creatinine_clearance": 100, "haemodialysis": 0, "effluent_flow": 0})
    >>> later = jax.grad(lambda hour: differentiable_levels(typical, [24.0], skin=([hour], [100.0]))[0])(12.0)
    >>> bool(later > 0)  # a dose that is given later leaves more at 24 h
    True
    """
    jnp = _numpy(single=False)
    wanted, starts, ends, rates = (jnp.atleast_1d(jnp.asarray(each, float)) for each in (hours, *infusion))  # fmt: skip
    (when, mg), (skin_at, skin_mg) = (
        tuple(jnp.atleast_1d(jnp.asarray(each, float)) for each in pair) for pair in (bolus, skin)
    )
    times = jnp.concatenate([jnp.zeros(1), when, skin_at, starts, ends, wanted])
    order = jnp.argsort(times, stable=True)  # doses stand before the hours that are wanted
    begin = times[order]
    length = jnp.append(jnp.diff(begin), 0.0)
    middle = begin + length / 2
    running = (starts <= middle[:, None]) & (middle[:, None] < ends)

    def given(at: int, amounts: Any) -> Any:
        return jnp.zeros(len(times)).at[at : at + len(amounts)].set(amounts)[order]

    part = {"exchange": 0.0, "peripheral_volume": 1.0, "absorption": 0.0, "first_absorption": 0.0, "bioavailability": 1.0, **parts}  # fmt: skip
    v1, v2, q = part["central_volume"], part["peripheral_volume"], part["exchange"]
    constants = [
        jnp.asarray(each, float)
        for each in (part["clearance"] / v1, q / v1, q / v2, part["absorption"], part["first_absorption"])
    ]  # fmt: skip
    found = differentiable_propagate(
        constants,
        length,
        rate=(running * rates).sum(axis=1),
        bolus=given(1, mg),
        depot=given(1 + len(when), skin_mg * part["bioavailability"]),
        two_depots="first_absorption" in parts,
        skin=bool(len(skin_at)),
    )
    places = jnp.argsort(order)[len(times) - len(wanted) :]
    return found.after[places, 0] / v1


def _numpy(single: bool) -> Any:
    """Return JAX's NumPy, if it is there and calculates in double precision."""
    try:
        import jax
    except ImportError as error:
        raise MissingExtraError(
            "gradients need JAX, which is not installed", hint=f"Install it: {INSTALL}"
        ) from error
    if not jax.config.jax_enable_x64 and not single:
        raise UsageError(
            "JAX is set to single precision",
            hint='Write jax.config.update("jax_enable_x64", True) first',
        )
    return jax.numpy


def _difference(jnp: Any, *points: Any) -> Any:
    """Return the divided difference of the exponential function over points; as `exp_difference`."""
    x = jnp.sort(jnp.stack(jnp.broadcast_arrays(*points)), axis=0)
    cells = list(jnp.exp(x))
    for width in range(2, len(x) + 1):
        for at in range(len(x) - width + 1):
            spread = x[at + width - 1] - x[at]
            close = spread <= _CLOSE
            far = (cells[at + 1] - cells[at]) / jnp.where(close, 1.0, spread)
            cells[at] = jnp.where(close, _series(jnp, x[at : at + width], close), far)
    return cells[0]


def _series(jnp: Any, x: Any, close: Any) -> Any:
    """Sum the series about the middle; where the points are not close, of equal points, so that gradients are finite."""
    from jax import lax

    middle = (x[0] + x[-1]) / 2
    distance = jnp.where(close, x - middle, 0.0)
    first = 1.0 / factorial(len(x) - 1)
    factors = jnp.asarray([1.0 / factorial(len(x) - 1 + term) for term in range(1, _TERMS)])

    def add(carry: Any, factor: Any) -> Any:
        power, total = carry
        before, now = jnp.zeros_like(middle), []
        for step, each in zip(distance, power, strict=True):
            before = before + step * each
            now.append(before)
        return (jnp.stack(now), total + factor * before), None

    (_, total), _ = lax.scan(add, (jnp.ones_like(x), first * jnp.ones_like(middle)), factors)
    return jnp.exp(middle) * total


def _exponents(jnp: Any, k: Sequence[Any]) -> tuple[Any, Any, Any, Any]:
    """Return the fast and the slow exponent, and how far each is from the inward rate constant."""
    elimination, out, back = k[:3]
    exchanged = out * back
    lean = elimination + out - back
    square = lean * lean + 4 * exchanged
    gap = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)
    larger = (jnp.abs(lean) + gap) / 2
    smaller = exchanged / jnp.where(larger > 0, larger, 1.0)
    above = jnp.where(lean >= 0, larger, smaller)
    below = jnp.where(lean >= 0, smaller, larger)
    fast = back + above
    return fast, elimination * back / jnp.where(fast > 0, fast, 1.0), above, below


def _response(jnp: Any, k: Sequence[Any], hours: Any, depot: bool, first: bool) -> list[list[Any]]:
    """Return what one mg becomes in each interval: of the central, the peripheral compartment, an infusion, the depots."""
    fast, slow, above, below = (each * hours for each in _exponents(jnp, k))
    out, back, last, before = (each * hours for each in (k[1], k[2], -k[3], -k[4]))
    one, two, zero = -fast, -slow, jnp.zeros_like(fast)
    left = jnp.exp(one)
    exchanged = _difference(jnp, one, two)
    two_in = _difference(jnp, one, two, zero)
    whole = _difference(jnp, one, zero) + below * two_in
    area = _difference(jnp, one, zero, zero) + below * _difference(jnp, one, two, zero, zero)

    def absorbed(*chain: Any) -> list[Any]:
        through = reduce(lambda product, each: product * -each, chain, 1.0)
        long = _difference(jnp, *chain, one, two)
        end = _difference(jnp, *chain, one) + below * long
        sum_ = _difference(jnp, *chain, one, zero) + below * _difference(jnp, *chain, one, two, zero)  # fmt: skip
        return [through * end, through * out * long, through * sum_]

    found = [
        [left + below * exchanged, out * exchanged, whole],
        [back * exchanged, left + above * exchanged, back * two_in],
        [whole, out * two_in, area],
    ]
    if depot:
        found.append([*absorbed(last), jnp.exp(last)])
    if first:
        found.append([*absorbed(before, last), -before * _difference(jnp, before, last), jnp.exp(before)])  # fmt: skip
    return found


def _walk(  # noqa: PLR0917 - the arrays of the intervals, in their order
    jnp: Any, response: list[list[Any]], hours: Any, rate: Any, bolus: Any, depot: Any, two: bool
) -> JaxAmounts:
    """Take the amounts from interval to interval."""
    from jax import lax

    zero = jnp.zeros(hours.shape[:-1])

    def step(state: Any, row: Any) -> Any:
        by, h, speed, at_once, under = row
        central, peripheral, in_depot, in_first = state
        central = central + at_once
        in_depot, in_first = (in_depot, in_first + under) if two else (in_depot + under, in_first)
        now = (central, peripheral, in_depot, in_first)
        sources = [central, peripheral, speed * h, in_depot, in_first][: len(by)]
        to = [sum(mg * each[at] for mg, each in zip(sources, by, strict=True)) for at in range(3)]
        end_depot = in_depot * by[3][3] if len(by) > 3 else in_depot
        end_first = in_first
        if len(by) > 4:
            end_depot, end_first = end_depot + in_first * by[4][3], in_first * by[4][4]
        end = (to[0], to[1], end_depot, end_first)
        return end, (jnp.stack(now, -1), jnp.stack(end, -1), to[2] * h)

    def rows(values: Any) -> Any:
        return jnp.moveaxis(values, -1, 0)

    given = ([[rows(each) for each in by] for by in response], *(rows(each) for each in (hours, rate, bolus, depot)))  # fmt: skip
    last, (after, before, area) = lax.scan(step, (zero, zero, zero, zero), given)
    borders = jnp.concatenate([jnp.zeros_like(before[:1]), before])
    ends = jnp.concatenate([after, jnp.stack(last, -1)[None]])
    return JaxAmounts(
        jnp.moveaxis(borders, 0, -2), jnp.moveaxis(ends, 0, -2), jnp.moveaxis(area, 0, -1)
    )
