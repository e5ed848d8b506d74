"""Death and discharge over the days after time zero."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from becalm.core.digits import fixed, percentage
from becalm.core.frame import Frame
from becalm.measures.incidence import ANYWHERE, CAUSES, ends, lives
from becalm.report.cohort import Cohort
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON
from becalm.survival.curves import rules

SHOWN: Final = (7, 14, 28, 60)


def shares(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the estimates at some days; each opens who had the event until then, where patients are listed."""
    rows = []
    tables = cohort.result.tables
    listed = {} if cohort.n > PER_PERSON else listed_by_event(tables["persons"], tables["outcome"])
    for row in tables["incidence"].rows():
        day = row["day_after"]
        if day not in SHOWN:
            continue
        text = f"{percentage(row['incidence'], 1)} %"
        if not math.isnan(row["incidence_low"]):
            low, high = (percentage(row[name], 1) for name in ("incidence_low", "incidence_high"))
            text += f" ({low} to {high})"
        mine = listed.get(row["end_event"], [])
        with_it = [
            [name, f"day {fixed(at, 1)}"] for name, at, happened in mine if happened and at <= day
        ]
        there = [[name, f"until day {fixed(at, 1)}"] for name, at, _ in mine if at >= day]
        head = ["patient", "when"]
        all_of = [[name, f"day {fixed(at, 1)}"] for name, at, _ in mine]
        rows.append(
            [row["end_event"], drill.people(f"day {day}", head, all_of), drill.people(text, head, with_it or all_of),
             drill.people(str(row["had_event"]), head, with_it, row["had_event"]),
             drill.people(str(row["still_at_risk"]), head, there, row["still_at_risk"])]
        )  # fmt: skip
    columns = [
        "Event",
        "until",
        "estimated share (95\u00a0% interval)",
        "patients with it",
        "still at risk",
    ]
    return PageTable(columns, rows)


def listed_by_event(persons: Frame, outcome: Frame) -> dict[str, list[tuple[str, float, bool]]]:
    """Return for each event everybody, the day at which the time ends, and whether the event ended it."""
    names, days, cause = ends(persons, outcome)
    found = {
        event: list(zip(names, days.tolist(), (cause == number).tolist(), strict=True))
        for event, number in CAUSES.items()
    }
    names, days, died = lives(persons, outcome)
    return {**found, ANYWHERE: list(zip(names, days.tolist(), died.tolist(), strict=True))}


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    if cohort.result.protocol.landmark is not None or not cohort.n:
        return None
    least = rules().patients.fewest
    if not len(cohort.result.tables["incidence"]):
        return (
            None
            if cohort.n < least
            else Section(
                "Death and discharge in time", ["No curve can be drawn from these records."]
            )
        )
    intro = [
        "Discharge competes with death in hospital: a patient who went home cannot die in hospital any more, so the shares are "
        "estimated together (Aalen-Johansen); at risk is who is in hospital and followed. Death anywhere counts deaths after the discharge "
        f"too, among all who are followed (Kaplan-Meier). Curves are drawn from {least} patients on."
    ]
    table = captioned(shares(cohort, drill), "Shares at some days")
    return Section(
        "Death and discharge in time",
        intro,
        figures_named(figures, "incidence"),
        [table] if table else [],
    )


SECTION: Final = DeclaredSection("incidence", 82, section)
