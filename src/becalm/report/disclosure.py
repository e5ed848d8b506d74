"""Small cells: which counts may leave the house, and which could be worked out from the others.

A count of 1 to threshold − 1 is suppressed. So that no difference gives it back, enough others of the
same total are suppressed beside it, and steps of a flow are left out until every difference between
two that are printed is 0 or at least the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

THRESHOLD: Final = 5
"""The smallest count of persons that is printed, but for 0."""

Cell = int | None
"""A count, or None where it is suppressed."""


def small(count: int, threshold: int) -> bool:
    """Return whether a count of persons is too small to print."""
    return 0 < count < threshold


def partition(counts: Mapping[str, int], threshold: int) -> dict[str, Cell]:
    """Suppress small cells of counts that add up to a printed total, and enough others beside them.

    Suppressed cells together hold 0 or at least `threshold` persons, and are never only one.
    """
    hidden = {name for name, n in counts.items() if small(n, threshold)}
    open_ = sorted((name for name in counts if name not in hidden), key=lambda k: (counts[k], k))
    # A zero beside a small cell protects nothing: it is hidden last.
    rest = [k for k in open_ if counts[k]] + [k for k in open_ if not counts[k]]
    while hidden and rest and not _safe(hidden, counts, threshold):
        hidden.add(rest.pop(0))
    if hidden and not _safe(hidden, counts, threshold):
        hidden = set(counts)
    return {name: None if name in hidden else n for name, n in counts.items()}


def _safe(hidden: set[str], counts: Mapping[str, int], threshold: int) -> bool:
    held = [counts[name] for name in hidden]
    return sum(n > 0 for n in held) > 1 and sum(held) >= threshold


def proportion(events: int, n: int, threshold: int) -> Cell:
    """Return `events` if neither they nor the others of `n` are a small cell, else None."""
    if small(n, threshold) or small(events, threshold) or small(n - events, threshold):
        return None
    return events


def flow(steps: Sequence[Sequence[int]], threshold: int) -> list[bool]:
    """Return which steps of a falling flow may be printed; each step holds its several counts.

    The first step and the last are kept when they can be; between two printed steps every count
    differs by 0 or by at least `threshold`, and every printed count is 0 or at least `threshold`.
    """
    shown: list[int] = []
    for i, step in enumerate(steps):
        if any(small(n, threshold) for n in step):
            continue
        while len(shown) > 1 and i == len(steps) - 1 and _close(steps[shown[-1]], step, threshold):
            shown.pop()
        if not shown or not _close(steps[shown[-1]], step, threshold):
            shown.append(i)
    return [i in shown for i in range(len(steps))]


def _close(before: Sequence[int], step: Sequence[int], threshold: int) -> bool:
    return any(small(a - b, threshold) for a, b in zip(before, step, strict=True))
