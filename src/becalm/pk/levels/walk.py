"""How the parameters of one patient lie around the model: fixed factors, and a clearance that moves.

Everything is written in standard normal numbers, one column each: first those of the fixed parts, then that of the
clearance at the beginning and those of its steps. The clearance keeps one value for some hours; from one such step to the
next its logarithm moves by chance, as a random walk around what the model says for the covariates of that hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from becalm.core.arrays import Floats, Index
from becalm.pk.model import PkModel

SHORTEST_STEP: Final = 12.0
"""Hours for which a patient's clearance keeps one value; longer in a course of many weeks."""
MOST_STEPS: Final = 160
_DAY: Final = 24.0


@dataclass(frozen=True, eq=False)
class Deviations:
    """How standard normal numbers become factors of a patient.

    fixed : the parts that do not move, with the standard deviation of their logarithm. step : h. moving : the logarithm
    of the clearance's factor in each step (rows) from the normal numbers (columns). moves : the standard deviation of one
    step, 0 where the clearance does not move. into : how much of the first step has passed at hour 0, h.
    """

    fixed: tuple[tuple[str, float], ...]
    step: float
    moving: Floats
    moves: float
    into: float = 0.0

    @classmethod
    def of(
        cls, model: PkModel, hours: float, parts: frozenset[str], *, walks: bool = True
    ) -> Deviations:
        """Return it for a course of some hours.

        parts : those that matter in it. walks : False for a clearance that is fixed, as in the usual update.
        """
        step = max(SHORTEST_STEP, hours / MOST_STEPS)
        steps = max(1, int(np.ceil(hours / step - 1e-9)))
        fixed = tuple(
            (name, each.value) for name, each in model.spreads.items() if name != "clearance" and name in parts
        )  # fmt: skip
        if "clearance" not in model.spreads:
            return cls(fixed, step, np.zeros((steps, 0)), 0.0)
        moving = np.full((steps, 1), model.spreads["clearance"].value)
        moves = moved_in(model, step) if walks else 0.0
        if moves:
            later = np.arange(steps)[:, None] > np.arange(steps - 1)[None, :]
            moving = np.concatenate([moving, later * moves], axis=1)
        return cls(fixed, step, moving, moves)

    @property
    def size(self) -> int:
        """How many normal numbers make a patient."""
        return len(self.fixed) + int(self.moving.shape[1])

    @property
    def steps(self) -> int:
        """How many steps the clearance has."""
        return len(self.moving)

    @property
    def borders(self) -> Floats:
        """When a step ends and the next one begins, h."""
        number: Floats = np.arange(1, self.steps, dtype=np.float64)
        return number * self.step - self.into

    def onward(self, now: float, hours: float) -> Deviations:
        """Return the steps of some hours from now on; the first one is the last of these, which goes on."""
        into = now - (self.steps - 1) * self.step
        steps = max(1, int(np.ceil((into + hours) / self.step - 1e-9)))
        return Deviations(self.fixed, self.step, np.zeros((steps, 0)), self.moves, into)

    def factors(self, normal: Floats) -> dict[str, Floats]:
        """Return the factor of each fixed part, one value for each row of normal numbers."""
        return {
            name: np.exp(normal[:, at] * spread) for at, (name, spread) in enumerate(self.fixed)
        }

    def log_clearance(self, normal: Floats) -> Floats:
        """Return the logarithm of the clearance's factor, [row, step]."""
        found: Floats = normal[:, len(self.fixed) :] @ self.moving.T
        return found

    def step_of(self, hours: Floats) -> Index:
        """Return the step in which each time lies; the last one goes on."""
        passed = (hours + self.into) / self.step
        found: Index = np.clip((passed + 1e-9).astype(np.intp), 0, self.steps - 1)
        return found


def moved_in(model: PkModel, hours: float) -> float:
    """Return the standard deviation of how far the logarithm of clearance moves in some hours; 0 without a walk."""
    walk = model.walks.get("clearance")
    return 0.0 if walk is None else walk.value * sqrt(hours / _DAY)
