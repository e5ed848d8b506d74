"""What is said of a curve in one number: area, average, peak, the last day, time below a target and to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np

from becalm.core.arrays import Floats
from becalm.pk.virtual import Curves

LAST_DAY: Final = 24.0
"""Hours at the end of a simulation whose measures are given by themselves."""
SHARES: Final = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
"""The quantiles of virtual patients that are written, by the column that has them."""
UNITS: Final = {
    "area": "mg·h/L", "average": "mg/L", "peak": "mg/L", "average_last_day": "mg/L", "trough_last_day": "mg/L",
    "peak_last_day": "mg/L", "peak_to_trough": "1", "average_ratio": "1", "peak_ratio": "1", "trough_ratio": "1", "accumulation": "1", "hours_below": "h", "hours_to_target": "h",
}  # fmt: skip
RATIOS: Final = {
    "average_ratio": "average",
    "peak_ratio": "peak",
    "trough_ratio": "trough_last_day",
}
"""Measures by that of the first regimen, and of what."""
Key: TypeAlias = tuple[str, float | None]


def measures(hours: Floats, curves: Curves, targets: Sequence[float]) -> dict[Key, Floats]:
    """Return each measure for the typical patient (the first) and every virtual one."""
    total = hours[-1]
    area = curves.area.sum(axis=1)
    found: dict[Key, Floats] = {
        ("area", None): area,
        ("average", None): area / total,
        ("peak", None): np.maximum(curves.before, curves.after).max(axis=1),
    }
    if total > LAST_DAY:
        at = int(np.searchsorted(hours, total - LAST_DAY))
        begin, end = curves.after[:, at:-1], curves.before[:, at + 1 :]
        trough, peak = np.minimum(begin, end).min(axis=1), np.maximum(begin, end).max(axis=1)
        found["average_last_day", None] = curves.area[:, at:].sum(axis=1) / LAST_DAY
        found["trough_last_day", None] = trough
        found["peak_last_day", None] = peak
        with np.errstate(invalid="ignore", divide="ignore"):
            found["peak_to_trough", None] = peak / trough
            if total >= 2 * LAST_DAY:
                first = curves.area[:, : int(np.searchsorted(hours, LAST_DAY))].sum(axis=1)
                found["accumulation", None] = curves.area[:, at:].sum(axis=1) / first
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


def by_the_first(found: dict[Key, Floats], first: Mapping[Key, Floats] | None) -> dict[Key, Floats]:
    """Add how average, peak and lowest level compare with those by the first regimen, in the same patient."""
    for name, of in RATIOS.items():
        if first is not None and (of, None) in found:
            with np.errstate(invalid="ignore", divide="ignore"):
                found[name, None] = found[of, None] / first[of, None]
    return found


def spread(values: Floats) -> dict[str, float]:
    """Return the typical value (the first) and quantiles of the others; infinite where they are never reached.

    Without others, because no spread is known, there are no quantiles.
    """
    others = np.sort(values[1:])
    found = {"typical": float(values[0])}
    if not len(others):
        return found
    for name, share in SHARES.items():
        at = share * (len(others) - 1)
        low, high = others[int(np.floor(at))], others[int(np.ceil(at))]
        found[name] = float(low if low == high else low + (high - low) * (at - np.floor(at)))
    return found
