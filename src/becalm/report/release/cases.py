"""Single patients as a case series prints them: what a declared release of cases is made of.

Words that name a disease or a drug are kept apart from the numbers, because a rare word identifies a person. The
file `release.json` holds all of them; a release prints those that the study's statement allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import msgspec

from becalm.core.clock import UNKNOWN_TIME
from becalm.core.digits import fixed
from becalm.records import CaseStatement
from becalm.report import facts, labels
from becalm.report.cohort import Cohort, Row
from becalm.report.release.rules import coarse
from becalm.report.text import duration, horizon_text, interval, signs

COURSE: Final = ("baseline", "h24", "h48", "h72", "d7")
NOT_KNOWN: Final = "not known"


class CourseRow(msgspec.Struct, frozen=True):
    """One variable of a patient: its unit, and its values in the order of `COURSE`."""

    variable: str
    values: list[str]


class CaseEvent(msgspec.Struct, frozen=True):
    """Something on a patient's timeline, in days from time zero to a tenth: an infusion lasts, the others do not.

    what : infusion, single dose, infection, discharged, died or followed.
    """

    what: str
    start: float
    end: float


class Case(msgspec.Struct, frozen=True):
    """One patient. Times are counted from the patient's own time zero; nothing is a date, a place or an id.

    age : in years, -1 where it is not known. background, earlier, maintenance : words of the records that the
    statement must allow.
    """

    age: int
    sex: str
    background: list[str]
    earlier: list[str]
    maintenance: list[str]
    storm: str
    totals: dict[str, str]
    route: str
    peak: str
    duration: str
    cumulative: str
    response: dict[str, str]
    course: list[CourseRow]
    shifts: dict[str, str]
    outcome: str
    followed: str
    timeline: list[CaseEvent] = []


class CaseSeries(msgspec.Struct, frozen=True):
    """The patients of a study, and what its authors state about publishing them; None where they state nothing."""

    drug: str
    unit: str
    statement: CaseStatement | None
    cases: list[Case]


def case_series(cohort: Cohort, most: int) -> CaseSeries:
    """Return the single patients of a study; none where there are more than `most`: that is no case series."""
    persons = cohort.persons if cohort.n <= most else []
    statement = cohort.result.info.cases
    return CaseSeries(
        drug=labels.drug(cohort.drug) if cohort.drug else "",
        unit=cohort.unit,
        statement=statement,
        cases=[_case(cohort, row) for row in persons],
    )


def _case(cohort: Cohort, row: Row) -> Case:
    person = row["person_id"]
    given = facts.exposure(cohort, person) if cohort.drug else None
    earlier = [drug for drug, rows in facts.before(cohort).items() if _has(rows, person)]
    outcome = cohort.outcome.get(person)
    kept = outcome["maintenance_drug"].split("|") if outcome else []
    return Case(
        age=min(row["age"], 90),
        sex={"F": "female", "M": "male"}.get(row["sex"], NOT_KNOWN),
        background=[word for word in facts.background(row) if word != "none recorded"],
        earlier=[labels.drug(drug) for drug in earlier],
        maintenance=[labels.drug(drug) for drug in kept if drug],
        storm=row["storm"] or facts.NOT_ASSESSED,
        totals={
            cohort.definition_label(
                each["criterion"]
            ): f"{interval(each['low'], each['high'])} ({each['status']})"
            for each in cohort.criteria
            if each["person_id"] == person
        },
        route=row["first_route"],
        peak=_number(given.peak_per_day) if given else "",
        duration=_lasted(given.episodes) if given else "",
        cumulative=_number(given.cumulative) if given else "",
        response={
            cohort.clock_name(clock): facts.primary_answer(cohort, each["response"])
            for clock in cohort.clocks
            for each in cohort.primary
            if (each["person_id"], each["clock"]) == (person, clock)
        },
        course=list(_course(cohort, person)),
        shifts={
            facts.event_title(
                each["event"]
            ): f"{_grade(each['grade_before'])} to {_grade(each['grade_after'])}"
            for each in cohort.safety
            if each["person_id"] == person
        },
        outcome=_end(cohort, person),
        followed=_days(outcome["follow_up_days"]) if outcome else NOT_KNOWN,
        timeline=list(_timeline(cohort, person)),
    )


def _timeline(cohort: Cohort, person: str) -> Iterable[CaseEvent]:
    """Yield what a timeline shows of a patient: the drug of interest, infections, and the end."""
    if cohort.drug:
        for rate in cohort.rates:
            if rate["person_id"] == person:
                yield _event(cohort, person, "infusion", rate["start"], rate["end"])
        for dose in cohort.singles:
            if dose["person_id"] == person:
                yield _event(cohort, person, "single dose", dose["start"])
    for row in cohort.rows("infections"):
        if row["person_id"] == person and row["new_onset"] is True:
            day = round(row["hours_from_t0"] / 24, 1)
            yield CaseEvent("infection", day, day)
    outcome = cohort.outcome.get(person)
    if outcome is None:
        return
    if outcome["discharged"] != UNKNOWN_TIME:
        yield _event(cohort, person, "discharged", outcome["discharged"])
    for what, day in (
        ("died", cohort.day_of_death(person) if outcome["died"] else math.nan),
        ("followed", outcome["follow_up_days"]),
    ):
        if math.isfinite(day):
            yield CaseEvent(what, round(day, 1), round(day, 1))


def _event(cohort: Cohort, person: str, what: str, start: int, end: int | None = None) -> CaseEvent:
    first, last = (
        round(cohort.hours(person, t) / 24, 1) for t in (start, start if end is None else end)
    )
    return CaseEvent(what, first, last)


def _has(rows: Iterable[Row], person: str) -> bool:
    return any(row["person_id"] == person for row in rows)


def _number(value: float) -> str:
    return coarse(value) if math.isfinite(value) else NOT_KNOWN


def _days(value: float) -> str:
    return f"day {fixed(value)}" if math.isfinite(value) else NOT_KNOWN


def _grade(value: int) -> str:
    return NOT_KNOWN if value < 0 else str(value)


def _lasted(episodes: list[Row]) -> str:
    """Return how long the drug of interest ran without a stop, added up."""
    hours = [
        (row["end"] - row["start"]) / 3.6e9 for row in episodes if row["mode"] == "continuous IV"
    ]
    return duration(math.fsum(hours)) if hours else ""


def _course(cohort: Cohort, person: str) -> Iterable[CourseRow]:
    """Yield the values of each variable from time zero on, to two digits."""
    for row in cohort.response:
        if row["person_id"] == person and row["clock"] == cohort.clocks[0]:
            sign = signs(row["censored"])
            values = [f"{sign.get(name, '')}{_number(row[name])}" for name in COURSE]
            unit = f", {row['unit']}" if row["unit"] else ""
            yield CourseRow(f"{labels.variable(row['variable'])}{unit}", values)


def course_heads() -> list[str]:
    """Return what the values of a course are: `baseline`, `24 h`."""
    return [name if name == "baseline" else horizon_text(name) for name in COURSE]


def _end(cohort: Cohort, person: str) -> str:
    row = cohort.outcome.get(person)
    if row is None or row["died"] is None:
        return NOT_KNOWN
    if row["died"]:
        return f"died, {_days(cohort.day_of_death(person))}"
    return "alive at last contact"
