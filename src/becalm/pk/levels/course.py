"""A course of treatment: what was given, which concentrations were measured, what is known of the patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite, isnan
from typing import Final, NamedTuple

from becalm.core.clock import HOUR
from becalm.core.errors import UsageError
from becalm.pk.covariates import CovariateCourse
from becalm.pk.regimen import DosePlan, SingleDose

LONGEST_SHORT_INFUSION: Final = 4.0
"""Hours: an infusion of a dose up to this length is over before a level is drawn; a longer one runs beside it."""
_SPREADS: Final = 1.0
NO_DOSE_YET: Final = "drawn before the first dose"
DOSES_MISSING: Final = "an earlier level shows doses that are not in the records"
RISEN: Final = 1.5
"""A level this many times the one before, without a dose between them: an assay's error of some 20 % does not do that."""
ROSE_WITHOUT_A_DOSE: Final = "higher than the level before, and no dose is recorded between them"
DAY_ONLY: Final = "only the date of the draw is known"
DURING_A_DOSE: Final = "drawn while a dose was running: perhaps from its line"
UNKNOWN_AMOUNT: Final = "a dose before it has no known amount"


class PkDose(NamedTuple):
    """A dose that was given: when (h), mg (NaN: nobody knows), over how many hours (0: at once), by which route.

    origin : where the amount comes from, in words. row : its row in the records.
    """

    hours: float
    amount: float
    over: float = 0.0
    route: str = "iv"
    origin: str = "written"
    row: str = ""

    @property
    def end(self) -> float:
        """When all of it was given, h."""
        return self.hours + self.over


class PkLevel(NamedTuple):
    """A measured concentration, mg/L, between two bounds that are equal where it is exact; when it was drawn, h.

    low is 0 for a result below the assay's limit, high is infinite for one above it. day_only : only the date of the draw
    is known.
    """

    hours: float
    low: float
    high: float
    row: str = ""
    day_only: bool = False

    @property
    def exact(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    @property
    def shown(self) -> str:
        """The level as people write it."""
        if self.exact:
            return f"{self.low:g}"
        if self.low <= 0:
            return f"<{self.high:g}"
        return f">{self.low:g}" if self.high == inf else f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, eq=False)
class TreatmentCourse:
    """Doses and levels of one patient in their order, with covariates; hours from its beginning.

    remarks : what was assumed to read it.
    """

    doses: tuple[PkDose, ...]
    levels: tuple[PkLevel, ...]
    covariates: Mapping[str, CovariateCourse]
    remarks: tuple[str, ...] = ()

    @property
    def plan(self) -> DosePlan:
        """The doses of known amount, for the propagation."""
        known = [each for each in self.doses if isfinite(each.amount)]
        return DosePlan(
            tuple(SingleDose(d.hours, d.route, d.amount, False, d.over) for d in known), (), False
        )

    @property
    def end(self) -> float:
        """When the last dose began or the last level was drawn, h."""
        return max(
            [*(d.hours for d in self.doses), *(each.hours for each in self.levels)], default=0.0
        )

    @property
    def routes(self) -> frozenset[str]:
        """The routes of its doses."""
        return frozenset(each.route for each in self.doses)

    def last_dose(self, hours: float) -> PkDose | None:
        """Return the dose that began last before a time; None before the first."""
        return next((each for each in reversed(self.doses) if each.hours < hours), None)

    def refusals(self) -> list[str]:
        """Return why each level cannot be used, '' where it can be.

        A level before the first dose, and one that rises without a dose, show that doses are missing: then no later level
        of the course is compared with the doses either.
        """
        known = [each for each in self.doses if each.amount != 0]
        first = min((each.hours for each in known), default=inf)
        unknown = min((each.hours for each in known if isnan(each.amount)), default=inf)
        found: list[str] = []
        missing = False
        before: PkLevel | None = None
        for level in self.levels:
            rose = before is not None and not level.day_only and level.low > RISEN * before.high and not self._given(before.hours, level.hours)  # fmt: skip
            before = before if level.day_only else level
            if level.day_only:
                found.append(DAY_ONLY)
            elif level.hours <= first:
                found.append(NO_DOSE_YET)
                missing |= level.low > 0
            elif missing:
                found.append(DOSES_MISSING)
            elif rose:
                found.append(ROSE_WITHOUT_A_DOSE)
                missing = True
            elif level.hours > unknown:
                found.append(UNKNOWN_AMOUNT)
            elif any(_within(each, level.hours) for each in known):
                found.append(DURING_A_DOSE)
            else:
                found.append("")
        return found

    def _given(self, after: float, until: float) -> bool:
        """Return whether something was given in a time, or an hour before it: it may not have spread yet."""
        return any(d.hours < until and d.end > after - _SPREADS for d in self.doses)

    def known_until(self) -> tuple[float, str]:
        """Return until when everything that was given is known, h (infinite: to the end), and why not longer."""
        unknown = min((d.hours for d in self.doses if isnan(d.amount)), default=inf)
        found = (unknown, UNKNOWN_AMOUNT)
        for level, why in zip(self.levels, self.refusals(), strict=True):
            if why == ROSE_WITHOUT_A_DOSE:
                found = min(found, (level.hours, why))
            elif why == NO_DOSE_YET and level.low > 0:
                found = min(found, (0.0, DOSES_MISSING))
        return found if found[0] < inf else (inf, "")

    def infused(self, hours: float) -> bool:
        """Return whether a long infusion runs at a time."""
        return any(d.hours < hours < d.end and not _short(d) for d in self.doses)


@dataclass(frozen=True, eq=False)
class ChartedCourse:
    """A course with its place in the records. start : of hour 0, µs. refused : why it cannot be looked at; '' if it can."""

    person_id: str
    number: int
    start: int
    course: TreatmentCourse
    refused: str = ""

    def time(self, hours: float) -> int:
        """Return the moment of an hour of the course, µs."""
        return self.start + round(hours * HOUR)


def _short(dose: PkDose) -> bool:
    return dose.over <= LONGEST_SHORT_INFUSION


def _within(dose: PkDose, hours: float) -> bool:
    return _short(dose) and dose.hours < hours < dose.end


def checked_doses(
    given: Sequence[tuple[float, ...] | tuple[float, float, float, str] | PkDose],
    routes: Sequence[str],
) -> tuple[PkDose, ...]:
    """Return doses that were given as numbers, in their order.

    Raises `UsageError` for a time, amount, length or route that cannot be, with the place of the dose.
    """
    found = [PkDose(*each) for each in given]
    for number, dose in enumerate(found, 1):
        where = f"dose {number}"
        if not isfinite(dose.hours):
            raise UsageError("a dose has no time", where=where)
        if not isnan(dose.amount) and not 0 < dose.amount < inf:
            raise UsageError(f"a dose of {dose.amount:g} mg", where=where, hint="Leave out a dose that was not given")  # fmt: skip
        if not 0 <= dose.over < inf:
            raise UsageError(f"a dose over {dose.over:g} h", where=where)
        if dose.route not in routes:
            raise UsageError(f"the model does not know the route {dose.route!r}", where=where)
    _in_order([each.hours for each in found], "dose")
    return tuple(found)


def checked_levels(levels: Sequence[PkLevel]) -> tuple[PkLevel, ...]:
    """Return levels that were checked. Raises `UsageError` with the place of one that cannot be."""
    for number, level in enumerate(levels, 1):
        where = f"level {number}"
        if not isfinite(level.hours):
            raise UsageError("a level has no time", where=where)
        if not (0 <= level.low <= level.high and level.high > 0) or level.low == inf:
            raise UsageError(f"a level of {level.low:g} to {level.high:g} mg/L", where=where)
    _in_order([each.hours for each in levels], "level")
    return tuple(levels)


def _in_order(hours: Sequence[float], what: str) -> None:
    for number, (before, after) in enumerate(pairwise(hours), 2):
        if after < before:
            raise UsageError(
                f"times are out of order: {after:g} h stands after {before:g} h",
                where=f"{what} {number}",
            )
