"""Weights that cannot both be true: which measured ones stand, and which are set aside.

A measured weight is set aside if it is off by the factor `apart` of `weight.toml` from both its
neighbours, or from its only neighbour and the persons sheet, both times in the same direction: a weight
between its neighbours is growth or a loss of fluid. If two weights disagree and nothing else stands,
neither is set aside. The neighbours are those that stand themselves, so the weight that is furthest off
is set aside first.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Mask, Times
from becalm.timeline import Points, rounded

_NEARLY: Final = 0.999


def off(kg: Floats, other: Floats, apart: float) -> Mask:
    """Return where two weights differ by the factor `apart` or more; False where one is not known.

    >>> off(np.array([105.0, 104.9]), np.array([70.0, 70.0]), 1.5).tolist()
    [True, False]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.maximum(kg, other) / np.minimum(kg, other)
        candidates = np.flatnonzero(
            ratio > apart * _NEARLY
        )  # rounding millions of ratios takes long
    far = np.zeros(len(ratio), np.bool_)
    far[candidates] = rounded(ratio[candidates]) >= apart
    return far


def off_from_both(kg: Floats, first: Floats, second: Floats, apart: float) -> Mask:
    """Return where a weight is off from two others, above both or below both.

    >>> two = np.array([70.0, 46.0]), np.array([71.0, 107.0])
    >>> off_from_both(np.array([154.0, 70.0]), *two, 1.5).tolist()
    [True, False]
    """
    one_side = (kg > first) == (kg > second)
    return np.asarray(off(kg, first, apart) & off(kg, second, apart) & one_side, np.bool_)


def outliers(points: Points, sheet: Floats, apart: float) -> Mask:
    """Return which measured weights are set aside.

    points : exact weights in kg. sheet : kg of the persons sheet at each point, NaN if there is none.
    """
    aside = np.zeros(len(points), np.bool_)
    suspects = np.flatnonzero(_suspected(points, sheet, apart))
    for person in np.unique(points.person[suspects]).tolist():
        first, stop = np.searchsorted(points.person, (person, person + 1)).tolist()
        gone = _furthest_first(points.low[first:stop], sheet[first:stop], apart)
        aside[[first + at for at in gone]] = True
    return aside


def _suspected(points: Points, sheet: Floats, apart: float) -> Mask:
    """Return the weights that are set aside if all others stand; without any, none ever is."""
    before, after = np.full(len(points), np.nan), np.full(len(points), np.nan)
    same = points.person[1:] == points.person[:-1]
    before[1:] = np.where(same, points.low[:-1], np.nan)
    after[:-1] = np.where(same, points.low[1:], np.nan)
    return off_from_both(
        points.low,
        np.where(np.isnan(before), after, before),
        np.where(np.isnan(before) | np.isnan(after), sheet, after),
        apart,
    )


def _furthest_first(kg: Floats, sheet: Floats, apart: float) -> list[int]:
    """Return the positions of one person's weights that are set aside, the furthest off first."""
    standing = np.arange(len(kg))
    gone: list[int] = []
    while len(standing) > 1:
        own = kg[standing]
        before, after = np.append(np.nan, own[:-1]), np.append(own[1:], np.nan)
        before[0], after[-1] = sheet[standing[0]], sheet[standing[-1]]
        off_by = np.where(
            off_from_both(own, before, after, apart),
            np.minimum(*(np.maximum(own / each, each / own) for each in (before, after))),
            0.0,
        )
        worst = int(np.argmax(off_by))
        if off_by[worst] <= 0:
            break
        gone.append(int(standing[worst]))
        standing = np.delete(standing, worst)
    return gone


def restated(kg: Floats, admission: Mask, dosing: Mask, group: Times, share: float) -> Mask:
    """Return which weights are charted again without weighing.

    kg : sorted by time within each stay. admission : named as an admission weight; it repeats an earlier
    weight of the stay if it differs by no more than `share`. dosing : named as a dosing weight; it is no
    measurement where the stay has an earlier weight. group : the first position of each weight's stay.
    """
    repeats = np.zeros(len(kg), np.bool_)
    for at in np.flatnonzero(admission | dosing).tolist():
        earlier = kg[group[at] : at][~np.isnan(kg[group[at] : at])]
        near = np.abs(rounded(earlier - kg[at])) <= rounded(share * earlier)
        repeats[at] = bool(len(earlier) if dosing[at] else near.any())
    return repeats
