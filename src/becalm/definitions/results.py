"""Which results of a test would settle a definition: the ranges between its thresholds.

Between two neighbouring thresholds every result decides alike, so each threshold itself and one result
of each range stand for all. Thresholds come from the definition's file; where a result is compared with
another value of the same person (a ratio, a change, a sum with a coefficient) each person has thresholds
of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from becalm import vocabulary
from becalm.core.arrays import Floats, Index, Mask
from becalm.definitions.evaluation import converted_back
from becalm.definitions.model import Definition, Item
from becalm.definitions.what_if import MET, NOT_MET, UNDETERMINED, Statuses, WhatIf, reads

BISECTIONS: Final = 60
"""Halvings of a range in which a threshold of a sum with a coefficient lies: beyond float precision."""
_JUST_INSIDE: Final = 1e-9
"""How far inside a range its ends are tried, as a part of its length: the edge itself may decide otherwise."""


@dataclass(frozen=True, eq=False)
class Domain:
    """The results that a test can have: two answers, or numbers from `low` to `high` in a unit."""

    low: float
    high: float
    unit: str = ""
    answers: tuple[str, str] | None = None


def domain(variable: str, *, history: bool) -> Domain:
    """Return the results that a variable can have."""
    words = vocabulary.load()
    measured = {each.name: (each.plausible, each.unit, each.kind) for each in words.variables}
    derived = {each.name: (each.plausible, each.unit, "") for each in words.derived}
    plausible, unit, kind = {**derived, **measured}[variable]
    if kind == "finding" or (plausible.low, plausible.high, unit) == (0.0, 1.0, ""):
        return Domain(0.0, 1.0, "", ("no", "yes") if history else ("absent", "present"))
    return Domain(plausible.low, plausible.high, unit)


@dataclass(frozen=True, eq=False)
class Results:
    """The statuses of some persons by the result of one test.

    edges : float64[n, k], ascending. status : int8[n, 2k + 1]: below the first edge, at it, between it and the next,
    and so on to above the last; of a finding int8[n, 2]: absent, present. about : bool[n, k], where
    an edge is worked out for one person and not printed in the definition. also : an edge as its paper prints it in
    other units.
    """

    of: Index
    domain: Domain
    edges: Floats
    about: npt.NDArray[np.bool_]
    status: Statuses
    also: Mapping[float, str] = field(default_factory=dict)

    @property
    def can_meet(self) -> Mask:
        """Whether some result would make the definition met."""
        can: Mask = (self.status == MET).any(axis=1)
        return can

    @property
    def can_deny(self) -> Mask:
        can: Mask = (self.status == NOT_MET).any(axis=1)
        return can

    @property
    def leaves_open(self) -> Mask:
        can: Mask = (self.status == UNDETERMINED).any(axis=1)
        return can

    def take(self, which: npt.NDArray[np.bool_]) -> Results:
        """Return some of the persons."""
        return Results(
            self.of[which],
            self.domain,
            self.edges[which],
            self.about[which],
            self.status[which],
            self.also,
        )

    def words(self, status: int) -> tuple[npt.NDArray[np.int32], list[str]]:
        """Return the results that lead to a status, in words: a position for each person, and the texts."""
        here = self.status == status
        if len(here) and (self.edges == self.edges[0]).all():
            pattern = here @ (2 ** np.arange(here.shape[1], dtype=np.int64))
            _, first, code = np.unique(pattern, return_index=True, return_inverse=True)
        else:
            keys = np.concatenate([here, self.edges, self.about], axis=1)
            _, first, code = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        texts = [self._text(here[at], self.edges[at], self.about[at]) for at in first.tolist()]
        return code.reshape(-1).astype(np.int32), texts

    def _text(self, here: Mask, edges: Floats, about: npt.NDArray[np.bool_]) -> str:
        if not here.any():
            return ""
        if here.all():
            return "any result"
        if self.domain.answers is not None:
            return self.domain.answers[int(here.argmax())]
        numbers = [
            self._number(float(edge), rough=bool(rough))
            for edge, rough in zip(edges, about, strict=True)
        ]
        return " or ".join(_range(first, last, numbers, len(here)) for first, last in _runs(here))

    def _number(self, edge: float, *, rough: bool) -> str:
        number = f"about {shown(float(f'{edge:.4g}'))}" if rough else shown(edge)
        number = f"{number} {self.domain.unit}".rstrip()
        return f"{number} ({self.also[edge]})" if edge in self.also and not rough else number


def _runs(here: Mask) -> Iterator[tuple[int, int]]:
    """Yield the first and last position of each run of true values."""
    padded = np.concatenate(([False], here, [False]))
    turns = np.flatnonzero(padded[1:] != padded[:-1])
    yield from zip(turns[::2].tolist(), (turns[1::2] - 1).tolist(), strict=True)


def _range(first: int, last: int, edges: Sequence[str], columns: int) -> str:
    """Return a range in words; odd columns are edges."""
    if first == last and first % 2:
        return f"exactly {edges[first // 2]}"
    upper = "" if last == columns - 1 else edges[last // 2]
    lower = edges[first // 2] if first % 2 else edges[first // 2 - 1] if first else ""
    if not lower:
        return ("up to " if last % 2 else "below ") + upper
    if not upper:
        return f"{lower} or more" if first % 2 else f"above {lower}"
    begin = "from" if first % 2 else "above"
    return f"{begin} {lower} {'up to' if last % 2 else 'to below'} {upper}"


def shown(value: float) -> str:
    """Return a threshold as a text, with all its digits.

    >>> shown(10000.0), shown(1.5)
    ('10,000', '1.5')
    """
    return f"{value:,.0f}" if value == round(value) else f"{value:,.10g}"


def results(what_if: WhatIf, variable: str, of: Index, *, history: bool) -> Results:
    """Return what each result of a test would decide for the persons `of`."""
    span = domain(variable, history=history)
    count = len(of)
    if span.answers is not None:
        both = [what_if.status(variable, np.full(count, each), of) for each in (0.0, 1.0)]
        none = np.empty((count, 0))
        return Results(of, span, none, none.astype(np.bool_), np.stack(both, axis=1))
    printed, also, own, continuous = _edges(what_if, variable, of)
    each = [*(np.full(count, edge) for edge in printed), *own]
    edges = np.array(each).reshape(-1, count).T
    about = np.zeros(edges.shape, np.bool_)
    about[:, len(printed) :] = True
    edges, about = _in_order(edges, about, span)
    if continuous:
        more = _turns(what_if, variable, of, edges, span)
        edges = np.concatenate([edges, more], axis=1)
        about = np.concatenate([about, np.ones(more.shape, np.bool_)], axis=1)
        edges, about = _in_order(edges, about, span)
    values = _values(edges, span)
    status = np.stack(
        [what_if.status(variable, np.ascontiguousarray(each), of) for each in values.T], axis=1
    )
    return Results(of, span, edges, about, status, also)


def _in_order(
    edges: Floats, about: npt.NDArray[np.bool_], span: Domain
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Sort the edges of each person; those that no result can have lie at the end of the range."""
    inside = (edges >= span.low) & (edges <= span.high)
    edges = np.where(inside, edges, span.high)
    order = np.argsort(edges, axis=1, kind="stable")
    return np.take_along_axis(edges, order, axis=1), np.take_along_axis(about, order, axis=1)


def _values(edges: Floats, span: Domain) -> Floats:
    """Return each edge and one value between each two, from below the first to above the last."""
    count, k = edges.shape
    around = np.concatenate(
        [np.full((count, 1), span.low), edges, np.full((count, 1), span.high)], axis=1
    )
    values = np.empty((count, 2 * k + 1))
    values[:, 1::2] = edges
    values[:, 0::2] = (around[:, 1:] + around[:, :-1]) / 2
    return values


def _edges(
    what_if: WhatIf, variable: str, of: Index
) -> tuple[list[float], dict[float, str], list[Floats], bool]:
    """Return the edges of a variable: printed, with their other units, and those of each person.

    The last says whether an item multiplies the value, which adds edges that `_turns` finds.
    """
    printed: set[float] = set()
    also: dict[float, str] = {}
    own: list[Floats] = []
    continuous = False
    for item in _comparing(what_if.definition, variable):
        if item.over is not None and item.over.variable == variable:
            printed.add(0.0)  # divided by 0 nothing is known
        if item.coefficient is not None:
            continuous = True
            continue
        first: list[float] = []
        for each in (item, *item.in_other_units):
            for at, threshold in enumerate(_thresholds(each)):
                if each.over is not None or each.change is not None:
                    own += _scaled(what_if, each, variable, threshold, of)
                    continue
                edge = converted_back(each, threshold, threshold)[0]
                step = 10.0 ** -(item.decimals or 0)
                if each is item:
                    first.append(edge)
                elif abs(edge - first[at]) <= step:  # one threshold, printed twice
                    also[first[at]] = f"{shown(threshold)} {each.unit}"
                    continue
                printed.add(edge)
    return sorted(printed), also, own, continuous


def _thresholds(item: Item) -> list[float]:
    """Return the numbers that an item compares its value with, as its file prints them."""
    numbers = [band.up_to if band.up_to is not None else band.below for band in item.scale[:-1]]
    return [number for number in numbers if number is not None]


def _comparing(definition: Definition, variable: str) -> Iterator[Item]:
    """Yield the items that compare a variable with thresholds or multiply it."""
    for item in definition.items:
        for part in item.walk():
            if part.referred is not None:
                yield from _comparing(part.referred, variable)
            elif part.variable and reads(part, variable):
                yield part


def _scaled(
    what_if: WhatIf, item: Item, variable: str, threshold: float, of: Index
) -> list[Floats]:
    """Return the values at which a ratio or a change reaches a threshold, at its lowest and its highest."""
    divisor = item.variable != variable
    probe = 1.0 if divisor else domain(variable, history=False).high
    found = []
    for bound in what_if.value(item, variable, np.full(len(of), probe), of):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            edge = bound / threshold if divisor else threshold * probe / bound
        found.append(np.where(np.isfinite(edge), np.round(edge, 9), np.inf))
    return found


def _turns(what_if: WhatIf, variable: str, of: Index, edges: Floats, span: Domain) -> Floats:
    """Return where the status turns between the edges, found by halving; beyond the range where it does not."""
    bounds = np.column_stack([np.full(len(of), span.low), edges, np.full(len(of), span.high)])
    found = []
    for low_end, high_end in pairwise(bounds.T):
        inside = _JUST_INSIDE * (high_end - low_end)
        ends = low_end + inside, high_end - inside
        at_ends = [what_if.status(variable, each, of) for each in ends]
        for status in (MET, NOT_MET):
            before = at_ends[0] == status
            turns = np.flatnonzero(before != (at_ends[1] == status))
            if not len(turns):
                continue
            low, high = ends[0][turns], ends[1][turns]
            for _ in range(BISECTIONS):
                middle = (low + high) / 2
                same = (what_if.status(variable, middle, of[turns]) == status) == before[turns]
                low, high = np.where(same, middle, low), np.where(same, high, middle)
            edge = np.full(len(of), np.inf)
            edge[turns] = high
            found.append(edge)
    return np.array(found).reshape(-1, len(of)).T
