"""Which definitions were met, and the value behind every item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.section import (
    DeclaredSection,
    Section,
    captioned,
    figures_named,
    lists_everybody,
)
from becalm.report.sections import sensitivity, tables
from becalm.report.text import label
from becalm.report.theme import Figure


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    names = cohort.result.protocol.definitions.report
    varied = captioned(
        sensitivity.look_backs(cohort, drill),
        "How long a value counts: look-backs halved and doubled",
    )
    folded = []
    if lists_everybody(cohort):
        folded = [captioned(tables.definitions(cohort, drill), "Totals at index, at peak and ever")]
        folded += [
            captioned(
                tables.items(cohort, drill, name), f"{label(name)}: the value behind every item"
            )
            for name in names
        ]
    return Section(
        "criteria", "Criteria met",
        ["A definition is met when its lowest possible total reaches the cut-off, not met when its "
         "highest cannot; otherwise undetermined. Unknown is never counted as no."],
        figures_named(figures, *[f"criteria_{name}" for name in names]), [varied] if varied else [],
        [table for table in folded if table],
    )  # fmt: skip


SECTION: Final = DeclaredSection(70, section)
