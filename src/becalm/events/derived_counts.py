"""Cell counts worked out from a percentage and the leucocytes of one specimen.

One specimen is one person and one time of drawing. A count that was reported there stands; none is worked out
beside it. A derived value is known when the last of its parts was.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Floats, Index, Mask, Times, expand, firsts
from becalm.core.frame import Frame, Kind
from becalm.vocabulary import Vocabulary

FILE: Final = Path(__file__).with_suffix(".toml")
WHOLE: Final = 100.0
"""Percent."""

PARTS: Final[Mapping[str, Kind]] = {
    "derived": "key",  # position of the derived value
    "row": "key",  # position in records.measurements of one of its parts
}


class DerivedCount(toml.TomlTable, frozen=True):
    """A count, the percentages that add up to it, and the cells of which they are percentages."""

    variable: str
    percent: str
    of: str
    source: str
    plus: tuple[str, ...] = ()


class _File(toml.TomlTable, frozen=True):
    count: tuple[DerivedCount, ...]


def derived_counts() -> tuple[DerivedCount, ...]:
    """Return the shipped rules."""
    return toml.load(FILE, _File).count


@dataclass(frozen=True, eq=False)
class DerivedValues:
    """The derived values of a chunk: rows like those of `EVENTS`, numbered from 0, and the rows of their parts."""

    frame: Frame
    parts: Frame

    def rows_of(self, number: int) -> list[int]:
        """Return the rows of the records from which a value was worked out."""
        rows: list[int] = self.parts["row"][self.parts["derived"] == number].tolist()
        return rows


def derive(frame: Frame, voids: Frame, vocabulary: Vocabulary) -> DerivedValues:
    """Return the counts that nobody reported, from values sorted by person, time and variable.

    voids : the corrections that have no value; nothing is derived from a part that was taken back.
    """
    instant = _instants(frame)
    values: list[Frame] = []
    parts: list[Frame] = []
    for rule in derived_counts():
        void = _taken_back(voids, rule, vocabulary)
        found = _derive(frame, instant, rule, vocabulary, void=void, first=sum(map(len, values)))
        values.append(found.frame)
        parts.append(found.parts)
    return DerivedValues(Frame.concat(values), Frame.concat(parts))


def inserted(frame: Frame, derived: Frame, many: int) -> Frame:
    """Return sorted values with the derived ones at their places; `many` is the number of variables.

    Each derived value stands behind the reported values of its variable and instant, of which there are none.
    """
    if not len(derived):
        return frame
    instant = _instants(frame)
    place = np.searchsorted(
        instant * many + frame["variable"], derived["start_of"] * many + derived["variable"]
    )
    at = np.sort(place) + np.arange(len(place))
    order = np.full(len(frame) + len(derived), -1)
    order[at] = len(frame) + np.argsort(place, kind="stable")
    order[order < 0] = np.arange(len(frame))
    return Frame.concat([frame, derived.select(frame.columns)]).take(order)


def _instants(frame: Frame) -> Times:
    """Number the instants of all persons."""
    person, time = frame["person"], frame["time"]
    new = np.ones(len(frame), np.int64)
    new[1:] = (person[1:] != person[:-1]) | (time[1:] != time[:-1])
    return np.cumsum(new)


def _derive(
    frame: Frame,
    instant: Times,
    rule: DerivedCount,
    vocabulary: Vocabulary,
    *,
    void: Set[tuple[int, int]],
    first: int,
) -> DerivedValues:
    variable = frame["variable"]

    def of(name: str) -> Index:
        return np.flatnonzero(variable == vocabulary.code(name))

    percent, cells = of(rule.percent), of(rule.of)
    percent = percent[~np.isin(instant[percent], instant[of(rule.variable)])]
    if void:
        draws = zip(frame["person"][percent].tolist(), frame["time"][percent].tolist(), strict=True)
        percent = percent[[draw not in void for draw in draws]]
    which, beside = expand(
        np.searchsorted(instant[cells], instant[percent], "left"),
        np.searchsorted(instant[cells], instant[percent], "right"),
    )
    share, total = percent[which], cells[beside]
    low, high = frame["low"][share].copy(), frame["high"][share].copy()
    available, known = frame["available"][share], frame["available_known"][share]
    pairs = [(np.arange(len(share)), share), (np.arange(len(share)), total)]
    for name in rule.plus:
        added = of(name)
        number, at = expand(
            np.searchsorted(instant[added], instant[share], "left"),
            np.searchsorted(instant[added], instant[share], "right"),
        )
        start = firsts(number)
        if len(start):
            low[number[start]] += np.minimum.reduceat(frame["low"][added[at]], start)
            high[number[start]] += np.maximum.reduceat(frame["high"][added[at]], start)
            last = np.maximum.reduceat(frame["available"][added[at]], start)
            available[number[start]] = np.maximum(available[number[start]], last)
            pairs.append((number, added[at]))
    low, high = np.minimum(low, WHOLE), np.minimum(high, WHOLE)
    numbers, positions = (np.concatenate(each) for each in zip(*pairs, strict=True))
    order = np.argsort(numbers, kind="stable")
    unknown = np.full(len(share), np.nan)
    values = frame.take(share).replace(
        variable=np.full(len(share), vocabulary.code(rule.variable), np.int32),
        low=_product(low, frame["low"][total]),
        high=_product(high, frame["high"][total]),
        available=np.maximum(available, frame["available"][total]),
        available_known=known & frame["available_known"][total],
        report=np.maximum(frame["report"][share], frame["report"][total]),
        ref_low=unknown,
        ref_high=unknown,
        row=first + np.arange(len(share)),
        start_of=instant[share],
    )
    return DerivedValues(
        values,
        Frame.of(PARTS, derived=first + numbers[order], row=frame["row"][positions[order]]),
    )


def _taken_back(
    voids: Frame, rule: DerivedCount, vocabulary: Vocabulary
) -> frozenset[tuple[int, int]]:
    """Return the draws, as person and time, of which a part was taken back without a new value."""
    codes = [vocabulary.code(name) for name in (rule.percent, rule.of, *rule.plus)]
    mine = voids.take(np.isin(voids["variable"], codes))
    return frozenset(zip(mine["person"].tolist(), mine["time"].tolist(), strict=True))


def _product(percent: Floats, cells: Floats) -> Floats:
    """Return the cells of a percentage; none of any number of cells is none."""
    some: Mask = percent > 0
    counted = np.where(some, percent, 0.0) * np.where(some, cells, 0.0) / WHOLE
    return np.round(counted, 9)
