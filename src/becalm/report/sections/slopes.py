"""Slopes before and after time zero, half-times, and when values were normal again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from becalm.core import stats
from becalm.measures.response.selection_effect import rules as pair_rules
from becalm.measures.response.slopes import file
from becalm.report import labels
from becalm.report.cells import marked
from becalm.report.cohort import Cohort, Row, anchor
from becalm.report.drill import Drill, Lines
from becalm.report.page_table import PageTable
from becalm.report.section import (
    DeclaredSection,
    Section,
    captioned,
    figures_named,
    lists_everybody,
)
from becalm.report.text import UNKNOWN, duration, number, signed, spaced, unit
from becalm.report.theme import Figure
from becalm.vocabulary import load

CLOCK: Final = "t0"


def per_day(row: Row) -> str:
    """Return the change for each day with its interval, or why there is none."""
    if math.isnan(row["percent_per_day"]):
        return str(row["slope_state"])
    text = f"{signed(row['percent_per_day'])} %"
    if math.isnan(row["percent_low"]):
        return text
    return f"{text} ({signed(row['percent_low'])} to {signed(row['percent_high'])})"


def pairs(cohort: Cohort, clock: str = CLOCK) -> dict[tuple[str, str], dict[str, Row]]:
    """Return the slope before and after, by patient and variable."""
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in cohort.rows("slopes"):
        if row["from_clock"] == clock and row["person_id"] not in cohort.not_analysed:
            found.setdefault((row["person_id"], row["variable"]), {})[row["side"]] = row
    return found


def each(cohort: Cohort, drill: Drill) -> PageTable:
    """Return both slopes of each patient and variable, with the half-time after."""
    rows, ids = [], []
    for (person, variable), sides in pairs(cohort).items():
        before, after = sides["before"], sides["after"]
        if before["draws_in_window"] + after["draws_in_window"] == 0:
            continue
        half = duration(after["half_time_h"])
        if not math.isnan(after["half_time_low"]):
            high = after["half_time_high"]
            half += f" ({number(after['half_time_low'])} to {number(high) if not math.isnan(high) else '∞'})"
        rows.append(
            [person, labels.heading(labels.variable(variable)),
             drill.rows(per_day(before), person, before["source_row"]), drill.rows(str(before["draws_in_window"]), person, before["source_row"]),
             drill.rows(per_day(after), person, after["source_row"]), drill.rows(str(after["draws_in_window"]), person, after["source_row"]),
             drill.rows(half, person, after["source_row"])]
        )  # fmt: skip
        ids.append(anchor("slope", person, variable))
    head = ["Patient", "Test", "change a day before (95\u00a0% interval)", "draws", "change a day after (95\u00a0% interval)", "draws",
            "half-time after"]  # fmt: skip
    return PageTable(head, rows, ids=ids)


def middles(cohort: Cohort, drill: Drill) -> PageTable:
    """Return the median slope before and after of each variable, and the median half-time."""
    table = cohort.keep(cohort.result.tables["slopes"])
    table = table.take(table["from_clock"] == CLOCK)
    rows: list[list[Any]] = []
    for variable in cohort.result.protocol.response.variables:
        cells: list[Any] = [labels.heading(labels.variable(variable))]
        for side in ("before", "after"):
            mine = table.take((table["variable"] == variable) & (table["side"] == side))
            cells.append(_middle(drill, mine["person_id"], mine["percent_per_day"], " %"))
            if side == "after":
                cells.append(_middle(drill, mine["person_id"], mine["half_time_h"], " h"))
        rows.append(cells)
    head = [
        "Test",
        "change a day before",
        "change a day after",
        "half-time after, of those who fell",
    ]
    return PageTable(head, rows)


def _middle(drill: Drill, who: Any, values: Any, suffix: str) -> Any:
    known = np.isfinite(values)
    found = stats.summary(values[known].tolist())
    if found is None:
        return UNKNOWN
    text = f"{number(found.median)}{suffix}, n = {found.n}"
    lines = Lines(
        list(zip(who[known].tolist(), values[known].tolist(), strict=True)),
        lambda each: [each[0], number(each[1])],
    )
    return drill.people(text, ["patient", "value"], lines)


def _grouped(words: str) -> str:
    """Return words with their numbers as the report prints them: `below 2,000`."""
    return re.sub(r"\d{4,}", lambda found: f"{int(found[0]):,}", words)


def normal(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how many were normal again, and when."""
    table = cohort.keep(cohort.result.tables["normal_again"])
    table = table.take(table["from_clock"] == CLOCK)
    rows: list[list[Any]] = []
    for rule in file().normal:
        mine = table.take(table["variable"] == rule.variable)
        name = labels.heading(labels.variable(rule.variable))
        words = f"{name} {_grouped(rule.words)} {unit(load().variable(rule.variable).unit)}"
        cells: list[Any] = [drill.people(words, ["source"], [[rule.source]])]
        for state in ("reached", "not reached", "not abnormal", "no draw"):
            whom = mine.take(mine["normal_state"] == state)
            hours = whom["hours_to_normal" if state == "reached" else "hours_followed"]
            lines = Lines(
                list(zip(whom["person_id"].tolist(), hours.tolist(), strict=True)),
                lambda each: [each[0], duration(each[1])],
            )
            cells.append(drill.people(str(len(whom)), ["patient", "hours"], lines))
        reached = mine.take(mine["normal_state"] == "reached")
        cells.append(_middle(drill, reached["person_id"], reached["hours_to_normal"], " h"))
        rows.append(cells)
    head = [
        "",
        "reached",
        "not until the last draw",
        "not abnormal before",
        "no draw before or after",
        "median time of those who reached it",
    ]
    return PageTable(head, rows)


def selection(cohort: Cohort, drill: Drill) -> PageTable:
    """Return how much of a fall from a peak the choice of the peak explains; rows without an estimate are left out."""
    rows = []
    for row in cohort.result.tables["selection_effect"].rows():
        if math.isnan(row["expected_fall_percent"]):
            continue
        source = [[pair_rules().pairs.source]]
        about = [
            f"{row['pairs']:,} pairs; spread {number(row['spread_percent'])} %",
            f"{number(row['draws_before'])} draws",
        ]
        cells = [
            drill.people(text, ["how"], [[each] for each in about] + source)
            for text in (
                f"{number(row['draws_before'])} draws, spread {number(row['spread_percent'])} %",
                f"about {number(row['expected_fall_percent'])} %",
                f"{number(row['fall_from_peak_percent'])} %, n = {row['fall_from_peak_n']}",
                f"{number(row['fall_from_baseline_percent'])} %, n = {row['fall_from_baseline_n']}",
            )
        ]
        rows.append([labels.heading(labels.variable(row["variable"])), cells[0],
                     marked(cells[1], verified=pair_rules().pairs.verified), *cells[2:]])  # fmt: skip
    head = [
        "Test",
        "peak chosen of",
        "fall that the choice alone explains",
        "median fall from the peak",
        "median fall from the last value",
    ]
    return PageTable(head, rows)


def section(cohort: Cohort, drill: Drill, figures: Mapping[str, Figure]) -> Section | None:
    if not cohort.described or not len(cohort.result.tables["slopes"]):
        return None
    window = file().window
    chosen = selection(cohort, drill)
    intro = [
        f"A slope is the change for each day of a line through the logarithms of the draws, in the {spaced(window.before)} before "
        f"{cohort.clock_from(CLOCK)} and the {spaced(window.after)} after it. The slope before is each patient's own control. Many values are "
        "drawn because they are high, so they fall afterwards in part by that alone.",
        *(
            [
                "The highest of several draws is high in part by chance, so the next one is lower even when nothing changes. How far draws "
                f"scatter is taken from pairs at most {spaced(pair_rules().pairs.within)} apart, of persons who are not in the cohort. What "
                "truly changes in that time counts as scatter too, so the fall that the choice alone explains is rather too large."
            ]
            if chosen
            else []
        ),
        "An interval needs three draws. A limit of the laboratory (such as >40,000) among the draws leaves no slope.",
    ]
    tables = [
        captioned(middles(cohort, drill), "Median slopes"),
        captioned(chosen, "What the choice of a peak explains"),
        captioned(normal(cohort, drill), "Normal again"),
    ]
    long = (
        [captioned(each(cohort, drill), "Slopes of every patient")]
        if lists_everybody(cohort)
        else []
    )
    return Section("Slopes", intro, figures_named(figures, "slopes"), tables, long)


SECTION: Final = DeclaredSection("slopes", 54, section)
