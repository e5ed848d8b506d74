"""Who was studied, and who left at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import LISTED, Drill
from becalm.report.page_table import PageTable
from becalm.report.section import DeclaredSection, Section, captioned, figures_named
from becalm.report.text import interval
from becalm.report.theme import Figure


def nearest_misses(cohort: Cohort, drill: Drill) -> PageTable:
    """Return those who came closest to entering, and what kept them out."""
    rows = [
        [row["person_id"], cohort.reason(row["reason"]), cohort.definition_label(row["criterion"]),
         drill.outsider(interval(row["low"], row["high"]), row["person_id"], row["criterion"]),
         ", ".join(cohort.item_label(row["criterion"], item) for item in row["missing"].split("|") if item)]
        for row in cohort.result.frames["nearest"].light_rows()
    ]  # fmt: skip
    return PageTable(
        ["Person", "left because", "definition", "lowest–highest total", "items not assessed"], rows
    )


def steps(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the steps of the attrition; counts of persons open who left, and who remained."""
    left = cohort.result.frames["left"]
    who, step = left["person_id"].astype(str), left["step"]
    rows: list[list[Any]] = []
    ids: list[str] = []
    before: Row | None = None
    for row in cohort.result.tables["attrition"].light_rows():
        gone, still = who[step == row["step"]], [*cohort.ids, *who[step > row["step"]][:LISTED]]
        lost = [before[name] - row[name] if before else 0 for name in ("persons", "stays", "rows")]
        ids.append(anchor("step", str(row["step"])))
        rows.append(
            [cohort.reason(row["reason"]), *[_some(drill, n, gone.tolist(), lost[0]) for n in lost],
             _some(drill, row["persons"], sorted(still), row["persons"])]
        )  # fmt: skip
        before = row
    head = ["Step", "persons who left", "their stays", "their rows", "persons who remain"]
    return PageTable(head, rows, ids=ids)


def _some(drill: Drill, shown: int, who: Sequence[str], of: int) -> Markup:
    """Return a count that opens the first persons of those it is of; nobody is behind a zero."""
    lines = [[name] for name in who] if shown else []
    return drill.people(f"{shown:,}", ["person"], lines, of)


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section:
    """Return the steps to the cohort, and who came nearest to entering."""
    nearest = nearest_misses(cohort, drill)
    return Section(
        "Who was studied",
        ["No patient entered the study."] if not cohort.n else [],
        figures_named(figures, "attrition"), [captioned(nearest, "Who came nearest to entering")] if nearest else [],
        [captioned(steps(cohort, drill), "Who left at each step")],
    )  # fmt: skip


SECTION: Final = DeclaredSection("flow", 0, section, without_patients=True)
