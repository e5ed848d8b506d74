"""What a status rests on that nobody published: look-backs halved and doubled."""

from __future__ import annotations

from collections import Counter
from typing import Any

from becalm.report.cohort import Cohort, Row
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.text import UNKNOWN, interval, label

STATES = ("met", "not met", "undetermined")


def look_backs(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each definition's statuses as defined, with look-backs halved, and doubled."""
    defined = {(row["criterion"], row["person_id"]): row for row in cohort.criteria}
    varied = {
        (row["criterion"], row["person_id"], row["factor"]): row
        for row in cohort.rows("criteria_look_backs")
    }
    rows: list[list[Any]] = []
    for name in cohort.result.protocol.definitions.report:
        each = [
            [defined.get((name, who)), varied.get((name, who, 0.5)), varied.get((name, who, 2.0))]
            for who in cohort.ids
        ]
        if not any(half or double for _, half, double in each):
            continue
        lines = [[who, *map(_said, three)] for who, three in zip(cohort.ids, each, strict=True)]
        moved = [line for line, three in zip(lines, each, strict=True)
                 if len({row["status"] for row in three if row}) > 1]  # fmt: skip
        head = ["patient", "as defined", "halved", "doubled"]
        counts = [_counted([three[i] for three in each]) for i in range(3)]
        rows.append(
            [label(name), *[drill.people(told, head, lines) for told in counts],
             drill.people(str(len(moved)), head, moved)]
        )  # fmt: skip
    head = ["Definition", "as defined", "look-backs halved", "look-backs doubled",
            "patients whose status hangs on it"]  # fmt: skip
    return PageTable(head, rows)


def _said(row: Row | None) -> str:
    return UNKNOWN if row is None else f"{interval(row['low'], row['high'])}, {row['status']}"


def _counted(rows: list[Row | None]) -> str:
    tally = Counter(row["status"] for row in rows if row)
    return ", ".join(f"{state} {tally[state]}" for state in STATES if tally[state]) or UNKNOWN
