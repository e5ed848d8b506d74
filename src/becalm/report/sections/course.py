"""The values of each patient over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup, escape

from becalm.report.cohort import Cohort
from becalm.report.drill import Drill, series_value
from becalm.report.figures import course
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.text import heading, hours, label, spaced, unit
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
                heading(row["variable"]),
                drill.rows(hours(at), row["person_id"], row["source_row"]),
                value,
                unit(row["unit"]),
            ]
        )
        ids.append(f"v{i}")
    return PageTable(["Patient", "Test", "when", "value", "unit"], rows, ids=ids)


def _whose(cohort: Cohort, drill: Drill) -> list[Markup]:
    """Say who counts as treated and how many they are; nothing where everybody's course is shown."""
    rule = cohort.result.protocol.landmark
    if rule is None or cohort.of_everybody:
        return []
    if any(part.table == "doses" for part in cohort.result.absent):
        return [escape("No drug administration is recorded: who was treated is not known, and nobody's course is shown.")]  # fmt: skip
    when = f"from the admission to a week after the landmark at {spaced(rule.after)}"
    if not cohort.described:
        return [escape(f"Nobody was given an immunotherapy {when}: there is no course to show.")]
    names = " and ".join(label(name) for name in cohort.result.protocol.response.variables)
    given: dict[str, list[str]] = {}
    for step in cohort.steps:
        given.setdefault(step["person_id"], []).append(label(step["drug"]))
    lines = [[who, ", ".join(dict.fromkeys(given.get(who, [])))] for who in cohort.described]
    count = drill.people(f"{len(lines)} of {cohort.n}", ["patient", "given"], lines)
    return [
        Markup(
            "{}: {} to day 7 of the {} given an immunotherapy {}. No effect of a drug is claimed."
        ).format("Only of the treated", names, count, when)
    ]


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    measured = set(cohort.result.frames["series"].coded("variable").texts.tolist())
    shown = [name for name in course.variables_drawn(cohort) if name in measured]
    listed = []
    if len(cohort.described) <= PER_PERSON:
        drawn = values_drawn(cohort, drill, shown)
        caption = f"The {len(drawn.rows):,} values drawn, with the rows behind them"
        listed = [captioned(drawn, caption)] if drawn else []
    return Section(
        course.title(cohort), _whose(cohort, drill),
        figures_named(figures, "course_t0", "course_infusion_start"), [], listed,
    )  # fmt: skip


SECTION: Final = DeclaredSection("course", 40, section)
