"""The values of each patient over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.figures import course
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.sections import landmark, tables
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    measured = set(cohort.result.frames["series"].coded("variable").texts.tolist())
    shown = [name for name in course.shown(cohort) if name in measured]
    listed = []
    if len(cohort.described) <= PER_PERSON:
        drawn = tables.drawn(cohort, drill, shown)
        caption = f"The {len(drawn.rows):,} values drawn, with the rows behind them"
        listed = [captioned(drawn, caption)] if drawn else []
    return Section(
        "course", landmark.course_title(cohort), landmark.course_words(cohort, drill),
        figures_named(figures, "course_t0", "course_infusion_start"), [], listed,
    )  # fmt: skip


SECTION: Final = DeclaredSection(40, section)
