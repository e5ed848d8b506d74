"""The exact propagation as machine code, for populations: a block of patients at a time, several in each instruction.

The formula is that of `propagation` and `differences`, which are the reference: sums of divided differences of the
exponential function. The library is numba; `compiled` imports this module where it is installed. In every array
of patients the patient is the last axis. Nothing here holds Python's lock, and no number depends on the threads.
"""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position
from __future__ import annotations

from math import factorial, sqrt
from typing import Any, Final, TypeAlias

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from becalm.core.arrays import Array, Floats, Index

ABREAST: Final = 256
"""Patients in a block: what is calculated for them stays near the processor."""
VEIN, DEPOT, FIRST = range(3)
"""Where milligrams are that an interval begins with: in the two compartments alone, in a depot too, in both depots."""
Triple: TypeAlias = tuple[float, float, float]
_CLOSE: Final = 1.0
"""Points within this distance are summed as a series: the 16th term is below 1e-16 of the sum."""
_INVERSE: Final = tuple(1.0 / factorial(n) for n in range(20))
_LOG2E: Final = 1.4426950408889634
_LN2_HIGH: Final = 6.93147180369123816490e-01
_LN2_LOW: Final = 1.90821492927058770002e-10
_ROUNDING: Final = 6755399441055744.0
"""1.5 × 2^52: after it is added, the lowest bits of a number are the nearest integer."""
_SMALLEST: Final = -708.0

_machine: Final = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
_inside: Final = njit(nogil=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
"""For what is calculated for one patient: it becomes part of the loop over patients, so that several go at once."""


@intrinsic
def _bits(_: Any, value: Any) -> Any:
    """Return the bits of a float64 as an integer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def _number(_: Any, bits: Any) -> Any:
    """Return the float64 that has these bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@_inside
def _exp(x: float) -> float:
    """Return _exp(x) for x up to a few hundred; without a branch, so that several are calculated at once.

    x = n ln 2 + r, and the series of _exp(r) with 14 terms; the relative error is below 3e-16. 0 below 1e-307.
    """
    shifted = max(x, _SMALLEST) * _LOG2E + _ROUNDING
    whole = shifted - _ROUNDING
    r = (max(x, _SMALLEST) - whole * _LN2_HIGH) - whole * _LN2_LOW
    s = _INVERSE[13] * r + _INVERSE[12]
    s = (s * r + _INVERSE[11]) * r + _INVERSE[10]
    s = (s * r + _INVERSE[9]) * r + _INVERSE[8]
    s = (s * r + _INVERSE[7]) * r + _INVERSE[6]
    s = (s * r + _INVERSE[5]) * r + _INVERSE[4]
    s = (s * r + _INVERSE[3]) * r + _INVERSE[2]
    s = (s * r + 1.0) * r + 1.0
    power = _number((_bits(shifted) + 1023) << 52)
    return s * power if x >= _SMALLEST else 0.0


@_inside
def _half(x: float) -> float:
    """Return exp(x / 2). The exponential of x is its square, that of the middle of two points their product."""
    return _exp(0.5 * x)


@_inside
def _two_points(x: float, y: float, half_x: float, half_y: float) -> float:
    """Return the difference over x <= y."""
    spread = y - x
    a = 0.25 * spread * spread
    s = _INVERSE[17] * a + _INVERSE[15]
    s = (s * a + _INVERSE[13]) * a + _INVERSE[11]
    s = (s * a + _INVERSE[9]) * a + _INVERSE[7]
    s = (s * a + _INVERSE[5]) * a + _INVERSE[3]
    close = half_x * half_y * (s * a + 1.0)
    return close if spread <= _CLOSE else (half_y * half_y - half_x * half_x) / spread


@_inside
def _term(even: float, by: Triple, before: Triple) -> Triple:
    """Return the next polynomials of three, four and five points; `even` is that of the outer two."""
    three = by[0] * before[0] + even
    four = by[1] * before[1] + three
    return three, four, by[2] * before[2] + four


@_inside
def _series(
    low: float, high: float, x: float, y: float, z: float, more: int, at_middle: float
) -> float:
    """Return the series about the middle of low, high and the first `more` of x, y and z.

    Its terms are the complete homogeneous polynomials of the distances; those of low and high alone are the
    even powers of the half distance. Written term by term: a loop in here would keep the processor to one patient.
    """
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    by, s = (x - middle, y - middle, z - middle), half * half
    at = more - 1
    t1 = _term(0.0, by, (1.0, 1.0, 1.0))
    t2 = _term(s, by, t1)
    t3, s2 = _term(0.0, by, t2), s * s
    t4 = _term(s2, by, t3)
    t5, s3 = _term(0.0, by, t4), s2 * s
    t6 = _term(s3, by, t5)
    t7, s4 = _term(0.0, by, t6), s2 * s2
    t8 = _term(s4, by, t7)
    t9, s5 = _term(0.0, by, t8), s3 * s2
    t10 = _term(s5, by, t9)
    t11, s6 = _term(0.0, by, t10), s3 * s3
    t12 = _term(s6, by, t11)
    t13 = _term(0.0, by, t12)
    t14 = _term(s6 * s, by, t13)
    total = t14[at] * _INVERSE[more + 15] + t13[at] * _INVERSE[more + 14]
    total += t12[at] * _INVERSE[more + 13] + t11[at] * _INVERSE[more + 12]
    total += t10[at] * _INVERSE[more + 11] + t9[at] * _INVERSE[more + 10]
    total += t8[at] * _INVERSE[more + 9] + t7[at] * _INVERSE[more + 8]
    total += t6[at] * _INVERSE[more + 7] + t5[at] * _INVERSE[more + 6]
    total += t4[at] * _INVERSE[more + 5] + t3[at] * _INVERSE[more + 4]
    total += t2[at] * _INVERSE[more + 3] + t1[at] * _INVERSE[more + 2]
    return at_middle * (total + _INVERSE[more + 1])


@_inside
def _three_points(x: float, y: float, z: float, middle: float, lower: float, upper: float) -> float:
    """Return the difference over x <= y <= z from the exponential of the middle of x and z, and the differences
    over x, y and over y, z.
    """
    close = _series(x, z, y, 0.0, 0.0, 1, middle)
    return close if z - x <= _CLOSE else (upper - lower) / (z - x)


@_inside
def _four_points(
    w: float, x: float, y: float, z: float, middle: float, lower: float, upper: float
) -> float:
    """Return the difference over w <= x <= y <= z from the middle, the first three points and the last three."""
    close = _series(w, z, x, y, 0.0, 2, middle)
    return close if z - w <= _CLOSE else (upper - lower) / (z - w)


@_inside
def _ordered(x: float, y: float) -> tuple[float, float]:
    return min(x, y), max(x, y)


@_inside
def _of_two(x: float, y: float) -> float:
    """Return the difference over two points in any order."""
    x, y = _ordered(x, y)
    return _two_points(x, y, _half(x), _half(y))


@_inside
def _of_three(x: float, y: float, z: float) -> float:
    """Return the difference over three points in any order."""
    x, y = _ordered(x, y)
    y, z = _ordered(y, z)
    x, y = _ordered(x, y)
    a, b, c = _half(x), _half(y), _half(z)
    return _three_points(x, y, z, a * c, _two_points(x, y, a, b), _two_points(y, z, b, c))


@_inside
def _of_four(w: float, x: float, y: float, z: float) -> float:
    """Return the difference over four points in any order."""
    w, x = _ordered(w, x)
    y, z = _ordered(y, z)
    w, y = _ordered(w, y)
    x, z = _ordered(x, z)
    x, y = _ordered(x, y)
    a, b, c, d = _half(w), _half(x), _half(y), _half(z)
    inner = _two_points(x, y, b, c)
    lower = _three_points(w, x, y, a * c, _two_points(w, x, a, b), inner)
    upper = _three_points(x, y, z, b * d, inner, _two_points(y, z, c, d))
    return _four_points(w, x, y, z, a * d, lower, upper)


@_inside
def _of_five(v: float, w: float, x: float, y: float, z: float) -> float:
    """Return the difference over five points in any order; z is the greatest."""
    v, w = _ordered(v, w)
    x, y = _ordered(x, y)
    v, x = _ordered(v, x)
    w, y = _ordered(w, y)
    w, x = _ordered(w, x)
    a, b, c, d, e = _half(v), _half(w), _half(x), _half(y), _half(z)
    second, third = _two_points(w, x, b, c), _two_points(x, y, c, d)
    one = _three_points(v, w, x, a * c, _two_points(v, w, a, b), second)
    two = _three_points(w, x, y, b * d, second, third)
    three = _three_points(x, y, z, c * e, third, _two_points(y, z, d, e))
    lower, upper = (
        _four_points(v, w, x, y, a * d, one, two),
        _four_points(w, x, y, z, b * e, two, three),
    )
    close = _series(v, z, w, x, y, 3, a * e)
    return close if z - v <= _CLOSE else (upper - lower) / (z - v)


@_machine
def _exponents(people: int, k: Floats, hours: Floats, e: Floats) -> None:
    """Write the fast and the slow exponent, and how far each is from the inward rate constant, each times the hours."""
    for p in range(people):
        out, back = k[1, p], k[2, p]
        exchanged = out * back
        lean = k[0, p] + out - back
        gap = sqrt(lean * lean + 4.0 * exchanged)
        larger = (abs(lean) + gap) * 0.5
        smaller = exchanged / larger if larger > 0.0 else 0.0
        above = larger if lean >= 0.0 else smaller
        below = smaller if lean >= 0.0 else larger
        fast = back + above
        slow = k[0, p] * back / fast if fast > 0.0 else 0.0
        e[0, p], e[1, p] = fast * hours[p], slow * hours[p]
        e[2, p], e[3, p] = above * hours[p], below * hours[p]


@_machine
def _vein(people: int, k: Floats, hours: Floats, e: Floats, areas: bool, r: Floats) -> None:
    """Write what one mg in the central, in the peripheral compartment and of an infusion becomes: rows 0 to 8."""
    for p in range(people):
        fast, slow, above, below = -e[0, p], -e[1, p], e[2, p], e[3, p]
        out, back = k[1, p] * hours[p], k[2, p] * hours[p]
        a, b = _half(fast), _half(slow)
        exchanged = _two_points(fast, slow, a, b)
        one_in, slow_in = _two_points(fast, 0.0, a, 1.0), _two_points(slow, 0.0, b, 1.0)
        two_in = _three_points(fast, slow, 0.0, a, exchanged, slow_in)
        r[0, p] = a * a + below * exchanged
        r[1, p] = out * exchanged
        r[2, p] = one_in + below * two_in
        r[3, p] = back * exchanged
        r[4, p] = a * a + above * exchanged
        r[5, p] = back * two_in
        r[6, p] = one_in + below * two_in
        r[7, p] = out * two_in
    if areas:
        for p in range(people):
            fast, slow = -e[0, p], -e[1, p]
            a, b = _half(fast), _half(slow)
            one_in, slow_in = _two_points(fast, 0.0, a, 1.0), _two_points(slow, 0.0, b, 1.0)
            two_in = _three_points(fast, slow, 0.0, a, _two_points(fast, slow, a, b), slow_in)
            later = _three_points(slow, 0.0, 0.0, b, slow_in, 1.0)
            long = _four_points(fast, slow, 0.0, 0.0, a, two_in, later)
            r[8, p] = _three_points(fast, 0.0, 0.0, a, one_in, 1.0) + e[3, p] * long


@_machine
def _depot(people: int, k: Floats, hours: Floats, e: Floats, r: Floats) -> None:
    """Write what one mg in the depot becomes, in the order of the compartments: central, peripheral; area; depot."""
    for p in range(people):
        last, fast, slow, below = -k[3, p] * hours[p], -e[0, p], -e[1, p], e[3, p]
        long = _of_three(last, fast, slow)
        r[0, p] = -last * (_of_two(last, fast) + below * long)
        r[1, p] = -last * (k[1, p] * hours[p]) * long
        r[3, p] = _exp(last)
    for p in range(people):
        last, fast, slow, below = -k[3, p] * hours[p], -e[0, p], -e[1, p], e[3, p]
        r[2, p] = -last * (_of_three(last, fast, 0.0) + below * _of_four(last, fast, slow, 0.0))


@_machine
def _first(people: int, k: Floats, hours: Floats, e: Floats, r: Floats) -> None:
    """Write what one mg in the first depot becomes: central, peripheral; area; depot, first depot."""
    for p in range(people):
        last, before = -k[3, p] * hours[p], -k[4, p] * hours[p]
        fast, slow, below = -e[0, p], -e[1, p], e[3, p]
        long = _of_four(before, last, fast, slow)
        r[0, p] = before * last * (_of_three(before, last, fast) + below * long)
        r[1, p] = before * last * (k[1, p] * hours[p]) * long
    for p in range(people):
        last, before = -k[3, p] * hours[p], -k[4, p] * hours[p]
        fast, slow, below = -e[0, p], -e[1, p], e[3, p]
        area = _of_four(before, last, fast, 0.0) + below * _of_five(before, last, fast, slow, 0.0)
        r[2, p] = before * last * area
        r[3, p] = -before * _of_two(before, last)
        r[4, p] = _exp(before)


@_machine
def _respond(
    people: int, k: Floats, hours: Floats, inside: int, areas: bool, e: Floats, r: Floats
) -> None:
    """Write what one mg becomes in one interval: rows as `walk` reads them."""
    _exponents(people, k, hours, e)
    _vein(people, k, hours, e, areas, r)
    if inside != VEIN:
        _depot(people, k, hours, e, r[9:13])
    if inside == FIRST:
        _first(people, k, hours, e, r[13:18])


@_machine
def _load(source: Floats, row: int, first: int, people: int, target: Floats) -> None:
    """Copy one row of a block of patients; a row of one number stands for all of them."""
    if source.shape[1] == 1:
        for p in range(people):
            target[p] = source[row, 0]
    else:
        for p in range(people):
            target[p] = source[row, first + p]


@_machine
def _area(people: int, state: Floats, slot: int, r: Array, inside: int) -> None:
    """Write the area of the central amount in an interval (row 7) from the amounts at its beginning."""
    for p in range(people):
        area = state[0, p] * r[slot, 2, p] + state[1, p] * r[slot, 5, p] + state[6, p] * r[slot, 8, p]  # fmt: skip
        if inside != VEIN:
            area += state[2, p] * r[slot, 11, p]
        if inside == FIRST:
            area += state[3, p] * r[slot, 15, p]
        state[7, p] = area * state[5, p]


@_machine
def _step(
    people: int, state: Floats, slot: int, r: Array, inside: int, volume: float, row: Floats
) -> None:
    """Write the concentrations at the beginning of an interval, and take the amounts to its end.

    Row 4 of the state is what volumes are divided by, row 6 the dose of the infusion in this interval.
    """
    per_litre = 1.0 / volume
    for p in range(people):
        central, peripheral, dose = state[0, p], state[1, p], state[6, p]
        row[p] = central * (state[4, p] * per_litre)
        state[0, p] = central * r[slot, 0, p] + peripheral * r[slot, 3, p] + dose * r[slot, 6, p]
        state[1, p] = central * r[slot, 1, p] + peripheral * r[slot, 4, p] + dose * r[slot, 7, p]
    if inside != VEIN:
        for p in range(people):
            amount = state[2, p]
            state[0, p] += amount * r[slot, 9, p]
            state[1, p] += amount * r[slot, 10, p]
            state[2, p] = amount * r[slot, 12, p]
    if inside == FIRST:
        for p in range(people):
            amount = state[3, p]
            state[0, p] += amount * r[slot, 13, p]
            state[1, p] += amount * r[slot, 14, p]
            state[2, p] += amount * r[slot, 16, p]
            state[3, p] = amount * r[slot, 17, p]


@_machine
def _levels(state: Floats, at: int, volume: float, people: int, row: Floats) -> None:
    """Write amounts as concentrations, mg/L."""
    per_litre = 1.0 / volume
    for p in range(people):
        row[p] = state[at, p] * (state[4, p] * per_litre)


@_machine
def _add(source: Floats, row: int, first: int, people: int, state: Floats, at: int) -> None:
    """Add what is given at the beginning of an interval."""
    if source.shape[1] > 1:
        for p in range(people):
            state[at, p] += source[row, first + p]
    elif source[row, 0] > 0.0:
        for p in range(people):
            state[at, p] += source[row, 0]


@_machine
def walk(  # noqa: PLR0912 - one pass through a regimen
    constants: Array,
    factors: Floats,
    slots: Index,
    columns: Index,
    lengths: Floats,
    given: tuple[Floats, Floats, Floats],
    volume: Floats,
    size: Floats,
    inside: int,
    begin: int,
    end: int,
    before: Floats,
    after: Floats,
    area: Floats,
) -> None:
    """Write the concentrations of patients `begin` to `end`, mg/L, and areas, mg·h/L: [border or interval, patient].

    constants : [5, column, 1 or patient], 1/h, in the order of `RateConstants`; factors : [5, 1 or patient], by which
    they are multiplied. slots : for each interval the position of its response; columns : for each response
    its column of constants; lengths : [response, 1 or patient], h. given : [interval, 1 or patient] each: the infusion
    rate, mg/h; a bolus, mg; what is absorbed of a dose under the skin, mg. volume : of the central compartment at each
    border, L; size : [1, 1 or patient], by which it is multiplied. inside : `VEIN`, `DEPOT` or `FIRST`. before, area :
    arrays without rows are not written.
    """
    rate, bolus, absorbed = given
    intervals, responses = len(slots), len(columns)
    rows = 18 if inside == FIRST else 13 if inside == DEPOT else 9
    r = np.empty((responses, rows, ABREAST))
    k, e, state = np.empty((5, ABREAST)), np.empty((4, ABREAST)), np.empty((8, ABREAST))
    amounts, litres, hours, now = state[:4], state[4], state[5], state[6]
    known = np.empty(responses, np.bool_)
    for first in range(begin, end, ABREAST):
        people = min(ABREAST, end - first)
        known[:] = False
        amounts[:] = 0.0
        _load(size, 0, first, people, litres)
        for p in range(people):
            litres[p] = 1.0 / litres[p]
        for j in range(intervals):
            slot = slots[j]
            changed = j == 0 or slot != slots[j - 1]
            if changed:
                _load(lengths, slot, first, people, hours)
            if not known[slot]:
                for i in range(5):
                    _load(constants[i], columns[slot], first, people, k[i])
                    _load(factors, i, first, people, now)
                    for p in range(people):
                        k[i, p] *= now[p]
                _respond(people, k, hours, inside, len(area) > 0, e, r[slot])
                known[slot] = True
            _add(bolus, j, first, people, state, 0)
            if inside != VEIN:
                _add(absorbed, j, first, people, state, 3 if inside == FIRST else 2)
            if changed or rate.shape[1] > 1 or rate[j, 0] != rate[j - 1, 0]:
                _load(rate, j, first, people, now)
                for p in range(people):
                    now[p] *= hours[p]
            if len(area) > 0:
                _area(people, state, slot, r, inside)
                _levels(state, 7, volume[j], people, area[j, first:])
            _step(people, state, slot, r, inside, volume[j], after[j, first:])
            if len(before) > 0:
                _levels(state, 0, volume[j], people, before[j + 1, first:])
        _levels(state, 0, volume[intervals], people, after[intervals, first:])
        if len(before) > 0:
            before[0, first : first + people] = 0.0
