"""What the definitions say side by side: who met which when, how far they agree, what is missing."""

from __future__ import annotations

from becalm import agreement
from becalm.agreement import Agreement
from becalm.clock import UNKNOWN_TIME
from becalm.report import facts
from becalm.report.cohort import Cohort, Row
from becalm.report.drill import Drill
from becalm.report.tables import Table
from becalm.report.text import UNKNOWN, heading, hours, interval, label, number
from becalm.scores import load

MOST_ITEMS = 3
"""Missing items that are listed for each definition."""


def pairs(cohort: Cohort) -> list[Agreement]:
    """Return the agreement of every pair of the definitions that the protocol reports."""
    return agreement.pairwise(cohort.criteria, cohort.result.protocol.definitions.report)


def side_by_side(cohort: Cohort, drill: Drill) -> Table:
    """Return which definitions each patient met and since when; the whole cohort comes last."""
    names = cohort.result.protocol.definitions.report
    told = {(row["person_id"], row["criterion"]): row for row in cohort.criteria}
    rows = [
        [person, *[_said(cohort, told.get((person, name))) for name in names]]
        for person in cohort.ids
    ]
    counts = [facts.statuses(cohort, name) for name in names]
    rows.append(["all", *[", ".join(f"{word} {each[word]}" for word in
                 ("met", "not met", "undetermined") if each[word]) or UNKNOWN for each in counts]])  # fmt: skip
    return Table(["Patient", *map(label, names)], rows)


def _said(cohort: Cohort, row: Row | None) -> str:
    """Return a status with the hour at which it was first met, or the interval that leaves it open."""
    if row is None:
        return UNKNOWN
    if row["status"] == "met" and row["first_met"] != UNKNOWN_TIME:
        return f"met, first at {hours(cohort.hours(row['person_id'], row['first_met']))}"
    if row["status"] == "undetermined":
        return f"undetermined, {interval(row['low'], row['high'])}"
    return str(row["status"])


def agreed(cohort: Cohort) -> Table:
    """Return how far each pair of definitions agrees."""
    rows = []
    for pair in pairs(cohort):
        kappa = UNKNOWN if pair.kappa is None else number(pair.kappa, 2)
        if pair.interval:
            kappa += f" ({number(pair.interval[0], 2)} to {number(pair.interval[1], 2)})"
        rows.append(
            [f"{label(pair.a)} and {label(pair.b)}", pair.n, pair.both, pair.first, pair.second,
             pair.neither, pair.undetermined, kappa]
        )  # fmt: skip
    head = ["Pair", "decided by both", "both met", "first only", "second only", "neither met",
            "undetermined by one or both", "Cohen's kappa (95 % interval)"]  # fmt: skip
    return Table(head, rows)


def decisive(cohort: Cohort) -> Table:
    """Return which missing test alone would have decided a definition, and in how many."""
    rows = []
    for name in cohort.result.protocol.definitions.report:
        definition = load(name)
        titles = {item.key: item.title or heading(item.key) for item in definition.items}
        found = agreement.decisive(definition, cohort.criteria, cohort.items)
        for each in found[:MOST_ITEMS]:
            rows.append(
                [label(name), titles[each.item], f"{each.missing} of {each.undetermined}",
                 f"{each.decides} of {each.undetermined}", each.could_meet, each.could_deny]
            )  # fmt: skip
    head = ["Definition", "Missing test", "missing, of those undetermined",
            "decides alone, whatever it shows", "could meet it", "could deny it"]  # fmt: skip
    return Table(head, rows)
