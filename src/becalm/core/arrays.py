"""The rules that all arrays of the package keep: read-only, sorted by person, without NaN."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]
Persons: TypeAlias = NDArray[np.int32]
Mask: TypeAlias = NDArray[np.bool_]
Index: TypeAlias = NDArray[np.intp]
Codes: TypeAlias = NDArray[np.int32]
Texts: TypeAlias = NDArray[np.object_]
Array: TypeAlias = NDArray[Any]
Pair: TypeAlias = tuple[Floats, Floats]
"""The lowest and the highest possible value; (-inf, inf) is unknown."""

FAR_FUTURE: Final = 1 << 58
FAR_PAST: Final = -FAR_FUTURE
"""µs, nine thousand years either way: before and after every record, a placeholder of 9999 included."""

LIMIT = 1 << 62
"""Times lie within ±2⁶² µs (146,000 years); a window that would go past this limit ends at it."""


def frozen(values: ArrayLike, dtype: type[Any]) -> NDArray[Any]:
    """Return a one-dimensional read-only view of `values`; the caller's array is not changed."""
    array = np.asarray(values, dtype=dtype)
    if array.ndim != 1:
        raise ValueError(f"expected one dimension, got shape {array.shape}")
    view = array.view()
    view.flags.writeable = False
    return view


def frozen_pair(low: ArrayLike, high: ArrayLike | None) -> Pair:
    """Freeze both bounds; if they are equal, both are the same array (exact values)."""
    lower: Floats = frozen(low, np.float64)
    if high is None or high is low:
        return lower, lower
    upper: Floats = frozen(high, np.float64)
    return lower, lower if np.array_equal(lower, upper) else upper


def check_pair(low: Floats, high: Floats, what: str) -> None:
    """Raise an error that names the position of a NaN, of an empty range or of an exact infinity."""
    wrong = np.isnan(low)
    if high is not low:
        wrong |= np.isnan(high)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ValueError(f"{what}: NaN at position {at}; leave an unknown value out instead")
    wrong = (low == np.inf) | (high == -np.inf)
    if high is not low:
        wrong |= low > high
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ValueError(f"{what}: [{low[at]}, {high[at]}] at position {at} contains no number")


def check_lengths(what: str, *arrays: NDArray[Any]) -> None:
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        raise ValueError(f"{what}: columns differ in length: {[len(a) for a in arrays]}")


def check_times(what: str, *arrays: Times) -> None:
    for times in arrays:
        if len(times) and (times.min() < -LIMIT or times.max() > LIMIT):
            raise ValueError(f"{what}: a time lies outside ±2⁶² µs")


def check_order(what: str, person: Persons, wrong_time: Mask) -> None:
    """Refuse rows out of order: `wrong_time[i]` says that row i + 1 may not follow row i."""
    wrong = person[1:] < person[:-1]
    wrong |= (person[1:] == person[:-1]) & wrong_time
    if wrong.any():
        at = int(np.argmax(wrong)) + 1
        raise ValueError(
            f"{what}: position {at} (person {person[at]}) is out of order with the one before it; "
            "use build() for rows that are not sorted by person and time, or that repeat"
        )


def is_sorted(*keys: NDArray[Any]) -> bool:
    """Return whether rows are sorted by `keys`; the last key is the first to sort by, as in lexsort."""
    descends = np.zeros(max(len(keys[0]) - 1, 0), np.bool_)
    for key in keys:
        descends = (key[1:] < key[:-1]) | ((key[1:] == key[:-1]) & descends)
    return not descends.any()


def plus(times: Times, by: int) -> Times:
    """Add a duration; a result outside the time axis becomes the end of the axis."""
    if by >= 0:
        moved: Times = np.minimum(times, LIMIT - min(by, LIMIT)) + min(by, LIMIT)
        return moved
    back: Times = np.maximum(times, -LIMIT + min(-by, LIMIT)) - min(-by, LIMIT)
    return back


def firsts(person: NDArray[Any]) -> Index:
    """Position of the first row of every person in sorted `person`."""
    if not len(person):
        return np.empty(0, np.intp)
    return np.flatnonzero(np.concatenate(([True], person[1:] != person[:-1])))


def expand(low: NDArray[Any], high: NDArray[Any]) -> tuple[Index, Index]:
    """List the members of the ranges [low, high): the range's number, and the member."""
    counts = np.maximum(high - low, 0)
    owner = np.repeat(np.arange(len(counts)), counts)
    skipped = np.repeat(low - (np.cumsum(counts) - counts), counts)
    return owner, np.arange(len(owner)) + skipped


def query(person: ArrayLike, *times: ArrayLike) -> tuple[NDArray[Any], ...]:
    """Return a question (one or many persons, one or many times) as arrays of one shape."""
    return np.broadcast_arrays(
        np.asarray(person, dtype=np.int32), *(np.asarray(t, dtype=np.int64) for t in times)
    )


def applied(f: Callable[..., tuple[ArrayLike, ArrayLike]], count: int, *arguments: Any) -> Pair:
    """Call `f` and return its two bounds as arrays of `count` numbers; the caller checks for NaN."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        low, high = f(*arguments)
    lower = np.broadcast_to(np.asarray(low, dtype=np.float64), count)
    if high is low:
        return lower, lower
    return lower, np.broadcast_to(np.asarray(high, dtype=np.float64), count)
