"""How much of a fall from a peak would be seen without any change.

A peak is the highest of several draws, so it is high in part by chance, and the next value is lower by
that part. How far draws scatter is taken from pairs of draws within a day of persons who are not in the
cohort. Such pairs also contain true change, so the spread, and what is explained by the choice, is rather too large.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from becalm.core import toml
from becalm.core.clock import Length
from becalm.core.frame import Frame
from becalm.measures.stage import Pooled, Stage, StageInput
from becalm.protocol import Protocol
from becalm.tables import REPEATED_DRAWS, SELECTION_EFFECT

FILE: Final = Path(__file__).with_suffix(".toml")


class DrawPairs(toml.TomlTable, frozen=True):
    """Which draws make a pair, and how many pairs an estimate needs."""

    variables: tuple[str, ...]
    within: Length
    fewest: int
    source: str
    verified: bool


class SelectionRules(toml.TomlTable, frozen=True):
    """The file `selection_effect.toml`."""

    pairs: DrawPairs


def rules() -> SelectionRules:
    """Return the shipped numbers."""
    return toml.load(FILE, SelectionRules)


@lru_cache(maxsize=256)
def expected_greatest(draws: int) -> float:
    """Return the expected greatest of so many independent standard normal deviates.

    >>> [round(expected_greatest(n), 3) for n in (1, 2, 3, 10)]
    [0.0, 0.564, 0.846, 1.539]
    """
    if draws < 1:
        raise ValueError(f"the greatest of {draws} draws does not exist")
    if draws == 1:
        return 0.0
    x = np.linspace(-9, 9, 18_001)
    below = np.array([0.5 * (1 + math.erf(each / math.sqrt(2))) for each in x])
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return float(np.trapezoid(draws * x * density * below ** (draws - 1), x))


def _asked(protocol: Protocol) -> list[str]:
    """Return the variables of the response whose peak is asked about."""
    return [name for name in protocol.response.variables if name in rules().pairs.variables]


def repeated_draws(given: StageInput) -> Frame:
    """Fill the table `repeated_draws` for the persons of the batch who are not in the cohort."""
    others = given.candidates.population & ~given.in_cohort
    within = rules().pairs.within.us
    rows: list[dict[str, Any]] = []
    for variable in _asked(given.protocol):
        points = given.patients.events.points(variable)
        usable = others[points.person] & (points.low == points.high) & (points.low > 0)
        person, time, value = points.person[usable], points.time[usable], points.low[usable]
        near = (person[1:] == person[:-1]) & (time[1:] - time[:-1] <= within)
        steps = np.diff(np.log(value))[near] if len(value) else np.empty(0)
        rows.append(
            {"variable": variable, "pairs": len(steps), "sum_of_squares": float((steps**2).sum())}
        )
    return Frame.of_rows(REPEATED_DRAWS, rows)


def selection_effect(tables: Mapping[str, Frame], protocol: Protocol) -> Frame:
    """Fill the table `selection_effect`."""
    pairs, slopes, response = (tables[name] for name in ("repeated_draws", "slopes", "response"))
    rows: list[dict[str, Any]] = []
    for variable in _asked(protocol):
        mine = pairs.take(pairs["variable"] == variable)
        n = int(mine["pairs"].sum())
        before = slopes.take(
            (slopes["variable"] == variable)
            & (slopes["from_clock"] == "t0")
            & (slopes["side"] == "before")
        )["draws_in_window"]
        draws = float(np.median(before[before > 0])) if (before > 0).any() else np.nan
        spread = expected = np.nan
        if n >= rules().pairs.fewest:
            deviation = math.sqrt(float(mine["sum_of_squares"].sum()) / (2 * n))
            spread = 100 * math.expm1(deviation)
            if not math.isnan(draws):
                greatest = expected_greatest(max(1, round(draws)))
                expected = -100 * math.expm1(-deviation * greatest)
        of = response.take((response["variable"] == variable) & (response["clock"] == "t0"))
        of = of.take(of["censored"] == "")
        rows.append(
            {
                "variable": variable,
                "pairs": n,
                "spread_percent": spread,
                "draws_before": draws,
                "expected_fall_percent": expected,
            }
            | _median_fall(of, "peak")
            | _median_fall(of, "baseline")
        )
    return Frame.of_rows(SELECTION_EFFECT, rows)


def _median_fall(response: Frame, start: str) -> dict[str, float]:
    """Return the median fall to 48 h in per cent, and of how many; NaN without anybody."""
    first, later = response[start], response["h48"]
    known = np.isfinite(first) & np.isfinite(later) & (first > 0)
    falls = 100 * (1 - later[known] / first[known])
    return {
        f"fall_from_{start}_n": len(falls),
        f"fall_from_{start}_percent": float(np.median(falls)) if len(falls) else math.nan,
    }


STAGES: Final = (Stage(REPEATED_DRAWS, repeated_draws, over="population", opens=()),)
POOLED: Final = (
    Pooled(SELECTION_EFFECT, selection_effect, needs=("repeated_draws", "slopes", "response")),
)
