"""The questions of the response tables: each person of the cohort at each known clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from becalm.core.arrays import Persons, Texts, Times
from becalm.core.clock import UNKNOWN_TIME
from becalm.core.frame import Frame

CLOCKS: Final = ("t0", "infusion_start", "high_rate")


@dataclass(frozen=True, eq=False)
class Questions:
    """One entry for each row of the cohort and each of its known clocks.

    at : position in the cohort; clock : its name; time : its time, µs.
    """

    cohort: Frame
    at: npt.NDArray[np.intp]
    clock: Texts
    time: Times

    @classmethod
    def of(cls, cohort: Frame) -> Questions:
        """Make one question for every known clock."""
        known = [np.flatnonzero(cohort[name] != UNKNOWN_TIME) for name in CLOCKS]
        return cls(
            cohort,
            np.concatenate(known),
            np.concatenate(
                [
                    np.full(len(at), name, dtype=object)
                    for name, at in zip(CLOCKS, known, strict=True)
                ]
            ),
            np.concatenate(
                [cohort[name][at] for name, at in zip(CLOCKS, known, strict=True)]
            ).astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.at)

    @property
    def person(self) -> Persons:
        """The codes of the persons, one entry a question."""
        return np.asarray(self.cohort["person"][self.at], dtype=np.int32)

    def column(self, name: str) -> npt.NDArray[Any]:
        """A column of the cohort, one entry a question."""
        return self.cohort[name][self.at]
