"""Cells that the tables of several sections show."""

from __future__ import annotations

import math
from typing import Any, Final

from markupsafe import Markup, escape

from becalm.core.clock import UNKNOWN_TIME
from becalm.core.digits import fixed
from becalm.report import labels
from becalm.report.cohort import Cohort, Row
from becalm.report.drill import Drill
from becalm.report.text import UNKNOWN, answer, by_then, hours, interval, number

OUTSIDE: Final = "outside its population"


def marked(shown: Any, *, verified: bool) -> Markup:
    """Return a result with the mark of one that rests on an unverified value."""
    note = Markup(
        '<sup class="un" title="uses a value that nobody has checked against its source">u</sup>'
    )
    return escape(shown) if verified else escape(shown) + note


def since_zero(cohort: Cohort, person: str, time: int) -> str:
    """Return an instant as hours from time zero."""
    return UNKNOWN if time == UNKNOWN_TIME else hours(cohort.hours(person, time))


def total(drill: Drill, row: Row | None, *, items: bool = False) -> Markup:
    """Return a definition's total with its status, opening the rows of its items."""
    if row is None:
        return Markup("not assessed")
    person, name = row["person_id"], row["criterion"]
    sources = [
        key
        for item in drill.cohort.items_of.get((person, name), ())
        for key in item["source_row"].split("|")
    ]
    shown = drill.rows(interval(row["low"], row["high"]), person, sources)
    tail = f" ({row['items_assessed']}/{row['items_total']})" if items else ""
    status = Markup('<br><span class="sub">{}{}</span>').format(row["status"], tail)
    told = marked(shown, verified=row["verified"]) + status
    outside = _outside_population(drill.cohort, row)
    return told + Markup('<br><span class="sub">{}</span>').format(outside) if outside else told


def _outside_population(cohort: Cohort, row: Row) -> str:
    """Say that a definition made for some diseases is used for a patient who has none of them on record."""
    if not cohort.result.definitions[row["criterion"]].derivation.underlying:
        return ""
    return {True: "", False: OUTSIDE}.get(
        row["in_derivation_population"], f"{OUTSIDE} as far as recorded"
    )


def in_population(cohort: Cohort, row: Row) -> str:
    """Return whether a patient is like those in whom a definition was derived."""
    if row["in_derivation_population"] is None and _outside_population(cohort, row):
        return "no, as far as recorded"
    return answer(row["in_derivation_population"])


def grade(value: int) -> str:
    return "?" if value < 0 else str(value)


def outcome_cells(cohort: Cohort, drill: Drill, person: str) -> list[Any]:
    row = cohort.outcome.get(person)
    if row is None:
        return [UNKNOWN, UNKNOWN]
    days = row["follow_up_days"]
    followed = "0 d" if days == 0 else f"{number(days)} d" if not math.isnan(days) else UNKNOWN
    if row["follow_up_is"] == "before time zero":
        followed += " (all records end before time zero)"
    elif row["contact_before_zero"] is True:
        followed += " (the recorded contact is before time zero)"
    followed_cell = drill.about(followed, person)
    if row["died"] is True:
        at = cohort.day_of_death(person)
        day = f"{by_then(row)}day {fixed(at, 1)}"
        text = "died" if math.isnan(at) else f"died, {day}"
        cause = labels.joined(row["cause_of_death"])
        return [drill.about(text, person) + escape(f" ({cause})" if cause else ""), followed_cell]
    if row["died"] is None:
        return [_disputed(cohort, drill, person), followed_cell]
    drug = labels.drugs(row["maintenance_drug"])
    return [f"alive{f', on {drug}' if drug else ''}", followed_cell]


def _disputed(cohort: Cohort, drill: Drill, person: str) -> str:
    """Return `unknown`, with the rows of a death that other rows contradict."""
    rows = [each for each in cohort.rows("disputed_deaths") if each["person_id"] == person]
    source = [row for each in rows for row in (each["claimed_row"], each["contradicted_row"])]
    return drill.rows("unknown: death contradicted", person, source) if rows else "unknown"
