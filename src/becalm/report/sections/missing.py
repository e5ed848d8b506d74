"""What is missing, and which rows were not used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.sections import counts, tables
from becalm.report.text import words
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    result = cohort.result
    absent = PageTable(
        ["Not in these records", "What cannot be known without it"],
        [[part.table, part.consequence] for part in result.absent],
    )
    refused = tables.refused(cohort)
    rows = int(result.tables["rows_refused"]["rows"].sum())
    refused = captioned(refused, f"Rows that were not used, and why ({rows:,} rows)")
    short = len(refused.rows) <= 12
    shown = [
        captioned(absent, "Tables that the records do not have"),
        *([refused] if short else []),
    ]
    folded = []
    if cohort.n <= PER_PERSON:
        counted = counts.counted(cohort, drill)
        folded = [captioned(counted, "What was measured on which day, patients counted")]
    return Section(
        "missing", "What is missing", consequences(result.consequences), figures_named(figures, "missing"),
        [table for table in shown if table], [t for t in (*folded, *([] if short else [refused])) if t],
    )  # fmt: skip


def consequences(given: Sequence[str]) -> list[str]:
    """Return what was not assessed, one line a definition: `HScore: marrow not assessed in 3 of 5`."""
    found: dict[str, list[str]] = {}
    for line in given:
        about, _, rest = line.partition(": ")
        found.setdefault(words(about), []).append(words(rest))
    return [f"{about}: {'; '.join(rest)}." if any(rest) else about for about, rest in found.items()]


SECTION: Final = DeclaredSection(120, section, without_patients=True)
