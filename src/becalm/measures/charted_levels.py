"""Courses of treatment from records: doses with their amounts and lengths, levels, weight and creatinine clearance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite, nan
from typing import Any, Final

import numpy as np

from becalm.core.arrays import Floats, frozen
from becalm.core.clock import DAY, HOUR, UNKNOWN_TIME
from becalm.core.errors import UsageError
from becalm.doses import ROUTES, SYSTEMIC
from becalm.kidney import kdigo
from becalm.kidney.clearance import clearance_per_kg
from becalm.kidney.replacement import sessions
from becalm.patients.understood import Patients
from becalm.persons.weight import weight_in_force
from becalm.pk import PkModel, units
from becalm.pk.covariates import CovariateCourse, GivenCovariate, read_courses
from becalm.pk.levels.course import ChartedCourse, PkDose, PkLevel, TreatmentCourse
from becalm.records import Refusal
from becalm.timeline import Timeline

LONGEST_GAP: Final = 10 * 24.0
"""Hours without a dose and without a level after which a new course begins."""
NO_DOSE: Final = "no dose is in the records"
NO_TIME: Final = "a dose without any time is in the records"
REPLACED: Final = "renal replacement ran at a level: creatinine does not show the kidney alone"
AROUND_AN_ORDER: Final = 2.0
"""Hours before the start and after the end of an order in which a dose may still be given on it."""
_LOOK_BACK: Final = 7 * DAY
_IN_BLOOD: Final = {"IV": "iv", "SC": "sc"}
"""Routes that models know. What a model's file says is not absorbed, and what is inhaled or put on the skin, is never counted."""
_KNOWN_BY_RECORDS: Final = ("weight", "creatinine_clearance")


@dataclass(frozen=True)
class _Given:
    """A row of the records in which the drug was given; amount NaN and route '' where they are not known."""

    time: int
    end: int
    amount: float
    route: str
    origin: str
    row: str


def charted_courses(
    patients: Patients,
    model: PkModel,
    covariates: Mapping[str, GivenCovariate] | None = None,
    *,
    orders: bool = False,
) -> list[ChartedCourse]:
    """Return the courses of every person of a batch who has a level of the model's drug.

    covariates : those that the records cannot know, the same for everybody. orders : a dose of which nobody wrote the
    amount has that of the order in force, if there is one alone; without it levels after such a dose are not used.

    Raises `UsageError` where the vocabulary does not know the drug or its level, and for a missing covariate.
    """
    variable = _level_of(patients, model)
    given = dict(covariates or {})
    _check_covariates(model, given)
    points = patients.events.points(variable)
    per_kg = clearance_per_kg(patients.records, patients.events)
    replaced = sessions(patients.records, patients.events).courses(kdigo.load().replacement)
    ids = patients.records.persons["person_id"].tolist()
    found: list[ChartedCourse] = []
    for person in np.unique(points.person).tolist():
        mine = points.take(points.person == person)
        levels = [
            (
                when,
                PkLevel(
                    0.0,
                    max(low, 0.0),
                    high,
                    patients.events.source_row(row),
                    _day_only(patients, row),
                ),
            )
            for when, low, high, row in zip(
                mine.time.tolist(),
                mine.low.tolist(),
                mine.high.tolist(),
                mine.row.tolist(),
                strict=True,
            )
        ]
        doses = _doses(patients, model, person, orders)
        untimed = _untimed(patients, model, person)
        for number, (rows, drawn) in enumerate(_split(doses, levels), 1):
            start = min([row.time for row in rows] + [when for when, _ in drawn])
            if not drawn:
                continue
            during = replaced.contains(
                np.full(len(drawn), person, np.int32), np.array([when for when, _ in drawn])
            )
            known = _Known({}, (), NO_TIME if untimed else NO_DOSE)
            if rows and not untimed:
                known = _Covariates(patients, model, person, given, per_kg).over(start, rows, drawn)
            course = TreatmentCourse(
                tuple(_dose(model, row, start) for row in rows),
                tuple(each._replace(hours=(when - start) / HOUR) for when, each in drawn),
                known.courses,
                (*known.remarks, *((REPLACED,) if during.any() else ())),
            )
            found.append(ChartedCourse(ids[person], number, start, course, known.refused))
    return found


def _level_of(patients: Patients, model: PkModel) -> str:
    names = {each.name for each in patients.vocabulary.variables}
    if not model.level:
        raise UsageError(
            f"{model.name} does not say what its levels are called",
            hint="Add the key level, a variable of the vocabulary, to its file",
        )
    if model.level not in names:
        raise UsageError(f"no variable is called {model.level!r}", hint=patients.vocabulary.suggest(model.level))  # fmt: skip
    if patients.vocabulary.variable(model.level).unit != "mg/L":
        raise UsageError(f"levels are counted in mg/L, and {model.level} is not")
    drugs = {each.name for each in patients.vocabulary.drugs}
    if model.drug not in drugs:
        raise UsageError(f"no drug is called {model.drug!r}", hint=patients.vocabulary.suggest_drug(model.drug))  # fmt: skip
    return model.level


def _check_covariates(model: PkModel, given: Mapping[str, GivenCovariate]) -> None:
    """Refuse a covariate that comes from the records, and ask for one that nobody says."""
    for name in given:
        model.covariate(name)
        if name in _KNOWN_BY_RECORDS:
            raise UsageError(f"the covariate {name} comes from the records")
    for name in model.used_covariates:
        if (
            name not in given
            and name not in _KNOWN_BY_RECORDS
            and model.covariates[name].otherwise is None
        ):
            raise UsageError(
                f"{model.name} needs the covariate {name}, which records do not have",
                hint=f"Add --covariate '{name}=...'",
            )


# ------------------------------------------------------------ doses


def _doses(patients: Patients, model: PkModel, person: int, orders: bool) -> list[_Given]:
    """Return the doses of a person in their order. orders : where a row has no amount, that of its order."""
    doses = patients.doses
    if model.drug not in doses.drugs:
        return []
    f = doses.frame
    of_drug = (f["drug_code"] == doses.drugs.index(model.drug)) & (f["person"] == person)
    ordered = [_row(f, at) for at in np.flatnonzero(of_drug & (f["status"] == "ordered")).tolist()]
    given = of_drug & (f["exposed"] | (f["untimed"] & (f["start"] != UNKNOWN_TIME)))
    found = []
    for at in np.flatnonzero(given).tolist():
        row = _completed(_row(f, at, doses.frame["dose"][at]), ordered, orders)
        if row.route not in SYSTEMIC or row.route in model.not_absorbed:
            continue
        if row.route and _IN_BLOOD.get(row.route) not in model.routes:
            row = _with(
                row, nan, row.route, f"by a route that the model does not know ({row.route})"
            )
        elif f["date_only"][at] or f["untimed"][at]:
            row = _with(row, nan, row.route, "its hours are not known")
        found.append(row)
    return sorted(found, key=lambda each: (each.time, each.row))


def _untimed(patients: Patients, model: PkModel, person: int) -> bool:
    """Return whether the drug was given to a person at a time that nobody knows at all."""
    f, rows = patients.doses.frame, patients.doses.untimed(model.drug)
    known = [ROUTES[int(code)] in model.not_absorbed for code in f["route_code"][rows]]
    missing = (f["start"][rows] == UNKNOWN_TIME) & ~np.array(known, np.bool_)
    return bool((missing & (f["person"][rows] == person)).any())


def unread_levels(patients: Patients, model: PkModel) -> list[Refusal]:
    """Return the rows of the model's level that could not be read, counted by reason."""
    return [each for each in patients.refused if each.variable == model.level]


def _day_only(patients: Patients, row: int) -> bool:
    """Return whether only the date of a measurement is known."""
    measured = patients.records.measurements
    return row < len(measured) and bool(measured["date_only"][row])


def _row(frame: Any, at: int, dose: float | None = None) -> _Given:
    """Return a row; of an order the amount as it is written in mg."""
    end = int(frame["end"][at])
    start = int(frame["start"][at])
    amount = dose
    if amount is None:
        unit = str(frame["amount_unit"][at])
        known = unit in units.by_kind()["mass"]
        amount = float(frame["amount"][at]) * units.factor(unit, "mg") if known else nan
    return _Given(
        start,
        start if end == UNKNOWN_TIME or bool(frame["single"][at]) else end,
        float(amount),
        ROUTES[int(frame["route_code"][at])],
        "written",
        str(frame["source_row"][at]),
    )


def _completed(row: _Given, ordered: Sequence[_Given], amounts: bool) -> _Given:
    """Return a row whose missing route, and if it is wished amount, are those of the orders in force.

    An order counts only where no other one in force says something else.
    """
    if isfinite(row.amount) and row.route:
        return row
    margin = round(AROUND_AN_ORDER * HOUR)
    force = [each for each in ordered if each.time - margin <= row.time <= each.end + margin]
    origin, route, amount = row.origin, row.route, row.amount
    if not route:
        routes = {each.route for each in force}
        if len(routes) != 1 or "" in routes:
            return _with(row, nan, "", "route unknown")
        route, origin = routes.pop(), "route from the order"
    if not isfinite(amount):
        said = {each.amount for each in force if each.route == route and isfinite(each.amount)}
        if not amounts or len(said) != 1:
            why = "amount not written" if not amounts else "several orders" if said else "no order"
            return _with(row, nan, route, why)
        amount, origin = said.pop(), "amount from the order"
    return _with(row, amount, route, origin)


def _with(row: _Given, amount: float, route: str, origin: str) -> _Given:
    return _Given(row.time, row.end, amount, route, origin, row.row)


def _dose(model: PkModel, row: _Given, start: int) -> PkDose:
    """Return a dose of a course; without an end it runs as fast as the model's file assumes."""
    over = (row.end - row.time) / HOUR
    route = _IN_BLOOD.get(row.route, "iv")
    rate = model.assumptions.get("infusion_rate")
    origin = row.origin
    if over == 0 and route == "iv" and rate is not None and isfinite(row.amount):
        over = row.amount / (rate.value * units.factor(rate.unit, "mg/h"))
        origin = f"{origin}; length assumed"
    return PkDose((row.time - start) / HOUR, row.amount, 0.0 if route == "sc" else over, route, origin, row.row)  # fmt: skip


def _split(
    doses: Sequence[_Given], levels: Sequence[tuple[int, PkLevel]]
) -> list[tuple[list[_Given], list[tuple[int, PkLevel]]]]:
    """Return the courses: doses and levels with less than `LONGEST_GAP` between them."""
    events = sorted(
        [(row.time, max(row.end, row.time)) for row in doses] + [(when, when) for when, _ in levels]
    )
    gap = round(LONGEST_GAP * HOUR)
    borders, until = [], -inf
    for begin, end in events:
        if begin - until >= gap:
            borders.append(begin)
        until = max(until, end)
    return [
        (
            [row for row in doses if first <= row.time < last],
            [(when, each) for when, each in levels if first <= when < last],
        )
        for first, last in pairwise([*borders, inf])
    ]


# ------------------------------------------------------------ covariates


@dataclass(frozen=True, eq=False)
class _Known:
    courses: Mapping[str, CovariateCourse]
    remarks: tuple[str, ...]
    refused: str = ""


@dataclass(frozen=True, eq=False)
class _Covariates:
    """What is known of one person over a course."""

    patients: Patients
    model: PkModel
    person: int
    given: Mapping[str, GivenCovariate]
    per_kg: Timeline

    def over(
        self, start: int, rows: Sequence[_Given], drawn: Sequence[tuple[int, PkLevel]]
    ) -> _Known:
        """Return the covariates from the start of a course to its last dose or level."""
        end = max([row.time for row in rows] + [when for when, _ in drawn])
        weight = self._weight(start)
        needs = self.model.used_covariates
        known: dict[str, GivenCovariate] = dict(self.given)
        extra: list[str] = []
        if {"weight", "creatinine_clearance"} & set(needs) and not isfinite(weight):
            return _Known({}, (), "no weight is known")
        if "weight" in needs or "weight" in self.model.covariates:
            known["weight"] = weight
        if "creatinine_clearance" in needs:
            pairs, carried = self._clearance(start, end, weight)
            if not pairs:
                return _Known({}, (), "no creatinine clearance is known (creatinine, age, sex)")
            known["creatinine_clearance"] = pairs
            extra = [carried] if carried else []
        courses, remarks = read_courses(self.model, known, max((end - start) / HOUR, 1e-3), "last")
        return _Known(courses, (*remarks, *extra))

    def _weight(self, start: int) -> float:
        asked = np.array([self.person], np.int32), np.array([start], np.int64)
        return float(weight_in_force(self.patients.records, self.patients.events, *asked).kg[0])

    def _clearance(
        self, start: int, end: int, weight: float
    ) -> tuple[list[tuple[float, float]], str]:
        """Return creatinine clearance from hour 0 on, mL/min, and a remark where it was carried back."""
        line = self.per_kg
        mine = (line.person == self.person) & (line.start <= end) & (line.end > start - _LOOK_BACK)
        mine &= np.isfinite(line.low)
        begins: Floats = (line.start[mine] - start) / HOUR
        begins, values = np.round(begins, 2), np.round(line.low[mine] * weight, 1)
        if not len(begins):
            return [], ""
        before = np.flatnonzero(begins <= 0)
        first = int(before[-1]) if len(before) else 0
        remark = (
            ""
            if len(before)
            else f"the first creatinine clearance, of {begins[0]:.0f} h, holds before it too"
        )
        hours = frozen(np.concatenate([[0.0], begins[first + 1 :]]), np.float64)
        return list(zip(hours.tolist(), values[first:].tolist(), strict=True)), remark
