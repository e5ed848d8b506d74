"""What was measured of a marker's changes, as data: how they depend on time, direction and height."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np

from becalm.core import toml
from becalm.core.arrays import Floats
from becalm.core.stats import proportion
from becalm.markers.changes import DIRECTIONS, directions

FILE: Final = Path(__file__).parent / "measured.toml"
LEVELS: Final = np.concatenate([[0.01], np.arange(1, 40) / 40, [0.99]])
"""The levels of the quantiles that are kept."""
LAGS: Final = (30.0, 54.0)
"""Hours at which a lag is counted as two days, and as three, not as one."""
FEWEST: Final = 30
"""Fewest pairs of values with which a marker is shown."""
FEWEST_PERSONS: Final = 10
"""Fewest persons with pairs in some records, for their changes to stand for others."""
COVERED: Final = 0.9
"""The share of values that a 90 % interval promises."""
INTERVAL: Final = (0.05, 0.95)
Side = Literal["above", "below"]
Form = Literal["last", "direction", "direction, height", "direction, slope", "direction, height, slope"]  # fmt: skip
FORMS: Final[tuple[Form, ...]] = ("last", "direction", "direction, height", "direction, slope", "direction, height, slope")  # fmt: skip
"""What a model may use beside the last value and the time: from the simplest on."""


class MarkerTest(toml.TomlTable, frozen=True):
    """How a model did on records that it was not learned from.

    score, last_value : mean CRPS of the logarithm, of the model and of the last value with its measured spread, over the same
    pairs. covered : of `intervals` 90 % intervals, those that contain the value.
    """

    source: str
    pairs: int
    persons: int
    score: float
    last_value: float
    covered: int
    intervals: int

    @property
    def ratio(self) -> float:
        """The score by that of the last value: below 1 the model is better."""
        return self.score / self.last_value

    @property
    def coverage(self) -> tuple[float, float]:
        """The exact 95 % interval of the coverage."""
        return proportion(self.covered, self.intervals) or (0.0, 1.0)

    def objection(self) -> str:
        """Return why the model may not be shown; empty where it may.

        >>> MarkerTest(source="", pairs=29, persons=9, score=1, last_value=1, covered=26, intervals=29).objection()
        'tested on 29 pairs of values, fewer than 30'
        """
        if self.pairs < FEWEST or self.intervals < FEWEST:
            return (
                f"tested on {min(self.pairs, self.intervals)} pairs of values, fewer than {FEWEST}"
            )
        if self.score > self.last_value:
            return "the model loses to the last value"
        low, high = self.coverage
        if not low <= COVERED <= high:
            return f"90 % intervals held {self.covered} of {self.intervals} values, which contradicts 90 %"
        return ""


class MarkerModel(toml.TomlTable, frozen=True):
    """The measured changes of one marker. All of them are on the logarithmic scale.

    The next value is the last one, moved by `drift` (by direction), `pull` (times the height beyond the limit) and
    `slope` (times the slope before), all damped in time, with a spread that grows with the square root of time.
    quantiles : of the changes in units of that spread, at `LEVELS`. tested : on other records, with quantiles from other
    persons there. carried_over : on the same with the quantiles of this file.
    """

    variable: str
    unit: str
    limit: float
    side: Side
    form: Form
    drift: dict[str, float]
    spread: dict[str, float]
    lag_spread: tuple[float, float, float]
    pull: float
    height_spread: float
    slope: dict[str, float]
    quantiles: tuple[float, ...]
    last_value_quantiles: tuple[float, ...]
    pairs: int
    persons: int
    censored: int
    source: str
    tested: MarkerTest | None = None
    carried_over: MarkerTest | None = None

    def moved(self, last: Floats, slope: Floats, days: Floats) -> tuple[Floats, Floats]:
        """Return the middle and the spread of the next value's logarithm."""
        code = directions(slope)
        damped = 1 - np.exp(-days)
        height = self.height(last)
        move = np.array([self.drift[name] for name in DIRECTIONS])[code] + self.pull * height
        before = np.array([self.slope.get(name, 0.0) for name in DIRECTIONS])[code]
        move = move + before * np.nan_to_num(slope)
        spread = np.array([self.spread[name] for name in DIRECTIONS])[code]
        spread = spread * np.exp(self.height_spread * height) * self.unit_spread(days)
        return last + damped * move, spread

    def height(self, last: Floats) -> Floats:
        """Return how far a logarithm lies beyond the limit, on the side that disease moves it to."""
        beyond = last - np.log(self.limit)
        return np.asarray(np.maximum(beyond if self.side == "above" else -beyond, 0.0), np.float64)

    def unit_spread(self, days: Floats) -> Floats:
        """Return the spread by time alone."""
        spread: Floats = np.sqrt(days) * np.array(self.lag_spread)[lag_bin(days)]
        return spread

    def simplest(self) -> MarkerModel:
        """Return the last value with the measured spread by time: what every model is compared with."""
        same = dict.fromkeys(DIRECTIONS, 1.0)
        return msgspec.structs.replace(
            self, form="last", drift=dict.fromkeys(DIRECTIONS, 0.0), spread=same, pull=0.0,
            height_spread=0.0, slope={}, quantiles=self.last_value_quantiles,
            tested=None, carried_over=None,
        )  # fmt: skip


class Measured(toml.TomlTable, frozen=True):
    """The file of all markers."""

    not_validated: dict[str, str]
    marker: tuple[MarkerModel, ...]


def lag_bin(days: Floats) -> Any:
    """Return 0, 1 or 2 for about one, two or three days.

    >>> lag_bin(np.array([18, 29.9, 30, 53.9, 54, 84]) / 24).tolist()
    [0, 0, 1, 1, 2, 2]
    """
    return np.searchsorted(np.array(LAGS) / 24, days, "right")


def measured() -> Measured:
    """Return what comes with becalm.

    >>> "creatinine" in [each.variable for each in measured().marker]
    True
    """
    return toml.load(FILE, Measured)
