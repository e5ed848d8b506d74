"""Measuring how a marker changes in some records, and testing it on others, always by person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from becalm.core.arrays import Floats, Index, Mask, Persons
from becalm.markers.changes import DIRECTIONS, FALLING, RISING, MarkerChanges, directions
from becalm.markers.distribution import crps, quantiles, weighted
from becalm.markers.model import (
    FEWEST,
    FORMS,
    INTERVAL,
    LEVELS,
    Form,
    MarkerModel,
    MarkerTest,
    Side,
    lag_bin,
)

FOLDS: Final = 5
SHRINK: Final = 30
"""Pairs: a part with so many is moved halfway from the whole to its own."""
WORTH: Final = 0.99
"""A richer form must bring the score to this part of the best simpler one."""
_HEIGHT_SPREADS: Final = np.arange(0, 7) / 10


@dataclass(frozen=True)
class MarkerToLearn:
    """A marker to learn about. limit : beyond it, on its side, height counts."""

    variable: str
    unit: str
    limit: float
    side: Side = "above"


def learn(marker: MarkerToLearn, changes: MarkerChanges, source: str) -> MarkerModel:
    """Learn from changes; the form is the one with the best score in persons left out.

    Raises `ValueError` under 30 pairs of exact values.
    """
    exact = changes.take(changes.exact)
    if len(exact) < FEWEST:
        raise ValueError(f"{marker.variable}: {len(exact)} pairs of values, fewer than {FEWEST}")
    chosen: Form = "last"
    best = _left_out(marker, exact, chosen)
    for form in FORMS[1:]:
        score = _left_out(marker, exact, form)
        if score < WORTH * best:
            chosen, best = form, score
    return fit(marker, changes, chosen, source)


def fit(marker: MarkerToLearn, changes: MarkerChanges, form: Form, source: str = "") -> MarkerModel:
    """Fit one form: medians and mean absolute deviations, small parts moved towards the whole."""
    exact = changes.take(changes.exact)
    model = _bare(marker, changes, source)
    change, days = exact.next_low - exact.low, exact.days
    model = msgspec.structs.replace(model, lag_spread=_by_lag(np.abs(change), days))
    simplest = model.simplest()
    z = quantiles(*weighted(*standardised(simplest, changes)))
    model = msgspec.structs.replace(model, last_value_quantiles=tuple(z.tolist()), form=form)
    code, height = directions(exact.slope), model.height(exact.low)
    damped = 1 - np.exp(-days)
    rest = change.copy()
    if "slope" in form:
        found = {
            name: _slope(rest, damped * exact.slope, code == at)
            for at, name in ((FALLING, "falling"), (RISING, "rising"))
        }
        model = msgspec.structs.replace(model, slope=found)
    if "height" in form:
        rest = exact.next_low - model.moved(exact.low, exact.slope, days)[0]
        pull = _slope(rest, damped * height, height > 0)
        model = msgspec.structs.replace(model, pull=pull)
    if form != "last":
        rest = exact.next_low - model.moved(exact.low, exact.slope, days)[0]
        drift = {name: _median(rest / damped, code == at) for at, name in enumerate(DIRECTIONS)}
        model = msgspec.structs.replace(model, drift=drift)
        rest = np.abs(exact.next_low - model.moved(exact.low, exact.slope, days)[0])
        rest = rest / model.unit_spread(days)
        if "height" in form:
            model = msgspec.structs.replace(model, height_spread=_growth(rest, height))
            rest = rest / np.exp(model.height_spread * height)
        spread = {name: _relative(rest, code == at) for at, name in enumerate(DIRECTIONS)}
        model = msgspec.structs.replace(model, spread=spread)
    z = quantiles(*weighted(*standardised(model, changes)))
    return msgspec.structs.replace(model, quantiles=tuple(z.tolist()))


def standardised(model: MarkerModel, changes: MarkerChanges) -> tuple[Floats, Floats]:
    """Return the lowest and the highest possible change, in units of the model's spread, where the last value is exact."""
    known = changes.take(changes.known)
    middle, spread = model.moved(known.low, known.slope, known.days)
    return (known.next_low - middle) / spread, (known.next_high - middle) / spread


def folds(persons: Persons) -> Index:
    """Return the fold of each pair: every fifth person is in the same one."""
    _, rank = np.unique(persons, return_inverse=True)
    return np.asarray(rank % FOLDS, np.intp)


def judged_on(model: MarkerModel, changes: MarkerChanges, source: str, *, calibrated: bool = True) -> MarkerTest:  # fmt: skip
    """Test a model on pairs that it was not learned from, beside the last value with its measured spread.

    calibrated : the quantiles of both come from other persons of the same records; else those of the model are used.
    A value that is only known as a range has no score, and counts for coverage where it is certain.
    """
    known = changes.take(changes.known)
    score, inside, outside = scores(model, known, calibrated)
    last, _, _ = scores(model.simplest(), known, calibrated)
    exact = known.exact
    return MarkerTest(
        source=source,
        pairs=int(exact.sum()),
        persons=len(np.unique(known.person[exact])),
        score=float(score[exact].mean()) if exact.any() else np.nan,
        last_value=float(last[exact].mean()) if exact.any() else np.nan,
        covered=int(inside.sum()),
        intervals=int((inside | outside).sum()),
    )


def scores(model: MarkerModel, known: MarkerChanges, calibrated: bool) -> tuple[Floats, Mask, Mask]:  # fmt: skip
    """Return the score of each pair (NaN without one), and whether the 90 % interval certainly holds the value, certainly does not.

    known : changes whose last value is a number. calibrated : as in `judged_on`.
    """
    middle, spread = model.moved(known.low, known.slope, known.days)
    low, high = standardised(model, known)
    score = np.full(len(known), np.nan)
    inside, outside = np.zeros(len(known), np.bool_), np.zeros(len(known), np.bool_)
    fold = folds(known.person)
    for each in range(FOLDS if calibrated else 1):
        mine = fold == each if calibrated else np.ones(len(known), np.bool_)
        z = np.array(model.quantiles)
        ends = z[np.searchsorted(LEVELS, INTERVAL)]
        if calibrated:
            others = weighted(low[~mine], high[~mine])
            if not len(others[0]):
                continue
            z, ends = quantiles(*others), quantiles(*others, np.array(INTERVAL))
        some = np.flatnonzero(mine & known.exact)
        score[some] = crps(middle[some], spread[some], z, known.next_low[some])
        inside |= mine & (low >= ends[0]) & (high <= ends[1])
        outside |= mine & ((high < ends[0]) | (low > ends[1]))
    return score, inside, outside


def _left_out(marker: MarkerToLearn, exact: MarkerChanges, form: Form) -> float:
    """Return the mean score of persons that were left out of fitting."""
    fold = folds(exact.person)
    total = 0.0
    for each in np.unique(fold):
        model = fit(marker, exact.take(fold != each), form)
        mine = exact.take(fold == each)
        middle, spread = model.moved(mine.low, mine.slope, mine.days)
        total += float(crps(middle, spread, np.array(model.quantiles), mine.next_low).sum())
    return total / len(exact)


def _bare(marker: MarkerToLearn, changes: MarkerChanges, source: str) -> MarkerModel:
    """Return a model that knows nothing yet."""
    return MarkerModel(
        variable=marker.variable, unit=marker.unit, limit=marker.limit, side=marker.side, form="last",
        drift=dict.fromkeys(DIRECTIONS, 0.0), spread=dict.fromkeys(DIRECTIONS, 1.0),
        lag_spread=(1.0, 1.0, 1.0), pull=0.0, height_spread=0.0, slope={}, quantiles=(), last_value_quantiles=(),
        pairs=int(changes.exact.sum()), persons=len(np.unique(changes.person[changes.exact])),
        censored=int((~changes.exact).sum()), source=source,
    )  # fmt: skip


def _by_lag(size: Floats, days: Floats) -> tuple[float, float, float]:
    """Return the mean absolute change by the square root of time, for about one, two and three days."""
    rate = size / np.sqrt(days)
    whole = float(rate.mean())
    parts = [rate[lag_bin(days) == each] for each in range(3)]
    one, two, three = ((float(p.sum()) + SHRINK * whole) / (len(p) + SHRINK) for p in parts)
    return one, two, three


def _slope(rest: Floats, x: Floats, part: Mask) -> float:
    """Return the slope through zero with the least absolute error, moved towards 0; 0 under 30 pairs.

    It is the weighted median of the ratios.
    """
    part = part & np.isfinite(x) & (x != 0)
    n = int(part.sum())
    if n < FEWEST:
        return 0.0
    ratio, weight = rest[part] / x[part], np.abs(x[part])
    order = np.argsort(ratio, kind="stable")
    cumulative = np.cumsum(weight[order])
    at = int(np.searchsorted(cumulative, cumulative[-1] / 2))
    return float(ratio[order][at]) * n / (n + SHRINK)


def _median(rest: Floats, part: Mask) -> float:
    """Return the median, moved towards 0; 0 under 30 pairs."""
    n = int(part.sum())
    return float(np.median(rest[part])) * n / (n + SHRINK) if n >= FEWEST else 0.0


def _relative(rest: Floats, part: Mask) -> float:
    """Return the mean of a part by that of the whole, moved towards 1."""
    whole = float(rest.mean())
    return (float(rest[part].sum()) / whole + SHRINK) / (int(part.sum()) + SHRINK)


def _growth(rest: Floats, height: Floats) -> float:
    """Return how the logarithm of the spread grows with height: the most likely one, moved towards 0.

    The likelihood is that of a Laplace distribution.
    """
    n = int((height > 0).sum())
    if n < FEWEST:
        return 0.0

    def cost(growth: float) -> float:
        scaled = rest / np.exp(growth * height)
        return float(np.log(scaled.mean()) + growth * height.mean())

    best: float = min(_HEIGHT_SPREADS.tolist(), key=cost)
    return best * n / (n + SHRINK)
