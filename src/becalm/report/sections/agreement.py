"""The definitions side by side: who met which and when, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from becalm.core import stats
from becalm.core.clock import UNKNOWN_TIME
from becalm.measures import definition_agreement
from becalm.measures.definition_agreement import Agreement
from becalm.report import facts
from becalm.report.cohort import ROW_EACH, Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.text import UNKNOWN, hours, interval, number
from becalm.report.theme import Figure
from becalm.study.result import PER_PERSON


def pairs(cohort: Cohort) -> list[Agreement]:
    """Return the agreement of every pair of the definitions that the protocol reports."""
    return definition_agreement.pairwise(cohort.criteria, cohort.result.protocol.definitions.report)


def side_by_side(cohort: Cohort, drill: Drill) -> PageTable:
    """Return which definitions each patient met and since when; the whole cohort comes last."""
    names = cohort.result.protocol.definitions.report
    told = {(row["person_id"], row["criterion"]): row for row in cohort.criteria}
    rows: list[list[Any]] = [
        [
            person,
            *[
                drill.definition(
                    _said(cohort, told.get((person, name))), person, name, cohort.moment
                )
                for name in names
            ],
        ]
        for person in (cohort.ids if cohort.n <= PER_PERSON else [])
    ]
    everybody: list[Any] = ["all patients"]
    for name in names:
        counts = facts.statuses(cohort, name)
        text = ", ".join(
            f"{word} {counts[word]}" for word in ("met", "not met", "undetermined") if counts[word]
        )
        known = [who for who in cohort.ids if (who, name) in told]
        lines = [[who, told[who, name]["status"]] for who in known[: drill.most]]
        everybody.append(
            drill.people(text, ["patient", cohort.definition_label(name)], lines, len(known))
            if text
            else UNKNOWN
        )
    rows.append(everybody)
    return PageTable(["Patient", *map(cohort.definition_label, names)], rows)


def _said(cohort: Cohort, row: Row | None) -> str:
    """Return a status with the hour at which it was first met, or the interval that leaves it open."""
    if row is None:
        return UNKNOWN
    if row["status"] == "met" and row["first_met"] != UNKNOWN_TIME:
        return f"met, first at {hours(cohort.hours(row['person_id'], row['first_met']))}"
    if row["status"] == "undetermined":
        return f"undetermined, {interval(row['low'], row['high'])}"
    return str(row["status"])


def agreed(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how far each pair of definitions agrees."""
    rows, ids = [], []
    listed = set(cohort.ids[: drill.most])
    said = {
        (row["person_id"], row["criterion"]): row["status"]
        for row in cohort.criteria
        if row["person_id"] in listed
    }
    for pair in pairs(cohort):
        ids.append(anchor("pair", pair.a, pair.b))
        kappa = UNKNOWN if pair.kappa is None else number(pair.kappa, 2)
        if pair.interval and pair.n >= stats.KAPPA_FROM:
            kappa += f" ({number(pair.interval[0], 2)} to {number(pair.interval[1], 2)})"
        lines = [
            [who, said.get((who, pair.a), UNKNOWN), said.get((who, pair.b), UNKNOWN)]
            for who in cohort.ids[: drill.most]
        ]
        head = ["patient", cohort.definition_label(pair.a), cohort.definition_label(pair.b)]
        told = [
            *map(
                str, (pair.n, pair.both, pair.first, pair.second, pair.neither, pair.undetermined)
            ),
            kappa,
        ]
        rows.append([f"{cohort.definition_label(pair.a)} and {cohort.definition_label(pair.b)}",
                     *[drill.people(each, head, lines, cohort.n) for each in told]])  # fmt: skip
    head = ["Pair", "both decided", "both met", "only the first met", "only the second met", "neither met",
            "one or both undetermined", f"Cohen's kappa (95 % interval from {stats.KAPPA_FROM} pairs on)"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    """Return what the definitions say side by side, where a protocol reports more than one."""
    if len(cohort.result.protocol.definitions.report) < 2:
        return None
    many = ROW_EACH < cohort.n <= PER_PERSON
    each = captioned(side_by_side(cohort, drill), "Who met which definition, and when first")
    shown = [captioned(agreed(cohort, drill), "Agreement of each pair")]
    return Section(
        "Definitions side by side",
        ["Agreement is counted in patients in whom both definitions are met or not met. Patients with an "
         "undetermined status are counted in a column of their own."],
        figures_named(figures, "standing", "agreement"), shown if many else [each, *shown],
        [each] if many else [],
    )  # fmt: skip


SECTION: Final = DeclaredSection("agreement", 104, section)
