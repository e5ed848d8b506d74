"""More than one cell line low, the slow, obvious way: every pair of draws of two lines, by the words of the rule."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

HOUR = 3_600_000_000
BOUNDS = {"haemoglobin": 9.0, "platelets": 100.0, "neutrophils": 1.0}
WITHIN = 24 * HOUR

Draw = tuple[str, int, float, float]
"""The line, when it was drawn in µs, and the lowest and the highest value it may have had."""


def pairs(draws: Sequence[Draw], *, may_be: bool) -> list[tuple[Draw, Draw]]:
    """Draws of two lines that are low, or may be, at most 24 h apart."""
    low = [each for each in draws if (each[2] if may_be else each[3]) < BOUNDS[each[0]]]
    return [(a, b) for a, b in combinations(low, 2) if a[0] != b[0] and abs(a[1] - b[1]) <= WITHIN]


def first(draws: Sequence[Draw]) -> int | None:
    """When two lines were first low together: at the later of the two draws."""
    return min((max(a[1], b[1]) for a, b in pairs(draws, may_be=False)), default=None)


def several(draws: Sequence[Draw]) -> bool | None:
    """Yes, no, or None where a line that was not measured, or of which only a limit is known, could have made it yes.

    One line that was never measured makes nothing unknown where no other line may be low: it takes two.
    """
    if first(draws) is not None:
        return True
    if pairs(draws, may_be=True):
        return None
    measured = {each[0] for each in draws}
    may_be_low = {each[0] for each in draws if each[2] < BOUNDS[each[0]]}
    missing = len(BOUNDS) - len(measured)
    if missing >= 2 or (missing and may_be_low):
        return None
    return False


def standing(draws: Sequence[Draw], moment: int) -> set[str]:
    """The lines of which a low draw lies at a moment or at most 24 h before it."""
    return {
        name
        for name, time, _, high in draws
        if high < BOUNDS[name] and 0 <= moment - time <= WITHIN
    }
