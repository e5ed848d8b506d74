"""Grades of harm by CTCAE: `ctcae.toml`, read once. Version 5 is the usual one, 6 stands beside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np
from msgspec import field

from becalm.core import toml
from becalm.core.arrays import Floats
from becalm.core.errors import DefinitionError
from becalm.timeline import rounded

FILE: Final = Path(__file__).with_suffix(".toml")


class FromBaseline(toml.TomlTable, frozen=True):
    """The grades as multiples of an abnormal value before: by grade, the bound.

    above, at_least : of what rises. below, at_most : of what falls. One bound may itself belong to the grade.
    """

    above: dict[int, float] = field(default_factory=dict)
    at_least: dict[int, float] = field(default_factory=dict)
    below: dict[int, float] = field(default_factory=dict)
    at_most: dict[int, float] = field(default_factory=dict)

    def grade(self, value: Floats, baseline: float) -> Floats:
        """Return the grade of each value; NaN where the baseline is not a number above 0."""
        value = np.asarray(value, dtype=np.float64)
        if not (np.isfinite(baseline) and baseline > 0):
            return np.full(value.shape, np.nan)
        times, grade = rounded(value / baseline), np.zeros(value.shape)
        for bounds, reached in (
            (self.above, np.greater), (self.at_least, np.greater_equal),
            (self.below, np.less), (self.at_most, np.less_equal),
        ):  # fmt: skip
            for number, bound in bounds.items():
                grade = np.where(reached(times, bound), np.maximum(grade, number), grade)
        return grade


class Event(toml.TomlTable, frozen=True):
    """How one variable is graded: `below` counts are too low, `above` enzymes too high.

    grades : by grade, the bound. For counts a value *below* the bound has the grade; for enzymes
    one *above* that multiple of the upper limit. Grade 1 begins at the limit itself (`limit`), or has
    a bound of its own (`bound`). times_limit : the bounds of what is too low are multiples of the
    lower limit. absolute : a value below this bound has the grade whatever the limit.
    abnormal_baseline : what CTCAE counts instead where the value was abnormal before, in words; from_baseline :
    its bounds. The grades before and after have one scale, that of the limit; this one stands beside them.
    """

    event: str
    title: str
    variable: str
    grades: dict[int, float]
    verified: bool
    source: str
    below: Literal["limit", "bound"] | None = None
    above: Literal["limit"] | None = None
    times_limit: bool = False
    absolute: dict[int, float] = field(default_factory=dict)
    abnormal_baseline: str = ""
    from_baseline: FromBaseline | None = None

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
                if self.below == "bound":
                    grade = np.zeros(value.shape)
                compared = rounded(value / limit) if self.times_limit else value
                for number, bound in sorted(self.grades.items()):
                    grade = np.where(compared < bound, float(number), grade)
                for number, bound in sorted(self.absolute.items()):
                    grade = np.where(value < bound, float(number), grade)
            else:
                times = rounded(value / limit)
                grade = np.where(np.isnan(limit), np.nan, (times > 1).astype(np.float64))
                for number, bound in sorted(self.grades.items()):
                    grade = np.where(times > bound, float(number), grade)
        result: Floats = grade
        return result

    def grade_from(self, baseline: float, value: Floats) -> Floats:
        """Return the grade of each value by its multiple of an abnormal baseline; NaN without such a rule."""
        value = np.asarray(value, dtype=np.float64)
        if self.from_baseline is None:
            return np.full(value.shape, np.nan)
        grade = self.from_baseline.grade(value, baseline)
        for number, bound in self.absolute.items():
            grade[value < bound] = number
        return grade


class Ctcae(toml.TomlTable, frozen=True):
    """The graded events of CTCAE that are defined by a laboratory value."""

    title: str
    grade: str
    source: str
    cite: str
    event: tuple[Event, ...]


class _File(toml.TomlTable, frozen=True):
    ctcae: Ctcae
    ctcae_6: Ctcae


@cache
def versions() -> tuple[Ctcae, ...]:
    """Return every version of CTCAE that ships with becalm; the names of their events differ."""
    file = toml.load(FILE, _File)
    for each in (*file.ctcae.event, *file.ctcae_6.event):
        if (each.below is None) == (each.above is None):
            raise DefinitionError(
                f"{each.event}: needs either 'below' or 'above', and not both", where=FILE.name
            )
    return file.ctcae, file.ctcae_6


def events() -> tuple[Event, ...]:
    """Return the graded events of every version."""
    return tuple(event for version in versions() for event in version.event)


def named(name: str) -> Event:
    """Return a graded event by its name."""
    for each in events():
        if each.event == name:
            return each
    known = ", ".join(each.event for each in events())
    raise DefinitionError(f"no event is called {name!r}", hint=f"Known: aki, {known}")


def version_of(name: str) -> Ctcae:
    """Return the version that an event belongs to."""
    event = named(name)
    return next(version for version in versions() if event in version.event)
