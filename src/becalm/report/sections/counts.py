"""Tables of counts, each opening whom it counts: what the figures of everybody lead to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from becalm.report import facts
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import LISTED, Drill
from becalm.report.figures import missing
from becalm.report.page_table import PageTable
from becalm.report.sections.tables import grade
from becalm.report.text import heading, words


def attrition(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the steps of the attrition; counts of persons open who left, and who remained."""
    left = cohort.result.frames["left"]
    who, step = left["person_id"].astype(str), left["step"]
    rows: list[list[Any]] = []
    ids: list[str] = []
    before: Row | None = None
    for row in cohort.result.tables["attrition"].rows():
        gone, still = who[step == row["step"]], [*cohort.ids, *who[step > row["step"]][:LISTED]]
        lost = [before[name] - row[name] if before else 0 for name in ("persons", "stays", "rows")]
        ids.append(anchor("step", str(row["step"])))
        rows.append(
            [words(row["reason"]), *[_some(drill, n, gone.tolist(), lost[0]) for n in lost],
             _some(drill, row["persons"], sorted(still), row["persons"])]
        )  # fmt: skip
        before = row
    head = ["Step", "persons who left", "their stays", "their rows", "persons remaining"]
    return PageTable(head, rows, ids=ids)


def _some(drill: Drill, shown: int, who: Sequence[str], of: int) -> Markup:
    """Return a count that opens the first persons of those it is of; nobody is behind a zero."""
    lines = [[name] for name in who] if shown else []
    return drill.people(f"{shown:,}", ["person"], lines, of)


def counted(cohort: Cohort, drill: Drill) -> PageTable:
    """Return in how many of the patients still followed each test was done, day by day."""
    found: dict[str, dict[int, list[Row]]] = {}
    for row in cohort.keep(cohort.result.frames["missing"]).rows():
        if 0 <= row["day"] <= missing.DAYS:
            found.setdefault(row["variable"], {}).setdefault(row["day"], []).append(row)
    days = sorted({day for each in found.values() for day in each})
    rows: list[list[Any]] = []
    for name, each in found.items():
        cells = [heading(name)]
        for day in days:
            mine = each.get(day, [])
            shown = f"{sum(row['n'] > 0 for row in mine)}/{len(mine)}" if mine else ""
            lines = [[row["person_id"], row["n"]] for row in mine]
            cells.append(drill.people(shown, ["patient", "values"], lines))
        rows.append(cells)
    head = ["Test", *[f"day {day}" for day in days]]
    return PageTable(head, rows, ids=[anchor("counted", name) for name in found])


def shifts(cohort: Cohort, drill: Drill) -> PageTable:
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
