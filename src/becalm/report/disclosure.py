"""Small cells: which counts may leave the house, and which could be worked out from the others.

A count of 1 to threshold − 1 is suppressed. So that no difference gives it back, enough others of the
same total are suppressed beside it, and steps of a flow are left out until every difference between
two that are printed is 0 or at least the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Final

THRESHOLD: Final = 5
"""The smallest count of persons that is printed, but for 0."""

_Node = tuple[str, int]
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
    while hidden and rest and not _safe([counts[k] for k in hidden], threshold):
        hidden.add(rest.pop(0))
    if hidden and not _safe([counts[k] for k in hidden], threshold):
        hidden = set(counts)
    return {name: None if name in hidden else n for name, n in counts.items()}


def _safe(held: Sequence[int], threshold: int) -> bool:
    """Return whether suppressed cells of one total protect each other."""
    return sum(n > 0 for n in held) > 1 and sum(held) >= threshold


def crossed(table: Sequence[Sequence[int]], threshold: int) -> list[list[Cell]]:
    """Suppress small cells of counts whose rows and columns add up to known totals, and others beside.

    In every row and column the suppressed cells together hold 0 or at least `threshold` persons, and
    are never only one that is not 0; and each of them could hold another number.
    """
    at = [(i, j) for i, row in enumerate(table) for j, _ in enumerate(row)]
    hidden = {(i, j) for i, j in at if small(table[i][j], threshold)}
    while hidden and (beside := _beside(table, hidden, threshold)):
        open_ = [each for each in beside if each not in hidden]
        if not open_:  # nothing beside it is left that could protect it
            return [[None for _ in row] for row in table]
        # A zero beside a small cell protects nothing: it is hidden last.
        hidden.add(
            min(open_, key=lambda each: (not table[each[0]][each[1]], table[each[0]][each[1]]))
        )
    return [
        [None if (i, j) in hidden else n for j, n in enumerate(row)] for i, row in enumerate(table)
    ]


def _beside(
    table: Sequence[Sequence[int]], hidden: set[tuple[int, int]], threshold: int
) -> list[tuple[int, int]]:
    """Return the row or column that is not safe yet, or those of a cell that follows from others."""
    rows = [[(i, j) for j in range(len(row))] for i, row in enumerate(table)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    for line in (*rows, *columns):
        held = [table[i][j] for i, j in line if (i, j) in hidden]
        if held and not _safe(held, threshold):
            return line
    return next(
        ([*rows[i], *columns[j]] for i, j in sorted(hidden) if not _open(table, hidden, (i, j))), []
    )


def _open(
    table: Sequence[Sequence[int]], hidden: set[tuple[int, int]], at: tuple[int, int]
) -> bool:
    """Return whether a suppressed cell could hold another number, every total and printed cell being as it is.

    One more in it needs one less in another suppressed cell of its column, one more in a cell of that
    one's row, and so on until the way leads back to its own row; or the other way round.
    """
    more = {(("row", i), ("column", j)) for i, j in hidden - {at}}
    less = {(("column", j), ("row", i)) for i, j in hidden - {at} if table[i][j] > 0}
    row, column = ("row", at[0]), ("column", at[1])
    if row in _reached(column, more | less):
        return True
    return table[at[0]][at[1]] > 0 and column in _reached(row, more | less)


def _reached(start: _Node, steps: Set[tuple[_Node, _Node]]) -> set[_Node]:
    found, open_ = {start}, [start]
    while open_:
        here = open_.pop()
        further = {to for from_, to in steps if from_ == here} - found
        found |= further
        open_ += further
    return found


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
