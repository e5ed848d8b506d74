"""Bands of dose by adding up each dose of one person, without any of the package's time lines.

A dose is (start, end, amount) in hours: a bolus where both are equal, else a constant rate.
"""

from __future__ import annotations

from collections.abc import Sequence

Given = tuple[float, float, float]
SCAN = 1 / 60


ENDS = (
    "bacterial infection", "possible infection", "death", "discharge", "last dose", "end of records",
)  # fmt: skip
"""What ends the time at risk; at one moment the first of these."""


def at_risk(ends: dict[str, float], begin: float) -> tuple[float, str] | None:
    """When the time at risk ends and why; None where nothing is left of it, or nobody knows an end."""
    known = [(hour, ENDS.index(why)) for why, hour in ends.items()]
    if not known or min(known)[0] <= begin:
        return None
    hour, why = min(known)
    return hour, ENDS[why]


def first_growth(
    samples: Sequence[tuple[float, float, bool | None, bool | None, str]], begin: float
) -> tuple[float | None, float | None, bool]:
    """The first new bacterial infection, the first sample that may be one, and whether one may be from before the risk.

    A sample: the first and the last hour at which it may have been taken, whether it counts, whether it is new, its kind.
    """
    bacterial = [each for each in samples if each[4] in ("bacterial", "not understood")]
    later = [each for each in bacterial if each[0] > begin]
    certain = [each[0] for each in later if each[2] is True and each[3] is True]
    may_be = [
        each[0] for each in later if False not in (each[2], each[3]) and None in (each[2], each[3])
    ]
    across = any(
        each[0] <= begin < each[1] and False not in (each[2], each[3]) for each in bacterial
    )
    return min(certain, default=None), min(may_be, default=None), across


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
