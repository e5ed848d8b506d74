"""What is missing, and which rows were not used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from becalm.report import labels, left_open
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.printed import counted, joined
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON


def rows_not_used(cohort: Cohort) -> PageTable:
    """Return the rows that were not used, and why."""
    rows = [
        [row["source_table"], labels.measured_or_given(row["variable"]), row["unit"] or "none", row["reason"],
         f"{row['rows']:,}", row["example"]]
        for row in cohort.result.tables["rows_refused"].light_rows()
    ]  # fmt: skip
    head = ["Table", "Test or drug", "Unit as written", "Reason", "Rows", "Example"]
    return PageTable(head, rows, quoted=["Example"], labels=4)


def measured_by_day(cohort: Cohort, drill: Drill) -> PageTable:
    """Return in how many of the patients still followed each test was done, day by day."""
    found: dict[str, dict[int, list[Row]]] = {}
    for row in cohort.keep(cohort.result.frames["missing"]).light_rows():
        found.setdefault(row["variable"], {}).setdefault(row["day"], []).append(row)
    days = sorted({day for each in found.values() for day in each})
    rows: list[list[Any]] = []
    for name, each in found.items():
        cells = [labels.heading(labels.variable(name))]
        for day in days:
            mine = each.get(day, [])
            shown = f"{sum(row['n'] > 0 for row in mine)}/{len(mine)}" if mine else ""
            lines = [[row["person_id"], row["n"]] for row in mine]
            cells.append(drill.people(shown, ["patient", "values"], lines))
        rows.append(cells)
    head = ["Test", *[f"day {day}" for day in days]]
    return PageTable(head, rows, ids=[anchor("counted", name) for name in found])


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    result = cohort.result
    absent = PageTable(
        ["Not in the records", "What is unknown without it"],
        [[part.table, part.consequence] for part in result.absent],
    )
    refused = rows_not_used(cohort)
    rows = int(result.tables["rows_refused"]["rows"].sum())
    refused = captioned(
        refused, joined("Rows that were not used, and why (", counted("n", rows), " rows)")
    )
    short = len(refused.rows) <= 12
    shown = [
        captioned(absent, "What the records do not contain"),
        captioned(left_open.table(cohort, drill), left_open.HEADING),
        *([refused] if short else []),
    ]
    folded = []
    if cohort.n <= PER_PERSON:
        by_day = measured_by_day(cohort, drill)
        folded = [captioned(by_day, "Number of patients with a value, by day")]
    return Section(
        "What is missing", consequences(result.consequences), figures_named(figures, "missing"),
        [table for table in shown if table], [t for t in (*folded, *([] if short else [refused])) if t],
    )  # fmt: skip


def consequences(given: Sequence[str]) -> list[str]:
    """Return what was not assessed, one line a definition: `HScore: marrow not assessed in 3 of 5`."""
    found: dict[str, list[str]] = {}
    for line in given:
        about, _, rest = line.partition(": ")
        found.setdefault(about, []).append(rest)
    return [f"{about}: {'; '.join(rest)}." if any(rest) else about for about, rest in found.items()]


SECTION: Final = DeclaredSection("missing", 120, section, without_patients=True)
