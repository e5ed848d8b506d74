"""What counts as harm, and how severe: `grades.toml`, read once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np

from becalm.errors import DefinitionError
from becalm.timeline import Floats, rounded

FILE: Final = Path(__file__).parent / "grades.toml"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class Event(Part, frozen=True):
    """How one variable is graded: `below` counts are too low, `above` enzymes too high.

    grades : by grade, the bound. For counts a value *below* the bound has the grade; for enzymes
    one *above* that multiple of the upper limit. Grade 1 begins at the limit itself.
    """

    event: str
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
        """Grade of each value against its limit of normal; NaN where that leaves it open.

        Without a limit only grades with a bound of their own can be told: a neutrophil count of
        1.4 is grade 2 whatever the limit, one of 1.7 is grade 0 or 1.
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


class Ctcae(Part, frozen=True):
    """The graded events of CTCAE that are told by a laboratory value."""

    title: str
    source: str
    event: tuple[Event, ...]


class Kdigo(Part, frozen=True):
    """Acute kidney injury by creatinine."""

    source: str
    verified: bool
    rise_mg_dl: float
    rise_within: str
    ratio_within: str
    ratios: dict[int, float]
    severe_mg_dl: float


class Replacement(Part, frozen=True):
    """How far apart sessions of renal replacement are still one course."""

    bridge: str
    source: str


class Mdrd(Part, frozen=True):
    """The MDRD equation with four variables."""

    source: str
    verified: bool
    factor: float
    creatinine_exponent: float
    age_exponent: float
    female: float

    def creatinine(self, egfr: float, age: Any, female: Any) -> Floats:
        """Creatinine in mg/dL at which the equation gives `egfr` (mL/min/1.73 m²)."""
        years = np.asarray(age, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            at_one = self.factor * years**self.age_exponent * np.where(female, self.female, 1.0)
            result: Floats = (egfr / at_one) ** (1 / self.creatinine_exponent)
        return result


class Grades(Part, frozen=True):
    """The whole file."""

    ctcae: Ctcae
    kdigo: Kdigo
    replacement: Replacement
    mdrd: Mdrd

    def event(self, name: str) -> Event:
        """Return a graded event by its name."""
        for each in self.ctcae.event:
            if each.event == name:
                return each
        known = ", ".join(each.event for each in self.ctcae.event)
        raise DefinitionError(f"no event is called {name!r}", hint=f"Known: aki, {known}")


@lru_cache(maxsize=1)
def load() -> Grades:
    """Return the grades that ship with becalm."""
    try:
        grades = msgspec.toml.decode(FILE.read_bytes(), type=Grades, strict=False)
    except msgspec.DecodeError as error:
        raise DefinitionError(str(error), where=FILE.name) from error
    for each in grades.ctcae.event:
        if (each.below is None) == (each.above is None):
            raise DefinitionError(f"{each.event}: say either below or above", where=FILE.name)
    return grades
