"""The outcome of each patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.report import labels
from becalm.report.cells import outcome_cells, since_zero
from becalm.report.cohort import ROW_EACH, Cohort, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.text import answer
from becalm.report.theme import Figure


def outcomes(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the outcome of each patient, as far as it is known."""
    rows = []
    for person in cohort.ids:
        row = cohort.outcome.get(person)
        if row is None:
            continue
        end, followed = outcome_cells(cohort, drill, person)
        rows.append(
            [person, end, drill.stays(since_zero(cohort, person, row["discharged"]), person), answer(row["on_drug_at_death"]),
             answer(row["infection_linked"]), since_zero(cohort, person, row["relapse_time"]), followed]
        )  # fmt: skip
    head = ["Patient", "Outcome", "discharged", f"on {labels.drug(cohort.drug) or 'the drug'} at death", "death linked to infection",
            "relapse", "follow-up"]  # fmt: skip
    return PageTable(head, rows, ids=[anchor("end", row[0]) for row in rows])


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    del figures
    if not lists_everybody(cohort):
        return None
    ends = [captioned(outcomes(cohort, drill), "Outcome of every patient")]
    few = cohort.n <= ROW_EACH
    return Section("Outcome", [], [], ends if few else [], [] if few else ends)


SECTION: Final = DeclaredSection("outcome", 100, section)
