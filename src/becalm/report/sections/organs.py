"""SOFA around time zero, vasopressors, and suspected infections."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from becalm.core import stats
from becalm.doses import EQUIVALENTS
from becalm.measures.escalations import VASOPRESSORS
from becalm.measures.organs.rules import load
from becalm.report import labels
from becalm.report.cells import marked
from becalm.report.cohort import ROW_EACH, Cohort, Row, anchor
from becalm.report.drill import Drill
from becalm.report.page_table import PageTable
from becalm.report.section import (
    DeclaredSection,
    Section,
    captioned,
    figures_named,
    lists_everybody,
)
from becalm.report.text import UNKNOWN, answer, hours, interval, number, signed, spaced
from becalm.report.theme import Figure

MOMENTS: Final = ("t0", "24h", "48h", "72h", "d7")
ITEMS: Final = ("respiration", "coagulation", "liver", "cardiovascular", "nervous_system", "renal")


def by_person(cohort: Cohort) -> dict[str, dict[str, Row]]:
    """Return the rows of `sofa` of each patient by moment."""
    found: dict[str, dict[str, Row]] = {}
    for row in cohort.rows("sofa"):
        found.setdefault(row["person_id"], {})[row["moment_of"]] = row
    return found


def _opened(drill: Drill, shown: str, row: Row) -> Any:
    """Return something known of a moment, opening the items at that moment and their source rows."""
    lines = [
        [item.replace("_", " "), UNKNOWN if row[item] < 0 else interval(row[item], row[f"{item}_high"])]
        for item in ITEMS
    ]  # fmt: skip
    when = hours(drill.cohort.hours(row["person_id"], row["points_at"]))
    return drill.parts(shown, ["item", f"points, {when}"], lines, row["person_id"], row["source_row"])  # fmt: skip


def totals(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each patient's possible totals at each moment; each opens its items and their rows."""
    rows, ids = [], []
    for person, moments in by_person(cohort).items():
        cells: list[Any] = [person]
        for moment in MOMENTS:
            row = moments[moment]
            cells.append(_opened(drill, interval(row["sofa_low"], row["sofa_high"]), row))
        later = moments["at_72h"]
        change = later["change_of_measured"]
        cells.append(
            UNKNOWN
            if math.isnan(change)
            else _opened(drill, signed(change) if change else "0", later)
        )
        rate = max(
            (row["noradrenaline_equivalent"] for row in moments.values() if not math.isnan(row["noradrenaline_equivalent"])),
            default=math.nan,
        )  # fmt: skip
        lines = [[m, number(moments[m]["noradrenaline_equivalent"])] for m in MOMENTS]
        rate_cell = drill.people(number(rate), ["moment", "µg/kg/min"], lines)
        cells += [marked(rate_cell, verified=EQUIVALENTS[VASOPRESSORS].verified) if not math.isnan(rate) else rate_cell,
                  labels.joined(moments["t0"]["not_measured"].replace("_", " "))]  # fmt: skip
        rows.append(cells)
        ids.append(anchor("sofa", person))
    head = ["Patient", "at time zero", "worst to 24\u00a0h", "worst to 48\u00a0h", "worst to 72\u00a0h", "worst to day\u00a07",
            "change to 72\u00a0h, of items measured both times", "noradrenaline equivalent, µg/kg/min", "not measured at time zero"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def middles(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the medians of the lowest and the highest possible total at each moment."""
    table = cohort.keep(cohort.result.tables["sofa"])
    rows: list[list[Any]] = []
    for moment in MOMENTS:
        mine = table.take(table["moment_of"] == moment)
        ends = []
        for name in ("sofa_low", "sofa_high"):
            found = stats.summary(mine[name].astype(np.float64).tolist())
            lines = [
                [who, str(value)] for who, value in zip(mine["person_id"], mine[name], strict=True)
            ]
            ends.append(
                drill.people(
                    number(found.median) if found else UNKNOWN, ["patient", "points"], lines
                )
            )
        title = (
            "time zero"
            if moment == "t0"
            else f"worst to {'day 7' if moment == 'd7' else spaced(moment)}"
        )
        rows.append([drill.people(title, ["patient"], [[who] for who in mine["person_id"]]), *ends])
    return PageTable(["", "median of the lowest possible", "median of the highest possible"], rows)


def suspicions(cohort: Cohort, drill: Drill) -> PageTable:
    """Return each suspected infection with SOFA around it."""
    rows, ids = [], []
    for i, row in enumerate(cohort.rows("suspected_infections")):
        person, source = row["person_id"], row["source_row"]
        worst = (
            f"{row['sofa_worst']}–{row['sofa_worst_high']}"
            if row["sofa_worst"] != row["sofa_worst_high"]
            else str(row["sofa_worst"])
        )
        rows.append(
            [person, drill.rows(hours(row["hours_after_t0"]), person, source), labels.drug(row["antibiotic"]), answer(row["culture_grew"]),
             drill.rows(str(row["sofa_before"]), person, source), drill.rows(worst, person, source), answer(row["sepsis_by_total"]),
             answer(row["sepsis_by_change"])]
        )  # fmt: skip
        ids.append(anchor("suspicion", person, str(i)))
    head = ["Patient", "suspected, from time zero", "antibiotic", "something grew", "SOFA before, lowest", "worst SOFA around it",
            "Sepsis-3, taking SOFA before as 0", "Sepsis-3 by the rise"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    if not len(cohort.keep(cohort.result.tables["sofa"])):
        return None
    rule = load()
    intro = [
        "SOFA is given from the lowest to the highest possible total: an item that nobody measured is worth 0 to 4 points. Each item is "
        f"the worst of the last {spaced(rule.sofa.worst_within)}. Where the urine of that day is not known, it may be "
        "worth 4 points, so the points of the kidney are a range. A worst total opens the items at the first moment at which its lowest bound was "
        "reached; its highest bound may be that of another moment.",
        "An infection is suspected where an antibiotic was given within "
        f"{spaced(rule.suspicion.culture_first)} after a culture, or a culture taken within {spaced(rule.suspicion.antibiotic_first)} after an "
        "antibiotic. The storm itself lowers blood counts and harms liver, kidneys and mind, so it gives points of SOFA without any "
        "infection: taking SOFA before as 0, nearly every suspicion in a storm fulfils Sepsis-3. The rise is beside it, and cultures have a section of their own.",
    ]
    few, listed = cohort.n <= ROW_EACH, lists_everybody(cohort)
    # A table that is not shown is not made: what it would open has no place on the page.
    tables = [] if few else [captioned(middles(cohort, drill), "SOFA")]
    long: list[PageTable] = []
    if listed:
        everyone = captioned(totals(cohort, drill), "SOFA of every patient")
        (tables if few else long).append(everyone)
        if len(cohort.keep(cohort.result.tables["suspected_infections"])):
            long.append(captioned(suspicions(cohort, drill), "Suspected infections"))
    return Section("Organs", intro, figures_named(figures, "sofa"), tables, long)


SECTION: Final = DeclaredSection("organs", 66, section)
