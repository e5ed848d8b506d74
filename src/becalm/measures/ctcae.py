"""Grades of harm by CTCAE: `ctcae.toml`, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np

from becalm.core import toml
from becalm.core.arrays import Floats
from becalm.core.errors import DefinitionError
from becalm.timeline import rounded

FILE: Final = Path(__file__).with_suffix(".toml")


class Event(toml.TomlTable, frozen=True):
    """How one variable is graded: `below` counts are too low, `above` enzymes too high.

    grades : by grade, the bound. For counts a value *below* the bound has the grade; for enzymes
    one *above* that multiple of the upper limit. Grade 1 begins at the limit itself.
    """

    event: str
    title: str
    variable: str
    grades: dict[int, float]
    verified: bool
    source: str
    below: Literal["limit"] | None = None
    above: Literal["limit"] | None = None

    @property
    def falls(self) -> bool:
        """Whether low is bad."""
        return self.below is not None

    def grade(self, value: Floats, limit: Floats) -> Floats:
        """Return the grade of each value against its limit of normal; NaN where it cannot be decided.

        Without a limit only grades with an absolute bound can be given: a neutrophil count of
        1.4 is grade 2 whatever the limit; one of 1.7 is grade 0 or 1, so NaN.
        """
        value = np.asarray(value, dtype=np.float64)
        limit = np.broadcast_to(np.asarray(limit, dtype=np.float64), value.shape)
        with np.errstate(invalid="ignore"):
            if self.falls:
                grade = np.where(np.isnan(limit), np.nan, (value < limit).astype(np.float64))
                for number, bound in sorted(self.grades.items()):
                    grade = np.where(value < bound, float(number), grade)
            else:
                times = rounded(value / limit)
                grade = np.where(np.isnan(limit), np.nan, (times > 1).astype(np.float64))
                for number, bound in sorted(self.grades.items()):
                    grade = np.where(times > bound, float(number), grade)
        result: Floats = grade
        return result


class Ctcae(toml.TomlTable, frozen=True):
    """The graded events of CTCAE that are defined by a laboratory value."""

    title: str
    grade: str
    source: str
    event: tuple[Event, ...]

    def named(self, name: str) -> Event:
        """Return a graded event by its name."""
        for each in self.event:
            if each.event == name:
                return each
        known = ", ".join(each.event for each in self.event)
        raise DefinitionError(f"no event is called {name!r}", hint=f"Known: aki, {known}")


class _File(toml.TomlTable, frozen=True):
    ctcae: Ctcae


@cache
def load() -> Ctcae:
    """Return the grades that ship with becalm."""
    ctcae = toml.load(FILE, _File).ctcae
    for each in ctcae.event:
        if (each.below is None) == (each.above is None):
            raise DefinitionError(
                f"{each.event}: needs either 'below' or 'above', and not both", where=FILE.name
            )
    return ctcae
