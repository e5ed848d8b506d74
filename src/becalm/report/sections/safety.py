"""Safety: grades before and after time zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from becalm.report import facts, labels
from becalm.report.cells import grade
from becalm.report.cohort import ROW_EACH, Cohort, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import (
    DeclaredSection,
    Section,
    captioned,
    figures_named,
    lists_everybody,
)
from becalm.report.text import answer, hours, spaced
from becalm.report.theme import Figure


def events(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each event's grade before time zero and its worst after, with onset and reference."""
    rows = []
    for row in cohort.safety:
        person = row["person_id"]
        onset = row["hours_from_t0"]
        moved = f"{grade(row['grade_before'])} → {grade(row['grade_after'])}"
        beside = "" if row["grade_by_baseline"] < 0 else grade(row["grade_by_baseline"])
        about = "; ".join(filter(None, (
            row["reference"], row["decided_by"],
            row["injury_on_arrival"] and f"injury on arrival, seen backwards: {row['injury_on_arrival']}",
        )))  # fmt: skip
        rows.append(
            [person, labels.heading(labels.event(row["event"])), drill.rows(moved, person, row["source_row"]),
             drill.rows(beside, person, row["source_row"]), drill.rows(hours(onset), person, row["source_row"]), answer(row["on_drug"]),
             row["attribution"], drill.rows(spaced(about), person, row["source_row"])]
        )  # fmt: skip
    head = ["Patient", "Event", "grade before → worst after", "worst after, from an abnormal value before", "onset of the worst grade",
            f"on {labels.drug(cohort.drug) or 'drug'}", "attribution by a clinician", "compared with"]  # fmt: skip
    ids = [anchor("safety", row["event"], row["person_id"]) for row in cohort.safety]
    return PageTable(head, rows, ids=ids)


def moves(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the patients with each grade before time zero by their worst grade after it."""
    found: dict[tuple[str, int], dict[int, list[str]]] = {}
    for row in cohort.safety:
        cell = found.setdefault((row["event"], row["grade_before"]), {})
        cell.setdefault(row["grade_after"], []).append(row["person_id"])
    order = {name: i for i, name in enumerate(cohort.result.protocol.safety.events)}
    keys = sorted(found, key=lambda key: (order.get(key[0], 99), key[1] < 0, key[1]))
    after = sorted({g for each in found.values() for g in each}, key=lambda g: (g < 0, g))
    rows = [
        [facts.event_title(event),
         drill.people(grade(before), ["patient"], [[n] for who in found[event, before].values() for n in who]),
         *[drill.people(str(len(who)) if who else "", ["patient"], [[name] for name in who])
           for who in (found[event, before].get(g, []) for g in after)]]
        for event, before in keys
    ]  # fmt: skip
    ids = [anchor("shift", event, grade(before)) for event, before in keys]
    head = ["Event", "grade before", *[f"worst after: {grade(g)}" for g in after]]
    return PageTable(head, rows, ids=ids)


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    harms = []
    if cohort.n > ROW_EACH:
        moved = moves(cohort, drill)
        harms.append(captioned(moved, "Number of patients by grade before and worst grade after"))
    if lists_everybody(cohort):
        each = events(cohort, drill)
        harms.append(captioned(each, "Every event: grade before, worst grade after, and onset"))
    return Section(
        "Safety",
        [],
        figures_named(figures, "safety"),
        [],
        [table for table in harms if table],
    )


SECTION: Final = DeclaredSection("safety", 60, section)
