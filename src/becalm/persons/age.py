"""The age of a person at a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Mask, Persons, Times
from becalm.core.clock import DAY, UNKNOWN_TIME, YEAR, calendar_year, completed_years
from becalm.core.frame import Frame
from becalm.records import possible
from becalm.timeline import Timeline, combine, rounded

FILE: Final = Path(__file__).with_suffix(".toml")
_ABOVE_ANY: Final = 1e6
"""Years; a number that is surely no age, and still fits in an integer."""


class AgeStep(toml.TomlTable, frozen=True):
    """Below this age, completed steps of so many years."""

    below: float
    step: float


class AgeRules(toml.TomlTable, frozen=True):
    """The numbers of `age.toml`."""

    steps: tuple[AgeStep, ...]
    source: str
    verified: bool


def rules() -> AgeRules:
    """Return the shipped rules."""
    return toml.load(FILE, AgeRules)


def ages(persons: Frame, at: Times) -> tuple[Times, Mask]:
    """Return completed years of each person at a time (−1 not known), and whether they are undated.

    The age comes from the birth date. Of a year of birth it is the age reached in that calendar
    year. Else it comes from a dated age plus the whole years since; else it is the age as written,
    which is undated. An age above the highest that a person can have is not known.
    """
    years = np.full(len(persons), -1, np.int64)
    birth, age, age_at = persons["birth"], persons["age"], persons["age_at"]
    born = (birth != UNKNOWN_TIME) & (at != UNKNOWN_TIME)
    written = ~born & ~np.isnan(age)
    undated = written & (age_at == UNKNOWN_TIME)
    dated = written & ~undated & (at != UNKNOWN_TIME)
    years[written] = np.floor(np.minimum(age[written], _ABOVE_ANY)).astype(np.int64)
    # Rounded towards zero: within a year before or after its date, the age is the one written.
    years[dated] += np.trunc((at[dated] - age_at[dated]) / YEAR).astype(np.int64)
    years[born] = np.where(
        persons["birth_year_only"][born],
        calendar_year(at[born]) - calendar_year(birth[born]),
        completed_years(birth[born], at[born]),
    )
    years[years > possible.rules().life.longest_years] = -1
    return np.maximum(years, -1), undated


def age_over_time(persons: Frame, first: Times, last: Times) -> Timeline:
    """Return age in completed steps between two moments; a range where the birth is not exact.

    first, last : int64 per person, µs. Steps are those of `age.toml`: finer for small children.
    """
    born, by_year = persons["birth"], persons["birth_year_only"]
    year = np.int64(YEAR)
    dated = (persons["age_at"] != UNKNOWN_TIME) & np.isfinite(persons["age"])
    completed = (np.where(dated, persons["age"], 0) * YEAR).astype(np.int64)
    written_at = np.where(dated, persons["age_at"], 0)
    known = born != UNKNOWN_TIME
    earliest = np.where(known, born, written_at - completed - year + 1)
    latest = np.where(known, np.where(by_year, born + year - DAY, born), written_at - completed)
    who = np.flatnonzero((known | dated) & (first < last)).astype(np.int32)
    oldest = _aged(who, earliest[who], first[who], last[who])
    youngest = _aged(who, latest[who], first[who], last[who])
    return combine(lambda old, young: (young[0], old[1]), oldest, youngest)


def _aged(who: Persons, born: Times, first: Times, last: Times) -> Timeline:
    """Each step of age of persons born at a moment, between two moments."""
    steps, begin = [], 0.0
    for part in rules().steps:
        steps.append(np.arange(round(begin / part.step), round(part.below / part.step)) * part.step)
        begin = part.below
    reached = rounded(np.concatenate([*steps, np.arange(begin, 130)]))
    since = (reached * YEAR).astype(np.int64)
    start = np.maximum(np.searchsorted(since, first - born, "right") - 1, 0)
    stop = np.searchsorted(since, last - born, "left")
    count = np.maximum(stop - start, 0)
    owner = np.repeat(np.arange(len(who)), count)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + start[owner]
    until = np.append(since, since[-1] + np.int64(YEAR))[step + 1]
    return Timeline.build(who[owner], born[owner] + since[step], born[owner] + until, reached[step])
