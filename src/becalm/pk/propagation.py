"""Exact amounts of a drug in linear compartments, between steps of rates and of clearance.

A dose under the skin passes one depot or two, one after the other, into the central compartment; an infusion
and an intravenous bolus go into it at once; the central compartment exchanges with a peripheral one and
eliminates. Between two breakpoints all rate constants and the infusion rate are constant, so the amounts are
known exactly: nothing is approximated by small steps of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import Floats
from becalm.pk.differences import exp_difference

CENTRAL, PERIPHERAL, DEPOT, FIRST_DEPOT = range(4)
"""Positions of the compartments in an array of amounts; a drug with one depot has no first one."""


@dataclass(frozen=True, eq=False)
class RateConstants:
    """The rate constants of linear compartments, 1/h, at least 0; arrays of one shape (or broadcast).

    elimination : from the central compartment out of the body. outward, inward : from the central compartment
    to the peripheral one and back; 0 and 0 where there is none. absorption : from the depot into the central
    compartment. before : from the first depot into the depot.
    """

    elimination: Floats
    outward: Floats
    inward: Floats
    absorption: Floats
    before: Floats

    @classmethod
    def of(  # noqa: PLR0917 - in the order in which a drug is described
        cls,
        clearance: ArrayLike,
        central_volume: ArrayLike,
        exchange: ArrayLike = 0.0,
        peripheral_volume: ArrayLike = 1.0,
        absorption: ArrayLike = 0.0,
        before: ArrayLike = 0.0,
    ) -> RateConstants:
        """Return the rate constants of clearances (L/h), volumes (L) and rates of absorption (1/h).

        exchange : the clearance between the compartments, 0 for one compartment.

        Raises `ValueError` for a volume that is not above 0, or another number that is below 0.

        >>> RateConstants.of(6.0, 5.0).elimination.tolist()
        1.2
        """
        cl, v1, q, v2, ka, kb = np.broadcast_arrays(
            *(
                np.asarray(each, np.float64)
                for each in (
                    clearance,
                    central_volume,
                    exchange,
                    peripheral_volume,
                    absorption,
                    before,
                )
            )
        )
        if not ((v1 > 0) & (v2 > 0)).all():
            raise ValueError("a volume is not above 0 L")
        if not np.all((cl >= 0) & (q >= 0) & (ka >= 0) & (kb >= 0)):
            raise ValueError("a clearance or a rate of absorption is below 0")
        return cls(cl / v1, q / v1, q / v2, ka, kb)

    def take(self, interval: int) -> RateConstants:
        """Return the constants of one interval, the last axis; a single one holds for all."""
        return RateConstants(
            *(each[..., min(interval, each.shape[-1] - 1)] for each in self.arrays())
        )

    def arrays(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Return the five constants in their order."""
        return self.elimination, self.outward, self.inward, self.absorption, self.before

    def exponents(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the fast and the slow exponent, and how far each is from the inward rate constant.

        fast >= inward >= slow. The product of both distances is outward × inward; the slow exponent is
        elimination × inward / fast. So neither comes from a difference of nearly equal numbers.
        """
        k, out, back = self.elimination, self.outward, self.inward
        exchanged = out * back
        lean = k + out - back
        gap = np.sqrt(lean * lean + 4 * exchanged)
        larger = (np.abs(lean) + gap) / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            smaller = np.where(larger > 0, exchanged / larger, 0.0)
        above = np.where(lean >= 0, larger, smaller)
        below = np.where(lean >= 0, smaller, larger)
        fast = back + above
        with np.errstate(invalid="ignore", divide="ignore"):
            slow = np.where(fast > 0, k * back / fast, 0.0)
        return fast, slow, above, below


@dataclass(frozen=True, eq=False)
class Amounts:
    """What is in each compartment at every breakpoint, and the areas of the intervals between them.

    before, after : float64[..., breakpoint, compartment], mg, before and after the doses that are given at
    the breakpoint at once. area : float64[..., interval], mg·h, of the amount in the central compartment.
    """

    before: Floats
    after: Floats
    area: Floats


class _Response(NamedTuple):
    """What is where at the end of an interval for one mg at its beginning, and the areas (mg·h) of one mg.

    `dose` is an infusion of one mg over the interval. All are at least 0.
    """

    central: tuple[Floats, Floats, Floats]
    peripheral: tuple[Floats, Floats, Floats]
    dose: tuple[Floats, Floats, Floats]
    depot: tuple[Floats, Floats, Floats, Floats] | None
    first: tuple[Floats, Floats, Floats, Floats, Floats] | None


def propagate(
    constants: RateConstants,
    hours: ArrayLike,
    *,
    rate: ArrayLike = 0.0,
    bolus: ArrayLike = 0.0,
    depot: ArrayLike = 0.0,
    two_depots: bool = False,
    start: ArrayLike | None = None,
    which: ArrayLike | None = None,
) -> Amounts:
    """Return the exact amounts of a drug at the breakpoints of its doses and of its rate constants.

    The last axis of every array is the interval between two breakpoints; the axes before it are patients, and
    one value stands for all of them (or for all intervals).

    Parameters
    ----------
    constants : the rate constants in each interval, 1/h.
    hours : how long each interval is, h, at least 0.
    rate : the infusion rate in each interval, mg/h, at least 0.
    bolus, depot : mg that are given at the beginning of each interval into the vein, and what is absorbed of a
        dose under the skin (bioavailability × dose).
    two_depots : whether a dose under the skin passes the first depot.
    start : mg in each compartment before the first dose, [..., 4]; by default 0.
    which : for each interval the position of its constants, where several have the same; intervals of one
        length with the same constants are calculated once.

    Raises `ValueError` for a length, a rate or a dose that is below 0 or not finite.

    >>> steady = propagate(RateConstants.of(6.0, 5.0), [500.0], rate=[12.0])
    >>> round(float(steady.before[..., -1, CENTRAL]) / 5.0, 9)  # rate / clearance, mg/L
    2.0
    """
    length, speed, at_once, under = checked_numbers(hours, rate, bolus, depot)
    steps = RateConstants(*(np.atleast_1d(each) for each in constants.arrays()))
    apart = np.broadcast_shapes(*(each.shape for each in steps.arrays()))
    where = None if which is None else np.asarray(which, np.intp)
    intervals_of_constants = apart[-1:] if where is None else where.shape
    shape = np.broadcast_shapes(
        length.shape,
        speed.shape,
        at_once.shape,
        under.shape,
        (*apart[:-1], *intervals_of_constants),
    )
    people, intervals = shape[:-1], shape[-1]
    begin = np.zeros(4) if start is None else np.asarray(start, np.float64)
    before = np.empty((*people, intervals + 1, 4))
    after = np.empty_like(before)
    area = np.empty(shape)
    before[..., 0, :] = begin
    absorbs = (
        bool(begin[..., DEPOT].any() or under.any()),
        bool(begin[..., FIRST_DEPOT].any() or (under.any() and two_depots)),
    )
    entry = FIRST_DEPOT if two_depots else DEPOT
    known: dict[tuple[int, float], _Response] = {}
    for j in range(intervals):
        now = before[..., j, :].copy()
        now[..., CENTRAL] += _of(at_once, j)
        now[..., entry] += _of(under, j)
        after[..., j, :] = now
        column = min(j, apart[-1] - 1) if where is None else int(where[min(j, len(where) - 1)])
        h = _of(length, j)
        if h.ndim:
            response = _response(steps.take(column), h, *absorbs)
        else:
            key = (column, float(h))
            if key not in known:
                known[key] = _response(steps.take(column), h, *absorbs)
            response = known[key]
        area[..., j] = h * _after(response, now, _of(speed, j) * h, before[..., j + 1, :])
    after[..., intervals, :] = before[..., intervals, :]
    return Amounts(before, after, area)


def checked_numbers(*given: ArrayLike) -> tuple[Floats, ...]:
    """Return lengths, rates and doses as arrays. Raises `ValueError` for what cannot be."""
    names = ("a length of time", "an infusion rate", "a bolus", "a dose under the skin")
    arrays = tuple(np.atleast_1d(np.asarray(each, np.float64)) for each in given)
    for what, values in zip(names, arrays, strict=True):
        if not np.all(np.isfinite(values) & (values >= 0)):
            raise ValueError(f"{what} is below 0 or no number")
    return arrays


def _of(values: Floats, interval: int) -> Floats:
    found: Floats = np.asarray(values[..., min(interval, values.shape[-1] - 1)])
    return found


def _response(k: RateConstants, hours: Floats, depot: bool, first: bool) -> _Response:
    """Return what one mg becomes in one interval.

    A chain of exponents a, b, c answers to one unit with hours^2 × the difference over -a·h, -b·h, -c·h; a
    constant input and the area each add an exponent of 0.
    """
    fast, slow, above, below = (each * hours for each in k.exponents())
    out, back = k.outward * hours, k.inward * hours
    one, two = -fast, -slow
    exchanged = exp_difference(one, two)
    input_one, input_two = exp_difference(one, 0.0), exp_difference(one, two, 0.0)
    whole = input_one + below * input_two
    area_two = exp_difference(one, two, 0.0, 0.0)
    last, before = -k.absorption * hours, -k.before * hours

    def absorbed(*chain: Floats) -> tuple[Floats, Floats, Floats]:
        through = np.prod([-each for each in np.broadcast_arrays(*chain)], axis=0)
        short, long = exp_difference(*chain, one), exp_difference(*chain, one, two)
        area = exp_difference(*chain, one, 0.0) + below * exp_difference(*chain, one, two, 0.0)
        return through * (short + below * long), through * out * long, through * area

    return _Response(
        (np.exp(one) + below * exchanged, out * exchanged, whole),
        (back * exchanged, np.exp(one) + above * exchanged, back * input_two),
        (whole, out * input_two, exp_difference(one, 0.0, 0.0) + below * area_two),
        (*absorbed(last), np.exp(last)) if depot else None,
        (*absorbed(before, last), -before * exp_difference(before, last), np.exp(before))
        if first
        else None,
    )


def _after(response: _Response, now: Floats, dose: Floats, end: Floats) -> Floats:
    """Write the amounts at the end of an interval; return the area of the central amount, per hour."""
    central, peripheral = now[..., CENTRAL], now[..., PERIPHERAL]
    to = [
        central * a + peripheral * b + dose * c
        for a, b, c in zip(response.central, response.peripheral, response.dose, strict=True)
    ]
    end[..., DEPOT], end[..., FIRST_DEPOT] = now[..., DEPOT], now[..., FIRST_DEPOT]
    if response.depot is not None:
        amount = now[..., DEPOT]
        to = [each + amount * part for each, part in zip(to, response.depot[:3], strict=True)]
        end[..., DEPOT] = amount * response.depot[3]
    if response.first is not None:
        amount = now[..., FIRST_DEPOT]
        to = [each + amount * part for each, part in zip(to, response.first[:3], strict=True)]
        end[..., DEPOT] += amount * response.first[3]
        end[..., FIRST_DEPOT] = amount * response.first[4]
    end[..., CENTRAL], end[..., PERIPHERAL] = to[0], to[1]
    return to[2]
