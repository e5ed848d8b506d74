"""Bands of dose by adding up each dose of one person, without any of the package's time lines.

A dose is (start, end, amount) in hours: a bolus where both are equal, else a constant rate.
"""

from __future__ import annotations

from collections.abc import Sequence

Given = tuple[float, float, float]
SCAN = 1 / 60


def amount(doses: Sequence[Given], start: float, end: float) -> float:
    """The amount in (start, end]."""
    total = 0.0
    for begin, stop, dose in doses:
        if begin == stop:
            total += dose if start < begin <= end else 0.0
        else:
            shared = max(0.0, min(stop, end) - max(begin, start))
            total += dose * shared / (stop - begin)
    return total


def band(value: float, edges: Sequence[float]) -> int:
    """0 for nothing; else 1 and the number of edges that are reached."""
    if value <= 1e-9:
        return 0
    return 1 + sum(value >= edge - 1e-6 for edge in edges)


def days_high(doses: Sequence[Given], until: float, high: float) -> float:
    """Days in (0, until] with at least `high` in the 24 h before, looking every minute."""
    steps = max(0, round(until / SCAN))
    reached = sum(
        amount(doses, (i + 0.5) * SCAN - 24, (i + 0.5) * SCAN) >= high - 1e-6 for i in range(steps)
    )
    return reached * SCAN / 24


def cumulative(doses: Sequence[Given], until: float) -> float:
    """The amount in [0, until]."""
    return amount(doses, -1e-9, until)
