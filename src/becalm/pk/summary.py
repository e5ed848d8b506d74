"""What is kept of many virtual patients: each one's measures, or, of more than can be kept, counts in narrow bins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Final, NamedTuple

import numpy as np

from becalm.core.arrays import Array, Floats, Index
from becalm.pk.grid import Breakpoints, DoseArrays
from becalm.pk.histogram import Histogram
from becalm.pk.measures import SHARES, Key, by_the_first, measures, spread
from becalm.pk.virtual import BLOCK, Curves, VirtualPatients

MOST_KEPT: Final = 20_000
"""Up to so many virtual patients every one is kept, and quantiles are exact."""


class PlannedCourse(NamedTuple):
    """A regimen on its breakpoints. printed : positions of the borders that are printed."""

    grid: Breakpoints
    given: DoseArrays
    printed: Index


class Spread(NamedTuple):
    """A measure of the typical patient, its quantiles in virtual ones, and the share in whom it is infinite."""

    typical: float
    shares: Mapping[str, float]
    never: float


class RegimenSummary(NamedTuple):
    """What one regimen does. typical : levels of the typical patient at the printed hours, mg/L.

    levels : [share, printed hour], mg/L, not a number without virtual patients. reached : [target, printed hour], the
    share of virtual patients at or above the target; of the typical one, 0 or 1, without them.
    """

    typical: Floats
    levels: Floats
    reached: Floats
    measures: Mapping[Key, Spread]


def summarise(
    patients: VirtualPatients,
    courses: Sequence[PlannedCourse],
    targets: Sequence[float],
    threads: int,
) -> list[RegimenSummary]:
    """Return what each regimen does in the same virtual patients."""
    if patients.patients > MOST_KEPT:
        return _counted(patients, courses, targets, threads)
    return _kept(patients, courses, targets, threads)


# ------------------------------------------------------------ everybody is kept


def _kept(
    patients: VirtualPatients,
    courses: Sequence[PlannedCourse],
    targets: Sequence[float],
    threads: int,
) -> list[RegimenSummary]:
    found, first = [], None
    for course in courses:
        curves = patients.curves(course.grid, course.given, threads)
        by = by_the_first(measures(course.grid.hours, curves, targets), first)
        first = by if first is None else first
        level = curves.after[:, course.printed]
        shares = np.full((len(SHARES), level.shape[1]), np.nan)
        others = level[1:] if len(level) > 1 else level
        if len(level) > 1:
            shares = np.quantile(others, list(SHARES.values()), axis=0)
        reached = np.stack([(others >= each).mean(axis=0) for each in targets]) if targets else np.empty((0, level.shape[1]))  # fmt: skip
        found.append(
            RegimenSummary(
                level[0], shares, reached, {key: _spread(values) for key, values in by.items()}
            )
        )
    return found


def _spread(values: Floats) -> Spread:
    found = spread(values)
    others = values[1:] if len(values) > 1 else values
    return Spread(found.pop("typical"), found, float(np.isinf(others).mean()))


# ------------------------------------------------------------ everybody is counted


class _Counts:
    """Counts of one regimen: levels at the printed hours, how many are at or above each target, measures."""

    def __init__(self, course: PlannedCourse, targets: Sequence[float]) -> None:
        self.targets = targets
        self.levels = Histogram(len(course.printed))
        self.reached: Array = np.zeros((len(targets), len(course.printed)), np.int64)
        self.measures: dict[Key, Histogram] = {}
        self.never: dict[Key, int] = {}

    def add(self, course: PlannedCourse, curves: Curves, by: Mapping[Key, Floats]) -> None:
        level = np.ascontiguousarray(curves.after[:, course.printed].T)
        self.levels.add(level)
        for at, target in enumerate(self.targets):
            self.reached[at] += (level >= target).sum(axis=1)
        for key, values in by.items():
            known = values[~np.isnan(values)]
            self.measures.setdefault(key, Histogram(1)).add(known[None])
            self.never[key] = self.never.get(key, 0) + int(np.isinf(values).sum())

    def merge(self, other: _Counts) -> None:
        self.levels.merge(other.levels)
        self.reached += other.reached
        for key, histogram in other.measures.items():
            self.measures[key].merge(histogram)
            self.never[key] += other.never[key]

    def summary(self, typical: RegimenSummary, patients: int) -> RegimenSummary:
        spreads = {
            key: Spread(
                typical.measures[key].typical,
                dict(zip(SHARES, histogram.quantiles(list(SHARES.values()))[:, 0].tolist(), strict=True)),
                self.never[key] / patients,
            )
            for key, histogram in self.measures.items()
        }  # fmt: skip
        levels = self.levels.quantiles(list(SHARES.values()))
        return RegimenSummary(typical.typical, levels, self.reached / patients, spreads)


def _counted(
    patients: VirtualPatients,
    courses: Sequence[PlannedCourse],
    targets: Sequence[float],
    threads: int,
) -> list[RegimenSummary]:
    """Take the patients block by block; each thread counts its own blocks, and the counts are added."""
    blocks = ceil(patients.patients / BLOCK)

    def part(numbers: range) -> list[_Counts]:
        counts = [_Counts(course, targets) for course in courses]
        for number in numbers:
            factors = patients.factors(number)
            first = None
            for course, count in zip(courses, counts, strict=True):
                curves = patients.block(course.grid, course.given, factors)
                by = by_the_first(measures(course.grid.hours, curves, targets), first)
                first = by if first is None else first
                count.add(course, curves, by)
        return counts

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(part, _ranges(blocks, threads)))
    total = parts[0]
    for other in parts[1:]:
        for mine, theirs in zip(total, other, strict=True):
            mine.merge(theirs)
    alone = _kept(VirtualPatients(patients.model, 0, patients.seed), courses, targets, 1)
    return [
        count.summary(typical, patients.patients)
        for count, typical in zip(total, alone, strict=True)
    ]


def _ranges(blocks: int, threads: int) -> Iterator[range]:
    """Share blocks among threads."""
    size = ceil(blocks / threads)
    return (range(begin, min(begin + size, blocks)) for begin in range(0, blocks, size))
