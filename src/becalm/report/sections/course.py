"""The values of each patient over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup, escape

from becalm.report import labels
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill, series_value
from becalm.report.figures import course
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.text import hours, spaced, unit
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON

DRAWN: Final = 4000
"""Values listed under a figure at most."""


def values_drawn(cohort: Cohort, drill: Drill, shown: Iterable[str]) -> PageTable:
    """Return the values that the course figures draw; the rows' ids are the figures' links."""
    names, persons = set(shown), set(cohort.described)
    rows: list[list[Any]] = []
    ids: list[str] = []
    for i, row in enumerate(cohort.series):
        at = cohort.hours(row["person_id"], row["time"])
        if row["variable"] not in names or row["person_id"] not in persons:
            continue
        if not -24 * 14 <= at <= 24 * 42 or len(rows) >= DRAWN:
            continue
        value = drill.rows(series_value(row), row["person_id"], row["source_row"])
        rows.append(
            [
                row["person_id"],
                labels.heading(labels.variable(row["variable"])),
                drill.rows(hours(at), row["person_id"], row["source_row"]),
                value,
                unit(row["unit"]),
            ]
        )
        ids.append(f"v{i}")
    return PageTable(
        [
            "Patient",
            "Test",
            f"from {cohort.clock_label('t0') if cohort.drug else cohort.zero}",
            "value",
            "unit",
        ],
        rows,
        ids=ids,
    )


def _whose(cohort: Cohort, drill: Drill) -> list[Markup]:
    """Say who counts as treated and how many they are; nothing where everybody's course is shown."""
    rule = cohort.result.protocol.landmark
    if rule is None or cohort.of_everybody:
        return []
    if any(part.table == "doses" for part in cohort.result.absent):
        return [escape("The records have no drug administrations. It is not known who was treated, so no course is shown.")]  # fmt: skip
    when = f"between admission and a week after the landmark ({spaced(rule.after)} after admission)"
    if not cohort.described:
        return [escape(f"No patient was given an immunotherapy {when}, so no course is shown.")]
    names = " and ".join(
        labels.variable(name) for name in cohort.result.protocol.response.variables
    )
    given: dict[str, list[str]] = {}
    for step in cohort.steps:
        given.setdefault(step["person_id"], []).append(labels.drug(step["drug"]))
    lines = [[who, ", ".join(dict.fromkeys(given.get(who, [])))] for who in cohort.described]
    count = drill.people(f"{len(lines)} of {cohort.n}", ["patient", "given"], lines)
    return [
        Markup(
            "{} to day 7, only of the {} patients who were given an immunotherapy {}. This describes "
            "change; it claims no effect of any drug."
        ).format(labels.heading(names), count, when)
    ]


def _other_clock(figures: Mapping[str, Figure]) -> list[str]:
    """Say where the same course from the other clock is: on the page it would be printed twice."""
    if "course_t0" not in figures or "course_infusion_start" not in figures:
        return []
    return [
        "The same values from the start of the continuous infusion are drawn in the file "
        "figures/course_infusion_start.svg."
    ]


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    measured = set(cohort.result.frames["series"].coded("variable").texts.tolist())
    shown = [name for name in course.variables_drawn(cohort) if name in measured]
    listed = []
    if len(cohort.described) <= PER_PERSON:
        drawn = values_drawn(cohort, drill, shown)
        caption = f"The {len(drawn.rows):,} values in the figures"
        listed = [captioned(drawn, caption)] if drawn else []
    return Section(
        course.title(cohort), [*_whose(cohort, drill), *_other_clock(figures)],
        figures_named(figures, "course_t0", "spaghetti"), [], listed,
    )  # fmt: skip


SECTION: Final = DeclaredSection("course", 40, section)
