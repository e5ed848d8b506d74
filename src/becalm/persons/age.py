"""How old a person is at a moment."""

from __future__ import annotations

import numpy as np

from becalm.core.clock import UNKNOWN_TIME, YEAR, calendar_year, completed_years
from becalm.core.frame import Frame
from becalm.timeline import Mask, Times


def ages(persons: Frame, at: Times) -> tuple[Times, Mask]:
    """Return completed years of each person at a time (−1 not known), and whether it is undated.

    From the birth date; from the year of birth, the age reached in that calendar year; else from a
    dated age, with the whole years that lie between; else the age as written, undated.
    """
    years = np.full(len(persons), -1, np.int64)
    birth, age, age_at = persons["birth"], persons["age"], persons["age_at"]
    born = (birth != UNKNOWN_TIME) & (at != UNKNOWN_TIME)
    written = ~born & ~np.isnan(age)
    undated = written & (age_at == UNKNOWN_TIME)
    dated = written & ~undated & (at != UNKNOWN_TIME)
    years[written] = np.floor(age[written]).astype(np.int64)
    # Towards zero: within a year before or after it was written, it is the age as written.
    years[dated] += np.trunc((at[dated] - age_at[dated]) / YEAR).astype(np.int64)
    years[born] = np.where(
        persons["birth_year_only"][born],
        calendar_year(at[born]) - calendar_year(birth[born]),
        completed_years(birth[born], at[born]),
    )
    return np.maximum(years, -1), undated
