"""Agreement between pairs of definitions.

Agreement is counted over persons in whom both definitions are decided; the number undetermined by
one of them is reported with it, because to leave them out is not the same as to agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, TypeAlias

from becalm.core import stats

Row: TypeAlias = Mapping[str, Any]
DECIDED: Final = frozenset({"met", "not met"})


@dataclass(frozen=True)
class Agreement:
    """Two definitions over the same persons.

    both, first, second, neither : persons in whom both are decided, by which is met. undetermined :
    persons in whom at least one is not. kappa is chance-corrected (Cohen 1960), with its large-sample
    95 % interval (Fleiss, Cohen and Everitt 1969); None if it has no meaning: nobody is decided, or one
    definition has the same result in everybody, so that kappa is 0 or undefined in any case. The
    interval is None if its width is 0, as when all agree.
    """

    a: str
    b: str
    both: int
    first: int
    second: int
    neither: int
    undetermined: int
    kappa: float | None
    interval: tuple[float, float] | None

    @property
    def n(self) -> int:
        return self.both + self.first + self.second + self.neither

    @property
    def agreed(self) -> int:
        return self.both + self.neither


def pairwise(criteria: Sequence[Row], names: Sequence[str]) -> list[Agreement]:
    """Return the agreement of every pair of definitions.

    criteria : rows of the table `criteria` at one moment.
    """
    statuses = {(row["person_id"], row["criterion"]): row["status"] for row in criteria}
    people = sorted({person for person, _ in statuses})
    agreements = []
    for a, b in combinations(names, 2):
        pairs = [(statuses.get((who, a)), statuses.get((who, b))) for who in people]
        asked = [pair for pair in pairs if None not in pair]
        decided = [(x == "met", y == "met") for x, y in asked if {x, y} <= DECIDED]
        cells = (
            decided.count((True, True)),
            decided.count((True, False)),
            decided.count((False, True)),
            decided.count((False, False)),
        )
        agreements.append(Agreement(a, b, *cells, len(asked) - len(decided), *kappa(*cells)))
    return agreements


def kappa(
    both: int, first: int, second: int, neither: int
) -> tuple[float | None, tuple[float, float] | None]:
    """Return Cohen's kappa of a two-by-two table with its 95 % interval.

    >>> value, interval = kappa(20, 5, 10, 15)
    >>> round(value, 2), [round(end, 2) for end in interval]
    (0.4, [0.15, 0.65])
    """
    return stats.cohen_kappa([[both, first], [second, neither]])
