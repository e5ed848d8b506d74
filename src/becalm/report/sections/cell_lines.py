"""More than one cell line low, before and after time zero, with transfusions and growth factors beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from becalm import vocabulary
from becalm.measures.cell_lines import LINES, file
from becalm.report import labels
from becalm.report.cohort import Cohort, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, lists_everybody
from becalm.report.text import UNKNOWN, answer, number, share, spaced, unit
from becalm.report.theme import Figure

PERIODS: Final = ("before", "after")
ASKED: Final = {
    "several_low": "more than one line low",
    "transfused": "transfused",
    "growth_factor": "growth factor",
}


def answers(cohort: Cohort, column: str, period: str) -> dict[str, bool | None]:
    """Return the answer of each patient for a period."""
    table = cohort.keep(cohort.result.tables["cell_lines"])
    mine = table.take(table["when"] == period)
    return dict(zip(mine["person_id"].tolist(), mine[column].tolist(), strict=True))


def ever(cohort: Cohort, column: str) -> dict[str, bool | None]:
    """Return the answer of each patient for both periods together: yes in one is yes."""
    before, after = (answers(cohort, column, period) for period in PERIODS)
    return {
        who: True if True in {before[who], after[who]} else None if None in {before[who], after[who]} else False
        for who in before
    }  # fmt: skip


def told(drill: Drill, found: Mapping[str, bool | None]) -> Any:
    """Return how many said yes, of how many it is known."""
    known = {who: said for who, said in found.items() if said is not None}
    yes = sum(said is True for said in known.values())
    lines = [[who, answer(known[who])] for who in sorted(known)[: drill.most]]
    shown = share(yes, len(known), len(found) - len(known))
    return drill.people(shown, ["patient", ""], lines, len(known))


def counts(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each question by period."""
    rows = [
        [title[:1].upper() + title[1:],
         *(told(drill, answers(cohort, column, period)) for period in PERIODS),
         told(drill, ever(cohort, column))]
        for column, title in ASKED.items()
    ]  # fmt: skip
    return PageTable(["", f"before {cohort.zero}", "after it", "before or after"], rows)


def each(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the lowest counts of each patient and period."""
    rows, ids = [], []
    for row in sorted(
        cohort.rows("cell_lines"), key=lambda r: (r["person_id"], r["when"] == "after")
    ):
        person, source = row["person_id"], row["source_row"]
        lines = labels.joined(row["lines"]) or labels.joined(row["low_in_period"])
        measured = f"{len([m for m in row['measured'].split('|') if m])} of 3"
        values = [drill.rows(number(row[f"lowest_{name}"]), person, source) for name in LINES]
        rows.append(
            [person, row["when"], answer(row["several_low"]), lines or UNKNOWN, *values,
             drill.rows(measured, person, source), answer(row["transfused"]), answer(row["growth_factor"])]
        )  # fmt: skip
        ids.append(anchor("lines", person, row["when"]))
    words = vocabulary.load()
    lowest = [
        f"lowest {labels.variable(name)}, {unit(words.variable(name).unit)}" for name in LINES
    ]
    head = [
        "Patient",
        "period",
        "more than one line low",
        "low lines",
        *lowest,
        "lines measured",
        "transfused",
        "growth factor",
    ]
    return PageTable(head, rows, ids=ids)


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    del figures
    if not len(cohort.keep(cohort.result.tables["cell_lines"])):
        return None
    low, words = file().bounds, vocabulary.load()
    bounds = ", ".join(
        f"{labels.variable(name)} {bound:g}\u00a0{unit(words.variable(name).unit)}"
        for name, bound in low.items()
    )
    intro = [
        f"A line is low below {bounds}; more than one line is low if {file().rules.lines} of them were drawn low within "
        f"{spaced(file().rules.within.removeprefix('<='))}. Transfusions and growth factors move the counts, so they stand beside them."
    ]
    long = (
        [captioned(each(cohort, drill), "Lowest counts of every patient")]
        if lists_everybody(cohort)
        else []
    )
    few = cohort.n <= 10
    main = [captioned(counts(cohort, drill), "Patients")]
    return Section("Cell lines", intro, [], [*main, *(long if few else [])], [] if few else long)


SECTION: Final = DeclaredSection("cell_lines", 62, section)
