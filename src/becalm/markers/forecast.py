"""The next value of a marker, how surprising an observed one is, and whether that may be shown at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from becalm.core.arrays import Floats, Index, Persons
from becalm.core.errors import UsageError
from becalm.markers.changes import DAY, LONGEST, SHORTEST, MarkerChanges
from becalm.markers.distribution import quantiles, shares, weighted
from becalm.markers.learning import FOLDS, folds, judged_on, standardised
from becalm.markers.model import FEWEST, FEWEST_PERSONS, LEVELS, MarkerModel, MarkerTest


@dataclass(frozen=True, eq=False)
class MeasuredSpread:
    """Changes that a patient is compared with, in units of the model's spread, ascending.

    weights : None where only quantiles are kept (`LEVELS`). pairs : how many changes they come from.
    """

    values: Floats
    weights: Floats | None
    pairs: int

    def ends(self, levels: Floats) -> Floats:
        """Return quantiles; where only quantiles are kept, the next outer one of them."""
        if self.weights is not None:
            return quantiles(self.values, self.weights, levels)
        inner = np.searchsorted(LEVELS, levels - 1e-9, "left"), np.searchsorted(LEVELS, levels + 1e-9, "right") - 1  # fmt: skip
        at = np.where(levels > 0.5, inner[0], inner[1])
        return np.asarray(self.values[np.clip(at, 0, len(self.values) - 1)], np.float64)

    def at_or_below(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """Return the lowest and the highest share of comparable changes that are at most as large."""
        if self.weights is not None:
            return shares(low, self.values, self.weights)[0], shares(high, self.values, self.weights)[1]  # fmt: skip
        ends = np.concatenate([[0.0], LEVELS, [1.0]])
        under = ends[np.searchsorted(self.values, low, "left")]
        return under, ends[np.searchsorted(self.values, high, "right") + 1]


@dataclass(frozen=True, eq=False)
class MarkerInUse:
    """A marker as it is shown for some records, or the reason why it is not.

    model : shipped, or the last value with its spread where the model loses to it. test : on these records, or on those of the file.
    objection : why it is not shown; empty where it is. own : the spread by fold of persons, where it was measured on these records.
    """

    model: MarkerModel
    test: MarkerTest | None
    objection: str
    own: Mapping[int, MeasuredSpread] = field(default_factory=dict)
    fold: Mapping[int, int] = field(default_factory=dict)
    everybody: MeasuredSpread | None = None

    @property
    def shown(self) -> bool:
        """Whether something may be said of this marker."""
        return not self.objection

    def spread_for(self, person: int) -> MeasuredSpread:
        """Return what a person is compared with: never the person's own changes."""
        if self.everybody is None:
            return MeasuredSpread(np.array(self.model.quantiles), None, self.model.pairs)
        return self.own[self.fold[person]] if person in self.fold else self.everybody


def in_use(model: MarkerModel, changes: MarkerChanges, source: str) -> MarkerInUse:
    """Decide from the records' own changes how a marker is shown; from those of the file where other persons have fewer than 30.

    changes : those among which an observed one is judged: of the untreated. source : what to call these records.
    """
    known = changes.take(changes.known)
    fold = folds(known.person)
    others = [int(known.exact[fold != each].sum()) for each in range(FOLDS)]
    persons = len(np.unique(known.person[known.exact]))
    if min(others) < FEWEST or persons < FEWEST_PERSONS:
        objection = "not tested on other records" if model.tested is None else model.tested.objection()  # fmt: skip
        if objection:
            objection += f"; these records have {int(known.exact.sum())} pairs of {persons} persons"
        return MarkerInUse(model, model.tested, objection)
    test = judged_on(model, known, source)
    if test.score > test.last_value:
        model = model.simplest()
        test = judged_on(model, known, source)
    low, high = standardised(model, known)

    def spread(part: Index) -> MeasuredSpread:
        values, weights = weighted(low[part], high[part])
        return MeasuredSpread(values, weights, int(known.exact[part].sum()))

    own = {each: spread(np.flatnonzero(fold != each)) for each in range(FOLDS)}
    placed = dict(zip(known.person.tolist(), fold.tolist(), strict=True))
    everybody = spread(np.arange(len(known)))
    return MarkerInUse(model, test, test.objection(), own, placed, everybody)


def next_values(use: MarkerInUse, last: MarkerChanges, hours: float, levels: Floats) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the lowest and the highest possible quantiles of the value so many hours after the last: float64[persons, levels].

    They differ where the last value is only known as a range. Raises `UsageError` for hours that were not measured.
    """
    days = np.full(len(last), _measured_days(hours))
    lows, highs = np.zeros((len(last), len(levels))), np.full((len(last), len(levels)), np.inf)
    below, above = np.isfinite(last.low), np.isfinite(last.high)
    for mine, spread in _compared(use, last.person):
        z = spread.ends(levels)
        from_low = _quantiles(use.model, np.where(below, last.low, last.high)[mine], last.slope[mine], days[mine], z)  # fmt: skip
        from_high = _quantiles(use.model, np.where(above, last.high, last.low)[mine], last.slope[mine], days[mine], z)  # fmt: skip
        lows[mine] = np.where(below[mine, None], np.minimum(from_low, from_high), 0.0)
        highs[mine] = np.where(above[mine, None], np.maximum(from_low, from_high), np.inf)
    return lows, highs


def how_usual(use: MarkerInUse, changes: MarkerChanges) -> tuple[Floats, Floats]:
    """Return for each change the lowest and the highest share of comparable ones that fell at least as far.

    A small share is a surprising fall. Between them lies what ranges and the number of comparable changes leave open;
    0 and 1 where the last value is only known as a range.
    """
    lows, highs = np.zeros(len(changes)), np.ones(len(changes))
    known = np.flatnonzero(changes.known)
    low, high = standardised(use.model, changes)
    for mine, spread in _compared(use, changes.person[known]):
        lows[known[mine]], highs[known[mine]] = spread.at_or_below(low[mine], high[mine])
    return lows, highs


def _compared(use: MarkerInUse, persons: Persons) -> Iterator[tuple[Index, MeasuredSpread]]:
    """Yield the positions of persons who are compared with the same changes, and these."""
    fold = np.array([use.fold.get(each, -1) for each in persons.tolist()], np.intp)
    for each in np.unique(fold).tolist():
        mine = np.flatnonzero(fold == each)
        yield mine, use.spread_for(int(persons[mine[0]]))


def _quantiles(model: MarkerModel, last: Floats, slope: Floats, days: Floats, z: Floats) -> Floats:
    middle, spread = model.moved(last, slope, days)
    return np.asarray(np.exp(middle[:, None] + spread[:, None] * z), np.float64)


def _measured_days(hours: float) -> float:
    least, most = SHORTEST * 24 / DAY, LONGEST * 24 / DAY
    if not least <= hours <= most:
        raise UsageError(
            f"{hours:g} h ahead was not measured", hint=f"Give {least:g} to {most:g} hours"
        )
    return hours / 24
