"""Deaths that other rows of the records contradict, with both rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.report.cells import since_zero
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section
from becalm.report.theme import Figure


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return both rows of every contradiction; None where no death of the cohort is contradicted."""
    del figures
    disputed = cohort.rows("disputed_deaths")
    if not disputed:
        return None
    rows = [
        [
            row["person_id"],
            drill.rows(since_zero(cohort, row["person_id"], row["claimed"]), row["person_id"], row["claimed_row"]),
            drill.rows(since_zero(cohort, row["person_id"], row["contradicted"]), row["person_id"], row["contradicted_row"]),
            row["how"],
        ]
        for row in disputed
    ]  # fmt: skip
    patients = len({row["person_id"] for row in disputed})
    return Section(
        "Deaths that other rows contradict",
        [
            f"The records of {patients:,} of {cohort.n:,} patients say that the patient died and that the patient lived "
            "later. Whether they died counts as unknown, and nothing after the earliest death that is claimed is used, "
            "until somebody corrects one of the two rows."
        ],
        [],
        [PageTable(["Patient", "death claimed at", "contradicted at", "how"], rows)],
    )


SECTION: Final = DeclaredSection("disputed_deaths", 84, section)
