"""How likely a measured concentration is: its error, and levels of which only a limit is known.

The error of the model's file (a share and a concentration) is taken as one of the logarithm: a concentration is never
below 0, and the median of what is measured is the true concentration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from becalm.core.arrays import Floats
from becalm.core.errors import UsageError
from becalm.pk import units
from becalm.pk.levels import normal
from becalm.pk.levels.course import PkLevel
from becalm.pk.model import PkModel

_LEAST: Final = 1e-12
_HALF_LOG_TWO_PI: Final = 0.9189385332046727
_TO: Final = {"proportional": "1", "additive": "mg/L"}


@dataclass(frozen=True)
class LevelError:
    """The error of a level: a share of the concentration, and mg/L."""

    share: float
    added: float

    @classmethod
    def of(cls, model: PkModel) -> LevelError:
        """Return the error of a model. Raises `UsageError` where it has none."""
        sizes = {name: each.value * units.factor(each.unit, _TO[name]) for name, each in model.residual.items()}  # fmt: skip
        if not any(sizes.values()):
            raise UsageError(
                f"{model.name} does not say how far a measured level lies from the curve",
                hint="Add [residual.proportional] or [residual.additive] to its file",
            )
        return cls(sizes.get("proportional", 0.0), sizes.get("additive", 0.0))

    def spread(self, log_level: Floats) -> Floats:
        """Return the standard deviation of the logarithm of what is measured at a true concentration."""
        relative = self.share**2 + (self.added * np.exp(-np.maximum(log_level, -20.0))) ** 2
        found: Floats = np.sqrt(np.log1p(relative))
        return found

    def log_density(self, level: PkLevel, log_level: Floats) -> Floats:
        """Return the logarithm of a level's likelihood at true concentrations (as logarithms)."""
        spread = self.spread(log_level)
        if level.exact:
            apart = (np.log(level.low) - log_level) / spread
            found: Floats = -0.5 * apart**2 - np.log(spread) - _HALF_LOG_TWO_PI
            return found
        high = np.full_like(log_level, np.inf) if level.high == np.inf else (np.log(level.high) - log_level) / spread  # fmt: skip
        if level.low <= 0:
            below: Floats = normal.log_below(high)
            return below
        low = (np.log(level.low) - log_level) / spread
        # In the upper tail the difference is taken from above, where its numbers are exact.
        upper = low > 0
        high, low = np.where(upper, -low, high), np.where(upper, -high, low)
        between: Floats = normal.log_below(high) + np.log1p(-np.exp(np.minimum(normal.log_below(low) - normal.log_below(high), -_LEAST)))  # fmt: skip
        return between

    def below(self, value: float, log_level: Floats) -> Floats:
        """Return how probable a measured level below a value is at each true concentration."""
        if value <= 0:
            return np.zeros_like(log_level)
        found: Floats = normal.below((np.log(value) - log_level) / self.spread(log_level))
        return found
