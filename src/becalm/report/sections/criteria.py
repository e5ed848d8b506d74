"""Which definitions were met, and the value behind every item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from becalm.report import labels
from becalm.report.cells import in_population, since_zero, total
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import (
    DeclaredSection,
    Section,
    captioned,
    figures_named,
    lists_everybody,
)
from becalm.report.text import UNKNOWN, duration, interval, number, signs, unit
from becalm.report.theme import Figure

STATES: Final = ("met", "not met", "undetermined")


def totals(cohort: Cohort, drill: Drill) -> PageTable:
    """Return every definition's total at each of its moments, and what it rests on."""
    moments = {
        (row["person_id"], row["criterion"], row["moment"]): row for row in cohort.rows("criteria")
    }
    rows = []
    whole = any(moment == "whole_stay" for _, _, moment in moments)
    shown_beside = ("index", "peak_ever", *(["whole_stay"] if whole else []))
    for row in cohort.criteria:
        person, name = row["person_id"], row["criterion"]
        others = []
        for moment in shown_beside:
            other = moments.get((person, name, moment))
            text = (
                UNKNOWN
                if other is None
                else f"{interval(other['low'], other['high'])}, {other['status']}"
            )
            others.append(drill.definition(text, person, name, moment))
        without = interval(row["low_unmodified"], row["high_unmodified"])
        numbers = [
            without if without[:1] != "–" else UNKNOWN,
            f"{row['items_assessed']} of {row['items_total']}",
            row["probability"],
            since_zero(cohort, person, row["first_possible"]),
            since_zero(cohort, person, row["first_met"]),
            duration(row["held_hours"]),
        ]
        shown = [drill.definition(each, person, name, cohort.moment) for each in numbers]
        rows.append([person, cohort.definition_label(name), total(drill, row), *shown, *others,
                     in_population(cohort, row)])  # fmt: skip
    head = ["Patient", "Definition", labels.heading(cohort.moment_text), "without items that a treatment could have changed", "items assessed",
            "probability as published", "first possible", "first met", "stayed met for", "at the index",
            "highest ever", *(["whole stay, as papers print"] if whole else []),
            "in the population of the definition"]  # fmt: skip
    ids = [anchor("total", row["criterion"], row["person_id"]) for row in cohort.criteria]
    return PageTable(head, rows, ids=ids)


def item_values(cohort: Cohort, drill: Drill, criterion: str) -> PageTable:
    """Return the value behind every item of one definition at the moment shown."""
    mine = [row for row in cohort.items if row["criterion"] == criterion]
    names = list(dict.fromkeys(row["item"] for row in mine))
    cells = {(row["person_id"], row["item"]): row for row in mine}
    people = [person for person in cohort.ids if any((person, name) in cells for name in names)]
    rows = [
        [person, *[_item(drill, cells.get((person, name))) for name in names]] for person in people
    ]
    head = ["Patient", *[labels.heading(cohort.item_label(criterion, name)) for name in names]]
    return PageTable(head, rows, ids=[anchor("items", criterion, person) for person in people])


def _item(drill: Drill, row: Row | None) -> Markup:
    if row is None:
        return Markup(UNKNOWN)
    if row["state"] == "not assessed":
        return Markup('<span class="sub">not assessed</span>')
    value = number(row["value"])
    told = (
        row["state"]
        if value == UNKNOWN
        else ("absent", "present")[row["value"] == 1]
        if drill.cohort.is_finding(row["criterion"], row["item"])
        else f"{signs(row['censored']).get('value', '')}{value} {unit(row['unit'])}".strip()
    )
    shown = drill.rows(told, row["person_id"], row["source_row"])
    if row["state"] == "not met" and value != UNKNOWN:
        shown += Markup('<br><span class="sub">not met</span>')
    if row["derived"]:
        shown += Markup('<br><span class="sub">derived</span>')
    if row["modified_by"]:
        shown += Markup('<br><span class="sub">*\u00a0{}</span>').format(
            labels.joined(row["modified_by"])
        )
    return shown


def look_backs(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each definition's statuses as defined, with look-backs halved and doubled, and over the stay."""
    defined = {(row["criterion"], row["person_id"]): row for row in cohort.criteria}
    varied = {
        (row["criterion"], row["person_id"], row["factor"]): row
        for row in cohort.rows("criteria_look_backs")
    }
    stays = {
        (row["criterion"], row["person_id"]): row
        for row in cohort.rows("criteria")
        if row["moment"] == "whole_stay"
    }
    rows: list[list[Any]] = []
    for name in cohort.result.protocol.definitions.report:
        each = [
            [defined.get((name, who)), varied.get((name, who, 0.5)), varied.get((name, who, 2.0))]
            for who in cohort.ids
        ]
        if not any(half or double for _, half, double in each):
            continue
        people = list(zip(cohort.ids, each, strict=True))
        lines = [[who, *map(_shown_total, three)] for who, three in people[: drill.most]]
        moves = [who for who in people if len({row["status"] for row in who[1] if row}) > 1]
        moved = [[who, *map(_shown_total, three)] for who, three in moves[: drill.most]]
        head = ["patient", "as defined", "halved", "doubled"]
        counts = [_status_counts([three[i] for three in each]) for i in range(3)]
        whole = [stays.get((name, who)) for who in cohort.ids]
        known = [(who, row) for who, row in zip(cohort.ids, whole, strict=True) if row]
        of_stays = [[who, _shown_total(row)] for who, row in known[: drill.most]]
        rows.append(
            [cohort.definition_label(name),
             *[drill.people(told, head, lines, cohort.n) for told in counts],
             drill.people(str(len(moves)), head, moved, len(moves)),
             drill.people(_status_counts(whole), ["patient", "whole stay"], of_stays, len(known))]
        )  # fmt: skip
    head = ["Definition", "as defined", "look-backs halved", "look-backs doubled",
            "patients whose status changes", "over the whole stay, as papers print"]  # fmt: skip
    if not stays:
        return PageTable(head[:-1], [row[:-1] for row in rows])
    return PageTable(head, rows)


def _shown_total(row: Row | None) -> str:
    return UNKNOWN if row is None else f"{interval(row['low'], row['high'])}, {row['status']}"


def _status_counts(rows: list[Row | None]) -> str:
    tally = Counter(row["status"] for row in rows if row)
    return ", ".join(f"{state} {tally[state]}" for state in STATES if tally[state]) or UNKNOWN


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    names = cohort.result.protocol.definitions.report
    varied = captioned(
        look_backs(cohort, drill),
        "Status if a value were valid half as long or twice as long, or for the whole stay",
    )
    folded = []
    if lists_everybody(cohort):
        folded = [captioned(totals(cohort, drill), "Totals of every patient")]
        folded += [
            captioned(
                item_values(cohort, drill, name),
                f"{cohort.definition_label(name)}: value of each item",
            )
            for name in names
        ]
    return Section(
        "Criteria met",
        ["A definition is met if its lowest possible total reaches the cut-off, and not met if its highest "
         "possible total stays below it. Otherwise it is undetermined. Unknown never counts as no."],
        figures_named(figures, *[f"criteria_{name}" for name in names]), [varied] if varied else [],
        [table for table in folded if table],
    )  # fmt: skip


SECTION: Final = DeclaredSection("criteria", 100, section)
