"""How it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.report.cohort import ROW_EACH, Cohort
from becalm.report.drill import Drill
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.sections import tables
from becalm.report.theme import Figure


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    del figures
    if not lists_everybody(cohort):
        return None
    ends = [captioned(tables.outcome(cohort, drill), "How it ended")]
    few = cohort.n <= ROW_EACH
    return Section("outcome", "Outcome", [], [], ends if few else [], [] if few else ends)


SECTION: Final = DeclaredSection(100, section)
