"""Propagation of populations by machine code, where numba is installed; `propagation` gives the same numbers without it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import ModuleType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from becalm.core.arrays import Array, Floats, Index
from becalm.core.errors import MissingExtraError
from becalm.pk.propagation import RateConstants, checked_numbers

INSTALL: Final = "pip install 'becalm[populations]'"
_PART: Final = 1024
"""Patients that one thread is given at a time."""


class PopulationLevels(NamedTuple):
    """Concentrations at the borders, mg/L, before and after doses given there; areas, mg·h/L: [border or interval, patient]."""

    before: Floats
    after: Floats
    area: Floats


@cache
def kernel() -> ModuleType | None:
    """Return the compiled code, or None where numba is not installed."""
    try:
        from becalm.pk import kernel as found
    except ImportError:
        return None
    return found


def population_levels(
    constants: RateConstants,
    hours: ArrayLike,
    *,
    rate: ArrayLike = 0.0,
    bolus: ArrayLike = 0.0,
    depot: ArrayLike = 0.0,
    two_depots: bool = False,
    which: ArrayLike | None = None,
    volume: ArrayLike = 1.0,
    factors: Sequence[ArrayLike] | None = None,
    size: ArrayLike = 1.0,
    only_after: bool = False,
    threads: int = 1,
) -> PopulationLevels:
    """Return concentrations in many patients: what `propagate` gives, by machine code, divided by the central volume.

    Parameters
    ----------
    constants, hours, rate, bolus, depot, two_depots, which : as for `propagate`, [patient, interval] or [interval].
    volume : of the central compartment at each border, L, or one.
    factors : of each patient, by which the five constants are multiplied, in their order.
    size : of each patient, by which the volume is multiplied.
    only_after : leaves `before` and `area` empty. threads : changes how long it takes, and no number.

    Raises
    ------
    MissingExtraError
        If numba is not installed.
    ValueError
        For a length, a rate, a dose or a volume that cannot be.
    """
    code = kernel()
    if code is None:
        raise MissingExtraError("compiled populations need numba, which is not installed", hint=f"Install it: {INSTALL}")  # fmt: skip
    length, speed, at_once, under = checked_numbers(hours, rate, bolus, depot)
    steps = [np.atleast_1d(each) for each in constants.arrays()]
    apart = np.broadcast_shapes(*(each.shape for each in steps))
    chosen = np.zeros(1, np.intp) if apart[-1] == 1 else None
    column = chosen if which is None else np.asarray(which, np.intp)
    intervals = max(each.shape[-1] for each in (length, speed, at_once, under))
    intervals = max(intervals, apart[-1] if column is None else len(column))
    column = np.arange(intervals) if column is None else np.broadcast_to(column, (intervals,))
    slots, columns, lengths = _responses(length, column, intervals)
    by = np.ones((5, 1)) if factors is None else np.stack(np.broadcast_arrays(*(np.atleast_1d(np.asarray(each, np.float64)) for each in factors)))  # fmt: skip
    volumes = np.broadcast_to(np.asarray(volume, np.float64), (intervals + 1,)).copy()
    sizes = np.atleast_1d(np.asarray(size, np.float64))[None]
    if not ((volumes > 0).all() and (sizes > 0).all()):
        raise ValueError("a volume is not above 0 L")
    if not (np.isfinite(by).all() and (by >= 0).all()):
        raise ValueError("a factor of a patient is below 0 or no number")
    given = tuple(_by_interval(each, intervals) for each in (speed, at_once, under))
    stacked = np.stack([_by_interval(np.broadcast_to(each, apart), apart[-1]) for each in steps])
    people = max(each.shape[-1] for each in (by, sizes, lengths, stacked, *given))
    after = np.empty((intervals + 1, people))
    before = np.empty((0 if only_after else intervals + 1, people))
    area = np.empty((0 if only_after else intervals, people))
    inside = code.VEIN if not given[2].any() else code.FIRST if two_depots else code.DEPOT

    def part(begin: int) -> None:
        end = min(begin + _PART, people)
        code.walk(
            stacked, by, slots, columns, lengths, given, volumes, sizes, inside, begin, end, before, after, area
        )  # fmt: skip

    if threads == 1:
        for begin in range(0, people, _PART):
            part(begin)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, range(0, people, _PART)))
    return PopulationLevels(before, after, area)


def _by_interval(values: Floats, intervals: int) -> Floats:
    """Return [patient, interval] or [interval] as [interval, patient], or [interval, 1] where all have the same."""
    wide = np.broadcast_to(values, (*values.shape[:-1], intervals))
    found: Floats = np.ascontiguousarray(wide.T if wide.ndim == 2 else wide[:, None])
    return found


def _responses(length: Floats, column: Index, intervals: int) -> tuple[Index, Index, Floats]:
    """Return for each interval its response, and of each response the column of constants and its length.

    Intervals of one length with the same constants have one response.
    """
    if length.ndim > 1:
        return np.arange(intervals), column.astype(np.intp), _by_interval(length, intervals)
    pairs: Array = np.stack([np.broadcast_to(length, (intervals,)), column.astype(np.float64)])
    different, slots = np.unique(pairs, axis=1, return_inverse=True)
    return slots.ravel().astype(np.intp), different[1].astype(np.intp), np.ascontiguousarray(different[0][:, None])  # fmt: skip
