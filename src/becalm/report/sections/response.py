"""Response, or change against baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.sections import tables
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    if not cohort.described:
        return None
    claim = "Response" if cohort.claim == "response" else "Change against baseline"
    intro = [
        "What else was given (confounded by) and what moved a test by itself (modified by) stand beside "
        "each result; neither changes it."
    ]
    if cohort.claim != "response":
        intro.append("This protocol describes change; it claims no effect of any drug.")
    falls = captioned(tables.falls(cohort, drill), "Ferritin: how far it had fallen at 48 h")
    long = []
    if len(cohort.described) <= PER_PERSON:
        for clock in cohort.clocks:
            caption = f"Every test against baseline, from {cohort.clock_from(clock)}"
            long.append(captioned(tables.response(cohort, drill, clock), caption))
    return Section(
        "change", claim, intro, figures_named(figures, "waterfall"), [falls] if falls else [],
        [table for table in long if table],
    )  # fmt: skip


SECTION: Final = DeclaredSection(60, section)
