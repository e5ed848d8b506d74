"""Harm: grades before and after time zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.report.cohort import ROW_EACH, Cohort
from becalm.report.drill import Drill
from becalm.report.section import (
    DeclaredSection,
    Section,
    captioned,
    figures_named,
    lists_everybody,
)
from becalm.report.sections import counts, tables
from becalm.report.theme import Figure


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    harms = []
    if cohort.n > ROW_EACH:
        moved = counts.shifts(cohort, drill)
        harms.append(captioned(moved, "How grades moved, patients counted"))
    if lists_everybody(cohort):
        events = tables.safety(cohort, drill)
        harms.append(captioned(events, "Every event: grade before, worst after, onset"))
    return Section(
        "safety",
        "Safety",
        [],
        figures_named(figures, "safety"),
        [],
        [table for table in harms if table],
    )


SECTION: Final = DeclaredSection(90, section)
