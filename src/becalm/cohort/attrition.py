"""Attrition: the step and reason at which persons leave, and the persons, stays and rows that remain."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from becalm.core.arrays import Mask
from becalm.core.frame import Frame
from becalm.tables import ATTRITION, LEFT

if TYPE_CHECKING:
    from becalm.cohort.selection import Selection
    from becalm.patients.understood import Patients


@dataclass(frozen=True)
class AttritionStep:
    """One step: the persons who remain after it, and the reason why the others left.

    undetermined : of those who remain, the persons for whom the records leave the reason open.
    """

    reason: str
    remaining: Mask
    undetermined: Mask | None = None


def largest_losses(attrition: Frame) -> list[tuple[int, str]]:
    """Return how many persons left at each step and why, the largest loss first; from the table."""
    rows = sorted(attrition.rows(), key=lambda row: int(row["step"]))
    lost = [
        (int(before["persons"] - row["persons"]), str(row["reason"]))
        for before, row in pairwise(rows)
    ]
    return sorted((each for each in lost if each[0]), key=lambda each: -each[0])


def leave(
    steps: list[AttritionStep], reason: str, stays: Mask, undetermined: Mask | None = None
) -> None:
    """Add a step: of the remaining persons, those outside `stays` leave for this reason."""
    remaining = steps[-1].remaining & stays
    steps.append(
        AttritionStep(reason, remaining, None if undetermined is None else remaining & undetermined)
    )


@dataclass
class Attrition:
    """The sums of the steps over all batches of patients."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    person_ids: list[str] = field(default_factory=list)
    left_at: list[int] = field(default_factory=list)

    def add(self, patients: Patients, selection: Selection) -> None:
        """Count the persons, stays and rows of one batch that remain after each step."""
        records = patients.records
        left_at = np.full(len(patients), -1)
        for number, step in enumerate(selection.steps):
            count = self.counts.setdefault(step.reason, Counter())
            count["persons"] += int(step.remaining.sum())
            count["stays"] += int(step.remaining[records.stays["person"]].sum())
            open_ = 0 if step.undetermined is None else int(step.undetermined.sum())
            count["undetermined"] += open_
            count["rows"] += int(step.remaining[records.measurements["person"]].sum())
            count["rows"] += int(step.remaining[records.administrations["person"]].sum())
            left_at[(left_at < 0) & ~step.remaining] = number
        self.person_ids += records.persons["person_id"].tolist()
        self.left_at += left_at.tolist()

    def join(self, later: Attrition) -> None:
        """Add the sums of later batches."""
        for reason, counts in later.counts.items():
            self.counts.setdefault(reason, Counter()).update(counts)
        self.person_ids += later.person_ids
        self.left_at += later.left_at

    def table(self) -> Frame:
        """Return the table `attrition`."""
        return Frame.of_rows(
            ATTRITION,
            [
                {"step": step, "reason": reason, **count}
                for step, (reason, count) in enumerate(self.counts.items())
            ],
        )

    def left(self) -> Frame:
        """Return the table `left`: the step at which each person left."""
        gone = [at >= 0 for at in self.left_at]
        return Frame.of(
            LEFT,
            person_id=[who for who, out in zip(self.person_ids, gone, strict=True) if out],
            step=[at for at in self.left_at if at >= 0],
        )

    def reasons(self) -> dict[str, tuple[int, str]]:
        """Return the step at which each person left and its reason; (-1, '') for the cohort."""
        steps = list(self.counts)
        return {
            who: (at, steps[at] if at >= 0 else "")
            for who, at in zip(self.person_ids, self.left_at, strict=True)
        }
