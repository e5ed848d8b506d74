"""Who was studied, and who left at each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.sections import counts, tables
from becalm.report.theme import Figure


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    """Return the steps to the cohort, and who came nearest to entering."""
    nearest = tables.nearest(cohort, drill)
    return Section(
        "flow", "Who was studied",
        ["Nobody entered the study."] if not cohort.n else [],
        figures_named(figures, "attrition"), [captioned(nearest, "Nearest misses")] if nearest else [],
        [captioned(counts.attrition(cohort, drill), "Who left at each step")],
    )  # fmt: skip


SECTION: Final = DeclaredSection(0, section, without_patients=True)
